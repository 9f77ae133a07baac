//! A provider of logins that says whatever a test has it say.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;

pub(super) const CLIENT: &str = "treasuryd at work";
pub(super) const SECRET: &str = "a secret, of the provider's & ours";

/// Who signs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Signs {
    #[default]
    Itself,
    /// Somebody who has another key, and says it is that one.
    Another,
    /// A key that it came to have only now.
    New,
    /// Whoever knows the client's secret.
    Secret,
    /// Nobody.
    Nobody,
}

/// What it does.
#[derive(Default)]
pub(super) struct Play {
    pub(super) nonce: String,
    pub(super) challenge: String,
    pub(super) redirect: String,
    /// Claims that are others than the right ones; null: not there.
    pub(super) claims: Map<String, Value>,
    pub(super) signs: Signs,
    /// What it says of itself, other than the right things.
    pub(super) metadata: Map<String, Value>,
    /// The whole answer at a path, instead of what belongs there.
    pub(super) answers: Map<String, Value>,
    /// Codes that were taken.
    codes: BTreeSet<String>,
    /// Every path that was asked.
    pub(super) asked: Vec<String>,
}

#[derive(Clone)]
pub(super) struct Provider {
    pub(super) url: String,
    pub(super) play: Arc<Mutex<Play>>,
    keys: Arc<[EcdsaKeyPair; 3]>,
}

fn key() -> EcdsaKeyPair {
    let (random, kind) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
    let made = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(kind, made.as_ref(), &random).unwrap()
}

impl Provider {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let provider = Self { url, play: Arc::default(), keys: Arc::new([key(), key(), key()]) };
        let router = Router::new().route("/{*path}", get(answer).post(answer)).with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        provider
    }

    pub(super) fn plays<T>(&self, with: impl FnOnce(&mut Play) -> T) -> T {
        with(&mut self.play.lock().unwrap())
    }

    fn says(&self, play: &Play) -> Value {
        let path = |path: &str| Value::from(format!("{}{path}", self.url));
        let mut says = json!({
            "issuer": self.url,
            "authorization_endpoint": path("/authorize"),
            "token_endpoint": path("/token"),
            "jwks_uri": path("/keys"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256", "HS256", "none"],
        });
        says.as_object_mut().unwrap().extend(play.metadata.clone());
        says
    }

    fn published(&self, play: &Play) -> Value {
        let own = if play.signs == Signs::New { 2 } else { 0 };
        let point = self.keys[own].public_key().as_ref();
        let part = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
        json!({ "keys": [{ "kty": "EC", "crv": "P-256", "use": "sig", "kid": format!("k{own}"),
            "x": part(&point[1..33]), "y": part(&point[33..]) }] })
    }

    fn token(&self, play: &Play) -> String {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let mut claims = json!({ "iss": self.url, "aud": CLIENT, "sub": "248289", "nonce": play.nonce,
            "exp": now + 300, "iat": now });
        for (name, value) in &play.claims {
            claims[name] = value.clone();
        }
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let (algorithm, id) = match play.signs {
            Signs::Nobody => ("none", "k0"),
            Signs::Secret => ("HS256", "k0"),
            Signs::New => ("ES256", "k2"),
            _ => ("ES256", "k0"),
        };
        let header = json!({ "alg": algorithm, "kid": id, "typ": "JWT" });
        let part = |part: Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let text = format!("{}.{}", part(header), part(claims));
        let by = |index: usize| {
            self.keys[index].sign(&SystemRandom::new(), text.as_bytes()).unwrap().as_ref().to_vec()
        };
        let signature = match play.signs {
            Signs::Itself => by(0),
            Signs::Another => by(1),
            Signs::New => by(2),
            Signs::Secret => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
                hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
            }
            Signs::Nobody => Vec::new(),
        };
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// What it answers to a code, as strict as one should be.
    fn exchange(&self, play: &mut Play, headers: &HeaderMap, body: &[u8]) -> Response {
        let fields: Map<String, Value> = url::form_urlencoded::parse(body)
            .map(|(name, value)| (name.into_owned(), Value::from(&*value)))
            .collect();
        let field = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
        let plain: String = url::form_urlencoded::byte_serialize(CLIENT.as_bytes()).collect();
        let secret: String = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
        let basic = format!("Basic {}", STANDARD.encode(format!("{plain}:{secret}")));
        let is_known = headers.get("authorization").is_some_and(|value| value == basic.as_str());
        let verifier = URL_SAFE_NO_PAD.encode(Sha256::digest(field("code_verifier").as_bytes()));
        let error = if !is_known || headers["content-type"] != "application/x-www-form-urlencoded" {
            Some("invalid_client")
        } else if field("grant_type") != "authorization_code"
            || field("redirect_uri") != play.redirect
            || verifier != play.challenge
            || !play.codes.insert(field("code").to_owned())
        {
            Some("invalid_grant")
        } else {
            None
        };
        match error {
            Some(error) => {
                (axum::http::StatusCode::BAD_REQUEST, json!({ "error": error }).to_string()).into_response()
            }
            None => {
                let token = self.token(play);
                json!({ "access_token": "never used", "token_type": "Bearer", "id_token": token })
                    .to_string()
                    .into_response()
            }
        }
    }
}

async fn answer(
    State(provider): State<Provider>,
    Path(path): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut play = provider.play.lock().unwrap();
    play.asked.push(path.clone());
    match play.answers.get(&path) {
        Some(Value::Number(status)) => {
            let status = u16::try_from(status.as_u64().unwrap()).unwrap();
            let elsewhere = [("location", "/elsewhere")];
            return (axum::http::StatusCode::from_u16(status).unwrap(), elsewhere, "{}").into_response();
        }
        Some(text) => return text.as_str().unwrap().to_owned().into_response(),
        None => {}
    }
    match path.as_str() {
        ".well-known/openid-configuration" => provider.says(&play).to_string().into_response(),
        "keys" => provider.published(&play).to_string().into_response(),
        "token" => provider.exchange(&mut play, &headers, &body),
        _ => axum::http::StatusCode::NOT_FOUND.into_response(),
    }
}
