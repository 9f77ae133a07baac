//! A device with one passkey, and what is not taken from it.

use ciborium::value::Value as Cbor;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};

use super::*;

pub(crate) const ORIGIN: &str = "https://treasury.example";

/// What the device says it has seen.
const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const ATTESTED: u8 = 0x40;

/// A device, and the browser that it is in.
pub(crate) struct Device {
    key: EcdsaKeyPair,
    pub(crate) id: Vec<u8>,
    /// The page that the browser says it is on.
    pub(crate) origin: String,
    pub(crate) rp_id: String,
    pub(crate) flags: u8,
    /// How many gestures it has made; 0: it does not count.
    pub(crate) count: u32,
    /// Whether the page is inside of another one's.
    pub(crate) framed: bool,
    /// Another challenge than the one that was asked for.
    pub(crate) challenge: Option<String>,
}

impl Device {
    pub(crate) fn new() -> Self {
        let (random, kind) = (SystemRandom::new(), &ECDSA_P256_SHA256_ASN1_SIGNING);
        let made = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
        Self {
            key: EcdsaKeyPair::from_pkcs8(kind, made.as_ref(), &random).unwrap(),
            id: rand::random::<[u8; 20]>().to_vec(),
            origin: ORIGIN.to_owned(),
            rp_id: "treasury.example".to_owned(),
            flags: PRESENT | VERIFIED,
            count: 0,
            framed: false,
            challenge: None,
        }
    }

    fn client(&self, kind: &str, options: &Value) -> Vec<u8> {
        let challenge = self.challenge.clone().map_or_else(|| options["challenge"].clone(), Value::from);
        let framed = self.framed;
        json!({ "type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": framed })
            .to_string()
            .into_bytes()
    }

    fn head(&self, flags: u8) -> Vec<u8> {
        let host = Sha256::digest(self.rp_id.as_bytes());
        [host.as_slice(), &[flags], &self.count.to_be_bytes()].concat()
    }

    fn answer(&self, response: Value) -> String {
        let id = URL_SAFE_NO_PAD.encode(&self.id);
        json!({ "id": id, "rawId": id, "type": "public-key", "clientExtensionResults": {}, "response": response }).to_string()
    }

    /// What the browser sends of a passkey that was made.
    pub(crate) fn makes(&self, options: &str) -> String {
        let options: Value = serde_json::from_str(options).unwrap();
        assert_eq!(options["authenticatorSelection"]["userVerification"], "required");
        assert_eq!(options["rp"]["id"], "treasury.example");
        let point = self.key.public_key().as_ref();
        let pair = |key: i64, value: Cbor| (Cbor::from(key), value);
        let bytes = |bytes: &[u8]| Cbor::Bytes(bytes.to_vec());
        let key = Cbor::Map(vec![
            pair(1, 2.into()),
            pair(3, (-7).into()),
            pair(-1, 1.into()),
            pair(-2, bytes(&point[1..33])),
            pair(-3, bytes(&point[33..])),
        ]);
        let mut data = self.head(self.flags | ATTESTED);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend(&self.id);
        ciborium::into_writer(&key, &mut data).unwrap();
        let mut object = Vec::new();
        let map = vec![
            (Cbor::from("fmt"), Cbor::from("none")),
            (Cbor::from("attStmt"), Cbor::Map(Vec::new())),
            (Cbor::from("authData"), Cbor::Bytes(data)),
        ];
        ciborium::into_writer(&Cbor::Map(map), &mut object).unwrap();
        self.answer(json!({
            "clientDataJSON": URL_SAFE_NO_PAD.encode(self.client("webauthn.create", &options)),
            "attestationObject": URL_SAFE_NO_PAD.encode(object),
            "transports": ["internal"],
        }))
    }

    /// What it sends of a gesture.
    pub(crate) fn gesture(&mut self, options: &str) -> String {
        let options: Value = serde_json::from_str(options).unwrap();
        assert_eq!(options["userVerification"], "required");
        if self.count > 0 {
            self.count += 1;
        }
        let client = self.client("webauthn.get", &options);
        let data = self.head(self.flags);
        let signed = [data.as_slice(), &Sha256::digest(&client)].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).unwrap();
        self.answer(json!({
            "clientDataJSON": URL_SAFE_NO_PAD.encode(client),
            "authenticatorData": URL_SAFE_NO_PAD.encode(data),
            "signature": URL_SAFE_NO_PAD.encode(signature.as_ref()),
        }))
    }

    /// The passkey as the configuration has it.
    pub(crate) fn passkey(&self, site: &Site, person: &str) -> Passkey {
        let (options, enrolling) = site.enrol(person, &[]).unwrap();
        site.enrolled(enrolling, "laptop", &self.makes(&options)).unwrap()
    }
}

fn site() -> Site {
    Site::of(ORIGIN).unwrap()
}

/// The gesture that a device makes, and whether it counts.
fn counts(device: &mut Device, person: &str, known: &[Passkey]) -> Result<(), String> {
    let site = site();
    let (options, asked) = site.ask(known)?;
    site.answered(asked, person, known, |_| 0, &device.gesture(&options)).map(drop)
}

#[test]
fn a_passkey_that_was_made_is_written_read_and_good_for_gestures() {
    let mut device = Device::new();
    let made = device.passkey(&site(), "bob");
    let text = made.to_string();
    assert!(text.starts_with("laptop:") && text.len() < 200, "{text}");
    let read: Passkey = text.parse().unwrap();
    assert_eq!((&read, read.name(), read.is_copied()), (&made, "laptop", false));
    let hash = hex::encode(Sha256::digest(text.strip_prefix("laptop:").unwrap()));
    assert_eq!(read.fingerprint().replace(' ', ""), hash[..20], "as sha256sum says");
    let forged = Device { id: device.id.clone(), ..Device::new() }.passkey(&site(), "bob");
    assert!(forged.is(&read) && forged.fingerprint() != read.fingerprint(), "of the key, too");
    counts(&mut device, "bob", std::slice::from_ref(&read)).unwrap();
    counts(&mut device, "bob", &[Device::new().passkey(&site(), "bob"), read]).unwrap();
}

#[test]
fn what_is_no_passkey_is_said_to_be_none_and_nothing_panics() {
    let text = Device::new().passkey(&site(), "bob").to_string();
    for cut in 0..text.len() {
        assert!(text[..cut].parse::<Passkey>().is_err(), "{cut}");
    }
    let coded = text.strip_prefix("laptop:").unwrap();
    for wrong in [
        coded.to_owned(),
        format!(":{coded}"),
        format!("a b:{coded}"),
        format!("{text}AA"),
        format!("x:A{coded}"),
    ] {
        assert!(wrong.parse::<Passkey>().is_err(), "{wrong}");
    }
    let mut bytes = URL_SAFE_NO_PAD.decode(coded).unwrap();
    bytes[0] = 2;
    let later = format!("laptop:{}", URL_SAFE_NO_PAD.encode(bytes)).parse::<Passkey>().unwrap_err();
    assert!(later.contains("form 2"), "{later}");
}

/// Danger: something else than a person's own gesture on the console's own page counts as one.
#[test]
fn a_gesture_counts_that_the_person_made_here_for_this_and_no_other() {
    let mut device = Device::new();
    let (own, other) = (device.passkey(&site(), "bob"), Device::new().passkey(&site(), "bob"));
    let known = [own.clone()];
    let mut wrong = |what: &str, change: &dyn Fn(&mut Device), back: &dyn Fn(&mut Device)| {
        change(&mut device);
        assert!(counts(&mut device, "bob", &known).is_err(), "{what}");
        back(&mut device);
        counts(&mut device, "bob", &known).unwrap();
    };
    let here = |device: &mut Device| device.origin = ORIGIN.to_owned();
    wrong("without a look at who it is", &|device| device.flags = PRESENT, &|device| {
        device.flags |= VERIFIED
    });
    wrong("without anybody there", &|device| device.flags = VERIFIED, &|device| device.flags |= PRESENT);
    for origin in [
        "https://evil.example",
        "http://treasury.example",
        "https://treasury.example:8443",
        "https://a.treasury.example",
    ] {
        wrong(origin, &|device| device.origin = origin.to_owned(), &here);
    }
    wrong("within another page", &|device| device.framed = true, &|device| device.framed = false);
    wrong("for another site", &|device| device.rp_id = "evil.example".to_owned(), &|device| {
        device.rp_id = "treasury.example".to_owned()
    });
    wrong(
        "for something else that was asked",
        &|device| device.challenge = Some(URL_SAFE_NO_PAD.encode([7; 16])),
        &|device| device.challenge = None,
    );
    assert!(counts(&mut device, "bob", &[other]).is_err(), "with a passkey that is not known");
    assert!(counts(&mut device, "bob", &[]).is_err());
    // Another key under the same id.
    let mut forger = Device { id: device.id.clone(), ..Device::new() };
    assert!(counts(&mut forger, "bob", &known).is_err(), "signed by another device");
    let (options, asked) = site().ask(&known).unwrap();
    let gesture = device.gesture(&options);
    for cut in [0, 1, gesture.len() / 2, gesture.len() - 1] {
        let (_, asked) = site().ask(&known).unwrap();
        assert!(site().answered(asked, "bob", &known, |_| 0, &gesture[..cut]).is_err());
    }
    site().answered(asked, "bob", &known, |_| 0, &gesture).unwrap();
}

#[test]
fn a_device_that_has_counted_further_than_it_says_is_a_copy() {
    let mut device = Device { count: 5, ..Device::new() };
    let known = [device.passkey(&site(), "bob")];
    let site = site();
    let mut with = |counted: u32| {
        let (options, asked) = site.ask(&known).unwrap();
        site.answered(asked, "bob", &known, |_| counted, &device.gesture(&options)).map(|(_, count)| count)
    };
    assert_eq!(with(0), Ok(6));
    assert_eq!(with(6), Ok(7));
    assert!(with(8).is_err());
    assert_eq!(with(8), Ok(9));
}

#[test]
fn a_passkey_is_made_by_whom_the_device_knows_on_this_page_and_once() {
    let site = site();
    let mut device = Device::new();
    let made = |device: &Device| {
        let (options, enrolling) = site.enrol("bob", &[]).unwrap();
        site.enrolled(enrolling, "laptop", &device.makes(&options))
    };
    assert!(made(&device).is_ok());
    device.flags = PRESENT;
    assert!(made(&device).is_err(), "without a look at who it is");
    device.flags |= VERIFIED;
    device.origin = "https://evil.example".to_owned();
    assert!(made(&device).is_err());
    device.origin = ORIGIN.to_owned();
    device.challenge = Some(URL_SAFE_NO_PAD.encode([7; 16]));
    assert!(made(&device).is_err());
    for wrong in ["", "{}", "null", "[]"] {
        let (_, enrolling) = site.enrol("bob", &[]).unwrap();
        assert!(site.enrolled(enrolling, "laptop", wrong).is_err());
    }
    let known = Device::new().passkey(&site, "bob");
    let (options, _) = site.enrol("bob", std::slice::from_ref(&known)).unwrap();
    let options: Value = serde_json::from_str(&options).unwrap();
    assert_eq!(options["excludeCredentials"].as_array().map(Vec::len), Some(1), "none is made twice");
    assert_eq!((&options["user"]["name"], &options["attestation"]), (&json!("bob"), &json!("none")));
}

#[test]
fn passkeys_are_of_a_name_that_browsers_have_them_for() {
    for good in [ORIGIN, "https://treasury.example:8443", "http://localhost:8580"] {
        assert!(Site::of(good).is_ok(), "{good}");
    }
    for wrong in
        ["http://treasury.example", "https://10.0.0.7", "http://127.0.0.1:8580", "https://[::1]", "what?"]
    {
        assert!(Site::of(wrong).is_err(), "{wrong}");
    }
}
