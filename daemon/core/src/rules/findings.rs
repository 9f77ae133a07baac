//! What anomaly rules look at, and what a hold still stops.

use std::collections::BTreeMap;

use xrpl_wire::IouValue;

use crate::model::config::{FindingKind, Signing, Treasury};
use crate::model::observe::{RootView, SignerListView, TrustLineView};
use crate::model::proposal::{Proposal, Status};
use crate::model::settings::{DeclaredSettings, FLAGS};
use crate::model::signing::Purpose;
use crate::model::state::{Guard, State, TrackedEscrow};
use crate::model::units::{AccountId, Asset, Drops, HexBytes};
use crate::rules::escrow::{Phase, is_revealed, phase};
use crate::rules::lockout::{self, By};

/// Whether a hold on this proposal still stops something: its submission, its being sent again, or its
/// escrow's release.
#[must_use]
pub fn can_be_held(state: &State, proposal: &Proposal) -> bool {
    // An attempt to end an escrow is one of many: what counts is what has become of the escrow.
    if let Some(escrow) = proposal.intent.ended_escrow() {
        return state.escrows.get(&escrow).is_some_and(|tracked| can_be_withheld(state, tracked));
    }
    match &proposal.status {
        Status::Drafted | Status::Assessed | Status::Collecting | Status::Ready => true,
        // It may not have reached a server yet; then it is not sent again. Its void is never stopped, but where the payment
        // is quicker, the escrow that comes of it is.
        Status::InFlight(submission) => {
            submission.purpose == Purpose::Pay || proposal.release_inputs().is_some()
        }
        Status::Validated(_) => proposal.release_inputs().is_some_and(|inputs| {
            state.escrows.get(&inputs.escrow).is_some_and(|tracked| can_be_withheld(state, tracked))
        }),
        _ => false,
    }
}

/// Whether the escrow's fulfillment can still be held back, and holding it back changes where the money goes.
#[must_use]
pub fn can_be_withheld(state: &State, tracked: &TrackedEscrow) -> bool {
    match tracked.guard {
        Guard::Locked { .. } => phase(state, tracked) != Phase::Over,
        Guard::Releasing { .. } => !is_revealed(state, tracked),
        _ => false,
    }
}

/// Whether the escrow's fulfillment was recorded as revealed and no server has said anything of it: a stop may call it back, and
/// then holds it back.
#[must_use]
pub fn may_be_called_back(state: &State, tracked: &TrackedEscrow) -> bool {
    let Guard::Releasing { attempt, revealed_at, .. } = tracked.guard else { return false };
    let attempt = attempt.and_then(|attempt| state.proposals.get(&attempt));
    // A later attempt says nothing about the one that revealed it.
    attempt.is_some_and(|attempt| {
        matches!(&attempt.status, Status::InFlight(submission)
            if submission.is_on_its_way() && submission.since == revealed_at)
    })
}

/// In words, how the account's SignerList differs from what is declared; `None` where it does not.
#[must_use]
pub fn drift(config: &Treasury, state: &State, account: &AccountId) -> Option<String> {
    let declared = config.accounts.get(account)?.signers.as_ref()?;
    let view = state.accounts.get(account)?;
    let Some(SignerListView { quorum, entries }) = &view.signer_list else {
        return Some("the account has no SignerList on the ledger".to_owned());
    };
    if *quorum == declared.quorum && *entries == declared.entries {
        return None;
    }
    let mut words = Vec::new();
    if *quorum != declared.quorum {
        words.push(format!("SignerQuorum is {quorum}, declared {}", declared.quorum));
    }
    let name = |account: &AccountId| match config.name_of(account) {
        Some(name) => format!("{name} ({account})"),
        None => account.to_string(),
    };
    for (signer, weight) in entries {
        match declared.entries.get(signer) {
            None => words.push(format!("{} signs with weight {weight}, not declared", name(signer))),
            Some(should) if should != weight => {
                words.push(format!("{} has weight {weight}, declared {should}", name(signer)));
            }
            Some(_) => {}
        }
    }
    words.extend(
        declared
            .entries
            .keys()
            .filter(|signer| !entries.contains_key(*signer))
            .map(|signer| format!("{} is missing", name(signer))),
    );
    (!words.is_empty()).then(|| words.join("; "))
}

/// In words, how what else is set of the account differs from what is declared; `None` where it does not, as far as it is known:
/// what was not read yet is not compared, and neither is what is not declared.
#[must_use]
pub fn settings_drift(config: &Treasury, state: &State, account: &AccountId) -> Option<String> {
    let declared = &config.accounts.get(account)?.settings;
    let view = state.accounts.get(account)?;
    let root = view.root?;
    let mut words = Vec::new();
    if let Some(settings) = &view.settings {
        words.extend(domain_drift(declared, &settings.domain.0));
        let (rate, should) = (settings.transfer_rate, declared.transfer_rate);
        let differs = should.filter(|should| *should != rate);
        words.extend(differs.map(|should| format!("TransferRate is {rate}, declared {should}")));
    }
    if let Some(should) = declared.flags {
        let differs = FLAGS.iter().filter(|(_, flag)| (root.flags ^ should) & flag != 0);
        words.extend(differs.map(|(name, flag)| match root.flags & flag {
            0 => format!("{name} is not set, declared"),
            _ => format!("{name} is set, not declared"),
        }));
    }
    if let Some((should, lines)) = declared.trust_lines.as_ref().zip(view.trust_lines.as_ref()) {
        words.extend(line_drift(should, lines));
    }
    (!words.is_empty()).then(|| words.join("; "))
}

fn domain_drift(declared: &DeclaredSettings, domain: &[u8]) -> Option<String> {
    let should = declared.domain.as_ref().filter(|should| should.as_bytes() != domain)?;
    // Whoever set it chose its letters, and people read this.
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let is = match std::str::from_utf8(domain) {
        Ok("") => "is not set".to_owned(),
        Ok(text) if domain.iter().all(plain) => format!("is {text}"),
        _ => format!("is no host's name, in hexadecimal {}", HexBytes(domain.to_vec())),
    };
    Some(format!("Domain {is}, declared {}", if should.is_empty() { "none" } else { should }))
}

/// So many trust lines are named: how many stand is up to whoever has the account's key.
const LINES_NAMED: usize = 20;

fn line_drift(should: &BTreeMap<Asset, IouValue>, lines: &BTreeMap<Asset, TrustLineView>) -> Vec<String> {
    let limit = |asset: &Asset| lines.get(asset).map_or(IouValue::ZERO, |line| line.limit);
    let missing = should.iter().filter(|(asset, should)| limit(asset) != **should).map(|(asset, should)| {
        match lines.get(asset) {
            Some(line) => format!("the limit of {asset} is {}, declared {should}", line.limit),
            None => format!("there is no trust line of {asset}, declared with the limit {should}"),
        }
    });
    let beside = lines.iter().filter(|(asset, line)| !should.contains_key(asset) && !line.limit.is_zero());
    let beside = beside
        .map(|(asset, line)| format!("a trust line of {asset} has the limit {}, not declared", line.limit));
    let mut words: Vec<String> = missing.chain(beside).collect();
    let more = words.len().saturating_sub(LINES_NAMED);
    if more > 0 {
        words.truncate(LINES_NAMED);
        words.push(format!("and {more} trust lines more"));
    }
    words
}

/// The kinds of what [`standing`] sees.
pub const STANDING: [FindingKind; 5] = [
    FindingKind::KeyBesideList,
    FindingKind::FewSigners,
    FindingKind::OneLossLocks,
    FindingKind::SettingsDrift,
    FindingKind::RunnerPoor,
];

/// What is wrong with how a declared account stands, whoever made it so; each kind with what is seen.
#[must_use]
pub fn standing(config: &Treasury, state: &State, account: &AccountId) -> BTreeMap<FindingKind, String> {
    let mut wrong = BTreeMap::new();
    let Some(declared) = config.accounts.get(account) else { return wrong };
    let view = state.accounts.get(account);
    let Some(root) = view.and_then(|view| view.root) else { return wrong };
    let list = view.and_then(|view| view.signer_list.as_ref()).filter(|_| declared.signing == Signing::Multi);
    if list.is_some() {
        wrong.extend(beside_list(&root).map(|what| (FindingKind::KeyBesideList, what)));
    }
    if let Some((list, declared)) = list.zip(declared.signers.as_ref()) {
        let what = few_signers(state, list, declared.entries.values().map(|weight| u32::from(*weight)).sum());
        wrong.extend(what.map(|what| (FindingKind::FewSigners, what)));
        // Keys that the daemon alone holds are lost with it, all at once, and are meant to be.
        if list.entries.keys().any(|signer| !config.agents.contains(signer)) {
            let alone = one_loss(lockout::one_loss_locks(config, state, account));
            wrong.extend(alone.map(|what| (FindingKind::OneLossLocks, what)));
        }
    }
    let settings = settings_drift(config, state, account);
    wrong.extend(settings.map(|what| (FindingKind::SettingsDrift, what)));
    if config.runner == Some(*account) {
        wrong.extend(poor(config, state, &root).map(|what| (FindingKind::RunnerPoor, what)));
    }
    wrong
}

/// In words, what of its loss alone locks an account.
fn one_loss(alone: Vec<(By, Vec<String>)>) -> Option<String> {
    let words: Vec<String> =
        alone.iter().map(|(by, names)| format!("by {}: {}", by.word(), names.join(", "))).collect();
    (!words.is_empty()).then(|| format!("the loss of one alone would lock the account: {}", words.join("; ")))
}

/// By which keys an account can be spent beside its SignerList; `None`: by none.
#[must_use]
pub fn beside_list(root: &RootView) -> Option<String> {
    let keys = match (!root.master_disabled(), root.regular_key) {
        (false, None) => return None,
        (true, None) => "its master key".to_owned(),
        (false, Some(regular)) => format!("its RegularKey, {regular},"),
        (true, Some(regular)) => format!("its master key and its RegularKey, {regular},"),
    };
    Some(format!("{keys} can sign for the account without its SignerList"))
}

/// Some of the declared weight is lost, and without the heaviest of those who can sign the quorum is out of reach.
fn few_signers(state: &State, list: &SignerListView, declared: u32) -> Option<String> {
    let able = list.entries.iter().filter(|(signer, _)| !state.unable.contains_key(*signer));
    let weights: Vec<u32> = able.map(|(_, weight)| u32::from(*weight)).collect();
    let weight: u32 = weights.iter().sum();
    let left = weight.saturating_sub(weights.iter().copied().max().unwrap_or_default());
    (weight < declared && left < list.quorum.0).then(|| {
        format!(
            "{} signers with weight {weight} of the declared {declared} can sign; without one more the SignerQuorum, {}, is \
             out of reach",
            weights.len(),
            list.quorum
        )
    })
}

fn poor(config: &Treasury, state: &State, root: &RootView) -> Option<String> {
    let fees = state.fees?;
    let reserve =
        fees.reserve_inc.checked_mul(u64::from(root.owner_count))?.checked_add(fees.reserve_base)?;
    let has = root.balance.checked_sub(reserve).unwrap_or(Drops::ZERO);
    let needs = config.fees.fee_max.checked_mul(2)?;
    (has < needs).then(|| {
        format!(
            "it has {} XRP above its reserve; two transactions may burn {} XRP",
            has.to_xrp_string(),
            needs.to_xrp_string()
        )
    })
}

/// In words, what of an account that is to be paid is another than before; `None` where nothing is that matters.
#[must_use]
pub fn recipient_changed(before: &RootView, now: Option<&RootView>) -> Option<String> {
    let Some(now) = now else { return Some("it was deleted".to_owned()) };
    let came = |flag: u32| before.flags & flag == 0 && now.flags & flag != 0;
    let mut words: Vec<String> = Vec::new();
    if came(LSF_DEPOSIT_AUTH) {
        words.push("it asks for DepositAuth now".to_owned());
    }
    if came(LSF_REQUIRE_DEST_TAG) {
        words.push("it asks for a DestinationTag now".to_owned());
    }
    if before.master_disabled() != now.master_disabled() {
        words.push(format!(
            "its master key is {} now",
            if now.master_disabled() { "disabled" } else { "enabled" }
        ));
    }
    if before.regular_key != now.regular_key {
        words.push(
            now.regular_key
                .map_or("it has no RegularKey now".to_owned(), |key| format!("its RegularKey is {key} now")),
        );
    }
    (!words.is_empty()).then(|| words.join("; "))
}

/// `lsfDepositAuth`: only itself and whom it has preauthorized may pay it.
const LSF_DEPOSIT_AUTH: u32 = 0x0100_0000;

/// `lsfRequireDestTag`: it is paid only with a DestinationTag.
const LSF_REQUIRE_DEST_TAG: u32 = 0x0002_0000;
