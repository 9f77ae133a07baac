//! The story looked at as a whole, at its end.

use std::collections::BTreeMap;

use xrpl_harness::network::{At, Network};
use xrpl_wire::Drops;

use super::{Evidence, Stage};
use crate::dev::seen::{self, balance};
use crate::dev::{DevError, same};

/// Every transaction that the treasury's accounts have sent since it was set up, by account, type and result, is one
/// that the story asked for; no drop is missing; the daemon found nothing amiss, and its figures are the ledger's.
///
/// `expected` lists account, transaction type and how often it succeeded.
///
/// # Errors
/// What was not seen, or seen otherwise.
pub async fn whole(
    stage: &mut Stage<'_>,
    expected: &[(&str, &str, usize)],
) -> Result<Vec<Evidence>, DevError> {
    let sandbox = stage.sandbox();
    let world = sandbox.world();
    let until = sandbox.let_pass(5).await?;
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    for account in &sandbox.cast().accounts {
        let name = account.identity.name();
        for seen in seen::sent_by(world, &account.identity.id(), sandbox.begun_at()).await? {
            let words = format!("{name}: {} {}", seen.tx.tx_type().name(), seen.result.name());
            *found.entry(words).or_default() += 1;
        }
    }
    let expected: BTreeMap<String, usize> = expected
        .iter()
        .map(|(name, tx_type, count)| (format!("{name}: {tx_type} tesSUCCESS"), *count))
        .collect();
    same("all transactions of the treasury", &found, &expected)?;
    let sent: usize = found.values().sum();
    stage
        .say(&format!("the treasury sent {sent} transactions, each of them asked for and each of them once"));

    let begun = drops_there_are(stage, sandbox.begun_at()).await?;
    let burned = burned_since(stage, sandbox.begun_at(), until).await?;
    same(
        "drops there are, and those burned as fees",
        &(drops_there_are(stage, until).await? + burned),
        &begun,
    )?;

    let client = sandbox.people().get("alice")?.client();
    let findings: Vec<String> = client
        .findings()
        .await?
        .iter()
        // Hours passed while it was dead, and it says so.
        .filter(|finding| finding.kind != "blind")
        .map(|finding| format!("{} {}", finding.kind, finding.evidence))
        .collect();
    same("findings of the daemon", &findings, &Vec::new())?;
    let closed = world.validated().await?;
    for account in client.accounts().await? {
        let id = sandbox.account(&account.name)?;
        let figure = format!("drops of {} as the daemon shows them", account.name);
        same(&figure, &account.balance_drops, &balance(world, &id, At::Validated).await?.to_string())?;
    }
    stage.say(
        "the daemon's figures are the ledger's, and it found nothing amiss but that it was dead for hours",
    );
    Ok(vec![
        Evidence::at(format!("{sent} transactions in all, each once; every drop accounted for"), until),
        Evidence::at("the daemon's balances are the ledger's; nothing found amiss", closed.index),
    ])
}

async fn drops_there_are(stage: &Stage<'_>, ledger: u32) -> Result<u64, DevError> {
    Ok(stage.sandbox().world().ledger(ledger).await?.header.total_drops)
}

/// What transactions have burned in ledgers after `after`, up to `until`.
async fn burned_since(stage: &Stage<'_>, after: u32, until: u32) -> Result<u64, DevError> {
    let sent = stage.sandbox().world().transactions(after, |_| true).await?;
    Ok(sent
        .iter()
        .filter(|included| included.ledger_index <= until)
        .map(|included| included.tx.fee())
        .fold(Drops::ZERO, |sum, fee| sum.checked_add(fee).unwrap_or(Drops::MAX))
        .get())
}
