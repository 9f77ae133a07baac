//! Goal: somebody who asks for a payment to a stranger is told what the stranger's account looks like, and decides by it.
//! Danger: an account that was made for this theft, or that is none, looks like any other.
//! Method: policy is asked about an address that nobody has paid, and about it again after somebody has.

use treasuryd::dev::xrp;
use treasuryd::http::api::{AmountView, ExplainRequest, RiskView};
use xrpl_harness::Network;
use xrpl_wire::{AccountId, sha512_half};

use crate::scene::Scene;

const TABLE: &str = r#"
[risk]
unfunded = { weight = 11 }
odd_settings = { weight = 12 }
young = { weight = 13, less_than = "366d" }
poor = { weight = 14, below = "100 XRP" }
unread = { weight = 99 }

[[rule]]
name = "anybody"
accounts = ["warm"]
risk = { max = 99 }
action = "approve"
weight = 2
exclude_asker = false
"#;

pub(crate) async fn a_strangers_account_is_read_before_a_payment_to_it_is_decided_on() {
    let scene = Scene::start().await;
    let _stage = scene.stage().await;
    let alice = scene.sandbox.people().get("alice").unwrap().client();
    // Another one in each run: others may share the ledger.
    let drawn = sha512_half(&[&scene.sandbox.account("hot").unwrap().0]);
    let stranger = AccountId(*drawn.0.first_chunk().unwrap());
    let looks = async || -> RiskView {
        let asked = ExplainRequest {
            policy: Some(TABLE.to_owned()),
            account: "warm".to_owned(),
            destination: stranger.to_string(),
            amount: AmountView { asset: "XRP".to_owned(), value: "20000000".to_owned() },
            asker: None,
        };
        alice.policy_explain(&asked).await.unwrap().risk
    };
    let signs = |risk: &RiskView| risk.signs.iter().map(|sign| sign.sign.clone()).collect::<Vec<_>>();
    let none = looks().await;
    assert_eq!(signs(&none), ["unfunded"], "{none:?}");
    assert_eq!(none.score, 11);
    scene.sandbox.world().pay(stranger, xrp(50)).await.unwrap();
    scene.sandbox.let_pass(3).await.unwrap();
    let young = looks().await;
    assert_eq!(signs(&young), ["young", "poor"], "{young:?}");
    assert!(young.signs[1].evidence.contains("the destination has 50 XRP in ledger"), "{young:?}");
}
