//! The typed forms of transactions: nothing is lost on the way in or out.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should stop")]

mod support;

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use support::{bytes, steps, stories};
use xrpl_wire::memo::Memo;
use xrpl_wire::typed::*;
use xrpl_wire::{
    AccountId, Amount, Currency, Drops, Hash256, IssuedAmount, RippleTime, SeqProxy, Transaction,
    TransactionType, TxBody, TxCommon, TxError, Value, condition, sf,
};

fn account() -> impl Strategy<Value = AccountId> {
    any::<[u8; 20]>().prop_map(AccountId)
}

fn drops() -> impl Strategy<Value = Drops> {
    (0..=Drops::MAX.get()).prop_map(|drops| Drops::new(drops).unwrap())
}

fn issued() -> impl Strategy<Value = IssuedAmount> {
    (1..=9_999_999_999_999_999_i64, -40..40_i32, any::<bool>(), "[A-Z]{3}", account()).prop_map(
        |(mantissa, exponent, negative, code, issuer)| {
            // The one code that no issued currency may have.
            let code = if code == "XRP" { "XRQ".to_owned() } else { code };
            let sign = if negative { "-" } else { "" };
            let value = format!("{sign}{mantissa}e{exponent}").parse().unwrap();
            IssuedAmount { value, currency: code.parse::<Currency>().unwrap(), issuer }
        },
    )
}

fn amount() -> impl Strategy<Value = Amount> {
    prop_oneof![drops().prop_map(Amount::Xrp), issued().prop_map(Amount::Issued)]
}

fn time() -> impl Strategy<Value = RippleTime> {
    any::<u32>().prop_map(RippleTime)
}

fn tag() -> impl Strategy<Value = Option<u32>> {
    option::of(any::<u32>())
}

fn blob() -> impl Strategy<Value = Option<Vec<u8>>> {
    option::of(vec(any::<u8>(), 0..300))
}

fn common() -> impl Strategy<Value = TxCommon> {
    let memo = (
        option::of("[a-zA-Z0-9~:/?#@!$&'()*+,;=%._-]{0,40}"),
        option::of("[a-z/]{0,20}"),
        option::of(vec(any::<u8>(), 0..200)),
    )
        .prop_map(|(memo_type, memo_format, memo_data)| Memo { memo_type, memo_format, memo_data });
    let seq = prop_oneof![any::<u32>().prop_map(SeqProxy::Sequence), any::<u32>().prop_map(SeqProxy::Ticket)];
    (account(), seq, drops(), tag(), tag(), tag(), vec(memo, 0..3), any::<u32>()).prop_map(
        |(account, seq, fee, last_ledger_sequence, source_tag, network_id, memos, flags)| TxCommon {
            account,
            seq,
            fee,
            last_ledger_sequence,
            source_tag,
            network_id,
            memos,
            flags,
        },
    )
}

fn account_set() -> impl Strategy<Value = TxBody> {
    (
        (tag(), tag(), blob(), option::of(any::<[u8; 16]>()), blob()),
        (tag(), option::of(any::<u8>()), option::of(any::<[u8; 32]>()), option::of(account())),
    )
        .prop_map(|((set_flag, clear_flag, domain, email_hash, message_key), rest)| {
            let (transfer_rate, tick_size, wallet_locator, nftoken_minter) = rest;
            TxBody::AccountSet(AccountSet {
                set_flag,
                clear_flag,
                domain,
                email_hash,
                message_key,
                transfer_rate,
                tick_size,
                wallet_locator: wallet_locator.map(Hash256),
                nftoken_minter,
            })
        })
}

fn body() -> impl Strategy<Value = TxBody> {
    let entry = (account(), any::<u16>()).prop_map(|(account, weight)| SignerEntry { account, weight });
    prop_oneof![
        (account(), tag(), amount(), option::of(amount()), option::of(amount())).prop_map(
            |(destination, destination_tag, amount, send_max, deliver_min)| TxBody::Payment(Payment {
                destination,
                destination_tag,
                amount,
                send_max,
                deliver_min
            })
        ),
        account_set(),
        option::of(account()).prop_map(|regular_key| TxBody::SetRegularKey(SetRegularKey { regular_key })),
        account().prop_map(|account| TxBody::DepositPreauth(DepositPreauth::Authorize(account))),
        account().prop_map(|account| TxBody::DepositPreauth(DepositPreauth::Unauthorize(account))),
        (any::<u32>(), vec(entry, 0..33))
            .prop_map(|(quorum, entries)| TxBody::SignerListSet(SignerListSet { quorum, entries })),
        any::<u32>().prop_map(|count| TxBody::TicketCreate(TicketCreate { count })),
        (account(), tag(), amount(), blob(), option::of(time()), option::of(time())).prop_map(
            |(destination, destination_tag, amount, condition, finish_after, cancel_after)| {
                TxBody::EscrowCreate(EscrowCreate {
                    destination,
                    destination_tag,
                    amount,
                    condition,
                    finish_after,
                    cancel_after,
                })
            }
        ),
        (account(), any::<u32>(), blob(), blob()).prop_map(
            |(owner, offer_sequence, condition, fulfillment)| {
                TxBody::EscrowFinish(EscrowFinish { owner, offer_sequence, condition, fulfillment })
            }
        ),
        (account(), any::<u32>())
            .prop_map(|(owner, offer_sequence)| TxBody::EscrowCancel(EscrowCancel { owner, offer_sequence })),
        (issued(), tag(), tag()).prop_map(|(limit_amount, quality_in, quality_out)| TxBody::TrustSet(
            TrustSet { limit_amount, quality_in, quality_out }
        )),
        (account(), tag()).prop_map(|(destination, destination_tag)| TxBody::AccountDelete(AccountDelete {
            destination,
            destination_tag
        })),
    ]
}

proptest! {
    #[test]
    fn what_is_built_reads_back_the_same(common in common(), body in body()) {
        let tx = build(&common, &body).unwrap();
        prop_assert_eq!(tx.tx_type(), body.tx_type());
        prop_assert_eq!(TxCommon::parse(&tx).unwrap(), common.clone());
        prop_assert_eq!(TxBody::parse(&tx).unwrap(), body.clone());

        let decoded = Transaction::decode(&tx.encode()).unwrap();
        prop_assert_eq!(&decoded, &tx);
        prop_assert_eq!(build(&TxCommon::parse(&decoded).unwrap(), &TxBody::parse(&decoded).unwrap()).unwrap(), tx);
    }

    #[test]
    fn what_is_built_goes_through_json_unchanged(common in common(), body in body()) {
        let tx = build(&common, &body).unwrap();
        prop_assert_eq!(Transaction::from_json(&tx.to_json()).unwrap(), tx);
    }
}

#[test]
fn every_recorded_transaction_of_a_typed_type_survives_its_typed_form() {
    let mut seen = BTreeMap::new();
    for (name, story) in stories() {
        let closed = steps(&story, "close").filter_map(|step| step["expect"]["transactions"].as_array());
        for entry in closed.flatten() {
            let tx = Transaction::decode(&bytes(&entry["tx_blob"])).unwrap();
            let body = match TxBody::parse(&tx) {
                Ok(body) => body,
                Err(TxError::NotTyped { .. }) => continue,
                // Signer entries with a tag have no typed form.
                Err(TxError::FieldNotTyped { field: sf::SignerEntries, .. }) => {
                    let entries = tx.object().array(sf::SignerEntries).unwrap();
                    assert!(entries.iter().any(|(_, entry)| entry.has(sf::WalletLocator)), "{name}");
                    continue;
                }
                Err(error) => panic!("{name} {}: {error}", tx.id()),
            };
            let built = build(&TxCommon::parse(&tx).unwrap(), &body).unwrap();
            let mut object = built.into_object();
            for field in [sf::SigningPubKey, sf::TxnSignature, sf::Signers] {
                if let Some(value) = tx.object().get(field) {
                    object.set(field, value.clone());
                }
            }
            // Flags of zero may be written, and mean the same as none.
            if tx.object().u32(sf::Flags) == Some(0) {
                object.set(sf::Flags, 0_u32);
            }
            assert_eq!(Transaction::from_object(object).unwrap().id(), tx.id(), "{name}");
            *seen.entry(tx.tx_type()).or_insert(0) += 1;
        }
    }
    for tx_type in [
        TransactionType::Payment,
        TransactionType::AccountSet,
        TransactionType::SetRegularKey,
        TransactionType::DepositPreauth,
        TransactionType::SignerListSet,
        TransactionType::TicketCreate,
        TransactionType::EscrowCreate,
        TransactionType::EscrowFinish,
        TransactionType::EscrowCancel,
        TransactionType::TrustSet,
        TransactionType::AccountDelete,
    ] {
        assert!(seen.contains_key(&tx_type), "no {tx_type} in the vectors: {seen:?}");
    }
}

#[test]
fn fulfillments_match_where_the_server_took_them() {
    let (mut matched, mut refused, mut malformed) = (0, 0, 0);
    for (name, story) in stories() {
        for step in story["steps"].as_array().unwrap().iter().filter(|step| step["op"] == "submit") {
            let Some(Ok(tx)) =
                hex::decode(step["tx_blob"].as_str().unwrap()).ok().map(|blob| Transaction::decode(&blob))
            else {
                continue;
            };
            let result = step["expect"]["engine_result"].as_str().unwrap_or("");
            match TxBody::parse(&tx) {
                Ok(TxBody::EscrowFinish(EscrowFinish {
                    condition: Some(condition),
                    fulfillment: Some(fulfillment),
                    ..
                })) => {
                    let matches = condition::fulfillment_matches(&fulfillment, &condition);
                    if result == "tesSUCCESS" {
                        assert!(matches, "{name} {}", tx.id());
                        matched += 1;
                    } else if !matches {
                        assert_eq!(result, "tecCRYPTOCONDITION_ERROR", "{name} {}", tx.id());
                        refused += 1;
                    }
                }
                Ok(TxBody::EscrowCreate(EscrowCreate { condition: Some(condition), .. })) => {
                    let parsed = condition::parse_condition(&condition);
                    if result == "tesSUCCESS" {
                        assert!(parsed.is_ok(), "{name} {}", tx.id());
                    } else if parsed.is_err() {
                        assert_eq!(result, "temMALFORMED", "{name} {}", tx.id());
                        malformed += 1;
                    }
                }
                _ => {}
            }
        }
    }
    assert!(
        matched > 3 && refused > 0 && malformed > 0,
        "{matched} matched, {refused} refused, {malformed} malformed"
    );
}

fn some_common() -> TxCommon {
    TxCommon {
        account: AccountId([1; 20]),
        seq: SeqProxy::Ticket(7),
        fee: Drops::new(10).unwrap(),
        last_ledger_sequence: Some(9),
        source_tag: None,
        network_id: None,
        memos: Vec::new(),
        flags: 0,
    }
}

fn some_payment() -> TxBody {
    TxBody::Payment(Payment {
        destination: AccountId([2; 20]),
        destination_tag: None,
        amount: Amount::Xrp(Drops::MAX),
        send_max: None,
        deliver_min: None,
    })
}

#[test]
fn a_field_without_a_typed_place_is_an_error_and_not_a_loss() {
    let tx = build(&some_common(), &some_payment()).unwrap();
    let with_invoice = tx.object().clone().with(sf::InvoiceID, Hash256([3; 32]));
    let with_invoice = Transaction::from_object(with_invoice).unwrap();
    assert_eq!(
        TxBody::parse(&with_invoice),
        Err(TxError::FieldNotTyped { tx_type: TransactionType::Payment, field: sf::InvoiceID })
    );
    assert_eq!(TxBody::parse_lossy(&with_invoice), Ok(some_payment()));

    let delegated = tx.object().clone().with(sf::Delegate, AccountId([3; 20]));
    assert_eq!(
        TxCommon::parse(&Transaction::from_object(delegated).unwrap()),
        Err(TxError::FieldNotTyped { tx_type: TransactionType::Payment, field: sf::Delegate })
    );

    let located = TxBody::SignerListSet(SignerListSet {
        quorum: 1,
        entries: vec![SignerEntry { account: AccountId([4; 20]), weight: 1 }],
    });
    let mut object = build(&some_common(), &located).unwrap().into_object();
    if let Some(Value::Array(entries)) = object.get_mut(sf::SignerEntries) {
        entries[0].1.set(sf::WalletLocator, Hash256([5; 32]));
    }
    assert_eq!(
        TxBody::parse(&Transaction::from_object(object).unwrap()),
        Err(TxError::FieldNotTyped { tx_type: TransactionType::SignerListSet, field: sf::SignerEntries })
    );
}

#[test]
fn a_ticket_leaves_the_sequence_at_zero_and_both_are_not_typed() {
    let tx = build(&some_common(), &some_payment()).unwrap();
    assert_eq!(tx.object().u32(sf::Sequence), Some(0));
    assert_eq!(tx.seq(), SeqProxy::Ticket(7));
    let both = Transaction::from_object(tx.into_object().with(sf::Sequence, 8_u32)).unwrap();
    assert_eq!(both.seq(), SeqProxy::Sequence(8));
    assert_eq!(
        TxCommon::parse(&both),
        Err(TxError::FieldNotTyped { tx_type: TransactionType::Payment, field: sf::TicketSequence })
    );
    assert!(SeqProxy::Sequence(u32::MAX) < SeqProxy::Ticket(0));
}

#[test]
fn memos_that_a_server_refuses_are_not_built() {
    let with = |memo| build(&TxCommon { memos: vec![memo], ..some_common() }, &some_payment());
    let long = with(Memo { memo_data: Some(vec![0; 1020]), ..Memo::default() });
    assert_eq!(long, Err(TxError::MemosTooLong { length_bytes: 1025 }));
    let spaced = with(Memo { memo_type: Some("two words".to_owned()), ..Memo::default() });
    assert_eq!(spaced, Err(TxError::MemoCharacter { field: sf::MemoType }));
}

#[test]
fn a_fulfillment_stays_out_of_debug_output() {
    let body = TxBody::EscrowFinish(EscrowFinish {
        owner: AccountId([1; 20]),
        offer_sequence: 1,
        condition: None,
        fulfillment: Some(vec![0xAB; 4]),
    });
    let tx = build(&some_common(), &body).unwrap();
    for text in [format!("{body:?}"), format!("{tx:?}")] {
        assert!(
            !text.contains("171") && !text.to_lowercase().contains("ab, ab") && !text.contains("ABAB"),
            "{text}"
        );
    }
}
