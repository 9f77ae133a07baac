//! Refills and payments that go out at once.

use xrpl_harness::network::At;
use xrpl_wire::{Drops, TransactionType, sf};

use super::{Evidence, Stage};
use crate::dev::seen::{Books, balance};
use crate::dev::{DevError, same, xrp};

const AGENTS: [&str; 2] = ["agent-1", "agent-2"];

/// A payment takes hot below its floor of 500 XRP; the daemon fills it up to 1000 XRP from warm, and no person is
/// asked.
///
/// # Errors
/// What was not seen, or seen otherwise.
pub async fn refill(stage: &mut Stage<'_>) -> Result<Vec<Evidence>, DevError> {
    let sandbox = stage.sandbox();
    let world = sandbox.world();
    let (hot, warm, exchange) =
        (sandbox.account("hot")?, sandbox.account("warm")?, sandbox.account("exchange")?);
    let (floor, target, paid) = (xrp(500), xrp(1000), xrp(80));
    let books = Books::open(world).await?;
    let id = sandbox.people().get("alice")?.propose("hot", "exchange", paid, "rent").await?;
    stage.say(&format!(
        "hot has {} XRP, its floor is {}; alice asks it to pay 80 XRP to exchange ({id})",
        books.before(world, &hot).await?.to_xrp_string(),
        floor.to_xrp_string()
    ));
    let payment = stage.first_sent("hot", &hot, books.since(), TransactionType::Payment).await?;
    let then = balance(world, &hot, At::Ledger(payment.ledger_index)).await?;
    if then >= floor {
        return Err(DevError::Wrong {
            expected: format!("hot is below its floor of {} XRP", floor.to_xrp_string()),
            found: format!("{} XRP", then.to_xrp_string()),
        });
    }
    stage.say(&format!("it is paid, and hot is down to {} XRP", then.to_xrp_string()));
    let refill = stage.first_sent("warm", &warm, books.since(), TransactionType::Payment).await?;
    same("signers of the refill", &stage.signer_names(&refill)?, &AGENTS.map(str::to_owned).to_vec())?;
    same("destination of the refill", &refill.tx.object().account(sf::Destination), &Some(hot))?;
    // Long enough for a second one to come, if one were to.
    let until = sandbox.let_pass(5).await?;
    let moved = refill.tx.object().drops(sf::Amount).unwrap_or(Drops::ZERO);
    books.settle(world, "hot", &hot, moved, paid, &[TransactionType::Payment]).await?;
    books.settle(world, "warm", &warm, Drops::ZERO, moved, &[TransactionType::Payment]).await?;
    books.settle(world, "exchange", &exchange, paid, Drops::ZERO, &[]).await?;
    same("XRP of hot", &balance(world, &hot, At::Validated).await?.to_xrp_string(), &target.to_xrp_string())?;
    stage.say(&format!("warm has filled it up with {} XRP, signed by the two agents", moved.to_xrp_string()));
    Ok(vec![
        Evidence::of(
            format!("hot pays 80 XRP and has {} XRP, below its floor", then.to_xrp_string()),
            &payment,
        ),
        Evidence::of(
            format!("warm refills it with {} XRP; signed by agents alone", moved.to_xrp_string()),
            &refill,
        ),
        Evidence::at("hot has exactly 1000 XRP; there is no second refill", until),
    ])
}

/// A small payment to a known destination goes straight through.
///
/// # Errors
/// What was not seen, or seen otherwise.
pub async fn small(stage: &mut Stage<'_>) -> Result<Vec<Evidence>, DevError> {
    let sandbox = stage.sandbox();
    let world = sandbox.world();
    let (hot, exchange) = (sandbox.account("hot")?, sandbox.account("exchange")?);
    let books = Books::open(world).await?;
    let paid = xrp(25);
    let id = sandbox.people().get("bob")?.propose("hot", "exchange", paid, "stamps").await?;
    stage.say(&format!("bob asks hot to pay 25 XRP to exchange ({id})"));
    let payment = stage.first_sent("hot", &hot, books.since(), TransactionType::Payment).await?;
    same("signers", &stage.signer_names(&payment)?, &AGENTS.map(str::to_owned).to_vec())?;
    sandbox.let_pass(3).await?;
    books.settle(world, "hot", &hot, Drops::ZERO, paid, &[TransactionType::Payment]).await?;
    books.settle(world, "exchange", &exchange, paid, Drops::ZERO, &[]).await?;
    stage.say("it is paid; nobody had to sign but the agents");
    Ok(vec![Evidence::of("hot pays 25 XRP; signed by agents alone; balances agree to the drop", &payment)])
}

/// A middling payment waits for two people; one takes the approval back, another gives one, and it goes.
///
/// # Errors
/// What was not seen, or seen otherwise.
pub async fn middling(stage: &mut Stage<'_>) -> Result<Vec<Evidence>, DevError> {
    let sandbox = stage.sandbox();
    let world = sandbox.world();
    let people = sandbox.people();
    let (hot, supplier) = (sandbox.account("hot")?, sandbox.account("supplier")?);
    let books = Books::open(world).await?;
    let paid = xrp(300);
    let id = people.get("alice")?.propose("hot", "supplier", paid, "parts").await?;
    stage.say(&format!("alice asks hot to pay 300 XRP to supplier ({id}): two people must sign"));
    stage.can_be_signed(&id).await?;
    people.get("bob")?.approve(&id).await?;
    let waited = sandbox.let_pass(4).await?;
    stage.nothing_sent("hot", &hot, books.since()).await?;
    stage.say("bob signs; four ledgers pass and nothing is sent");
    people.get("bob")?.retract(&id).await?;
    people.get("carol")?.approve(&id).await?;
    let waited_again = sandbox.let_pass(4).await?;
    stage.nothing_sent("hot", &hot, books.since()).await?;
    stage.say("bob takes it back, carol signs; that makes one, and still nothing is sent");
    people.get("alice")?.approve(&id).await?;
    stage.say("alice signs: that makes two");
    let payment = stage.first_sent("hot", &hot, books.since(), TransactionType::Payment).await?;
    same("signers", &stage.signer_names(&payment)?, &vec!["alice".to_owned(), "carol".to_owned()])?;
    sandbox.let_pass(3).await?;
    books.settle(world, "hot", &hot, Drops::ZERO, paid, &[TransactionType::Payment]).await?;
    books.settle(world, "supplier", &supplier, paid, Drops::ZERO, &[]).await?;
    stage.say("it is paid, with alice's and carol's signatures and without bob's");
    Ok(vec![
        Evidence::at("with one signature of two, nothing is sent", waited),
        Evidence::at("one taken back and one given: nothing is sent", waited_again),
        Evidence::of("hot pays 300 XRP; signed by alice and carol, not by bob", &payment),
    ])
}
