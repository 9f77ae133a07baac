//! The people of the sandbox, who speak to the daemon as `treasuryctl` does and sign with their own keys.

use std::collections::BTreeMap;

use xrpl_wire::{AccountId, Amount, Drops, KeyPair};

use super::DevError;
use super::cast::Cast;
use crate::client::Client;
use crate::http::api::{DoneView, ProposeRequest, StoppedView};
use treasuryctl::check;

/// Everybody, by name.
#[derive(Debug)]
pub struct People {
    people: BTreeMap<&'static str, Person>,
}

impl People {
    /// The people of the cast, who speak to the daemon at `url`.
    ///
    /// # Errors
    /// [`DevError::Client`] where no HTTP client can be made.
    pub fn new(cast: &Cast, url: &str) -> Result<Self, DevError> {
        let person = |keys: &super::cast::PersonKeys| -> Result<_, DevError> {
            let person = Person {
                name: keys.identity.name(),
                client: Client::new(url, Some(keys.token.clone()))?,
                signer: keys.identity.id(),
                key: keys.signing().key().clone(),
            };
            Ok((person.name, person))
        };
        Ok(Self { people: cast.people.iter().map(person).collect::<Result<_, _>>()? })
    }

    /// One of them.
    ///
    /// # Errors
    /// [`DevError::Nobody`].
    pub fn get(&self, name: &str) -> Result<&Person, DevError> {
        self.people.get(name).ok_or_else(|| DevError::Nobody(name.to_owned()))
    }
}

/// One of the people: a token to speak with and a key to sign with.
pub struct Person {
    name: &'static str,
    client: Client,
    signer: AccountId,
    key: KeyPair,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.name, self.signer)
    }
}

impl Person {
    /// The name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The account in the SignerLists.
    #[must_use]
    pub fn signer(&self) -> AccountId {
        self.signer
    }

    /// The key that signs.
    #[must_use]
    pub fn key(&self) -> &KeyPair {
        &self.key
    }

    /// Speaks to the daemon with this person's token.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Asks for a payment and answers with the proposal's id.
    ///
    /// # Errors
    /// [`DevError::Client`].
    pub async fn propose(
        &self,
        account: &str,
        to: &str,
        amount: Drops,
        note: &str,
    ) -> Result<String, DevError> {
        let request = ProposeRequest {
            account: account.to_owned(),
            destination: to.to_owned(),
            amount: Amount::Xrp(amount).into(),
            note: note.to_owned(),
            ..ProposeRequest::default()
        };
        Ok(self.client.propose(&request).await?.proposal)
    }

    /// Looks at a proposal's transaction, and signs it if it is what the proposal says.
    ///
    /// # Errors
    /// [`DevError::Check`] where it is not, [`DevError::Client`].
    pub async fn approve(&self, id: &str) -> Result<DoneView, DevError> {
        let view = self.client.proposal(id).await?;
        let request = check(&view)?.sign(self.signer, &self.key)?;
        Ok(self.client.approve(id, &request).await?)
    }

    /// Takes the approval back.
    ///
    /// # Errors
    /// [`DevError::Client`].
    pub async fn retract(&self, id: &str) -> Result<DoneView, DevError> {
        Ok(self.client.retract(id).await?)
    }

    /// Puts a hold on it.
    ///
    /// # Errors
    /// [`DevError::Client`].
    pub async fn flag(&self, id: &str, reason: &str) -> Result<StoppedView, DevError> {
        Ok(self.client.flag(id, reason).await?)
    }
}
