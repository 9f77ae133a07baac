//! What is guarded is made and released only with the guard's part.

use tests::simulation::checker::Rule;
use treasury_core::units::{EscrowKey, HexBytes};
use xrpl_wire::condition;

use super::{DELAYED_MS, HEARD, PREIMAGE, Scene};

impl Scene {
    /// The escrow that this scene will make, guarded.
    fn guarded(&mut self) -> EscrowKey {
        self.checker.is_guarded();
        let tx = self.multi("warm", &["alice", "bob"], &self.payment("shop", None, 1));
        let key = EscrowKey { owner: self.cast.id("warm"), sequence: tx.seq().value() };
        self.checker.guard_made(key, &HexBytes(condition::condition_for_preimage(&PREIMAGE)));
        assert_eq!(self.escrow(), key);
        key
    }
}

#[test]
fn a_release_without_the_guards_share_is_seen() {
    for (given, broken) in [(true, false), (false, true)] {
        let mut scene = Scene::new();
        let key = scene.guarded();
        if given {
            scene.checker.guard_gave(key);
        }
        let finish = scene.finish(key);
        scene.checker.time(DELAYED_MS);
        scene.checker.released(0, &finish, HEARD);
        assert_eq!(scene.rules() == [Rule::GuardsShare], broken, "{given}: {:?}", scene.rules());
        // And on the ledger, whoever sent it.
        let later = scene.ledger.validated().header.close_time.0 + 2_100;
        scene.ledger.close(xrpl_harness::embedded::CloseTime::At(xrpl_wire::RippleTime(later)));
        scene.submit(&finish);
        scene.close();
        let all: &[Rule] = if broken { &[Rule::GuardsShare; 2] } else { &[] };
        assert_eq!(scene.rules(), all, "{given}");
    }
}

#[test]
fn an_escrow_that_is_made_without_the_guard_is_seen() {
    let mut scene = Scene::new();
    scene.checker.is_guarded();
    scene.makes_escrow();
    assert_eq!(scene.rules(), [Rule::GuardsShare]);
    // Where somebody else's condition was made by it.
    let mut scene = Scene::new();
    scene.checker.is_guarded();
    let other = EscrowKey { owner: scene.cast.id("hot"), sequence: 1 };
    scene.checker.guard_made(other, &HexBytes(condition::condition_for_preimage(&PREIMAGE)));
    scene.makes_escrow();
    assert_eq!(scene.rules(), [Rule::GuardsShare]);
}
