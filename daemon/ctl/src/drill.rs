//! Shows that somebody still has their key.

use treasury_api::client::Client;
use treasury_api::types::DrillRequest;

use crate::{CtlError, Profile, answer, confirmed, done, lines, show_first};

/// Signs what the daemon asks with, if it asks. The text is made here and not taken from the daemon: nothing else is signed.
pub(super) async fn run(
    client: &Client,
    profile: &Profile,
    json: bool,
    yes: bool,
) -> Result<String, CtlError> {
    let asked = client.drill().await?;
    let Some(challenge) = &asked.challenge else {
        let last = match &asked.proven {
            Some(proven) => format!("your key signed last at {} ({})", proven.at, proven.by),
            None => "nothing that your key signed is known".to_owned(),
        };
        return Ok(answer(json, &asked, |_| {
            lines(&format!("you are not asked to show that you have your key; {last}"))
        }));
    };
    let (signer, key) = profile.key()?;
    let malformed =
        || CtlError::Usage("what the daemon asks with is no challenge; nothing was signed".to_owned());
    let challenge = challenge.parse().map_err(|_| malformed())?;
    show_first(&xrpl_wire::drill::text(&signer, &challenge))?;
    if !yes && !confirmed(&format!("Sign it for {signer}? [y/N] "))? {
        return Err(CtlError::Declined);
    }
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02X}")).collect::<String>();
    let request = DrillRequest {
        signing_pub_key: key.public_key().to_string(),
        signature: hex(&xrpl_wire::drill::sign(&signer, &challenge, &key)),
    };
    Ok(done(json, &client.answer_drill(&request).await?, "shown"))
}
