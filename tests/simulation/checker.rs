//! Every rule of the checker's fires: each is shown a forged history that breaks it, beside one that does not.

mod dates;
mod euros;
mod exposure;
mod flags;
mod runway;
mod shares;
mod stops;

use std::sync::Arc;

use tests::simulation::cast::{Cast, XRP, drops, sequence_of, xrp};
use tests::simulation::checker::{Checker, Heard, Intent, Rule};
use treasury_core::command::{Actor, Answer, Command};
use treasury_core::input::RungSignatures;
use treasury_core::units::{EscrowKey, HexBytes, LedgerIndex, ProposalId, RippleTime, StopId};
use treasury_core::{Event, State, observe::LedgerPoint};
use treasuryd::store::Archive;
use xrpl_harness::embedded::{CloseTime, ClosedLedger, Ledger};
use xrpl_wire::typed::{self, EscrowCreate, EscrowFinish, Payment, TxCommon};
use xrpl_wire::{Amount, Hash256, SeqProxy, Transaction, TxBody, condition, sign};

const HEARD: Heard = Heard { silence_ms: 0, read_all: true };
const PREIMAGE: [u8; 32] = [3; 32];

/// When what was put aside at the begin has been there as long as was promised.
const DELAYED_MS: u64 = 1_200_000;

/// A checker and the ledger that it watches.
struct Scene {
    cast: Cast,
    ledger: Ledger,
    checker: Checker,
}

impl Scene {
    fn new() -> Self {
        let cast = Cast::default();
        let ledger = cast.ledger();
        let checker = Checker::new(ledger.validated());
        Self { cast, ledger, checker }
    }

    fn rules(&self) -> Vec<Rule> {
        self.checker.violations().iter().map(|violation| violation.rule).collect()
    }

    /// A transaction of an account signed by these members of its SignerList.
    fn multi(&self, from: &str, signers: &[&str], body: &TxBody) -> Transaction {
        let sequence = sequence_of(self.ledger.open().state(), &self.cast.id(from)).unwrap();
        self.multi_on(SeqProxy::Sequence(sequence), from, signers, body)
    }

    fn multi_on(&self, seq: SeqProxy, from: &str, signers: &[&str], body: &TxBody) -> Transaction {
        let account = self.cast.id(from);
        let common = TxCommon::new(account, seq, drops(5_000));
        let tx = typed::build(&common, body).unwrap();
        let signed =
            signers.iter().map(|name| sign::sign_for(&tx, self.cast.id(name), self.cast.key(name)).unwrap());
        sign::assemble(&tx, signed.collect()).unwrap()
    }

    fn payment(&self, to: &str, tag: Option<u32>, amount: u64) -> TxBody {
        TxBody::Payment(Payment {
            destination: self.cast.id(to),
            destination_tag: tag,
            amount: Amount::Xrp(drops(amount)),
            send_max: None,
            deliver_min: None,
        })
    }

    fn intend(&mut self, tag: u32, from: &str, amount: u64) {
        let intent = Intent {
            daemon: 0,
            asker: "alice".to_owned(),
            account: self.cast.id(from),
            destination: self.cast.id("shop"),
            amount: drops(amount).into(),
            proposal: Some(ProposalId(u64::from(tag))),
        };
        self.checker.intends(tag, intent);
    }

    /// A daemon sends it, and the ledger takes it.
    fn apply(&mut self, tx: &Transaction) {
        self.checker.released(0, tx, HEARD);
        self.submit(tx);
        self.close();
    }

    fn submit(&mut self, tx: &Transaction) {
        assert!(self.ledger.submit(&tx.encode()).result.is_tes());
    }

    fn close(&mut self) -> Arc<ClosedLedger> {
        let closed = self.ledger.close(CloseTime::Next);
        self.checker.ledger(&closed);
        closed
    }

    fn do_command(&mut self, command: &Command) {
        let answer = match command {
            Command::Flag { .. } | Command::Freeze { .. } => {
                Answer::Stopped { stop: StopId(1), changed: true, warning: None }
            }
            _ => Answer::Done { changed: true },
        };
        self.checker.answered(0, None, command, &Ok(answer));
    }

    /// An escrow of intent 7, standing.
    fn escrow(&mut self) -> EscrowKey {
        let key = self.makes_escrow();
        assert_eq!(self.rules(), []);
        key
    }

    fn makes_escrow(&mut self) -> EscrowKey {
        let now = self.ledger.validated().header.close_time.0;
        self.intend(7, "warm", 2_000 * XRP);
        let body = TxBody::EscrowCreate(EscrowCreate {
            destination: self.cast.id("shop"),
            destination_tag: Some(7),
            amount: Amount::Xrp(xrp(2_000)),
            condition: Some(condition::condition_for_preimage(&PREIMAGE)),
            finish_after: Some(RippleTime(now + 2_000)),
            cancel_after: Some(RippleTime(now + 3_200)),
        });
        let tx = self.multi("warm", &["alice", "bob"], &body);
        let key = EscrowKey { owner: self.cast.id("warm"), sequence: tx.seq().value() };
        self.apply(&tx);
        key
    }

    /// So much leaves an account past all daemons.
    fn drain(&mut self, from: &str, amount: u64) {
        self.pays_past(from, "exchange", amount);
    }

    fn pays_past(&mut self, from: &str, to: &str, amount: u64) {
        let sequence = sequence_of(self.ledger.open().state(), &self.cast.id(from)).unwrap();
        let body = self.payment(to, None, amount);
        let tx = self.cast.signed(from, self.cast.id(from), SeqProxy::Sequence(sequence), &body);
        self.checker.foreign(tx.id());
        self.submit(&tx);
        self.close();
    }

    /// The daemon moves so much along a link, agents signing.
    fn refill(&mut self, from: &str, to: &str, amount: u64) {
        let tx = self.multi(from, &["agent-1", "agent-2"], &self.payment(to, None, amount));
        self.apply(&tx);
    }

    fn finish(&self, key: EscrowKey) -> Transaction {
        let body = TxBody::EscrowFinish(EscrowFinish {
            owner: key.owner,
            offer_sequence: key.sequence,
            condition: Some(condition::condition_for_preimage(&PREIMAGE)),
            fulfillment: Some(condition::fulfillment_for_preimage(&PREIMAGE)),
        });
        let runner = self.cast.id("runner");
        let sequence = sequence_of(self.ledger.open().state(), &runner).unwrap();
        let tx = self.cast.signed("runner", runner, SeqProxy::Sequence(sequence), &body);
        let object = tx.into_object().with(xrpl_wire::sf::Fee, Amount::Xrp(drops(5_000)));
        sign::sign_single(&Transaction::from_object(object).unwrap(), self.cast.key("runner")).unwrap()
    }
}

#[test]
fn an_honest_history_breaks_nothing() {
    let mut scene = Scene::new();
    scene.intend(1, "warm", 900 * XRP);
    let tx = scene.multi("warm", &["alice", "bob"], &scene.payment("shop", Some(1), 900 * XRP));
    scene.apply(&tx);
    let key = scene.escrow();
    let finish = scene.finish(key);
    scene.checker.time(DELAYED_MS);
    scene.checker.released(0, &finish, HEARD);
    assert_eq!(scene.rules(), []);
}

#[test]
fn drops_that_appear_are_seen() {
    let mut scene = Scene::new();
    scene.ledger.set_balance(&xrpl_harness::embedded::GENESIS_ACCOUNT, drops(0)).unwrap();
    scene.close();
    assert_eq!(scene.rules(), [Rule::DropsConserved]);
}

#[test]
fn a_second_transaction_of_an_intent_is_seen() {
    let mut scene = Scene::new();
    scene.intend(1, "warm", 900 * XRP);
    for _ in 0..2 {
        let tx = scene.multi("warm", &["alice", "bob"], &scene.payment("shop", Some(1), 900 * XRP));
        scene.apply(&tx);
    }
    assert_eq!(scene.rules(), [Rule::OncePerIntent]);
}

#[test]
fn one_intent_as_two_proposals_is_seen() {
    let mut scene = Scene::new();
    scene.intend(1, "warm", 900 * XRP);
    let propose = Command::Propose(treasury_core::command::Propose {
        account: scene.cast.id("warm"),
        destination: scene.cast.id("shop"),
        destination_tag: Some(1),
        amount: xrp(900).into(),
        note: String::new(),
        deadline_seconds: None,
        idempotency_key: Some("1".to_owned()),
        inquiry: Default::default(),
    });
    for (proposal, broken) in [(1, false), (2, true)] {
        let answer = Ok(Answer::Proposed { proposal: ProposalId(proposal) });
        scene.checker.answered(0, Some(1), &propose, &answer);
        assert_eq!(scene.rules().contains(&Rule::OncePerIntent), broken);
    }
}

#[test]
fn what_nobody_asked_for_is_seen() {
    for (tag, to, amount, sent) in [
        // Asked for, and somebody else is paid, or another amount.
        (Some(1), "supplier", 900 * XRP, true),
        (Some(1), "shop", 901 * XRP, true),
        // Asked for by nobody.
        (Some(2), "shop", 900 * XRP, true),
        // A move where there is no link.
        (None, "shop", 900 * XRP, true),
        // Sent by nobody who may.
        (Some(1), "shop", 900 * XRP, false),
    ] {
        let mut scene = Scene::new();
        scene.intend(1, "warm", 900 * XRP);
        let tx = scene.multi("warm", &["alice", "bob"], &scene.payment(to, tag, amount));
        if sent {
            scene.apply(&tx);
        } else {
            scene.submit(&tx);
            scene.close();
        }
        assert!(scene.rules().contains(&Rule::NothingUnasked), "{tag:?} {to} {amount}: {:?}", scene.rules());
    }
}

#[test]
fn a_payment_in_the_wrong_form_is_seen() {
    for (amount, signers, broken) in [
        (50, ["agent-1", "agent-2"], false),
        (500, ["alice", "bob"], false),
        (500, ["alice", "agent-1"], true),
        (2_000, ["alice", "bob"], true),
    ] {
        let mut scene = Scene::new();
        scene.intend(1, "warm", amount * XRP);
        let tx = scene.multi("warm", &signers, &scene.payment("shop", Some(1), amount * XRP));
        scene.apply(&tx);
        let rules = scene.rules();
        assert_eq!(rules.contains(&Rule::PolicyKept), broken, "{amount} {signers:?}: {rules:?}");
        assert_eq!(rules.is_empty(), !broken, "{amount} {signers:?}: {rules:?}");
    }
}

#[test]
fn limits_that_are_passed_are_seen() {
    let mut scene = Scene::new();
    for tag in 1..=5 {
        assert_eq!(scene.rules(), []);
        scene.intend(tag, "warm", 90 * XRP);
        let tx = scene.multi("warm", &["agent-1", "agent-2"], &scene.payment("shop", Some(tag), 90 * XRP));
        scene.apply(&tx);
    }
    assert_eq!(scene.rules(), [Rule::LimitsOfExposure, Rule::LimitsKept]);
    let mut scene = Scene::new();
    for _ in 0..3 {
        assert_eq!(scene.rules(), []);
        scene.drain("hot", 700 * XRP);
        scene.refill("warm", "hot", 700 * XRP);
    }
    assert_eq!(scene.rules(), [Rule::LimitsKept]);
}

#[test]
fn a_move_that_overfills_is_seen() {
    let mut scene = Scene::new();
    scene.drain("hot", 1_200 * XRP);
    scene.refill("warm", "hot", 700 * XRP);
    assert_eq!(scene.rules(), []);
    // What a stranger brought meanwhile was not to be foreseen.
    let mut scene = Scene::new();
    scene.drain("hot", 700 * XRP);
    scene.pays_past("stranger", "hot", 500 * XRP);
    scene.refill("warm", "hot", 700 * XRP);
    assert_eq!(scene.rules(), []);
    // And of two moves for one need each would have been right.
    let mut scene = Scene::new();
    scene.drain("hot", 700 * XRP);
    scene.refill("warm", "hot", 700 * XRP);
    assert_eq!(scene.rules(), []);
    scene.refill("warm", "hot", 700 * XRP);
    assert_eq!(scene.rules(), [Rule::NoOverfill]);
}

#[test]
fn a_payment_that_a_daemon_knew_of_is_no_excuse_for_overfilling() {
    for (known, broken) in [(true, true), (false, false)] {
        let mut scene = Scene::new();
        scene.drain("hot", 700 * XRP);
        let intent = Intent {
            daemon: 0,
            asker: "alice".to_owned(),
            account: scene.cast.id("cold"),
            destination: scene.cast.id("hot"),
            amount: xrp(600).into(),
            proposal: None,
        };
        scene.checker.intends(1, intent);
        let propose = Command::Propose(treasury_core::command::Propose {
            account: scene.cast.id("cold"),
            destination: scene.cast.id("hot"),
            destination_tag: Some(1),
            amount: xrp(600).into(),
            note: String::new(),
            deadline_seconds: None,
            idempotency_key: None,
            inquiry: Default::default(),
        });
        let answer = Ok(Answer::Proposed { proposal: ProposalId(1) });
        if known {
            scene.checker.answered(0, Some(1), &propose, &answer);
        }
        // Longer than any move can wait.
        for _ in 0..700 {
            scene.close();
        }
        if !known {
            scene.checker.answered(0, Some(1), &propose, &answer);
        }
        let tx = scene.multi("cold", &["alice", "bob"], &scene.payment("hot", Some(1), 600 * XRP));
        scene.apply(&tx);
        scene.refill("warm", "hot", 700 * XRP);
        assert_eq!(scene.rules() == [Rule::NoOverfill], broken, "{:?}", scene.rules());
    }
}

#[test]
fn a_move_that_takes_its_source_below_the_floor_is_seen() {
    for (more, others, broken) in [(0, 0, false), (300, 0, true), (0, 300, false)] {
        let mut scene = Scene::new();
        let now = scene.ledger.validated().header.close_time.0;
        scene.intend(1, "reserve", 4_000 * XRP - 10_000 + more * XRP);
        let body = TxBody::EscrowCreate(EscrowCreate {
            destination: scene.cast.id("shop"),
            destination_tag: Some(1),
            amount: Amount::Xrp(drops(4_000 * XRP - 10_000 + more * XRP)),
            condition: Some(condition::condition_for_preimage(&PREIMAGE)),
            finish_after: Some(RippleTime(now + 2_000)),
            cancel_after: Some(RippleTime(now + 3_200)),
        });
        let tx = scene.multi("reserve", &["alice", "bob"], &body);
        scene.apply(&tx);
        // Before any move that can be applied now was decided on.
        for _ in 0..700 {
            scene.close();
        }
        scene.drain("reserve", others * XRP + 1);
        let now = scene.ledger.validated().header.close_time.0;
        let body = TxBody::EscrowCreate(EscrowCreate {
            destination: scene.cast.id("hot"),
            destination_tag: None,
            amount: Amount::Xrp(xrp(0).checked_add(drops(1_000)).unwrap()),
            condition: Some(condition::condition_for_preimage(&PREIMAGE)),
            finish_after: Some(RippleTime(now + 2_000)),
            cancel_after: Some(RippleTime(now + 3_200)),
        });
        let tx = scene.multi("reserve", &["alice", "bob"], &body);
        scene.apply(&tx);
        assert_eq!(scene.rules() == [Rule::FloorsKept], broken, "{more} {others}: {:?}", scene.rules());
    }
}

#[test]
fn a_release_before_the_promised_delay_is_seen() {
    let mut scene = Scene::new();
    let key = scene.escrow();
    let finish = scene.finish(key);
    scene.checker.time(DELAYED_MS - 60_000);
    scene.checker.released(0, &finish, HEARD);
    assert_eq!(scene.rules(), [Rule::DelayKept]);
    // And on the ledger, however its clock goes.
    scene.ledger.close(CloseTime::At(RippleTime(scene.ledger.validated().header.close_time.0 + 2_100)));
    scene.submit(&finish);
    scene.close();
    assert_eq!(scene.rules(), [Rule::DelayKept; 2]);
}

#[test]
fn money_that_is_counted_wrongly_is_seen() {
    let mut scene = Scene::new();
    let mut state = State::default();
    let at = |scene: &Scene| {
        let header = &scene.ledger.validated().header;
        Some(LedgerPoint {
            index: LedgerIndex(header.index),
            hash: Hash256::ZERO,
            close_time: header.close_time,
        })
    };
    state.ledger = at(&scene);
    scene.checker.looked(0, &state, &Archive::in_memory());
    // After an hour the daemon has seen all that it counts.
    scene.ledger.close(CloseTime::At(RippleTime(scene.ledger.validated().header.close_time.0 + 4_000)));
    scene.close();
    state.ledger = at(&scene);
    scene.checker.looked(0, &state, &Archive::in_memory());
    assert_eq!(scene.rules(), []);
    scene.drain("warm", 900 * XRP);
    scene.checker.looked(0, &state, &Archive::in_memory());
    assert_eq!(scene.rules(), [], "it has not seen that ledger yet");
    state.ledger = at(&scene);
    scene.checker.looked(0, &state, &Archive::in_memory());
    assert_eq!(scene.rules(), [Rule::MoneyCounted]);
}

#[test]
fn what_a_daemon_sends_whose_keys_are_at_work_elsewhere_is_seen() {
    for (by, lifted, broken) in [(1, false, true), (0, false, false), (1, true, false)] {
        let mut scene = Scene::new();
        scene.intend(1, "warm", 50 * XRP);
        let tx = scene.multi("warm", &["agent-1", "agent-2"], &scene.payment("shop", Some(1), 50 * XRP));
        scene.checker.released(by, &tx, HEARD);
        scene.submit(&tx);
        let closed = scene.close();
        scene.checker.takes(0, closed.header.index);
        if lifted {
            let dave = Actor { person: "dave".to_owned(), origin: treasury_core::intent::Origin::Http };
            let stops = [StopId(1)].into();
            scene.checker.asked(0, &dave, &Command::Lift { stops, reason: String::new() });
        }
        // Another account's keys are nobody else's, as far as is known.
        let other = scene.multi("hot", &["agent-1", "agent-2"], &scene.payment("shop", Some(2), XRP));
        scene.checker.released(0, &other, HEARD);
        assert_eq!(scene.rules(), []);
        let next = scene.multi("warm", &["agent-1", "agent-2"], &scene.payment("hot", None, XRP));
        scene.checker.released(0, &next, HEARD);
        assert_eq!(scene.rules() == [Rule::Fenced], broken, "{by} {lifted}: {:?}", scene.rules());
    }
}

#[test]
fn what_is_not_taken_back_in_time_is_seen() {
    for (ledgers, sees, broken) in [(150, true, false), (250, true, true), (250, false, false)] {
        let mut scene = Scene::new();
        scene.escrow();
        let account = None;
        scene.do_command(&Command::Freeze { account, reason: String::new() });
        scene.ledger.close(CloseTime::At(RippleTime(scene.ledger.validated().header.close_time.0 + 3_300)));
        for _ in 0..ledgers {
            scene.close();
            if sees {
                scene.checker.can_act(0);
            }
        }
        assert_eq!(scene.rules() == [Rule::TakesBack], broken, "{ledgers} {sees}: {:?}", scene.rules());
    }
}

#[test]
fn what_is_sent_without_sight_is_seen() {
    let late = Heard { silence_ms: 40_000, ..HEARD };
    let unread = Heard { read_all: false, ..HEARD };
    for heard in [late, unread] {
        let mut scene = Scene::new();
        let tx = scene.multi("warm", &["alice", "bob"], &scene.payment("hot", None, XRP));
        scene.checker.released(0, &tx, heard);
        assert_eq!(scene.rules(), [Rule::BlindNotSent]);
    }
}

#[test]
fn what_was_acknowledged_and_is_gone_is_seen() {
    let (proposal, reason) = (ProposalId(1), String::new());
    let key = Cast::default().key("bob").clone();
    let signatures = RungSignatures {
        signer: key.account_id(),
        signing_pub_key: key.public_key(),
        signatures: vec![HexBytes(vec![1])],
        void_signatures: Vec::new(),
    };
    for command in [
        Command::Approve { proposal, signatures },
        Command::Flag { proposal, reason: reason.clone() },
        Command::Freeze { account: None, reason },
        Command::Withdraw { proposal },
    ] {
        let mut scene = Scene::new();
        scene.do_command(&command);
        scene.checker.looked(0, &State::default(), &Archive::in_memory());
        assert_eq!(scene.rules(), [Rule::AcknowledgedKept], "{command:?}");
    }
    let mut scene = Scene::new();
    scene.intend(1, "warm", XRP);
    scene.checker.looked(0, &State::default(), &Archive::in_memory());
    assert_eq!(scene.rules(), [Rule::AcknowledgedKept]);
}

#[test]
fn an_approval_that_a_change_of_list_ends_is_not_demanded_however_late_the_daemon_hears_of_it() {
    for (hears, demanded) in [(1, 1), (0, 0)] {
        let mut scene = Scene::new();
        scene.intend(1, "warm", 900 * XRP);
        let warm = scene.cast.id("warm");
        let sequence = sequence_of(scene.ledger.open().state(), &warm).unwrap();
        let body = scene.cast.signer_list_set("warm");
        let tx = scene.cast.signed("warm", warm, SeqProxy::Sequence(sequence), &body);
        scene.checker.foreign(tx.id());
        scene.submit(&tx);
        let closed = scene.close();
        let key = scene.cast.key("bob").clone();
        let signatures = RungSignatures {
            signer: key.account_id(),
            signing_pub_key: key.public_key(),
            signatures: vec![HexBytes(vec![1])],
            void_signatures: Vec::new(),
        };
        scene.do_command(&Command::Approve { proposal: ProposalId(1), signatures });
        scene.checker.takes(hears, closed.header.index);
        scene.checker.looked(0, &State::default(), &Archive::in_memory());
        let broken = scene.checker.violations().iter().filter(|broken| broken.what.contains("approval"));
        assert_eq!(broken.count(), demanded, "daemon {hears}");
    }
}

#[test]
fn what_does_not_end_is_seen() {
    let mut scene = Scene::new();
    scene.intend(1, "warm", XRP);
    scene.checker.ended(0, &State::default(), &[1]);
    assert_eq!(scene.rules(), [Rule::AllEnds]);
}

#[test]
fn a_restart_that_knows_something_else_is_seen() {
    let mut scene = Scene::new();
    let mut before = State::default();
    scene.checker.booted(0, Some(&before.clone()), &before, &Archive::in_memory());
    assert_eq!(scene.rules(), []);
    let at = LedgerPoint { index: LedgerIndex(1), hash: Hash256::ZERO, close_time: RippleTime(1) };
    before.apply(&Event::AccountsRead { at, accounts: Vec::new(), taken: None }).unwrap();
    scene.checker.booted(0, Some(&before), &State::default(), &Archive::in_memory());
    assert_eq!(scene.rules(), [Rule::LogIntact]);
}

#[test]
fn every_rule_has_a_test_here() {
    let text = [
        include_str!("checker.rs"),
        include_str!("checker/dates.rs"),
        include_str!("checker/flags.rs"),
        include_str!("checker/runway.rs"),
        include_str!("checker/shares.rs"),
        include_str!("checker/exposure.rs"),
        include_str!("checker/stops.rs"),
    ]
    .concat();
    for rule in Rule::ALL {
        assert!(text.contains(&format!("Rule::{rule:?}")), "{rule:?}");
    }
}
