//! What somebody has flagged is not released.

use tests::simulation::checker::Rule;
use treasury_core::command::{Actor, Command};
use treasury_core::units::{ProposalId, RippleTime};
use xrpl_harness::embedded::CloseTime;

use super::{DELAYED_MS, HEARD, Scene};

#[test]
fn a_flagged_escrow_that_is_released_is_seen() {
    let mut scene = Scene::new();
    let key = scene.escrow();
    let (proposal, reason) = (ProposalId(7), String::new());
    scene.do_command(&Command::Flag { proposal, reason });
    let finish = scene.finish(key);
    scene.checker.time(DELAYED_MS);
    scene.checker.released(0, &finish, HEARD);
    assert_eq!(scene.rules(), [Rule::FlaggedNotFinished]);
    // And on the ledger, whoever sent it.
    scene.ledger.close(CloseTime::At(RippleTime(scene.ledger.validated().header.close_time.0 + 2_100)));
    scene.submit(&finish);
    scene.close();
    assert_eq!(scene.rules(), [Rule::FlaggedNotFinished; 2]);
}

#[test]
fn a_cleared_flag_demands_nothing() {
    let mut scene = Scene::new();
    let key = scene.escrow();
    let (proposal, reason) = (ProposalId(7), String::new());
    scene.do_command(&Command::Flag { proposal, reason });
    let dave = Actor { person: "dave".to_owned(), origin: treasury_core::intent::Origin::Http };
    scene.checker.asked(0, &dave, &Command::Clear { proposal, reason: String::new() });
    let finish = scene.finish(key);
    scene.checker.time(DELAYED_MS);
    scene.checker.released(0, &finish, HEARD);
    assert_eq!(scene.rules(), []);
}
