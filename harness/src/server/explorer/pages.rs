//! The pages.

use std::fmt::Display;

use serde_json::Value;
use xrpl_wire::{
    AccountId, Hash256, LedgerEntryType, NodeKind, Object, Transaction, TransactionType, TxResult, flags,
    index, sf,
};

use super::Page;
use super::html::Html;
use crate::embedded::standing::{self, Moment, Reason, Standing};
use crate::embedded::{ClosedLedger, ClosedTx, FoundTx, Ledger};
use crate::server::words;

/// Rows on a page, and on the front page.
const ROWS: usize = 50;
const ROWS_HOME: usize = 15;

/// Directory pages of one account that are looked through.
const DIRECTORY_PAGES_MAX: usize = 100;

pub(super) fn home(ledger: &Ledger) -> Page {
    let last = ledger.validated();
    let metrics = ledger.queue_metrics();
    let rules = ledger.rules();
    let about = Html::list([
        (
            "Server",
            Html::text(format!("rules of {}, network {}", rules.generation().version(), rules.network_id())),
        ),
        ("Ledger time", Html::text(last.header.close_time)),
        ("Base fee", Html::text(format!("{} drops", last.fees.base_fee))),
        (
            "Reserve",
            Html::text(format!(
                "{}, and {} for each object",
                words::drops(last.fees.reserve_base),
                words::drops(last.fees.reserve_inc)
            )),
        ),
        (
            "Open ledger",
            Html::text(format!("{} transactions, {} in the queue", metrics.ledger_size, metrics.queue_size)),
        ),
    ]);
    let newest = newest(ledger, last.header.index, ROWS_HOME);
    let recent =
        newest.iter().flat_map(|closed| closed.transactions.iter().rev().map(move |tx| (*closed, tx)));
    let body = about
        .raw("<h2>Ledgers</h2>")
        .put(&ledger_table(&newest))
        .raw("<h2>Transactions</h2>")
        .put(&tx_table(recent.take(ROWS_HOME).map(|(closed, tx)| (closed, &**tx))));
    Page { title: "Ledger ".to_owned() + &last.header.index.to_string(), body }
}

/// Closed ledgers from an index downwards.
fn newest(ledger: &Ledger, from: u32, rows: usize) -> Vec<&ClosedLedger> {
    let first = ledger.first_index();
    (first..=from).rev().take(rows).filter_map(|index| ledger.closed(index)).map(|closed| &**closed).collect()
}

pub(super) fn ledgers(ledger: &Ledger, before: Option<u32>) -> Page {
    let last = ledger.validated().header.index;
    let from = before.map_or(last, |before| before.saturating_sub(1).min(last));
    let rows = newest(ledger, from, ROWS);
    let mut body = ledger_table(&rows);
    if let Some(oldest) =
        rows.last().map(|closed| closed.header.index).filter(|index| *index > ledger.first_index())
    {
        body = body
            .raw("<p class=\"more\"><a href=\"/ledgers?before=")
            .say(oldest)
            .raw("\">Older ledgers</a></p>");
    }
    Page { title: "Ledgers".to_owned(), body }
}

fn ledger_table(rows: &[&ClosedLedger]) -> Html {
    Html::table(
        &["Ledger", "Closed", "Transactions", "Hash"],
        rows.iter().map(|closed| {
            vec![
                Html::link("ledger", closed.header.index, closed.header.index),
                Html::text(closed.header.close_time),
                Html::text(closed.transactions.len()),
                Html::link("ledger", closed.hash, short(&closed.hash)),
            ]
        }),
    )
}

fn tx_table<'a>(rows: impl Iterator<Item = (&'a ClosedLedger, &'a ClosedTx)>) -> Html {
    Html::table(
        &["Ledger", "Transaction", "Result", "Hash"],
        rows.map(|(closed, tx)| {
            vec![
                Html::link("ledger", closed.header.index, closed.header.index),
                about(tx.tx()),
                result(tx.result),
                Html::link("tx", tx.id, short(&tx.id)),
            ]
        }),
    )
}

pub(super) fn ledger(ledger: &Ledger, which: &str) -> Option<Page> {
    let closed = match which.parse::<u32>() {
        Ok(index) => ledger.closed(index)?,
        Err(_) => ledger.closed_by_hash(&which.parse().ok()?)?,
    };
    let header = &closed.header;
    let about = Html::list([
        ("Closed", Html::text(header.close_time)),
        ("Hash", id(closed.hash)),
        ("Parent", Html::link("ledger", header.parent_hash, header.parent_hash)),
        ("State", id(header.account_hash)),
        ("Transaction tree", id(header.transaction_hash)),
        ("All XRP", Html::text(format!("{} drops", header.total_drops))),
        ("Entries", Html::text(closed.state.len())),
    ]);
    let body = about
        .raw("<h2>Transactions, as they were applied</h2>")
        .put(&tx_table(closed.transactions.iter().map(|tx| (&**closed, &**tx))));
    Some(Page { title: format!("Ledger {}", header.index), body })
}

pub(super) fn transaction(ledger: &Ledger, wanted: &Hash256) -> Option<Page> {
    let found = ledger.transaction(wanted)?;
    let (tx, outcome, place, meta) = match &found {
        FoundTx::Closed(closed, tx) => {
            let index = closed.header.index;
            let place = Html::link("ledger", index, format!("ledger {index}"))
                .say(format!(", {}", closed.header.close_time));
            (tx.tx(), tx.result, place, Some(tx.meta()))
        }
        FoundTx::Open(tx) => (tx.tx(), tx.result, Html::of("the open ledger"), None),
        FoundTx::Stray(tx) => (tx.tx(), tx.result, Html::of("no ledger"), None),
    };
    let message = Html::default().put(&result(outcome)).say(" ").say(outcome.message());
    let body = Html::list([
        ("What", about(tx)),
        ("Result", message),
        ("In", place),
        ("Account", account_link(&tx.account())),
        ("Fee", Html::text(format!("{} drops", tx.fee()))),
        ("Hash", id(wanted)),
    ]);
    let body = match &meta {
        Some(meta) => body.raw("<h2>What it changed</h2>").put(&changes(meta)),
        None => body,
    };
    let body = body.raw("<h2>Transaction</h2>").put(&json(&tx.to_json()));
    let body = match &meta {
        Some(meta) => body.raw("<h2>Metadata</h2>").put(&json(&meta.to_json())),
        None => body,
    };
    Some(Page { title: tx.tx_type().name().to_owned(), body })
}

/// The entries that a transaction touched.
fn changes(meta: &Object) -> Html {
    let Ok(meta) = xrpl_wire::Metadata::from_object(meta.clone()) else { return Html::default() };
    Html::table(
        &["Entry", "How", "Index"],
        meta.nodes.iter().map(|node| {
            let how = match node.kind {
                NodeKind::Created => "made",
                NodeKind::Modified => "changed",
                NodeKind::Deleted => "removed",
            };
            vec![
                Html::text(node.entry_type.name()),
                Html::of(how),
                Html::link("object", node.index, node.index),
            ]
        }),
    )
}

pub(super) fn accounts(ledger: &Ledger, after: Option<Hash256>) -> Page {
    let state = &ledger.validated().state;
    let mut roots = state
        .iter_from(&after.unwrap_or(Hash256::ZERO))
        .filter(|(key, _)| after.as_ref() != Some(*key))
        .filter(|(_, entry)| entry.entry_type() == Some(LedgerEntryType::AccountRoot));
    let rows: Vec<(Hash256, &Object)> =
        roots.by_ref().take(ROWS).map(|(key, entry)| (*key, entry.object())).collect();
    let mut body = Html::table(
        &["Account", "Balance", "Sequence", "Owns"],
        rows.iter().map(|(_, root)| {
            vec![
                account_link(&root.account(sf::Account).unwrap_or(AccountId::ZERO)),
                root.drops(sf::Balance).map(words::drops).map_or_else(Html::default, Html::text),
                Html::text(root.u32(sf::Sequence).unwrap_or_default()),
                Html::text(root.u32(sf::OwnerCount).unwrap_or_default()),
            ]
        }),
    );
    if let (Some((key, _)), true) = (rows.last(), roots.next().is_some()) {
        body =
            body.raw("<p class=\"more\"><a href=\"/accounts?after=").say(key).raw("\">More accounts</a></p>");
    }
    Page { title: "Accounts".to_owned(), body }
}

pub(super) fn account(ledger: &Ledger, account: &AccountId) -> Option<Page> {
    let state = &ledger.validated().state;
    let places = ledger.account_transactions(account);
    let root = state.object(&index::account_root(account));
    if root.is_none() && places.is_empty() {
        return None;
    }
    let mut body = match root {
        None => Html::of("<p>It is not on the ledger any more, or not yet.</p>"),
        Some(root) => {
            let set = root.u32(sf::Flags).unwrap_or_default();
            let balance = root.drops(sf::Balance).map(words::drops).unwrap_or_default();
            let key = index::account_root(account);
            Html::list([
                ("Balance", Html::text(balance)),
                ("Sequence", Html::text(root.u32(sf::Sequence).unwrap_or_default())),
                ("Owns", Html::text(format!("{} objects", root.u32(sf::OwnerCount).unwrap_or_default()))),
                ("Flags", Html::text(flag_names(set))),
                ("Entry", Html::link("object", key, key)),
            ])
        }
    };
    let owned = owned(ledger, account);
    if !owned.is_empty() {
        body = body.raw("<h2>Objects</h2>").put(&object_table(owned.into_iter()));
    }
    let recent = places.iter().rev().take(ROWS).filter_map(|place| ledger.at(*place));
    body = body.raw("<h2>Transactions</h2>").put(&tx_table(recent.map(|(closed, tx)| (&**closed, &**tx))));
    Some(Page { title: account.to_string(), body })
}

/// What stands in an account's directory.
fn owned<'a>(ledger: &'a Ledger, account: &AccountId) -> Vec<(Hash256, &'a Object)> {
    let state = &ledger.validated().state;
    let root = index::owner_dir(account);
    let pages = std::iter::successors(state.object(&root), |page| {
        let next = page.u64(sf::IndexNext).filter(|next| *next != 0)?;
        state.object(&index::dir_page(&root, next))
    });
    pages
        .take(DIRECTORY_PAGES_MAX)
        .flat_map(|page| page.vector256(sf::Indexes).unwrap_or_default())
        .filter_map(|key| state.object(key).map(|object| (*key, object)))
        .collect()
}

fn object_table<'a>(rows: impl Iterator<Item = (Hash256, &'a Object)>) -> Html {
    Html::table(
        &["Type", "About", "Index"],
        rows.map(|(key, object)| {
            vec![
                Html::text(type_of(object)),
                Html::text(about_object(object)),
                Html::link("object", key, short(&key)),
            ]
        }),
    )
}

pub(super) fn object(ledger: &Ledger, key: &Hash256) -> Option<Page> {
    let object = ledger.validated().state.object(key)?;
    let mut pairs = vec![("Index", id(key))];
    let accounts = [("Account", sf::Account), ("Owner", sf::Owner), ("Destination", sf::Destination)];
    for (name, field) in accounts {
        if let Some(account) = object.account(field) {
            pairs.push((name, account_link(&account)));
        }
    }
    let last = object.get(sf::PreviousTxnID);
    if let Some(xrpl_wire::Value::Hash256(last)) = last {
        pairs.push(("Last changed by", Html::link("tx", last, last)));
    }
    let mut body = Html::list(pairs);
    if object.has(sf::ProposedTransaction) {
        body = body.raw("<h2>Signatures</h2>").put(&signatures(ledger, object));
    }
    let body = body.raw("<h2>Entry</h2>").put(&json(&object.to_json()));
    Some(Page { title: type_of(object), body })
}

/// How a proposal stands in the validated ledger.
fn standing_of(ledger: &Ledger, object: &Object) -> Standing {
    let closed = ledger.validated();
    let at = Moment {
        index: closed.header.index,
        open: false,
        parent_close_time: closed.header.parent_close_time.0,
    };
    standing::of(&closed.state, at, object)
}

/// Who has signed a proposal, and what lacks of the others.
fn signatures(ledger: &Ledger, object: &Object) -> Html {
    let standing = standing_of(ledger, object);
    let rows = standing.rows.iter().map(|row| {
        let weight = row
            .list
            .as_ref()
            .map(|(quorum, _)| format!("{} of {quorum}", row.signed_weight.unwrap_or_default()));
        vec![
            row.account.as_ref().map_or_else(|| Html::of("nobody can say"), account_link),
            Html::of(row.reason.map_or("signed", Reason::name)),
            Html::text(weight.unwrap_or_default()),
        ]
    });
    Html::of("<p>The proposal is ")
        .say(standing.status.name())
        .raw(".</p>")
        .put(&Html::table(&["Account", "Signature", "Weight"], rows))
}

/// The most proposals on the page of all.
const PROPOSALS_MAX: usize = 1_000;

pub(super) fn proposals(ledger: &Ledger) -> Page {
    let state = &ledger.validated().state;
    let found: Vec<(Hash256, &Object)> = state
        .iter()
        .filter(|(_, entry)| entry.entry_type() == Some(LedgerEntryType::TransactionProposal))
        .take(PROPOSALS_MAX)
        .map(|(key, entry)| (*key, entry.object()))
        .collect();
    let body = if found.is_empty() {
        Html::of("<p>There are no proposals on this ledger.</p>")
    } else {
        Html::table(
            &["Proposal", "Status", "Owner", "Index"],
            found.into_iter().map(|(key, object)| {
                vec![
                    Html::text(about_object(object)),
                    Html::of(standing_of(ledger, object).status.name()),
                    object.account(sf::Owner).as_ref().map_or_else(Html::default, account_link),
                    Html::link("object", key, short(&key)),
                ]
            }),
        )
    };
    Page { title: "Proposals".to_owned(), body }
}

fn type_of(object: &Object) -> String {
    let kind = object.u16(sf::LedgerEntryType).and_then(LedgerEntryType::from_code);
    kind.map_or_else(|| "Unknown entry".to_owned(), |kind| kind.name().to_owned())
}

/// What a proposal proposes, and until when, in a few words.
fn about_proposal(object: &Object) -> Option<String> {
    let proposed = object.object(sf::ProposedTransaction)?;
    let kind = proposed.u16(sf::TransactionType).and_then(TransactionType::from_code)?;
    let account = proposed.account(sf::Account)?;
    let ticket = proposed.u32(sf::TicketSequence)?;
    let until = xrpl_wire::RippleTime(object.u32(sf::Expiration)?);
    Some(format!("{kind} of {account} on ticket {ticket}, until {until}"))
}

/// An entry in a few words.
fn about_object(object: &Object) -> String {
    if let Some(about) = about_proposal(object) {
        return about;
    }
    let mut about = Vec::new();
    if let Some(amount) = object.amount(sf::Amount).or_else(|| object.amount(sf::Balance)) {
        about.push(words::amount(&amount));
    }
    if let Some(to) = object.account(sf::Destination) {
        about.push(format!("to {to}"));
    }
    for (name, field) in
        [("ticket", sf::TicketSequence), ("quorum", sf::SignerQuorum), ("finish after", sf::FinishAfter)]
    {
        if let Some(number) = object.u32(field) {
            about.push(format!("{name} {number}"));
        }
    }
    about.join(", ")
}

fn flag_names(set: u32) -> String {
    let named = [
        ("require destination tag", flags::lsfRequireDestTag),
        ("require authorization", flags::lsfRequireAuth),
        ("disallow XRP", flags::lsfDisallowXRP),
        ("master key disabled", flags::lsfDisableMaster),
        ("no freeze", flags::lsfNoFreeze),
        ("global freeze", flags::lsfGlobalFreeze),
        ("default ripple", flags::lsfDefaultRipple),
        ("deposit authorization", flags::lsfDepositAuth),
        ("clawback allowed", flags::lsfAllowTrustLineClawback),
        ("locking allowed", flags::lsfAllowTrustLineLocking),
    ];
    let names: Vec<&str> =
        named.into_iter().filter(|(_, flag)| set & flag != 0).map(|(name, _)| name).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// A transaction in a few words, with links to the accounts in it.
fn about(tx: &Transaction) -> Html {
    let text = words::transaction(tx);
    let mut html = Html::default();
    for (at, word) in text.split(' ').enumerate() {
        if at > 0 {
            html = html.say(" ");
        }
        let bare = word.trim_matches(|c| c == '(' || c == ')');
        html = match bare.parse::<AccountId>() {
            Ok(account) => html.put(&account_link(&account)),
            Err(_) => html.say(word),
        };
    }
    html
}

fn result(result: TxResult) -> Html {
    let class =
        if result.is_tes() { Html::of("<span class=\"good\">") } else { Html::of("<span class=\"bad\">") };
    class.say(result.name()).raw("</span>")
}

fn account_link(account: &AccountId) -> Html {
    let text = account.to_string();
    Html::link("account", &text, &text)
}

fn id(hash: impl Display) -> Html {
    Html::of("<span class=\"id\">").say(hash).raw("</span>")
}

/// The beginning of a hash, which is enough to tell it from the others on a page.
fn short(hash: &Hash256) -> String {
    hash.to_string().chars().take(16).chain(['…']).collect()
}

fn json(value: &Value) -> Html {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    Html::of("<pre>").say(text).raw("</pre>")
}

#[cfg(test)]
mod tests {
    use xrpl_wire::{KeyPair, Value, sign};

    use super::*;
    use crate::embedded::{Amendment, CloseTime, GENESIS_ACCOUNT, GENESIS_SEED, Generation, GenesisConfig};

    #[test]
    fn a_proposal_has_a_page_that_says_who_has_signed_it() {
        let mut config = GenesisConfig::of(Generation::V3_3);
        config.amendments = vec![Amendment::Cosign];
        let mut ledger = Ledger::genesis(config);
        let key = KeyPair::from_seed(&GENESIS_SEED.parse().unwrap());
        let tx = |kind: TransactionType, sequence: u32| {
            let tx = Object::new().with(sf::TransactionType, kind.code()).with(sf::Account, GENESIS_ACCOUNT);
            let tx = tx.with(sf::Sequence, sequence).with(sf::SigningPubKey, Vec::<u8>::new());
            tx.with(sf::Fee, xrpl_wire::Drops::new(10).unwrap())
        };
        let payload = tx(TransactionType::AccountSet, 0).with(sf::TicketSequence, 2_u32);
        let create = tx(TransactionType::TransactionProposalCreate, 3)
            .with(sf::Expiration, u32::MAX)
            .with(sf::ProposedTransaction, Value::Object(payload));
        for tx in [tx(TransactionType::TicketCreate, 1).with(sf::TicketCount, 1_u32), create] {
            let signed = sign::sign_single(&Transaction::from_object(tx).unwrap(), &key).unwrap();
            assert_eq!(ledger.submit(&signed.encode()).result, TxResult::tesSUCCESS);
            ledger.close(CloseTime::Next);
        }
        let at = index::transaction_proposal(&GENESIS_ACCOUNT, 2);
        let all = proposals(&ledger).body.into_string();
        for part in ["AccountSet of ", "on ticket 2", "pending", &at.to_string()] {
            assert!(all.contains(part), "{part}: {all}");
        }
        let page = object(&ledger, &at).unwrap().body.into_string();
        assert!(
            page.contains("The proposal is pending.") && page.contains("inadequate_signatures"),
            "{page}"
        );
    }
}
