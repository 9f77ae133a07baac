//! The lines of the log that people and programs rely on: one for each thing that they must know, with a name and fields
//! that stay. docs/reference/log.md is generated from the table here.
//!
//! Whatever else is logged helps whoever looks for a fault, and may change with every release.

mod happened;
mod reference;

use std::fmt::Display;

use treasury_tools::text::{clean, without_seeds};

use crate::redact;

pub(crate) use happened::happened;
pub use reference::reference;

/// Where all of them come from, in the log's own words.
pub(crate) const TARGET: &str = "treasuryd";

/// A line.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// Its name, in the field `line`.
    pub name: &'static str,
    /// `ERROR`, `WARN` or `INFO`.
    pub level: &'static str,
    /// Its fields with what they say.
    pub fields: &'static [(&'static str, &'static [&'static str])],
    /// When it comes.
    says: &'static [&'static str],
}

macro_rules! lines {
    ($($(#[doc = $says:literal])+ $name:ident $level:ident { $($(#[doc = $about:literal])+ $field:ident,)* })+) => {
        $($(#[doc = $says])+
        pub(crate) fn $name($($field: impl Display),*) {
            tracing::event!(
                target: TARGET,
                tracing::Level::$level,
                line = stringify!($name),
                $($field = %shown(&$field)),*
            );
        })+

        /// Every line, in the order of the reference.
        pub const LINES: &[Line] = &[$(Line {
            name: stringify!($name),
            level: stringify!($level),
            fields: &[$((stringify!($field), &[$($about),+])),*],
            says: &[$($says),+],
        }),+];

        /// Every line once, each field with this value.
        #[cfg(test)]
        fn all_with(value: &str) {
            $($name($(value_of(stringify!($field), value)),*);)+
        }
    };
}

lines! {
    /// The daemon runs and its API listens; sight comes later.
    started INFO {
        /// Version of the daemon.
        version,
        /// Where the API listens.
        listen,
        /// The policy that decides.
        policy,
        /// How many accounts are declared.
        accounts,
        /// How often the store has been opened by a daemon, this time included.
        generation,
        /// The host that opened it.
        host,
    }
    /// Another host opened the store before, as where a backup was restored or a disk copied: two daemons with one keystore
    /// act for one treasury without knowing of each other. See that the other one does not run.
    store_of_another_host WARN {
        /// This host.
        host,
        /// How often the store has been opened by a daemon, this time included.
        generation,
        /// The host that opened it before.
        before,
        /// How often it had been opened when that did so last.
        before_generation,
    }
    /// The configuration is right and dangerous all the same; `treasuryd config check` says the same.
    config_warning WARN {
        /// The key.
        key,
        /// What is dangerous about it.
        what,
    }
    /// The daemon was told to end, and does so in order.
    stopping INFO {
        /// By what: a signal, or the end of standard input.
        told_by,
    }
    /// The daemon has ended in order.
    stopped INFO {}
    /// The daemon did not start.
    not_started ERROR {
        /// Why.
        reason,
    }
    /// The engine stopped by itself; the process ends with 70 and is to be started again.
    engine_stopped ERROR {
        /// Why.
        reason,
    }
    /// A defect: a part of the daemon panicked.
    panicked ERROR {
        /// What and where.
        report,
    }
    /// The configuration was read anew and decides from now on. Sight is lost until everything has been looked at with it.
    config_reloaded INFO {
        /// The policy that decides.
        policy,
        /// How many accounts are declared.
        accounts,
    }
    /// The configuration was to be read anew and was refused whole: that of before still counts.
    config_refused ERROR {
        /// Everything that is wrong with it, or cannot change while the daemon runs.
        reason,
    }
    /// Another policy is configured than the one in force, and waits for people (`[activation]`).
    policy_candidate WARN {
        /// The table that waits.
        policy,
        /// Who puts it in force.
        wants,
    }
    /// Somebody wants the policy in force that waits.
    policy_endorsed INFO {
        /// The table.
        policy,
        /// Who.
        by,
        /// Why.
        reason,
    }
    /// An entry has come to the address book, and waits for people (`[confirmation]`).
    destination_waits WARN {
        /// The address.
        destination,
    }
    /// Enough people have confirmed it.
    destination_confirmed WARN {
        /// The address.
        destination,
    }
    /// Another policy is in force from now on.
    policy_activated WARN {
        /// The table.
        policy,
    }
    /// The validated ledger can be seen and vouched for.
    sight_clear INFO {
        /// The ledger.
        ledger,
    }
    /// It cannot: nothing is signed, submitted or released meanwhile.
    sight_lost WARN {
        /// Why.
        reason,
    }
    /// A ledger server is connected.
    endpoint_connected INFO {
        /// Which.
        endpoint,
        /// The ledger that it names.
        ledger,
    }
    /// A ledger server failed or contradicted itself; it is tried again.
    endpoint_left WARN {
        /// Which.
        endpoint,
        /// Why.
        reason,
    }
    /// An anomaly rule saw something.
    finding WARN {
        /// Its id.
        id,
        /// Which rule.
        kind,
        /// What follows: `log`, `alert`, `hold` or `freeze`.
        severity,
        /// The account.
        account,
        /// What was seen.
        evidence,
    }
    /// Something must not leave from now on.
    stop_set WARN {
        /// Its id.
        stop,
        /// `hold` or `freeze`.
        kind,
        /// What is stopped.
        subject,
        /// Who or what stops.
        by,
        /// Why.
        reason,
    }
    /// A stop was lifted.
    stop_lifted WARN {
        /// Its id.
        stop,
        /// Who lifted it.
        by,
        /// Why.
        reason,
    }
    /// Somebody has looked at a finding.
    finding_acknowledged INFO {
        /// Its id.
        finding,
        /// Who.
        by,
        /// What came of it.
        reason,
    }
    /// Somebody looks after what was told, so that it goes on to nobody else.
    notices_acknowledged INFO {
        /// The notices' ids.
        notices,
        /// Who.
        by,
        /// What is done about it.
        reason,
    }
    /// A circuit breaker stops the automated submissions of an account.
    breaker_opened ERROR {
        /// Whose.
        account,
        /// What its submissions fail for.
        cause,
        /// The failure that did it.
        reason,
    }
    /// They may go on.
    breaker_closed WARN {
        /// Whose.
        account,
        /// Who said so.
        by,
    }
    /// A signer whose key the daemon holds does not sign, or the ledger does not take it.
    signer_unable ERROR {
        /// Which.
        signer,
        /// Why.
        reason,
    }
    /// It signs again.
    signer_able INFO {
        /// Which.
        signer,
    }
    /// The guard gives nothing for what makes or releases an escrow. Told once for each code.
    guard_refuses WARN {
        /// The proposal that makes the escrow, or made it.
        proposal,
        /// The code: the guard's own, or what kept it from being asked.
        code,
        /// Why.
        reason,
    }
    /// The guard gives what it refused before.
    guard_gives INFO {
        /// The proposal that makes the escrow, or made it.
        proposal,
    }
    /// A guard (`treasuryd guard`) runs, and its API listens.
    guard_started INFO {
        /// Version of the program.
        version,
        /// Where its API listens.
        listen,
        /// How many ledger servers it asks.
        servers,
    }
    /// A guard made a condition, or gave again what it had made.
    guard_condition_made INFO {
        /// Owner and Sequence of the escrow.
        escrow,
        /// How much it will hold.
        amount,
        /// Who will be paid.
        destination,
        /// The condition.
        condition,
    }
    /// A guard gave its share: the escrow can be released from now on.
    guard_share_given WARN {
        /// Owner and Sequence of the escrow.
        escrow,
        /// How much it holds.
        amount,
        /// Who is paid.
        destination,
    }
    /// A guard refused.
    guard_declined WARN {
        /// `condition` or `share`.
        asked,
        /// Owner and Sequence of the escrow.
        escrow,
        /// The code.
        code,
        /// Why.
        reason,
    }
    /// Somebody stopped something at a guard.
    guard_stopped WARN {
        /// Its id.
        stop,
        /// What is stopped.
        subject,
        /// By whom.
        by,
        /// Why.
        reason,
    }
    /// Somebody lifted a stop at a guard.
    guard_lifted WARN {
        /// Which.
        stop,
        /// By whom.
        by,
    }
    /// Somebody, or the daemon itself, asks for something, and policy has decided.
    proposal_drafted INFO {
        /// The proposal.
        proposal,
        /// The account that sends.
        account,
        /// What is wanted.
        what,
        /// Who asks.
        asker,
        /// The rule that decided.
        rule,
        /// `allow`, `approve`, `delay` or `deny`.
        action,
    }
    /// Policy asks for more than when it was drafted.
    proposal_redecided WARN {
        /// The proposal.
        proposal,
        /// The rule that decides now.
        rule,
        /// What it says.
        action,
    }
    /// A checked approval came in.
    approval_taken INFO {
        /// The proposal.
        proposal,
        /// Whose signatures.
        signer,
        /// Who brought them.
        by,
    }
    /// An approval counts no more.
    approval_dropped INFO {
        /// The proposal.
        proposal,
        /// Whose it was.
        signer,
        /// Why.
        reason,
    }
    /// Somebody spoke against a proposal.
    objection INFO {
        /// The proposal.
        proposal,
        /// Who.
        by,
        /// Why.
        reason,
    }
    /// Approvals suffice.
    proposal_ready INFO {
        /// The proposal.
        proposal,
    }
    /// A transaction is about to be sent, and that is on record.
    submission_recorded INFO {
        /// The proposal.
        proposal,
        /// The transaction that goes first.
        transaction,
        /// Its fee in drops.
        fee_drops,
        /// After this ledger it can never be applied.
        last_ledger,
    }
    /// A server answered to a submission. Provisional: only a validated ledger counts.
    submission_answered INFO {
        /// The proposal.
        proposal,
        /// The transaction.
        transaction,
        /// The server's result, `busy`, `unknown` or `not_sent`, and its words.
        reply,
    }
    /// A proposal ended.
    proposal_ended INFO {
        /// The proposal.
        proposal,
        /// How: `validated`, `failed`, `expired`, `denied`, `rejected`, `withdrawn`, `superseded` or `voided`.
        status,
        /// The ledger's result, where it was applied.
        result,
        /// The transaction, where there is one.
        transaction,
    }
    /// An escrow of a treasury account came to be.
    escrow_seen INFO {
        /// Which, as `owner:sequence`.
        escrow,
        /// Who receives it.
        destination,
        /// How much of what, such as `5 XRP`.
        amount,
    }
    /// The fulfillment of an escrow is about to be sent: there is no way back.
    escrow_revealed WARN {
        /// Which.
        escrow,
        /// The EscrowFinish.
        proposal,
    }
    /// An escrow of a treasury account is gone from the ledger.
    escrow_ended INFO {
        /// Which.
        escrow,
        /// By what: `EscrowFinish` paid the destination, `EscrowCancel` gave it back.
        by,
        /// The transaction.
        transaction,
    }
    /// Requests came with tokens that are nobody's. At most one line a second.
    token_refused WARN {
        /// What was asked for.
        operation,
        /// Where it came from last: the client, or the proxy before it.
        from,
        /// How many since the last line.
        count,
    }
    /// Somebody could not log in at the provider of logins. At most one line a second, those of `token_refused` among them.
    login_failed WARN {
        /// What the page says: `OIDC_NOBODY`, `OIDC_PROVIDER_SILENT` and others.
        code,
        /// Why.
        reason,
        /// Where it came from: the client, or the proxy before it.
        from,
        /// How many since the last line.
        count,
    }
    /// What came in place of a gesture with a passkey, or of a passkey that was made, was none.
    gesture_refused WARN {
        /// Whose session it came with.
        person,
        /// What it was for.
        operation,
        /// Why.
        reason,
    }
    /// Somebody asked for what they may not.
    request_forbidden WARN {
        /// Who.
        person,
        /// What was asked for.
        operation,
        /// The code of the refusal.
        code,
    }
    /// Somebody sends more requests than a person may. At most one line a second for each person.
    requests_limited WARN {
        /// Who.
        person,
        /// What was asked for last.
        operation,
    }
    /// Somebody on this machine has copied the store while the daemon runs, signatures included.
    store_copied WARN {
        /// How many records.
        records,
    }
    /// A notice was tried for hours, or its receiver wants it no more, and is sent again only where somebody says so.
    notice_given_up ERROR {
        /// The channel.
        channel,
        /// The notice's id.
        id,
        /// What went wrong last.
        problem,
    }
    /// The whole audit log was proven, and what is gone from it is what it says was taken away. Keep these lines where nobody can change them, and the log cannot be written anew
    /// unnoticed.
    audit_proven INFO {
        /// How many entries.
        entries,
        /// The hash of the last one.
        head,
    }
    /// The audit log is not what was written: somebody has changed it, or its disk has; or something is gone from it that it
    /// does not say was taken away.
    audit_broken ERROR {
        /// What is wrong first.
        problem,
    }
    /// Nothing can be written to the audit log. Everything else goes on, and what happens meanwhile is written down later,
    /// but for what was refused.
    audit_stuck ERROR {
        /// Why.
        reason,
    }
    /// An entry of the outbox is damaged, by its disk or by whoever wrote to it. It is left out: a notice that is damaged is told
    /// to nobody any more, and one of which it is not known whether it was delivered is sent again.
    outbox_entry_damaged ERROR {
        /// Its key there.
        key,
        /// What is wrong with it.
        reason,
    }
    /// A channel is configured no more, and notices waited for it. They go by the routes of now.
    channel_gone WARN {
        /// Its name.
        channel,
        /// How many waited.
        given_up,
        /// How many of them go nowhere else.
        lost,
    }
    /// A notice has more channels or alerts than are kept with one: whoever stands behind those is not told of it.
    notice_cut ERROR {
        /// The notice's id.
        id,
        /// How many are left out.
        left_out,
    }
    /// What the archive has of an ended proposal cannot be read: a stop of it is told by its id alone, and what
    /// else happens to it is not.
    archive_damaged ERROR {
        /// The proposal.
        proposal,
        /// What is wrong.
        problem,
    }
    /// Records of the store cannot be read: nobody is told of what they say, and everybody of what comes after them. See
    /// `treasuryd store check`.
    records_untold ERROR {
        /// The number of the first.
        first,
        /// And of the last.
        last,
        /// What is wrong with the first.
        reason,
    }
    /// Notices cannot be kept: until that is mended nobody is told of what happens, and everything else goes on.
    notices_stuck ERROR {
        /// Why.
        reason,
    }
    /// The reader of the log was too slow.
    lines_lost WARN {
        /// How many lines are lost.
        lines,
    }
}

/// What may come from outside, on one line, without what a terminal would obey and without secrets of addresses.
pub(crate) fn shown(value: &impl Display) -> String {
    clean(&redact::addresses(&without_seeds(&value.to_string())))
}

#[cfg(test)]
fn value_of(field: &str, value: &str) -> String {
    format!("{field} {value}")
}

#[cfg(test)]
mod tests;
