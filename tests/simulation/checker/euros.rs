//! What is issued, as the checker sees it: the rules that hold of XRP hold of it by itself.

use tests::simulation::cast::ISSUER;
use xrpl_wire::{flags, sf};

use super::*;

impl Scene {
    fn euros(&self, to: &str, tag: Option<u32>, cents: u64) -> TxBody {
        TxBody::Payment(Payment {
            destination: self.cast.id(to),
            destination_tag: tag,
            amount: self.cast.cents(cents),
            send_max: None,
            deliver_min: None,
        })
    }

    /// The issuer pays so much.
    fn issue(&mut self, to: &str, cents: u64) {
        let issuer = self.cast.id(ISSUER);
        let sequence = sequence_of(self.ledger.open().state(), &issuer).unwrap();
        let body = self.euros(to, None, cents);
        let tx = self.cast.signed(ISSUER, issuer, SeqProxy::Sequence(sequence), &body);
        self.submit(&tx);
    }

    fn intend_euros(&mut self, tag: u32, cents: u64) {
        let intent = Intent {
            daemon: 0,
            asker: "alice".to_owned(),
            account: self.cast.id("warm"),
            destination: self.cast.id("supplier"),
            amount: self.cast.cents(cents),
            proposal: None,
        };
        self.checker.intends(tag, intent);
    }

    /// Agents alone have warm pay so much.
    fn agents_pay(&mut self, tag: u32, cents: u64) {
        self.intend_euros(tag, cents);
        let tx = self.multi("warm", &["agent-1", "agent-2"], &self.euros("supplier", Some(tag), cents));
        self.apply(&tx);
    }
}

#[test]
fn euros_that_the_issuer_did_not_pay_are_seen() {
    let mut scene = Scene::new();
    for is_watched in [true, false] {
        scene.issue("cold", 12_345);
        if is_watched {
            scene.close();
            assert_eq!(scene.rules(), []);
        } else {
            scene.ledger.close(CloseTime::Next);
        }
    }
    scene.agents_pay(1, 100);
    let seen = scene.checker.violations().iter();
    let seen: Vec<_> = seen.filter(|violation| violation.what.contains("of a euro")).collect();
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert_eq!(seen[0].rule, Rule::DropsConserved);
}

/// Danger: euros use up what is allowed of XRP, or count against nothing.
#[test]
fn what_agents_alone_pay_of_euros_has_limits_of_its_own() {
    let mut scene = Scene::new();
    for tag in 1..=4 {
        scene.agents_pay(tag, 10_000);
        scene.intend(tag + 10, "warm", 100 * XRP);
        let tx =
            scene.multi("warm", &["agent-1", "agent-2"], &scene.payment("shop", Some(tag + 10), 100 * XRP));
        scene.apply(&tx);
    }
    assert_eq!(scene.rules(), []);
    scene.agents_pay(5, 1);
    assert_eq!(scene.rules(), [Rule::LimitsOfExposure, Rule::LimitsKept], "400.01 within an hour");
    let mut scene = Scene::new();
    scene.agents_pay(1, 10_001);
    assert_eq!(scene.rules(), [Rule::LimitsOfExposure, Rule::PolicyKept]);
}

#[test]
fn euros_that_go_in_another_form_than_was_approved_are_seen() {
    for cents in [20_000, 100_001] {
        let mut scene = Scene::new();
        scene.issue("warm", 100_000);
        scene.close();
        scene.intend_euros(1, cents);
        let tx = scene.multi("warm", &["alice", "bob"], &scene.euros("supplier", Some(1), cents));
        scene.apply(&tx);
        let delayed = cents > 100_000;
        assert_eq!(scene.rules(), if delayed { vec![Rule::PolicyKept] } else { vec![] }, "{cents}");
    }
    let mut scene = Scene::new();
    scene.intend_euros(1, 20_000);
    let less = scene.multi("warm", &["alice", "bob"], &scene.euros("supplier", Some(1), 19_999));
    scene.apply(&less);
    assert_eq!(scene.rules(), [Rule::NothingUnasked], "less than was asked for");
    let mut scene = Scene::new();
    scene.intend_euros(1, 20_000);
    let tx = scene.multi("warm", &["alice", "bob"], &scene.euros("supplier", Some(1), 20_000));
    let mut object = tx.into_object();
    for field in [sf::Signers, sf::SigningPubKey] {
        object.remove(field);
    }
    object.set(sf::Flags, flags::tfPartialPayment);
    object.set(sf::SigningPubKey, Vec::<u8>::new());
    let partial = Transaction::from_object(object).unwrap();
    let signed = ["alice", "bob"]
        .map(|name| sign::sign_for(&partial, scene.cast.id(name), scene.cast.key(name)).unwrap());
    let partial = sign::assemble(&partial, signed.to_vec()).unwrap();
    scene.apply(&partial);
    assert_eq!(scene.rules(), [Rule::NothingUnasked], "a part of it would do");
}

#[test]
fn euros_along_a_link_are_held_to_its_limits_its_target_and_its_floor() {
    let moves = |scene: &mut Scene, to: &str, cents: u64| {
        let tx = scene.multi("cold", &["alice", "bob"], &scene.euros(to, None, cents));
        scene.apply(&tx);
    };
    let mut scene = Scene::new();
    // The desk is full: what comes there is too much.
    moves(&mut scene, "desk", 100_000);
    assert_eq!(scene.rules(), [Rule::NoOverfill]);
    let mut scene = Scene::new();
    moves(&mut scene, "desk", 100_001);
    assert_eq!(scene.rules(), [Rule::LimitsKept, Rule::NoOverfill]);
    let mut scene = Scene::new();
    moves(&mut scene, "supplier", 100);
    assert_eq!(scene.rules(), [Rule::NothingUnasked], "there is no link");
}
