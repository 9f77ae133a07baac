//! A websocket: frames one after another, a line each, on one subscription; after each, a ledger closes and its frames
//! are made. The first byte says whether the client is an administrator.
#![no_main]

use fuzz::SMALL;
use libfuzzer_sys::fuzz_target;
use xrpl_harness::embedded::CloseTime;
use xrpl_harness::embedded::rpc::{self, Request, ServerFacts, Subscription, stream};

fuzz_target!(|data: &[u8]| {
    let Some((first, frames)) = data.split_first() else { return };
    let Ok(frames) = std::str::from_utf8(frames) else { return };
    let facts = ServerFacts { first_ledger: 2, ..ServerFacts::default() };
    let mut ledger = SMALL.clone();
    let mut subscription = Subscription::default();
    for frame in frames.split('\n').take(8) {
        let request = match Request::from_ws(frame, first & 1 == 1) {
            Err(reply) => {
                assert!(reply["error"].is_string(), "{reply}");
                continue;
            }
            Ok(request) => request,
        };
        let outcome = rpc::handle(&mut ledger, Some(&mut subscription), &request, &facts);
        for proposed in &outcome.effects.proposed {
            for _ in 0..stream::wants_proposed(proposed, &subscription) {
                let frame = stream::proposed_frame(proposed, subscription.api_version.max(1));
                assert_eq!(frame["validated"], false);
            }
        }
        let reply = request.reply(outcome);
        assert!(reply["status"] == "success" || reply["error"].is_string(), "{reply}");
        assert_eq!(reply.get("id"), request.params.get("id"), "a reply names its request");
        let closed = ledger.close(CloseTime::Next);
        for frame in stream::frames_for(&closed, &subscription, &facts) {
            assert!(frame["type"].is_string(), "{frame}");
        }
    }
});
