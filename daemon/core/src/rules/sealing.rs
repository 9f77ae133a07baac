//! The transaction of a proposal: its slot and terms, its bytes at each fee, whose signatures suffice, and whether
//! what a signer gave is what was asked for.

use xrpl_wire::typed::{AccountSet, EscrowCreate};
use xrpl_wire::{PublicKey, Transaction, TxBody, TxCommon, sf};

use crate::model::config::{Signing, Treasury};
use crate::model::intent::{Asker, Intent, Takes};
use crate::model::observe::intent_digest;
use crate::model::policy::{Delay, NO_ESCROW};
use crate::model::proposal::{Ladder, Plan, Proposal, SignedRung};
use crate::model::signing::{FIRST_KEY, Party, ReleaseInputs, Slot};
use crate::model::state::{Sight, State};
use crate::model::units::{Drops, EscrowKey, HexBytes, RippleTime};
use crate::model::wait::Wait;
use crate::rules::{fee, multisign};

/// Ledgers beyond those of the deadline: close times are rounded to as much as 30 s.
const SPARE_LEDGERS: u32 = 10;

/// The plan of a drafted proposal, or what it waits for.
pub(crate) fn make_plan(config: &Treasury, state: &State, proposal: &Proposal) -> Result<Plan, Wait> {
    if let Sight::Lost(reason) = &state.sight {
        return Err(Wait::Sight(reason.clone()));
    }
    let (Some(point), Some(fees)) = (state.ledger, state.fees) else {
        // Fees come with the first ledger that closes after the accounts were read.
        return Err(Wait::Ledger);
    };
    let account = proposal.account;
    // The Ticket that it would take may have been used by what could not be read.
    if state.doubtful.contains(&account) {
        return Err(Wait::Reading(account));
    }
    let slot = match proposal.intent.row().takes {
        Takes::Sequence => {
            let root = state.accounts.get(&account).and_then(|view| view.root).ok_or(Wait::Ticket)?;
            let slot = Slot::Sequence(root.sequence);
            if state.slots.contains_key(&(account, slot)) {
                return Err(Wait::Ticket);
            }
            slot
        }
        Takes::Ticket => Slot::Ticket(state.free_tickets(&account).next().ok_or(Wait::Ticket)?),
    };
    let (obligations, asker) = (&proposal.decision.obligations, &proposal.asker);
    let (signers, alone) = match config.accounts.get(&account).map(|declared| declared.signing) {
        Some(Signing::Single) => (0, true),
        _ => {
            let list = multisign::signer_list(state, &account).ok_or(Wait::SignerList)?;
            // Whoever of those who can sign does so in the end, the first rung is enough for them.
            let signers = multisign::signatures_needed(config, list, obligations, asker);
            (signers, *asker == Asker::Daemon && multisign::agents_suffice(config, list, obligations))
        }
    };
    let release = release_for(state, &proposal.intent).flatten();
    let fulfillment = proposal.intent.released_escrow().map(|_| {
        let party = release.map_or(Party::Own, |inputs| inputs.party);
        party.fulfillment_bytes()
    });
    // What one key signs is signed when it leaves, so nobody has to make it worthless before.
    let is_voidable = obligations.void && signers > 0;
    let limits = if is_voidable { fee::below_void(&config.fees) } else { config.fees.clone() };
    let ladder = fee::ladder(fees.base_fee, fee::reference_units(signers, fulfillment), &limits);
    if ladder.is_empty() {
        return Err(Wait::FeeAboveCap);
    }
    let (deadline_seconds, ledgers) = time_to_sign(config, proposal, alone);
    let mut deadline = RippleTime(point.close_time.0.saturating_add(deadline_seconds));
    if let Some(occurrence) = &proposal.occurrence {
        if occurrence.until <= point.close_time {
            return Err(Wait::Deadline);
        }
        // However late a Ticket came, it is not sent later than was said.
        deadline = deadline.min(occurrence.until);
    }
    let delay = match (obligations.delay, proposal.intent.movement()) {
        // It was denied when it was asked for: neither an escrow of it nor a payment without one is ever made.
        (Some(_), Some(movement)) if !movement.amount.is_xrp() => {
            return Err(Wait::Policy(NO_ESCROW.to_owned()));
        }
        (Some(Delay { delay_seconds, window_seconds }), Some(movement)) => {
            let due = proposal.occurrence.as_ref().map_or(RippleTime(0), |occurrence| occurrence.due);
            let finish_after = RippleTime(deadline.0.saturating_add(delay_seconds)).max(due);
            Some(ReleaseInputs {
                escrow: EscrowKey { owner: account, sequence: slot.value() },
                destination: movement.destination,
                destination_tag: movement.destination_tag,
                amount: movement.amount,
                finish_after,
                cancel_after: RippleTime(finish_after.0.saturating_add(window_seconds.max(1))),
                // Until whoever holds the keys has said which one it takes.
                key_version: FIRST_KEY,
                party: config.new_escrows,
            })
        }
        _ => None,
    };
    let void = is_voidable.then(|| Ladder {
        fees: fee::void_ladder(&ladder),
        rungs: Vec::new(),
        digests: Vec::new(),
    });
    Ok(Plan {
        slot,
        last_ledger_sequence: point.index.plus(ledgers),
        deadline,
        fees: ladder,
        delay,
        condition: None,
        approvers: obligations.approvals.clone(),
        rungs: Vec::new(),
        digests: Vec::new(),
        void,
    })
}

/// How long there is to sign and in how many ledgers: few for what the daemon signs without anybody, and for what
/// people sign as many as the fastest pace makes of their time, so that LastLedgerSequence does not come before the
/// deadline that they are shown. The daemon itself keeps the deadline.
fn time_to_sign(config: &Treasury, proposal: &Proposal, alone: bool) -> (u32, u32) {
    let pace = config.timing.close_interval_seconds.max(1);
    // Policy may have come to ask for a delay of a draft that was given more.
    let delayed = proposal.decision.obligations.delay.map(|_| config.timing.delayed_deadline_max_seconds);
    let people = delayed.unwrap_or(u32::MAX).min(proposal.deadline_seconds);
    if !alone {
        return (people, people.div_ceil(pace).saturating_add(SPARE_LEDGERS));
    }
    let ledgers = config.timing.agent_ledgers;
    let single = config.accounts.get(&proposal.account).is_some_and(|known| known.signing == Signing::Single);
    // What one key signs goes out at once or not at all, and nobody is shown a deadline for it.
    if single { (people, ledgers) } else { (people.min(ledgers.saturating_mul(pace)), ledgers) }
}

fn common(config: &Treasury, proposal: &Proposal, plan: &Plan, fee: Drops) -> TxCommon {
    TxCommon {
        account: proposal.account,
        seq: plan.slot,
        fee,
        last_ledger_sequence: Some(plan.last_ledger_sequence.0),
        source_tag: None,
        network_id: config.network_id,
        memos: Vec::new(),
        flags: 0,
    }
}

/// The unsigned transactions of the void, where the plan has one: AccountSets without any setting. With them the ladder is
/// whole.
pub(crate) fn sealed_void(config: &Treasury, proposal: &Proposal, plan: &Plan) -> Option<Ladder> {
    let fees = plan.void.as_ref()?.fees.clone();
    let body = TxBody::AccountSet(AccountSet::default());
    let made = fees.iter().map(|fee| {
        let tx = xrpl_wire::typed::build(&common(config, proposal, plan, *fee), &body).ok()?;
        Some((HexBytes(tx.encode()), intent_digest(&tx).ok()?))
    });
    let (rungs, digests) = made.collect::<Option<Vec<_>>>()?.into_iter().unzip();
    Some(Ladder { fees, rungs, digests })
}

/// The unsigned transaction of a proposal at one fee.
pub(crate) fn transaction(
    config: &Treasury,
    proposal: &Proposal,
    plan: &Plan,
    condition: Option<&HexBytes>,
    fee: Drops,
) -> Option<Transaction> {
    let common = common(config, proposal, plan, fee);
    let body = match &plan.delay {
        Some(delay) => TxBody::EscrowCreate(EscrowCreate {
            destination: delay.destination,
            destination_tag: delay.destination_tag,
            amount: delay.amount,
            condition: Some(condition?.0.clone()),
            finish_after: Some(delay.finish_after),
            cancel_after: Some(delay.cancel_after),
        }),
        None => proposal.intent.body(),
    };
    xrpl_wire::typed::build(&common, &body).ok()
}

/// What the signer needs for this intent: `Some(None)` where nothing is released, `None` where the
/// escrow is not the daemon's.
pub(crate) fn release_for(state: &State, intent: &Intent) -> Option<Option<ReleaseInputs>> {
    let Some(escrow) = intent.released_escrow() else { return Some(None) };
    let maker = state.escrows.get(&escrow)?.guard.proposal()?;
    state.proposals.get(&maker)?.release_inputs().cloned().map(Some)
}

/// Whether the approvals reach the ledger's quorum and the rule's.
pub(crate) fn sufficient(config: &Treasury, state: &State, proposal: &Proposal) -> bool {
    let list = multisign::signer_list(state, &proposal.account).filter(|_| proposal.plan.is_some());
    list.is_some_and(|list| multisign::of_proposal(config, list, proposal).suffices())
}

/// Checks what the signer made against what it was asked for.
pub(crate) fn check_single(
    state: &State,
    proposal: &Proposal,
    blobs: &[HexBytes],
) -> Option<Vec<SignedRung>> {
    let plan = proposal.plan.as_ref()?;
    if blobs.len() != plan.rungs.len() {
        return None;
    }
    let mut rungs = Vec::with_capacity(blobs.len());
    for ((blob, digest), fee) in blobs.iter().zip(&plan.digests).zip(&plan.fees) {
        let tx = Transaction::decode(&blob.0).ok()?;
        xrpl_wire::sign::verify_signatures(&tx).ok()?;
        let key = PublicKey::from_slice(tx.object().blob(sf::SigningPubKey)?).ok()?;
        multisign::key_allowed(state, &proposal.account, &key).ok()?;
        let mut bare = tx.object().clone();
        let condition = bare.remove(sf::Condition);
        let fulfillment = bare.remove(sf::Fulfillment);
        let bare = Transaction::from_object(bare).ok()?;
        if intent_digest(&bare).ok()? != *digest {
            return None;
        }
        if let Some(escrow) = proposal.intent.released_escrow() {
            let expected = state.escrows.get(&escrow)?.view.condition.as_ref()?;
            let given = tx.object().blob(sf::Condition)?;
            let opens = tx.object().blob(sf::Fulfillment)?;
            if given != expected.0.as_slice() || !xrpl_wire::condition::fulfillment_matches(opens, given) {
                return None;
            }
        } else if condition.is_some() || fulfillment.is_some() {
            return None;
        }
        rungs.push(SignedRung { fee: *fee, tx_id: tx.id(), blob: blob.clone() });
    }
    Some(rungs)
}
