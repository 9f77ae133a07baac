//! What is told, printed as it is told.

use std::time::Duration;

use treasury_api::client::{Client, ClientError, Told};
use treasury_tools::text::{clean, clean_json};

use super::{CtlError, lines, print};

/// Before the first attempt to listen again, and at most.
const PAUSE: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// Prints until it is ended, or has printed so many. A daemon that is away for a while is waited for.
pub(super) async fn run(
    client: &Client,
    json: bool,
    after: Option<String>,
    count: Option<u64>,
) -> Result<String, CtlError> {
    let (mut last, mut left, mut pause, mut has_listened) = (after, count, PAUSE, false);
    while left != Some(0) {
        match client.watch(last.as_deref()).await {
            Ok(mut watch) => {
                (has_listened, pause) = (true, PAUSE);
                // Whether it ends or breaks, what comes after the last one is asked for again.
                while left != Some(0)
                    && let Ok(Some(told)) = watch.next().await
                {
                    if show(json, &told)? {
                        left = left.map(|left| left.saturating_sub(1));
                    }
                }
                last = watch.last().map(str::to_owned).or(last);
            }
            // Nothing is wrong with what was asked: it was answered before.
            Err(error) if has_listened && passes(&error) => pause = (pause * 2).min(PAUSE_MAX),
            Err(error) => return Err(error.into()),
        }
        if left != Some(0) {
            tokio::time::sleep(pause).await;
        }
    }
    Ok(String::new())
}

fn passes(error: &ClientError) -> bool {
    match error {
        ClientError::Unreached(_) | ClientError::Transport(_) | ClientError::BadAnswer(_) => true,
        ClientError::Api { status, .. } => *status == 429 || *status >= 500,
        ClientError::BadUrl(_) | ClientError::PlainHttp { .. } => false,
    }
}

/// Whether it is a notice.
fn show(json: bool, told: &Told) -> Result<bool, CtlError> {
    match told {
        Told::Notice(_, document) if json => print(&format!("{}\n", clean_json(document)))?,
        Told::Notice(notice, _) => print(&lines(&format!("{} {}\n", notice.id, notice.text())))?,
        Told::Trimmed(trimmed) => {
            // Standard output has notices alone.
            super::show_first(&format!("{}\n", clean(&trimmed.says)))?;
            return Ok(false);
        }
    }
    Ok(true)
}
