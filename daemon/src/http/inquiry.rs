//! What is found out about a destination before a payment to it is asked for.
//!
//! It is asked here and not by the engine, which waits for nobody; what comes of it goes with the request, is stored with the
//! proposal, and is what the decision was made by. What cannot be found out in time is not known, and weighs as such.

use std::time::Duration;

use tokio::time::timeout;
use treasury_core::Treasury;
use treasury_core::config::Role;
use treasury_core::inquiry::Inquiry;
use treasury_core::units::AccountId;

use super::App;
use super::error::ApiError;

/// How long it may take to read the destination's account: servers answer within a few tenths of a second. Whoever asks for
/// the payment waits for it.
const READING: Duration = Duration::from_secs(3);

/// Destinations that are asked about at once; whoever comes beyond waits as long as for the answer. The servers answer the
/// daemon's own questions, too.
pub(super) const AT_ONCE: usize = 4;

/// What can be found out, for a person who may ask for payments. Of the treasury's own accounts and of the address book
/// nothing is asked.
pub(super) async fn of_destination(
    app: &App,
    treasury: &Treasury,
    person: &str,
    destination: AccountId,
) -> Result<Inquiry, ApiError> {
    let is_known =
        treasury.accounts.contains_key(&destination) || treasury.destinations.contains_key(&destination);
    let may_ask = treasury.people.get(person).is_some_and(|person| person.roles.contains(&Role::Proposer));
    if is_known || !may_ask {
        return Ok(Inquiry::default());
    }
    let account = match &app.port {
        Some(port) if treasury.policy.risk().reads_accounts() && !is_followed(app, destination).await? => {
            let asked = async {
                // It is never closed.
                let _place = app.inquiries.acquire().await.ok()?;
                port.look_up(destination).await
            };
            timeout(READING, asked).await.ok().flatten()
        }
        _ => None,
    };
    Ok(Inquiry { account })
}

/// Whether proven ledgers tell of it already.
async fn is_followed(app: &App, account: AccountId) -> Result<bool, ApiError> {
    Ok(app.engine.query(move |state, _| state.accounts.contains_key(&account)).await?)
}
