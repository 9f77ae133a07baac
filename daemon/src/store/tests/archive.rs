//! The archive of ended proposals.

use std::sync::Arc;

use treasury_core::command::Propose;
use treasury_core::intent::Asker;
use treasury_core::state::Archived;
use treasury_core::units::{ProposalId, RequestId};
use treasury_core::{Answer, Command, Effect, Input};

use super::*;
use crate::engine::Machine;
use crate::metrics::Metrics;
use crate::store::Archive;

/// Ended proposals of two accounts, some with a key, as the tour's store has them.
fn ended(count: u64) -> Vec<Archived> {
    let store = recordings::old_stores().unwrap().pop().unwrap();
    let dir = tempfile::tempdir().unwrap();
    store.lay_out(dir.path()).unwrap();
    let state = DiskStore::open(dir.path()).unwrap().resume(&mut |_| {}).unwrap().state;
    let mut kinds = state.proposals.values().cycle();
    (1..=count)
        .map(|id| {
            let mut proposal = kinds.next().unwrap().clone();
            proposal.id = ProposalId(id);
            if id.is_multiple_of(3) {
                proposal.asker = Asker::Person("alice".to_owned());
                proposal.idempotency_key = Some(format!("inv-{id}"));
            }
            Archived { proposal, escrow: None }
        })
        .collect()
}

fn check(archive: &Archive, all: &[Archived]) {
    assert_eq!(archive.len(), all.len());
    for one in all {
        assert_eq!(archive.get(one.proposal.id).unwrap().as_ref(), Some(one));
    }
    assert_eq!(archive.get(ProposalId(1_000)).unwrap(), None);
    let with_key = archive.by_key("alice", "inv-6").unwrap().unwrap();
    assert_eq!(with_key.proposal.id, ProposalId(6));
    assert_eq!(archive.by_key("bob", "inv-6").unwrap(), None);
    assert_eq!(archive.by_key("alice", "inv-7").unwrap(), None);
    let ids = |found: Vec<Archived>| found.iter().map(|one| one.proposal.id.0).collect::<Vec<_>>();
    assert_eq!(ids(archive.before(ProposalId(10), None, 3).unwrap()), [9, 8, 7]);
    let account = all[0].proposal.account;
    let of_account: Vec<u64> =
        all.iter().rev().filter(|one| one.proposal.account == account).map(|one| one.proposal.id.0).collect();
    assert_eq!(ids(archive.before(ProposalId(u64::MAX), Some(account), 1_000).unwrap()), of_account);
}

#[test]
fn what_is_archived_is_found_by_id_key_account_and_page_also_after_a_restart() {
    let all = ended(40);
    let memory = Archive::in_memory();
    memory.add(&all).unwrap();
    check(&memory, &all);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("archive");
    Archive::open(&*seam::system(), &path).unwrap().add(&all[..25]).unwrap();
    Archive::open(&*seam::system(), &path).unwrap().add(&all[25..]).unwrap();
    check(&Archive::open(&*seam::system(), &path).unwrap(), &all);
    // Without the index, with half of it, and with a torn line of it.
    let index = path.join("index");
    let whole = std::fs::read(&index).unwrap();
    for left in [0, whole.len() / 2, whole.len() - 5] {
        std::fs::write(&index, &whole[..left]).unwrap();
        check(&Archive::open(&*seam::system(), &path).unwrap(), &all);
        assert_eq!(std::fs::read(&index).unwrap(), whole, "it is made again");
    }
}

#[test]
fn an_end_that_a_crash_tore_is_taken_away_and_written_again() {
    let all = ended(12);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("archive");
    Archive::open(&*seam::system(), &path).unwrap().add(&all).unwrap();
    let proposals = path.join("proposals");
    let whole = std::fs::read(&proposals).unwrap();
    for cut in [1, 20, 700] {
        std::fs::write(&proposals, &whole[..whole.len() - cut]).unwrap();
        let archive = Archive::open(&*seam::system(), &path).unwrap();
        assert_eq!(archive.len(), 11, "{cut}");
        archive.complete(all.clone()).unwrap();
        assert_eq!(std::fs::read(&proposals).unwrap(), whole, "{cut}");
        check(&archive, &all);
    }
}

#[test]
fn a_changed_byte_is_an_error_that_names_the_proposal_and_is_mended_from_the_records() {
    let all = ended(12);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("archive");
    Archive::open(&*seam::system(), &path).unwrap().add(&all).unwrap();
    let proposals = path.join("proposals");
    let mut bytes = std::fs::read(&proposals).unwrap();
    bytes[500] ^= 1;
    std::fs::write(&proposals, &bytes).unwrap();
    let archive = Archive::open(&*seam::system(), &path).unwrap();
    let error = archive.get(ProposalId(1)).unwrap_err();
    assert_eq!(error.code(), "STORE_ARCHIVE_DAMAGED");
    assert!(error.to_string().contains("P1 in the archive is damaged"), "{error}");
    archive.complete(all.clone()).unwrap();
    check(&archive, &all);
}

/// Danger: somebody takes the archive away, and a request that is repeated is paid twice. Method: a machine on a store on
/// disk, a proposal that left its state, and a snapshot after that.
#[test]
fn an_archive_that_is_lost_is_made_again_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let open = || {
        let store = Box::new(DiskStore::open(dir.path()).unwrap());
        Machine::open(Arc::new(testing::treasury()), store, Metrics::new().unwrap().into()).unwrap()
    };
    let asked = |n| {
        let Command::Propose(pay) = testing::pay(testing::xrp(5)) else { unreachable!() };
        let command = Command::Propose(Propose { idempotency_key: Some(format!("inv-{n}")), ..pay });
        Input::Command {
            request: RequestId(n),
            actor: testing::actor("alice"),
            command,
            archived: None,
            asked: None,
        }
    };
    let answer = |effects: Vec<Effect>| {
        effects.into_iter().find_map(|effect| match effect {
            Effect::Answer { answer, .. } => Some(answer.unwrap()),
            _ => None,
        })
    };
    let mut machine = open();
    for input in [testing::now(), testing::reconciled(), testing::ledger(101)] {
        machine.take(input).unwrap();
    }
    // There are five Tickets; the next two wait for one and can be withdrawn without a trace.
    (1..=7).for_each(|n| drop(machine.take(asked(n)).unwrap()));
    for id in [6, 7] {
        let command = Command::Withdraw { proposal: ProposalId(id) };
        let actor = testing::actor("alice");
        machine
            .take(Input::Command { request: RequestId(10), actor, command, archived: None, asked: None })
            .unwrap();
    }
    for index in [102, 103] {
        let Input::Ledger { mut observation, wall_ms } = testing::ledger(index) else { unreachable!() };
        observation.point.close_time.0 += 2 * 86_400;
        machine.take(Input::Ledger { observation, wall_ms }).unwrap();
    }
    machine.settle().unwrap();
    assert_eq!((machine.state().proposals.len(), machine.archive().len()), (5, 2));
    let state = machine.state().clone();
    drop(machine);
    // No snapshot does without them yet: what a power cut takes of them the next start gives back.
    std::fs::remove_dir_all(dir.path().join("archive")).unwrap();
    assert_eq!(inspect(dir.path()).unwrap().damage, Vec::<String>::new());
    let mut store = DiskStore::open(dir.path()).unwrap();
    assert_eq!(store.resume(&mut |_| {}).unwrap().state, state);
    store.close(&state);
    drop(store);
    let report = inspect(dir.path()).unwrap();
    assert_eq!((report.damage, report.archived), (Vec::new(), 2));
    std::fs::remove_dir_all(dir.path().join("archive")).unwrap();
    let report = inspect(dir.path()).unwrap();
    assert_eq!(report.damage, ["the archive lacks P6", "the archive lacks P7"]);
    let mut machine = open();
    assert_eq!(machine.archive().len(), 2);
    for input in [testing::now(), testing::reconciled_at(103)] {
        machine.take(input).unwrap();
    }
    let again = answer(machine.take(asked(6)).unwrap()).unwrap();
    assert_eq!(again, Answer::Proposed { proposal: ProposalId(6) });
    drop(machine);

    // And where a proposal in it cannot be read, what may be a repetition is refused, and nothing is done.
    let path = dir.path().join("archive/proposals");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[300] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let mut machine = open();
    let before = machine.state().clone();
    let refused = machine.take(asked(6)).unwrap();
    let Some(Effect::Answer { answer: Err(error), .. }) = refused.first() else { panic!("{refused:?}") };
    assert_eq!(error.code(), "ARCHIVE_UNREADABLE");
    assert_eq!(machine.state(), &before);
}
