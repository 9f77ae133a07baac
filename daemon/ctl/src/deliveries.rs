//! What people are told: seen, tried out and sent again.

use treasury_api::client::Client;
use treasury_api::types::{DeliveriesQuery, RedeliverRequest};
use treasury_tools::text::clean;

use super::cli::Deliveries;
use super::{CtlError, answer, show};

pub(super) async fn run(client: &Client, json: bool, about: Deliveries) -> Result<String, CtlError> {
    Ok(match about {
        Deliveries::Channels => answer(json, &client.channels().await?, |channels| show::channels(channels)),
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
