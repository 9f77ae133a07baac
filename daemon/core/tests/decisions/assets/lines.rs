//! What is known of trust lines and of who has issued what is on them, and what leaves them past the daemon.

use super::*;

/// Danger: a store of a version that did not know the rate is blind for ever, or never learns it; or one server's word on it takes the
/// place of what was known.
#[test]
fn what_an_earlier_version_did_not_tell_is_taken_in_and_what_differs_later_costs_sight() {
    let mut w = world(&[("warm", "5000")]);
    let bank = w.stranger("bank", Some(0));
    let p = propose(&mut w, "warm", "shop", "500");
    let rate = |w: &World| w.state.accounts[&bank].root.unwrap().transfer_rate;
    let reads = |w: &mut World, rate| {
        w.misread(bank, |read| read.root.as_mut().unwrap().transfer_rate = Some(rate));
    };
    assert_eq!((rate(&w), w.word(p)), (Some(0), "collecting"));
    w.state.accounts.get_mut(&bank).unwrap().root.as_mut().unwrap().transfer_rate = None;
    reads(&mut w, 1_005_000_000);
    assert_eq!((w.state.sees(), rate(&w)), (true, Some(1_005_000_000)), "{:?}", w.state.sight);
    assert!(w.waits(p).iter().any(|wait| wait.contains("TransferRate")), "{:?}", w.waits(p));
    for other in [0, 1_100_000_000] {
        reads(&mut w, other);
        assert_eq!((w.state.sees(), rate(&w)), (false, Some(1_005_000_000)), "{:?}", w.state.sight);
        w.close(&[]);
        reads(&mut w, 1_005_000_000);
        assert!(w.state.sees(), "{:?}", w.state.sight);
    }

    let mut w = world(&[("warm", "5000")]);
    let told = |w: &World| w.state.trust_line(&id("warm"), euro()).unwrap().no_ripple;
    let reads = |w: &mut World, no_ripple| {
        w.misread(id("warm"), |read| {
            read.trust_lines.as_mut().unwrap().get_mut(&euro()).unwrap().no_ripple = no_ripple;
        });
    };
    assert_eq!(told(&w), Some(false));
    reads(&mut w, Some(true));
    assert_eq!((w.state.sees(), told(&w)), (false, Some(false)), "{:?}", w.state.sight);
    assert_eq!(found(&w), [FindingKind::ViewDiffers]);
    w.close(&[]);
    w.reconcile();
    assert!(w.state.sees());
    let lines = w.state.accounts.get_mut(&id("warm")).unwrap().trust_lines.as_mut().unwrap();
    lines.get_mut(&euro()).unwrap().no_ripple = None;
    reads(&mut w, Some(true));
    assert_eq!((w.state.sees(), told(&w)), (true, Some(true)), "{:?}", w.state.sight);
}

/// Danger: what a stranger pays through the trust lines of an account, or what its issuer claws back, is nobody's spend, and a link pours
/// more after it for ever.
#[test]
fn what_leaves_by_a_transaction_of_somebody_else_is_found_and_nothing_is_poured_after_it() {
    let mut w = world(&[("hot", "500"), ("warm", "50000")]);
    w.config.links = vec![refill()];
    w.change(vec![comes("hot", line("20"))]);
    assert_eq!(found(&w), [FindingKind::SpendWithoutProposal]);
    let said = &w.state.findings.values().next().unwrap().evidence;
    assert!(
        said.starts_with(&format!(
            "{} left, and no transaction of the account's took it",
            eur("480").words()
        )),
        "{said}"
    );
    for _ in 0..12 {
        w.close(&[]);
        assert_eq!(amounts(&w.sent()), []);
    }
    let against = treasury_core::tiers::against(&w.config, &w.state, &refill(), eur("280.5"));
    assert!(against.iter().any(|wait| matches!(wait, Wait::Drained(_))), "{against:?}");
    // What comes in is nobody's loss, and a change of the limit moves nothing.
    w.change(vec![comes("warm", line("50001"))]);
    w.change(vec![comes("warm", TrustLineView { limit: "90000".parse().unwrap(), ..line("50001") })]);
    assert_eq!(found(&w).len(), 1);
}

/// Danger: beside a payment of the daemon's own, in the same ledger, nobody looks at what else went; or what sixteen digits make of its
/// amount is taken for a theft.
#[test]
fn beside_an_own_payment_no_more_may_go_than_it_pays_but_for_the_last_digit() {
    for (left, expected) in [
        ("3999999999999920", vec![]),
        ("3999999999999919", vec![]),
        ("3999999999999000", vec![FindingKind::SpendWithoutProposal]),
    ] {
        let mut w = world(&[("hot", "4000000000000000")]);
        let p = propose(&mut w, "hot", "shop", "80.4");
        let mut sent = w.sent();
        sent.dedup_by_key(|tx| tx.id());
        let mut observation = w.observed(4, &sent[..1], "tesSUCCESS");
        observation.changes.retain(|change| !matches!(change, Change::TrustLine { .. }));
        observation.changes.push(comes("hot", line(left)));
        w.hand_on(observation);
        assert_eq!((w.word(p), found(&w)), ("validated", expected), "{left}");
    }
}

/// Danger: what leaves past the daemon is not seen as that, or what was not seen leave is counted nowhere.
#[test]
fn what_nobody_proposed_is_found_once_and_counts_once_also_where_only_a_reading_tells() {
    let mut w = world(&[("hot", "500"), ("warm", "5000")]);
    w.stranger("bank", Some(0));
    w.config.links = vec![refill()];
    let tx = xrpl_wire::typed::build(
        &xrpl_wire::TxCommon {
            account: id("hot"),
            seq: xrpl_wire::SeqProxy::Sequence(100),
            fee: xrpl_wire::Drops::new(12).unwrap(),
            last_ledger_sequence: None,
            source_tag: None,
            network_id: None,
            memos: Vec::new(),
            flags: 0,
        },
        &TxBody::Payment(Payment {
            destination: id("shop"),
            destination_tag: None,
            amount: eur("450"),
            send_max: None,
            deliver_min: None,
        }),
    )
    .unwrap();
    w.close(&[tx]);
    assert_eq!(found(&w), [FindingKind::SpendWithoutProposal]);
    assert_eq!(counted(&w, "hot")[0], eur("450"));
    w.close(&[]);
    assert_eq!(amounts(&w.sent()), [], "nothing is poured into an account that was drained");
    let against = treasury_core::tiers::against(&w.config, &w.state, &refill(), eur("250.5"));
    assert!(against.iter().any(|wait| matches!(wait, Wait::Drained(_))), "{against:?}");

    // A server that tells of a line what no ledger told costs sight, and moves nothing.
    w.misread(id("warm"), |read| {
        let known = read.trust_lines.as_mut().unwrap().get_mut(&euro()).unwrap();
        known.balance = "4000".parse().unwrap();
    });
    assert!(!w.state.sees());
    assert_eq!((has(&w, "warm"), counted(&w, "warm")[0]), (Some(eur("5000")), eur("0")));
    w.close(&[]);
    w.reconcile();
    assert!(w.state.sees(), "{:?}", w.state.sight);
    // What could not be read took some of it.
    w.mirror(&comes("warm", line("4000")));
    let opaque = vec![OpaqueTx {
        id: Hash256([9; 32]),
        accounts: [id("warm")].into(),
        reason: "a type that nobody knows".to_owned(),
    }];
    let observation = LedgerObservation { opaque, ..w.next_ledger(4) };
    w.hand_on(observation);
    assert_eq!((has(&w, "warm"), counted(&w, "warm")[0]), (Some(eur("4000")), eur("1000")));
    assert_eq!(found(&w).last(), Some(&FindingKind::SpendWithoutProposal), "{:?}", found(&w));
    assert!(w.state.robbed.contains_key(&id("warm")));
}
