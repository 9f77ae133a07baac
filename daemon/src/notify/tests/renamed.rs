//! Channels that somebody has renamed, or taken out.

use super::story::Told;
use super::*;
use crate::store::MemoryStore;

/// Danger: whoever renames a channel loses what waits in it.
#[tokio::test]
async fn what_waits_for_a_channel_that_is_no_more_goes_once_by_the_routes_of_now() {
    let disk = Disk::default();
    let before = world(&disk, &["mail", "ops"]);
    before.said("n-1", Severity::Warning);
    before.tell("mail", 1);
    drop(before);

    let mut told = Told::start_in(&MemoryStore::new(), world(&disk, &["ops", "post"])).await;
    let mut came = Vec::new();
    for _ in 0..2 {
        let got = told.world.got.recv().await.unwrap();
        came.push((got.channel, got.notice.id));
    }
    came.sort();
    assert_eq!(came, [("ops", "n-1"), ("post", "n-1")].map(|(to, id)| (to.to_owned(), id.to_owned())));
    told.world.empty("ops").await;
    told.world.empty("post").await;
    assert!(told.world.got.try_recv().is_err(), "a test is of its channel alone");
    let outbox = told.world.desk.outbox();
    assert_eq!((outbox.waiting("mail"), outbox.dead("mail")), (0, 2));
}
