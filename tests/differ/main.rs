//! What the differ finds: faults planted in an embedded server, each by the shortest story, and nothing where there is
//! none.

use tests::differ::{Lived, Opponent, acts, live, live_deeds, shorten, story};
use tests::replay::{Progress, replay};
use tokio::runtime::Runtime;
use xrpl_harness::embedded::{Amendment, Generation, GenesisConfig, ServerSetup};
use xrpl_harness::{EmbeddedConfig, EmbeddedServer, Faults};

/// Lives in which a fault must show itself, and how much happens in each.
const LIVES: u64 = 12;
const ACTS: usize = 120;

/// Shorter lives that are tried: enough for the shortest.
const TRIES: usize = 400;

/// A server with a fault.
#[derive(Default)]
struct Planted {
    /// Rules that it does not follow, though they are in force.
    forgets: Vec<Amendment>,
    faults: Faults,
}

/// A server that answers at a URL as long as it is held.
struct Running {
    runtime: Runtime,
    server: Option<EmbeddedServer>,
}

impl Running {
    fn new(planted: Planted) -> Running {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.unwrap();
        let server = ServerSetup {
            generation: Generation::V3_3,
            features: vec![Amendment::BatchV1_1, Amendment::Cosign],
            forgets: planted.forgets,
            ..ServerSetup::default()
        };
        let genesis = GenesisConfig { server, ..GenesisConfig::default() };
        let config = EmbeddedConfig { genesis, ..EmbeddedConfig::default() };
        let server = runtime.block_on(EmbeddedServer::start(config)).unwrap();
        server.set_faults(planted.faults);
        Running { runtime, server: Some(server) }
    }

    fn opponent(&self) -> Opponent {
        let url = self.server.as_ref().unwrap().rpc_url();
        Opponent::connect(&url, None, &["BatchV1_1", "Cosign"].map(ToOwned::to_owned)).unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            self.runtime.block_on(server.shutdown());
        }
    }
}

/// Lives on until something differs, and shortens that to a story in which the last step alone does.
fn finds(planted: Planted) {
    let running = Running::new(planted);
    let mut opponent = running.opponent();
    let found = (1..=LIVES).find_map(|seed| {
        let acts = acts(seed, ACTS);
        let lived = live(&mut opponent, &acts).unwrap();
        lived.difference.is_some().then_some((acts, lived))
    });
    let (acts, lived) = found.unwrap_or_else(|| panic!("nothing differed in {LIVES} lives"));
    let (whole, beginning) = (lived.compared, lived.beginning);
    let (deeds, shortest) = shorten(&mut opponent, lived, &acts, TRIES).unwrap();
    let steps = check_story(&opponent, &shortest);
    println!("{} deeds, {steps} steps instead of {whole}", deeds.len());
    for without in 0..deeds.len() {
        let fewer: Vec<_> =
            deeds.iter().enumerate().filter(|(at, _)| *at != without).map(|(_, deed)| *deed).collect();
        let lived = live_deeds(&mut opponent, &fewer, beginning).unwrap();
        assert!(lived.difference.is_none(), "deed {without} could be left out");
    }
}

/// Replays what is written of a difference, and answers with how many steps it has.
fn check_story(opponent: &Opponent, lived: &Lived) -> usize {
    let story = story(opponent, "found", lived).unwrap();
    let score = replay(&story, None, &Progress::default());
    assert_eq!(score.differs_at, Some(score.steps - 1), "{:?}", score.difference);
    assert_eq!(score.same_steps, score.steps - 1);
    score.steps
}

fn forgetting(amendment: Amendment) -> Planted {
    Planted { forgets: vec![amendment], ..Planted::default() }
}

#[test]
fn nothing_differs_where_there_is_no_fault() {
    let running = Running::new(Planted::default());
    let mut opponent = running.opponent();
    for seed in 1..=3 {
        let lived = live(&mut opponent, &acts(seed, ACTS)).unwrap();
        assert!(lived.difference.is_none(), "{:?}", lived.difference.map(|difference| difference.text));
        assert!(lived.compared > ACTS, "only {} steps were compared", lived.compared);
    }
}

#[test]
fn a_server_that_rounds_offers_to_their_owners_loss_is_found() {
    finds(forgetting(Amendment::FixReducedOffersV2));
}

#[test]
fn a_server_that_does_not_note_what_changed_a_directory_is_found() {
    finds(forgetting(Amendment::FixPreviousTxnID));
}

#[test]
fn a_server_that_leaves_fields_of_new_entries_out_is_found() {
    finds(forgetting(Amendment::FixIncludeKeyletFields));
}

#[test]
fn a_server_whose_new_accounts_begin_with_another_number_is_found() {
    finds(forgetting(Amendment::DeletableAccounts));
}

#[test]
fn a_server_in_which_nobody_acts_for_another_is_found() {
    finds(forgetting(Amendment::PermissionDelegationV1_1));
}

#[test]
fn a_server_that_knows_no_books_of_domains_is_found() {
    finds(forgetting(Amendment::PermissionedDEX));
}

#[test]
fn a_server_that_locks_nothing_but_xrp_is_found() {
    finds(forgetting(Amendment::TokenEscrow));
}

#[test]
fn a_server_that_takes_no_batches_is_found() {
    finds(forgetting(Amendment::BatchV1_1));
}

#[test]
fn a_server_that_keeps_no_proposals_is_found() {
    finds(forgetting(Amendment::Cosign));
}

#[test]
fn a_server_that_loses_what_it_said_that_it_took_is_found() {
    let faults = Faults { swallow_submits: u32::MAX, ..Faults::default() };
    finds(Planted { faults, ..Planted::default() });
}

#[test]
fn a_server_whose_ledgers_do_less_than_it_said_is_found() {
    let faults = Faults { claim_only: u32::MAX, ..Faults::default() };
    finds(Planted { faults, ..Planted::default() });
}
