//! Asks people to show that they have their keys, and finds those who do not.

use xrpl_wire::{PublicKey, sha512_half};

use crate::model::command::{Answer, CommandError};
use crate::model::config::{FindingKind, Person};
use crate::model::drill::{Drill, Proof};
use crate::model::event::Event;
use crate::model::units::{AccountId, HexBytes, RippleTime};
use crate::rules::drills::{accounts_of, due, is_overdue, last, signers};
use crate::rules::multisign::key_allowed;
use crate::work::anomaly::{find, is_found};
use crate::work::cx::Cx;

/// It is looked so many seconds of ledger time after the last look: what is asked for is a matter of days.
const EVERY_SECONDS: u32 = 600;

/// Looks who has to be asked, who has not answered, and who is a signer no more.
pub(crate) fn drive(cx: &mut Cx<'_>) {
    let now = cx.now();
    let next = cx.runtime.drills.map(|last| RippleTime(last.0.saturating_add(EVERY_SECONDS)));
    if next.is_some_and(|next| now < next) {
        return;
    }
    cx.runtime.drills = Some(now);
    let wanted = signers(cx.config, cx.state);
    let gone: Vec<AccountId> =
        cx.state.drills.keys().filter(|signer| !wanted.contains_key(*signer)).copied().collect();
    for signer in gone {
        cx.emit(Event::DrillEnded { signer, proof: None });
    }
    for signer in due(cx.config, cx.state) {
        let at = cx.point();
        // Nobody knew the ledger's hash before it closed, so nothing was signed before.
        let challenge = sha512_half(&[b"treasuryd drill", &at.hash.0, &signer.0]);
        cx.emit(Event::DrillAsked { signer, drill: Drill { challenge, at } });
    }
    let overdue: Vec<(AccountId, Drill)> = cx
        .state
        .drills
        .iter()
        .filter(|(_, drill)| is_overdue(cx.config, cx.state, drill))
        .map(|(signer, drill)| (*signer, *drill))
        .collect();
    for (signer, drill) in overdue {
        overdue_is_found(cx, signer, &drill);
    }
}

fn overdue_is_found(cx: &mut Cx<'_>, signer: AccountId, drill: &Drill) {
    let accounts: Vec<AccountId> = accounts_of(cx.config, cx.state, &signer).collect();
    let Some(account) = accounts.first().copied() else { return };
    let name =
        |account: &AccountId| cx.config.name_of(account).map_or_else(|| account.to_string(), str::to_owned);
    let begins = format!("{} ({signer}), asked at {} to show their key,", name(&signer), drill.at.close_time);
    if is_found(cx, FindingKind::DrillOverdue, &begins) {
        return;
    }
    let before = last(cx.state, &signer).map_or_else(
        || "nothing that it signed is known".to_owned(),
        |proof| format!("the last that it signed was at {}", proof.at.close_time),
    );
    let names = accounts.iter().map(name).collect::<Vec<_>>().join(", ");
    let evidence = format!("{begins} has not; {before}; it signs for {names}");
    find(cx, FindingKind::DrillOverdue, account, evidence);
}

/// Somebody shows that they have their key.
pub(crate) fn answer(
    cx: &mut Cx<'_>,
    person: &Person,
    key: &PublicKey,
    signature: &HexBytes,
) -> Result<Answer, CommandError> {
    let asked = person.signer.and_then(|signer| Some((signer, *cx.state.drills.get(&signer)?)));
    let (signer, drill) = asked.ok_or(CommandError::NoDrill)?;
    key_allowed(cx.state, &signer, key)?;
    xrpl_wire::drill::verify(&signer, &drill.challenge, key, &signature.0)
        .map_err(|_| CommandError::BadDrillSignature { signer })?;
    let proof = Proof { key: key.account_id(), at: cx.point(), approved: None };
    cx.emit(Event::DrillEnded { signer, proof: Some(proof) });
    Ok(Answer::Done { changed: true })
}
