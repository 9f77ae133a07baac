//! Lists of destinations: sanctions, labels, whatever else tells one recipient from another.

use crate::model::units::{AccountId, Hash256, RippleTime};
use xrpl_wire::sha512_half;

/// Accounts that go by one name, as of some day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    name: String,
    /// Ascending.
    entries: Vec<AccountId>,
    hash: Hash256,
    dated: Option<Dated>,
    problem: Option<String>,
    /// Who is on it was never known.
    is_unread: bool,
    /// It is a label of the address book.
    is_label: bool,
}

/// When a list was made, and until when it is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dated {
    /// When it was made.
    pub at: RippleTime,
    /// How old it may become, in seconds.
    pub age_max_seconds: u32,
}

/// So far ahead of the ledger's time a list may be dated.
const AHEAD_MAX_SECONDS: u32 = 86_400;

impl List {
    /// A list of these accounts. Its hash is that of their bytes in ascending order, each once.
    #[must_use]
    pub fn new(name: impl Into<String>, mut entries: Vec<AccountId>, dated: Option<Dated>) -> Self {
        entries.sort_unstable();
        entries.dedup();
        let parts: Vec<&[u8]> = entries.iter().map(|account| account.0.as_slice()).collect();
        let hash = sha512_half(&parts);
        Self { name: name.into(), entries, hash, dated, problem: None, is_unread: false, is_label: false }
    }

    /// A label of the address book: whoever has it.
    #[must_use]
    pub fn label(name: impl Into<String>, entries: Vec<AccountId>) -> Self {
        Self { is_label: true, ..Self::new(name, entries, None) }
    }

    /// A list that cannot be read: who is on it is not known.
    #[must_use]
    pub fn unreadable(name: impl Into<String>, problem: impl Into<String>) -> Self {
        let problem = problem.into();
        let hash = sha512_half(&[b"unreadable"]);
        let (entries, dated, problem) = (Vec::new(), None, Some(problem));
        Self { name: name.into(), entries, hash, dated, problem, is_unread: true, is_label: false }
    }

    /// The same that nobody can believe any more: those who were on it stay on it.
    #[must_use]
    pub fn gone_bad(self, problem: impl Into<String>) -> Self {
        let hash = match self.problem {
            Some(_) => self.hash,
            None => sha512_half(&[b"gone bad", &self.hash.0]),
        };
        Self { hash, problem: Some(problem.into()), ..self }
    }

    /// What rules call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Who is on it, in ascending order.
    #[must_use]
    pub fn entries(&self) -> &[AccountId] {
        &self.entries
    }

    /// Whether who is on it was never known: that nobody is found on it says nothing, of those in the address book neither.
    #[must_use]
    pub fn is_unread(&self) -> bool {
        self.is_unread
    }

    /// Whether it is a label of the address book. Nobody has one before they are known.
    #[must_use]
    pub fn is_label(&self) -> bool {
        self.is_label
    }

    /// Names what is on it.
    #[must_use]
    pub fn hash(&self) -> Hash256 {
        self.hash
    }

    /// When it was made, where it says so.
    #[must_use]
    pub fn dated(&self) -> Option<Dated> {
        self.dated
    }

    /// Whether the account is on it.
    #[must_use]
    pub fn has(&self, account: &AccountId) -> bool {
        self.entries.binary_search(account).is_ok()
    }

    /// Why nobody can say who is on it now; `None`: it is good.
    #[must_use]
    pub fn fault(&self, now: RippleTime) -> Option<String> {
        if let Some(problem) = &self.problem {
            return Some(problem.clone());
        }
        let dated = self.dated.filter(|_| !self.is_good(now))?;
        Some(if dated.at > now {
            format!("it is of {}, which is to come: how old it is cannot be said", dated.at)
        } else {
            format!("it is of {}, older than it may be", dated.at)
        })
    }

    /// Whether [`List::fault`] has nothing to say.
    #[must_use]
    pub fn is_good(&self, now: RippleTime) -> bool {
        let believed = |dated: Dated| {
            // A day is over in the east before it begins in UTC.
            let has_come = dated.at.0 <= now.0.saturating_add(AHEAD_MAX_SECONDS);
            has_come && now.0.saturating_sub(dated.at.0) <= dated.age_max_seconds
        };
        self.problem.is_none() && self.dated.is_none_or(believed)
    }
}
