//! What is due at set times is paid once for each of them.

use tests::simulation::cast::XRP;
use tests::simulation::checker::Rule;
use treasury_core::config::Schedule;
use treasury_core::units::{ProposalId, RippleTime};
use xrpl_harness::embedded::CloseTime;
use xrpl_wire::{Transaction, TxBody};

use super::{HEARD, Scene};

impl Scene {
    /// What the schedule with that name pays, signed by agents.
    fn pays(&self, schedule: &Schedule) -> Transaction {
        let amount = schedule.amount.drops().unwrap().get();
        let body = self.payment(self.cast.name(&schedule.to), schedule.destination_tag, amount);
        self.multi(self.cast.name(&schedule.from), &["agent-1", "agent-2"], &body)
    }

    fn schedule(&self, name: &str) -> Schedule {
        self.cast.schedules().into_iter().find(|schedule| schedule.name == name).unwrap()
    }

    fn wait_until(&mut self, time: RippleTime) {
        let closed = self.ledger.close(CloseTime::At(time));
        self.checker.ledger(&closed);
    }

    /// Asked for, due, sent and applied.
    fn is_paid(&mut self, schedule: &Schedule, proposal: u64, due: RippleTime) {
        self.checker.dated(0, ProposalId(proposal), &schedule.name, due);
        let tx = self.pays(schedule);
        self.checker.is_of(tx.id(), 0, ProposalId(proposal));
        self.apply(&tx);
    }
}

#[test]
fn each_date_paid_once_breaks_nothing() {
    let mut scene = Scene::new();
    let drip = scene.schedule("drip");
    for (number, date) in (1..).zip(drip.due.iter().take(3)) {
        scene.wait_until(date.at);
        scene.is_paid(&drip, number, date.at);
    }
    assert_eq!(scene.rules(), []);
}

#[test]
fn a_date_that_is_paid_twice_is_seen() {
    let mut scene = Scene::new();
    let drip = scene.schedule("drip");
    let due = drip.due[0].at;
    scene.wait_until(due);
    scene.is_paid(&drip, 1, due);
    assert_eq!(scene.rules(), []);
    // Another transaction of the same proposal.
    scene.is_paid(&drip, 1, due);
    assert_eq!(scene.rules(), [Rule::OncePerDate]);
    // Two daemons, each with a proposal of its own.
    let mut scene = Scene::new();
    scene.wait_until(due);
    scene.is_paid(&drip, 1, due);
    scene.checker.dated(1, ProposalId(1), &drip.name, due);
    let tx = scene.pays(&drip);
    scene.checker.is_of(tx.id(), 1, ProposalId(1));
    scene.apply(&tx);
    assert_eq!(scene.rules(), [Rule::OncePerDate]);
}

#[test]
fn a_date_that_is_asked_for_twice_is_seen() {
    for (again, broken) in [(1, false), (2, true)] {
        let mut scene = Scene::new();
        let drip = scene.schedule("drip");
        for proposal in [1, again] {
            scene.checker.dated(0, ProposalId(proposal), &drip.name, drip.due[0].at);
        }
        assert_eq!(scene.rules() == [Rule::OncePerDate], broken, "{again}: {:?}", scene.rules());
    }
}

#[test]
fn what_no_schedule_has_due_is_seen() {
    let mut scene = Scene::new();
    let drip = scene.schedule("drip");
    scene.checker.dated(0, ProposalId(1), &drip.name, RippleTime(drip.due[0].at.0 + 1));
    assert_eq!(scene.rules(), [Rule::OncePerDate]);
    // And a payment that is for none of its dates.
    let mut scene = Scene::new();
    scene.wait_until(drip.due[0].at);
    let tx = scene.pays(&drip);
    scene.apply(&tx);
    assert_eq!(scene.rules(), [Rule::OncePerDate]);
}

#[test]
fn a_payment_before_it_is_due_is_seen() {
    let mut scene = Scene::new();
    let drip = scene.schedule("drip");
    scene.is_paid(&drip, 1, drip.due[0].at);
    assert_eq!(scene.rules(), [Rule::OncePerDate]);
}

#[test]
fn what_is_paid_for_a_date_is_what_was_declared() {
    let mut scene = Scene::new();
    let drip = scene.schedule("drip");
    let due = drip.due[0].at;
    scene.wait_until(due);
    scene.checker.dated(0, ProposalId(1), &drip.name, due);
    let body: TxBody = scene.payment("supplier", drip.destination_tag, 11 * XRP);
    let tx = scene.multi("reserve", &["agent-1", "agent-2"], &body);
    scene.checker.is_of(tx.id(), 0, ProposalId(1));
    scene.checker.released(0, &tx, HEARD);
    scene.submit(&tx);
    scene.close();
    assert_eq!(scene.rules(), [Rule::NothingUnasked]);
}
