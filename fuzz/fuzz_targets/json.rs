//! JSON: what it describes has bytes, and the bytes decode to the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use xrpl_wire::{AccountId, Amount, Drops, IouValue, Object, Seed, Transaction};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = text.parse::<AccountId>().map(|account| assert_eq!(account.to_string(), text));
    let _ = text.parse::<Seed>();
    let _ = Drops::from_xrp_str(text)
        .map(|drops| assert_eq!(Drops::from_xrp_str(&drops.to_xrp_string()), Ok(drops)));
    if let Ok(value) = text.parse::<IouValue>() {
        assert_eq!(value.to_string().parse::<IouValue>(), Ok(value), "{text}");
    }
    let Ok(json) = serde_json::from_str::<Value>(text) else { return };
    if let Ok(amount) = serde_json::from_value::<Amount>(json.clone()) {
        let written = serde_json::to_value(amount).expect("an amount has JSON");
        assert_eq!(serde_json::from_value::<Amount>(written).ok(), Some(amount));
    }
    let _ = Transaction::from_json(&json);
    let Ok(object) = Object::from_json(&json) else { return };
    let Ok(bytes) = object.encode() else { return };
    // Fields that are never serialized, such as an entry's index, are not in the bytes.
    let decoded =
        Object::decode(&bytes).unwrap_or_else(|error| panic!("{json} has bytes that do not decode: {error}"));
    assert_eq!(decoded.encode().as_deref(), Ok(bytes.as_slice()), "{json}");
});
