//! What the gate lets leave and what it keeps, where one thing more or less decides it: links that are gone, breakers,
//! deadlines, funds to the drop; and what of a link's accounts counts.

use treasury_core::command::{Answer, Command};
use treasury_core::config::{FindingKind, Severity, TierLink};
use treasury_core::failure::Cause;
use treasury_core::gate::{self, Act};
use treasury_core::input::SubmitReply;
use treasury_core::intent::{Intent, IntentKind, Move};
use treasury_core::policy::{Action, Policy, Rule};
use treasury_core::proposal::Status;
use treasury_core::state::Finding;
use treasury_core::stops::Subject;
use treasury_core::tiers::{self, By, Planner};
use treasury_core::units::{Asset, FindingId, ProposalId, RippleTime};
use treasury_core::wait::Wait;
use treasury_core::{Event, Treasury};

use crate::commitments;
use crate::world::{World, XRP, amount, config, id};

const HOUR: u32 = 3_600;
const DAY: u32 = 24 * HOUR;

fn link(name: &str, from: &str, bounds: [u64; 3]) -> TierLink {
    commitments::link(name, from, "hot", bounds)
}

/// Warm fills hot below 1,000 up to 1,900 XRP; moves are decided like this, and hot has 900.
fn short(action: Action) -> World {
    let moves = Rule { kinds: Some(vec![IntentKind::Move]), ..Rule::new("moves", action) };
    let others =
        config().policy.rules().iter().filter(|rule| rule.name != "moves").cloned().collect::<Vec<_>>();
    let policy = Policy::new(others.into_iter().chain([moves]).collect());
    let mut w = World::with(Treasury { policy, ..config() });
    w.change_balance("hot", 900);
    w.config.links = vec![link("warm to hot", "warm", [1_000, 1_900, 0])];
    w
}

fn two() -> Action {
    config().policy.rules().iter().find(|rule| rule.name == "middling").unwrap().action.clone()
}

/// The move that waits for people.
fn drafted(w: &mut World) -> ProposalId {
    w.close(&[]);
    *w.state.open.iter().find(|p| w.state.proposals[p].intent.kind() == IntentKind::Move).unwrap()
}

fn plan(w: &World, at: RippleTime) -> (u64, By) {
    let plan = Planner::new(&w.config).plan(&w.state, &w.config.links[0], at);
    (plan.amount.drops().unwrap().get() / XRP, plan.by)
}

#[test]
fn a_move_whose_link_was_taken_out_before_it_left_stays_and_one_that_left_is_sent_again() {
    let mut w = short(two());
    let p = drafted(&mut w);
    let links = std::mem::take(&mut w.config.links);
    w.approve("alice", p).unwrap();
    w.approve("bob", p).unwrap();
    assert!(w.sent().is_empty(), "{}", w.word(p));
    assert!(
        w.waits(p).iter().any(|wait| wait.contains("which is not declared any more")),
        "{:?}",
        w.waits(p)
    );
    w.config.links = links;
    w.close(&[]);
    assert_eq!(w.sent().len(), 1);
    w.reply_with(p, SubmitReply::Unknown("it broke".to_owned()));
    w.config.links.clear();
    w.close(&[]);
    assert_eq!(w.sent().len(), 1, "what may have left goes on until a ledger decides");
}

#[test]
fn what_may_have_left_is_sent_again_after_its_deadline_and_past_an_open_breaker() {
    let mut w = World::new();
    let p = w.propose("hot", 50);
    w.reply_with(p, SubmitReply::Unknown("it broke".to_owned()));
    w.sent();
    w.jump(2 * HOUR);
    assert_eq!(w.sent().len(), 1);
    // And an errand of the daemon's own.
    let mut w = short(Action::Allow);
    let p = drafted(&mut w);
    w.reply_with(p, SubmitReply::Unknown("it broke".to_owned()));
    let (account, cause, at) = (Some(id("warm")), Cause::Network, w.state.ledger.unwrap());
    w.record(Event::BreakerOpened { account, cause, at, reason: "no reply".to_owned() });
    w.sent();
    w.close(&[]);
    assert_eq!(w.sent().len(), 1);
}

#[test]
fn a_breaker_stops_what_the_daemon_wants_and_nothing_that_people_asked_for() {
    let mut w = short(Action::Allow);
    let at = w.state.ledger.unwrap();
    for account in ["warm", "hot"] {
        let (account, cause) = (Some(id(account)), Cause::Network);
        w.record(Event::BreakerOpened { account, cause, at, reason: "no reply".to_owned() });
    }
    let p = w.propose("hot", 50);
    assert_eq!(w.word(p), "in_flight");
    w.close(&[]);
    assert!(w.state.proposals.values().all(|proposal| proposal.intent.link().is_none()));
}

#[test]
fn a_freeze_names_nothing_that_is_under_way_elsewhere() {
    let mut w = World::new();
    let p = w.propose("hot", 50);
    w.reply_with(p, SubmitReply::Unknown("it broke".to_owned()));
    // Who asks again, as where the answer was lost, is told the same.
    for (account, named) in [("cold", false), ("hot", true), ("hot", true)] {
        let freeze = Command::Freeze { account: Some(id(account)), reason: "stolen".to_owned() };
        let Answer::Stopped { warning, .. } = w.command("dave", freeze).unwrap() else { panic!() };
        assert_eq!(warning.is_some_and(|warning| warning.contains(&p.to_string())), named, "{account}");
    }
}

#[test]
fn a_robbery_keeps_a_link_from_filling_for_its_own_period_and_not_for_that_of_another() {
    let mut w = World::new();
    let [day, week] = ["day", "week"].map(|name| link(name, "warm", [1_000, 1_900, 0]));
    let week = TierLink { period_seconds: 7 * DAY, ..week };
    let finding = Finding {
        id: FindingId(w.state.last_finding + 1),
        kind: FindingKind::SpendWithoutProposal,
        severity: Severity::Alert,
        account: Some(id("hot")),
        evidence: String::new(),
        at: w.state.ledger.unwrap(),
        acknowledged: None,
        over: None,
        about: None,
    };
    w.record(Event::Found { finding });
    w.config.links = vec![week.clone(), day.clone()];
    w.jump(2 * DAY);
    let drained = |w: &World, link: &TierLink| {
        let intent =
            Intent::Move(Move { link: link.name.clone(), destination: id("hot"), amount: amount(5) });
        let against = gate::may_leave(&w.config, &w.state, Act::errand(id("warm"), &intent));
        against.contains(&Wait::Drained(id("hot")))
    };
    assert_eq!((drained(&w, &day), drained(&w, &week)), (false, true));
    w.config.links.reverse();
    assert_eq!((drained(&w, &day), drained(&w, &week)), (false, true));
}

#[test]
fn no_stop_is_said_to_stand_against_a_void() {
    let mut config = config();
    let mut rules = config.policy.rules().to_vec();
    rules.iter_mut().for_each(|rule| rule.void = true);
    config.policy = Policy::new(rules);
    let mut w = World::with(config);
    let p = w.propose("hot", 50);
    w.command("dave", Command::Void { proposal: p, reason: "not ours".to_owned() }).unwrap();
    assert!(w.proposal(p).is_being_voided());
    w.command("dave", Command::Freeze { account: None, reason: "stolen".to_owned() }).unwrap();
    assert!(gate::stops(&w.config, &w.state, Act::of(w.proposal(p))).is_empty());
    assert!(!gate::touches(&w.state, Act::of(w.proposal(p)), &Subject::Account(id("cold"))));
}

/// Danger: one drop off, and a payment that people signed fails and burns its fee, or money that is there is not paid.
#[test]
fn an_account_pays_all_but_its_reserve_and_an_escrow_adds_to_that() {
    let waits_for = |balance: u64, pays: u64| {
        let mut w = World::new();
        w.change_balance("warm", balance);
        let p = w.propose("warm", pays);
        w.waits(p).into_iter().find(|wait| wait.contains("keep its reserve"))
    };
    // 1 XRP, and 0.2 for each of eleven entries, of which a Ticket is used up.
    assert_eq!(waits_for(503, 500), None);
    assert!(waits_for(502, 500).is_some_and(|wait| wait.starts_with("1 XRP more on")));
    assert!(waits_for(2_003, 2_000).is_some_and(|wait| wait.starts_with("0.2 XRP more on")));
    assert_eq!(waits_for(2_004, 2_000), None);
}

#[test]
fn each_reason_for_what_a_link_moves_has_its_words() {
    for (by, words) in [
        (By::Enough, "within its bounds"),
        (By::Need, "what is needed"),
        (By::MoveMax, "at most move_max"),
        (By::PeriodMax, "what is left of a period's limit"),
        (By::Source, "what the source can give"),
        (By::MoveMin, "less than move_min"),
        (By::Hours, "outside its hours"),
        (By::UnderWay(ProposalId(7)), "P7 is under way"),
        (By::NotThere, "an account is not on the ledger, or its trust lines were not read"),
    ] {
        assert_eq!(by.to_string(), words);
    }
    let rests = By::Rests(RippleTime(0)).to_string();
    assert_eq!(rests, "the last move came to nothing; again after 2000-01-01T00:00:00Z");
}

#[test]
fn a_link_moves_just_what_is_needed_also_where_that_is_the_most_or_the_least_that_it_may_move() {
    let mut w = short(Action::Allow);
    for (least, most) in [(0, 1_000), (1_000, 1_000), (1_000, 2_000)] {
        w.config.links[0].move_min = amount(least * XRP);
        w.config.links[0].move_max = amount(most * XRP);
        assert_eq!(plan(&w, w.state.now()), (1_000, By::Need), "{least} {most}");
    }
    w.config.links[0].move_min = amount(1_000 * XRP + 1);
    assert_eq!(plan(&w, w.state.now()), (0, By::MoveMin));
}

#[test]
fn a_way_by_which_nothing_may_go_is_no_way_also_where_it_has_no_least_move() {
    let mut w = World::new();
    w.change_balance("hot", 900);
    let none = TierLink { period_max: amount(0), ..link("none", "warm", [1_000, 1_900, 0]) };
    w.config.links = vec![none, link("some", "warm", [1_000, 1_900, 0])];
    let rule = Rule { kinds: Some(vec![IntentKind::Move]), ..Rule::new("moves", Action::Allow) };
    w.config.policy = Policy::new(vec![rule]);
    assert_eq!(Planner::new(&w.config).onward(&w.state, &id("warm"), Asset::Xrp), amount(1_000 * XRP));
}

#[test]
fn a_move_that_people_rejected_is_under_way_while_it_can_be_applied_and_nothing_after_that() {
    let mut w = short(two());
    let p = drafted(&mut w);
    let moved = |w: &World| tiers::moved(&w.state, &w.config.links[0], w.state.now());
    assert_eq!(moved(&w), amount(1_000 * XRP));
    for person in ["alice", "bob", "carol"] {
        let reject = Command::Reject { proposal: p, reason: "not now".to_owned() };
        let _ = w.command(person, reject);
    }
    assert_eq!(w.word(p), "rejected");
    assert_eq!(plan(&w, w.state.now()), (0, By::UnderWay(p)), "somebody may have signed it");
    assert_eq!(moved(&w), amount(1_000 * XRP));
    w.config.links[0].hours = None;
    let links = std::mem::take(&mut w.config.links);
    while w.state.holds_slot(w.proposal(p)) {
        w.close(&[]);
    }
    w.config.links = links;
    assert_eq!(moved(&w), amount(0));
    // It rests since it ended, and not a second longer.
    let until = RippleTime(w.state.ended[&p].0 + w.config.timing.retry_seconds);
    assert_eq!(plan(&w, RippleTime(until.0 - 1)), (0, By::Rests(until)));
    assert_eq!(plan(&w, until), (1_000, By::Need));
}

#[test]
fn only_what_escrows_of_the_treasury_may_still_bring_counts_as_coming() {
    let mut w = World::new();
    let (_, key) = w.escrow();
    let expected = |w: &World| tiers::expected(&w.state, &id("hot"), Asset::Xrp).unwrap();
    let has = expected(&w);
    let with = |amount_xrp: u64| has.checked_add(&amount(amount_xrp * XRP)).unwrap();
    w.state.escrows.get_mut(&key).unwrap().view.destination = id("hot");
    w.state.by_destination.insert((id("hot"), key));
    assert_eq!(expected(&w), with(2_000));
    let cancel = w.state.escrows[&key].view.cancel_after.unwrap();
    let at = |w: &mut World, now| w.state.ledger.as_mut().unwrap().close_time = RippleTime(now);
    let before = w.state.ledger.unwrap();
    at(&mut w, cancel.0);
    assert_eq!(expected(&w), with(2_000));
    at(&mut w, cancel.0 + 1);
    assert_eq!(expected(&w), has, "it comes back to where it was");
    w.state.ledger = Some(before);
    // Where the delay that was promised ends only after it can be taken back.
    w.state.escrows.get_mut(&key).unwrap().view.finish_after = Some(RippleTime(cancel.0 - 1));
    assert_eq!(expected(&w), with(2_000));
    w.state.escrows.get_mut(&key).unwrap().view.finish_after = Some(cancel);
    assert_eq!(expected(&w), has);
}

#[test]
fn a_source_keeps_the_floors_of_its_own_links_and_of_no_others() {
    let mut w = World::new();
    w.config.links =
        vec![link("warm to hot", "warm", [1, 2, 70_000]), link("cold to hot", "cold", [1, 2, 10])];
    let spare = |account: &str| {
        Planner::new(&w.config).spare(&w.state, &id(account), Asset::Xrp).unwrap().drops().unwrap().get()
            / XRP
    };
    assert_eq!((spare("warm"), spare("cold")), (29_998, 99_988));
}

#[test]
fn a_link_was_denied_only_where_this_policy_said_no_to_its_last_move() {
    let mut w = short(Action::Deny);
    w.close(&[]);
    let denied = |w: &World| tiers::is_denied(&w.config, &w.state, &w.config.links[0]);
    assert!(denied(&w));
    let policy = w.config.policy.clone();
    w.config.policy = Policy::new(vec![Rule::new("any", Action::Deny)]);
    assert!(!denied(&w), "another policy has not been asked");
    w.config.policy = policy;
    let last = *w.state.moves["warm to hot"].last().unwrap();
    w.state.proposals.get_mut(&last).unwrap().status = Status::Expired;
    assert!(!denied(&w), "it came to nothing for another reason");
}

#[test]
fn what_waits_for_the_condition_or_for_a_ledger_says_so() {
    let mut w = World::new();
    w.signer_answers = false;
    let p = w.propose("warm", 2_000);
    assert_eq!((w.word(p), w.waits(p)), ("assessed", vec!["the escrow's condition".to_owned()]));
    let mut w = World::new();
    let p = w.propose("hot", 50);
    assert_eq!((w.word(p), w.waits(p)), ("in_flight", vec!["a validated ledger".to_owned()]));
}

#[test]
fn an_agent_that_cannot_sign_is_named_where_agents_sign_and_nowhere_else() {
    let mut w = World::new();
    let agent = id("agent-1");
    w.record(Event::SignerUnable { signer: agent, reason: Some("no key".to_owned()) });
    w.signer_answers = false;
    let named = |w: &World, p| w.waits(p).iter().any(|wait| wait.contains("whose key the daemon holds"));
    let by_people = w.propose("hot", 500);
    assert!(!named(&w, by_people), "{:?}", w.waits(by_people));
    let of_cold = w.propose("cold", 50);
    assert!(!named(&w, of_cold), "no agent is on its list");
    let by_agents = w.propose("hot", 50);
    assert!(named(&w, by_agents), "{:?}", w.waits(by_agents));
}

#[test]
fn the_newest_move_of_a_link_stays_with_its_escrow_and_those_before_it_leave() {
    let mut w = short(Action::Allow);
    let first = drafted(&mut w);
    w.settle();
    assert_eq!(w.word(first), "validated");
    let Action::Approve(approvers) = two() else { panic!("people") };
    let delay = Action::Delay { delay_seconds: HOUR, window_seconds: HOUR, approvers };
    let moves = Rule { kinds: Some(vec![IntentKind::Move]), ..Rule::new("moves", delay) };
    w.config.policy = Policy::new(vec![moves]);
    w.change_balance("hot", 900);
    let second = drafted(&mut w);
    w.approve("alice", second).unwrap();
    w.approve("bob", second).unwrap();
    w.settle();
    let key = w.proposal(second).release_inputs().unwrap().escrow;
    w.config.links.clear();
    w.jump(9 * HOUR);
    w.settle();
    w.jump(2 * DAY);
    w.close(&[]);
    assert!(!w.state.standing.contains(&key), "{:?}", w.guard(key));
    assert!(!w.state.proposals.contains_key(&first), "there is a newer one");
    assert!(w.state.proposals.contains_key(&second), "the next move of the link waits on what became of it");
    assert!(w.state.escrows.contains_key(&key), "and so does what became of its escrow");
}

#[test]
fn an_errand_that_succeeds_ends_the_count_of_its_own_account_and_closes_nothing() {
    let mut w = short(Action::Allow);
    let p = drafted(&mut w);
    let at = w.state.ledger.unwrap();
    for (account, cause, failures) in
        [("warm", Cause::Errand, 2), ("hot", Cause::Errand, 3), ("warm", Cause::Keys, 4)]
    {
        w.record(Event::BreakerCounted { account: Some(id(account)), cause, failures });
    }
    let (account, reason) = (Some(id("warm")), "no key".to_owned());
    w.record(Event::BreakerOpened { account, cause: Cause::Keys, at, reason });
    w.settle();
    assert_eq!(w.word(p), "validated");
    let left: Vec<_> =
        w.state.breakers.iter().map(|(key, of)| (key.account, key.cause, of.failures)).collect();
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(
        left.contains(&(Some(id("hot")), Cause::Errand, 3))
            && left.contains(&(Some(id("warm")), Cause::Keys, 4))
    );
    assert_eq!(w.state.open_breakers(&id("warm")).count(), 1);
}
