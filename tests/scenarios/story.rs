//! The tour's scenes, one by one, each with a treasury of its own.

use treasuryd::dev::story;

use crate::scene::Scene;

macro_rules! scenes {
    ($($name:ident => $($scene:path),+;)+) => {$(
        pub(crate) async fn $name() {
            let scene = Scene::start().await;
            let mut stage = scene.stage().await;
            $(
                let evidence = $scene(&mut stage).await.unwrap_or_else(|error| panic!("{error}"));
                assert!(!evidence.is_empty());
            )+
        }
    )+};
}

scenes! {
    a_hot_account_below_its_floor_is_refilled_without_a_person => story::refill;
    a_small_payment_goes_straight_through => story::small;
    // From an account that has just been filled, so that no refill comes in between.
    a_middling_payment_waits_for_two_people => story::refill, story::middling;
    a_large_payment_waits_two_days_through_two_kills_and_is_released => story::large_with_kills;
    a_flagged_payment_is_withheld_and_comes_back => story::flagged;
}

/// Goal: a delay counts by the ledger's time where that is not UTC. Danger: counted from the host's clock, it would
/// end after CancelAfter. Method: a ledger of long ago.
pub(crate) async fn a_large_payment_is_released_on_a_ledger_with_a_time_of_its_own() {
    let scene = Scene::with_own_time().await;
    let mut stage = scene.stage().await;
    let evidence = story::large_with_kills(&mut stage).await.unwrap_or_else(|error| panic!("{error}"));
    assert!(!evidence.is_empty());
}
