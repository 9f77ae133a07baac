//! What a failed submission means for what is tried next.
//!
//! The result codes and what they say are the ledger server's (its `TER` codes, by prefix: `tel` local,
//! `tem` malformed, `tef` failure, `ter` retry, `tec` claimed fee). Which class each belongs to is decided
//! here, by one question: what has to change before the same kind of transaction can succeed?
//!
//! | class | what has to change | what the daemon does |
//! |---|---|---|
//! | transient | nothing but time, the server or the fee | sends the same bytes, or a dearer rung, with every ledger |
//! | permanent | the transaction itself | sends it no more; it stays recorded until LastLedgerSequence has passed |
//! | systemic | the account, its keys, the server or the network | as its code says; counts towards the circuit breaker |
//! | partial | nothing: it is over. The fee and the slot are spent, and nothing else has happened | ends the proposal as failed |

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::input::SubmitReply;
use crate::model::intent::Asker;

/// What kind of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FailureClass {
    /// Time, another server or a dearer rung may be all that is needed.
    Transient,
    /// These bytes can never be applied; another transaction may.
    Permanent,
    /// Whatever is sent next for this account or by this daemon will fail in the same way, until somebody
    /// mends what is wrong.
    Systemic,
    /// A validated `tec`: it took the fee and the slot, and did nothing else.
    Partial,
}

impl FailureClass {
    /// Every class.
    pub const ALL: [Self; 4] = [Self::Transient, Self::Permanent, Self::Systemic, Self::Partial];

    /// The word for metrics and people.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::Permanent => "permanent",
            Self::Systemic => "systemic",
            Self::Partial => "partial",
        }
    }

    /// Whether the circuit breaker counts it. An errand of the daemon's own is made in the same way the
    /// next time, so whatever makes one impossible makes the next one impossible too.
    #[must_use]
    pub fn counts(self, asker: &Asker) -> bool {
        match self {
            Self::Systemic => true,
            Self::Permanent | Self::Partial => *asker == Asker::Daemon,
            Self::Transient => false,
        }
    }
}

/// What has to be mended before an account's submissions can go through: what a circuit breaker counts by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Its keys, its SignerList, or the daemon's signer.
    Keys,
    /// Its XRP: the fee or the reserve.
    Funds,
    /// The server belongs to another network, or an amendment is lacking.
    Network,
    /// The daemon's own errands come to nothing for another reason.
    #[default]
    Errand,
}

impl Cause {
    /// The word for lists and people.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Funds => "funds",
            Self::Network => "network",
            Self::Errand => "errand",
        }
    }

    /// What an engine result or a validated result points at.
    #[must_use]
    pub fn of(code: &str) -> Self {
        match code {
            "terINSUF_FEE_B" | "terNO_ACCOUNT" | "tecINSUFF_FEE" | "tecINSUFFICIENT_RESERVE" => Self::Funds,
            "tefBAD_AUTH"
            | "tefBAD_AUTH_MASTER"
            | "tefMASTER_DISABLED"
            | "tefBAD_SIGNATURE"
            | "tefBAD_QUORUM"
            | "tefNOT_MULTI_SIGNING" => Self::Keys,
            "temDISABLED"
            | "temUNKNOWN"
            | "telWRONG_NETWORK"
            | "telREQUIRES_NETWORK_ID"
            | "telNETWORK_ID_MAKES_TX_NON_CANONICAL" => Self::Network,
            _ => Self::Errand,
        }
    }
}

/// Whether a validated result is the recipient's doing, or that of the entry it was about: it has DepositAuth,
/// is gone, asks for a tag, or somebody else was there first. It says nothing about the account that sent it.
#[must_use]
pub fn is_recipients(result: &str) -> bool {
    matches!(
        result,
        "tecNO_PERMISSION"
            | "tecNO_DST"
            | "tecNO_DST_INSUF_XRP"
            | "tecDST_TAG_NEEDED"
            | "tecNO_TARGET"
            | "tecNO_ENTRY"
            | "tecFROZEN"
            | "tecNO_AUTH"
            | "tecNO_LINE"
    )
}

impl fmt::Display for FailureClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The class of a server's answer to a submission; `None` where it is no failure (`tesSUCCESS`, and
/// `terQUEUED`: it waits in the server's queue). Provisional, as the answer is.
#[must_use]
pub fn of_reply(reply: &SubmitReply) -> Option<FailureClass> {
    match reply {
        // The reply may be what was lost, so the transaction may have arrived.
        SubmitReply::Busy(_) | SubmitReply::Unknown(_) => Some(FailureClass::Transient),
        SubmitReply::NotSent => None,
        SubmitReply::Engine(code) => of_engine_result(code),
    }
}

fn of_engine_result(code: &str) -> Option<FailureClass> {
    match code {
        "tesSUCCESS" | "terQUEUED" => None,
        // The sender cannot pay a fee or does not exist; its keys, its list or an amendment do not allow
        // what was made; the server belongs to another network.
        "terINSUF_FEE_B"
        | "terNO_ACCOUNT"
        | "tefBAD_AUTH"
        | "tefBAD_AUTH_MASTER"
        | "tefMASTER_DISABLED"
        | "tefBAD_SIGNATURE"
        | "tefBAD_QUORUM"
        | "tefNOT_MULTI_SIGNING"
        | "temDISABLED"
        | "temUNKNOWN"
        | "telWRONG_NETWORK"
        | "telREQUIRES_NETWORK_ID"
        | "telNETWORK_ID_MAKES_TX_NON_CANONICAL"
        | "tecINSUFF_FEE"
        | "tecINSUFFICIENT_RESERVE" => Some(FailureClass::Systemic),
        code if code.starts_with("tem") => Some(FailureClass::Permanent),
        // `tel`, `ter` and `tec` may turn out otherwise in a validated ledger. So may what is left of
        // `tef`: tefPAST_SEQ, tefNO_TICKET, tefALREADY and tefMAX_LEDGER say that the slot is used or the
        // time is over in that server's open ledger, which is not a validated one.
        _ => Some(FailureClass::Transient),
    }
}

/// The class of a result in a validated ledger, where it is final; `None` for `tesSUCCESS`.
#[must_use]
pub fn of_outcome(result: &str) -> Option<FailureClass> {
    match result {
        "tesSUCCESS" => None,
        "tecINSUFF_FEE" | "tecINSUFFICIENT_RESERVE" => Some(FailureClass::Systemic),
        _ => Some(FailureClass::Partial),
    }
}

/// Whether the server that said so takes the transaction for good.
#[must_use]
pub fn is_taken(reply: &SubmitReply) -> bool {
    matches!(reply, SubmitReply::Engine(result) if result == "tesSUCCESS" || result == "terQUEUED")
}

/// What counts of what servers said of a transaction that was sent to all of them: that one took it counts most. That it can never be
/// applied counts only where all say so, because any one may be wrong; and that it was not sent, only where it was sent nowhere.
/// Where some have not answered, neither is known.
#[must_use]
pub fn together(said: Vec<SubmitReply>, all_answered: bool) -> SubmitReply {
    let rank = |reply: &SubmitReply| match reply {
        taken if is_taken(taken) => 5,
        SubmitReply::Engine(result) if may_come_good(result) => 4,
        SubmitReply::Busy(_) => 3,
        SubmitReply::Unknown(_) => 2,
        SubmitReply::Engine(_) => 1,
        SubmitReply::NotSent => 0,
    };
    let unsent = said.contains(&SubmitReply::NotSent);
    match said.into_iter().rev().max_by_key(rank) {
        None => SubmitReply::Unknown("no connection to a ledger server".to_owned()),
        Some(SubmitReply::NotSent) if !all_answered => {
            SubmitReply::Unknown("called back, and some servers have not answered".to_owned())
        }
        Some(SubmitReply::Engine(result)) if !may_come_good(&result) && (unsent || !all_answered) => {
            SubmitReply::Unknown(format!("{result} by some servers, and others have not answered"))
        }
        Some(reply) => reply,
    }
}

/// Whether sending the same bytes again may still help after this answer. It cannot where they are
/// malformed, or where their signatures do not count; all else may change by itself.
#[must_use]
pub fn may_come_good(reply: &str) -> bool {
    let refused = reply.starts_with("tem")
        || matches!(
            reply,
            "tefBAD_SIGNATURE"
                | "tefBAD_QUORUM"
                | "tefNOT_MULTI_SIGNING"
                | "tefBAD_AUTH"
                | "tefBAD_AUTH_MASTER"
                | "tefMASTER_DISABLED"
        );
    !refused
}
