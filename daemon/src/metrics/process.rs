//! What the system says of this process, under the names that every exporter has for it.

use prometheus::{IntGauge, Registry};

use super::{Metric, clamp, count, gauge};
use crate::clock;

pub(super) const MEMORY: Metric = Metric::gauge(
    "process_resident_memory_bytes",
    &[],
    "Memory that the process has, in bytes; 0 where the system does not say.",
);
pub(super) const OPEN_FILES: Metric =
    Metric::gauge("process_open_fds", &[], "Files and sockets that the process has open.");
pub(super) const THREADS: Metric = Metric::gauge("process_threads", &[], "Threads of the process.");
pub(super) const STARTED: Metric = Metric::gauge(
    "process_start_time_seconds",
    &[],
    "When the process started, in seconds since 1970 by the host's clock.",
);

#[derive(Debug)]
pub(super) struct Process {
    memory: IntGauge,
    open_files: IntGauge,
    threads: IntGauge,
}

impl Process {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        gauge(registry, STARTED)?.set(clock::utc().to_unix());
        Ok(Self {
            memory: gauge(registry, MEMORY)?,
            open_files: gauge(registry, OPEN_FILES)?,
            threads: gauge(registry, THREADS)?,
        })
    }

    pub(super) fn show(&self) {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        self.memory.set(clamp(number(&status, "VmRSS:").saturating_mul(1_024)));
        self.threads.set(clamp(number(&status, "Threads:")));
        let open = std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
        self.open_files.set(count(open));
    }
}

/// The number in the line that begins so.
fn number(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}
