//! What each kind of finding means.

use treasury_core::config::FindingKind;

/// What a kind of finding means, for the reference.
pub(super) fn meaning(kind: FindingKind) -> &'static str {
    match kind {
        FindingKind::SpendWithoutProposal => {
            "A transaction of a treasury account that no proposal asked for."
        }
        FindingKind::ForeignEscrow => "An escrow of a treasury account that no proposal asked for.",
        FindingKind::SignerListDrift => "A SignerList differs from what is declared.",
        FindingKind::SettingsDrift => {
            "Domain, TransferRate, flags or trust lines of an account differ from what `[account.settings]` declares. Said when they come to, with another configuration, and at the start."
        }
        FindingKind::TicketTaken => "A Ticket that a proposal held was used by another transaction.",
        FindingKind::ViewDiffers => {
            "A server's reading of an account differs from what the proven ledgers say; sight is lost until another agrees with them."
        }
        FindingKind::SubmissionRefused => "A transaction was refused for a reason that will not pass.",
        FindingKind::HistoryMissing => {
            "No endpoint has ledgers that were not taken in: what the account did in them is not known."
        }
        FindingKind::OpaqueTransaction => {
            "A transaction that this release cannot read whole touched the account; nothing is sent for it until it has been read anew."
        }
        FindingKind::SentElsewhere => {
            "A proposal's transaction was sent by somebody else: before the daemon sent it, after it had ended, or with other signers than the daemon put together."
        }
        FindingKind::KeysElsewhere => {
            "A key that the daemon holds signed what the daemon did not ask for: another daemon runs with the same keystore, or this one's store is a restored copy."
        }
        FindingKind::AgentCannotSign => {
            "A key that the daemon holds did not sign for the account, or the ledger does not let it: an agent's RegularKey was changed, or its key is missing."
        }
        FindingKind::UnusualAmount => {
            "A payment is asked for that is far above what the account has paid of late (`[risk]`). A stop is on its proposal."
        }
        FindingKind::LargeToNew => {
            "A payment to a new destination is asked for that is above what `[risk]` says. A stop is on its proposal."
        }
        FindingKind::Velocity => {
            "An account pays more often than `[risk]` says. A stop is on the proposal that is one too many."
        }
        FindingKind::ListedDestination => {
            "A payment to somebody on a list that `[risk]` names is asked for. A stop is on its proposal."
        }
        FindingKind::ManyRejections => {
            "What somebody asked for was rejected more often than `[anomaly]` says. A stop is on the account of the last one."
        }
        FindingKind::RevealPending => {
            "A fulfillment has left, and its EscrowFinish is in no validated ledger (`[anomaly]`). A stop is on the escrow; a hold cannot take back what is revealed."
        }
        FindingKind::ScheduleMissed => {
            "A scheduled payment could not be asked for until it was more than its `late_max` late, or policy denies it."
        }
        FindingKind::RunwayShort => {
            "An account that no link fills, with all that is filled from it, lasts with one asset for less than one of `forecast.warn_days`. Once for each asset and each of them, and again after it has been a quarter better."
        }
        FindingKind::OneLossLocks => {
            "The loss of one key, person, vendor or place would put the SignerQuorum of an account out of reach (`treasuryctl lockout`). Said when it comes to be so, and at the start."
        }
        FindingKind::FailedLogins => {
            "Tokens, logins or gestures from one address were refused more often than `[anomaly]` says. A stop is on everything."
        }
        FindingKind::ClockSkew => {
            "The host's clock is apart from the ledger's by more than `[anomaly]` says, and has been for a while. A stop is on everything."
        }
        FindingKind::Blind => {
            "The validated ledger was not seen for longer than `[anomaly]` says. Once while it lasts; where the daemon did not run meanwhile, when it is seen again. A stop is on everything."
        }
        FindingKind::RuleSilenced => {
            "The configuration came to tell nobody of what a rule finds that tells somebody by itself: severity `log`, or no `unusual_amount` in `[risk]`. It cannot be `log` itself."
        }
        FindingKind::DrillOverdue => {
            "A person who signs was asked to show that they have their key, and has not within `drills.answer`. Once for each time they are asked; a stop is on the first account that they sign for."
        }
        FindingKind::GuardRefused => {
            "The guard refuses its part of what makes or releases an escrow. Once for each of its codes; a stop is on the proposal."
        }
        FindingKind::GuardSilent => {
            "The guard does not answer, and half of an escrow's window is over. A stop is on the escrow."
        }
        FindingKind::SignaturesRefused => {
            "Signatures of somebody were refused more often than `[anomaly]` says. A stop is on the account of the last one."
        }
        FindingKind::KeyBesideList => {
            "A key can sign for a multi-signed account beside its SignerList: its master key is enabled, or it has a RegularKey. Said when it comes to be so, and at the start."
        }
        FindingKind::FewSigners => {
            "Of the declared signers some cannot sign (their keys do not, or they left the SignerList), and one more loss would put the SignerQuorum out of reach."
        }
        FindingKind::RunnerPoor => {
            "What the runner has above its reserve pays for less than two transactions at `fees.fee_max`: soon nothing can be released or taken back."
        }
        FindingKind::RecipientChanged => {
            "The destination of an escrow that waits was deleted, came to ask for DepositAuth or a DestinationTag, or has another RegularKey or master key setting: whoever asked for the payment should look whether it is still theirs. With `hold` nothing is paid to it."
        }
    }
}
