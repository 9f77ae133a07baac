//! What is found out about a destination before a payment to it is asked for.
//!
//! It is asked here and not by the engine, which waits for nobody; what comes of it goes with the request, is stored with the
//! proposal, and is what the decision was made by. What cannot be found out in time is not known, and weighs as such.

use std::time::Duration;

use tokio::time::timeout;
use treasury_core::Treasury;
use treasury_core::config::Role;
use treasury_core::decide::is_known;
use treasury_core::inquiry::{AccountRead, Inquiry, Screening};
use treasury_core::units::AccountId;

use super::App;
use super::error::ApiError;
use crate::screening::failed;

/// How long it may take to read the destination's account: servers answer within a few tenths of a second. Whoever asks for
/// the payment waits for it.
const READING: Duration = Duration::from_secs(3);

/// Destinations that are asked about at once, of one person half as many; whoever comes beyond waits as long as for the answer.
/// The servers answer the daemon's own questions, too.
pub(super) const AT_ONCE: usize = 4;

/// What can be found out, for a person who may ask for payments. Of the treasury's own accounts and of the address book
/// nothing is asked.
pub(super) async fn of_destination(
    app: &App,
    treasury: &Treasury,
    person: &str,
    destination: AccountId,
    destination_tag: Option<u32>,
) -> Result<Inquiry, ApiError> {
    let is_known =
        app.engine.query(move |state, treasury| is_known(treasury, state, &destination, state.now())).await?;
    let may_ask = treasury.people.get(person).is_some_and(|person| person.roles.contains(&Role::Proposer));
    if is_known || !may_ask {
        return Ok(Inquiry::default());
    }
    let reads = treasury.policy.risk().reads_accounts() && !is_followed(app, destination).await?;
    let account = async { if reads { look_up(app, person, destination).await } else { None } };
    let (account, screening) = tokio::join!(account, screen(app, person, destination, destination_tag));
    Ok(Inquiry { account, screening })
}

async fn look_up(app: &App, person: &str, destination: AccountId) -> Option<AccountRead> {
    let port = app.port.as_ref()?;
    let asked = async {
        let _place = app.inquiries.take(person).await?;
        port.look_up(destination).await
    };
    timeout(READING, asked).await.ok().flatten()
}

async fn screen(
    app: &App,
    person: &str,
    destination: AccountId,
    destination_tag: Option<u32>,
) -> Option<Screening> {
    let screener = app.screener.as_ref()?;
    let asked = async {
        let _place = app.screenings.take(person).await;
        screener.screen(destination, destination_tag).await
    };
    Some(match timeout(screener.patience(), asked).await {
        Ok(screening) => screening,
        Err(_) => failed("no answer in time"),
    })
}

/// Whether proven ledgers tell of it already.
async fn is_followed(app: &App, account: AccountId) -> Result<bool, ApiError> {
    Ok(app.engine.query(move |state, _| state.accounts.contains_key(&account)).await?)
}
