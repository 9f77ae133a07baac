//! Who is there in dev mode: accounts, people, agents and recipients, all with fresh keys.

use treasury_core::config::{Role, Tier};
use xrpl_wire::{AccountId, Drops, KeyPair, Seed, seed::KeyType};

/// Somebody or something with an account: its name, its seed and its key.
#[derive(Clone)]
pub struct Identity {
    name: &'static str,
    seed: Seed,
    key: KeyPair,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.name, self.id())
    }
}

impl Identity {
    fn draw(name: &'static str, key_type: KeyType) -> Self {
        let seed = Seed::from_entropy(rand::random(), key_type);
        let key = KeyPair::from_seed(&seed);
        Self { name, seed, key }
    }

    /// Its name in the configuration.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The account of the key.
    #[must_use]
    pub fn id(&self) -> AccountId {
        self.key.account_id()
    }

    /// The secret that the key comes from.
    #[must_use]
    pub fn seed(&self) -> &Seed {
        &self.seed
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &KeyPair {
        &self.key
    }
}

/// One of the treasury's accounts.
#[derive(Clone, Debug)]
pub struct TreasuryAccount {
    /// Who it is. Its master key is switched off once the SignerList stands.
    pub identity: Identity,
    /// Its place.
    pub tier: Tier,
    /// What it starts with.
    pub funds: Drops,
    /// Its SignerList; `None` for the board and the runner.
    pub signers: Option<Signers>,
}

/// A SignerList to be: everybody has weight 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signers {
    /// SignerQuorum.
    pub quorum: u32,
    /// Who, by name.
    pub names: Vec<&'static str>,
}

/// One of the people.
#[derive(Clone, Debug)]
pub struct PersonKeys {
    /// The signer account.
    pub identity: Identity,
    /// The key that signs where it is not the master key: then the master key is switched off.
    pub regular: Option<Identity>,
    /// What they may do.
    pub roles: Vec<Role>,
    /// What the signer account holds; `None`: it is not on the ledger (a phantom signer).
    pub funds: Option<Drops>,
    /// The bearer token's text.
    pub token: String,
}

impl PersonKeys {
    /// The key that signs.
    #[must_use]
    pub fn signing(&self) -> &Identity {
        self.regular.as_ref().unwrap_or(&self.identity)
    }
}

/// Everybody.
#[derive(Clone, Debug)]
pub struct Cast {
    /// Cold, warm, hot, board and runner.
    pub accounts: Vec<TreasuryAccount>,
    /// Alice, bob, carol and dave.
    pub people: Vec<PersonKeys>,
    /// Two signers whose keys the daemon holds.
    pub agents: Vec<Identity>,
    /// In the address book.
    pub destinations: Vec<Identity>,
    /// On the ledger, and in nobody's address book.
    pub stranger: Identity,
}

/// The four people: who asks and approves, who lifts freezes, who stops things. Whoever can stop everything (dave)
/// is not who can start it again (carol).
const PEOPLE: [(&str, &[Role]); 4] = [
    ("alice", &[Role::Proposer, Role::Approver]),
    ("bob", &[Role::Proposer, Role::Approver]),
    ("carol", &[Role::Proposer, Role::Approver, Role::Admin]),
    ("dave", &[Role::Security]),
];

impl Cast {
    /// Draws everybody's keys.
    #[must_use]
    pub fn draw() -> Self {
        let people_names: Vec<&'static str> = PEOPLE.iter().map(|(name, _)| *name).collect();
        let agents =
            vec![Identity::draw("agent-1", KeyType::Ed25519), Identity::draw("agent-2", KeyType::Secp256k1)];
        let with_agents =
            people_names.iter().copied().chain(agents.iter().map(Identity::name)).collect::<Vec<_>>();
        let account = |name, tier, funds, signers| TreasuryAccount {
            identity: Identity::draw(name, KeyType::Secp256k1),
            tier,
            funds: xrp(funds),
            signers,
        };
        let people_alone = Signers { quorum: 3, names: people_names };
        let with_agents = Signers { quorum: 2, names: with_agents };
        Self {
            accounts: vec![
                account("cold", Tier::Cold, 100_000, Some(people_alone)),
                account("warm", Tier::Warm, 20_000, Some(with_agents.clone())),
                // A little above its floor of 500 XRP: the first payment shows the refill.
                account("hot", Tier::Hot, 560, Some(with_agents)),
                account("board", Tier::Board, 20, None),
                account("runner", Tier::Runner, 50, None),
            ],
            people: PEOPLE.iter().map(|(name, roles)| person(name, roles)).collect(),
            agents,
            destinations: vec![
                Identity::draw("exchange", KeyType::Secp256k1),
                Identity::draw("supplier", KeyType::Ed25519),
            ],
            stranger: Identity::draw("stranger", KeyType::Secp256k1),
        }
    }

    /// A treasury account, a person's signer account, an agent or a recipient, by name.
    #[must_use]
    pub fn identity(&self, name: &str) -> Option<&Identity> {
        self.accounts
            .iter()
            .map(|account| &account.identity)
            .chain(self.people.iter().map(|person| &person.identity))
            .chain(&self.agents)
            .chain(&self.destinations)
            .chain([&self.stranger])
            .find(|identity| identity.name == name)
    }
}

/// Every way a signer account can be: bob's signs with its RegularKey, carol's is not on the ledger at all, alice's
/// and dave's sign with their master keys.
fn person(name: &'static str, roles: &[Role]) -> PersonKeys {
    PersonKeys {
        identity: Identity::draw(name, KeyType::Secp256k1),
        regular: (name == "bob").then(|| Identity::draw("bob's RegularKey", KeyType::Ed25519)),
        roles: roles.to_vec(),
        funds: (name != "carol").then(|| xrp(20)),
        token: hex::encode(rand::random::<[u8; 32]>()),
    }
}

/// So many XRP.
#[must_use]
pub fn xrp(whole: u32) -> Drops {
    // 4.3 billion XRP are far below the hundred billion there are.
    Drops::new(u64::from(whole) * 1_000_000).unwrap_or(Drops::ZERO)
}
