//! Who there is in the month, with keys that follow from the seed, and the configuration that the daemon runs from.

use std::fmt::Write as _;
use std::net::SocketAddr;

use sha2::{Digest, Sha256};
use xrpl_wire::typed::{SignerEntry, SignerListSet};
use xrpl_wire::{AccountId, KeyPair, KeyType, Seed, TxBody, sha512_half};

/// Who is paid every day.
pub const VENDORS: usize = 24;

/// Who is paid large amounts.
pub const SUPPLIERS: usize = 4;

/// Who gets a salary.
pub const EMPLOYEES: usize = 8;

/// What each of them gets, in XRP.
pub const SALARY_XRP: u64 = 400;

/// People with keys, all of whom are signers of all accounts.
pub const SIGNERS: [&str; 4] = ["alice", "bob", "carol", "dave"];

/// Everybody with a token: the signers, who lifts freezes, and the program that asks for what is routine.
pub const PEOPLE: [&str; 6] = ["alice", "bob", "carol", "dave", "erin", "erp"];

/// Accounts of the treasury that several sign for.
pub const SIGNED: [&str; 3] = ["cold", "warm", "hot"];

/// The largest payment that is routine, in XRP.
pub const ROUTINE_XRP: u64 = 100;

/// What routine payments may take out of hot within a day, in XRP.
pub const ROUTINE_DAY_XRP: u64 = 40_000;

/// What agents sign of one of the people within a day, in XRP.
pub const PERSON_DAY_XRP: u64 = 500;

/// Keys by name.
#[derive(Clone)]
pub struct Cast {
    seed: u64,
    /// How often the keys of hot's agents were replaced.
    pub generation: u32,
    /// Whether bob signs with the key that he has had since his old one was lost.
    pub bob_is_rotated: bool,
}

/// Somebody's secret, and the key that it makes.
pub struct Key {
    /// The secret.
    pub seed: Seed,
    /// The key.
    pub pair: KeyPair,
}

impl Cast {
    /// Everybody, with keys that follow from the seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, generation: 0, bob_is_rotated: false }
    }

    /// Somebody's master key.
    #[must_use]
    pub fn key(&self, name: &str) -> Key {
        let digest = sha512_half(&[b"the month", &self.seed.to_be_bytes(), name.as_bytes()]).0;
        let mut entropy = [0; 16];
        entropy.copy_from_slice(&digest[..16]);
        let seed = Seed::from_entropy(entropy, KeyType::Ed25519);
        Key { pair: KeyPair::from_seed(&seed), seed }
    }

    /// The account of somebody's master key.
    #[must_use]
    pub fn id(&self, name: &str) -> AccountId {
        self.key(name).pair.account_id()
    }

    /// The key that somebody signs with.
    #[must_use]
    pub fn signing(&self, name: &str) -> KeyPair {
        if name == "bob" && self.bob_is_rotated {
            self.key("bob's other key").pair
        } else {
            self.key(name).pair
        }
    }

    /// Somebody's token.
    #[must_use]
    pub fn token(&self, person: &str) -> String {
        hex::encode(sha512_half(&[b"token", &self.seed.to_be_bytes(), person.as_bytes()]).0)
    }

    /// The agents that sign for an account, by the names of their keys.
    #[must_use]
    pub fn agents(&self, account: &str) -> Vec<String> {
        match account {
            "hot" => (1..=2).map(|n| format!("hot-agent-{n}.{}", self.generation)).collect(),
            "warm" => (1..=2).map(|n| format!("warm-agent-{n}")).collect(),
            _ => Vec::new(),
        }
    }

    /// SignerQuorum of an account.
    #[must_use]
    pub fn quorum(account: &str) -> u32 {
        if account == "cold" { 3 } else { 2 }
    }

    /// The SignerList that an account is to have.
    #[must_use]
    pub fn signer_list_set(&self, account: &str) -> TxBody {
        let agents = self.agents(account);
        let names = SIGNERS.into_iter().chain(agents.iter().map(String::as_str));
        let entries = names.map(|name| SignerEntry { account: self.id(name), weight: 1 }).collect();
        TxBody::SignerListSet(SignerListSet { quorum: Self::quorum(account), entries })
    }

    /// Whoever is in the address book.
    #[must_use]
    pub fn book(&self) -> Vec<String> {
        let many = |what: &str, count: usize| (1..=count).map(|n| format!("{what}-{n}")).collect::<Vec<_>>();
        let mut all = many("vendor", VENDORS);
        all.extend(many("supplier", SUPPLIERS));
        all.extend(many("employee", EMPLOYEES));
        all.extend(["exchange".to_owned(), "acquaintance".to_owned()]);
        all
    }

    /// The configuration, as a person would write it.
    #[must_use]
    pub fn config(&self, ws_url: &str, listen: SocketAddr, salary_days: &[String]) -> String {
        let mut text = format!(
            "[network]\nendpoints = [\"{ws_url}\"]\n\n[daemon]\ndata_dir = \"data\"\nlisten = \"{listen}\"\n\
             keystore = \"keystore.age\"\npassphrase_file = \"passphrase\"\nrequests_per_second = 10000\n"
        );
        // Writing to a String cannot fail.
        for account in SIGNED {
            let agents = self.agents(account);
            let agents = agents.iter().map(|agent| agent.replace('.', "-"));
            let entries: Vec<String> = SIGNERS
                .into_iter()
                .map(str::to_owned)
                .chain(agents)
                .map(|name| format!("\"{name}\" = 1"))
                .collect();
            let _ = write!(
                text,
                "\n[[account]]\nname = \"{account}\"\naddress = \"{}\"\ntier = \"{account}\"\nquorum = {}\nsigners = {{ {} }}\n",
                self.id(account),
                Self::quorum(account),
                entries.join(", ")
            );
        }
        let _ = write!(
            text,
            "\n[[account]]\nname = \"runner\"\naddress = \"{}\"\ntier = \"runner\"\n",
            self.id("runner")
        );
        for person in PEOPLE {
            let roles = match person {
                "dave" => "\"security\"",
                "erin" => "\"admin\"",
                "erp" => "\"proposer\"",
                _ => "\"proposer\", \"approver\"",
            };
            let signer = SIGNERS.contains(&person).then(|| format!("signer = \"{}\"\n", self.id(person)));
            let _ = write!(
                text,
                "\n[[person]]\nname = \"{person}\"\nroles = [{roles}]\n{}token_sha256 = \"{}\"\n",
                signer.unwrap_or_default(),
                hex::encode(Sha256::digest(self.token(person).as_bytes()))
            );
        }
        for agent in self.agents("hot").into_iter().chain(self.agents("warm")) {
            let name = agent.replace('.', "-");
            let _ = write!(text, "\n[[agent]]\nname = \"{name}\"\nsigner = \"{}\"\n", self.id(&agent));
        }
        for name in self.book() {
            let _ = write!(text, "\n[[destination]]\nname = \"{name}\"\naddress = \"{}\"\n", self.id(&name));
        }
        let dates: Vec<String> = salary_days.iter().map(|day| format!("\"{day}\"")).collect();
        for employee in (1..=EMPLOYEES).filter(|_| !dates.is_empty()) {
            let _ = write!(
                text,
                "\n[[schedule]]\nname = \"salary-{employee}\"\nfrom = \"warm\"\nto = \"employee-{employee}\"\n\
                 amount = \"{SALARY_XRP} XRP\"\nby = \"alice\"\nnote = \"salary\"\ndates = [{}]\nat = \"10:00\"\n\
                 lead = \"1d\"\nlate_max = \"1d\"\n",
                dates.join(", ")
            );
        }
        text.push_str(&RULES.replace("40000 XRP", &format!("{ROUTINE_DAY_XRP} XRP")));
        text
    }
}

/// Bands: the accounts' balances should be within these, in XRP.
pub const BANDS: [(&str, u64, u64); 4] = [
    // Between what the next hours need and what may be lost at once.
    ("hot", 3_000, 17_000),
    // Between what hot and two days' payments need and its target with what is swept.
    ("warm", 30_000, 140_000),
    ("cold", 500_000, 4_000_000),
    ("runner", 20, 1_000),
];

/// Links, policy and times.
const RULES: &str = r#"
[[link]]
name = "warm-to-hot"
from = "warm"
to = "hot"
floor = "6000 XRP"
target = "10000 XRP"
source_floor = "20000 XRP"
move_max = "10000 XRP"
period_max = "80000 XRP"
period = "24h"

[[link]]
name = "hot-to-warm"
from = "hot"
to = "warm"
ceiling = "16000 XRP"
target = "10000 XRP"
move_min = "100 XRP"
move_max = "20000 XRP"
period_max = "80000 XRP"
period = "24h"

# Its floor is where people are asked, and far above what warm needs until they are awake.
[[link]]
name = "cold-to-warm"
from = "cold"
to = "warm"
floor = "80000 XRP"
target = "130000 XRP"
source_floor = "100000 XRP"
move_max = "90000 XRP"
period_max = "300000 XRP"
period = "24h"

[[rule]]
name = "refill"
askers = ["treasuryd"]
kinds = ["move"]
accounts = ["warm", "hot"]
destination = "treasury"
amount_max = "20000 XRP"
action = "allow"

[[rule]]
name = "from-cold-to-warm"
askers = ["treasuryd"]
kinds = ["move"]
accounts = ["cold"]
destination = "treasury"
action = "approve"
weight = 2
amount_max = "90000 XRP"

# What is routine goes straight through, for a day's worth.
[[rule]]
name = "routine"
askers = ["erp"]
accounts = ["hot"]
kinds = ["pay"]
destination = "known"
amount_max = "100 XRP"
rolling = { period = "24h", amount_max = "40000 XRP" }
action = "allow"

# Much less of it where a person asks by hand.
[[rule]]
name = "by-hand"
askers = ["alice", "bob", "carol"]
accounts = ["hot"]
kinds = ["pay"]
destination = "known"
amount_max = "100 XRP"
rolling = { period = "24h", per = "asker", amount_max = "500 XRP" }
action = "allow"

[[rule]]
name = "much-by-hand"
askers = ["alice", "bob", "carol"]
accounts = ["hot"]
kinds = ["pay"]
amount_max = "1000 XRP"
rolling = { period = "24h", per = "asker", amount_above = "500 XRP" }
action = "approve"
weight = 2

[[rule]]
name = "larger"
accounts = ["hot"]
kinds = ["pay"]
amount_above = "100 XRP"
amount_max = "1000 XRP"
action = "approve"
weight = 2
exclude_asker = false

[[rule]]
name = "busy"
accounts = ["hot"]
kinds = ["pay"]
amount_max = "1000 XRP"
rolling = { period = "24h", amount_above = "40000 XRP" }
action = "approve"
weight = 2
exclude_asker = false

# Whoever is paid for the first time waits a day, and two people sign.
[[rule]]
name = "new"
kinds = ["pay"]
destination = "new"
amount_max = "10000 XRP"
action = "delay"
delay = "24h"
window = "24h"
weight = 2
exclude_asker = false

[[rule]]
name = "from-warm"
accounts = ["warm"]
kinds = ["pay"]
amount_max = "10000 XRP"
action = "approve"
weight = 2
exclude_asker = false
void = true

[[rule]]
name = "large"
accounts = ["warm"]
kinds = ["pay"]
amount_above = "1000 XRP"
amount_max = "10000 XRP"
action = "delay"
delay = "48h"
window = "24h"
weight = 2
exclude_asker = false

[tickets]
low_water = 80
target = 200

[timing]
deadline = "20h"
delayed_deadline_max = "20h"
# A jump in time must not outlast what agents have signed and not sent yet.
agent_ledgers = 1000
ledger_age_max = "any"
"#;
