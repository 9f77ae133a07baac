//! The ledger as its users see it.

mod answers;
mod batches;
mod books;
mod channels;
mod checks;
mod clawbacks;
mod credentials;
mod delegation;
mod format;
mod generations;
mod offers;
mod paths;
mod payments;
mod proposals;
mod saving;
mod tokens;
mod world;

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use xrpl_wire::{
    AccountId, Amount, Currency, Drops, Field, Hash256, IssuedAmount, KeyPair, KeyType, LedgerEntryType,
    Object, RippleTime, Seed, Transaction, TransactionType, TxResult, Value, flags, index, sf, sign,
};

use super::*;

fn keys(number: u8) -> KeyPair {
    KeyPair::from_seed(&Seed::from_entropy([number; 16], KeyType::Ed25519))
}

fn master() -> KeyPair {
    KeyPair::from_seed(&GENESIS_SEED.parse().unwrap())
}

fn drops(amount: u64) -> Drops {
    Drops::new(amount).unwrap()
}

fn sequence(ledger: &Ledger, account: &AccountId) -> u32 {
    let root = ledger.open().state().object(&index::account_root(account));
    root.and_then(|root| root.u32(sf::Sequence)).unwrap_or(0)
}

/// A transaction of a kind, unsigned, with the account's next Sequence and a fee that is enough for anything.
fn draft(ledger: &Ledger, kind: TransactionType, from: &KeyPair) -> Object {
    let account = from.account_id();
    Object::new()
        .with(sf::TransactionType, kind.code())
        .with(sf::Account, account)
        .with(sf::Fee, drops(2_000))
        .with(sf::Sequence, sequence(ledger, &account))
        .with(sf::SigningPubKey, Vec::<u8>::new())
}

fn signed(tx: Object, by: &KeyPair) -> Vec<u8> {
    sign::sign_single(&Transaction::from_object(tx).unwrap(), by).unwrap().encode()
}

fn payment(ledger: &Ledger, from: &KeyPair, to: AccountId, amount: u64) -> Object {
    draft(ledger, TransactionType::Payment, from).with(sf::Destination, to).with(sf::Amount, drops(amount))
}

fn pay(ledger: &mut Ledger, from: &KeyPair, to: AccountId, amount: u64) -> TxResult {
    let tx = payment(ledger, from, to, amount);
    ledger.submit(&signed(tx, from)).result
}

/// A ledger with six funded accounts.
fn funded() -> (Ledger, Vec<KeyPair>) {
    funded_as(GenesisConfig::default())
}

/// The same, begun in a given way.
fn funded_as(config: GenesisConfig) -> (Ledger, Vec<KeyPair>) {
    let mut ledger = Ledger::genesis(config);
    let people: Vec<KeyPair> = (1..=6).map(keys).collect();
    for person in &people {
        let result = pay(&mut ledger, &master(), person.account_id(), 50_000_000);
        assert_eq!(result, TxResult::tesSUCCESS);
    }
    ledger.close(CloseTime::Next);
    (ledger, people)
}

/// Who needs no account for that, and no fee.
#[test]
fn what_is_sent_and_is_in_no_ledger_is_not_remembered_for_ever() {
    let mut ledger = Ledger::genesis(GenesisConfig::default());
    let nobody = keys(1);
    let mut sent = Vec::new();
    for number in 0..44_u32 {
        let long = vec![1; 400_000];
        let tx = draft(&ledger, TransactionType::AccountSet, &nobody).with(sf::Domain, long);
        let outcome = ledger.submit(&signed(tx.with(sf::SourceTag, number), &nobody));
        assert_eq!(outcome.result, TxResult::telBAD_DOMAIN);
        assert!(matches!(ledger.transaction(&outcome.id), Some(FoundTx::Stray(_))));
        sent.push(outcome.id);
    }
    assert!(ledger.transaction(&sent[0]).is_none());
    let kept = sent.iter().filter(|id| ledger.transaction(id).is_some()).count();
    assert!((20..44).contains(&kept), "{kept}");
}

#[test]
fn a_snapshot_stays_as_it_was_and_the_same_calls_give_the_same_hashes() {
    let (mut ledger, people) = funded();
    let snapshot = ledger.clone();
    let before = (snapshot.validated().hash, snapshot.validated().state.root_hash());
    let mut hashes = Vec::new();
    for mut ledger in [ledger.clone(), snapshot.clone()] {
        for person in &people {
            assert_eq!(
                pay(&mut ledger, person, people[0].account_id(), 7).is_tem(),
                person.account_id() == people[0].account_id()
            );
        }
        hashes.push(ledger.close(CloseTime::Next).hash);
    }
    assert_eq!(hashes[0], hashes[1]);
    ledger.close(CloseTime::At(RippleTime(ledger.validated().header.close_time.0 + 30 * 86_400)));
    assert_eq!(before, (snapshot.validated().hash, snapshot.validated().state.root_hash()));
    assert_eq!(ledger.validated().header.index, snapshot.validated().header.index + 1);
}

#[test]
fn close_times_always_increase_and_are_rounded_only_where_asked() {
    let (mut ledger, _) = funded();
    let before = ledger.validated().header.close_time;
    let mut close = |at| ledger.close(at).header.close_time.0 - before.0;
    assert_eq!(close(CloseTime::Next), 1);
    assert_eq!(close(CloseTime::At(before)), 2);
    assert_eq!(close(CloseTime::At(RippleTime(before.0 + 103))), 103);
    let now = RippleTime((before.0 + 200) / 10 * 10 + 5);
    assert_eq!(ledger.close(CloseTime::Now(now)).header.close_time.0, now.0 + 5);
    let late = RippleTime(u32::MAX);
    assert_eq!(ledger.close(CloseTime::At(late)).header.close_time, late);
    assert_eq!(ledger.close(CloseTime::Next).header.close_time, late);
}

#[test]
fn a_type_that_is_not_there_is_refused_clearly() {
    let (mut ledger, people) = funded();
    let token = draft(&ledger, TransactionType::NFTokenMint, &people[0]).with(sf::NFTokenTaxon, 0_u32);
    let outcome = ledger.submit(&signed(token, &people[0]));
    assert_eq!((outcome.result, outcome.applied), (TxResult::temUNKNOWN, false));
}

#[test]
fn fail_hard_keeps_nothing_that_does_not_succeed() {
    let (mut ledger, people) = funded();
    let tx = payment(&ledger, &people[0], people[1].account_id(), 1_000_000_000);
    let outcome = ledger.submit_as(&signed(tx, &people[0]), true);
    assert_eq!(outcome.result, TxResult::tecUNFUNDED_PAYMENT);
    assert!(!outcome.applied && !outcome.kept);
    assert!(ledger.close(CloseTime::Next).transactions.is_empty());
}

#[test]
fn a_transaction_ahead_of_its_turn_is_applied_when_its_turn_comes() {
    let (mut ledger, people) = funded();
    let first = payment(&ledger, &people[0], people[1].account_id(), 1);
    let next = sequence(&ledger, &people[0].account_id()) + 1;
    let second = payment(&ledger, &people[0], people[1].account_id(), 2).with(sf::Sequence, next);
    let outcome = ledger.submit(&signed(second, &people[0]));
    assert_eq!((outcome.result, outcome.kept), (TxResult::terPRE_SEQ, true));
    assert_eq!(ledger.submit(&signed(first, &people[0])).result, TxResult::tesSUCCESS);
    assert_eq!(ledger.close(CloseTime::Next).transactions.len(), 2);
}

#[test]
fn what_was_submitted_and_not_applied_is_known_and_in_no_ledger() {
    let (mut ledger, people) = funded();
    let worthless = payment(&ledger, &people[0], people[1].account_id(), 0);
    let early = payment(&ledger, &people[0], people[1].account_id(), 1);
    let early = early.with(sf::Sequence, sequence(&ledger, &people[0].account_id()) + 1);
    for (tx, result) in [(worthless, TxResult::temBAD_AMOUNT), (early, TxResult::terPRE_SEQ)] {
        let outcome = ledger.submit(&signed(tx, &people[0]));
        let Some(FoundTx::Stray(found)) = ledger.transaction(&outcome.id) else { panic!("{result}") };
        assert_eq!((found.id(), found.result, outcome.result), (outcome.id, result, result));
    }
    let mut forged = signed(payment(&ledger, &people[0], people[1].account_id(), 1), &people[0]);
    let signature = forged.len() - 60;
    forged[signature] ^= 1;
    let refused = ledger.submit(&forged);
    assert_eq!(refused.refused.as_deref(), Some("fails local checks: Invalid signature."));
    assert!(ledger.transaction(&refused.id).is_none(), "what is refused is not remembered");
}

#[test]
fn a_full_ledger_queues_what_pays_little_and_a_dearer_version_takes_its_place() {
    let (mut ledger, people) = funded();
    ledger.set_queue(QueueSetup { minimum_txn_in_ledger: 2, ..QueueSetup::default() });
    for person in &people[..3] {
        assert_eq!(pay(&mut ledger, person, people[5].account_id(), 1), TxResult::tesSUCCESS);
    }
    let cheap = payment(&ledger, &people[3], people[5].account_id(), 1).with(sf::Fee, drops(10));
    assert_eq!(ledger.submit(&signed(cheap.clone(), &people[3])).result, TxResult::terQUEUED);
    let little_more = cheap.clone().with(sf::Fee, drops(12));
    assert_eq!(ledger.submit(&signed(little_more, &people[3])).result, TxResult::telCAN_NOT_QUEUE_FEE);
    let dearer = cheap.clone().with(sf::Fee, drops(20));
    assert_eq!(ledger.submit(&signed(dearer, &people[3])).result, TxResult::terQUEUED);
    let metrics = ledger.queue_metrics();
    assert_eq!((metrics.queue_size, metrics.ledger_size), (1, 3));
    let waiting = ledger.queued(&people[3].account_id());
    assert_eq!(waiting.iter().map(|tx| tx.fee.get()).collect::<Vec<_>>(), [20]);
    let tx = Transaction::from_object(cheap.clone()).unwrap();
    let enough = cheap.with(sf::Fee, drops(ledger.required_fee(&tx) + 1));
    assert_eq!(ledger.submit(&signed(enough, &people[3])).result, TxResult::tesSUCCESS);
    assert_eq!(ledger.queue_metrics().queue_size, 0);
    assert_eq!(ledger.close(CloseTime::Next).transactions.len(), 4);
}

#[test]
fn bytes_that_are_no_transaction_are_refused() {
    let (ledger, people) = funded();
    let good = signed(payment(&ledger, &people[0], people[1].account_id(), 5), &people[0]);
    let changes = prop::collection::vec((any::<prop::sample::Index>(), 1..=u8::MAX), 1..4);
    let cut = prop::option::weighted(0.25, 0..200_usize);
    let config = Config { cases: 3_000, failure_persistence: None, ..Config::default() };
    let run = TestRunner::new(config).run(&(changes, cut), |(changes, cut)| {
        let mut blob = good.clone();
        for (at, by) in changes {
            *at.get_mut(&mut blob) ^= by;
        }
        blob.truncate(cut.unwrap_or(usize::MAX));
        let outcome = ledger.clone().submit(&blob);
        prop_assert!(outcome.refused.is_some() || blob == good, "{}", hex::encode(blob));
        Ok(())
    });
    run.unwrap();
}

#[test]
fn an_old_account_is_deleted_with_all_it_owns_and_what_it_had_goes_to_its_destination() {
    let (mut ledger, people) = funded();
    let account = people[0].account_id();
    let tickets = draft(&ledger, TransactionType::TicketCreate, &people[0]).with(sf::TicketCount, 40_u32);
    assert_eq!(ledger.submit(&signed(tickets, &people[0])).result, TxResult::tesSUCCESS);
    let authorized = people[2].account_id();
    let preauth = draft(&ledger, TransactionType::DepositPreauth, &people[0]).with(sf::Authorize, authorized);
    assert_eq!(ledger.submit(&signed(preauth, &people[0])).result, TxResult::tesSUCCESS);
    for _ in 0..300 {
        ledger.close(CloseTime::Next);
    }
    let before = ledger.validated().state.object(&index::account_root(&account)).unwrap();
    let left = before.drops(sf::Balance).unwrap().get() - 200_000;
    let delete = draft(&ledger, TransactionType::AccountDelete, &people[0])
        .with(sf::Destination, people[1].account_id())
        .with(sf::Fee, drops(200_000));
    assert_eq!(ledger.submit(&signed(delete, &people[0])).result, TxResult::tesSUCCESS);
    let closed = ledger.close(CloseTime::Next);
    assert!(!closed.state.contains(&index::account_root(&account)));
    assert!(!closed.state.contains(&index::owner_dir(&account)));
    assert_eq!(closed.transactions[0].meta().drops(sf::DeliveredAmount), Some(drops(left)));
}

#[test]
fn a_payment_between_holders_pays_the_transfer_rate_and_stops_at_the_limit() {
    let (mut ledger, people) = funded();
    let [issuer, sender, receiver] = &people[..3] else { panic!("three people") };
    let usd = |value: &str| {
        let mut currency = [0; 20];
        currency[12..15].copy_from_slice(b"USD");
        let (value, currency) = (value.parse().unwrap(), Currency(currency));
        Amount::Issued(IssuedAmount { value, currency, issuer: issuer.account_id() })
    };
    let act = |ledger: &mut Ledger, tx: Object, by: &KeyPair| {
        ledger.submit(&signed(tx, by));
        ledger.close(CloseTime::Next).transactions[0].result
    };
    let settings = draft(&ledger, TransactionType::AccountSet, issuer)
        .with(sf::SetFlag, flags::asfDefaultRipple)
        .with(sf::TransferRate, 1_100_000_000_u32);
    assert_eq!(act(&mut ledger, settings, issuer), TxResult::tesSUCCESS);
    for (holder, limit) in [(sender, "1000"), (receiver, "60")] {
        let line = draft(&ledger, TransactionType::TrustSet, holder).with(sf::LimitAmount, usd(limit));
        assert_eq!(act(&mut ledger, line, holder), TxResult::tesSUCCESS);
    }
    let pay = |ledger: &Ledger, from: &KeyPair, to: &KeyPair, amount: &str| {
        draft(ledger, TransactionType::Payment, from)
            .with(sf::Destination, to.account_id())
            .with(sf::Amount, usd(amount))
    };
    let issue = pay(&ledger, issuer, sender, "100");
    assert_eq!(act(&mut ledger, issue, issuer), TxResult::tesSUCCESS);
    let without_max = pay(&ledger, sender, receiver, "50");
    assert_eq!(act(&mut ledger, without_max, sender), TxResult::tecPATH_PARTIAL);
    let exact = pay(&ledger, sender, receiver, "50").with(sf::SendMax, usd("55"));
    assert_eq!(act(&mut ledger, exact, sender), TxResult::tesSUCCESS);
    let partial = pay(&ledger, sender, receiver, "50")
        .with(sf::SendMax, usd("55"))
        .with(sf::Flags, flags::tfPartialPayment);
    assert_eq!(act(&mut ledger, partial, sender), TxResult::tesSUCCESS);
    let closed = Arc::clone(ledger.validated());
    assert_eq!(closed.transactions[0].meta().amount(sf::DeliveredAmount), Some(usd("10")));
    let line = |holder: &KeyPair| {
        let Amount::Issued(IssuedAmount { currency, .. }) = usd("0") else { panic!("issued") };
        let at = index::trust_line(&issuer.account_id(), &holder.account_id(), &currency);
        let Some(Amount::Issued(balance)) = closed.state.object(&at).unwrap().amount(sf::Balance) else {
            panic!("a balance")
        };
        if balance.value.is_negative() { balance.value.negated() } else { balance.value }.to_string()
    };
    assert_eq!((line(sender).as_str(), line(receiver).as_str()), ("34", "60"));
}

#[test]
fn a_ledger_without_ledger_hashes_differs_in_nothing_but_them() {
    let mut config = GenesisConfig::default();
    config.server.without_ledger_hashes = true;
    let (mut plain, mut without) = (Ledger::genesis(GenesisConfig::default()), Ledger::genesis(config));
    let begun = without.closed(2).unwrap().state.get(&index::skip_list()).unwrap().blob().to_vec();
    let (plain, without) = (plain.close(CloseTime::Next), without.close(CloseTime::Next));
    let state = |closed: &ClosedLedger| -> BTreeMap<Hash256, Vec<u8>> {
        closed.state.iter().map(|(index, entry)| (*index, entry.blob().to_vec())).collect()
    };
    let (mut plain, without) = (state(&plain), state(&without));
    assert_ne!(plain.get(&index::skip_list()), Some(&begun));
    plain.insert(index::skip_list(), begun);
    assert_eq!(plain, without);
}
