//! Who speaks: a bearer token, by its hash; and in the console whom a provider of logins knows.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use tokio::sync::watch;
use treasury_core::Actor;
use treasury_core::command::Asked;
use treasury_core::intent::Origin;

use super::App;
use super::error::ApiError;
use crate::clock;
use crate::passkey::Passkey;

/// The people's tokens, as SHA-256 of their text. A token itself is never stored, so whoever reads the
/// configuration cannot speak for anybody. A token stands for a person to this API alone: it signs
/// nothing.
#[derive(Clone, Debug)]
pub struct Tokens {
    people: Arc<watch::Sender<Vec<Known>>>,
    /// What the provider of logins calls a person, and who that is.
    logins: Arc<RwLock<BTreeMap<String, String>>>,
    /// Each person's passkeys.
    passkeys: Arc<RwLock<BTreeMap<String, Arc<[Passkey]>>>>,
}

/// A person and the SHA-256 of their token.
type Known = (String, [u8; 32]);

impl Tokens {
    /// Person to SHA-256 of the token.
    #[must_use]
    pub fn new(people: &BTreeMap<String, [u8; 32]>) -> Self {
        let tokens = Self { people: Arc::default(), logins: Arc::default(), passkeys: Arc::default() };
        tokens.replace(people);
        tokens
    }

    /// These are the tokens from now on, and no others.
    pub fn replace(&self, people: &BTreeMap<String, [u8; 32]>) {
        let people = people.iter().map(|(name, hash)| (name.clone(), *hash)).collect();
        self.people.send_replace(people);
    }

    /// This is what the provider of logins calls people from now on, and it knows no others.
    pub fn replace_logins(&self, logins: &BTreeMap<String, String>) {
        *self.logins.write().unwrap_or_else(PoisonError::into_inner) = logins.clone();
    }

    /// These are people's passkeys from now on, and no others.
    pub fn replace_passkeys(&self, passkeys: &BTreeMap<String, Vec<Passkey>>) {
        let passkeys = passkeys.iter().map(|(person, own)| (person.clone(), own.clone().into())).collect();
        *self.passkeys.write().unwrap_or_else(PoisonError::into_inner) = passkeys;
    }

    /// The person's passkeys.
    pub(super) fn passkeys_of(&self, person: &str) -> Arc<[Passkey]> {
        let passkeys = self.passkeys.read().unwrap_or_else(PoisonError::into_inner);
        passkeys.get(person).cloned().unwrap_or_default()
    }

    /// Whose token it is.
    pub(super) fn badge(&self, token: &str) -> Option<Badge> {
        let hash = Sha256::digest(token.as_bytes()).into();
        self.whose(hash).map(|person| Badge { person, shown: Shown::Token(hash) })
    }

    /// Whether the word is somebody's token.
    pub(crate) fn is_one(&self, word: &str) -> bool {
        self.whose(Sha256::digest(word.as_bytes()).into()).is_some()
    }

    /// Whom the provider of logins means.
    pub(super) fn badge_of_login(&self, login: &str) -> Option<Badge> {
        let person = self.of_login(login)?;
        Some(Badge { person, shown: Shown::Login(login.to_owned()) })
    }

    /// Whether what they have shown is still the person's.
    pub(super) fn is_good(&self, badge: &Badge) -> bool {
        let whose = match &badge.shown {
            Shown::Token(hash) => self.whose(*hash),
            Shown::Login(login) => self.of_login(login),
        };
        whose.as_ref() == Some(&badge.person)
    }

    /// Waits until it is the person's no more.
    pub(super) async fn bad(&self, badge: &Badge) {
        let mut changes = self.people.subscribe();
        while self.is_good(badge) {
            // They are there as long as somebody asks.
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// What the person's token is called: the beginning of its hash, as the configuration has that. A token is drawn from
    /// 256 bits, so nobody finds it from there.
    pub(super) fn name_of(&self, person: &str) -> Option<String> {
        let people = self.people.borrow();
        let (_, hash) = people.iter().find(|(name, _)| name == person)?;
        Some(hex::encode(hash.get(..4)?))
    }

    /// What it calls somebody it has sworn to, so nobody guesses here.
    fn of_login(&self, login: &str) -> Option<String> {
        self.logins.read().unwrap_or_else(PoisonError::into_inner).get(login).cloned()
    }

    /// Takes the same time whoever's it is, so that nothing is learnt by guessing.
    fn whose(&self, hash: [u8; 32]) -> Option<String> {
        let people = self.people.borrow();
        let mut found = 0_u32;
        for ((_, known), number) in people.iter().zip(1_u32..) {
            let same: Choice = known.ct_eq(&hash);
            found.conditional_assign(&number, same);
        }
        let index = usize::try_from(found.checked_sub(1)?).ok()?;
        people.get(index).map(|(name, _)| name.clone())
    }
}

/// A person who has shown who they are: as long as the configuration has what they have shown, it is theirs.
#[derive(Clone)]
pub(crate) struct Badge {
    /// Who.
    pub(crate) person: String,
    shown: Shown,
}

#[derive(Clone)]
enum Shown {
    /// A token, by its hash.
    Token([u8; 32]),
    /// A login at the provider, by what it calls the person.
    Login(String),
}

impl Badge {
    /// What was shown, as records have it: the beginning of the token's hash, or that it was a login at the provider.
    pub(crate) fn name(&self) -> String {
        match self.shown {
            Shown::Token([a, b, c, d, ..]) => hex::encode([a, b, c, d]),
            Shown::Login(_) => "oidc".to_owned(),
        }
    }
}

/// What was shown is nobody's business.
impl std::fmt::Debug for Badge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Badge").field("person", &self.person).finish_non_exhaustive()
    }
}

/// The person who speaks, proven by the token.
#[derive(Clone, Debug)]
pub(super) struct Speaker(pub(super) Actor, pub(super) Whence);

/// How a request came, for whoever looks back at it.
#[derive(Clone, Debug, Default)]
pub(super) struct Whence {
    /// The request's own id.
    pub(super) request: String,
    /// Where its connection comes from.
    pub(super) peer: Option<IpAddr>,
    /// Which token it was, or what else was shown.
    pub(super) token: Option<String>,
}

impl Speaker {
    /// What is written down with what comes of a command.
    pub(super) fn asked(&self, operation: &str) -> Asked {
        let Self(actor, whence) = self;
        Asked {
            operation: operation.to_owned(),
            person: actor.person.clone(),
            origin: actor.origin,
            token: whence.token.clone(),
            address: whence.peer.map(|peer| peer.to_canonical().to_string()),
            request: Some(whence.request.clone()).filter(|request| !request.is_empty()),
            utc: clock::utc(),
        }
    }
}

impl Speaker {
    /// Who sent a request with this head.
    pub(super) fn of(parts: &Parts, tokens: &Tokens) -> Result<Self, ApiError> {
        let badge = Badge::of(parts, tokens)?;
        Ok(Self(Actor { person: badge.person, origin: Origin::Http }, Whence::default()))
    }
}

impl Badge {
    /// What a request with this head shows.
    fn of(parts: &Parts, tokens: &Tokens) -> Result<Self, ApiError> {
        let header = parts.headers.get(AUTHORIZATION).ok_or(ApiError::TokenMissing)?;
        let text = header.to_str().map_err(|_| ApiError::TokenWrong)?;
        let (scheme, token) = text.split_once(' ').ok_or(ApiError::TokenMissing)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(ApiError::TokenMissing);
        }
        tokens.badge(token.trim()).ok_or(ApiError::TokenWrong)
    }
}

/// For what goes on after the answer began: the token is looked at again meanwhile.
impl FromRequestParts<App> for Badge {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        Self::of(parts, &app.tokens)
    }
}

impl FromRequestParts<App> for Speaker {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, ApiError> {
        // Told before a place was taken; a route that asks for a speaker where the table names none has none.
        parts.extensions.get::<Self>().cloned().ok_or(ApiError::TokenMissing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(token: &str) -> [u8; 32] {
        Sha256::digest(token.as_bytes()).into()
    }

    #[test]
    fn a_token_is_its_owners_alone() {
        let people = BTreeMap::from([("alice".to_owned(), hash("a")), ("bob".to_owned(), hash("b"))]);
        let tokens = Tokens::new(&people);
        let whose = |token: &str| tokens.badge(token).map(|badge| badge.person);
        assert_eq!(whose("a").as_deref(), Some("alice"));
        assert_eq!(whose("b").as_deref(), Some("bob"));
        for wrong in ["", "A", "a ", "ab", "alice"] {
            assert_eq!(whose(wrong), None, "{wrong:?}");
        }
        let shown = tokens.badge("a").unwrap();
        assert!(tokens.is_good(&shown) && !format!("{shown:?}").contains("hash: ["));
        let shared = tokens.clone();
        shared.replace(&BTreeMap::from([("alice".to_owned(), hash("c")), ("bob".to_owned(), hash("a"))]));
        assert_eq!((whose("a").as_deref(), whose("c").as_deref()), (Some("bob"), Some("alice")));
        assert!(!tokens.is_good(&shown), "it is another person's by now");
        assert!(Tokens::new(&BTreeMap::new()).badge("a").is_none());
    }

    #[test]
    fn a_login_is_that_of_whom_the_configuration_names_as_long_as_it_does() {
        let tokens = Tokens::new(&BTreeMap::from([("alice".to_owned(), hash("248289"))]));
        assert!(tokens.badge_of_login("248289").is_none(), "a token is no login");
        let name = |login: &str, person: &str| BTreeMap::from([(login.to_owned(), person.to_owned())]);
        tokens.replace_logins(&name("248289", "alice"));
        let shown = tokens.badge_of_login("248289").unwrap();
        assert_eq!((shown.person.as_str(), shown.name().as_str()), ("alice", "oidc"));
        assert!(tokens.is_good(&shown) && !format!("{shown:?}").contains("248289"));
        for wrong in ["", "24828", "248289 ", "alice"] {
            assert!(tokens.badge_of_login(wrong).is_none(), "{wrong:?}");
        }
        tokens.replace_logins(&name("248289", "bob"));
        assert!(!tokens.is_good(&shown), "it is another person's by now");
        tokens.replace_logins(&BTreeMap::new());
        assert!(tokens.badge_of_login("248289").is_none());
        assert_eq!(tokens.badge("248289").unwrap().name(), hex::encode(&hash("248289")[..4]));
    }
}
