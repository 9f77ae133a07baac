//! What the destination's account weighs: as it was read when somebody asked for the payment, or as proven ledgers tell.

use crate::world::{World, XRP, amount, config, drops, id};
use treasury_core::command::{Answer, Command, Propose};
use treasury_core::decide::{self, Question};
use treasury_core::inquiry::{AccountRead, Inquiry, Screening};
use treasury_core::intent::{Asker, Intent, Pay};
use treasury_core::observe::RootView;
use treasury_core::policy::{Action, DestinationMatch, Policy, Risk, RiskBand, Rule, Sign};
use treasury_core::prove::{Outcome, Query, prove};
use treasury_core::units::{LedgerIndex, ProposalId};

const DAY: u32 = 86_400;

/// Each sign of another weight.
fn risk() -> Risk {
    Risk {
        new_destination: None,
        unusual_amount: None,
        unfunded: Some(1),
        odd_settings: Some(2),
        young: Some((4, 3 * DAY)),
        poor: Some((8, drops(20 * XRP))),
        ..Risk::default()
    }
}

fn world(risk: Risk) -> World {
    let rules = vec![
        Rule { risk: Some(RiskBand { above: None, max: Some(14) }), ..Rule::new("usual", Action::Allow) },
        Rule { risk: Some(RiskBand { above: Some(14), max: None }), ..Rule::new("risky", Action::Deny) },
    ];
    let mut config = config();
    config.policy = Policy::new(rules).with_risk(risk);
    World::with(config)
}

/// An account that is old and has enough: three days of ledgers of 3 s are 86,400.
fn root() -> RootView {
    RootView {
        balance: drops(20 * XRP),
        sequence: 13_600,
        owner_count: 0,
        flags: 0,
        regular_key: None,
        transfer_rate: Some(0),
    }
}

fn read(root: Option<RootView>) -> Inquiry {
    Inquiry { account: Some(AccountRead { at: LedgerIndex(100_000), root }), ..Inquiry::default() }
}

fn propose(w: &mut World, to: &str, tag: Option<u32>, inquiry: Inquiry) -> ProposalId {
    let propose = Propose { destination: id(to), destination_tag: tag, inquiry, ..w.payment("warm", 1) };
    let Answer::Proposed { proposal } = w.command("alice", Command::Propose(propose)).unwrap() else {
        panic!()
    };
    proposal
}

fn signs(w: &World, p: ProposalId) -> Vec<(Sign, u8)> {
    let risk = w.proposal(p).decision.inputs.risk.as_ref().expect("a rule asked");
    risk.seen.iter().map(|seen| (seen.sign, seen.weight)).collect()
}

fn evidence(w: &World, p: ProposalId) -> String {
    w.proposal(p).decision.inputs.risk.as_ref().expect("a rule asked").to_string()
}

#[test]
fn each_sign_of_the_destinations_account_is_seen_where_it_is_so_and_nowhere_else() {
    let with = |change: fn(&mut RootView)| {
        let mut root = root();
        change(&mut root);
        Some(root)
    };
    let odd = [(Sign::OddSettings, 2)];
    for (root, tag, expected, words) in [
        (Some(root()), None, &[][..], "0 of 100"),
        (
            None,
            None,
            &[(Sign::Unfunded, 1)],
            "is not on the ledger, as of ledger 100000: the payment would make it",
        ),
        (with(|root| root.flags = 0x0100_0000), None, &odd, "(DepositAuth)"),
        (with(|root| root.flags = 0x0008_0000), None, &odd, "(DisallowXRP)"),
        (with(|root| root.flags = 0x0010_0000), None, &odd, "has its master key disabled"),
        (with(|root| root.flags = 0x0002_0000), None, &odd, "asks for a DestinationTag, and there is none"),
        (with(|root| root.flags = 0x0002_0000), Some(7), &[], "0 of 100"),
        (with(|root| root.flags = 0x0180_0000 | 0x0040_0000), None, &odd, "the destination takes nothing"),
        (
            with(|root| root.sequence = 13_601),
            None,
            &[(Sign::Young, 4)],
            "for more than 259197 s, less than 259200 s",
        ),
        (
            with(|root| root.sequence = 100_001),
            None,
            &[(Sign::Young, 4)],
            "its Sequence is 100001 in ledger 100000",
        ),
        (with(|root| root.balance = drops(20 * XRP - 1)), None, &[(Sign::Poor, 8)], "less than 20 XRP"),
    ] {
        let mut w = world(risk());
        let p = propose(&mut w, "nobody", tag, read(root));
        assert_eq!(signs(&w, p), expected, "{root:?}");
        assert!(evidence(&w, p).contains(words), "{}", evidence(&w, p));
        assert_eq!(w.word(p) == "denied", expected.iter().map(|(_, weight)| *weight).sum::<u8>() > 14);
    }
}

/// Danger: whoever keeps servers from answering has a payment look better than it is.
#[test]
fn an_account_that_is_not_read_weighs_as_much_as_the_worst_that_it_could_be_unless_something_else_is_said() {
    for (unread, expected, word) in
        [(None, 15, "denied"), (Some(14), 14, "drafted"), (Some(90), 90, "denied")]
    {
        let mut w = world(Risk { unread, ..risk() });
        assert_eq!(w.config.policy.risk().most(), expected.max(15));
        let p = propose(&mut w, "nobody", None, Inquiry::default());
        assert_eq!(signs(&w, p), [(Sign::Unread, expected)]);
        assert_eq!(w.word(p) == "denied", word == "denied", "{unread:?}");
    }
    let mut w = world(Risk { new_destination: None, ..Risk::default() });
    let p = propose(&mut w, "nobody", None, Inquiry::default());
    assert_eq!(signs(&w, p), [], "nothing of it is looked for");
}

#[test]
fn of_the_address_book_and_the_treasury_nothing_is_looked_at() {
    let mut w = world(risk());
    w.config.destinations.insert(id("exchange"), "exchange".to_owned());
    for to in ["exchange", "hot"] {
        let p = propose(&mut w, to, None, read(None));
        assert_eq!(signs(&w, p), [], "{to}");
    }
}

#[test]
fn what_proven_ledgers_tell_of_an_account_outranks_what_was_read() {
    let mut w = world(Risk { young: None, ..risk() });
    // The shop is followed, and has 20 XRP.
    let p = propose(&mut w, "shop", None, read(None));
    assert_eq!(signs(&w, p), []);
    w.change_stranger(id("shop"), Some(0x0100_0000));
    let p = propose(&mut w, "shop", None, read(Some(root())));
    assert_eq!(signs(&w, p), [(Sign::OddSettings, 2)]);
}

#[test]
fn what_was_read_is_kept_with_the_proposal_and_decides_the_same_when_it_is_asked_again() {
    let mut w = world(risk());
    w.answers_readings = false;
    let inquiry = read(Some(RootView { sequence: 99_999, ..root() }));
    let p = propose(&mut w, "nobody", None, inquiry.clone());
    assert_eq!(w.proposal(p).inquiry, inquiry);
    w.restart();
    w.close(&[]);
    w.reconcile();
    let again = decide::again(&w.config, &w.state, w.proposal(p));
    assert_eq!(again.inputs.risk, w.proposal(p).decision.inputs.risk);
    // The same request again is the same proposal, whatever is read by then.
    let key = Some("k".to_owned());
    let asked = |inquiry| Propose {
        destination: id("nobody"),
        inquiry,
        idempotency_key: key.clone(),
        ..w.payment("warm", 2)
    };
    let [first, second] = [inquiry, read(None)].map(asked).map(Command::Propose);
    let first = w.command("alice", first).unwrap();
    assert_eq!(w.command("alice", second).unwrap(), first);
}

#[test]
fn an_asset_that_was_not_paid_for_a_year_is_a_sign_until_one_is_paid() {
    let mut w = world(Risk { new_destination: None, first_asset: Some(6), ..Risk::default() });
    let p = w.propose("warm", 1);
    assert_eq!(signs(&w, p), [(Sign::FirstAsset, 6)]);
    w.settle();
    let p = w.propose("hot", 1);
    assert_eq!(signs(&w, p), [], "of whatever account");
}

fn answered(deny: bool, score: u8) -> Screening {
    let reference = Some("case 12".to_owned());
    Screening::Answered { deny, score, label: Some("mixer".to_owned()), reference }
}

/// Danger: whoever keeps the screener from answering has somebody paid whom it would not let pass.
#[test]
fn where_destinations_are_screened_nothing_leaves_to_a_new_one_without_an_answer_that_lets_it() {
    let failed = || Screening::Failed { why: "no answer in time".to_owned() };
    let before = "the screening of the destination";
    for (screening, word, said) in [
        (None, "denied", format!("usual, {before} was not asked for")),
        (Some(failed()), "denied", format!("usual, {before} failed: no answer in time")),
        (Some(answered(true, 0)), "denied", format!("usual, {before} is to be denied: mixer (case 12)")),
        (Some(answered(false, 14)), "", "usual".to_owned()),
        (Some(answered(false, 15)), "denied", "risky".to_owned()),
    ] {
        let mut w = world(Risk { new_destination: None, unusual_amount: None, ..Risk::default() });
        w.config.screening = true;
        let inquiry = Inquiry { screening: screening.clone(), ..Inquiry::default() };
        let p = propose(&mut w, "nobody", None, inquiry);
        assert_eq!(w.proposal(p).decision.rule(), said, "{screening:?}");
        assert_eq!(w.word(p) == "denied", word == "denied", "{screening:?}");
        let expected = match screening {
            Some(Screening::Answered { score: 0, .. } | Screening::Failed { .. }) | None => vec![],
            Some(Screening::Answered { score, .. }) => vec![(Sign::Screened, score)],
        };
        assert_eq!(signs(&w, p), expected);
        if !expected.is_empty() {
            assert!(evidence(&w, p).contains("screened: mixer (case 12)"));
        }
    }
}

#[test]
fn of_the_address_book_and_the_treasury_no_screening_is_asked_and_where_nobody_screens_no_answer_counts() {
    let mut w = world(Risk { new_destination: None, unusual_amount: None, ..Risk::default() });
    w.config.screening = true;
    w.config.destinations.insert(id("exchange"), "exchange".to_owned());
    for to in ["exchange", "hot"] {
        let inquiry = Inquiry { screening: Some(answered(true, 90)), ..Inquiry::default() };
        let p = propose(&mut w, to, None, inquiry);
        assert_eq!((w.proposal(p).decision.rule().as_str(), signs(&w, p)), ("usual", vec![]), "{to}");
    }
    w.config.screening = false;
    let inquiry = Inquiry { screening: Some(answered(true, 90)), ..Inquiry::default() };
    let p = propose(&mut w, "nobody", None, inquiry);
    assert_eq!((w.proposal(p).decision.rule().as_str(), signs(&w, p)), ("usual", vec![]));
}

#[test]
fn the_prover_takes_any_score_for_possible_where_destinations_are_screened() {
    let mut w = world(Risk { new_destination: None, unusual_amount: None, ..Risk::default() });
    let query =
        Query { outcome: Outcome::Denied, destination: Some(DestinationMatch::New), ..Query::default() };
    let denies = |w: &World| prove(&w.config, &w.config.policy, w.state.now(), &query).unwrap().is_some();
    assert!(!denies(&w), "no score is above 14");
    w.config.screening = true;
    assert!(denies(&w));
}

#[test]
fn what_was_decided_with_an_answer_stands_and_is_not_decided_anew() {
    let mut w = world(Risk { new_destination: None, unusual_amount: None, ..Risk::default() });
    w.config.screening = true;
    let inquiry = Inquiry { screening: Some(answered(false, 3)), ..Inquiry::default() };
    let p = propose(&mut w, "nobody", None, inquiry);
    assert!(decide::stands(&w.config, &w.state, w.proposal(p)));
    let p = propose(&mut w, "nobody", None, Inquiry::default());
    assert!(!decide::stands(&w.config, &w.state, w.proposal(p)), "nobody was asked");
}

#[test]
fn what_is_found_out_of_a_destination_counts_though_it_was_weighed_before() {
    let w = world(risk());
    let asker = Asker::Person("alice".to_owned());
    let pay = Pay { destination: id("nobody"), destination_tag: None, amount: amount(XRP) };
    let (intent, inquiry) = (Intent::Pay(pay), read(Some(root())));
    let question = Question::new(&w.config, &w.state, id("warm"), &asker, &intent, w.state.now());
    let seen =
        |question: &Question<'_>| question.assess().seen.iter().map(|seen| seen.sign).collect::<Vec<_>>();
    assert_eq!(seen(&question), [Sign::Unread]);
    assert_eq!(seen(&question.with(&inquiry)), []);
}

/// Danger: somebody else's program is asked from now on, and what waits for its last signature leaves though it never was.
#[test]
fn what_was_decided_before_destinations_were_screened_does_not_leave_without_an_answer() {
    for screening in [false, true] {
        let mut w = World::new();
        let mut payment = w.payment("warm", 500);
        payment.destination = w.stranger("mallory", Some(0));
        let Ok(Answer::Proposed { proposal }) = w.command("alice", Command::Propose(payment)) else {
            panic!()
        };
        w.approve("alice", proposal).unwrap();
        w.config.screening = screening;
        let _ = w.approve("bob", proposal);
        w.close(&[]);
        assert_eq!(w.sent().is_empty(), screening, "{}", w.word(proposal));
    }
}
