//! A ledger that is saved and loaded again, whatever it was sent and however it took that.

use xrpl_wire::OddAmount;

use super::*;

fn loaded(ledger: &Ledger) -> Ledger {
    let text = ledger.save();
    let loaded = Ledger::load(&text).unwrap();
    assert_eq!(loaded.save(), text);
    loaded
}

/// A server takes it in, to say what is wrong with it, and tries it again for some ledgers as it does all that it takes in.
#[test]
fn a_ledger_that_was_sent_what_no_account_can_have_is_loaded_again() {
    let (mut ledger, people) = funded();
    let payment = payment(&ledger, &people[0], people[1].account_id(), 1);
    let odd = Value::OddAmount(OddAmount::Xrp { negative: true, drops: 10 });
    let value = "1".parse().unwrap();
    let issued = IssuedAmount { value, currency: Currency([1; 20]), issuer: people[2].account_id() };
    for (field, value, result) in [
        (sf::Amount, odd.clone(), TxResult::temBAD_AMOUNT),
        (sf::Fee, odd, TxResult::temBAD_FEE),
        (sf::Fee, Amount::Issued(issued).into(), TxResult::temBAD_FEE),
    ] {
        let tx = format::signed_as_is(payment.clone().with(field, value), &people[0]);
        assert_eq!(ledger.submit(&tx).result, result);
        assert_eq!(loaded(&ledger).close(CloseTime::Next).hash, ledger.clone().close(CloseTime::Next).hash);
    }
}

#[test]
fn what_was_taken_without_a_signature_is_still_open_once_nobody_is_impersonated_any_more() {
    let (mut ledger, people) = funded();
    let account = people[0].account_id();
    ledger.impersonate(account, true);
    let unsigned = payment(&ledger, &people[0], people[1].account_id(), 7);
    assert_eq!(ledger.submit(&unsigned.encode().unwrap()).result, TxResult::tesSUCCESS);
    ledger.impersonate(account, false);
    let mut loaded = loaded(&ledger);
    assert_eq!(loaded.open().transactions().len(), 1);
    assert_eq!(loaded.close(CloseTime::Next).hash, ledger.close(CloseTime::Next).hash);
}

/// One who pays enough for all that it has waiting makes accounts that begin a ledger later, until that ledger closes.
#[test]
fn who_was_made_by_what_had_waited_is_the_same_once_it_is_loaded() {
    let (mut ledger, people) = funded();
    ledger.set_queue(QueueSetup { minimum_txn_in_ledger: 3, ..QueueSetup::default() });
    let ordinary = |ledger: &Ledger, from: &KeyPair| {
        signed(payment(ledger, from, people[0].account_id(), 1).with(sf::Fee, drops(10)), from)
    };
    for person in &people[1..5] {
        assert_eq!(ledger.submit(&ordinary(&ledger, person)).result, TxResult::tesSUCCESS);
    }
    let new = AccountId([9; 20]);
    let (first, by) = (sequence(&ledger, &people[5].account_id()), &people[5]);
    let makes = payment(&ledger, by, new, 5_000_000).with(sf::Fee, drops(10));
    assert_eq!(ledger.submit(&signed(makes, by)).result, TxResult::terQUEUED);
    let pays_for_both = payment(&ledger, by, new, 1).with(sf::Sequence, first + 1);
    let pays_for_both = signed(pays_for_both.with(sf::Fee, drops(1_000_000)), by);
    assert_eq!(ledger.submit(&pays_for_both).result, TxResult::tesSUCCESS);

    let begins = ledger.open().index() + 1;
    assert_eq!(sequence(&ledger, &new), begins);
    assert_eq!(loaded(&ledger).open().state().root_hash(), ledger.open().state().root_hash());
    let mut richer = ledger.clone();
    richer.set_balance(&AccountId([8; 20]), drops(77)).unwrap();
    assert_eq!((sequence(&richer, &new), sequence(&loaded(&richer), &new)), (begins, begins));
    assert_eq!(loaded(&ledger).close(CloseTime::Next).hash, ledger.close(CloseTime::Next).hash);
    assert_eq!(sequence(&ledger, &new), begins - 1);
}
