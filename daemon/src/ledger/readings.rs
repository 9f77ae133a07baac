//! Reads accounts whole, at the ledger that was taken last.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;
use treasury_core::Input;
use treasury_core::observe::{AccountSnapshot, LedgerPoint};
use treasury_core::units::AccountId;

use super::follow::{Follower, Over};
use super::server::Server;
use super::snapshot;

/// Whoever is the only one to be asked is not asked for the same at once again.
const SAME_AGAIN: Duration = Duration::from_secs(1);

/// The longest wait before a reading is gone on with.
const RETRY: Duration = Duration::from_secs(2);

/// What has to be read, and who read what.
#[derive(Debug)]
pub(super) struct Readings {
    /// Accounts that somebody asked to read, and that have not been read yet.
    wanted: BTreeSet<AccountId>,
    /// Everything has to be read anew: after the start, whenever sight was lost, and from time to time.
    all: bool,
    /// Ledgers taken since everything was read.
    unread: u32,
    /// Who read each account last, and when. Where somebody asks for it again, another's word is wanted.
    readers: BTreeMap<AccountId, (usize, Instant)>,
    /// Accounts that have been read, or of which the engine knew when it started.
    known: BTreeSet<AccountId>,
    /// Who closed a gap of which its word is all there is: another's is wanted on how the accounts are after it.
    not_by: Option<usize>,
    /// What has been read of a reading that was broken off.
    part: Option<(LedgerPoint, Part)>,
}

/// Accounts as read at one ledger, and of whom.
pub(super) type Part = BTreeMap<AccountId, (usize, AccountSnapshot)>;

impl Readings {
    /// Everything has to be read; of these accounts a view is known already.
    pub(super) fn new(known: BTreeSet<AccountId>) -> Self {
        Self {
            wanted: BTreeSet::new(),
            all: true,
            unread: 0,
            readers: BTreeMap::new(),
            known,
            not_by: None,
            part: None,
        }
    }

    /// Whether the account has been read before.
    pub(super) fn is_known(&self, account: &AccountId) -> bool {
        self.known.contains(account)
    }

    /// Something that was not read has happened to these accounts: the next reading is as good as the first.
    pub(super) fn doubt<'a>(&mut self, accounts: impl IntoIterator<Item = &'a AccountId>) {
        for account in accounts {
            self.known.remove(account);
        }
    }

    /// Somebody asks for these accounts.
    pub(super) fn want(&mut self, accounts: Vec<AccountId>) {
        if let Some((_, part)) = &mut self.part {
            part.retain(|account, _| !accounts.contains(account));
        }
        self.wanted.extend(accounts);
    }

    /// Everything has to be read anew, and by another than this one where there is one.
    pub(super) fn not_by(&mut self, number: usize) {
        (self.all, self.not_by) = (true, Some(number));
    }

    /// Everything has to be read anew.
    pub(super) fn read_all(&mut self) {
        self.all = true;
    }

    /// Whether everything has to be read anew: nothing is seen.
    pub(super) fn is_all(&self) -> bool {
        self.all
    }

    /// A ledger was taken; after so many everything is read.
    pub(super) fn took_ledger(&mut self, reread_ledgers: u32) {
        self.unread = self.unread.saturating_add(1);
        self.all |= self.unread >= reread_ledgers;
    }

    fn is_idle(&self) -> bool {
        !self.all && self.wanted.is_empty()
    }

    /// Who read last of what is asked for now, and when.
    fn last_reader(&self) -> Option<(usize, Instant)> {
        let readers = self.wanted.iter().filter_map(|account| self.readers.get(account));
        readers.max_by_key(|(_, when)| *when).copied()
    }

    /// What has been read at this ledger already.
    fn part_at(&mut self, at: &LedgerPoint) -> Part {
        self.part.take().filter(|(ledger, _)| ledger == at).map(|(_, part)| part).unwrap_or_default()
    }
}

impl Follower {
    /// Reads what has been asked for, at the cursor.
    pub(super) async fn read_wanted(&mut self, cursor: LedgerPoint) -> Result<(), Over> {
        let silent = self.fresh.elapsed() >= self.network.silence_max;
        if silent || self.readings.is_idle() {
            return Ok(());
        }
        if self.readings.all {
            self.read_everything(cursor).await?;
        } else {
            self.read(cursor, self.readings.wanted.clone()).await?;
        }
        Ok(())
    }

    /// Reads every watched account. `false` where that is worth nothing by now, or cannot be done.
    pub(super) async fn read_everything(&mut self, at: LedgerPoint) -> Result<bool, Over> {
        let read = self.read(at, self.watch.watched.clone()).await?;
        if read {
            (self.readings.all, self.readings.unread, self.readings.not_by) = (false, 0, None);
            self.lost = None;
        }
        Ok(read)
    }

    /// Whom to ask, unless it is too early.
    fn reader(&mut self, at: &LedgerPoint) -> Option<(usize, Server)> {
        if let Some(number) = self.readings.not_by.filter(|_| self.readings.all) {
            return self.shared.board(|board| board.other_than(number, at.index.0));
        }
        let Some((last, when)) = self.readings.last_reader() else {
            return self.shared.board(|board| board.best(at.index.0));
        };
        let (number, server) = self.shared.board(|board| board.other_than(last, at.index.0))?;
        let wait = SAME_AGAIN.saturating_sub(when.elapsed());
        if number == last && !wait.is_zero() {
            self.wait_for(wait);
            return None;
        }
        Some((number, server))
    }

    /// Reads these accounts. `false` where endpoints have come to contradict each other meanwhile: then
    /// nothing is said that would let the daemon act. What was read before something failed is read.
    async fn read(&mut self, at: LedgerPoint, accounts: BTreeSet<AccountId>) -> Result<bool, Over> {
        let Some((number, server)) = self.reader(&at) else {
            // Nobody has the cursor's state at the moment; with the next ledger there is another.
            self.try_again_within(RETRY);
            return Ok(false);
        };
        let mut part = self.readings.part_at(&at);
        let left: BTreeSet<AccountId> =
            accounts.iter().filter(|account| !part.contains_key(account)).copied().collect();
        let (read, outcome) = snapshot::read(&server, &at, &left, &self.watch.treasury, &self.escrows).await;
        part.extend(read.into_iter().map(|account| (account.account, (number, account))));
        if let Err(trouble) = outcome {
            self.readings.part = Some((at, part));
            return Err(Over::Trouble(number, trouble));
        }
        match self.confirm(&at, &mut part).await {
            Ok(true) => {}
            Ok(false) => {
                self.try_again_within(RETRY);
                return Ok(false);
            }
            Err(over) => {
                self.readings.part = Some((at, part));
                return Err(over);
            }
        }
        let contested = self.shared.board(|board| {
            board.credit(number);
            board.must_look()
        });
        if contested {
            // To look at it again.
            self.shared.changed.notify_one();
            return Ok(false);
        }
        self.hand_on(at, &accounts, part).await?;
        Ok(true)
    }

    /// Says what was read.
    async fn hand_on(
        &mut self,
        at: LedgerPoint,
        asked: &BTreeSet<AccountId>,
        mut part: Part,
    ) -> Result<(), Over> {
        part.retain(|account, _| asked.contains(account));
        self.readings.known.extend(part.keys());
        let now = Instant::now();
        self.readings.readers.extend(part.iter().map(|(account, (number, _))| (*account, (*number, now))));
        let servers: BTreeSet<usize> = part.values().map(|(number, _)| *number).collect();
        let name = |number: &usize| self.shared.board(|board| board.endpoint(*number).to_owned());
        let from = servers.iter().map(name).collect::<Vec<_>>().join(", ");
        let accounts: Vec<AccountSnapshot> = part.into_values().map(|(_, account)| account).collect();
        self.escrows.extend(accounts.iter().flat_map(|account| &account.escrows).map(|escrow| escrow.key));
        self.send(Input::Reconciled { at, accounts, from, wall_ms: self.clock.now_ms() }).await?;
        self.readings.wanted.retain(|account| !asked.contains(account));
        Ok(())
    }
}
