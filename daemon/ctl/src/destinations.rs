//! The address book, and making its entries known.

use treasury_api::client::Client;
use treasury_api::types::{DestinationView, DestinationsView};
use treasury_tools::console;
use treasury_tools::text::clean;

use crate::cli::Destinations;
use crate::show::Rows;
use crate::{CtlError, answer};

pub(crate) async fn run(client: &Client, json: bool, asked: Destinations) -> Result<String, CtlError> {
    match asked {
        Destinations::List => Ok(answer(json, &client.destinations().await?, shown)),
        Destinations::Confirm { address, reason } => {
            let done = client.confirm_destination(&address.to_string(), &reason).await?;
            Ok(answer(json, &done, |done| format!("{}\n", done.words())))
        }
    }
}

fn shown(book: &DestinationsView) -> String {
    let mut table = Rows::new(["name", "address", "standing", "confirmed by"]);
    for one in &book.destinations {
        let by: Vec<String> = one.confirmed.iter().map(|by| format!("{} ({})", by.by, by.reason)).collect();
        table.row([one.name.clone(), one.address.clone(), standing(one), by.join("; ")]);
    }
    let how = match &book.confirmation {
        None => "whoever is in the address book is known".to_owned(),
        Some(terms) => format!(
            "entries are confirmed by {} ({}), and known {} s after that",
            clean(&terms.who),
            clean(&terms.people.join(", ")),
            terms.cooling_seconds
        ),
    };
    format!("{}\n{how}\n", table.shown(console::width()))
}

fn standing(one: &DestinationView) -> String {
    match &one.known_from {
        Some(from) => format!("{} until {from}", one.standing),
        None => one.standing.clone(),
    }
}
