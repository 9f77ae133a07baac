//! The daemon's own `main`, built as a binary of this package, so that its tests can start it, kill it and
//! start it again.
//!
//! Under the name `treasuryctl` it is the people's tool, and under `curl` as much of that as runbooks type, so that tests
//! need nothing that is not here.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    let called = std::env::args_os().next().map(PathBuf::from).unwrap_or_default();
    match called.file_name().and_then(|name| Path::new(name).to_str()) {
        Some("treasuryctl") => treasuryctl::main(),
        Some("curl") => curl(),
        _ => treasuryd::cli::main(),
    }
}

/// `curl -s URL [-d DATA]`: prints what is answered, whatever the status.
fn curl() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let (mut url, mut data) = (None, None);
    while let Some(word) = words.next() {
        match word.as_str() {
            "-s" => {}
            "-d" => data = words.next(),
            _ => url = Some(word),
        }
    }
    let Some(url) = url else { return ExitCode::from(2) };
    // Only where a client is made is it known that nobody has chosen before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let answered = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())
        .and_then(|runtime| runtime.block_on(ask(&url, data)).map_err(|error| error.to_string()));
    match answered {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn ask(url: &str, data: Option<String>) -> Result<String, reqwest::Error> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).build()?;
    let request = match data {
        Some(data) => client.post(url).body(data),
        None => client.get(url),
    };
    request.send().await?.text().await
}
