//! Large payments: through an escrow that waits, and can be stopped.

use xrpl_harness::network::{At, Network};
use xrpl_wire::{AccountId, Drops, RippleTime, TransactionType, entry};

use super::{Evidence, Stage};
use crate::dev::seen::{self, Books, Seen, balance};
use crate::dev::{DevError, same, xrp};

/// What the rule `large` says: at least so long from the EscrowCreate to FinishAfter. Where time is dear the sandbox
/// makes its hours shorter, in the rule and here alike.
const DELAY_HOURS: u32 = 48;

/// And so long from there to CancelAfter.
const WINDOW_HOURS: u32 = 24;

/// A large payment waits two days in an escrow and is released. The daemon is killed right after the last approval,
/// and again while the escrow waits: nothing is lost, nothing is done twice.
///
/// # Errors
/// What was not seen, or seen otherwise.
pub async fn large_with_kills(stage: &mut Stage<'_>) -> Result<Vec<Evidence>, DevError> {
    let sandbox = stage.sandbox();
    let world = sandbox.world();
    let people = sandbox.people();
    let (warm, supplier) = (sandbox.account("warm")?, sandbox.account("supplier")?);
    let runner = sandbox.account("runner")?;
    let hour = sandbox.hour_seconds();
    let books = Books::open(world).await?;
    let paid = xrp(5_000);
    let id = people.get("bob")?.propose("warm", "supplier", paid, "machines").await?;
    stage.say(&format!(
        "bob asks warm to pay 5000 XRP to supplier ({id}): two people, then {DELAY_HOURS} hours"
    ));
    stage.can_be_signed(&id).await?;
    people.get("alice")?.approve(&id).await?;
    // No ledger closes between the last approval and the kill, so whatever the daemon did with it is unfinished.
    world.pause_auto_close().await?;
    people.get("bob")?.approve(&id).await?;
    stage.kill().await?;
    let sent = balance(world, &warm, At::Open).await? != balance(world, &warm, At::Validated).await?;
    world.resume_auto_close().await?;
    stage.say(&format!(
        "alice and bob had signed, the last signature had just been answered, the EscrowCreate {}",
        if sent { "had just been sent" } else { "had not been sent" }
    ));
    stage.restart().await?;
    let escrow = created(stage, &books, &supplier, paid).await?;
    stage.say(&format!("5000 XRP are in escrow until {}", escrow.finish_after));

    sandbox.advance_to(later(escrow.created_at, 30 * hour)?).await?;
    let waiting = sandbox.let_pass(2).await?;
    escrow.stands(stage, &supplier, &books, "30 hours after its creation").await?;
    stage.say("30 hours pass");
    stage.kill().await?;
    sandbox.advance_to(later(escrow.created_at, 36 * hour)?).await?;
    stage.say("6 more hours pass without a daemon");
    stage.restart().await?;
    let after_kills = sandbox.let_pass(4).await?;
    escrow.stands(stage, &supplier, &books, "36 hours after its creation").await?;

    sandbox.advance_to(later(escrow.finish_after, 1)?).await?;
    stage.say("FinishAfter passes");
    let finish = escrow.end(stage, &books, TransactionType::EscrowFinish).await?;
    let until = sandbox.let_pass(5).await?;
    books.settle(world, "warm", &warm, Drops::ZERO, paid, &[TransactionType::EscrowCreate]).await?;
    books.settle(world, "supplier", &supplier, paid, Drops::ZERO, &[]).await?;
    books
        .settle(world, "runner", &runner, Drops::ZERO, Drops::ZERO, &[TransactionType::EscrowFinish])
        .await?;
    same("escrows left", &seen::escrow(world, &warm, escrow.sequence).await?, &None)?;
    let ends = seen::ends_of_escrow(world, &warm, escrow.sequence, books.since()).await?;
    same("ends of it", &ends.len(), &1)?;
    stage.say("supplier has its 5000 XRP, to the drop");
    Ok(vec![
        Evidence::of(
            "killed after the last approval, restarted: one EscrowCreate of 5000 XRP",
            &escrow.create,
        ),
        Evidence::at("30 hours later it stands; the daemon is killed again", waiting),
        Evidence::at("restarted 6 hours later: it stands, nothing was sent", after_kills),
        Evidence::of("after 48 hours the runner releases it: one EscrowFinish", &finish),
        Evidence::at("supplier has 5000 XRP more, to the drop", until),
    ])
}

/// A second large payment, to somebody unknown, is flagged in hour 12. It is not released when its time comes, and is
/// cancelled after CancelAfter; the money is back.
///
/// # Errors
/// What was not seen, or seen otherwise.
pub async fn flagged(stage: &mut Stage<'_>) -> Result<Vec<Evidence>, DevError> {
    let sandbox = stage.sandbox();
    let world = sandbox.world();
    let people = sandbox.people();
    let (warm, stranger) = (sandbox.account("warm")?, sandbox.account("stranger")?);
    let runner = sandbox.account("runner")?;
    let hour = sandbox.hour_seconds();
    let books = Books::open(world).await?;
    let paid = xrp(4_000);
    let id = people.get("alice")?.propose("warm", &stranger.to_string(), paid, "urgent!").await?;
    stage.say(&format!("alice asks warm to pay 4000 XRP to an address that nobody knows ({id})"));
    stage.can_be_signed(&id).await?;
    people.get("alice")?.approve(&id).await?;
    people.get("carol")?.approve(&id).await?;
    let escrow = created(stage, &books, &stranger, paid).await?;
    stage.say(&format!("alice and carol sign; it is in escrow until {}", escrow.finish_after));

    sandbox.advance_to(later(escrow.created_at, 12 * hour)?).await?;
    people.get("dave")?.flag(&id, "alice says that she never asked for this").await?;
    let flagged_at = world.validated().await?.index;
    stage.say("in hour 12 dave (security) flags it");

    sandbox.advance_to(later(escrow.finish_after, hour)?).await?;
    let withheld = sandbox.let_pass(6).await?;
    escrow.stands(stage, &stranger, &books, "an hour after FinishAfter, flagged").await?;
    sandbox.advance_to(RippleTime(escrow.cancel_after.0.saturating_sub(hour))).await?;
    sandbox.let_pass(3).await?;
    escrow.stands(stage, &stranger, &books, "an hour before CancelAfter, flagged").await?;
    stage.say("FinishAfter passes, and 22 hours more: it is not released");

    sandbox.advance_to(later(escrow.cancel_after, 1)?).await?;
    stage.say("CancelAfter passes");
    let cancel = escrow.end(stage, &books, TransactionType::EscrowCancel).await?;
    let until = sandbox.let_pass(5).await?;
    books.settle(world, "warm", &warm, Drops::ZERO, Drops::ZERO, &[TransactionType::EscrowCreate]).await?;
    books.settle(world, "stranger", &stranger, Drops::ZERO, Drops::ZERO, &[]).await?;
    books
        .settle(world, "runner", &runner, Drops::ZERO, Drops::ZERO, &[TransactionType::EscrowCancel])
        .await?;
    same("escrows left", &seen::escrow(world, &warm, escrow.sequence).await?, &None)?;
    stage.say("the runner cancels it; warm has its 4000 XRP back");
    Ok(vec![
        Evidence::of("4000 XRP go into escrow", &escrow.create),
        Evidence::at("flagged in hour 12", flagged_at),
        Evidence::at("past FinishAfter it stands: no EscrowFinish", withheld),
        Evidence::of("after CancelAfter the runner cancels it", &cancel),
        Evidence::at("warm has the 4000 XRP back, to the drop", until),
    ])
}

/// An escrow that was seen to be made.
struct Made {
    create: Seen,
    warm: AccountId,
    sequence: u32,
    entry: entry::Escrow,
    created_at: RippleTime,
    finish_after: RippleTime,
    cancel_after: RippleTime,
}

/// Waits for warm's EscrowCreate and proves its terms on the ledger.
async fn created(
    stage: &Stage<'_>,
    books: &Books,
    destination: &AccountId,
    amount: Drops,
) -> Result<Made, DevError> {
    let sandbox = stage.sandbox();
    let world = sandbox.world();
    let warm = sandbox.account("warm")?;
    let hour = sandbox.hour_seconds();
    let create = stage.first_sent("warm", &warm, books.since(), TransactionType::EscrowCreate).await?;
    let sequence = create.tx.seq().value();
    let wrong = |expected: &str, found: String| DevError::Wrong { expected: expected.to_owned(), found };
    let entry = seen::escrow(world, &warm, sequence)
        .await?
        .ok_or_else(|| wrong("an Escrow entry that the EscrowCreate made", "none".to_owned()))?;
    same("the escrow's destination", &entry.destination, destination)?;
    same("the escrow's drops", &entry.amount.drops(), &Some(amount))?;
    same("the escrow has a Condition", &entry.condition.is_some(), &true)?;
    let times = entry.finish_after.zip(entry.cancel_after);
    let (finish_after, cancel_after) =
        times.ok_or_else(|| wrong("FinishAfter and CancelAfter", format!("{entry:?}")))?;
    let created_at = world.ledger(create.ledger_index).await?.header.close_time;
    if finish_after < later(created_at, DELAY_HOURS * hour)? {
        let expected = format!("FinishAfter at least {DELAY_HOURS} hours after {created_at}");
        return Err(wrong(&expected, finish_after.to_string()));
    }
    same("CancelAfter", &cancel_after, &later(finish_after, WINDOW_HOURS * hour)?)?;
    Ok(Made { create, warm, sequence, entry, created_at, finish_after, cancel_after })
}

impl Made {
    /// Proves that it stands unchanged, that nobody tried to end it, and that its destination has nothing of it.
    async fn stands(
        &self,
        stage: &Stage<'_>,
        destination: &AccountId,
        books: &Books,
        when: &str,
    ) -> Result<(), DevError> {
        let world = stage.sandbox().world();
        same(
            &format!("the escrow {when}"),
            &seen::escrow(world, &self.warm, self.sequence).await?,
            &Some(self.entry.clone()),
        )?;
        let ends: Vec<String> = seen::ends_of_escrow(world, &self.warm, self.sequence, books.since())
            .await?
            .iter()
            .map(Seen::words)
            .collect();
        same(&format!("what was sent to end it {when}"), &ends, &Vec::new())?;
        let sent = seen::sent_by(world, &self.warm, books.since()).await?.len();
        same(&format!("transactions of warm {when}"), &sent, &1)?;
        let has = balance(world, destination, At::Validated).await?;
        same(&format!("drops of its destination {when}"), &has, &books.before(world, destination).await?)
    }

    /// Waits until it is ended, and proves that it is in this way.
    async fn end(&self, stage: &Stage<'_>, books: &Books, how: TransactionType) -> Result<Seen, DevError> {
        let world = stage.sandbox().world();
        stage
            .sandbox()
            .until_told(&format!("a validated {} of the escrow", how.name()), || async move {
                let ends = seen::ends_of_escrow(world, &self.warm, self.sequence, books.since()).await;
                let ends = ends.map_err(|error| error.to_string())?;
                match ends.iter().find(|seen| seen.did(how)) {
                    Some(end) => Ok(end.clone()),
                    None if ends.is_empty() => Err("nothing was sent to end it".to_owned()),
                    None => Err(ends.iter().map(Seen::words).collect::<Vec<_>>().join(", ")),
                }
            })
            .await
    }
}

fn later(time: RippleTime, seconds: u32) -> Result<RippleTime, DevError> {
    time.checked_add_seconds(seconds).ok_or_else(|| DevError::Wrong {
        expected: "a time that the ledger can count".to_owned(),
        found: format!("{time} and {seconds} s"),
    })
}
