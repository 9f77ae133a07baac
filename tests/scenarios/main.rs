//! Scenarios: the real daemon over real sockets, on the ledger that the environment names: embedded, at URLs, or in a
//! container. See docs/how-to/test-worlds.md.
//!
//! Each opens with its goal, its danger and its method. None waits for wall time: a scenario closes ledgers
//! itself while it looks for what it expects. A scenario that needs what this run's ledger cannot do is skipped, which
//! is printed with the reason, and counted.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing test panics")]

mod drift;
mod guard;
mod issued;
mod kills;
mod refusals;
mod scene;
mod schedules;
mod storm;
mod story;
mod strangers;
mod tiers;
mod tools;
mod trouble;
mod voids;
mod worlds;

use std::future::Future;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use tokio::runtime::Runtime;
use xrpl_harness::network::Capability;

/// Where this is set, as in `.ci/run`, what would be skipped fails instead.
const NOTHING_SKIPPED: &str = "TESTS_NOTHING_SKIPPED";

struct Scenario {
    name: &'static str,
    needs: &'static [Capability],
    run: fn() -> Result<(), Failed>,
}

/// Lists scenarios as `module::name`, and after `needs` the capabilities without which they cannot play.
macro_rules! scenarios {
    ($($module:ident::$name:ident $(needs $($capability:ident)+)?;)+) => {
        const SCENARIOS: &[Scenario] = &[$(Scenario {
            name: concat!(stringify!($module), "::", stringify!($name)),
            needs: &[$($(Capability::$capability),+)?],
            run: || run($module::$name()),
        }),+];
    };
}

scenarios! {
    story::a_hot_account_below_its_floor_is_refilled_without_a_person;
    story::a_small_payment_goes_straight_through;
    story::a_middling_payment_waits_for_two_people;
    story::a_large_payment_waits_two_days_through_two_kills_and_is_released;
    story::a_large_payment_is_released_on_a_ledger_with_a_time_of_its_own;
    story::a_flagged_payment_is_withheld_and_comes_back;
    kills::a_payment_survives_a_kill_at_every_step;
    kills::a_release_survives_a_kill_at_every_step;
    kills::a_flag_survives_a_kill_at_every_step;
    storm::kills_in_traffic_lose_nothing_and_repeat_nothing;
    tiers::what_hot_has_too_much_of_is_swept_back_to_warm_once;
    issued::a_link_fills_an_account_with_dollars_and_two_people_sign_what_it_pays_of_them;
    drift::settings_that_stolen_keys_change_are_found_and_stop_the_account;
    strangers::a_strangers_account_is_read_before_a_payment_to_it_is_decided_on;
    schedules::a_scheduled_payment_is_made_when_it_is_due_and_once;
    guard::a_guarded_payment_is_released_with_the_guards_share;
    guard::a_silent_guard_gives_the_money_back;
    guard::a_guard_that_was_killed_in_between_gives_its_share;
    guard::a_daemon_that_is_captured_after_the_creation_cannot_release_alone;
    guard::a_captured_guard_can_neither_release_nor_pay;
    guard::a_guard_makes_a_condition_for_what_its_policy_allows_and_for_nothing_else;
    guard::what_is_stopped_at_the_guard_is_not_released_until_somebody_else_lifts_it;
    guard::a_guarded_escrow_is_known_again_by_a_daemon_without_its_store;
    guard::escrows_stay_what_they_were_made_as_when_a_guard_comes_or_is_left_out;
    voids::what_is_signed_is_made_worthless_under_a_freeze;
    voids::a_panic_stops_everything_before_it_is_answered;
    refusals::bad_approvals_are_refused_and_change_nothing;
    refusals::bad_requests_are_refused_and_change_nothing;
    refusals::a_request_sent_twice_is_one_payment;
    tools::a_bad_configuration_is_refused_by_key_and_line;
    tools::the_store_can_be_checked_and_read_after_a_kill;
    tools::systemd_is_told_when_the_daemon_is_ready_alive_and_stopping;
    trouble::a_cut_socket_is_mended_and_nothing_is_missed needs Faults;
    trouble::a_swallowed_submission_is_sent_again_and_applied_once needs Faults;
    trouble::a_second_daemon_on_the_same_store_is_refused;
    trouble::two_daemons_with_one_treasury_pay_and_release_once;
}

fn run(scenario: impl Future<Output = ()>) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    // One that fails panics.
    runtime.block_on(scenario);
    Ok(())
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    if arguments.list {
        let trials = SCENARIOS.iter().map(|scenario| Trial::test(scenario.name, scenario.run)).collect();
        return libtest_mimic::run(&arguments, trials).exit_code();
    }
    let runtime = Runtime::new().unwrap();
    let (capabilities, container) = match runtime.block_on(worlds::open()) {
        Ok(opened) => opened,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    println!("it can: {capabilities:?}");
    if worlds::shared() {
        arguments.test_threads = Some(1);
    }
    let mut trials = Vec::new();
    let mut skipped = Vec::new();
    for scenario in SCENARIOS {
        match capabilities.lacks(scenario.needs) {
            None => trials.push(Trial::test(scenario.name, scenario.run)),
            Some(lacking) => skipped.push((scenario.name, lacking.name())),
        }
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    for (name, lacking) in &skipped {
        println!("skipped: {name}: this ledger lacks the capability `{lacking}`");
    }
    println!("skipped: {}", skipped.len());
    runtime.block_on(worlds::close(container));
    if !skipped.is_empty() && std::env::var_os(NOTHING_SKIPPED).is_some() {
        println!("{NOTHING_SKIPPED} is set");
        return ExitCode::FAILURE;
    }
    conclusion.exit_code()
}
