//! What the daemon's own signers answer: each signature by itself, and what follows where one does not come.
//!
//! A round of signing that came to less than was asked for is tried again with the next ledger and not before.
//! What people wait for names the signer and why; a slot whose transaction may have been signed by anybody is
//! given up by nothing that happens here.

use crate::model::command::CommandError;
use xrpl_wire::condition::fulfillment_matches;

use crate::model::config::{FindingKind, Signing};
use crate::model::effect::Effect;
use crate::model::event::Event;
use crate::model::failure::Cause;
use crate::model::intent::Asker;
use crate::model::proposal::Status;
use crate::model::signing::{Opening, Party, RungSignatures};
use crate::model::state::Guard;
use crate::model::units::{AccountId, HexBytes, ProposalId};
use crate::rules::multisign;
use crate::rules::sealing::{check_single, release_for, sufficient};
use crate::work::cx::Cx;
use crate::work::flow::{advance, approval};
use crate::work::{anomaly, breaker, ending, guarded, submission};

/// The agents' signatures: each checked by itself, like anybody's.
pub(crate) fn agents_signed(
    cx: &mut Cx<'_>,
    id: ProposalId,
    signatures: Vec<RungSignatures>,
    failed: Vec<(AccountId, String)>,
) {
    cx.runtime.asked.remove(&id);
    let Some(proposal) = cx.state.proposals.get(&id).filter(|proposal| proposal.status == Status::Collecting)
    else {
        return;
    };
    let account = proposal.account;
    let mut unable = failed;
    for given in signatures {
        let Some(proposal) = cx.state.proposals.get(&id) else { return };
        let Some(plan) = &proposal.plan else { return };
        let signer = given.signer;
        if !cx.config.agents.contains(&signer) {
            continue;
        }
        match multisign::check(cx.state, &account, plan, &given) {
            Ok(()) => {
                let approval = approval(cx, given, None);
                cx.emit(Event::Approved { proposal: id, approval });
                able(cx, signer);
            }
            // Its account left the list while it signed: nobody asks it any more.
            Err(CommandError::NotASigner(_)) => {}
            Err(problem) => unable.push((signer, problem.to_string())),
        }
    }
    if !unable.is_empty() {
        let reasons: Vec<String> =
            unable.iter().map(|(signer, reason)| format!("{signer}: {reason}")).collect();
        for (signer, reason) in unable {
            cannot_sign(cx, account, signer, &reason);
        }
        fell_short(cx, id, &reasons.join("; "));
    }
    advance(cx, id);
}

/// Notes that a round came to less than was asked for. The first such round of an errand of the daemon's own
/// counts for the breaker, if the errand cannot go on without what is missing.
fn fell_short(cx: &mut Cx<'_>, id: ProposalId, reasons: &str) {
    let index = cx.point().index;
    let first = cx.runtime.signed_short.insert(id, index).is_none();
    let Some(proposal) = cx.state.proposals.get(&id) else { return };
    let account = proposal.account;
    if first && proposal.asker == Asker::Daemon && !sufficient(cx.config, cx.state, proposal) {
        breaker::count_failure(cx, account, Cause::Keys, &format!("{id} could not be signed: {reasons}"));
    }
}

/// A key that the daemon holds is of no use now. People are told once for each reason.
fn cannot_sign(cx: &mut Cx<'_>, account: AccountId, signer: AccountId, reason: &str) {
    if cx.state.unable.get(&signer).is_some_and(|known| known == reason) {
        return;
    }
    cx.emit(Event::SignerUnable { signer, reason: Some(reason.to_owned()) });
    let evidence = format!("{signer}, whose key the daemon holds, does not sign: {reason}");
    anomaly::find(cx, FindingKind::AgentCannotSign, account, evidence);
    // It may sign for several.
    anomaly::standing_of(cx, &cx.config.accounts.keys().copied().collect());
}

fn able(cx: &mut Cx<'_>, signer: AccountId) {
    if cx.state.unable.contains_key(&signer) {
        cx.emit(Event::SignerUnable { signer, reason: None });
        // It may sign for several, of which too few were left.
        anomaly::standing_of(cx, &cx.config.accounts.keys().copied().collect());
    }
}

/// What opens an escrow is here. The gate is asked again, because much can come between: only then it is signed.
pub(crate) fn fulfillment_derived(cx: &mut Cx<'_>, id: ProposalId, party: Party, opening: Opening) {
    let Some(proposal) = cx.state.proposals.get(&id) else { return };
    let inputs = release_for(cx.state, &proposal.intent).flatten();
    let Some(inputs) = inputs.filter(|inputs| inputs.party == party) else { return };
    cx.runtime.asked.remove(&id);
    if proposal.status != Status::Collecting || !cx.may_leave(proposal) {
        return;
    }
    let standing = cx.state.escrows.get(&inputs.escrow).and_then(|tracked| tracked.view.condition.as_ref());
    let opens = opening.escrow == inputs.escrow
        && standing == Some(&opening.condition)
        && fulfillment_matches(&opening.fulfillment.0, &opening.condition.0);
    if !opens {
        // With a guard it is not known whose part it is that does not fit.
        match party {
            Party::Own => sign_failed(cx, id, "what was derived does not open the escrow"),
            Party::Guarded => guarded::refused(cx, id, guarded::does_not_open()),
        }
        return;
    }
    let maker = cx.state.escrows.get(&inputs.escrow).and_then(|tracked| tracked.guard.proposal());
    if let Some(maker) = maker {
        guarded::gave(cx, maker, party);
    }
    let Some(proposal) = cx.state.proposals.get(&id) else { return };
    let Some(plan) = &proposal.plan else { return };
    let (account, rungs) = (proposal.account, plan.rungs.clone());
    if cx.runtime.asked.insert(id) {
        cx.effect(Effect::SignSingle { proposal: id, account, rungs, opening: Some(opening) });
    }
}

/// The account's own key has signed. What keeps the proposal from being sent is looked at again, because
/// for an EscrowFinish this is the last moment: the next thing to happen is that the fulfillment leaves.
pub(crate) fn single_signed(cx: &mut Cx<'_>, id: ProposalId, blobs: &[HexBytes]) {
    cx.runtime.asked.remove(&id);
    let Some(proposal) = cx.state.proposals.get(&id) else { return };
    if proposal.status != Status::Collecting || !cx.may_leave(proposal) {
        return;
    }
    let account = proposal.account;
    let Some(rungs) = check_single(cx.state, proposal, blobs) else {
        sign_failed(
            cx,
            id,
            "what it signed is not what was asked for, or the ledger does not let its key sign",
        );
        return;
    };
    able(cx, account);
    let Some(proposal) = cx.state.proposals.get(&id) else { return };
    if let Some(escrow) = proposal.intent.released_escrow() {
        let locked = cx
            .state
            .escrows
            .get(&escrow)
            .is_some_and(|tracked| matches!(tracked.guard, Guard::Locked { .. }));
        if locked {
            let at = cx.point();
            cx.emit(Event::EscrowRevealed { escrow, attempt: id, at });
        }
    }
    submission::record(cx, id, rungs, Vec::new());
}

/// A signer did nothing at all. An errand that nobody else can have signed ends, so that it is tried anew later
/// with a fresh LastLedgerSequence. What was shown to people keeps its slot and is asked for again with the next
/// ledger: somebody may hold signatures over it.
pub(crate) fn sign_failed(cx: &mut Cx<'_>, id: ProposalId, reason: &str) {
    cx.runtime.asked.remove(&id);
    let Some(proposal) = cx.state.proposals.get(&id) else { return };
    if !matches!(proposal.status, Status::Assessed | Status::Collecting) {
        return;
    }
    let account = proposal.account;
    let unshown = proposal.status == Status::Assessed;
    let single = cx.config.accounts.get(&account).is_some_and(|known| known.signing == Signing::Single);
    let errand = proposal.asker == Asker::Daemon;
    if single {
        cannot_sign(cx, account, account, reason);
    }
    if errand && (single || unshown) {
        breaker::count_failure(cx, account, Cause::Keys, &format!("{id} could not be signed: {reason}"));
        ending::end(cx, id, Status::Withdrawn, true);
    } else {
        fell_short(cx, id, reason);
    }
}
