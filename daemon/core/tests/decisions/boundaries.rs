//! Where a rule turns: the second, the key, the weight at which the answer changes.

use std::collections::BTreeSet;

use treasury_core::command::{Command, CommandError};
use treasury_core::config::{AccountConfig, FindingKind, Role};
use treasury_core::effect::Effect;
use treasury_core::escrow::{Phase, phase};
use treasury_core::failure::FailureClass;
use treasury_core::input::Input;
use treasury_core::intent::Asker;
use treasury_core::multisign::{key_allowed, reachable_without, tally};
use treasury_core::observe::{AccountSnapshot, Change, EscrowView, LedgerPoint, RootView, SettingsView};
use treasury_core::policy::{Action, Approvers, Obligations};
use treasury_core::state::{AccountView, Guard, Sight, State};
use treasury_core::units::{AccountId, EscrowKey, LedgerIndex, RippleTime, Weight};
use xrpl_wire::TransactionType;

use crate::world::{World, amount, drops, id, key};

/// `lsfDisableMaster`.
const MASTER_DISABLED: u32 = 0x0010_0000;

#[test]
fn which_key_may_sign_follows_from_the_account_as_it_is_on_the_ledger() {
    let root = |flags, regular: Option<&str>| {
        Some(RootView {
            balance: drops(1),
            sequence: 1,
            owner_count: 0,
            flags,
            regular_key: regular.map(id),
            transfer_rate: Some(0),
        })
    };
    let alice = id("alice");
    for (root, signs_with, allowed) in [
        (None, "alice", true),
        (None, "bob", false),
        (root(0, None), "alice", true),
        (root(0, None), "bob", false),
        (root(0, Some("bob")), "alice", true),
        (root(0, Some("bob")), "bob", true),
        (root(0, Some("bob")), "carol", false),
        (root(MASTER_DISABLED, Some("bob")), "alice", false),
        (root(MASTER_DISABLED, Some("bob")), "bob", true),
        (root(MASTER_DISABLED, None), "alice", false),
    ] {
        let mut state = State::default();
        state.accounts.insert(alice, AccountView { root, ..AccountView::default() });
        let answer = key_allowed(&state, &alice, &key(signs_with).public_key());
        assert_eq!(answer.is_ok(), allowed, "{root:?} {signs_with}: {answer:?}");
        if let Err(error) = answer {
            assert_eq!(error.code(), "KEY_NOT_ALLOWED");
        }
    }
    let unseen = key_allowed(&State::default(), &alice, &key("alice").public_key());
    assert_eq!(unseen, Err(CommandError::AccountNotSeen(alice)));
}

#[test]
fn an_escrow_opens_and_closes_a_second_after_its_times() {
    let mut w = World::new();
    let (_, key) = w.escrow();
    let tracked = w.state.escrows[&key].clone();
    let (finish, cancel) = (tracked.view.finish_after.unwrap().0, tracked.view.cancel_after.unwrap().0);
    for (now, expected) in [
        (finish - 1, Phase::Waiting),
        (finish, Phase::Waiting),
        (finish + 1, Phase::Open),
        (cancel - 1, Phase::Open),
        (cancel, Phase::Open),
        (cancel + 1, Phase::Over),
    ] {
        w.state.ledger.as_mut().unwrap().close_time = RippleTime(now);
        assert_eq!(phase(&w.state, &tracked), expected, "{now}");
    }
}

/// Jumps to this many seconds after FinishAfter.
fn after_finish(w: &mut World, key: treasury_core::units::EscrowKey, seconds: u32) {
    let finish = w.state.escrows[&key].view.finish_after.unwrap().0;
    let now = w.state.now().0;
    w.jump(finish + seconds - now);
}

#[test]
fn a_failed_release_is_tried_again_after_retry_seconds_and_not_before() {
    let mut w = World::new();
    let (_, key) = w.escrow();
    after_finish(&mut w, key, 1);
    let sent = w.sent();
    w.close_at(4, &sent, "tecNO_PERMISSION");
    let failed_at = w.state.now().0;
    let retry = w.config.timing.retry_seconds;
    assert!(
        matches!(w.guard(key), Guard::Releasing { attempt: None, .. }),
        "no way back, and nothing under way"
    );
    w.jump(failed_at + retry - 1 - w.state.now().0);
    assert!(w.sent().is_empty(), "a second early");
    w.jump(1);
    let again = w.sent();
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].tx_type(), TransactionType::EscrowFinish);
}

#[test]
fn a_freeze_leaves_a_release_that_is_under_way_where_it_is() {
    let mut w = World::new();
    let (_, key) = w.escrow();
    after_finish(&mut w, key, 1);
    let sent = w.sent();
    let Guard::Releasing { attempt: Some(attempt), .. } = *w.guard(key) else { panic!("not releasing") };
    w.command("dave", Command::Freeze { account: None, reason: "drill".to_owned() }).unwrap();
    w.close(&[]);
    assert_eq!(w.word(attempt), "in_flight", "its fulfillment is out; only the ledger ends it");
    w.close(&sent);
    assert!(matches!(w.guard(key), Guard::Released { .. }));
}

#[test]
fn classes_have_their_words() {
    let words: Vec<String> = FailureClass::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(words, ["transient", "permanent", "systemic", "partial"]);
}

#[test]
fn only_people_with_an_asked_role_count_for_the_rules_approvers() {
    let w = World::new();
    let list = w.state.accounts[&id("warm")].signer_list.clone().unwrap();
    let asked = Approvers {
        weight: Weight(2),
        roles: BTreeSet::from([Role::Approver]),
        exclude_asker: false,
        ..Default::default()
    };
    let counted = |names: &[&str]| {
        let approvals: Vec<_> = names.iter().map(|name| id(name)).collect();
        let asked = std::slice::from_ref(&asked);
        let tally = tally(&w.config, &list, asked, &Asker::Daemon, approvals.iter());
        assert_eq!((tally.quorum, tally.demands[0].asked, tally.demands.len()), (Weight(2), Weight(2), 1));
        (tally.weight.0, tally.demands[0].weight.0)
    };
    assert_eq!(counted(&["alice", "bob"]), (2, 2));
    assert_eq!(counted(&["alice", "agent-1"]), (2, 1), "an agent is no person");
    assert_eq!(counted(&["alice", "dave"]), (2, 1), "security is another role");
    assert_eq!(counted(&["alice", "mallory"]), (1, 1), "whoever is not in the list has no weight");
    let without = tally(&w.config, &list, &[], &Asker::Daemon, [id("alice"), id("bob")].iter());
    assert!(without.demands.is_empty() && without.suffices());
}

#[test]
fn a_quorum_is_out_of_reach_when_too_many_stand_against() {
    let w = World::new();
    let list = w.state.accounts[&id("warm")].signer_list.clone().unwrap();
    let asked = Obligations::of([&Action::Approve(Approvers {
        weight: Weight(2),
        roles: BTreeSet::from([Role::Approver]),
        exclude_asker: false,
        ..Default::default()
    })]);
    let reachable = |names: &[&str]| {
        reachable_without(
            &w.config,
            &list,
            &asked,
            &Asker::Daemon,
            &names.iter().map(|name| id(name)).collect(),
        )
    };
    assert!(reachable(&[]));
    assert!(reachable(&["alice", "dave", "agent-1", "agent-2"]));
    assert!(!reachable(&["alice", "bob"]), "one approver is left, two are asked for");
}

/// The accounts that were asked to be read since the last call, request by request.
fn asked(w: &mut World) -> Vec<Vec<AccountId>> {
    std::mem::take(&mut w.unanswered)
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::Reconcile { accounts } => Some(accounts),
            _ => None,
        })
        .collect()
}

#[test]
fn a_signer_that_nobody_declared_is_looked_at_once() {
    let mut w = World::new();
    asked(&mut w);
    let mut list = w.state.accounts[&id("hot")].signer_list.clone().unwrap();
    list.entries.insert(id("mallory"), 1);
    let change = Change::SignerList { account: id("hot"), list: Some(list.clone()) };
    w.change(vec![change.clone()]);
    assert_eq!(asked(&mut w), [vec![id("mallory")]]);
    w.change(vec![change]);
    w.close(&[]);
    assert!(asked(&mut w).is_empty(), "it has been asked for");
    let at = w.state.ledger.unwrap();
    let read = AccountSnapshot {
        account: id("mallory"),
        root: None,
        signer_list: None,
        tickets: BTreeSet::new(),
        escrows: Vec::new(),
        trust_lines: None,
        settings: None,
    };
    let earlier = LedgerPoint { index: LedgerIndex(at.index.0 - 1), ..at };
    w.input(Input::Reconciled { at: earlier, accounts: vec![read.clone()], from: String::new(), wall_ms: 1 });
    assert_eq!(asked(&mut w), [vec![id("mallory")]], "read at another ledger says nothing about this one");
    w.input(Input::Reconciled { at, accounts: vec![read], from: String::new(), wall_ms: 1 });
    w.close(&[]);
    assert!(asked(&mut w).is_empty());
    assert!(w.state.accounts.contains_key(&id("mallory")));
}

#[test]
fn a_signer_of_a_strangers_list_is_nobodys_business() {
    let mut w = World::new();
    asked(&mut w);
    let list = w.state.accounts[&id("hot")].signer_list.clone().map(|mut list| {
        list.entries.insert(id("mallory"), 1);
        list
    });
    // Alice is watched as a signer; her own SignerList decides nothing here.
    w.change(vec![Change::SignerList { account: id("alice"), list }]);
    assert!(asked(&mut w).is_empty());
}

/// Danger: an account that was paid, or signs, is set up and declared as one of the treasury's, and the daemon, which knows nothing of
/// what it owns, takes that for a lie and sees nothing any more; also where a ledger that came meanwhile told it a part.
#[test]
fn an_account_that_was_known_as_anothers_is_taken_in_whole_where_it_is_declared() {
    let escrow = EscrowView {
        key: EscrowKey { owner: id("alice"), sequence: 7 },
        destination: id("bob"),
        destination_tag: None,
        amount: Some(amount(5)),
        finish_after: None,
        cancel_after: None,
        condition: None,
    };
    for meanwhile in [false, true] {
        let mut w = World::new();
        let list = w.state.accounts[&id("hot")].signer_list.clone();
        let owns = |read: &mut AccountSnapshot| {
            read.signer_list = list.clone();
            read.tickets = BTreeSet::from([3, 4]);
            read.trust_lines = Some(Default::default());
            read.escrows = vec![escrow.clone()];
        };
        w.misread(id("alice"), owns);
        assert!(w.state.sees());
        assert_eq!(w.state.accounts[&id("alice")].signer_list, None, "what a signer owns is theirs");

        let declared = w.config.accounts[&id("hot")].clone();
        w.config.accounts.insert(id("alice"), AccountConfig { name: "new".to_owned(), ..declared });
        w.restart();
        if meanwhile {
            let account = id("alice");
            let root = w.state.accounts[&id("hot")].root.unwrap();
            let settings = SettingsView { transfer_rate: 1_200_000_000, ..Default::default() };
            w.change(vec![
                Change::Root { account, root: Some(root) },
                Change::Settings { account, settings },
                Change::TicketCreated { account, ticket: 4 },
            ]);
        }
        w.misread(id("alice"), |read| {
            owns(read);
            read.settings = Some(SettingsView::default());
        });
        assert!(w.state.sees(), "{:?}", w.state.sight);
        let view = &w.state.accounts[&id("alice")];
        assert_eq!((&view.signer_list, view.tickets.len()), (&list, 2));
        assert!(w.state.standing.contains(&escrow.key));
        let foreign = w.state.findings.values().filter(|finding| finding.kind == FindingKind::ForeignEscrow);
        assert_eq!(foreign.count(), 0, "what stood there before is not news");
        // From now on it is the treasury's, and a reading that differs is believed in nothing.
        w.misread(id("alice"), |read| read.signer_list = None);
        assert!(!w.state.sees());
        assert_eq!(w.state.accounts[&id("alice")].signer_list, list);
    }
}

/// Danger: an upgrade lets go of everything that an earlier version knew, and sums forget what leaves before it is read anew.
#[test]
fn what_an_earlier_version_read_without_trust_lines_is_kept_where_anything_of_its_own_is_known() {
    let list = World::new().state.accounts[&id("hot")].signer_list.clone();
    let view = |owns: bool, lines: bool| AccountView {
        signer_list: list.clone().filter(|_| owns),
        trust_lines: lines.then(Default::default),
        ..AccountView::default()
    };
    let declared = ["hot", "runner"].map(id);
    let otherwise = |accounts: [(&str, AccountView); 3]| {
        let accounts = accounts.map(|(name, view)| (id(name), view)).into();
        let mut state = State::default();
        state.accounts = accounts;
        state.declared_otherwise(|account| declared.contains(account)).into_iter().collect::<Vec<_>>()
    };
    // None of the treasury's lines were read: what owns something was the treasury's.
    let before = [("hot", view(true, false)), ("runner", view(false, false)), ("alice", view(false, false))];
    assert_eq!(otherwise(before), [id("runner")]);
    // Since then all of its own have them, whatever else a ledger has told.
    let since = [("hot", view(true, false)), ("runner", view(false, true)), ("alice", view(false, true))];
    let mut wanted = [id("hot"), id("alice")];
    wanted.sort_unstable();
    assert_eq!(otherwise(since), wanted);
    let none = [("hot", view(true, true)), ("runner", view(false, true)), ("alice", view(false, false))];
    assert_eq!(otherwise(none), []);
}

/// Danger: an account is taken out of the configuration, its SignerList is changed by hand, it is put back, and what the daemon knows
/// of it is a view of long ago from which everything differs for good.
#[test]
fn an_account_that_was_not_declared_for_a_while_is_read_anew_where_it_is_again() {
    let mut w = World::new();
    let declared = w.config.accounts.remove(&id("hot")).unwrap();
    w.restart();
    w.reconcile();
    assert!(w.state.sees(), "{:?}", w.state.sight);
    let mut list = w.state.accounts[&id("warm")].signer_list.clone().unwrap();
    list.entries.pop_last();
    let changed = Change::SignerList { account: id("hot"), list: Some(list.clone()) };
    w.change(vec![changed, Change::TicketCreated { account: id("hot"), ticket: 900 }]);
    w.config.accounts.insert(id("hot"), declared);
    w.restart();
    w.reconcile();
    assert!(w.state.sees(), "{:?}", w.state.sight);
    let view = &w.state.accounts[&id("hot")];
    assert_eq!(view.signer_list, Some(list));
    assert!(view.tickets.contains(&900));
}

/// Danger: two servers that say the same of an account that differs take turns, and each ledger brings a finding and a record.
#[test]
fn what_differs_is_found_once_whichever_server_says_so() {
    let mut w = World::new();
    let read_by = |w: &mut World, from: &str| w.misread_by(id("hot"), from, |read| read.signer_list = None);
    read_by(&mut w, "ws://one");
    let (found, records) = (w.state.findings.len(), w.events.len());
    for from in ["ws://two", "ws://one", "ws://two"] {
        read_by(&mut w, from);
    }
    assert_eq!((w.state.findings.len(), w.events.len()), (found, records));
    assert!(matches!(&w.state.sight, Sight::Lost(reason) if reason.contains("ws://one")));
}

#[test]
fn without_sight_everything_is_asked_for_once() {
    let mut w = World::new();
    asked(&mut w);
    w.silence(60);
    assert!(!w.state.sees());
    w.close(&[]);
    w.close(&[]);
    let requests = asked(&mut w);
    assert_eq!(requests.len(), 1, "{requests:?}");
    let all: BTreeSet<AccountId> = requests[0].iter().copied().collect();
    assert!(w.config.watched().is_subset(&all));
}
