use xrpl_wire::typed::AccountSet;

use super::*;

#[test]
fn a_void_leaves_under_a_freeze_and_what_it_makes_worthless_is_sent_no_more() {
    let mut scene = Scene::new();
    scene.intend(1, "warm", XRP);
    let reason = String::new;
    scene.do_command(&Command::Freeze { account: None, reason: reason() });
    let set = |transfer_rate| TxBody::AccountSet(AccountSet { transfer_rate, ..AccountSet::default() });
    let ticket = SeqProxy::Ticket(9);
    let void = scene.multi_on(ticket, "warm", &["alice", "bob"], &set(None));
    scene.checker.released(0, &void, HEARD);
    assert_eq!(scene.rules(), [], "a void moves nothing");
    let setting = scene.multi_on(ticket, "warm", &["alice", "bob"], &set(Some(1_000_000_001)));
    scene.checker.released(0, &setting, HEARD);
    assert_eq!(scene.rules(), [Rule::StopsBind], "what sets something is none");

    // Nor where its keys are at work elsewhere.
    let mut scene = Scene::new();
    let elsewhere = scene.multi("warm", &["agent-1", "agent-2"], &scene.payment("shop", Some(1), XRP));
    scene.intend(1, "warm", XRP);
    scene.checker.released(1, &elsewhere, HEARD);
    scene.submit(&elsewhere);
    let closed = scene.close();
    scene.checker.takes(0, closed.header.index);
    let void = scene.multi_on(ticket, "warm", &["alice", "bob"], &set(None));
    scene.checker.released(0, &void, HEARD);
    assert_eq!(scene.rules(), []);
    let setting = scene.multi_on(ticket, "warm", &["alice", "bob"], &set(Some(1_000_000_001)));
    scene.checker.released(0, &setting, HEARD);
    assert_eq!(scene.rules(), [Rule::Fenced]);

    let mut scene = Scene::new();
    scene.intend(1, "warm", XRP);
    let pay = scene.multi("warm", &["alice", "bob"], &scene.payment("shop", Some(1), XRP));
    scene.checker.released(0, &pay, HEARD);
    scene.do_command(&Command::Void { proposal: ProposalId(1), reason: reason() });
    scene.checker.released(1, &pay, HEARD);
    assert_eq!(scene.rules(), [], "another daemon has not been asked");
    scene.checker.released(0, &pay, HEARD);
    assert_eq!(scene.rules(), [Rule::StopsBind]);
}

#[test]
fn what_is_sent_under_a_freeze_is_seen() {
    for frozen in [None, Some("warm"), Some("hot")] {
        let mut scene = Scene::new();
        let key = scene.escrow();
        let account = frozen.map(|name| scene.cast.id(name));
        scene.do_command(&Command::Freeze { account, reason: String::new() });
        let finish = scene.finish(key);
        scene.checker.time(DELAYED_MS);
        scene.checker.released(0, &finish, HEARD);
        let tx = scene.multi("warm", &["alice", "bob"], &scene.payment("hot", None, XRP));
        scene.checker.released(0, &tx, HEARD);
        // A frozen hot account is paid nothing, and has nothing to do with warm's escrow.
        let expected: &[Rule] =
            if frozen == Some("hot") { &[Rule::StopsBind] } else { &[Rule::StopsBind; 2] };
        assert_eq!(scene.rules(), expected, "{frozen:?}");
    }
}
