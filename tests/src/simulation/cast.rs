//! Who takes part: the treasury as it is declared, its people, and the ledger on which they begin.

use std::collections::{BTreeMap, BTreeSet};

use treasury_core::Treasury;
use treasury_core::config::{
    AccountConfig, Alarms, ClockBounds, DeclaredSettings, DeclaredSigners, FeeConfig, Keeps, Person, Role,
    Signing, TicketConfig, Tier, TierLink, Timing,
};
use treasury_core::intent::{Asker, IntentKind};
use treasury_core::policy::{Action, Approvers, Per, Policy, Risk, Rolling, Rule, Unusual, Velocity};
use treasury_core::units::{AccountId, Asset, Drops, Weight};
use treasuryd::signer::{RELEASE_KEY_BYTES, Signer};
use xrpl_harness::embedded::{CloseTime, GenesisConfig, Ledger};
use xrpl_wire::typed::{self, SignerEntry, SignerListSet, TxBody, TxCommon};
use xrpl_wire::{KeyPair, KeyType, Seed, SeqProxy, Transaction, sign};

/// The four people. Carol's key and her access to the daemon are stolen: what she does is the attacker's.
pub const PEOPLE: [&str; 4] = ["alice", "bob", "carol", "dave"];

/// Whose key and access the attacker has.
pub const STOLEN: &str = "carol";

/// Signers whose keys the daemon holds.
pub const AGENTS: [&str; 2] = ["agent-1", "agent-2"];

/// People who may stop things.
pub const GUARDS: [&str; 2] = ["alice", "dave"];

/// Accounts that people may ask to pay.
pub const PAYERS: [&str; 4] = ["cold", "warm", "hot", "reserve"];

/// The account out of which moves go through an escrow.
pub const DELAYED_SOURCE: &str = "reserve";

/// Who is paid.
pub const PAYEES: [&str; 3] = ["exchange", "supplier", "shop"];

/// Who issues euros; and who of the treasury has some of them that people pay out by hand.
pub const ISSUER: &str = "issuer";
pub const DESK: &str = "desk";

/// Drops in an XRP.
pub const XRP: u64 = 1_000_000;

/// The largest payment that the agents sign by themselves, in XRP.
pub const SMALL_XRP: u64 = 100;

/// The largest payment that goes at once when two people have signed, in XRP.
pub const MIDDLING_XRP: u64 = 1_000;

/// The largest payment at all, in XRP. What is above the middling goes through an escrow.
pub const LARGE_XRP: u64 = 5_000;

/// What small payments may take out of an account within [`ROLLING_SECONDS`], in XRP.
pub const ROLLING_XRP: u64 = 400;

/// The period of the small payments' limit, in seconds of ledger time.
pub const ROLLING_SECONDS: u32 = 3_600;

/// From the deadline of a large payment to its FinishAfter, in seconds.
pub const DELAY_SECONDS: u32 = 1_200;

/// From FinishAfter to CancelAfter, in seconds.
pub const WINDOW_SECONDS: u32 = 1_200;

/// The longest deadline that people ask for, in seconds.
pub const DEADLINE_MAX_SECONDS: u32 = 1_200;

/// The daemon's patience with a network that says nothing, in seconds.
pub const SILENCE_MAX_SECONDS: u32 = 20;

/// How far the network's clock may be from true time, in seconds: ledgers round their close times to ten.
pub const CLOCK_SECONDS: u32 = 10;

/// So many drops.
///
/// # Panics
/// Above all XRP there is.
#[must_use]
pub fn drops(amount: u64) -> Drops {
    Drops::new(amount).expect("less than all XRP")
}

/// So many XRP.
///
/// # Panics
/// Above all XRP there is.
#[must_use]
pub fn xrp(amount: u64) -> Drops {
    drops(amount * XRP)
}

/// Everybody's keys, made once: deriving them is slow.
pub struct Cast {
    keys: BTreeMap<String, KeyPair>,
    names: BTreeMap<AccountId, String>,
}

fn seed(name: &str) -> Seed {
    let mut entropy = [7_u8; 16];
    for (slot, byte) in entropy.iter_mut().zip(name.bytes()) {
        *slot = byte;
    }
    Seed::from_entropy(entropy, KeyType::Ed25519)
}

impl Default for Cast {
    fn default() -> Self {
        let spare = ["alice-2", "agent-1-2", "stranger", "runner", ISSUER, DESK];
        let all = PEOPLE.iter().chain(&AGENTS).chain(&PAYERS).chain(&PAYEES).chain(&spare);
        let keys: BTreeMap<String, KeyPair> =
            all.map(|name| ((*name).to_owned(), KeyPair::from_seed(&seed(name)))).collect();
        let names = keys.iter().map(|(name, key)| (key.account_id(), name.clone())).collect();
        Self { keys, names }
    }
}

impl Cast {
    /// Somebody's master key.
    ///
    /// # Panics
    /// For a name that is not in the cast.
    #[must_use]
    pub fn key(&self, name: &str) -> &KeyPair {
        &self.keys[name]
    }

    /// The account of somebody's master key.
    ///
    /// # Panics
    /// For a name that is not in the cast.
    #[must_use]
    pub fn id(&self, name: &str) -> AccountId {
        self.key(name).account_id()
    }

    /// The name of an account, `?` for others.
    #[must_use]
    pub fn name(&self, account: &AccountId) -> &str {
        self.names.get(account).map_or("?", String::as_str)
    }

    /// What the daemon signs with: agents, runner, and a release key that is the same in every run.
    #[must_use]
    pub fn signer(&self) -> Signer {
        let seeds: Vec<Seed> = AGENTS.iter().chain(&["runner"]).map(|name| seed(name)).collect();
        Signer::with_keys(&seeds, [9; RELEASE_KEY_BYTES].into())
    }

    /// A transaction signed with one key.
    ///
    /// # Panics
    /// Where it cannot be built: a defect of the simulator.
    #[must_use]
    pub fn signed(&self, by: &str, account: AccountId, seq: SeqProxy, body: &TxBody) -> Transaction {
        sign::sign_single(&self.built(account, seq, 12, body), self.key(by))
            .expect("a transaction that can be signed")
    }

    /// The same with flags.
    ///
    /// # Panics
    /// Where it cannot be built: a defect of the simulator.
    #[must_use]
    pub fn flagged(&self, by: &str, seq: SeqProxy, body: &TxBody, flags: u32) -> Transaction {
        let common = TxCommon { flags, ..common(self.id(by), seq, 12) };
        let tx = typed::build(&common, body).expect("a transaction that can be written");
        sign::sign_single(&tx, self.key(by)).expect("a transaction that can be signed")
    }

    /// A transaction that several sign.
    ///
    /// # Panics
    /// Where it cannot be built: a defect of the simulator.
    #[must_use]
    pub fn unsigned(&self, account: AccountId, seq: SeqProxy, body: &TxBody) -> Transaction {
        self.built(account, seq, 5_000, body)
    }

    fn built(&self, account: AccountId, seq: SeqProxy, fee: u64, body: &TxBody) -> Transaction {
        let common = common(account, seq, fee);
        typed::build(&common, body).expect("a transaction that can be written")
    }

    /// The SignerList that an account is declared to have.
    #[must_use]
    pub fn declared(&self, account: &str) -> DeclaredSigners {
        let agents: &[&str] = if account == "cold" { &[] } else { &AGENTS };
        let weight = |name: &str| if account == "cold" && name == "alice" { 2 } else { 1 };
        DeclaredSigners {
            quorum: Weight(if account == "cold" { 3 } else { 2 }),
            entries: PEOPLE.iter().chain(agents).map(|name| (self.id(name), weight(name))).collect(),
        }
    }

    /// The transaction body that declares it to the ledger.
    #[must_use]
    pub fn signer_list_set(&self, account: &str) -> TxBody {
        let declared = self.declared(account);
        let entry =
            |(account, weight): (&AccountId, &u16)| SignerEntry { account: *account, weight: *weight };
        TxBody::SignerListSet(SignerListSet {
            quorum: declared.quorum.0,
            entries: declared.entries.iter().map(entry).collect(),
        })
    }

    /// The ledger on which all begins: everybody funded who is not meant to be a phantom signer, and the
    /// SignerLists as declared.
    ///
    /// # Panics
    /// Where the ledger refuses: a defect of the simulator.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        let mut genesis = GenesisConfig::default();
        genesis.server.without_ledger_hashes = true;
        let mut ledger = Ledger::genesis(genesis);
        let funds = [
            ("cold", 10_000_000),
            ("warm", 200_000),
            ("hot", 2_000),
            ("reserve", 12_000),
            ("runner", 5_000),
            ("alice", 1_000),
            ("carol", 1_000),
            ("agent-1", 1_000),
            ("exchange", 1_000),
            ("supplier", 1_000),
            ("shop", 1_000),
            ("stranger", 1_000_000),
            (ISSUER, 10_000),
            (DESK, 1_000),
        ];
        for (name, amount) in funds {
            ledger.set_balance(&self.id(name), xrp(amount)).expect("enough XRP");
        }
        let closed = ledger.close(CloseTime::Next);
        for account in PAYERS {
            let sequence = sequence_of(&closed.state, &self.id(account)).expect("a funded account");
            let body = self.signer_list_set(account);
            let tx = self.signed(account, self.id(account), SeqProxy::Sequence(sequence), &body);
            assert!(ledger.submit(&tx.encode()).result.is_tes());
        }
        // Cold has no agents: its people set Tickets aside by hand.
        let sequence = sequence_of(ledger.open().state(), &self.id("cold")).expect("a funded account");
        let tickets = TxBody::TicketCreate(typed::TicketCreate { count: 40 });
        let tx = self.signed("cold", self.id("cold"), SeqProxy::Sequence(sequence), &tickets);
        assert!(ledger.submit(&tx.encode()).result.is_tes());
        ledger.close(CloseTime::Next);
        self.issue(&mut ledger);
        ledger
    }

    /// The treasury as it is declared.
    #[must_use]
    pub fn treasury(&self) -> Treasury {
        let account = |name: &str, tier| {
            let signers = (tier != Tier::Runner).then(|| self.declared(name));
            let signing = if tier == Tier::Runner { Signing::Single } else { Signing::Multi };
            // The runner's are nobody's concern; of the others nothing else is to be set.
            let settings = match tier {
                Tier::Runner => DeclaredSettings::default(),
                _ => DeclaredSettings {
                    domain: Some(String::new()),
                    transfer_rate: Some(0),
                    flags: Some(0),
                    trust_lines: Some(self.declared_lines(name)),
                },
            };
            (self.id(name), AccountConfig { name: name.to_owned(), tier, signing, signers, settings })
        };
        let person = |name: &str, roles: &[Role]| {
            let roles = roles.iter().copied().collect();
            (
                name.to_owned(),
                Person { name: name.to_owned(), signer: Some(self.id(name)), roles, drill_seconds: None },
            )
        };
        Treasury {
            network_id: None,
            accounts: BTreeMap::from([
                account("cold", Tier::Cold),
                account("warm", Tier::Warm),
                account("hot", Tier::Hot),
                account("reserve", Tier::Warm),
                account("runner", Tier::Runner),
                // Nobody asks it for anything: it has euros, and people with its key pay them by hand.
                (
                    self.id(DESK),
                    AccountConfig {
                        name: DESK.to_owned(),
                        tier: Tier::Hot,
                        signing: Signing::Single,
                        signers: None,
                        settings: DeclaredSettings::default(),
                    },
                ),
            ]),
            people: BTreeMap::from([
                person("alice", &[Role::Proposer, Role::Approver, Role::Security]),
                person("bob", &[Role::Proposer, Role::Approver]),
                person("carol", &[Role::Approver]),
                person("dave", &[Role::Approver, Role::Security, Role::Admin]),
            ]),
            agents: AGENTS.iter().map(|name| self.id(name)).collect(),
            runner: Some(self.id("runner")),
            destinations: PAYEES.iter().map(|name| (self.id(name), (*name).to_owned())).collect(),
            policy: self.policy(),
            links: vec![
                self.link("cold to warm", ["cold", "warm"], [150_000, 200_000, 20_000, 40_000, 1_000]),
                self.link("cold to reserve", ["cold", "reserve"], [9_000, 12_000, 4_000, 8_000, 1_000]),
                self.link("warm to hot", ["warm", "hot"], [1_000, 2_000, 700, 2_000, 1_000]),
                // It has a higher floor than the link before, so money may be on its way on both.
                self.link("reserve to hot", ["reserve", "hot"], [1_400, 1_800, 500, 2_000, 8_000]),
                // What payers bring to hot goes on.
                TierLink {
                    keeps: Keeps::Swept { ceiling: xrp(2_100).into(), target: xrp(1_800).into() },
                    move_min: xrp(50).into(),
                    ..self.link("hot to warm", ["hot", "warm"], [0, 0, 900, 4_000, 500])
                },
                self.euro_link(),
                self.warm_euro_link(),
            ],
            schedules: self.schedules(),
            fees: FeeConfig::default(),
            tickets: TicketConfig { low_water: 4, target: 10 },
            timing: Timing {
                deadline_seconds: 900,
                deadline_max_seconds: 7_200,
                delayed_deadline_max_seconds: DEADLINE_MAX_SECONDS,
                close_interval_seconds: 5,
                agent_ledgers: 20,
                silence_max_seconds: SILENCE_MAX_SECONDS,
                ledger_age_max_seconds: Some(60),
                retry_seconds: 60,
                breaker_failures: 5,
            },
            severities: BTreeMap::new(),
            // Lives are short: what lasts for some ledgers is long.
            alarms: Alarms {
                clock: ClockBounds { lasting_seconds: 10, ..Alarms::default().clock },
                blind_seconds: 30,
                ..Alarms::default()
            },
            outlook: self.outlook(),
            key_labels: Default::default(),
            screening: false,
            newcomers: Default::default(),
            new_escrows: Default::default(),
        }
    }

    /// A link with its floor, its target, the most of one move and of a period, and the floor of its source.
    fn link(&self, name: &str, ends: [&str; 2], limits: [u64; 5]) -> TierLink {
        let [from, to] = ends.map(|name| self.id(name));
        let [floor, target, move_max, period_max, source_floor] = limits.map(|whole| xrp(whole).into());
        TierLink {
            name: name.to_owned(),
            from,
            to,
            asset: Asset::Xrp,
            keeps: Keeps::Filled { floor, target },
            source_floor,
            move_min: Asset::Xrp.nothing(),
            move_max,
            period_max,
            period_seconds: ROLLING_SECONDS,
            limits: Vec::new(),
            hours: None,
        }
    }

    fn policy(&self) -> Policy {
        let two = || Approvers {
            weight: Weight(2),
            roles: BTreeSet::from([Role::Approver]),
            exclude_asker: false,
            ..Default::default()
        };
        let rule = |name: &str, above: u64, most: u64, action| Rule {
            kinds: Some(vec![IntentKind::Pay]),
            amount_above: (above > 0).then(|| xrp(above).into()),
            amount_max: Some(xrp(most).into()),
            ..Rule::new(name, action)
        };
        let moves = |name: &str, from: &str, action| Rule {
            kinds: Some(vec![IntentKind::Move]),
            askers: Some(vec![Asker::Daemon]),
            accounts: Some(vec![self.id(from)]),
            ..rule(name, 0, 1_000_000, action)
        };
        let limit = Some(xrp(ROLLING_XRP).into());
        let rolling = |amount_above, amount_max| {
            Some(Rolling { period_seconds: ROLLING_SECONDS, per: Per::Account, amount_above, amount_max })
        };
        let small = Rule {
            accounts: Some(["warm", "hot", "reserve"].map(|name| self.id(name)).to_vec()),
            rolling: rolling(None, limit),
            ..rule("small", 0, SMALL_XRP, Action::Allow)
        };
        let busy =
            Rule { rolling: rolling(limit, None), ..rule("busy", 0, SMALL_XRP, Action::Approve(two())) };
        let cold = Rule {
            accounts: Some(vec![self.id("cold")]),
            ..rule("small from cold", 0, SMALL_XRP, Action::Approve(two()))
        };
        let delay =
            Action::Delay { delay_seconds: DELAY_SECONDS, window_seconds: WINDOW_SECONDS, approvers: two() };
        let euros = self.euro_rules(&Action::Approve(two()), &delay);
        let xrp = vec![
            moves("cold moves", "cold", Action::Approve(two())),
            moves("warm moves", "warm", Action::Allow),
            moves("hot moves", "hot", Action::Allow),
            moves("reserve moves", DELAYED_SOURCE, delay.clone()),
            small,
            busy,
            cold,
            Rule { void: true, ..rule("middling", SMALL_XRP, MIDDLING_XRP, Action::Approve(two())) },
            Rule { void: true, ..rule("large", MIDDLING_XRP, LARGE_XRP, delay) },
        ];
        Policy::new(xrp.into_iter().chain(euros).collect()).with_risk(Risk {
            // Few payments are made in a life, so little is unusual.
            unusual_amount: Some(Unusual { weight: 0, times: 1, payments: 3 }),
            velocity: Some(Velocity { weight: 0, period_seconds: ROLLING_SECONDS, above: 2 }),
            ..Risk::default()
        })
    }
}

fn common(account: AccountId, seq: SeqProxy, fee: u64) -> TxCommon {
    TxCommon::new(account, seq, drops(fee))
}

/// An account's next Sequence, as a state has it.
#[must_use]
pub fn sequence_of(state: &xrpl_harness::embedded::StateMap, account: &AccountId) -> Option<u32> {
    state.object(&xrpl_wire::index::account_root(account))?.u32(xrpl_wire::sf::Sequence)
}
