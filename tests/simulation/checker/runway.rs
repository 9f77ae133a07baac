//! What is said to last longer than what is there is found, of XRP and of an issued asset; and what is said to last much shorter.

use tests::simulation::checker::Rule;
use treasury_core::forecast::{Runway, runway};
use treasury_core::observe::{AccountSnapshot, RootView, TrustLineView};
use treasury_core::units::{Asset, RippleTime};
use treasury_core::{Event, State, observe::LedgerPoint};

use super::*;

const DAY: u32 = 86_400;

/// Cold has ten million XRP and 50,000 euros, of which the schedules have taken nothing yet.
fn known(cast: &Cast) -> State {
    let at = LedgerPoint {
        index: LedgerIndex(9),
        hash: Hash256([9; 32]),
        close_time: cast.schedules()[3].due[0].at,
    };
    let has = |name: &str, xrp: u64, euros: &str| {
        let limit = "1000000".parse().unwrap();
        let balance = euros.parse().unwrap();
        let line =
            TrustLineView { balance, limit, frozen: false, deep_frozen: false, no_ripple: Some(false) };
        AccountSnapshot {
            account: cast.id(name),
            root: Some(RootView {
                balance: drops(xrp * XRP),
                sequence: 1,
                owner_count: 0,
                flags: 0,
                regular_key: None,
                transfer_rate: Some(0),
            }),
            signer_list: None,
            tickets: Default::default(),
            escrows: Vec::new(),
            trust_lines: Some([(cast.euro(), line)].into()),
            settings: None,
        }
    };
    let mut state = State::default();
    let accounts = vec![has("cold", 100, "4000.5"), has("desk", 1, "1000")];
    state.apply(&Event::AccountsRead { at, accounts, taken: None }).unwrap();
    state.ledger.as_mut().unwrap().close_time.0 -= 10 * DAY;
    state
}

#[test]
fn what_is_said_to_last_longer_or_much_shorter_than_what_is_there_breaks_the_rule() {
    let cast = Cast::default();
    let (treasury, state) = (cast.treasury(), known(&cast));
    for (asset, days) in [(cast.euro(), 13), (Asset::Xrp, 366)] {
        let said = runway(&treasury, &state, &cast.id("cold"), asset);
        assert_eq!(said.days(), days, "{said:?}");
        let end = said.now.0 + said.seconds();
        for (ends, broken) in [
            (said.ends, false),
            (Some(RippleTime(end - 1_800)), false),
            (Some(RippleTime(end - 2 * 3_600)), true),
            (Some(RippleTime(end + 1)).filter(|_| days < 366), days < 366),
            (None, days < 366),
        ] {
            let mut scene = Scene::new();
            let forged = Runway { ends, ..said.clone() };
            scene.checker.said_to_last(0, &treasury, &state, &cast.id("cold"), &forged);
            let expected = if broken { vec![Rule::LastsNoLonger] } else { vec![] };
            assert_eq!(scene.rules(), expected, "{asset}: {ends:?} for {end}");
        }
    }
}

/// Danger: what is looked at in the simulations is a state in which nothing leaves.
#[test]
fn days_that_pass_in_the_mind_make_what_leaves_usual_and_break_no_rule() {
    let mut scene = Scene::new();
    let (treasury, mut state) = (scene.cast.treasury(), known(&scene.cast));
    state.fees = Some(treasury_core::observe::NetworkFees {
        base_fee: drops(10),
        reserve_base: drops(XRP),
        reserve_inc: drops(XRP / 5),
    });
    scene.checker.lasts(0, &treasury, &state);
    assert_eq!(scene.rules(), []);
    let reached = scene.checker.take_reached();
    assert!(reached.contains(&"what usually leaves of an issued asset ends it"), "{reached:?}");
}
