//! What people are told: seen, tried out and sent again.

use treasury_api::client::Client;
use treasury_api::types::{DeliveriesQuery, DoneView, RedeliverRequest};
use treasury_tools::text::clean;

use super::cli::Deliveries;
use super::{CtlError, answer, show};

pub(super) async fn run(client: &Client, json: bool, about: Deliveries) -> Result<String, CtlError> {
    Ok(match about {
        Deliveries::Channels => answer(json, &client.channels().await?, |channels| show::channels(channels)),
        Deliveries::Alerts => answer(json, &client.alerts().await?, |alerts| show::alerts(alerts)),
        Deliveries::List { channel, stage, before, limit } => {
            let query = DeliveriesQuery { channel, stage, before, limit };
            answer(json, &client.deliveries(&query).await?, |deliveries| show::deliveries(deliveries))
        }
        Deliveries::Redeliver { id, first, last, channel, stage } => {
            let request = RedeliverRequest { id, first, last, channel, stage };
            let again = client.redeliver(&request).await?;
            answer(json, &again, |again| format!("deliveries that are sent again: {}\n", again.deliveries))
        }
        Deliveries::Test { channel } => {
            let tested = client.test_channel(&channel).await?;
            answer(json, &tested, |tested| {
                format!(
                    "{} is on its way; `treasuryctl deliveries list` says what became of it\n",
                    clean(&tested.id)
                )
            })
        }
    })
}

/// Findings by their ids, such as F3, or notices by theirs: one of the two, because only then it is all of them or none.
pub(super) async fn acknowledge(client: &Client, ids: &[String], reason: &str) -> Result<DoneView, CtlError> {
    let are_notices = ids.iter().filter(|id| id.starts_with("n-")).count();
    if are_notices == ids.len() {
        return Ok(client.acknowledge_notices(ids, reason).await?);
    }
    if are_notices > 0 {
        return Err(CtlError::Usage("name findings or notices, and not both at once".to_owned()));
    }
    Ok(client.acknowledge(ids, reason).await?)
}
