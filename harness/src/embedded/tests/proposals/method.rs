//! What `transaction_proposal` and its like say of proposals.

use super::*;

#[test]
fn a_request_names_one_proposal_in_one_way() {
    let mut desk = Desk::new();
    let target = desk.world.id(TARGET).to_string();
    let id = desk.id(desk.ticket).to_string();
    let mut error = |params: Json| desk.ask("transaction_proposal", params)["error"].clone();
    // R02
    for params in [
        json!({}),
        json!({"proposal_id": id, "account": target}),
        json!({"proposal_id": id, "account": target, "ticket_seq": 1}),
        json!({"account": target}),
        json!({"ticket_seq": 1}),
    ] {
        assert_eq!(error(params), "invalidParams");
    }
    for bad in [json!("not-hex"), json!("ABCD"), json!(42), json!({}), json!([])] {
        assert_eq!(error(json!({"proposal_id": bad})), "malformedRequest");
    }
    // R04
    for bad in [json!("nonsense"), json!(42), json!({}), json!([])] {
        assert_eq!(error(json!({"account": bad, "ticket_seq": 1})), "malformedAddress");
    }
    assert_eq!(error(json!({"account": null, "ticket_seq": 1})), "malformedRequest");
    // R05
    for bad in [
        json!("one"),
        json!(""),
        json!("-1"),
        json!(-1),
        json!(1.5),
        json!(4_294_967_296_u64),
        json!(true),
        json!(null),
        json!({}),
        json!([]),
    ] {
        let told = error(json!({"account": target, "ticket_seq": bad}));
        assert_eq!(told, "malformedRequest", "{bad}");
    }
    // What is asked for is looked at before the ledger.
    let nowhere = json!({"proposal_id": "nonsense", "ledger_index": 99_999_999});
    assert_eq!(error(nowhere), "malformedRequest");
    assert_eq!(error(json!({"proposal_id": id, "ledger_index": 99_999_999})), "lgrNotFound");
    assert_eq!(error(json!({"account": target, "ticket_seq": "12"})), "entryNotFound");
    // R06
    let root = index::account_root(&target.parse().unwrap()).to_string();
    for other in [Hash256::ZERO.to_string(), root] {
        assert_eq!(error(json!({"proposal_id": other})), "entryNotFound");
    }
}

#[test]
fn without_proposals_the_method_finds_none() {
    let mut desk = Desk::with(&[]);
    let target = desk.world.id(TARGET).to_string();
    let id = desk.id(desk.ticket).to_string();
    // R01
    for params in [json!({"proposal_id": id}), json!({"account": target, "ticket_seq": desk.ticket})] {
        assert_eq!(desk.ask("transaction_proposal", params)["error"], "entryNotFound");
    }
}

#[test]
fn a_proposal_is_pending_until_it_is_signed_and_then_it_can_be_sent() {
    let mut desk = Desk::new();
    let id = desk.proposed(TARGET);
    let target = desk.world.id(TARGET).to_string();
    // R08
    let by_id = desk.status(&id);
    let by_ticket = json!({"account": target, "ticket_seq": desk.ticket, "ledger_index": "validated"});
    assert_eq!(desk.ask("transaction_proposal", by_ticket), by_id);
    assert_eq!(by_id["proposal_status"], "pending");
    assert_eq!(by_id.get("tx_blob"), None);
    let row = json!([{"account": target, "signed": false, "reason": "inadequate_signatures"}]);
    assert_eq!(by_id["signing_status"], row);
    // R10
    assert_eq!(desk.signs(&id, TARGET, TARGET), TxResult::tesSUCCESS);
    let status = desk.status(&id);
    assert_eq!(status["proposal_status"], "complete");
    let blob = hex::encode_upper(desk.stored(&id).encode().unwrap());
    assert_eq!(status["tx_blob"].as_str(), Some(blob.as_str()));
    // R12
    let key = desk.world.id(BOB);
    let tx = desk.world.tx(TransactionType::SetRegularKey, TARGET).with(sf::RegularKey, key);
    desk.world.must(TARGET, tx);
    desk.world.set(TARGET, flags::asfDisableMaster);
    assert_eq!(desk.reasons(&id), ["master_disabled"]);
}

#[test]
fn a_regular_key_signs_until_there_is_another() {
    let mut desk = Desk::new();
    let id = desk.proposed(TARGET);
    let target = desk.world.id(TARGET);
    let regular = |desk: &mut Desk, key: usize| {
        let key = desk.world.id(key);
        let tx = desk.world.tx(TransactionType::SetRegularKey, TARGET).with(sf::RegularKey, key);
        desk.world.must(TARGET, tx);
    };
    regular(&mut desk, BOB);
    // R12, R11
    let tx = desk.share(&id, Role::Initiator, target, target, desk.world.key(BOB));
    assert_eq!(desk.world.does(STRANGER, tx), TxResult::tesSUCCESS);
    assert_eq!(desk.reasons(&id), ["-"]);
    regular(&mut desk, CAROL);
    assert_eq!(desk.reasons(&id), ["not_authorized"]);
    assert_eq!(desk.status(&id)["proposal_status"], "pending");
}

/// The weight of the first row, if it has one.
fn weight(status: &Json) -> Option<u64> {
    status["signing_status"][0].get("signed_weight").and_then(Json::as_u64)
}

#[test]
fn shares_count_by_the_list_as_it_is_now() {
    let mut desk = Desk::new();
    desk.list(TARGET, 2, &[(ALICE, 1), (BOB, 1), (CAROL, 1)]);
    let id = desk.proposed(TARGET);
    // R14
    assert_eq!(desk.signs(&id, TARGET, ALICE), TxResult::tesSUCCESS);
    let status = desk.status(&id);
    assert_eq!((weight(&status), status["signing_status"][0]["quorum"].as_u64()), (Some(1), Some(2)));
    assert_eq!(desk.reasons(&id), ["inadequate_signatures"]);
    assert_eq!(desk.signs(&id, TARGET, BOB), TxResult::tesSUCCESS);
    let status = desk.status(&id);
    assert_eq!((weight(&status), status["proposal_status"].as_str()), (Some(2), Some("complete")));
    // R18
    desk.list(TARGET, 2, &[(ALICE, 1), (CAROL, 1)]);
    assert_eq!(desk.reasons(&id), ["invalid_signer_set"]);
    let status = desk.status(&id);
    assert_eq!(weight(&status), Some(1));
    assert_eq!(status["signing_status"][0]["signers"].as_array().unwrap().len(), 2);
    // R15: enough weight, and one share that spoils it.
    desk.list(TARGET, 1, &[(ALICE, 1), (CAROL, 1)]);
    assert_eq!(
        (desk.reasons(&id), weight(&desk.status(&id))),
        (vec!["invalid_signer_set".to_owned()], Some(1))
    );
    desk.list(TARGET, 0, &[]);
    assert_eq!(desk.reasons(&id), ["no_signer_list"]);
    assert_eq!(weight(&desk.status(&id)), None);
}

#[test]
fn a_member_signs_with_its_regular_key_and_not_with_a_disabled_one() {
    let mut desk = Desk::new();
    desk.list(TARGET, 2, &[(ALICE, 1), (BOB, 1), (CAROL, 1)]);
    let key = desk.world.id(STRANGER);
    let tx = desk.world.tx(TransactionType::SetRegularKey, ALICE).with(sf::RegularKey, key);
    desk.world.must(ALICE, tx);
    let id = desk.proposed(TARGET);
    let [target, alice] = [TARGET, ALICE].map(|who| desk.world.id(who));
    // R16
    let tx = desk.share(&id, Role::Initiator, target, alice, desk.world.key(STRANGER));
    assert_eq!(desk.world.does(STRANGER, tx), TxResult::tesSUCCESS);
    assert_eq!(desk.signs(&id, TARGET, BOB), TxResult::tesSUCCESS);
    assert_eq!((desk.reasons(&id), weight(&desk.status(&id))), (vec!["-".to_owned()], Some(2)));
    let tx = desk.world.tx(TransactionType::SetRegularKey, BOB).with(sf::RegularKey, key);
    desk.world.must(BOB, tx);
    desk.world.set(BOB, flags::asfDisableMaster);
    assert_eq!((desk.reasons(&id), weight(&desk.status(&id))), (vec!["master_disabled".to_owned()], Some(1)));
}

#[test]
fn an_account_with_a_list_may_still_sign_alone() {
    let mut desk = Desk::new();
    desk.list(TARGET, 2, &[(ALICE, 1), (BOB, 1)]);
    let id = desk.proposed(TARGET);
    assert_eq!(desk.signs(&id, TARGET, TARGET), TxResult::tesSUCCESS);
    // R20
    let status = desk.status(&id);
    let row = &status["signing_status"][0];
    assert_eq!((status["proposal_status"].as_str(), weight(&status)), (Some("complete"), None));
    assert_eq!((row["quorum"].as_u64(), row["signers"].as_array().unwrap().len()), (Some(2), 2));
}

#[test]
fn what_nothing_can_come_of_is_malformed() {
    let mut desk = Desk::new();
    desk.list(TARGET, 1, &[(ALICE, 1)]);
    let id = desk.proposed(TARGET);
    let entry = desk.entry(&id).unwrap().clone();
    let key = desk.world.key(TARGET).public_key().as_bytes().to_vec();
    let share = |signature: Vec<u8>| {
        let share = Object::new()
            .with(sf::Account, desk.world.id(ALICE))
            .with(sf::SigningPubKey, desk.world.key(ALICE).public_key().as_bytes().to_vec())
            .with(sf::TxnSignature, signature);
        Value::Array(vec![(sf::Signer, share)])
    };
    let payload = desk.payload();
    // R21
    for payload in [
        payload.clone().with(sf::SigningPubKey, key.clone()),
        payload.clone().with(sf::TxnSignature, vec![1]),
        payload
            .clone()
            .with(sf::SigningPubKey, key)
            .with(sf::TxnSignature, vec![1])
            .with(sf::Signers, share(vec![1])),
        payload.clone().with(sf::Signers, Value::Array(Vec::new())),
        payload.clone().with(sf::Signers, share(Vec::new())),
    ] {
        let entry = entry.clone().with(sf::ProposedTransaction, Value::Object(payload));
        let at = standing::Moment { index: 9, open: true, parent_close_time: 0 };
        let standing = standing::of(&desk.world.ledger.validated().state, at, &entry);
        assert_eq!(standing.rows[0].reason, Some(standing::Reason::Malformed));
        assert_eq!((standing.rows[0].signed_weight, standing.status), (None, standing::Status::Pending));
    }
}

#[test]
fn a_delegate_that_may_not_send_any_more_counts_as_not_having_signed() {
    let mut desk = Desk::new();
    desk.grant(TARGET, BOB, &["Payment"]);
    let id = desk.proposed_as(TARGET, &desk.payload().with(sf::Delegate, desk.world.id(BOB)));
    assert_eq!(desk.signs(&id, BOB, BOB), TxResult::tesSUCCESS);
    // R22
    assert_eq!(desk.reasons(&id), ["-"]);
    desk.grant(TARGET, BOB, &["TrustSet"]);
    assert_eq!(desk.reasons(&id), ["no_delegate_permission"]);
    desk.grant(TARGET, BOB, &[]);
    assert_eq!(desk.reasons(&id), ["no_delegate_permission"]);
    assert_eq!(desk.status(&id)["signing_status"][0]["account"], desk.world.id(BOB).to_string());
}

#[test]
fn what_has_expired_can_still_be_complete() {
    let mut desk = Desk::new();
    let id = desk.proposed(TARGET);
    assert_eq!(desk.signs(&id, TARGET, TARGET), TxResult::tesSUCCESS);
    desk.world.wait(200);
    desk.world.wait(10);
    // R28
    let status = desk.status(&id);
    assert_eq!(status["proposal_status"], "expired");
    assert!(status["tx_blob"].is_string());
    assert_eq!(desk.reasons(&id), ["-"]);
}

#[test]
fn proposals_are_listed_for_who_owns_them_and_found_by_their_ticket() {
    let mut desk = Desk::new();
    desk.list(TARGET, 1, &[(ALICE, 1)]);
    let id = desk.proposed(ALICE);
    let [target, alice] = [TARGET, ALICE].map(|who| desk.world.id(who).to_string());
    // R31
    for (account, count) in [(&alice, 1), (&target, 0)] {
        let params = json!({"account": account, "type": "transaction_proposal", "ledger_index": "validated"});
        let found = desk.ask("account_objects", params);
        assert_eq!(found["account_objects"].as_array().unwrap().len(), count);
    }
    // R32
    let held = json!({"account": target, "ticket_seq": desk.ticket});
    let by_ticket = desk.ask("ledger_entry", json!({"transaction_proposal": held}));
    let by_index = desk.ask("ledger_entry", json!({"index": id.to_string()}));
    assert_eq!(by_ticket["node"], by_index["node"]);
    assert_eq!(by_ticket["index"], id.to_string());
    let by_id = desk.ask("ledger_entry", json!({"transaction_proposal": id.to_string()}));
    assert_eq!(by_id["node"], by_index["node"]);
    let mut entry = |named: Json| desk.ask("ledger_entry", json!({"transaction_proposal": named}));
    let none = entry(json!({"account": alice, "ticket_seq": 7}));
    let at = index::transaction_proposal(&alice.parse().unwrap(), 7).to_string();
    assert_eq!((none["error"].as_str(), none["index"].as_str()), (Some("entryNotFound"), Some(&*at)));
    for (named, error) in [
        (json!({"account": target}), "malformedRequest"),
        (json!({"ticket_seq": 1}), "malformedRequest"),
        (json!({"account": "nobody", "ticket_seq": 1}), "malformedAddress"),
    ] {
        assert_eq!(entry(named)["error"], error);
    }
}
