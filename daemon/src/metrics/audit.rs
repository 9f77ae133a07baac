//! The audit log.

use prometheus::{IntGauge, Registry};

use super::{Metric, Metrics, gauge};

pub(super) const AUDIT_FAULT: Metric = Metric::gauge(
    "treasuryd_audit_fault",
    &[],
    "1 while the audit log is not what was written, lacks what it does not say was taken away, or cannot be written; otherwise 0. The log says which: `audit_broken`, `audit_stuck`.",
);

#[derive(Debug)]
pub(super) struct AuditLog {
    fault: IntGauge,
}

impl AuditLog {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        Ok(Self { fault: gauge(registry, AUDIT_FAULT)? })
    }
}

impl Metrics {
    /// Whether the audit log is not what it should be.
    pub fn audit_fault(&self, is_fault: bool) {
        self.audit.fault.set(i64::from(is_fault));
    }
}
