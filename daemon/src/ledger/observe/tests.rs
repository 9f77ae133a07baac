//! What is observed over whole recorded stories has to add up to the state they end in.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use treasury_core::observe::{AccountSnapshot, Change, LedgerPoint, NetworkFees, SettingsView};
use treasury_core::units::{AccountId, Drops, EscrowKey, Hash256, LedgerIndex, SeqProxy};
use xrpl_wire::{LedgerEntry, LedgerHeader, NodeKind, Object, Transaction, TransactionType, index, sf, tree};

use super::*;
use crate::ledger::prove::Prover;
use crate::ledger::reply::{self, LedgerReply};
use crate::ledger::vectors::{Recorded, Story, stories, story};

fn fees() -> NetworkFees {
    let drops = |drops| Drops::new(drops).unwrap();
    NetworkFees { base_fee: drops(10), reserve_base: drops(1_000_000), reserve_inc: drops(200_000) }
}

fn empty(account: AccountId) -> AccountSnapshot {
    AccountSnapshot {
        account,
        root: None,
        signer_list: None,
        tickets: BTreeSet::new(),
        escrows: Vec::new(),
        trust_lines: Some(BTreeMap::new()),
        settings: None,
    }
}

/// The accounts as a whole state has them. `escrow_keys` names escrows, whose entries do not.
fn accounts_of(
    state: &BTreeMap<Hash256, LedgerEntry>,
    watched: &BTreeSet<AccountId>,
    escrow_keys: &BTreeSet<EscrowKey>,
) -> BTreeMap<AccountId, AccountSnapshot> {
    let mut accounts: BTreeMap<_, _> = watched.iter().map(|account| (*account, empty(*account))).collect();
    let keys: BTreeMap<Hash256, EscrowKey> =
        escrow_keys.iter().map(|key| (index::escrow(&key.owner, key.sequence), *key)).collect();
    let lists: BTreeMap<Hash256, AccountId> =
        watched.iter().map(|account| (index::signer_list(account), *account)).collect();
    for (place, entry) in state {
        match entry {
            LedgerEntry::AccountRoot(root) => {
                let account = accounts.get_mut(&root.account).expect("every account is watched");
                account.settings = Some(SettingsView {
                    domain: HexBytes(root.domain.clone().unwrap_or_default()),
                    transfer_rate: root.transfer_rate.unwrap_or_default(),
                });
                account.root = Some(RootView {
                    balance: root.balance,
                    sequence: root.sequence,
                    owner_count: root.owner_count,
                    flags: root.flags,
                    regular_key: root.regular_key,
                    transfer_rate: Some(root.transfer_rate.unwrap_or_default()),
                });
            }
            LedgerEntry::SignerList(list) => {
                accounts.get_mut(&lists[place]).unwrap().signer_list = Some(signer_list_view(list));
            }
            LedgerEntry::Ticket(ticket) => {
                accounts.get_mut(&ticket.account).unwrap().tickets.insert(ticket.ticket_sequence);
            }
            LedgerEntry::RippleState(line) => {
                for (account, asset, side) in TrustLineView::sides(line) {
                    let lines = accounts.get_mut(&account).unwrap().trust_lines.as_mut().unwrap();
                    lines.extend(side.map(|side| (asset, side)));
                }
            }
            LedgerEntry::Escrow(escrow) => {
                let key = *keys.get(place).expect("every escrow was seen to be created");
                accounts.get_mut(&escrow.account).unwrap().escrows.push(escrow_view(key, escrow));
            }
            _ => {}
        }
    }
    for account in accounts.values_mut() {
        account.escrows.sort_by_key(|escrow| escrow.key);
    }
    accounts
}

fn apply(accounts: &mut BTreeMap<AccountId, AccountSnapshot>, change: &Change) {
    match change {
        Change::Root { account, root } => {
            let known = accounts.get_mut(account).unwrap();
            known.root = *root;
            known.settings = known.settings.take().filter(|_| root.is_some());
        }
        Change::Settings { account, settings } => {
            accounts.get_mut(account).unwrap().settings = Some(settings.clone());
        }
        Change::SignerList { account, list } => {
            accounts.get_mut(account).unwrap().signer_list.clone_from(list);
        }
        Change::TicketCreated { account, ticket } => {
            assert!(accounts.get_mut(account).unwrap().tickets.insert(*ticket));
        }
        Change::TicketDeleted { account, ticket } => {
            assert!(accounts.get_mut(account).unwrap().tickets.remove(ticket));
        }
        Change::TrustLine { account, asset, line } => {
            let lines = accounts.get_mut(account).unwrap().trust_lines.as_mut().unwrap();
            match line {
                Some(line) => lines.insert(*asset, *line),
                None => lines.remove(asset),
            };
        }
        Change::EscrowCreated { escrow } => {
            let escrows = &mut accounts.get_mut(&escrow.key.owner).unwrap().escrows;
            escrows.push(escrow.clone());
            escrows.sort_by_key(|escrow| escrow.key);
        }
        Change::EscrowDeleted { key, .. } => {
            let escrows = &mut accounts.get_mut(&key.owner).unwrap().escrows;
            let before = escrows.len();
            escrows.retain(|escrow| escrow.key != *key);
            assert_eq!(escrows.len() + 1, before, "{key}");
        }
    }
}

/// Everybody that a story's transactions or entries name.
fn everybody(story: &Story) -> BTreeSet<AccountId> {
    let roots = |state: &BTreeMap<Hash256, LedgerEntry>| -> Vec<AccountId> {
        let account = |entry: &LedgerEntry| match entry {
            LedgerEntry::AccountRoot(root) => Some(root.account),
            _ => None,
        };
        state.values().filter_map(account).collect()
    };
    let mut all: BTreeSet<AccountId> = roots(&story.genesis_state).into_iter().collect();
    all.extend(roots(&story.final_state));
    for (tx, _) in story.ledgers.iter().flat_map(|ledger| ledger.decoded()) {
        all.insert(tx.account());
        all.extend(tx.object().account(sf::Destination));
    }
    all
}

#[test]
fn changes_of_every_recorded_story_add_up_to_its_final_state() {
    for story in stories() {
        let watched = everybody(&story);
        let watch = Watch::new(watched.clone(), watched.clone());
        let mut accounts = accounts_of(&story.genesis_state, &watched, &BTreeSet::new());
        let mut keys = BTreeSet::new();
        let mut after = LedgerPoint {
            index: LedgerIndex(story.genesis.index),
            hash: story.genesis.hash(),
            close_time: story.genesis.close_time,
        };
        for ledger in &story.ledgers {
            let reply = reply::parse("ledger", ledger.reply()).unwrap();
            let proven = Prover::default()
                .prove(after.index.plus(1), Some(ledger.hash), &after, reply, &Arc::default())
                .unwrap();
            after = proven.point;
            let observation = observed(&proven.header, fees(), &ledger.decoded(), &watch).unwrap();
            assert_eq!(observation.point, after);
            assert_eq!(observation.transactions.len(), ledger.transactions.len(), "{}", story.name);
            assert_eq!(observation.opaque, [], "{}", story.name);
            for change in &observation.changes {
                if let Change::EscrowCreated { escrow } = change {
                    keys.insert(escrow.key);
                }
                apply(&mut accounts, change);
            }
        }
        assert_eq!(accounts, accounts_of(&story.final_state, &watched, &keys), "{}", story.name);
    }
}

fn observed(
    header: &LedgerHeader,
    fees: NetworkFees,
    transactions: &[(Transaction, Metadata)],
    watch: &Watch,
) -> Result<LedgerObservation, String> {
    let point =
        LedgerPoint { index: LedgerIndex(header.index), hash: header.hash(), close_time: header.close_time };
    let seen = transactions.iter().map(|(tx, meta)| {
        let data = TxData { tx_blob: HexBytes(tx.encode()), meta_blob: HexBytes(meta.encode().unwrap()) };
        see(tx.id(), &data, watch)
    });
    Ok(observation(point, header.parent_hash, fees, seen.collect::<Result<_, _>>()?))
}

fn raw_and_decoded(ledger: &Recorded) -> (&Recorded, LedgerReply, Vec<(Transaction, Metadata)>) {
    (ledger, reply::parse("ledger", ledger.reply()).unwrap(), ledger.decoded())
}

#[test]
fn nothing_that_concerns_a_watched_account_is_passed_over_undecoded() {
    for story in stories() {
        let ledgers: Vec<_> = story.ledgers.iter().map(raw_and_decoded).collect();
        for account in everybody(&story) {
            let one = BTreeSet::from([account]);
            let watch = Watch::new(one.clone(), one);
            for (ledger, raw, decoded) in &ledgers {
                let kept: Vec<(Transaction, Metadata)> = raw
                    .ledger
                    .transactions
                    .iter()
                    .zip(decoded)
                    .filter(|(raw, _)| watch.concerns(raw))
                    .map(|(_, decoded)| decoded.clone())
                    .collect();
                let all = observed(&ledger.header, fees(), decoded, &watch).unwrap();
                assert_eq!(observed(&ledger.header, fees(), &kept, &watch).unwrap(), all, "{}", story.name);
            }
        }
    }
}

#[test]
fn strangers_are_not_reported() {
    let story = story("payments");
    let stranger = BTreeSet::from([AccountId([0xEE; 20])]);
    let watch = Watch::new(stranger.clone(), stranger);
    for ledger in &story.ledgers {
        let seen = observed(&ledger.header, fees(), &ledger.decoded(), &watch).unwrap();
        assert!(seen.transactions.is_empty() && seen.changes.is_empty());
    }
}

#[test]
fn a_watched_signer_s_transactions_are_not_the_treasury_s() {
    let story = story("payments");
    let watch = Watch::new(everybody(&story), BTreeSet::new());
    let seen: Vec<_> = story
        .ledgers
        .iter()
        .map(|ledger| observed(&ledger.header, fees(), &ledger.decoded(), &watch).unwrap())
        .collect();
    assert!(seen.iter().all(|ledger| ledger.transactions.is_empty()));
    assert!(seen.iter().any(|ledger| !ledger.changes.is_empty()));
}

#[test]
fn a_stranger_s_transaction_that_ends_an_escrow_of_the_treasury_is_reported() {
    let mut found = 0;
    for story in stories() {
        for ledger in &story.ledgers {
            for (tx, meta) in ledger.decoded() {
                let Some(owner) = tx.object().account(sf::Owner).filter(|owner| *owner != tx.account())
                else {
                    continue;
                };
                let ends = meta
                    .nodes
                    .iter()
                    .any(|node| node.entry_type == LedgerEntryType::Escrow && node.kind == NodeKind::Deleted);
                if !ends {
                    continue;
                }
                let ours = BTreeSet::from([owner]);
                let one = [(tx.clone(), meta)];
                let seen = observed(&ledger.header, fees(), &one, &Watch::new(ours.clone(), ours)).unwrap();
                assert_eq!(seen.transactions.len(), 1);
                assert_eq!(seen.transactions[0].id, tx.id());
                assert!(seen.transactions[0].succeeded());
                let ended = seen.changes.iter().any(|change| {
                    matches!(change, Change::EscrowDeleted { key, tx_id, tx_type }
                        if key.owner == owner && *tx_id == tx.id() && tx_type == tx.tx_type().name())
                });
                assert!(ended, "{}", story.name);
                found += 1;
            }
        }
    }
    assert!(found > 3, "{found} such transactions were recorded");
}

#[test]
fn transactions_come_in_ledger_order_however_they_are_given() {
    let story = story("tickets");
    let watch = Watch::new(everybody(&story), everybody(&story));
    let ledger = story.ledgers.iter().max_by_key(|ledger| ledger.transactions.len()).unwrap();
    let mut shuffled = ledger.decoded();
    assert!(shuffled.len() > 1);
    let in_order = observed(&ledger.header, fees(), &shuffled, &watch).unwrap();
    shuffled.reverse();
    assert_eq!(observed(&ledger.header, fees(), &shuffled, &watch).unwrap(), in_order);
}

fn header() -> LedgerHeader {
    story("payments").ledgers[0].header
}

#[test]
fn a_failed_transaction_of_the_treasury_is_reported_with_its_result() {
    let mut failed = 0;
    for story in stories() {
        let watch = Watch::new(everybody(&story), everybody(&story));
        for ledger in &story.ledgers {
            for tx in observed(&ledger.header, fees(), &ledger.decoded(), &watch).unwrap().transactions {
                if !tx.succeeded() {
                    assert!(tx.result.starts_with("tec"), "{}", tx.result);
                    failed += 1;
                }
            }
        }
    }
    assert!(failed > 10);
}

#[test]
fn an_escrow_that_the_transaction_cannot_have_made_is_opaque_to_its_owner() {
    let story = story("escrow-condition");
    let ledger = story.ledgers.iter().find(|ledger| {
        ledger.decoded().iter().any(|(tx, meta)| {
            tx.tx_type() == TransactionType::EscrowCreate && meta.result.name() == "tesSUCCESS"
        })
    });
    let decoded = ledger.unwrap().decoded();
    let (tx, meta) = decoded.iter().find(|(tx, _)| tx.tx_type() == TransactionType::EscrowCreate).unwrap();
    // The same creation, claimed to have come of another Sequence.
    let other = match tx.seq() {
        SeqProxy::Sequence(sequence) => tx.object().clone().with(sf::Sequence, sequence + 1),
        SeqProxy::Ticket(ticket) => tx.object().clone().with(sf::TicketSequence, ticket + 1),
    };
    let other = Transaction::from_object(other).unwrap();
    let ours = BTreeSet::from([tx.account()]);
    let watch = Watch::new(ours.clone(), ours);
    let seen = observed(&header(), fees(), &[(other.clone(), meta.clone())], &watch).unwrap();
    let key = EscrowKey { owner: tx.account(), sequence: tx.seq().value() };
    let is_it = |change: &Change| matches!(change, Change::EscrowCreated { escrow } if escrow.key == key);
    assert!(seen.changes.iter().any(is_it) && seen.opaque.is_empty(), "the entry says which it is");
    let meta = Metadata::from_object(later::without_sequences(meta.object().clone())).unwrap();
    let seen = observed(&header(), fees(), &[(tx.clone(), meta.clone())], &watch).unwrap();
    assert!(seen.changes.iter().any(is_it) && seen.opaque.is_empty(), "the transaction says which it is");
    let seen = observed(&header(), fees(), &[(other.clone(), meta)], &watch).unwrap();
    assert!(!seen.changes.iter().any(|change| matches!(change, Change::EscrowCreated { .. })));
    let [opaque] = seen.opaque.as_slice() else { panic!("{:?}", seen.opaque) };
    assert_eq!((opaque.id, &opaque.accounts), (other.id(), &BTreeSet::from([tx.account()])));
    assert!(opaque.reason.contains("escrow"), "{}", opaque.reason);
}

#[test]
fn an_entry_that_is_only_touched_has_not_changed() {
    let account = AccountId([1; 20]);
    let node = Object::new()
        .with(sf::LedgerEntryType, LedgerEntryType::AccountRoot)
        .with(sf::LedgerIndex, index::account_root(&account));
    let meta = Object::new()
        .with(sf::TransactionResult, 0_u8)
        .with(sf::TransactionIndex, 0_u32)
        .with(sf::AffectedNodes, vec![(sf::ModifiedNode, node)]);
    let meta = Metadata::from_object(meta).unwrap();
    let (tx, _) = story("payments").ledgers[0].decoded().remove(0);
    let watch = Watch::new(BTreeSet::from([account]), BTreeSet::new());
    assert!(observed(&header(), fees(), &[(tx, meta)], &watch).unwrap().changes.is_empty());
}

mod later;
