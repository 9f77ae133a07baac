//! People show that they still have their keys.

use treasury_core::config::Drills;

use super::*;

#[tokio::test]
async fn somebody_who_is_asked_shows_their_key_and_everybody_sees_when() {
    let served = Served::new().await;
    let mut treasury = testing::treasury();
    treasury.alarms.drills = Drills { every_seconds: Some(86_400), answer_seconds: 3_600 };
    let alice = served.client("alice");
    let before = alice.drill().await.unwrap();
    assert_eq!((before.challenge.as_ref(), before.proven.as_ref()), (None, None));
    assert!(before.signer.is_some());
    let nothing = DrillRequest {
        signing_pub_key: testing::key(ALICE).public_key().to_string(),
        signature: String::new(),
    };
    let refused = alice.answer_drill(&nothing).await.unwrap_err();
    assert!(matches!(&refused, ClientError::Api { error, .. } if error.code == "NO_DRILL"), "{refused}");
    served.handle.declare(treasury).await.unwrap().unwrap();
    served.handle.input(testing::ledger(102)).await.unwrap();
    served.handle.input(testing::reconciled_at(102)).await.unwrap();
    served.handle.input(testing::ledger(103)).await.unwrap();
    let asked = alice.drill().await.unwrap();
    let challenge = asked.challenge.unwrap().parse().unwrap();
    assert_eq!(asked.text.unwrap(), xrpl_wire::drill::text(&testing::signer(ALICE), &challenge));
    assert!(asked.asked.is_some() && asked.until > asked.asked);
    let sign = |n: u8| {
        let key = testing::key(n);
        let signature = xrpl_wire::drill::sign(&testing::signer(ALICE), &challenge, &key);
        DrillRequest { signing_pub_key: key.public_key().to_string(), signature: hex::encode(signature) }
    };
    let refused = alice.answer_drill(&sign(BOB)).await.unwrap_err();
    assert!(matches!(&refused, ClientError::Api { status: 403, .. }), "{refused}");
    assert!(alice.answer_drill(&sign(ALICE)).await.unwrap().changed);
    let after = alice.drill().await.unwrap();
    assert_eq!((after.challenge, after.proven.unwrap().by.as_str()), (None, "drill"));
    let lockout = served.client("sue").lockout().await.unwrap();
    let shown: Vec<_> = lockout[0]
        .signers
        .iter()
        .map(|signer| {
            (signer.signer.name.as_deref().unwrap(), signer.proven.is_some(), signer.asked.is_some())
        })
        .collect();
    assert_eq!(shown.len(), 2, "agents are not shown: {shown:?}");
    assert!(shown.contains(&("alice", true, false)) && shown.contains(&("bob", false, true)), "{shown:?}");
    assert_eq!(served.client("sue").drill().await.unwrap(), DrillView::default());
}
