//! Goal: what is owed in an issued currency is paid in it, by the same people and rules as XRP, out of what a link keeps there.
//! Danger: it takes more than was approved, another currency, or a way that nobody looked at; or what left is taken for a theft.
//! Method: a bank issues dollars to warm; a link fills hot with them, and two people sign what hot pays.

use std::fmt::Write as _;

use treasuryd::dev::seen::{self, Books, Seen};
use treasuryd::dev::xrp;
use treasuryd::http::api::ProposeRequest;
use xrpl_harness::Network;
use xrpl_wire::typed::{self, AccountSet, Payment, TrustSet, TxCommon};
use xrpl_wire::{AccountId, Amount, IssuedAmount, SeqProxy, Transaction, TxBody, TxResult, flags, sf, sign};

use crate::scene::Scene;

/// A transaction that no daemon makes, signed by one key, or by alice and bob.
async fn by_hand(scene: &Scene, account: AccountId, key: Option<&xrpl_wire::KeyPair>, body: &TxBody) {
    let (world, people) = (scene.sandbox.world(), scene.sandbox.people());
    let sequence = SeqProxy::Sequence(world.sequence(account).await.unwrap());
    let fee = world.fees().await.unwrap().base_fee.checked_mul(10).unwrap();
    let tx = typed::build(&TxCommon::new(account, sequence, fee), body).unwrap();
    let tx = match key {
        Some(key) => sign::sign_single(&tx, key).unwrap(),
        None => {
            let signers = ["alice", "bob"].map(|name| {
                let person = people.get(name).unwrap();
                sign::sign_for(&tx, person.signer(), person.key()).unwrap()
            });
            sign::assemble(&tx, signers.to_vec()).unwrap()
        }
    };
    assert_eq!(world.submit(&tx).await.unwrap(), TxResult::tesSUCCESS);
    world.close_ledger().await.unwrap();
}

/// The first payment of this asset that the account sends after that ledger.
async fn first_paid(scene: &Scene, account: AccountId, after: u32, amount: Amount) -> Seen {
    let asset = amount.issue();
    let of_asset = |tx: &Transaction| match TxBody::parse(tx) {
        Ok(TxBody::Payment(payment)) => payment.amount.issue() == asset,
        _ => false,
    };
    let told = format!("a payment of {}", amount.words());
    let found = scene.sandbox.until_told(&told, || async move {
        let sent = seen::sent_by(scene.sandbox.world(), &account, after).await;
        let sent = sent.map_err(|error| error.to_string())?;
        sent.iter().find(|seen| of_asset(&seen.tx)).cloned().ok_or_else(|| format!("{sent:?}"))
    });
    found.await.unwrap()
}

fn takes_just(seen: &Seen, to: AccountId, amount: Amount) {
    assert_eq!(seen.result, TxResult::tesSUCCESS, "{seen:?}");
    let TxBody::Payment(payment) = TxBody::parse(&seen.tx).unwrap() else { panic!("{seen:?}") };
    assert_eq!((payment.destination, payment.amount), (to, amount));
    for field in [sf::SendMax, sf::DeliverMin, sf::Paths] {
        assert!(seen.tx.object().get(field).is_none(), "{field:?}");
    }
    assert_eq!(seen.tx.object().u32(sf::Flags).unwrap_or_default() & flags::tfPartialPayment, 0);
}

pub(crate) async fn a_link_fills_an_account_with_dollars_and_two_people_sign_what_it_pays_of_them() {
    let scene = Scene::start().await;
    let sandbox = &scene.sandbox;
    let world = sandbox.world();
    let (warm, hot) = (sandbox.account("warm").unwrap(), sandbox.account("hot").unwrap());
    let supplier = sandbox.cast().identity("supplier").unwrap();
    let bank = &sandbox.cast().stranger;
    let usd = |value: &str| Amount::from_words(&format!("{value} USD.{}", bank.id())).unwrap();
    let trusts = |limit: &str| {
        let Amount::Issued(limit_amount) = usd(limit) else { panic!("an issued currency") };
        let limit_amount: IssuedAmount = limit_amount;
        TxBody::TrustSet(TrustSet { limit_amount, quality_in: None, quality_out: None })
    };
    world.pay(bank.id(), xrp(1_000)).await.unwrap();
    world.close_ledger().await.unwrap();
    let ripples = AccountSet { set_flag: Some(flags::asfDefaultRipple), ..AccountSet::default() };
    by_hand(&scene, bank.id(), Some(bank.key()), &TxBody::AccountSet(ripples)).await;
    for account in [warm, hot] {
        by_hand(&scene, account, None, &trusts("100000")).await;
    }
    by_hand(&scene, supplier.id(), Some(supplier.key()), &trusts("100000")).await;
    let issues = TxBody::Payment(Payment {
        destination: warm,
        destination_tag: None,
        amount: usd("5000"),
        send_max: None,
        deliver_min: None,
    });
    by_hand(&scene, bank.id(), Some(bank.key()), &issues).await;

    let mut text = std::fs::read_to_string(sandbox.config_path()).unwrap();
    let asset = format!("USD.{}", bank.id());
    write!(
        text,
        "\n[[link]]\nname = \"dollars\"\nfrom = \"warm\"\nto = \"hot\"\nfloor = \"100 {asset}\"\ntarget = \"500.25 {asset}\"\n\
         move_max = \"1000 {asset}\"\nperiod_max = \"2000 {asset}\"\n\
         \n[[rule]]\nname = \"dollars-move\"\naskers = [\"treasuryd\"]\nkinds = [\"move\"]\namount_max = \"1000 {asset}\"\n\
         action = \"allow\"\n\
         \n[[rule]]\nname = \"dollars\"\naccounts = [\"hot\"]\nkinds = [\"pay\"]\nassets = [\"{asset}\"]\namount_max = \"1000 {asset}\"\n\
         action = \"approve\"\nweight = 2\nroles = [\"approver\"]\nexclude_asker = false\n"
    )
    .unwrap();
    std::fs::write(sandbox.config_path(), text).unwrap();
    let books = Books::open(world).await.unwrap();
    let stage = scene.stage().await;
    let filled = first_paid(&scene, warm, books.since(), usd("500.25")).await;
    takes_just(&filled, hot, usd("500.25"));

    let (alice, bob) = (sandbox.people().get("alice").unwrap(), sandbox.people().get("bob").unwrap());
    let request = ProposeRequest {
        account: "hot".to_owned(),
        destination: "supplier".to_owned(),
        amount: usd("120.5").into(),
        note: "parts".to_owned(),
        ..ProposeRequest::default()
    };
    let id = alice.client().propose(&request).await.unwrap().proposal;
    stage.can_be_signed(&id).await.unwrap();
    alice.approve(&id).await.unwrap();
    sandbox.let_pass(3).await.unwrap();
    let sent = seen::sent_by(world, &hot, books.since()).await.unwrap();
    assert!(
        sent.iter().all(|seen| !seen.did(xrpl_wire::TransactionType::Payment)),
        "one has signed: {sent:?}"
    );
    bob.approve(&id).await.unwrap();
    let paid = first_paid(&scene, hot, books.since(), usd("120.5")).await;
    takes_just(&paid, supplier.id(), usd("120.5"));
    assert_eq!(paid.signers().unwrap().len(), 2);

    sandbox.let_pass(3).await.unwrap();
    assert_eq!(alice.client().proposal(&id).await.unwrap().status, "validated");
    let accounts = alice.client().accounts().await.unwrap();
    let has = |name: &str| {
        let account = accounts.iter().find(|account| account.name == name).unwrap();
        account.trust_lines.as_ref().unwrap().iter().map(|line| line.balance.words()).collect::<Vec<_>>()
    };
    assert_eq!((has("warm"), has("hot")), (vec![usd("4499.75").words()], vec![usd("379.75").words()]));
    let links = alice.client().tiers().await.unwrap();
    let link = links.iter().find(|link| link.name == "dollars").unwrap();
    assert_eq!((link.by.as_str(), link.moved.words()), ("within its bounds", usd("500.25").words()));
    let found = sandbox.people().get("dave").unwrap().client().findings().await.unwrap();
    assert!(found.iter().all(|finding| finding.kind != "spend_without_proposal"), "{found:?}");
    // Of what the account has too little of nothing leaves, and it says so.
    let request = ProposeRequest { amount: usd("900").into(), ..request };
    let id = alice.client().propose(&request).await.unwrap().proposal;
    stage.can_be_signed(&id).await.unwrap();
    for person in [alice, bob] {
        person.approve(&id).await.unwrap();
    }
    sandbox.let_pass(3).await.unwrap();
    let view = alice.client().proposal(&id).await.unwrap();
    assert!(view.waits_for.iter().any(|wait| wait.contains(&usd("520.25").words())), "{:?}", view.waits_for);
}
