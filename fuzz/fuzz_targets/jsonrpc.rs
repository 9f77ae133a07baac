//! JSON-RPC: any body is refused or answered, whoever sends it. The first byte says whether that is an administrator.
#![no_main]

use fuzz::SMALL;
use libfuzzer_sys::fuzz_target;
use xrpl_harness::embedded::rpc::{self, Request, ServerFacts};

fuzz_target!(|data: &[u8]| {
    let Some((first, body)) = data.split_first() else { return };
    let request = match Request::from_json_rpc(body, first & 1 == 1) {
        Err(refusal) => return assert!((400..500).contains(&refusal.status)),
        Ok(request) => request,
    };
    let mut ledger = SMALL.clone();
    let outcome = rpc::handle(&mut ledger, None, &request, &ServerFacts::default());
    let reply = request.reply(outcome);
    let status = reply["result"]["status"].as_str();
    assert!(matches!(status, Some("success" | "error")), "{reply}");
    assert_eq!(status == Some("error"), reply["result"]["error"].is_string(), "{reply}");
});
