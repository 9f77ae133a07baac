//! What can go wrong, by name: what may be injected in a run, and how often it was.

use std::collections::BTreeSet;

/// Builds [`Fault`] and its names from one table, so that none can be forgotten.
macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)*) => {
        /// A kind of fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Fault {
            $($(#[$doc])* $name,)*
        }

        impl Fault {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word for the command line and reports.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }
        }
    };
}

faults! {
    /// A server's sockets stay open and nothing comes over them.
    Silence = "silence";
    /// A server closes its connections.
    Close = "close";
    /// A server takes no connections.
    Unreachable = "unreachable";
    /// A reply comes late.
    LateReply = "late_reply";
    /// A request is carried out and its reply is lost.
    LostReply = "lost_reply";
    /// A reply is not what the protocol says.
    GarbledReply = "garbled_reply";
    /// A closed ledger is not announced.
    LostAnnouncement = "lost_announcement";
    /// A closed ledger is announced again after the next one.
    StaleAnnouncement = "stale_announcement";
    /// A server stays ledgers behind the network.
    Lag = "lag";
    /// A server has lost its older ledgers.
    LostHistory = "lost_history";
    /// A server announces and shows another ledger at one index, whole in itself.
    FalseLedger = "false_ledger";
    /// A server tells of an account what is not the ledger's: its balance, its Sequence, its flags, what it owns, or
    /// that it is not there.
    FalseAccount = "false_account";
    /// A server answers every request with `tooBusy`.
    TooBusy = "too_busy";
    /// A server answers submissions with `slowDown`.
    SlowDown = "slow_down";
    /// A submission is answered as if it had been taken, and is lost.
    SwallowedSubmit = "swallowed_submit";
    /// A submission is carried out twice.
    DoubledSubmit = "doubled_submit";
    /// A submission is answered and reaches the network many ledgers later.
    LateSubmit = "late_submit";
    /// A server answers a submission with a refusal for good that is not true.
    FalseRefusal = "false_refusal";
    /// The open ledger is full: the way in costs a multiple of the fee.
    Escalation = "escalation";
    /// A transaction that looked fine only pays its fee.
    ClaimedFee = "claimed_fee";
    /// The network closes no ledger for a while.
    Halt = "halt";
    /// The network closes its ledgers slowly for a while.
    Slow = "slow";
    /// The network's clock is not the true time, by as much as it may be.
    NetworkClock = "network_clock";
    /// The clock of a daemon's host is wrong for a while.
    HostClock = "host_clock";
    /// The daemon's process dies between two inputs.
    Kill = "kill";
    /// It dies before anything of a record is written.
    CrashBeforeWrite = "crash_before_write";
    /// It dies when the record is written and not synced, and the record is gone.
    CrashLostWrite = "crash_lost_write";
    /// It dies when the record is written and not synced, and a part of it is on the disk.
    CrashTornWrite = "crash_torn_write";
    /// It dies when the record is written and not synced, and the record is on the disk.
    CrashKeptWrite = "crash_kept_write";
    /// It dies when the record is durable and none of the step's effects is released.
    CrashAfterSync = "crash_after_sync";
    /// It dies when some of the step's effects are released.
    CrashBetweenEffects = "crash_between_effects";
    /// The disk is full.
    FullDisk = "full_disk";
    /// The signer cannot sign.
    SignerFails = "signer_fails";
    /// The signer answers late.
    SignerLate = "signer_late";
    /// The signer never answers.
    SignerSilent = "signer_silent";
    /// The guard does not run, or cannot be reached.
    GuardAway = "guard_away";
    /// The guard answers late.
    GuardLate = "guard_late";
    /// The guard gives a share that opens nothing.
    GuardFalse = "guard_false";
}

/// Which kinds may be injected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed(BTreeSet<Fault>);

/// A word that names no kind of fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no fault `{0}`; there are all, none, and a list of: {known}", known = words())]
pub struct UnknownFault(String);

fn words() -> String {
    Fault::ALL.iter().map(|fault| fault.word()).collect::<Vec<_>>().join(", ")
}

impl Allowed {
    /// All of them.
    #[must_use]
    pub fn all() -> Self {
        Self(Fault::ALL.iter().copied().collect())
    }

    /// None.
    #[must_use]
    pub fn none() -> Self {
        Self(BTreeSet::new())
    }

    /// Whether this kind may be injected.
    #[must_use]
    pub fn has(&self, fault: Fault) -> bool {
        self.0.contains(&fault)
    }

    /// The kinds that may be injected.
    pub fn iter(&self) -> impl Iterator<Item = Fault> + '_ {
        self.0.iter().copied()
    }
}

impl std::str::FromStr for Allowed {
    type Err = UnknownFault;

    /// Reads `all`, `none`, or words with commas between them.
    fn from_str(text: &str) -> Result<Self, UnknownFault> {
        match text {
            "all" => return Ok(Self::all()),
            "none" => return Ok(Self::none()),
            _ => {}
        }
        let named = |word: &str| {
            Fault::ALL.iter().find(|fault| fault.word() == word).copied().ok_or(UnknownFault(word.to_owned()))
        };
        text.split(',').map(|word| named(word.trim())).collect::<Result<_, _>>().map(Self)
    }
}
