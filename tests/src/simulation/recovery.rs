//! The second part of a run: faults are over, people put things right, and everything has to end.

use treasury_core::Command;

use super::cast::{DEADLINE_MAX_SECONDS, DELAY_SECONDS, PAYEES, PAYERS, WINDOW_SECONDS, XRP, drops};
use super::outsiders::Outsider;
use super::world::World;

/// Until daemons that died have started again and what was on its way has arrived, in seconds.
const CALM_SECONDS: u64 = 200;

/// Until everything that was open has ended: the longest deadline, the delay and the window after it, and time to
/// prepare and send what ends an escrow.
const END_SECONDS: u64 = 4_800;

/// Until a payment that nothing speaks against is in a ledger: people take their time to sign.
const PROBE_SECONDS: u64 = 800;

/// A payment that two people sign, in drops.
const PROBE_DROPS: u64 = 150 * XRP;

impl World {
    /// Heals everything at this time and demands progress.
    pub(super) async fn recover(&mut self, mut seconds: u64) {
        assert!(END_SECONDS > u64::from(DEADLINE_MAX_SECONDS + DELAY_SECONDS + WINDOW_SECONDS));
        self.healed = true;
        self.shared.lock().heal();
        self.guard_heals();
        for node in &self.nodes {
            node.disk.heal();
        }
        self.line("all faults end".to_owned());
        seconds += CALM_SECONDS;
        self.run_until(seconds).await;
        for account in PAYERS {
            self.outside(Outsider::RestoreList(account));
            self.outside(Outsider::RestoreSettings(account));
        }
        self.outside(Outsider::RestoreAgent);
        for payee in PAYEES {
            self.outside(Outsider::Accept(payee));
        }
        for daemon in 0..self.nodes.len() {
            self.unfreeze(daemon).await;
            self.lift_findings(daemon).await;
            self.ask(daemon, "dave", None, Command::CloseBreaker { account: None }).await;
        }
        for _ in 0..END_SECONDS / 60 {
            seconds += 60;
            self.run_until(seconds).await;
            self.sign_what_waits().await;
            // A breaker that opens again, and a finding that stops an account, say that something is not well; people look
            // after it. The SignerLists and settings that were restored are such findings: no proposal did that.
            for daemon in 0..self.nodes.len() {
                self.lift_findings(daemon).await;
                self.ask(daemon, "dave", None, Command::CloseBreaker { account: None }).await;
            }
        }
        let mut probes = Vec::new();
        // Two daemons take each other's transactions for a thief's, and hold what they can; people would have
        // to choose one.
        if self.nodes.len() == 1 {
            for account in ["cold", "warm"] {
                probes.push(self.propose(0, account, "shop", drops(PROBE_DROPS).into(), None).await);
            }
        }
        seconds += PROBE_SECONDS;
        self.run_until(seconds).await;
        if !self.checker.violations().is_empty() {
            return;
        }
        for (number, node) in self.nodes.iter().enumerate() {
            match node.state() {
                Some(state) => self.checker.ended(number, state, &probes),
                None => {
                    self.checker.broken(super::checker::Rule::AllEnds, format!("daemon {number} is not up"))
                }
            }
        }
    }
}
