//! What a proposal waits for, and what keeps it from being sent.

use std::fmt;

use crate::model::stops::{Stop, StopKind};
use crate::model::units::{AccountId, Amount, Asset, RippleTime, StopId, Weight};

/// Something a proposal waits for, or that keeps it from being sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Sight of the validated ledger, lost for this reason.
    Sight(String),
    /// A free Ticket in the account's pool.
    Ticket,
    /// The account's SignerList, which is not on the ledger.
    SignerList,
    /// The network's fee is above the configured most.
    FeeAboveCap,
    /// The escrow's condition.
    Condition,
    /// Signatures: weight so far and asked for, then how far they have come towards each of policy's demands, in words.
    Signatures(Weight, Weight, Vec<String>),
    /// The signer of the daemon's own keys.
    OwnKey,
    /// A signer whose key the daemon holds, which did not sign for this reason.
    Signer(AccountId, String),
    /// A stop to be lifted: its id, its kind, its subject in words, and who or what set it.
    Stop(StopId, StopKind, String, String),
    /// The circuit breaker, open for this reason.
    Breaker(String),
    /// The deadline has passed; it expires when LastLedgerSequence has passed too.
    Deadline,
    /// A validated ledger.
    Ledger,
    /// CancelAfter: the payment had ended otherwise when its escrow came to be.
    Unwanted(&'static str),
    /// The time at which the scheduled payment is due.
    Due(RippleTime),
    /// The time from which an escrow may be finished.
    FinishAfter(RippleTime),
    /// The time from which an escrow may be cancelled.
    CancelAfter(RippleTime),
    /// CancelAfter has passed: it can be cancelled, and not finished.
    Over,
    /// That account has not been read yet.
    Reading(AccountId),
    /// The recipient, who cannot be paid by it now.
    Recipient(AccountId, &'static str),
    /// So much more on the account: what it has beyond its reserve is less than what it is to pay.
    Funds(AccountId, Amount),
    /// The issuer, who has frozen what the account has of that.
    Frozen(AccountId, Asset),
    /// Nothing: the escrow has ended, or is not the daemon's.
    Ended,
    /// Another policy: the present one asks for more than was asked for, by this rule.
    Policy(String),
    /// Somebody to look at the account: money has left it that nobody proposed to spend.
    Drained(AccountId),
    /// The guard's part, which it refuses with this code, for this reason.
    GuardRefuses(String, String),
    /// The guard's part, which does not come, for this reason.
    GuardSilent(String),
    /// The tier link of that name, which is not declared as it was, or moves less at a time.
    Link(String),
}

impl Wait {
    /// What waits for a stop to be lifted.
    #[must_use]
    pub fn stop(stop: &Stop) -> Self {
        Self::Stop(stop.id, stop.kind, stop.subject.to_string(), stop.source.to_string())
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sight(reason) => write!(f, "sight of the validated ledger ({reason})"),
            Self::Ticket => f.write_str("a free Ticket of the account"),
            Self::SignerList => f.write_str("the account's SignerList, which is not on the ledger"),
            Self::FeeAboveCap => f.write_str("a lower network fee: it is above fees.fee_max"),
            Self::Condition => f.write_str("the escrow's condition"),
            Self::Signatures(weight, quorum, demands) => {
                write!(f, "signatures: weight {weight} of {quorum}")?;
                demands.iter().try_for_each(|demand| write!(f, ", {demand}"))
            }
            Self::OwnKey => f.write_str("the daemon's own key to sign"),
            Self::Signer(signer, reason) => {
                write!(f, "{signer} to sign, whose key the daemon holds: {reason}")
            }
            Self::Stop(id, kind, subject, by) => {
                write!(f, "the {} {id} by {by} on {subject} to be lifted", kind.word())
            }
            Self::Breaker(reason) => write!(f, "the circuit breaker to be closed ({reason})"),
            Self::Deadline => f.write_str("LastLedgerSequence to pass: the deadline is over"),
            Self::Ledger => f.write_str("a validated ledger"),
            Self::Unwanted(status) => write!(f, "CancelAfter: its proposal is {status}"),
            Self::Due(time) => write!(f, "ledger time to pass {time}, when it is due"),
            Self::FinishAfter(time) => write!(f, "ledger time to pass {time}, from when it may be finished"),
            Self::CancelAfter(time) => write!(f, "CancelAfter ({time}) to pass"),
            Self::Over => f.write_str("nothing: CancelAfter has passed, so it is taken back"),
            Self::Reading(account) => write!(f, "the ledger's state of {account} to be read"),
            Self::Recipient(account, problem) => write!(f, "the recipient {account}: {problem}"),
            Self::Funds(account, lacks) if !lacks.is_xrp() => {
                write!(f, "{} more on the trust line of {account}, beyond what is being sent", lacks.words())
            }
            Self::Funds(account, lacks) => {
                write!(f, "{} more on {account}: it cannot pay so much and keep its reserve", lacks.words())
            }
            Self::Frozen(account, asset) => {
                write!(
                    f,
                    "the issuer to thaw the {asset} of {account}, which pay nobody but the issuer until then"
                )
            }
            Self::Ended => f.write_str("nothing: the escrow has ended, or no proposal made it"),
            Self::Policy(rule) => {
                write!(f, "policy, which by now asks for more than was asked for (rule \"{rule}\")")
            }
            Self::Link(link) => write!(f, "the link {link}, which is not declared any more for such a move"),
            Self::GuardRefuses(code, reason) => write!(f, "the guard, which refuses ({code}): {reason}"),
            Self::GuardSilent(reason) => write!(f, "the guard, which does not answer: {reason}"),
            Self::Drained(account) => {
                write!(f, "somebody to look at {account}: money left it that nobody had proposed to spend")
            }
        }
    }
}
