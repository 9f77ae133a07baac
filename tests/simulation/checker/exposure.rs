//! What captured things take, as the checker sees it.

use treasury_core::exposure::Captured;

use super::*;

impl Scene {
    fn steals(&mut self, from: &str, signers: &[&str], captured: Captured) {
        let tx = self.multi(from, signers, &self.payment("stranger", None, 50 * XRP));
        self.checker.stolen(tx.id(), captured);
        self.submit(&tx);
        self.close();
    }
}

/// The agents' keys open hot; of cold no agent is a signer.
#[test]
fn what_a_captured_thing_takes_beyond_what_was_said_of_it_is_seen() {
    let mut scene = Scene::new();
    scene.steals("hot", &["agent-1", "agent-2"], Captured::AgentKeys);
    assert_eq!(scene.rules(), []);
    let one = Captured::AgentKey(scene.cast.id("agent-1"));
    scene.steals("hot", &["agent-1", "agent-2"], one);
    assert_eq!(scene.rules(), [Rule::LimitsOfExposure], "one agent's key opens nothing");
    let mut scene = Scene::new();
    scene.steals("cold", &["alice", "bob"], Captured::AgentKeys);
    assert_eq!(scene.rules(), [Rule::LimitsOfExposure]);
    let mut scene = Scene::new();
    scene.steals("cold", &["alice", "bob"], Captured::Person("alice".to_owned()));
    assert_eq!(scene.rules(), [Rule::LimitsOfExposure]);
}

/// Agents sign 100 XRP at a time, and 400 within an hour.
#[test]
fn what_one_person_has_agents_sign_beyond_what_was_said_of_them_is_seen() {
    let exposed = |scene: &Scene| scene.rules().contains(&Rule::LimitsOfExposure);
    let mut scene = Scene::new();
    for tag in 1..=5 {
        assert!(!exposed(&scene), "before the payment {tag}");
        scene.intend(tag, "hot", 100 * XRP);
        let tx = scene.multi("hot", &["agent-1", "agent-2"], &scene.payment("shop", Some(tag), 100 * XRP));
        scene.apply(&tx);
    }
    assert!(exposed(&scene), "500 XRP within an hour");
    let mut scene = Scene::new();
    scene.intend(1, "hot", 101 * XRP);
    let tx = scene.multi("hot", &["agent-1", "agent-2"], &scene.payment("shop", Some(1), 101 * XRP));
    scene.apply(&tx);
    assert!(exposed(&scene), "101 XRP at a time");
    let mut scene = Scene::new();
    scene.intend(1, "hot", 101 * XRP);
    let tx = scene.multi("hot", &["alice", "bob"], &scene.payment("shop", Some(1), 101 * XRP));
    scene.apply(&tx);
    assert!(!exposed(&scene), "somebody else signed");
}
