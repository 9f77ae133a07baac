//! Payments in issued currencies that find no way, or no end.

use super::*;

fn issued(code: &[u8; 3], value: &str, issuer: AccountId) -> Amount {
    let mut currency = [0; 20];
    currency[12..15].copy_from_slice(code);
    Amount::Issued(IssuedAmount { value: value.parse().unwrap(), currency: Currency(currency), issuer })
}

fn done(ledger: &mut Ledger, tx: Object, by: &KeyPair) {
    assert_eq!(ledger.submit(&signed(tx, by)).result, TxResult::tesSUCCESS);
    ledger.close(CloseTime::Next);
}

fn trust(ledger: &mut Ledger, holder: &KeyPair, limit: Amount) {
    let tx = draft(ledger, TransactionType::TrustSet, holder).with(sf::LimitAmount, limit);
    done(ledger, tx, holder);
}

fn set(ledger: &mut Ledger, account: &KeyPair, field: xrpl_wire::Field, value: u32) {
    let tx = draft(ledger, TransactionType::AccountSet, account).with(field, value);
    done(ledger, tx, account);
}

/// What a payment from one to another comes to.
fn outcome(ledger: &Ledger, from: &KeyPair, to: &KeyPair, amount: Amount, send_max: Amount) -> TxResult {
    let tx = draft(ledger, TransactionType::Payment, from)
        .with(sf::Destination, to.account_id())
        .with(sf::Amount, amount)
        .with(sf::SendMax, send_max);
    ledger.clone().submit(&signed(tx, from)).result
}

#[test]
fn a_way_that_cannot_be_gone_is_dry_before_anybody_looks_for_offers() {
    let (mut ledger, people) = funded();
    let [issuer, from, to, frozen] = &people[..4] else { panic!("four people") };
    set(&mut ledger, issuer, sf::SetFlag, flags::asfDefaultRipple);
    let usd = |value: &str| issued(b"USD", value, issuer.account_id());
    let eur = |value: &str| issued(b"EUR", value, issuer.account_id());
    let xrp = Amount::Xrp(drops(1_000_000));
    assert_eq!(outcome(&ledger, from, to, usd("1"), xrp), TxResult::tecPATH_DRY, "nowhere to arrive");
    for holder in [to, frozen] {
        trust(&mut ledger, holder, usd("100"));
    }
    assert_eq!(outcome(&ledger, from, to, usd("1"), xrp), TxResult::tecPATH_PARTIAL, "nobody offers any");
    assert_eq!(outcome(&ledger, from, to, usd("1"), eur("1")), TxResult::tecPATH_DRY, "nothing to give");
    assert_eq!(outcome(&ledger, from, to, xrp, usd("1")), TxResult::tecPATH_DRY, "nothing to give");
    let freeze = draft(&ledger, TransactionType::TrustSet, issuer)
        .with(sf::LimitAmount, issued(b"USD", "0", frozen.account_id()))
        .with(sf::Flags, flags::tfSetFreeze | flags::tfSetDeepFreeze);
    done(&mut ledger, freeze, issuer);
    assert_eq!(outcome(&ledger, from, frozen, usd("1"), xrp), TxResult::tecPATH_DRY, "frozen");
    let nobody = issued(b"USD", "1", keys(99).account_id());
    assert_eq!(outcome(&ledger, from, to, nobody, xrp), TxResult::tecNO_ISSUER);
}

#[test]
fn the_account_that_is_no_account_is_on_no_path() {
    let (mut ledger, people) = funded();
    let [issuer, from, to] = &people[..3] else { panic!("three people") };
    trust(&mut ledger, from, issued(b"USD", "100", issuer.account_id()));
    let nobodys = issued(b"USD", "1", AccountId::ONE);
    let usd = issued(b"USD", "1", issuer.account_id());
    assert_eq!(outcome(&ledger, from, to, nobodys, usd), TxResult::temBAD_PATH);
    assert_eq!(outcome(&ledger, from, to, usd, nobodys), TxResult::temBAD_PATH);
    let tx = draft(&ledger, TransactionType::Payment, from)
        .with(sf::Destination, AccountId::ONE)
        .with(sf::Amount, usd);
    assert_eq!(ledger.submit(&signed(tx, from)).result, TxResult::tecNO_DST);
}

#[test]
fn sums_beyond_what_a_currency_holds_cost_the_fee() {
    let (mut ledger, people) = funded();
    let [issuer, from, to] = &people[..3] else { panic!("three people") };
    let usd = |value: &str| issued(b"USD", value, issuer.account_id());
    set(&mut ledger, issuer, sf::SetFlag, flags::asfDefaultRipple);
    set(&mut ledger, issuer, sf::TransferRate, 2_000_000_000);
    for holder in [from, to] {
        trust(&mut ledger, holder, usd("9999999999999999e80"));
    }
    let gift = draft(&ledger, TransactionType::Payment, issuer)
        .with(sf::Destination, from.account_id())
        .with(sf::Amount, usd("9999999999999999e80"));
    done(&mut ledger, gift, issuer);
    let balance = |ledger: &Ledger| {
        let root = ledger.open().state().object(&index::account_root(&from.account_id()));
        root.and_then(|root| root.drops(sf::Balance)).unwrap().get()
    };
    let before = balance(&ledger);
    let tx = draft(&ledger, TransactionType::Payment, from)
        .with(sf::Destination, to.account_id())
        .with(sf::Amount, usd("9000000000000000e80"))
        .with(sf::SendMax, usd("9999999999999999e80"));
    let fee = tx.drops(sf::Fee).unwrap().get();
    assert_eq!(ledger.submit(&signed(tx, from)).result, TxResult::tecINTERNAL);
    ledger.close(CloseTime::Next);
    assert_eq!(balance(&ledger), before - fee);
}
