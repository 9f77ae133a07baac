//! Reads whole accounts as they are in one validated ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};
use treasury_core::observe::{AccountSnapshot, LedgerPoint, RootView, SettingsView, TrustLineView};
use treasury_core::units::{AccountId, EscrowKey, Hash256, HexBytes};
use xrpl_wire::entry::{AccountRoot, Escrow};
use xrpl_wire::{LedgerEntry, LedgerEntryType, LedgerTx, index};

use super::error::{Trouble, malformed};
use super::observe::{escrow_view, signer_list_view};
use super::reply::{AccountInfo, AccountObjects, TxReply, account_text, is_account_missing, parse};
use super::server::Server;
use super::transport::RequestError;

/// Accounts read at the same time: enough to hide the way to the server, too few to be limited by it.
const AT_ONCE: usize = 8;

/// Pages of an account's objects. Beyond it the account is no treasury's, or the server goes in circles.
const PAGES_MAX: usize = 1_000;

/// As many objects in a page as a server gives to strangers.
const PAGE_OBJECTS: usize = 400;

/// The longest marker that a page goes on from: servers write two hashes.
const MARKER_MAX: usize = 1_024;

/// Of what an account keeps reserve for, as much is read: a great many trust lines, and no memory that a server could fill.
const ENTRIES_MAX: usize = 20_000;

/// As long may a reading take: who answers each request late holds nobody blind for much longer.
const WITHIN: Duration = Duration::from_secs(45);

/// And so much longer for each request that was answered: also where it had to wait for its turn with a server that allows one a second.
const WITHIN_EACH: Duration = Duration::from_millis(1_500);

/// What OwnerCount may be off by, for whatever reason: it is no reason to read an account never again.
const SLACK: usize = 64;

const OBJECTS: &str = "account_objects";

/// Reads accounts at a ledger: what could be read, and what kept the rest from it. Of accounts that are not the
/// treasury's the AccountRoot alone: nothing rests on what they own, and it may be a great deal.
pub(super) async fn read(
    server: &Server,
    at: &LedgerPoint,
    accounts: &BTreeSet<AccountId>,
    treasury: &BTreeSet<AccountId>,
    escrows: &BTreeSet<EscrowKey>,
) -> (Vec<AccountSnapshot>, Result<(), Trouble>) {
    let known: BTreeMap<Hash256, EscrowKey> =
        escrows.iter().map(|key| (index::escrow(&key.owner, key.sequence), *key)).collect();
    let answered = AtomicU32::new(0);
    let reader = Reader { server, at, treasury, known: &known, answered: &answered };
    let readings: Vec<_> = accounts.iter().map(|account| reader.account(*account)).collect();
    let mut read = Vec::with_capacity(accounts.len());
    // What is read is kept as it comes: one that is late holds none of the others back.
    let mut readings = stream::iter(readings).buffer_unordered(AT_ONCE);
    let begun = Instant::now();
    let until = || begun + WITHIN + WITHIN_EACH.saturating_mul(answered.load(Ordering::Relaxed));
    loop {
        match timeout_at(until(), readings.next()).await {
            Ok(Some(Ok(account))) => read.push(account),
            Ok(Some(Err(trouble))) => return (read, Err(trouble)),
            Ok(None) => return (read, Ok(())),
            // Answers have come meanwhile.
            Err(_) if until() > Instant::now() => {}
            Err(_) => return (read, Err(Trouble::Late(begun.elapsed().as_secs()))),
        }
    }
}

#[derive(Clone, Copy)]
struct Reader<'a> {
    server: &'a Server,
    at: &'a LedgerPoint,
    treasury: &'a BTreeSet<AccountId>,
    known: &'a BTreeMap<Hash256, EscrowKey>,
    /// Requests that were answered.
    answered: &'a AtomicU32,
}

impl Reader<'_> {
    async fn account(self, account: AccountId) -> Result<AccountSnapshot, Trouble> {
        let root = self.root(account).await?;
        let ours = self.treasury.contains(&account);
        let mut snapshot = AccountSnapshot {
            account,
            root: root.as_ref().map(root_view),
            signer_list: None,
            tickets: BTreeSet::new(),
            escrows: Vec::new(),
            trust_lines: ours.then(BTreeMap::new),
            settings: root.filter(|_| ours).map(settings_view),
        };
        // An account that is not on the ledger owns nothing there, and one that keeps reserve for nothing has
        // none of what is read here.
        if snapshot.root.is_some_and(|root| root.owner_count > 0) && ours {
            self.objects(&mut snapshot).await?;
        }
        Ok(snapshot)
    }

    async fn root(&self, account: AccountId) -> Result<Option<AccountRoot>, Trouble> {
        const METHOD: &str = "account_info";
        let params = json!({ "account": account_text(&account), "ledger_index": self.at.index.0 });
        let reply = self.server.request_of_ledger(METHOD, params).await;
        self.answered();
        let reply = match reply {
            Err(RequestError::Server { code, .. }) if is_account_missing(&code) => return Ok(None),
            reply => reply.map_err(Trouble::about(self.at.index))?,
        };
        let info: AccountInfo = parse(METHOD, reply)?;
        self.check_ledger(METHOD, info.ledger_index, info.ledger_hash)?;
        match entry(METHOD, LedgerEntryType::AccountRoot, &info.account_data)? {
            LedgerEntry::AccountRoot(root) if root.account == account => Ok(Some(root)),
            _ => Err(malformed(METHOD, format!("not the AccountRoot of {account}"))),
        }
    }

    fn answered(&self) {
        self.answered.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes in every page of the account's objects.
    async fn objects(&self, snapshot: &mut AccountSnapshot) -> Result<(), Trouble> {
        const METHOD: &str = OBJECTS;
        // Each of what is read is something that the account keeps reserve for.
        let reserved = snapshot.root.map_or(0, |root| root.owner_count);
        let most = usize::try_from(reserved).unwrap_or(ENTRIES_MAX).saturating_add(SLACK).min(ENTRIES_MAX);
        let mut marker: Option<Value> = None;
        for _ in 0..PAGES_MAX {
            let mut params = json!({
                "account": account_text(&snapshot.account),
                "ledger_index": self.at.index.0,
                "limit": PAGE_OBJECTS,
            });
            if let (Some(marker), Some(params)) = (marker.clone(), params.as_object_mut()) {
                params.insert("marker".to_owned(), marker);
            }
            let reply = self.server.request_of_ledger(METHOD, params).await;
            self.answered();
            let reply = reply.map_err(Trouble::about(self.at.index))?;
            let page: AccountObjects = parse(METHOD, reply)?;
            self.check_ledger(METHOD, page.ledger_index, page.ledger_hash)?;
            if page.account_objects.len() > PAGE_OBJECTS {
                return Err(malformed(METHOD, format!("a page of more than {PAGE_OBJECTS} objects")));
            }
            for object in page.account_objects {
                self.take(snapshot, METHOD, object).await?;
            }
            if entries(snapshot) > most {
                let what = format!(
                    "{} has more than {most} of them, and the account an OwnerCount of {reserved}; at most {ENTRIES_MAX} are read",
                    snapshot.account
                );
                return Err(malformed(METHOD, what));
            }
            if page.marker.as_ref().is_some_and(|next| marker.as_ref() == Some(next)) {
                return Err(malformed(METHOD, "the same marker again".to_owned()));
            }
            if page.marker.as_ref().is_some_and(|next| next.to_string().len() > MARKER_MAX) {
                return Err(malformed(METHOD, format!("a marker of more than {MARKER_MAX} letters")));
            }
            marker = page.marker;
            if marker.is_none() {
                // The order of a directory says nothing; that of the keys makes two readings comparable.
                snapshot.escrows.sort_by_key(|escrow| escrow.key);
                return Ok(());
            }
        }
        Err(malformed(METHOD, format!("{} has more than {PAGES_MAX} pages of objects", snapshot.account)))
    }

    async fn take(
        &self,
        snapshot: &mut AccountSnapshot,
        method: &'static str,
        object: Value,
    ) -> Result<(), Trouble> {
        // Types that this program does not know are none that it reads.
        let known = object.get("LedgerEntryType").and_then(Value::as_str);
        let Some(entry_type) = known.and_then(LedgerEntryType::from_name) else { return Ok(()) };
        if !READ.contains(&entry_type) {
            return Ok(());
        }
        // Escrows are listed with their destinations too: what others put there is not read.
        let owner = object.get("Account").and_then(Value::as_str).and_then(|text| text.parse().ok());
        if owner.is_some_and(|owner: AccountId| owner != snapshot.account) {
            return Ok(());
        }
        let place = place(method, &object)?;
        match entry(method, entry_type, &object)? {
            LedgerEntry::SignerList(list) if place == index::signer_list(&snapshot.account) => {
                snapshot.signer_list = Some(signer_list_view(&list));
            }
            LedgerEntry::Ticket(ticket) if ticket.account == snapshot.account => {
                snapshot.tickets.insert(ticket.ticket_sequence);
            }
            LedgerEntry::RippleState(line) => {
                let lines = snapshot.trust_lines.get_or_insert_default();
                for (account, asset, side) in TrustLineView::sides(&line) {
                    if let Some(side) = side.filter(|_| account == snapshot.account) {
                        lines.insert(asset, side);
                    }
                }
            }
            LedgerEntry::Escrow(escrow) if escrow.account == snapshot.account => {
                let key = self.key_of(place, &escrow).await?;
                snapshot.escrows.push(escrow_view(key, &escrow));
            }
            _ => {}
        }
        Ok(())
    }

    /// What names an escrow: known already, said by its entry, or found in the transaction that created
    /// it. Whichever it is, the entry's place in the ledger proves it.
    async fn key_of(&self, place: Hash256, escrow: &Escrow) -> Result<EscrowKey, Trouble> {
        const METHOD: &str = "tx";
        if let Some(key) = self.known.get(&place) {
            return Ok(*key);
        }
        let sequence = match (escrow.sequence, escrow.previous) {
            (Some(sequence), _) => sequence,
            (None, Some(previous)) => {
                let params = json!({ "transaction": previous.txn_id.to_string(), "binary": true });
                let reply = self.server.request(METHOD, params).await;
                self.answered();
                let reply: TxReply = parse(METHOD, reply?)?;
                LedgerTx::decode(&reply.tx_blob.0).map_err(|error| malformed(METHOD, error))?.seq().value()
            }
            (None, None) => {
                return Err(malformed(METHOD, format!("nothing says what created escrow {place}")));
            }
        };
        if index::escrow(&escrow.account, sequence) != place {
            return Err(malformed(METHOD, format!("{sequence} is not the sequence of escrow {place}")));
        }
        Ok(EscrowKey { owner: escrow.account, sequence })
    }

    /// A reply that was read at another ledger would make two moments look like one.
    fn check_ledger(
        &self,
        method: &'static str,
        index: Option<u32>,
        hash: Option<Hash256>,
    ) -> Result<(), Trouble> {
        let same = index.is_none_or(|index| index == self.at.index.0)
            && hash.is_none_or(|hash| hash == self.at.hash)
            && (index.is_some() || hash.is_some());
        if same { Ok(()) } else { Err(malformed(method, format!("not read at ledger {}", self.at.index))) }
    }
}

/// How many entries have been taken in.
fn entries(snapshot: &AccountSnapshot) -> usize {
    let lines = snapshot.trust_lines.as_ref().map_or(0, BTreeMap::len);
    snapshot.tickets.len() + snapshot.escrows.len() + usize::from(snapshot.signer_list.is_some()) + lines
}

fn root_view(root: &AccountRoot) -> RootView {
    RootView {
        balance: root.balance,
        sequence: root.sequence,
        owner_count: root.owner_count,
        flags: root.flags,
        regular_key: root.regular_key,
        transfer_rate: Some(root.transfer_rate.unwrap_or_default()),
    }
}

/// What else of an AccountRoot its owner has set.
fn settings_view(root: AccountRoot) -> SettingsView {
    SettingsView {
        domain: HexBytes(root.domain.unwrap_or_default()),
        transfer_rate: root.transfer_rate.unwrap_or_default(),
    }
}

/// Types of entries that are read of what an account owns.
const READ: [LedgerEntryType; 4] = [
    LedgerEntryType::SignerList,
    LedgerEntryType::Ticket,
    LedgerEntryType::Escrow,
    LedgerEntryType::RippleState,
];

/// An entry in the server's JSON. What a later server says more of it is no concern.
fn entry(method: &'static str, entry_type: LedgerEntryType, json: &Value) -> Result<LedgerEntry, Trouble> {
    LedgerEntry::from_json_lenient(entry_type, json).map_err(|error| malformed(method, error))
}

/// An entry's place in the state.
fn place(method: &'static str, json: &Value) -> Result<Hash256, Trouble> {
    let place = json.get("index").and_then(|place| place.as_str()?.parse().ok());
    place.ok_or_else(|| malformed(method, "an entry has no index"))
}
