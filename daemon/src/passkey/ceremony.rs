//! Making a passkey, and the gesture with one.
//!
//! Both demand that the device looks who it is: by finger, face or PIN. What the browser says of the page that it was made on
//! has to be this console's origin and nothing around it, so a page of somebody else's gets no gesture that counts here.

use std::num::NonZeroU32;

use sha2::{Digest, Sha256};
use webauthn_rp::bin::{Decode, Encode};
use webauthn_rp::request::auth::{AllowedCredentials, AuthenticationVerificationOptions};
use webauthn_rp::request::register::{
    Extension, PublicKeyCredentialUserEntity, RegistrationVerificationOptions, ResidentKeyRequirement,
    UserHandle, Username,
};
use webauthn_rp::request::{
    AsciiDomain, Credentials, PublicKeyCredentialDescriptor, RpId, UserVerificationRequirement,
};
use webauthn_rp::response::CredentialId;
use webauthn_rp::{
    AuthenticatedCredential, NonDiscoverableAuthentication, NonDiscoverableAuthenticationServerState,
    NonDiscoverableCredentialRequestOptions, PublicKeyCredentialCreationOptions, Registration,
    RegistrationServerState,
};

use super::Passkey;

/// Bytes of what devices know a person by.
const HANDLE_BYTES: usize = 32;

/// How long browsers wait for the person.
const TIMEOUT_MS: NonZeroU32 = NonZeroU32::new(120_000).unwrap();

/// A passkey that is being made.
pub(crate) type Enrolling = RegistrationServerState<HANDLE_BYTES>;

/// A gesture that was asked for.
pub(crate) type Asked = NonDiscoverableAuthenticationServerState;

/// Where passkeys are of: the console, under the name that people type into their browser.
#[derive(Debug)]
pub(crate) struct Site {
    rp_id: RpId,
    host: String,
    origin: String,
}

impl Site {
    /// The site of an origin.
    ///
    /// # Errors
    /// Browsers have no passkeys there, and why, in words.
    pub(crate) fn of(origin: &str) -> Result<Self, String> {
        let url = url::Url::parse(origin).map_err(|error| error.to_string())?;
        let Some(url::Host::Domain(host)) = url.host() else {
            return Err("is an address, and browsers have passkeys for names alone".to_owned());
        };
        if url.scheme() != "https" && host != "localhost" {
            return Err("is not https://, and browsers have no passkeys there".to_owned());
        }
        let domain = AsciiDomain::try_from(host.to_owned()).map_err(|error| error.to_string())?;
        Ok(Self { rp_id: RpId::Domain(domain), host: host.to_owned(), origin: origin.to_owned() })
    }

    /// What devices know the person by: says nothing to whoever reads it there.
    fn handle(&self, person: &str) -> UserHandle<HANDLE_BYTES> {
        let text = format!("treasuryd passkey of {person} at {}", self.host);
        let Ok(handle) = UserHandle::decode(Sha256::digest(text.as_bytes()).into());
        handle
    }

    /// What the browser needs to make one, as JSON, and what is kept meanwhile.
    ///
    /// # Errors
    /// In words.
    pub(crate) fn enrol(&self, person: &str, known: &[Passkey]) -> Result<(String, Enrolling), String> {
        let handle = self.handle(person);
        let name = Username::try_from(person).map_err(|error| error.to_string())?;
        let user = PublicKeyCredentialUserEntity { name, id: &handle, display_name: None };
        let known = known.iter().filter_map(descriptor).collect();
        let mut options = PublicKeyCredentialCreationOptions::second_factor(&self.rp_id, user, known);
        options.authenticator_selection.user_verification = UserVerificationRequirement::Required;
        // A device that keeps it may, and one that cannot need not: who acts is known from the session.
        options.authenticator_selection.resident_key = ResidentKeyRequirement::Preferred;
        options.extensions = Extension::default();
        options.timeout = TIMEOUT_MS;
        let (server, client) = options.start_ceremony().map_err(|error| error.to_string())?;
        let text = serde_json::to_string(&client).map_err(|error| error.to_string())?;
        Ok((text, server))
    }

    /// The passkey that the browser says was made.
    ///
    /// # Errors
    /// In words.
    pub(crate) fn enrolled(&self, asked: Enrolling, name: &str, answer: &str) -> Result<Passkey, String> {
        let answer = Registration::from_json_relaxed(answer.as_bytes()).map_err(|error| error.to_string())?;
        let options = RegistrationVerificationOptions::<&str, &str> {
            allowed_origins: &[self.origin.as_str()],
            error_on_unsolicited_extensions: false,
            ..RegistrationVerificationOptions::default()
        };
        let made = asked.verify(&self.rp_id, &answer, &options).map_err(|error| error.to_string())?;
        let Ok(state) = made.dynamic_state().encode();
        let static_state = made.static_state();
        let Ok(key) = static_state.encode();
        let Ok(transports) = made.transports().encode();
        let passkey =
            Passkey { name: name.to_owned(), id: made.id().as_ref().to_vec(), transports, made: state, key };
        // What is written has to be read again.
        if passkey.is_whole() { Ok(passkey) } else { Err("the device did not look who it is".to_owned()) }
    }

    /// What the browser needs for a gesture with one of these, as JSON, and what is kept meanwhile.
    ///
    /// # Errors
    /// In words.
    pub(crate) fn ask(&self, known: &[Passkey]) -> Result<(String, Asked), String> {
        let mut allowed = AllowedCredentials::with_capacity(known.len());
        for one in known.iter().filter_map(descriptor) {
            allowed.push(one.into());
        }
        let options = NonDiscoverableCredentialRequestOptions::second_factor(&self.rp_id, allowed);
        let mut options = options.map_err(|error| error.to_string())?;
        options.options().user_verification = UserVerificationRequirement::Required;
        options.options().timeout = TIMEOUT_MS;
        let (server, client) = options.start_ceremony().map_err(|error| error.to_string())?;
        let text = serde_json::to_string(&client).map_err(|error| error.to_string())?;
        Ok((text, server))
    }

    /// With which of these the gesture was made, and how many the device had made by then, where it counts them.
    /// `counted` knows how many it had made before.
    ///
    /// # Errors
    /// In words.
    pub(crate) fn answered<'a>(
        &self,
        asked: Asked,
        person: &str,
        known: &'a [Passkey],
        counted: impl Fn(&Passkey) -> u32,
        answer: &str,
    ) -> Result<(&'a Passkey, u32), String> {
        let answer = NonDiscoverableAuthentication::<HANDLE_BYTES>::from_json_relaxed(answer.as_bytes());
        let answer = answer.map_err(|error| error.to_string())?;
        let id = answer.raw_id();
        let passkey = known.iter().find(|one| one.id == id.as_ref());
        let passkey = passkey.ok_or("it is of a passkey that the configuration does not have")?;
        let unread = || "the passkey cannot be read".to_owned();
        let mut made = passkey.made().ok_or_else(unread)?;
        made.sign_count = made.sign_count.max(counted(passkey));
        let handle = self.handle(person);
        let key = passkey.key().ok_or_else(unread)?;
        let id = passkey.id().ok_or_else(unread)?;
        let mut credential =
            AuthenticatedCredential::new(id, &handle, key, made).map_err(|error| error.to_string())?;
        let options = AuthenticationVerificationOptions::<&str, &str> {
            allowed_origins: &[self.origin.as_str()],
            error_on_unsolicited_extensions: false,
            ..AuthenticationVerificationOptions::default()
        };
        asked.verify(&self.rp_id, &answer, &mut credential, &options).map_err(|error| error.to_string())?;
        Ok((passkey, credential.dynamic_state().sign_count))
    }
}

fn descriptor(passkey: &Passkey) -> Option<PublicKeyCredentialDescriptor<Vec<u8>>> {
    let id = CredentialId::<Vec<u8>>::decode(passkey.id.clone()).ok()?;
    Some(PublicKeyCredentialDescriptor { id, transports: passkey.transports()? })
}
