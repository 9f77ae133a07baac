//! What changes from one generation of the server to the next, and what follows from the network's number.

use super::*;

fn issued(value: &str, issuer: &KeyPair) -> Amount {
    let mut currency = [0; 20];
    currency[12..15].copy_from_slice(b"USD");
    let (value, currency) = (value.parse().unwrap(), Currency(currency));
    Amount::Issued(IssuedAmount { value, currency, issuer: issuer.account_id() })
}

/// Submits a transaction, closes the ledger, and answers with the result in it; none if it is not there.
fn settle(ledger: &mut Ledger, tx: Object, by: &KeyPair) -> Option<TxResult> {
    let blob = signed(tx, by);
    let id = Transaction::decode(&blob).unwrap().id();
    ledger.submit(&blob);
    let closed = ledger.close(CloseTime::Next);
    closed.transactions.iter().find(|tx| tx.id == id).map(|tx| tx.result)
}

/// Issues USD to holders, each with a limit and an amount.
fn issue(ledger: &mut Ledger, issuer: &KeyPair, holders: &[(&KeyPair, &str, &str)]) {
    for (holder, limit, amount) in holders {
        let line =
            draft(ledger, TransactionType::TrustSet, holder).with(sf::LimitAmount, issued(limit, issuer));
        assert_eq!(settle(ledger, line, holder), Some(TxResult::tesSUCCESS));
        if *amount == "0" {
            continue;
        }
        let gift = draft(ledger, TransactionType::Payment, issuer)
            .with(sf::Destination, holder.account_id())
            .with(sf::Amount, issued(amount, issuer));
        assert_eq!(settle(ledger, gift, issuer), Some(TxResult::tesSUCCESS));
    }
}

fn set(ledger: &mut Ledger, account: &KeyPair, flag: u32) {
    let tx = draft(ledger, TransactionType::AccountSet, account).with(sf::SetFlag, flag);
    assert_eq!(settle(ledger, tx, account), Some(TxResult::tesSUCCESS));
}

/// What a holder has of an issuer's USD; none without a line.
fn holding(ledger: &Ledger, holder: &KeyPair, issuer: &KeyPair) -> Option<String> {
    let Amount::Issued(IssuedAmount { currency, .. }) = issued("0", issuer) else { panic!("issued") };
    let at = index::trust_line(&issuer.account_id(), &holder.account_id(), &currency);
    match ledger.open().state().object(&at)?.amount(sf::Balance) {
        Some(Amount::Issued(balance)) if balance.value.is_negative() => {
            Some(balance.value.negated().to_string())
        }
        Some(Amount::Issued(balance)) => Some(balance.value.to_string()),
        _ => panic!("a balance"),
    }
}

#[test]
fn a_fresh_ledger_is_that_of_the_generations_server() {
    for (generation, close_time, parent, hash) in [
        (
            Generation::V3_1,
            848_563_870,
            "0E25EE97A08A818B88853E1738BC3619E4CAD18632BF6E6E57B96EA0D6118BD4",
            "DB571E8A6FF37C1B9B4A52140F39B8AF1D5B3CEDA56FAA113ECE3CC806D96961",
        ),
        (
            Generation::V3_2,
            848_998_990,
            "B6C592C3178E5A8A25FF38C3EE8F26E8BB2DDDDE5BC5F623841D727EF2658277",
            "7EECCBAD1121C949191769A1F7F8C2C4FA5AE0615EA8D2D3445F8C898C2EFE91",
        ),
        (
            Generation::V3_3,
            849_001_720,
            "F340D5BC9F4EAFBC529FD23647FBC67018364AC2D07B35C0239602403801159C",
            "FC67B18078440A103105BEF9C3AA0470991F5D34AB9B2AB784003CDCA0B61C32",
        ),
    ] {
        let config = GenesisConfig { close_time: RippleTime(close_time), ..GenesisConfig::of(generation) };
        let ledger = Ledger::genesis(config);
        let validated = ledger.validated();
        assert_eq!(validated.header.index, 2);
        assert_eq!(validated.header.parent_hash.to_string(), parent, "{generation}");
        assert_eq!(validated.hash.to_string(), hash, "{generation}");
        assert_eq!(ledger.rules().generation(), generation);
    }
}

#[test]
fn an_amendment_is_in_force_if_it_is_listed_retired_or_forced() {
    let rules = |config: GenesisConfig| *Ledger::genesis(config).rules();
    for generation in Generation::ALL {
        let rules = rules(GenesisConfig::of(generation));
        assert!(rules.enabled(Amendment::Checks) && rules.enabled(Amendment::Clawback));
        assert_eq!(rules.enabled(Amendment::FixCleanup3_2_0), generation != Generation::V3_1);
        assert_eq!(rules.enabled(Amendment::DynamicMPT), generation == Generation::V3_3);
        assert!(!rules.enabled(Amendment::BatchV1_1));
    }
    let mut config = GenesisConfig::of(Generation::V3_3);
    config.server.features = vec![Amendment::BatchV1_1];
    let listed = |config: &GenesisConfig| {
        let ledger = Ledger::genesis(config.clone());
        let entry = ledger.validated().state.object(&index::amendments()).unwrap().clone();
        entry.vector256(sf::Amendments).unwrap().len()
    };
    assert!(rules(config.clone()).enabled(Amendment::BatchV1_1));
    assert_eq!(listed(&config), 46, "what is forced is not listed");
    config.amendments = vec![Amendment::Cosign];
    assert!(rules(config.clone()).enabled(Amendment::Cosign));
    assert_eq!(listed(&config), 47);
    config.without = vec![Amendment::TokenEscrow, Amendment::Checks];
    assert!(!rules(config.clone()).enabled(Amendment::TokenEscrow));
    assert!(rules(config).enabled(Amendment::Checks), "what is retired cannot be left out");
    let mut older = GenesisConfig::of(Generation::V3_1);
    older.server.features = vec![Amendment::BatchV1_1];
    assert!(!rules(older).enabled(Amendment::BatchV1_1), "a generation knows nothing of later ones");
}

#[test]
fn a_network_above_1024_must_be_named_and_others_must_not() {
    for (network, named, expected) in [
        (0_u32, None::<u32>, TxResult::tesSUCCESS),
        (0, Some(0), TxResult::telNETWORK_ID_MAKES_TX_NON_CANONICAL),
        (1024, None, TxResult::tesSUCCESS),
        (1024, Some(1024), TxResult::telNETWORK_ID_MAKES_TX_NON_CANONICAL),
        (1025, None, TxResult::telREQUIRES_NETWORK_ID),
        (21_337, Some(21_337), TxResult::tesSUCCESS),
        (21_337, Some(21_338), TxResult::telWRONG_NETWORK),
        (21_337, Some(1), TxResult::telWRONG_NETWORK),
    ] {
        let mut config = GenesisConfig::default();
        config.server.network_id = Some(network);
        let mut ledger = Ledger::genesis(config);
        let mut tx = payment(&ledger, &master(), keys(1).account_id(), 5_000_000);
        if let Some(named) = named {
            tx.set(sf::NetworkID, named);
        }
        assert_eq!(ledger.submit(&signed(tx, &master())).result, expected, "{network} {named:?}");
    }
}

#[test]
fn a_type_that_is_not_switched_on_is_disabled() {
    for generation in [Generation::V3_1, Generation::V3_2] {
        let (mut ledger, people) = funded_as(GenesisConfig::of(generation));
        let permission = Object::new().with(sf::PermissionValue, 1_u32);
        let delegate = draft(&ledger, TransactionType::DelegateSet, &people[0])
            .with(sf::Authorize, people[1].account_id())
            .with(sf::Permissions, Value::Array(vec![(sf::Permission, permission)]));
        assert_eq!(ledger.submit(&signed(delegate, &people[0])).result, TxResult::temDISABLED);
        let batch = draft(&ledger, TransactionType::Batch, &people[0])
            .with(sf::RawTransactions, Value::Array(Vec::new()));
        assert_eq!(ledger.submit(&signed(batch, &people[0])).result, TxResult::temDISABLED);
    }
}

#[test]
fn what_is_within_a_batch_is_looked_for_after_everything_else() {
    for (forced, alone) in [(false, TxResult::temINVALID_FLAG), (true, TxResult::temINVALID_INNER_BATCH)] {
        let mut config = GenesisConfig::of(Generation::V3_3);
        if forced {
            config.server.features = vec![Amendment::BatchV1_1];
        }
        let (ledger, people) = funded_as(config);
        let inner =
            payment(&ledger, &people[0], people[1].account_id(), 1).with(sf::Flags, flags::tfInnerBatchTxn);
        let simulated = |tx: Object| ledger.simulate(&Transaction::from_object(tx).unwrap()).result;
        assert_eq!(simulated(inner.clone()), alone);
        let both = inner
            .with(sf::Sequence, 0_u32)
            .with(sf::TicketSequence, 1_u32)
            .with(sf::AccountTxnID, Hash256::ZERO);
        assert_eq!(simulated(both), TxResult::temINVALID, "a Ticket and AccountTxnID are found first");
    }
}

#[test]
fn a_cancelled_token_escrow_makes_its_owners_line_anew_since_3_2() {
    for (generation, expected, left) in [
        (Generation::V3_1, None, None),
        (Generation::V3_2, Some(TxResult::tesSUCCESS), Some("100".to_owned())),
        (Generation::V3_3, Some(TxResult::tesSUCCESS), Some("100".to_owned())),
    ] {
        let (mut ledger, people) = funded_as(GenesisConfig::of(generation));
        let [issuer, owner, receiver] = &people[..3] else { panic!("three people") };
        set(&mut ledger, issuer, flags::asfDefaultRipple);
        set(&mut ledger, issuer, flags::asfAllowTrustLineLocking);
        issue(&mut ledger, issuer, &[(owner, "1000", "100"), (receiver, "1000", "0")]);
        let now = ledger.validated().header.close_time.0;
        let create = draft(&ledger, TransactionType::EscrowCreate, owner)
            .with(sf::Destination, receiver.account_id())
            .with(sf::Amount, issued("100", issuer))
            .with(sf::FinishAfter, now + 5)
            .with(sf::CancelAfter, now + 10);
        let number = create.u32(sf::Sequence).unwrap();
        assert_eq!(settle(&mut ledger, create, owner), Some(TxResult::tesSUCCESS));
        let away = draft(&ledger, TransactionType::TrustSet, owner)
            .with(sf::LimitAmount, issued("0", issuer))
            .with(sf::Flags, flags::tfSetNoRipple);
        assert_eq!(settle(&mut ledger, away, owner), Some(TxResult::tesSUCCESS));
        assert_eq!(holding(&ledger, owner, issuer), None, "the line is gone");
        ledger.close(CloseTime::At(RippleTime(now + 20)));
        let cancel = draft(&ledger, TransactionType::EscrowCancel, owner)
            .with(sf::Owner, owner.account_id())
            .with(sf::OfferSequence, number);
        let provisional = ledger.clone().submit(&signed(cancel.clone(), owner)).result;
        assert_eq!(provisional, expected.unwrap_or(TxResult::tefEXCEPTION), "{generation}");
        assert_eq!(settle(&mut ledger, cancel, owner), expected, "{generation}");
        assert_eq!(holding(&ledger, owner, issuer), left, "{generation}");
    }
}

#[test]
fn a_transfer_fee_is_rounded_as_the_server_rounds_it() {
    for (rate, held, amount, left) in [
        (1_002_000_000_u32, "8", "7.866010342755958", "0.118257636558529"),
        (1_002_000_000, "8", "7", "0.986"),
        (1_000_000_001, "8", "0.00001", "7.99998999999999"),
    ] {
        let (mut ledger, people) = funded();
        let [issuer, sender, receiver] = &people[..3] else { panic!("three people") };
        set(&mut ledger, issuer, flags::asfDefaultRipple);
        let fee = draft(&ledger, TransactionType::AccountSet, issuer).with(sf::TransferRate, rate);
        assert_eq!(settle(&mut ledger, fee, issuer), Some(TxResult::tesSUCCESS));
        issue(&mut ledger, issuer, &[(sender, "1000", held), (receiver, "1000", "0")]);
        let tx = draft(&ledger, TransactionType::Payment, sender)
            .with(sf::Destination, receiver.account_id())
            .with(sf::Amount, issued(amount, issuer))
            .with(sf::SendMax, issued("50", issuer));
        assert_eq!(settle(&mut ledger, tx, sender), Some(TxResult::tesSUCCESS));
        assert_eq!(holding(&ledger, sender, issuer).as_deref(), Some(left));
        assert_eq!(holding(&ledger, receiver, issuer).as_deref(), Some(amount));
    }
}

#[test]
fn of_many_held_transactions_the_eleventh_comes_a_ledger_later() {
    let (mut ledger, people) = funded();
    let (from, to) = (&people[0], people[1].account_id());
    let create = draft(&ledger, TransactionType::TicketCreate, from).with(sf::TicketCount, 12_u32);
    let first = create.u32(sf::Sequence).unwrap() + 1;
    for place in 0..12 {
        let tx =
            payment(&ledger, from, to, 1).with(sf::Sequence, 0_u32).with(sf::TicketSequence, first + place);
        assert_eq!(ledger.submit(&signed(tx, from)).result, TxResult::terPRE_TICKET);
    }
    assert_eq!(ledger.submit(&signed(create, from)).result, TxResult::tesSUCCESS);
    let tickets = |closed: &ClosedLedger| {
        let of = |tx: &Arc<ClosedTx>| tx.tx().object().u32(sf::TicketSequence);
        let mut tickets: Vec<u32> = closed.transactions.iter().filter_map(of).collect();
        tickets.sort_unstable();
        tickets.iter().map(|ticket| ticket - first + 1).collect::<Vec<_>>()
    };
    assert_eq!(tickets(&ledger.close(CloseTime::Next)), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12]);
    assert_eq!(tickets(&ledger.close(CloseTime::Next)), [11]);
}

#[test]
fn an_account_made_by_clearing_the_queue_begins_a_ledger_ahead_until_the_close() {
    let (mut ledger, people) = funded();
    ledger.set_queue(QueueSetup { minimum_txn_in_ledger: 2, ..QueueSetup::default() });
    for person in &people[..3] {
        assert_eq!(pay(&mut ledger, person, people[5].account_id(), 1), TxResult::tesSUCCESS);
    }
    let (from, made) = (&people[3], keys(9).account_id());
    let cheap = payment(&ledger, from, made, 5_000_000).with(sf::Fee, drops(10));
    let next = cheap.u32(sf::Sequence).unwrap() + 1;
    assert_eq!(ledger.submit(&signed(cheap, from)).result, TxResult::terQUEUED);
    let dear = payment(&ledger, from, people[5].account_id(), 1)
        .with(sf::Sequence, next)
        .with(sf::Fee, drops(100_000));
    assert_eq!(ledger.submit(&signed(dear, from)).result, TxResult::tesSUCCESS);
    let index = ledger.open().index();
    assert_eq!(sequence(&ledger, &made), index + 1);
    let closed = ledger.close(CloseTime::Next);
    let root = closed.state.object(&index::account_root(&made)).unwrap();
    assert_eq!((closed.header.index, root.u32(sf::Sequence)), (index, Some(index)));
}
