//! What goes out in issued currencies: by the same rules as XRP, out of what trust lines hold, and never more than was approved.

use std::collections::BTreeMap;

use treasury_core::command::{Answer, Command, Propose};
use treasury_core::config::{Due, FindingKind, Keeps, Role, Schedule, Severity, TierLink, Treasury};
use treasury_core::exposure::{Captured, Most, Surroundings, Way, exposure};
use treasury_core::intent::{Asker, IntentKind};
use treasury_core::observe::*;
use treasury_core::policy::{Action, Approvers, NO_ESCROW, Per, Policy, Rolling, Rule};
use treasury_core::prove::{Outcome, Query, prove};
use treasury_core::tiers::{By, Planner};
use treasury_core::units::*;
use treasury_core::wait::Wait;
use xrpl_wire::flags::lsfGlobalFreeze;
use xrpl_wire::typed::Payment;
use xrpl_wire::{Transaction, TransactionType, TxBody, sf};

use crate::world::{World, XRP, amount, config, id};

mod lines;
mod rules;

const HOUR: u32 = 3_600;
const DAY: u32 = 86_400;

fn euro() -> Asset {
    format!("EUR.{}", id("bank")).parse().unwrap()
}

fn eur(value: &str) -> Amount {
    Amount::of(euro(), value).unwrap()
}

fn line(balance: &str) -> TrustLineView {
    TrustLineView {
        balance: balance.parse().unwrap(),
        limit: "100000".parse().unwrap(),
        frozen: false,
        deep_frozen: false,
        no_ripple: Some(false),
    }
}

fn comes(account: &str, line: TrustLineView) -> Change {
    Change::TrustLine { account: id(account), asset: euro(), line: Some(line) }
}

/// Of euros small payments are allowed, up to 300 a day, middling ones approved by two, large ones delayed; and moves.
fn rules() -> Vec<Rule> {
    let two = || Approvers {
        weight: Weight(2),
        roles: [Role::Approver].into(),
        exclude_asker: false,
        ..Default::default()
    };
    let rule = |name: &str, above: Option<&str>, most: &str, action| Rule {
        kinds: Some(vec![IntentKind::Pay]),
        amount_above: above.map(eur),
        amount_max: Some(eur(most)),
        ..Rule::new(name, action)
    };
    let rolling =
        Rolling { period_seconds: DAY, per: Per::Account, amount_above: None, amount_max: Some(eur("300")) };
    let delay = Action::Delay { delay_seconds: 48 * HOUR, window_seconds: 24 * HOUR, approvers: two() };
    vec![
        Rule { rolling: Some(rolling), ..rule("small euros", None, "100", Action::Allow) },
        rule("middling euros", Some("100"), "1000", Action::Approve(two())),
        rule("large euros", Some("1000"), "5000", delay),
        Rule {
            kinds: Some(vec![IntentKind::Move]),
            askers: Some(vec![Asker::Daemon]),
            amount_max: Some(eur("10000")),
            ..Rule::new("euros move", Action::Allow)
        },
    ]
}

fn treasury() -> Treasury {
    let mut config = config();
    let known = config.policy.rules().iter().cloned();
    config.policy = Policy::new(known.chain(rules()).collect());
    config
}

/// A world in which accounts have so many euros.
fn world(lines: &[(&str, &str)]) -> World {
    let mut w = World::with(treasury());
    w.change(lines.iter().map(|(account, balance)| comes(account, line(balance))).collect());
    w
}

fn asked(w: &World, from: &str, to: &str, value: &str) -> Propose {
    Propose { destination: id(to), amount: eur(value), ..w.payment(from, 1) }
}

fn propose(w: &mut World, from: &str, to: &str, value: &str) -> ProposalId {
    let propose = asked(w, from, to, value);
    match w.command("alice", Command::Propose(propose)).unwrap() {
        Answer::Proposed { proposal } => proposal,
        other => panic!("{other:?}"),
    }
}

fn refused(w: &mut World, propose: Propose) -> String {
    let before = w.events.len();
    let error = w.command("alice", Command::Propose(propose)).unwrap_err();
    assert_eq!((error.code(), w.events.len()), ("BAD_VALUE", before), "nothing changes");
    error.to_string()
}

/// What the payments that were sent since the last call carry, each once.
fn paid(sent: &[Transaction]) -> Vec<Payment> {
    let payments = sent.iter().filter(|tx| tx.tx_type() == TransactionType::Payment);
    let mut paid: Vec<Payment> = payments
        .map(|tx| {
            let TxBody::Payment(payment) = TxBody::parse(tx).unwrap() else { panic!() };
            for field in [sf::SendMax, sf::DeliverMin, sf::Paths] {
                assert!(tx.object().get(field).is_none(), "{field:?}");
            }
            assert_eq!(
                tx.object().u32(sf::Flags).unwrap_or_default() & !0x8000_0000,
                0,
                "no partial payment"
            );
            payment
        })
        .collect();
    paid.dedup();
    paid
}

fn amounts(sent: &[Transaction]) -> Vec<Amount> {
    paid(sent).iter().map(|payment| payment.amount).collect()
}

fn has(w: &World, account: &str) -> Option<Amount> {
    w.state.holding(&id(account), euro())
}

fn counted(w: &World, account: &str) -> [Amount; 2] {
    let moved = |asset| w.state.book.moved(&id(account), asset, RippleTime(0));
    [moved(euro()), moved(Asset::Xrp)]
}

fn found(w: &World) -> Vec<FindingKind> {
    w.state.findings.values().map(|finding| finding.kind).collect()
}

/// Danger: it takes more than what was asked for, is counted twice, or is found as somebody else's.
#[test]
fn a_small_payment_is_signed_by_agents_takes_just_what_was_asked_for_and_counts_once() {
    let mut w = world(&[("hot", "500")]);
    let p = propose(&mut w, "hot", "shop", "70.25");
    let [sent] = &paid(&w.submitted)[..] else { panic!("{:?}", w.submitted) };
    assert_eq!((sent.destination, sent.destination_tag, sent.amount), (id("shop"), Some(7), eur("70.25")));
    assert_eq!(w.state.book.leaving(&id("hot"), euro(), None), eur("70.25"), "promised");
    w.settle();
    assert_eq!((w.word(p), has(&w, "hot")), ("validated", Some(eur("429.75"))));
    assert_eq!(counted(&w, "hot"), [eur("70.25"), Asset::Xrp.nothing()]);
    assert_eq!(w.state.book.leaving(&id("hot"), euro(), None), eur("0"));
    assert_eq!(found(&w), []);
    w.reconcile();
    w.restart();
    assert_eq!(counted(&w, "hot"), [eur("70.25"), Asset::Xrp.nothing()]);
}

#[test]
fn a_middling_payment_waits_for_two_people_and_a_refusal_of_the_ledger_ends_it_as_failed() {
    let mut w = world(&[("warm", "2000")]);
    let p = propose(&mut w, "warm", "shop", "500");
    assert_eq!((w.word(p), amounts(&w.sent())), ("collecting", vec![]));
    w.approve("alice", p).unwrap();
    w.approve("bob", p).unwrap();
    assert_eq!((amounts(&w.settle()), w.word(p)), (vec![eur("500")], "validated"));

    let p = propose(&mut w, "warm", "shop", "500");
    w.approve("alice", p).unwrap();
    w.approve("bob", p).unwrap();
    let sent = w.sent();
    assert_eq!(amounts(&sent), [eur("500")]);
    w.close_at(4, &sent[..1], "tecPATH_PARTIAL");
    assert_eq!((w.word(p), has(&w, "warm")), ("failed", Some(eur("1500"))));
    assert_eq!(counted(&w, "warm")[0], eur("500"), "nothing has left by it");
    assert_eq!(w.state.book.leaving(&id("warm"), euro(), None), eur("0"));
}

#[test]
fn without_the_money_by_the_trust_line_it_waits_and_leaves_when_that_has_come() {
    let mut w = world(&[("hot", "50")]);
    let p = propose(&mut w, "hot", "shop", "80");
    assert_eq!(amounts(&w.sent()), []);
    let waits = w.waits(p);
    assert!(waits.iter().any(|wait| wait.contains(&eur("30").words())), "{waits:?}");
    w.change(vec![comes("hot", line("80"))]);
    assert_eq!((amounts(&w.settle()), w.word(p)), (vec![eur("80")], "validated"));
    // Without any line it is the same.
    let p = propose(&mut w, "warm", "shop", "80");
    assert_eq!((amounts(&w.sent()), has(&w, "warm")), (vec![], Some(eur("0"))));
    assert!(w.waits(p).iter().any(|wait| wait.contains(&eur("80").words())), "{:?}", w.waits(p));
}

#[test]
fn nothing_is_signed_where_trust_lines_were_not_read() {
    let mut w = world(&[("hot", "500")]);
    w.signer_answers = false;
    let p = propose(&mut w, "hot", "shop", "80");
    w.state.accounts.get_mut(&id("hot")).unwrap().trust_lines = None;
    assert_eq!(has(&w, "hot"), None);
    let waits = w.waits(p);
    assert!(waits.iter().any(|wait| wait.contains("to be read")), "{waits:?}");
}

/// Danger: an account that cannot pay the fee is signed for again and again.
#[test]
fn an_account_without_xrp_for_the_fee_above_its_reserve_signs_nothing() {
    let mut w = world(&[("hot", "500")]);
    // Of eleven entries one is the Ticket that it uses.
    let reserve = XRP + 10 * 200_000;
    let change = w.pay(id("hot"), |_| reserve).unwrap();
    w.change(vec![change]);
    let p = propose(&mut w, "hot", "shop", "80");
    assert_eq!((w.rounds, amounts(&w.sent())), (0, vec![]));
    assert!(w.waits(p).iter().any(|wait| wait.contains("XRP more on")), "{:?}", w.waits(p));
    let change = w.pay(id("hot"), |_| reserve + 1_000).unwrap();
    w.change(vec![change]);
    assert_eq!((amounts(&w.settle()), w.word(p)), (vec![eur("80")], "validated"));
}

fn link(keeps: Keeps) -> TierLink {
    let (from, to) = match keeps {
        Keeps::Filled { .. } => ("warm", "hot"),
        Keeps::Swept { .. } => ("hot", "warm"),
    };
    TierLink {
        name: format!("{from}-to-{to}"),
        from: id(from),
        to: id(to),
        asset: euro(),
        keeps,
        source_floor: eur("1000"),
        move_min: eur("10"),
        move_max: eur("400"),
        period_max: eur("600"),
        period_seconds: DAY,
        limits: Vec::new(),
        hours: None,
    }
}

fn refill() -> TierLink {
    link(Keeps::Filled { floor: eur("100"), target: eur("300.5") })
}

fn sweep() -> TierLink {
    link(Keeps::Swept { ceiling: eur("1000"), target: eur("700") })
}

fn by(w: &World, link: &TierLink) -> By {
    Planner::new(&w.config).plan(&w.state, link, w.state.now()).by
}

#[test]
fn a_link_refills_and_sweeps_within_its_limits_and_above_the_floor_of_its_source() {
    let mut w = world(&[("warm", "1900"), ("hot", "100")]);
    // What others take is another test's matter.
    w.config.severities.insert(FindingKind::SpendWithoutProposal, Severity::Log);
    w.config.links = vec![refill(), sweep()];
    w.close(&[]);
    assert_eq!((amounts(&w.sent()), by(&w, &refill())), (vec![], By::Enough), "at its floor");
    w.change(vec![comes("hot", line("99.5"))]);
    let sent = w.settle();
    let [only] = &paid(&sent)[..] else { panic!("{sent:?}") };
    assert_eq!((sent[0].account(), only.destination, only.amount), (id("warm"), id("hot"), eur("201")));
    assert_eq!((has(&w, "warm"), has(&w, "hot")), (Some(eur("1699")), Some(eur("300.5"))));
    assert_eq!(counted(&w, "warm")[0], eur("201"));
    assert_eq!(w.state.book.moved_by("warm-to-hot", euro(), RippleTime(0)), eur("201"));
    // Within a day 399 are left, and of the source no more than what is above its floor.
    w.change(vec![comes("hot", line("0")), comes("warm", line("1250"))]);
    assert_eq!((amounts(&w.settle()), has(&w, "warm")), (vec![eur("250")], Some(eur("1000"))));
    w.change(vec![comes("hot", line("0")), comes("warm", line("5000"))]);
    assert_eq!(amounts(&w.settle()), [eur("149")], "what is left of period_max");
    w.change(vec![comes("hot", line("1000"))]);
    assert_eq!((amounts(&w.sent()), by(&w, &sweep())), (vec![], By::Enough), "at its ceiling");
    w.change(vec![comes("hot", line("1050.75"))]);
    let swept = w.settle();
    assert_eq!(
        (swept[0].account(), amounts(&swept)),
        (id("hot"), vec![eur("50.75")]),
        "no less than its own floor"
    );
}

#[test]
fn a_link_moves_nothing_to_where_there_is_no_line_nor_over_its_limit_nor_what_is_frozen() {
    let low = TrustLineView { limit: "200".parse().unwrap(), ..line("50") };
    let frozen = TrustLineView { frozen: true, ..line("50") };
    let deep = TrustLineView { deep_frozen: true, ..line("50") };
    for (hot, says) in [
        (None, "no trust line"),
        (Some(low), "than its limit"),
        (Some(frozen), "would not leave it again"),
        (Some(deep), "nothing comes in"),
    ] {
        let mut w = world(&[("warm", "5000")]);
        w.change(hot.into_iter().map(|line| comes("hot", line)).collect());
        w.config.links = vec![refill()];
        w.close(&[]);
        w.close(&[]);
        assert_eq!((amounts(&w.sent()), w.state.proposals.len()), (vec![], 0), "{says}");
        let against = treasury_core::tiers::against(&w.config, &w.state, &refill(), eur("250.5"));
        assert!(against.iter().any(|wait| wait.to_string().contains(says)), "{says}: {against:?}");
    }
    // What the source has and cannot pay is nothing.
    let mut w = world(&[("warm", "5000"), ("hot", "50")]);
    w.change(vec![comes("warm", TrustLineView { frozen: true, ..line("5000") })]);
    w.config.links = vec![refill()];
    w.close(&[]);
    assert_eq!((amounts(&w.sent()), by(&w, &refill())), (vec![], By::Source));
}

#[test]
fn stops_hold_it_as_they_hold_xrp() {
    let mut w = world(&[("hot", "60"), ("warm", "5000")]);
    w.freeze("dave", "hot", "look");
    let p = propose(&mut w, "hot", "shop", "80");
    w.config.links = vec![refill(), sweep()];
    w.close(&[]);
    assert_eq!(amounts(&w.sent()), [], "neither out of it nor into it");
    w.change(vec![comes("hot", line("250"))]);
    w.lift_all();
    assert_eq!((amounts(&w.settle()), w.word(p)), (vec![eur("80")], "validated"));
    let flag = Command::FlagDestination { destination: id("shop"), reason: "who is that".to_owned() };
    w.command("dave", flag).unwrap();
    let p = propose(&mut w, "hot", "shop", "1");
    assert_eq!((amounts(&w.sent()), w.word(p)), (vec![], "collecting"));
}

#[test]
fn what_is_frozen_is_said_before_people_sign_goes_back_to_its_issuer_alone_and_leaves_when_it_thaws() {
    let mut w = world(&[("warm", "5000")]);
    w.stranger("bank", Some(0));
    for (frozen, deep_frozen) in [(true, false), (false, true)] {
        w.change(vec![comes("warm", TrustLineView { frozen, deep_frozen, ..line("5000") })]);
        assert_eq!(has(&w, "warm"), Some(eur("0")));
        let p = propose(&mut w, "warm", "shop", "500");
        assert_eq!(w.word(p), "drafted", "nobody is asked to sign it");
        assert!(w.waits(p).iter().any(|wait| wait.contains("thaw")), "{:?}", w.waits(p));
        let back = propose(&mut w, "warm", "bank", "500");
        assert_eq!(w.word(back), "collecting", "it is redeemed");
        for person in ["alice", "bob"] {
            w.approve(person, back).unwrap();
        }
        assert_eq!((amounts(&w.settle()), w.word(back)), (vec![eur("500")], "validated"));
        w.change(vec![comes("warm", line("5000"))]);
        assert_eq!(w.word(p), "collecting");
    }
    // All that the bank has issued.
    let p = propose(&mut w, "warm", "shop", "500");
    assert_eq!((w.word(p), has(&w, "warm")), ("collecting", Some(eur("5000"))));
    assert!(w.state.accounts.contains_key(&id("bank")), "who issues what is paid is looked at");
    w.change_stranger(id("bank"), Some(lsfGlobalFreeze));
    for person in ["alice", "bob"] {
        w.approve(person, p).unwrap();
    }
    assert_eq!((amounts(&w.sent()), has(&w, "warm")), (vec![], Some(eur("0"))));
    w.change_stranger(id("bank"), Some(0));
    assert_eq!((amounts(&w.settle()), w.word(p)), (vec![eur("500")], "validated"));
}

#[test]
fn what_the_recipient_could_not_take_is_refused_when_it_is_asked_for() {
    let mut w = world(&[("warm", "5000"), ("hot", "100")]);
    let of_line = |line| vec![comes("hot", line)];
    let ask = |w: &mut World| refused(w, asked(w, "warm", "hot", "500"));
    w.change(vec![Change::TrustLine { account: id("hot"), asset: euro(), line: None }]);
    assert!(ask(&mut w).contains("no trust line"));
    w.change(of_line(TrustLineView { limit: "599".parse().unwrap(), ..line("100") }));
    assert!(ask(&mut w).contains("than its limit"));
    w.change(of_line(TrustLineView { deep_frozen: true, ..line("100") }));
    assert!(ask(&mut w).contains("nothing comes in"));
    let ripples_not = |balance| TrustLineView { no_ripple: Some(true), ..line(balance) };
    w.change(of_line(ripples_not("100")));
    let p = propose(&mut w, "warm", "hot", "500");
    assert_eq!(w.word(p), "collecting", "the other line lets it on");
    w.change(vec![comes("warm", ripples_not("5000"))]);
    assert!(ask(&mut w).contains("NoRipple"));
    // A line that an earlier one let through, and that is gone by now, keeps people from being asked.
    w.change(vec![comes("warm", line("5000"))]);
    w.change(vec![Change::TrustLine { account: id("hot"), asset: euro(), line: None }]);
    assert!(w.waits(p).iter().any(|wait| wait.contains("no trust line")), "{:?}", w.waits(p));

    w.stranger("nobody", None);
    let p = propose(&mut w, "warm", "nobody", "500");
    assert!(w.waits(p).iter().any(|wait| wait.contains("nothing but XRP")), "{:?}", w.waits(p));
    let more = asked(&w, "warm", "nobody", "5");
    assert!(refused(&mut w, more).contains("nothing but XRP creates it"));
}

/// Danger: people sign what the ledger then refuses, and a link tries it until its account stands still.
#[test]
fn what_an_issuer_with_a_transfer_rate_would_take_a_part_of_goes_to_nobody_but_the_issuer() {
    let mut w = world(&[("warm", "5000"), ("hot", "50")]);
    w.stranger("bank", Some(0));
    w.config.links = vec![refill()];
    w.freeze("dave", "hot", "not yet");
    let p = propose(&mut w, "warm", "shop", "500");
    assert_eq!(w.word(p), "collecting");
    let root = w.state.accounts[&id("bank")].root.unwrap();
    let rated = |rate| Change::Root {
        account: id("bank"),
        root: Some(RootView { transfer_rate: Some(rate), ..root }),
    };
    w.change(vec![rated(1_005_000_000)]);
    w.lift_all();
    for person in ["alice", "bob"] {
        w.approve(person, p).unwrap();
    }
    let against = treasury_core::tiers::against(&w.config, &w.state, &refill(), eur("250.5"));
    assert!(against.iter().any(|wait| wait.to_string().contains("TransferRate")), "{against:?}");
    assert_eq!(amounts(&w.sent()), [], "neither what people signed nor the move");
    assert!(w.waits(p).iter().any(|wait| wait.contains("TransferRate")), "{:?}", w.waits(p));
    let more = asked(&w, "warm", "shop", "500");
    assert!(refused(&mut w, more).contains("TransferRate"));
    let back = propose(&mut w, "warm", "bank", "500");
    for person in ["alice", "bob"] {
        w.approve(person, back).unwrap();
    }
    assert_eq!((amounts(&w.settle()), w.word(back)), (vec![eur("500")], "validated"), "it is redeemed whole");
    w.change(vec![rated(0)]);
    let mut sent = amounts(&w.settle());
    sent.sort_by_key(Amount::words);
    assert_eq!(sent, [eur("250.5"), eur("500")]);
}

/// Danger: two payments each find enough on the line, and the second makes the account issue what it has not.
#[test]
fn what_is_being_sent_is_there_for_nothing_else() {
    let mut w = world(&[("hot", "100")]);
    let first = propose(&mut w, "hot", "shop", "80");
    let second = propose(&mut w, "hot", "shop", "80");
    let mut sent = w.sent();
    sent.dedup_by_key(|tx| tx.id());
    assert_eq!((amounts(&sent), w.word(first)), (vec![eur("80")], "in_flight"));
    assert!(w.waits(second).iter().any(|wait| wait.contains(&eur("60").words())), "{:?}", w.waits(second));
    w.close_at(4, &sent[..1], "tecPATH_DRY");
    assert_eq!(
        (w.word(first), amounts(&w.settle()), w.word(second)),
        ("failed", vec![eur("80")], "validated")
    );
}

/// Danger: two payments that were called back each wait for the other until both are too late.
#[test]
fn of_payments_that_were_called_back_the_older_goes_first() {
    let mut w = world(&[("warm", "700")]);
    let ids = ["400", "300"].map(|value| {
        let p = propose(&mut w, "warm", "shop", value);
        w.approve("alice", p).unwrap();
        w.approve("bob", p).unwrap();
        p
    });
    let mut sent = w.sent();
    sent.dedup_by_key(|tx| tx.id());
    assert_eq!(sent.len(), 2);
    w.change(vec![comes("warm", line("600"))]);
    for id in ids {
        w.reply_with(id, treasury_core::input::SubmitReply::NotSent);
    }
    w.sent();
    w.lift_all();
    w.close(&[]);
    assert_eq!(amounts(&w.settle()), [eur("400")]);
    assert_eq!((w.word(ids[0]), w.word(ids[1])), ("validated", "in_flight"));
}

/// Danger: whoever has an issuer's keys has what it issues, and nothing of that is stopped.
#[test]
fn a_stop_on_the_issuer_stops_what_it_issues_and_nothing_else() {
    let mut w = world(&[("hot", "500")]);
    w.stranger("bank", Some(0));
    let flag = Command::FlagDestination { destination: id("bank"), reason: "its keys are stolen".to_owned() };
    w.command("dave", flag).unwrap();
    let euros = propose(&mut w, "hot", "shop", "80");
    let xrp = w.propose("hot", 5);
    w.settle();
    assert_eq!((w.word(euros), w.word(xrp)), ("collecting", "validated"));
    assert!(
        w.waits(euros).iter().any(|wait| wait.contains("the hold S1 by dave on destination")),
        "{:?}",
        w.waits(euros)
    );
    w.lift_all();
    w.settle();
    assert_eq!(w.word(euros), "validated");
}

#[test]
fn multi_purpose_tokens_and_what_the_account_issues_itself_are_refused() {
    let mut w = world(&[("warm", "5000")]);
    let token = Amount::from_words("5 00000001B5F762798A53D543A014CAF8B297CFF8F2F937E8").unwrap();
    let Amount::Issued(one) = eur("1") else { panic!() };
    let less = Amount::Issued(xrpl_wire::IssuedAmount { value: one.value.negated(), ..one });
    let own = Amount::from_words(&format!("5 EUR.{}", id("warm"))).unwrap();
    for (amount, says) in [
        (token, "multi-purpose tokens are not paid"),
        (own, "issues itself"),
        (eur("0"), "more than zero"),
        (less, "more than zero"),
    ] {
        let propose = Propose { amount, ..w.payment("warm", 1) };
        let error = refused(&mut w, propose);
        assert!(error.contains(says), "{error}");
    }
    assert_eq!(w.state.holding(&id("warm"), token.issue()), None);
}

#[test]
fn a_schedule_pays_what_is_due_and_says_what_its_delay_denies() {
    let mut w = world(&[("hot", "500"), ("warm", "5000")]);
    let at = RippleTime(w.state.now().0 + 2 * HOUR);
    let schedule = |from: &str, value: &str| Schedule {
        name: format!("rent of {from}"),
        from: id(from),
        to: id("shop"),
        destination_tag: None,
        amount: eur(value),
        by: "alice".to_owned(),
        note: String::new(),
        due: [Due { at, day: at.0 / DAY }].into(),
        lead_seconds: HOUR,
        late_max_seconds: HOUR,
    };
    w.config.schedules = vec![schedule("hot", "90"), schedule("warm", "3000")];
    w.close(&[]);
    w.jump(HOUR);
    assert_eq!((w.state.proposals.len(), amounts(&w.sent())), (2, vec![]), "asked for, and not due yet");
    assert_eq!(found(&w), [FindingKind::ScheduleMissed], "3000 would have to wait in an escrow");
    w.jump(HOUR);
    assert_eq!(amounts(&w.settle()), [eur("90")]);
    assert_eq!(w.state.book.scheduled(&id("hot"), euro(), RippleTime(0)), eur("90"));
    assert_eq!((has(&w, "hot"), counted(&w, "hot")[0]), (Some(eur("410")), eur("90")));
}

#[test]
fn what_one_person_gets_by_asking_is_told_of_each_asset_that_the_account_can_have() {
    let w = world(&[("hot", "0")]);
    let around = Surroundings::default();
    let takes = exposure(&w.config, &w.state, &around, &Captured::Person("alice".to_owned())).takes;
    let reach: BTreeMap<(AccountId, Asset), Amount> = takes
        .iter()
        .filter(|take| take.way == Way::Policy)
        .filter_map(|take| match &take.most {
            Most::Limited { asset, to_new: Some(new), .. } => {
                Some(((take.account, *asset), new.within(DAY)?))
            }
            _ => None,
        })
        .collect();
    assert_eq!(reach.get(&(id("hot"), euro())), Some(&eur("300")), "{takes:?}");
    assert!(!reach.contains_key(&(id("warm"), euro())), "it can have none");
    let xrp = takes.iter().filter(|take| take.way == Way::Policy && take.account == id("hot")).count();
    assert_eq!(xrp, 2, "XRP, and euros");
}
