//! Who speaks: a bearer token, by its hash.

use std::collections::BTreeMap;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use treasury_core::Actor;

use super::App;
use super::error::ApiError;

/// The people's tokens, as SHA-256 of their text. A token itself is never stored, so whoever reads the
/// configuration cannot speak for anybody. A token stands for a person to this API alone: it signs
/// nothing.
#[derive(Clone, Debug)]
pub struct Tokens {
    people: Vec<(String, [u8; 32])>,
}

impl Tokens {
    /// Person to SHA-256 of the token.
    #[must_use]
    pub fn new(people: &BTreeMap<String, [u8; 32]>) -> Self {
        Self { people: people.iter().map(|(name, hash)| (name.clone(), *hash)).collect() }
    }

    /// Whose token it is. Takes the same time whoever's it is, so that nothing is learnt by guessing.
    fn person(&self, token: &str) -> Option<&str> {
        let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let mut found = 0_u32;
        for ((_, known), number) in self.people.iter().zip(1_u32..) {
            let same: Choice = known.ct_eq(&hash);
            found.conditional_assign(&number, same);
        }
        let index = usize::try_from(found.checked_sub(1)?).ok()?;
        self.people.get(index).map(|(name, _)| name.as_str())
    }
}

/// The person who speaks, proven by the token.
#[derive(Clone, Debug)]
pub(super) struct Speaker(pub(super) Actor);

impl FromRequestParts<App> for Speaker {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let header = parts.headers.get(AUTHORIZATION).ok_or(ApiError::TokenMissing)?;
        let text = header.to_str().map_err(|_| ApiError::TokenWrong)?;
        let (scheme, token) = text.split_once(' ').ok_or(ApiError::TokenMissing)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(ApiError::TokenMissing);
        }
        let person = app.tokens.person(token.trim()).ok_or(ApiError::TokenWrong)?;
        Ok(Self(Actor { person: person.to_owned() }))
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
        assert_eq!(tokens.person("a"), Some("alice"));
        assert_eq!(tokens.person("b"), Some("bob"));
        for wrong in ["", "A", "a ", "ab", "alice"] {
            assert_eq!(tokens.person(wrong), None, "{wrong:?}");
        }
        assert_eq!(Tokens::new(&BTreeMap::new()).person("a"), None);
    }
}
