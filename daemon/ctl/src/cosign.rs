//! A new SignerList, signed by those who sign for the account: what takes a key's power away, whoever has it by now.
//!
//! It goes from hand to hand as a file and needs no daemon, because the daemon may be what is not to be trusted. Nothing
//! but a SignerListSet is signed here: what pays is looked at as a proposal.

use std::path::Path;

use xrpl_wire::sign;
use xrpl_wire::typed::SignerListSet;
use xrpl_wire::{AccountId, KeyPair, Transaction, TransactionType, TxBody};

use super::{CtlError, confirmed, pretty, show_first};

/// Signs what stands in the file, beside those who have, and answers with the whole for the next one.
pub(super) fn run(signer: AccountId, key: &KeyPair, file: &Path, yes: bool) -> Result<String, CtlError> {
    let unread = |problem: String| CtlError::Usage(format!("{}: {problem}", file.display()));
    let text = std::fs::read(file).map_err(|error| unread(error.to_string()))?;
    let (tx, list) = read(&text).map_err(unread)?;
    show_first(&words(&tx, &list))?;
    if !yes && !confirmed(&format!("Sign it for {signer}? [y/N] "))? {
        return Err(CtlError::Declined);
    }
    let signed = add(&tx, signer, key).map_err(|error| unread(error.to_string()))?;
    Ok(pretty(&signed.to_json()))
}

fn read(text: &[u8]) -> Result<(Transaction, SignerListSet), String> {
    let mut json: serde_json::Value = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    if let Some(fields) = json.as_object_mut() {
        // Whoever writes the first one need not know that what several sign names no key.
        fields.entry("SigningPubKey").or_insert_with(|| "".into());
    }
    let tx = Transaction::from_json(&json).map_err(|error| error.to_string())?;
    match TxBody::parse(&tx) {
        Ok(TxBody::SignerListSet(list)) => Ok((tx, list)),
        Ok(_) => Err(format!(
            "it is a {}, and nothing but a {} is signed here",
            tx.tx_type().name(),
            TransactionType::SignerListSet.name()
        )),
        Err(error) => Err(error.to_string()),
    }
}

fn words(tx: &Transaction, list: &SignerListSet) -> String {
    let account = tx.account();
    let mut text = if list.entries.is_empty() {
        format!("{account} has no SignerList any more\n")
    } else {
        format!("{account} has this SignerList and no other, quorum {}:\n", list.quorum)
    };
    for entry in &list.entries {
        text.push_str(&format!("  {} weight {}\n", entry.account, entry.weight));
    }
    text.push_str(&format!("by {}, fee {} drops\n", tx.seq(), tx.fee()));
    text
}

fn add(tx: &Transaction, signer: AccountId, key: &KeyPair) -> Result<Transaction, sign::SignError> {
    let mut signers = sign::signers(tx)?;
    // Whoever signs twice has signed once.
    signers.retain(|other| other.account != signer);
    signers.push(sign::sign_for(tx, signer, key)?);
    sign::assemble(tx, signers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use xrpl_wire::{KeyType, Seed};

    fn key(n: u8) -> KeyPair {
        KeyPair::from_seed(&Seed::from_entropy([n; 16], KeyType::Ed25519))
    }

    fn asked(type_name: &str) -> String {
        let (account, one) = (key(9).account_id(), key(1).account_id());
        format!(
            r#"{{"TransactionType":"{type_name}","Account":"{account}","Sequence":7,"Fee":"100","SignerQuorum":1,
                "SignerEntries":[{{"SignerEntry":{{"Account":"{one}","SignerWeight":1}}}}]}}"#
        )
    }

    #[test]
    fn a_list_goes_from_hand_to_hand_and_is_signed_by_each_once() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("list.json");
        std::fs::write(&file, asked("SignerListSet")).unwrap();
        for n in [1, 2, 1] {
            let signed = run(key(n).account_id(), &key(n), &file, true).unwrap();
            std::fs::write(&file, signed).unwrap();
        }
        let (tx, list) = read(&std::fs::read(&file).unwrap()).unwrap();
        assert_eq!(sign::signers(&tx).unwrap().len(), 2);
        sign::verify_signatures(&tx).unwrap();
        let said = words(&tx, &list);
        assert!(
            said.contains("quorum 1:\n") && said.contains(&format!("{} weight 1", key(1).account_id())),
            "{said}"
        );
    }

    #[test]
    fn what_is_no_signer_list_or_was_changed_since_others_signed_is_not_signed() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("list.json");
        let refused = |text: &str| {
            std::fs::write(&file, text).unwrap();
            run(key(2).account_id(), &key(2), &file, true).unwrap_err().to_string()
        };
        let payment = format!(
            r#"{{"TransactionType":"Payment","Account":"{}","Destination":"{}","Amount":"1","Sequence":7,"Fee":"100"}}"#,
            key(9).account_id(),
            key(1).account_id()
        );
        let said = refused(&payment);
        assert!(said.contains("it is a Payment, and nothing but a SignerListSet"), "{said}");
        assert!(!refused("{").is_empty());
        std::fs::write(&file, asked("SignerListSet")).unwrap();
        let signed = run(key(1).account_id(), &key(1), &file, true).unwrap();
        let said = refused(&signed.replace("\"SignerQuorum\": 1", "\"SignerQuorum\": 2"));
        assert!(said.contains("signature"), "{said}");
    }
}
