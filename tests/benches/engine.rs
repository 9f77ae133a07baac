//! Steps per second of the engine with a durable store: each one stepped, checked, appended, synced and
//! answered before the next (one at a time), and with 64 people asking at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use treasury_core::command::{Actor, Command, Propose};
use treasury_core::config::{AccountConfig, FeeConfig, Person, Role, Signing, TicketConfig, Tier, Timing};
use treasury_core::observe::{AccountSnapshot, LedgerPoint};
use treasury_core::policy::Policy;
use treasury_core::units::{AccountId, Drops, Hash256, LedgerIndex, RippleTime};
use treasury_core::{Answer, Input, Treasury};
use treasuryd::engine::{Engine, EngineHandle};
use treasuryd::metrics::Metrics;
use treasuryd::store::DiskStore;

const WARM: AccountId = AccountId([1; 20]);

fn treasury() -> Treasury {
    let warm = AccountConfig {
        name: "warm".into(),
        tier: Tier::Warm,
        signing: Signing::Multi,
        signers: None,
        settings: Default::default(),
    };
    let alice = Person {
        name: "alice".into(),
        signer: None,
        roles: BTreeSet::from([Role::Proposer]),
        drill_seconds: None,
    };
    Treasury {
        network_id: None,
        accounts: BTreeMap::from([(WARM, warm)]),
        people: BTreeMap::from([("alice".into(), alice)]),
        agents: BTreeSet::new(),
        runner: None,
        destinations: BTreeMap::new(),
        policy: Policy::new(Vec::new()),
        links: Vec::new(),
        schedules: Vec::new(),
        fees: FeeConfig::default(),
        tickets: TicketConfig { low_water: 0, target: 0 },
        timing: Timing::default(),
        severities: BTreeMap::new(),
        alarms: Default::default(),
        outlook: Default::default(),
        key_labels: Default::default(),
        screening: false,
        newcomers: Default::default(),
        new_escrows: Default::default(),
    }
}

async fn propose(engine: &EngineHandle) {
    let propose = Propose {
        account: WARM,
        destination: AccountId([2; 20]),
        destination_tag: None,
        amount: Drops::new(1_000_000).unwrap().into(),
        note: String::new(),
        deadline_seconds: None,
        idempotency_key: None,
        inquiry: Default::default(),
    };
    let actor = Actor { person: "alice".into(), origin: treasury_core::intent::Origin::Http };
    let answer = engine.command(actor, Command::Propose(propose)).await.unwrap();
    assert!(matches!(answer, Ok(Answer::Proposed { .. })));
}

fn engine(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let store = Box::new(DiskStore::open(dir.path()).unwrap());
    let metrics = Arc::new(Metrics::new().unwrap());
    let mut engine = Engine::start(treasury(), store, metrics, Box::new(|_| {})).unwrap();
    let handle = engine.handle.clone();
    runtime.spawn(async move { while engine.effects.recv().await.is_some() {} });
    let at = LedgerPoint { index: LedgerIndex(1), hash: Hash256::ZERO, close_time: RippleTime(1) };
    let warm = AccountSnapshot {
        account: WARM,
        root: None,
        signer_list: None,
        tickets: BTreeSet::new(),
        escrows: Vec::new(),
        trust_lines: None,
        settings: None,
    };
    runtime
        .block_on(handle.input(Input::Reconciled {
            at,
            accounts: vec![warm],
            from: String::new(),
            wall_ms: 1,
        }))
        .unwrap();

    let mut group = c.benchmark_group("engine with a durable store");
    group.sample_size(20);
    group.throughput(Throughput::Elements(1));
    group.bench_function("one at a time", |b| b.iter(|| runtime.block_on(propose(&handle))));
    group.throughput(Throughput::Elements(64));
    group.bench_function("64 at once", |b| {
        b.iter(|| {
            runtime.block_on(async {
                let all: Vec<_> = (0..64)
                    .map(|_| {
                        let handle = handle.clone();
                        tokio::spawn(async move { propose(&handle).await })
                    })
                    .collect();
                for one in all {
                    one.await.unwrap();
                }
            });
        });
    });
    group.finish();
}

criterion_group!(benches, engine);
criterion_main!(benches);
