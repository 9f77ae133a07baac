//! The daemon's sight and reach, beside their targets: run `cargo bench -p tests --bench sight`.
//!
//! Names on the command line choose figures; all run by default. What computes is measured in the
//! processor time of all threads and in wall time; what goes over sockets in wall time alone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a bench fails by panicking")]
#![allow(clippy::as_conversions, clippy::float_arithmetic, reason = "figures for people to read")]

mod ground;
mod ingest;
mod latency;
mod memory;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    // First, while the process is small: what it grows by is the figure.
    let figures: [(&str, fn()); 3] =
        [("memory", memory::run), ("ingest", ingest::run), ("latency", latency::run)];
    println!("| figure | value | target |");
    println!("|---|---|---|");
    for (name, run) in figures {
        if wanted.is_empty() || wanted.iter().any(|word| word == name) {
            run();
        }
    }
}
