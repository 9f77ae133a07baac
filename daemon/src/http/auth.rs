//! Who speaks: a bearer token, by its hash.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use treasury_core::Actor;
use treasury_core::command::Asked;
use treasury_core::intent::Origin;

use super::App;
use super::error::ApiError;
use crate::clock;

/// The people's tokens, as SHA-256 of their text. A token itself is never stored, so whoever reads the
/// configuration cannot speak for anybody. A token stands for a person to this API alone: it signs
/// nothing.
#[derive(Clone, Debug)]
pub struct Tokens {
    people: Arc<RwLock<Vec<Known>>>,
}

/// A person and the SHA-256 of their token.
type Known = (String, [u8; 32]);

impl Tokens {
    /// Person to SHA-256 of the token.
    #[must_use]
    pub fn new(people: &BTreeMap<String, [u8; 32]>) -> Self {
        let tokens = Self { people: Arc::default() };
        tokens.replace(people);
        tokens
    }

    /// These are the tokens from now on, and no others.
    pub fn replace(&self, people: &BTreeMap<String, [u8; 32]>) {
        let people = people.iter().map(|(name, hash)| (name.clone(), *hash)).collect();
        *self.people.write().unwrap_or_else(PoisonError::into_inner) = people;
    }

    /// Whose token it is.
    pub(super) fn badge(&self, token: &str) -> Option<Badge> {
        let hash = Sha256::digest(token.as_bytes()).into();
        self.whose(hash).map(|person| Badge { person, hash })
    }

    /// Whether it is still the person's.
    pub(super) fn is_good(&self, badge: &Badge) -> bool {
        self.whose(badge.hash).as_ref() == Some(&badge.person)
    }

    /// What the person's token is called: the beginning of its hash, as the configuration has that. A token is drawn from
    /// 256 bits, so nobody finds it from there.
    pub(super) fn name_of(&self, person: &str) -> Option<String> {
        let people = self.people.read().unwrap_or_else(PoisonError::into_inner);
        let (_, hash) = people.iter().find(|(name, _)| name == person)?;
        Some(hex::encode(hash.get(..4)?))
    }

    /// Takes the same time whoever's it is, so that nothing is learnt by guessing.
    fn whose(&self, hash: [u8; 32]) -> Option<String> {
        // It is replaced whole, whatever panics meanwhile.
        let people = self.people.read().unwrap_or_else(PoisonError::into_inner);
        let mut found = 0_u32;
        for ((_, known), number) in people.iter().zip(1_u32..) {
            let same: Choice = known.ct_eq(&hash);
            found.conditional_assign(&number, same);
        }
        let index = usize::try_from(found.checked_sub(1)?).ok()?;
        people.get(index).map(|(name, _)| name.clone())
    }
}

/// A person who has shown their token, and its hash: as long as the configuration has it, it is theirs.
#[derive(Clone)]
pub(crate) struct Badge {
    /// Who.
    pub(crate) person: String,
    hash: [u8; 32],
}

/// The hash is nobody's business.
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
    /// Which token it was.
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
        let header = parts.headers.get(AUTHORIZATION).ok_or(ApiError::TokenMissing)?;
        let text = header.to_str().map_err(|_| ApiError::TokenWrong)?;
        let (scheme, token) = text.split_once(' ').ok_or(ApiError::TokenMissing)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(ApiError::TokenMissing);
        }
        let badge = tokens.badge(token.trim()).ok_or(ApiError::TokenWrong)?;
        Ok(Self(Actor { person: badge.person, origin: Origin::Http }, Whence::default()))
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
}
