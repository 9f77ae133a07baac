//! Goal: kill -9 at any moment of busy traffic loses nothing that was acknowledged and pays nothing twice.
//! Danger: a moment between two steps that no story thought of.
//! Method: people ask for payments, each of an amount of its own, and sign them, while the daemon is killed after a
//! random time of it, again and again: `KILLS` times, by default a few. A request that the kill cuts off is sent again
//! with its idempotency key. At the end every payment that was asked for must be on the ledger exactly once, or be
//! said to have expired and not be there; and nothing else may be there. `KILLS_SEED` replays the times.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use treasuryd::dev::seen::{self, Books};
use treasuryd::dev::{DevError, Person, Sandbox};
use treasuryd::http::api::{ProposalView, ProposeRequest};
use xrpl_harness::Network;
use xrpl_wire::{Amount, Drops, TransactionType, TxResult, sf};

use crate::scene::Scene;

/// Kills where nobody says how many.
const KILLS: u32 = 6;

/// The longest that the daemon is left in peace, in milliseconds.
const PEACE_MS: u64 = 60;

/// Payments under way at once: enough that every step of one is under way in every moment.
const AT_ONCE: usize = 4;

/// A payment that somebody wants.
struct Wanted {
    from: &'static str,
    amount: Drops,
    /// Once the daemon has acknowledged it.
    id: Option<String>,
    /// Who has signed, as far as the daemon has acknowledged it.
    signed: Vec<&'static str>,
    /// Its last status, once it has ended.
    ended: Option<String>,
}

struct Traffic<'a> {
    sandbox: &'a Sandbox,
    wanted: Vec<Wanted>,
    asking: bool,
    acknowledged: u32,
}

impl<'a> Traffic<'a> {
    fn person(&self, name: &str) -> &'a Person {
        self.sandbox.people().get(name).unwrap()
    }

    /// Goes on with what is under way, and begins anew; ends only by being dropped or when all has ended.
    async fn run(&mut self) -> Result<(), DevError> {
        loop {
            let open: Vec<usize> =
                (0..self.wanted.len()).filter(|nth| self.wanted[*nth].ended.is_none()).collect();
            if self.asking && open.len() < AT_ONCE {
                self.ask_for_more();
                continue;
            }
            if open.is_empty() {
                return Ok(());
            }
            for nth in open {
                self.go_on_with(nth).await?;
            }
            self.sandbox.world().close_ledger().await?;
        }
    }

    /// Every other one is paid by the hot account without people, the rest by the warm one with two signatures.
    fn ask_for_more(&mut self) {
        let number = self.wanted.len() as u64;
        let from = if number.is_multiple_of(2) { "hot" } else { "warm" };
        let amount = Drops::new(100_000 + number).unwrap();
        self.wanted.push(Wanted { from, amount, id: None, signed: Vec::new(), ended: None });
    }

    async fn go_on_with(&mut self, nth: usize) -> Result<(), DevError> {
        let alice = self.person("alice");
        let wanted = &self.wanted[nth];
        let Some(id) = wanted.id.clone() else {
            let request = ProposeRequest {
                account: wanted.from.to_owned(),
                destination: "supplier".to_owned(),
                amount: xrpl_wire::Amount::Xrp(wanted.amount).into(),
                note: "storm".to_owned(),
                idempotency_key: Some(format!("storm {nth}")),
                ..ProposeRequest::default()
            };
            let proposed = alice.client().propose(&request).await?;
            self.acknowledged += 1;
            self.wanted[nth].id = Some(proposed.proposal);
            return Ok(());
        };
        let view = alice.client().proposal(&id).await?;
        self.nothing_is_forgotten(nth, &view);
        if view.ended {
            self.wanted[nth].ended = Some(view.status);
            return Ok(());
        }
        if self.wanted[nth].from == "hot" || view.rungs.is_empty() {
            return Ok(());
        }
        for name in ["alice", "bob"] {
            if !self.wanted[nth].signed.contains(&name) {
                match self.person(name).approve(&id).await {
                    Ok(_) => {
                        self.acknowledged += 1;
                        self.wanted[nth].signed.push(name);
                    }
                    // The approval before it may have sent it on, before a kill cut the answer off.
                    Err(DevError::Client(error)) if error.code() == Some("NOT_COLLECTING") => return Ok(()),
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// What was acknowledged is there after every kill.
    fn nothing_is_forgotten(&self, nth: usize, view: &ProposalView) {
        let wanted = &self.wanted[nth];
        assert_eq!(view.note, "storm", "{}", view.id);
        for name in &wanted.signed {
            let there = view.approvals.iter().any(|approval| approval.person.as_deref() == Some(*name));
            assert!(there, "{name}'s approval of {} was acknowledged and is gone: {view:?}", view.id);
        }
    }
}

fn number(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")),
        Err(_) => default,
    }
}

pub(crate) async fn kills_in_traffic_lose_nothing_and_repeat_nothing() {
    let kills = number("KILLS", KILLS.into());
    let seed = number("KILLS_SEED", 1);
    let mut random = StdRng::seed_from_u64(seed);
    let scene = Scene::start().await;
    let sandbox = &scene.sandbox;
    let world = sandbox.world();
    let mut stage = scene.stage().await;
    let books = Books::open(world).await.unwrap();
    let mut traffic = Traffic { sandbox, wanted: Vec::new(), asking: true, acknowledged: 0 };
    let began = Instant::now();
    let mut cut_off = 0;
    for _ in 0..kills {
        let peace = Duration::from_millis(random.random_range(0..PEACE_MS));
        match tokio::time::timeout(peace, traffic.run()).await {
            // In the middle of whatever request was under way.
            Err(_) => cut_off += 1,
            Ok(Err(error)) => panic!("before any kill: {error}"),
            Ok(Ok(())) => panic!("traffic ends only when nobody asks any more"),
        }
        stage.kill().await.unwrap();
        // Somebody else's time goes on without the daemon, too.
        if random.random_bool(0.3) {
            world.close_ledger().await.unwrap();
        }
        stage.restart().await.unwrap();
    }
    traffic.asking = false;
    sandbox.let_pass(1).await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(120);
    tokio::time::timeout_at(deadline.into(), traffic.run())
        .await
        .expect("all that was asked for ends")
        .unwrap();
    sandbox.let_pass(3).await.unwrap();

    // The ledger's own word: every payment to the supplier, by amount.
    let supplier = sandbox.account("supplier").unwrap();
    let mut paid: BTreeMap<Drops, u32> = BTreeMap::new();
    for name in ["hot", "warm"] {
        let sent = seen::sent_by(world, &sandbox.account(name).unwrap(), books.since()).await.unwrap();
        for seen in sent.iter().filter(|seen| seen.tx.tx_type() == TransactionType::Payment) {
            if seen.tx.object().account(sf::Destination) == Some(supplier) {
                assert_eq!(seen.result, TxResult::tesSUCCESS, "{}", seen.words());
                let Some(Amount::Xrp(amount)) = seen.tx.object().amount(sf::Amount) else {
                    panic!("not XRP")
                };
                *paid.entry(amount).or_default() += 1;
            }
        }
    }
    let mut ends: BTreeMap<&str, u32> = BTreeMap::new();
    for wanted in &traffic.wanted {
        let end = wanted.ended.as_deref().expect("it has ended");
        *ends.entry(end).or_default() += 1;
        let expected = match end {
            "validated" => 1,
            // Signed by the daemon alone, and killed for longer than its LastLedgerSequence.
            "expired" => 0,
            other => panic!("{:?} of {} is {other}", wanted.id, wanted.amount),
        };
        assert_eq!(paid.remove(&wanted.amount).unwrap_or_default(), expected, "{:?} is {end}", wanted.id);
    }
    assert!(paid.is_empty(), "paid, and asked for by nobody: {paid:?}");
    assert!(ends.get("validated").is_some_and(|count| *count > 0), "{ends:?}");
    println!(
        "{kills} kills in {:.0} s (seed {seed}): {} payments asked for, {} acknowledgements, {cut_off} requests cut off; \
         ends: {ends:?}; every acknowledged fact was there, every payment on the ledger once",
        began.elapsed().as_secs_f64(),
        traffic.wanted.len(),
        traffic.acknowledged,
    );
}
