//! Recognises the daemon's own escrows where every record of them is lost.
//!
//! A preimage is derived from an escrow's terms and the release key, so an escrow on the ledger that has the condition
//! that its terms give is the daemon's own, and nobody without the key can make one that looks so. What was decided about
//! it is lost, and whether somebody had stopped it; so it is held until a person has looked at it, and taken back after
//! CancelAfter where nobody does.

use std::collections::BTreeMap;

use crate::model::effect::Effect;
use crate::model::event::Event;
use crate::model::intent::{Asker, Intent, Origin, Pay};
use crate::model::policy::Delay;
use crate::model::proposal::{Outcome, Plan, Proposal, Status};
use crate::model::signing::{Derived, FIRST_KEY, Party, ReleaseInputs, Slot};
use crate::model::state::{Guard, TrackedEscrow};
use crate::model::stops::{StopKind, StopSource, Subject};
use crate::model::units::{EscrowKey, Hash256, HexBytes, ProposalId};
use crate::work::anomaly;
use crate::work::cx::Cx;
use crate::work::flow;

/// What such a proposal says of itself.
const NOTE: &str = "recognised from its escrow on the ledger; who asked for it, and why, is lost";

/// Asks about each escrow of the treasury's that nobody here made, once in the life of a process.
pub(crate) fn drive(cx: &mut Cx<'_>) {
    // Without a runner there would be nobody to end it.
    if cx.config.runner.is_none() || cx.state.standing.len() == cx.state.by_finish_after.len() {
        return;
    }
    let standing = cx.state.standing.iter().filter(|key| !cx.runtime.looked_at.contains(*key));
    let new: Vec<EscrowKey> = standing.copied().collect();
    for key in new {
        cx.runtime.looked_at.insert(key);
        let ours = cx.config.accounts.contains_key(&key.owner);
        let inputs = cx.state.escrows.get(&key).filter(|_| ours).and_then(terms);
        if let Some(inputs) = inputs {
            cx.effect(Effect::Recognise { inputs });
        }
    }
}

/// The terms of an escrow that could be the daemon's own; `None` where none of its own has such terms.
fn terms(tracked: &TrackedEscrow) -> Option<ReleaseInputs> {
    let view = &tracked.view;
    if tracked.guard != Guard::Foreign || view.condition.is_none() {
        return None;
    }
    Some(ReleaseInputs {
        escrow: view.key,
        destination: view.destination,
        destination_tag: view.destination_tag,
        amount: view.amount?,
        finish_after: view.finish_after?,
        cancel_after: view.cancel_after?,
        key_version: FIRST_KEY,
        party: Party::Own,
    })
}

/// Compares.
pub(crate) fn derived(cx: &mut Cx<'_>, inputs: &ReleaseInputs, derived: &[Derived]) {
    let key = inputs.escrow;
    let Some(tracked) = cx.state.escrows.get(&key) else { return };
    let same = |derived: &&Derived| tracked.view.condition.as_ref() == Some(&derived.condition);
    let Some(own) = derived.iter().find(same).filter(|_| terms(tracked).as_ref() == Some(inputs)) else {
        return;
    };
    let inputs = ReleaseInputs { key_version: own.key_version, party: own.party, ..inputs.clone() };
    let proposal = anew(cx, tracked, &inputs, &own.condition);
    cx.emit(Event::EscrowRecognised { escrow: key, proposal: Box::new(proposal) });
    let reason =
        "it was recognised after the records of it were lost: whether somebody had stopped it is not known"
            .to_owned();
    anomaly::set_stop(cx, Subject::Escrow(key), StopKind::Hold, StopSource::Daemon, reason);
}

/// The proposal that made it, as far as the ledger tells of it.
fn anew(cx: &Cx<'_>, tracked: &TrackedEscrow, inputs: &ReleaseInputs, condition: &HexBytes) -> Proposal {
    let mut decision = flow::built_in(cx, "recognised");
    let window_seconds = inputs.cancel_after.0.saturating_sub(inputs.finish_after.0);
    // The promised delay is over with FinishAfter, which is all of it that is known.
    decision.obligations.delay = Some(Delay { delay_seconds: 0, window_seconds });
    let (deadline, at) = (cx.now(), tracked.seen);
    Proposal {
        id: ProposalId(cx.state.last_proposal.saturating_add(1)),
        account: inputs.escrow.owner,
        intent: Intent::Pay(Pay {
            destination: inputs.destination,
            destination_tag: inputs.destination_tag,
            amount: inputs.amount,
        }),
        asker: Asker::Daemon,
        origin: Some(Origin::Daemon),
        note: NOTE.to_owned(),
        deadline_seconds: 0,
        deadline_asked: None,
        idempotency_key: None,
        occurrence: None,
        inquiry: Default::default(),
        drafted: at,
        decision,
        plan: Some(Plan {
            slot: Slot::Sequence(inputs.escrow.sequence),
            last_ledger_sequence: at.index,
            deadline,
            fees: Vec::new(),
            delay: Some(inputs.clone()),
            condition: Some(condition.clone()),
            approvers: Vec::new(),
            rungs: Vec::new(),
            digests: Vec::new(),
            void: None,
        }),
        approvals: BTreeMap::new(),
        kept_for_void: BTreeMap::new(),
        rejections: BTreeMap::new(),
        // Its id is not among an escrow's fields.
        status: Status::Validated(Outcome { tx_id: Hash256([0; 32]), result: "tesSUCCESS".to_owned(), at }),
    }
}
