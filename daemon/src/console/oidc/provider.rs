//! Asks the provider.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::BoxFuture;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreErrorResponseType, CoreIdToken,
    CoreIdTokenClaims, CoreJwsSigningAlgorithm, CoreProviderMetadata,
};
use openidconnect::{
    AsyncHttpClient, AuthType, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken,
    DiscoveryError, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, IssuerUrl,
    Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope,
    SignatureVerificationError, TokenResponse,
};
use secrecy::SecretString;
use serde_json::{Map, Value};
use tokio::sync::{Mutex, Semaphore};
use tokio::time::{Instant, timeout};
use url::{Host, Url};
use zeroize::Zeroizing;

use super::OidcConfig;
use super::error::LoginError;
use super::ticket::Ticket;
use crate::apart::{Apart, READ_FOR, Unread};
use crate::notify::channel;
use crate::notify::post::{PostError, Receiver, Request, Wire};
use crate::trust::Trust;

/// How long one answer may take. A login needs two of them, or four where what is known is too old, and the page that
/// somebody waits for is there within the time that [`PATIENCE`] leaves.
const ANSWER: Duration = Duration::from_secs(4);

/// How long a page may wait for the provider.
const PATIENCE: Duration = Duration::from_secs(9);

/// The largest answer that is read: a hundred keys.
const ANSWER_MAX_BYTES: usize = 256 * 1024;

/// What the provider says of itself is asked for anew after this.
const KNOWN_FOR: Duration = Duration::from_secs(3_600);

/// And where it signs with a key that is not known, but not before this: a token of nobody's must not have it asked again
/// and again.
const KEYS_FOR: Duration = Duration::from_secs(60);

/// As many logins are under way at once. Each has the provider asked, so anybody who begins one does that.
const AT_ONCE: usize = 8;

/// The longest name that is looked for in the configuration.
const LOGIN_MAX: usize = 255;

/// Signatures with a key of which the provider alone has the secret half. With a shared secret whoever reads the daemon's
/// could say who everybody is; and without any everybody could.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// What the provider says of itself, and since when that is known.
type Known = (Instant, Arc<CoreProviderMetadata>);

/// The provider.
pub(super) struct Provider {
    config: OidcConfig,
    redirect: String,
    fetch: Fetch,
    known: Mutex<Option<Known>>,
    places: Semaphore,
    /// Where the file of its secret is read.
    secrets: Apart,
}

impl Provider {
    /// This one, which sends people back to that address.
    pub(super) fn new(config: OidcConfig, redirect: String) -> Self {
        let (wire, trust) = (Wire::patient(ANSWER), config.trust.clone());
        let fetch = Fetch { wire, trust, allow_private: config.allow_private };
        let places = Semaphore::new(AT_ONCE);
        Self { config, redirect, fetch, known: Mutex::default(), places, secrets: Apart::default() }
    }

    pub(super) fn name(&self) -> &str {
        &self.config.name
    }

    /// Whether that is what it calls itself.
    pub(super) fn is(&self, issuer: &str) -> bool {
        self.config.issuer == issuer
    }

    /// Where somebody logs in who goes to `next` then, and what their browser keeps meanwhile. `before` is the session that
    /// it has.
    pub(super) async fn begin(
        &self,
        next: String,
        before: Option<String>,
    ) -> Result<(Url, Ticket), LoginError> {
        // What is known costs the provider nothing, so nobody needs a place for it.
        let metadata = match self.known_now() {
            Some(metadata) => metadata,
            None => self.within(async { Ok(self.metadata(KNOWN_FOR).await?.1) }).await?,
        };
        is_usable(metadata.authorization_endpoint().url(), self.config.allow_private)
            .map_err(|what| LoginError::Unfit(format!("its authorization endpoint {what}")))?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let client = self.client(&metadata, None)?;
        let mut asked = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .set_pkce_challenge(challenge);
        for scope in &self.config.scopes {
            asked = asked.add_scope(Scope::new(scope.clone()));
        }
        let (url, state, nonce) = asked.url();
        let (state, nonce) = (state.secret().clone(), nonce.secret().clone());
        Ok((url, Ticket::new(state, nonce, verifier.secret().clone(), next, before)))
    }

    /// What the provider says of itself, where nobody has to be asked for it.
    fn known_now(&self) -> Option<Arc<CoreProviderMetadata>> {
        let known = self.known.try_lock().ok()?;
        known
            .as_ref()
            .filter(|(read, _)| read.elapsed() < KNOWN_FOR)
            .map(|(_, metadata)| Arc::clone(metadata))
    }

    /// Whom the provider means: what the claim says.
    pub(super) async fn finish(&self, code: String, ticket: Ticket) -> Result<String, LoginError> {
        self.within(async {
            let secret = self.secret().await?;
            let (read, metadata) = self.metadata(KNOWN_FOR).await?;
            let client = self.client(&metadata, secret)?;
            let asked = client
                .exchange_code(AuthorizationCode::new(code))
                .map_err(|_| LoginError::Unfit("it names no token endpoint".to_owned()))?
                .set_pkce_verifier(PkceCodeVerifier::new(ticket.verifier));
            let answer = asked.request_async(&self.fetch).await.map_err(token_error)?;
            let nothing = || LoginError::Oath("there is none".to_owned());
            let token = answer.id_token().ok_or_else(nothing)?;
            let nonce = Nonce::new(ticket.nonce);
            match self.verified(&client, token, &nonce) {
                Err(ClaimsVerificationError::SignatureVerification(
                    SignatureVerificationError::NoMatchingKey,
                )) if read.elapsed() >= KEYS_FOR => {
                    let (_, metadata) = self.metadata(KEYS_FOR).await?;
                    let client = self.client(&metadata, None)?;
                    self.verified(&client, token, &nonce)
                }
                verified => verified,
            }
            .map_err(|error| LoginError::Oath(short(&error.to_string())))?;
            claim(&token.to_string(), &self.config.claim).map_err(LoginError::Oath)
        })
        .await
    }

    fn verified<'a>(
        &self,
        client: &Client,
        token: &'a CoreIdToken,
        nonce: &Nonce,
    ) -> Result<&'a CoreIdTokenClaims, ClaimsVerificationError> {
        // What the provider says that it signs with does not count: it may say `none`.
        let verifier = client.id_token_verifier().set_allowed_algs(ALGORITHMS);
        let claims = token.claims(&verifier, nonce)?;
        match claims.authorized_party() {
            Some(party) if party.as_str() != self.config.client_id => {
                Err(ClaimsVerificationError::InvalidAudience("it was made for another party".to_owned()))
            }
            _ => Ok(claims),
        }
    }

    fn client(
        &self,
        metadata: &CoreProviderMetadata,
        secret: Option<ClientSecret>,
    ) -> Result<Client, LoginError> {
        let redirect = RedirectUrl::new(self.redirect.clone());
        let redirect = redirect.map_err(|error| LoginError::Unfit(error.to_string()))?;
        let ways = metadata.token_endpoint_auth_methods_supported();
        let says = |way| ways.is_some_and(|ways| ways.contains(way));
        let in_body =
            says(&CoreClientAuthMethod::ClientSecretPost) && !says(&CoreClientAuthMethod::ClientSecretBasic);
        let way = if in_body { AuthType::RequestBody } else { AuthType::BasicAuth };
        let client_id = ClientId::new(self.config.client_id.clone());
        let client = CoreClient::from_provider_metadata(metadata.clone(), client_id, secret);
        Ok(client.set_redirect_uri(redirect).set_auth_type(way))
    }

    async fn secret(&self) -> Result<Option<ClientSecret>, LoginError> {
        let Some(path) = self.config.secret_file.clone() else { return Ok(None) };
        let unread = |unread: Unread| LoginError::Unfit(format!("the file of its secret {}", unread.words()));
        let read = self.secrets.read(READ_FOR, move || secret(&path)).await;
        let text = read.map_err(unread)?.map_err(LoginError::Unfit)?;
        Ok(Some(ClientSecret::new(text.to_string())))
    }

    /// What it says of itself, if that is not older than this; else what it says now.
    async fn metadata(&self, at_most: Duration) -> Result<Known, LoginError> {
        let mut known = self.known.lock().await;
        if let Some((read, metadata)) = known.as_ref()
            && read.elapsed() < at_most
        {
            return Ok((*read, Arc::clone(metadata)));
        }
        let issuer = IssuerUrl::new(self.config.issuer.clone());
        let issuer = issuer.map_err(|error| LoginError::Unfit(error.to_string()))?;
        let found =
            CoreProviderMetadata::discover_async(issuer, &self.fetch).await.map_err(discovery_error)?;
        let found = (Instant::now(), Arc::new(found));
        *known = Some(found.clone());
        Ok(found)
    }

    /// Within the time that a page may wait, and while not too many others do.
    async fn within<T>(&self, work: impl Future<Output = Result<T, LoginError>>) -> Result<T, LoginError> {
        let _place = self.places.try_acquire().map_err(|_| LoginError::Busy)?;
        let late = || LoginError::Silent("no answer in time".to_owned());
        timeout(PATIENCE, work).await.unwrap_or_else(|_| Err(late()))
    }
}

/// Asks what the library has asked, over our own connections: no redirect is followed, and each address is looked at, as the
/// provider names others than its own.
struct Fetch {
    wire: Wire,
    trust: Option<Trust>,
    allow_private: bool,
}

impl Fetch {
    async fn fetch(&self, request: HttpRequest) -> Result<HttpResponse, PostError> {
        let (head, body) = request.into_parts();
        let url = Url::parse(&head.uri.to_string()).map_err(|_| PostError::BadRequest)?;
        is_usable(&url, self.allow_private).map_err(|_| PostError::BadRequest)?;
        let to = Receiver::parse(url.as_str(), self.trust.clone(), self.allow_private)
            .map_err(|_| PostError::BadRequest)?;
        let mut headers = Vec::new();
        for (name, value) in &head.headers {
            let value = value.to_str().map_err(|_| PostError::BadRequest)?;
            headers.push((name.clone(), SecretString::from(value)));
        }
        let request = Request { method: head.method, url, headers, body };
        let (status, body) = self.wire.exchange(&to, request, ANSWER_MAX_BYTES).await?;
        let mut answer = HttpResponse::new(body.to_vec());
        *answer.status_mut() = status.try_into().map_err(|_| PostError::Broken)?;
        Ok(answer)
    }
}

impl<'c> AsyncHttpClient<'c> for Fetch {
    type Error = PostError;
    type Future = BoxFuture<'c, Result<HttpResponse, PostError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.fetch(request))
    }
}

/// Whether a provider may be there: by TLS; on this machine, and where that is allowed, without.
///
/// # Errors
/// What is wrong with it, in words.
pub(crate) fn is_usable(url: &Url, allow_private: bool) -> Result<(), String> {
    let is_here = match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => return Err("names no host".to_owned()),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err("has a user or password in it".to_owned());
    }
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_here && allow_private => Ok(()),
        _ => Err("is not https:// (http:// is for a provider on this machine, with `allow_private = true`)"
            .to_owned()),
    }
}

/// So much of what the provider writes as a line of the log has room for.
fn short(text: &str) -> String {
    text.chars().take(200).collect()
}

/// The first line of a private file.
///
/// # Errors
/// Why there is none, in words that do not quote it.
fn secret(path: &std::path::Path) -> Result<Zeroizing<String>, String> {
    let text = channel::read(path)?;
    match text.lines().next().unwrap_or_default().trim() {
        "" => Err(format!("{} is empty", path.display())),
        line => Ok(Zeroizing::new(line.to_owned())),
    }
}

/// What the claim of a token says whose signature has been looked at.
fn claim(token: &str, name: &str) -> Result<String, String> {
    let body = token.split('.').nth(1).and_then(|body| URL_SAFE_NO_PAD.decode(body).ok());
    let claims: Option<Map<String, Value>> = body.and_then(|body| serde_json::from_slice(&body).ok());
    let claims = claims.ok_or("it cannot be read")?;
    let said = claims.get(name).and_then(Value::as_str).unwrap_or_default();
    if said.is_empty() || said.len() > LOGIN_MAX {
        return Err(format!("its claim {name} is missing, or no text that could name somebody"));
    }
    // Whoever may write an address into their own profile could write anybody's.
    if name == "email" && claims.get("email_verified") != Some(&Value::Bool(true)) {
        return Err("it does not say that the e-mail address is verified".to_owned());
    }
    Ok(said.to_owned())
}

fn discovery_error(error: DiscoveryError<PostError>) -> LoginError {
    match error {
        DiscoveryError::Request(error) => no_answer(&error),
        DiscoveryError::Response(status, ..) => {
            LoginError::Unfit(format!("what it says of itself comes with status {status}"))
        }
        // That of the issuer's name among them.
        DiscoveryError::Validation(what) => LoginError::Unfit(short(&what)),
        _ => LoginError::Unfit("what it says of itself cannot be read".to_owned()),
    }
}

fn token_error(
    error: RequestTokenError<PostError, openidconnect::StandardErrorResponse<CoreErrorResponseType>>,
) -> LoginError {
    match error {
        RequestTokenError::Request(error) => no_answer(&error),
        RequestTokenError::ServerResponse(answer) => match answer.error() {
            CoreErrorResponseType::InvalidGrant => LoginError::Code("invalid_grant".to_owned()),
            CoreErrorResponseType::InvalidClient => {
                LoginError::Unfit("it does not take the client_id or its secret".to_owned())
            }
            _ => LoginError::Unfit("its token endpoint refuses what was asked for".to_owned()),
        },
        // An ID token that is none, among others.
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            LoginError::Oath("its token endpoint answers what cannot be read".to_owned())
        }
    }
}

fn no_answer(error: &PostError) -> LoginError {
    match error {
        // Of an address that the provider names and that is not asked.
        PostError::BadRequest | PostError::Private => {
            LoginError::Unfit(format!("an address that it names is not asked: {error}"))
        }
        error => LoginError::Silent(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Danger: the folder of the secret is on another host that answers no more, and anybody who begins logins has every thread of the
    /// process hang in it, those that sign among them.
    #[tokio::test(start_paused = true)]
    async fn a_secret_that_hangs_costs_one_thread_however_many_logins_are_begun() {
        let config = OidcConfig {
            issuer: "https://login.example".to_owned(),
            client_id: "treasury".to_owned(),
            secret_file: Some("/there/is/no/such/file".into()),
            claim: "email".to_owned(),
            scopes: Vec::new(),
            name: "login".to_owned(),
            trust: None,
            allow_private: false,
        };
        let provider = Provider::new(config, "https://treasury.example/back".to_owned());
        let (open, closed) = std::sync::mpsc::channel::<()>();
        let mut hangs = std::pin::pin!(provider.secrets.read(READ_FOR, move || closed.recv().unwrap()));
        assert!(futures_util::poll!(hangs.as_mut()).is_pending());
        for _ in 0..3 {
            let mut secret = std::pin::pin!(provider.secret());
            assert!(futures_util::poll!(secret.as_mut()).is_pending());
            // Virtual time does not go on by itself while a thread is blocked.
            tokio::time::advance(READ_FOR).await;
            let why = secret.await.err().map(|error| error.to_string());
            assert!(why.is_some_and(|why| why.ends_with("the file of its secret was not read in time")));
        }
        open.send(()).unwrap();
    }

    #[test]
    fn a_provider_is_asked_by_tls_and_on_this_machine_without_where_that_is_allowed() {
        for (url, anyhow, allowed) in [
            ("https://login.example/x", true, true),
            ("https://10.0.0.7", true, true),
            ("http://127.0.0.1:9400", false, true),
            ("http://localhost:9400", false, true),
            ("http://[::1]:9400", false, true),
            ("http://10.0.0.7", false, false),
            ("http://login.example", false, false),
            ("https://u:p@login.example", false, false),
            ("ftp://localhost", false, false),
            ("file:///etc/passwd", false, false),
        ] {
            let url = Url::parse(url).unwrap();
            assert_eq!(is_usable(&url, false).is_ok(), anyhow, "{url}");
            assert_eq!(is_usable(&url, true).is_ok(), allowed, "{url}");
        }
    }

    #[test]
    fn a_claim_is_a_text_and_an_address_a_verified_one() {
        let token = |body: &str| format!("e30.{}.x", URL_SAFE_NO_PAD.encode(body));
        let of = |body: &str, name: &str| claim(&token(body), name);
        assert_eq!(of(r#"{"sub":"248289"}"#, "sub").unwrap(), "248289");
        assert_eq!(of(r#"{"oid":"a-b"}"#, "oid").unwrap(), "a-b");
        let long = format!(r#"{{"sub":"{}"}}"#, "x".repeat(256));
        for body in ["{}", r#"{"sub":""}"#, r#"{"sub":7}"#, r#"{"sub":["a"]}"#, "[]", "", &long] {
            assert!(of(body, "sub").is_err(), "{body}");
        }
        assert!(claim("", "sub").is_err() && claim("a.b.c", "sub").is_err());
        let verified = r#"{"email":"a@b.example","email_verified":true}"#;
        assert_eq!(of(verified, "email").unwrap(), "a@b.example");
        for not in ["false", "\"true\"", "1", "null"] {
            assert!(of(&verified.replace("true", not), "email").is_err(), "{not}");
        }
        assert!(of(r#"{"email":"a@b.example"}"#, "email").is_err());
    }
}
