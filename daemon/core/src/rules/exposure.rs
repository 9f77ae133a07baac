//! Blast radius: what each single captured thing can take at most, in what time, and until whose stop.
//!
//! By the configuration, and by the SignerLists and balances on the ledger where they are known. It says what the ledger and this
//! daemon would let through, not what is likely: each answer is an upper bound, and where there is none it says so.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::config::{Role, Signing, Tier, Treasury};
use crate::model::observe::SignerListView;
use crate::model::signing::Party;
use crate::model::state::{Guard, State, TrackedEscrow};
use crate::model::units::{AccountId, Amount, Asset};
use crate::rules::reach::{Payee, Reach, reach};

/// What is declared of what stands around the core.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The ledger servers, as they are shown.
    pub servers: Vec<String>,
    /// How many of them have to say the same.
    pub read_quorum: usize,
    /// Whether a guard is asked.
    pub has_guard: bool,
}

/// A single thing that somebody else has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Captured {
    /// The key of one agent.
    AgentKey(AccountId),
    /// The keys of all agents.
    AgentKeys,
    /// The key of the account that pays for EscrowFinish and EscrowCancel.
    Runner(AccountId),
    /// One person: key, token, everything.
    Person(String),
    /// One ledger server, which says what it likes.
    Server(String),
    /// The daemon: process, store and all keys that it holds.
    Daemon,
    /// The guard: process, store and key.
    Guard,
}

impl Captured {
    /// The word for its kind, in the API and texts.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::AgentKey(_) => "agent_key",
            Self::AgentKeys => "agent_keys",
            Self::Runner(_) => "runner",
            Self::Person(_) => "person",
            Self::Server(_) => "server",
            Self::Daemon => "daemon",
            Self::Guard => "guard",
        }
    }

    /// Which of its kind, where there are several.
    #[must_use]
    pub fn which(&self) -> Option<String> {
        match self {
            Self::AgentKey(signer) => Some(signer.to_string()),
            Self::Person(name) | Self::Server(name) => Some(name.clone()),
            Self::AgentKeys | Self::Runner(_) | Self::Daemon | Self::Guard => None,
        }
    }
}

/// What can be done with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// What is captured.
    pub captured: Captured,
    /// What it can take, by account; at most one of each way for an account, and by asking one for each asset that it can have.
    pub takes: Vec<Take>,
    /// What else it can do.
    pub powers: Vec<Power>,
}

/// What can be taken from an account, in one way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Take {
    /// Whose money.
    pub account: AccountId,
    /// How.
    pub way: Way,
    /// How much at most.
    pub most: Most,
    /// Who ends it.
    pub until: Until,
}

/// How money is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// By keys that reach the SignerQuorum: the ledger takes what they sign, and knows no policy.
    Quorum {
        /// What they weigh together.
        weight: u64,
        /// The SignerQuorum.
        quorum: u32,
    },
    /// By a key that signs for the account alone, beside a SignerList or without one.
    Alone,
    /// By asking for payments that the daemon's agents sign because policy lets them.
    Policy,
    /// By releasing escrows that wait, whatever speaks against it: to those whom they were made for, and to nobody else.
    Escrows {
        /// How many wait.
        count: usize,
    },
}

impl Way {
    /// The word for it, in the API.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Quorum { .. } => "quorum",
            Self::Alone => "alone",
            Self::Policy => "policy",
            Self::Escrows { .. } => "escrows",
        }
    }
}

/// How much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Most {
    /// Whatever the account has, at once.
    Everything {
        /// What that is now, where it is known.
        has: Vec<Amount>,
        /// What links may bring into it before anybody has seen it: the link, how much, within how many seconds.
        comes: Vec<(String, Amount, u32)>,
    },
    /// What policy lets through.
    Limited {
        /// Of this asset.
        asset: Asset,
        /// To somebody of whom nobody has heard; `None`: nothing.
        to_new: Option<Reach>,
        /// To anybody.
        to_anybody: Reach,
    },
    /// What waits in escrows.
    Waiting(Vec<Amount>),
}

/// Who ends it, and when they see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Until {
    /// No stop of the daemon's binds it. It is seen with the ledger that it is in; the signers who are left can give the account
    /// another SignerList.
    OtherSigners,
    /// The same, and those who are left do not reach the quorum.
    Nobody,
    /// A stop of one of these, which binds at once. What is asked for stands among the proposals as soon as it is.
    Stop(Vec<String>),
}

/// What can be done beside taking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Power {
    /// Ask for payments that others have to sign.
    Asks,
    /// Sign what others ask for; their signatures are needed as well.
    Signs,
    /// Stop everything.
    Stops,
    /// Lift holds.
    LiftsHolds,
    /// Lift freezes.
    LiftsFreezes,
    /// Let nothing leave: the daemon loses sight, or what it waits for does not come.
    Blinds,
    /// Let what is in escrows that the guard has a part in come back.
    Withholds,
    /// Deceive about what is on the ledger: what should hold an escrow back is not seen.
    Deceives,
}

impl Power {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Asks => "asks for payments that others have to sign",
            Self::Signs => "signs what others ask for, and is one of several who have to",
            Self::Stops => "stops everything",
            Self::LiftsHolds => "lifts holds",
            Self::LiftsFreezes => "lifts freezes",
            Self::Blinds => "takes sight away: nothing leaves as long as it likes",
            Self::Withholds => "keeps its part back: what waits in guarded escrows comes back",
            Self::Deceives => "shows another ledger: what would hold an escrow back is not seen",
        }
    }
}

/// Every single thing that can be captured, the daemon's before people's, and those before what stands around.
#[must_use]
pub fn things(config: &Treasury, around: &Surroundings) -> Vec<Captured> {
    let mut all: Vec<Captured> = config.agents.iter().copied().map(Captured::AgentKey).collect();
    all.extend((!config.agents.is_empty()).then_some(Captured::AgentKeys));
    all.extend(config.runner.map(Captured::Runner));
    all.push(Captured::Daemon);
    all.extend(config.people.keys().cloned().map(Captured::Person));
    all.extend(around.servers.iter().cloned().map(Captured::Server));
    all.extend(around.has_guard.then_some(Captured::Guard));
    all
}

/// What one of them can take, and do.
#[must_use]
pub fn exposure(config: &Treasury, state: &State, around: &Surroundings, captured: &Captured) -> Exposure {
    let (mut takes, mut powers) = (by_keys(config, state, &keys(config, captured)), Vec::new());
    match captured {
        Captured::AgentKey(_) | Captured::AgentKeys | Captured::Runner(_) => {}
        Captured::Person(name) => {
            takes.extend(by_asking(config, state, name, &takes));
            powers = of_person(config, name);
        }
        Captured::Server(_) => {
            if around.servers.len().saturating_sub(1) < around.read_quorum {
                powers.push(Power::Blinds);
            }
            if around.read_quorum <= 1 {
                powers.push(Power::Deceives);
                let until = Until::Stop(stoppers(config, None));
                takes.extend(by_escrows(config, state, Party::Own, &until));
                takes.extend(by_escrows(config, state, Party::Guarded, &until));
            }
        }
        Captured::Daemon => {
            takes.extend(by_escrows(config, state, Party::Own, &Until::Nobody));
            // It asks for the guard's part, and the guard knows of no stop but its own.
            takes.extend(by_escrows(config, state, Party::Guarded, &Until::Nobody));
            powers.push(Power::Blinds);
        }
        Captured::Guard => {
            takes.extend(by_escrows(config, state, Party::Guarded, &Until::Nobody));
            powers.push(Power::Withholds);
        }
    }
    takes.sort_by_key(|take| (tier(config, &take.account), take.account, take.way));
    Exposure { captured: captured.clone(), takes, powers }
}

/// All of them.
#[must_use]
pub fn exposures(config: &Treasury, state: &State, around: &Surroundings) -> Vec<Exposure> {
    things(config, around).iter().map(|captured| exposure(config, state, around, captured)).collect()
}

/// What whoever has these keys takes past every rule: all of an account for which they sign, and nothing of any other.
#[must_use]
pub fn by_keys(config: &Treasury, state: &State, keys: &BTreeSet<AccountId>) -> Vec<Take> {
    let accounts = config.accounts.keys();
    let taken = accounts.filter_map(|account| {
        let (way, until) = opened(config, state, account, keys)?;
        let most = Most::Everything { has: holdings(state, account), comes: comes(config, account) };
        Some(Take { account: *account, way, most, until })
    });
    taken.collect()
}

/// How these keys sign for the account, and who is left to lock them out.
fn opened(
    config: &Treasury,
    state: &State,
    account: &AccountId,
    keys: &BTreeSet<AccountId>,
) -> Option<(Way, Until)> {
    let declared = config.accounts.get(account)?;
    let root = state.accounts.get(account).and_then(|view| view.root);
    let single = declared.signing == Signing::Single;
    let is_master = keys.contains(account) && (single || root.is_some_and(|root| !root.master_disabled()));
    let is_regular = root.and_then(|root| root.regular_key).is_some_and(|key| keys.contains(&key));
    let list = list_of(config, state, account);
    let weigh = |counts: &dyn Fn(&AccountId) -> bool| {
        let entries = list.iter().flat_map(|list| &list.entries);
        let counted = entries.filter(|(signer, _)| counts(signer));
        counted.map(|(_, weight)| u64::from(*weight)).fold(0, u64::saturating_add)
    };
    let quorum = list.as_ref().map(|list| list.quorum.0);
    let reaches = |weight: u64| quorum.is_some_and(|quorum| weight >= u64::from(quorum));
    // The ledger takes a signer's RegularKey as it takes their master key.
    let signs = |signer: &AccountId| {
        let root = state.accounts.get(signer).and_then(|view| view.root);
        keys.contains(signer) || root.and_then(|root| root.regular_key).is_some_and(|key| keys.contains(&key))
    };
    let (mine, others) = (weigh(&signs), weigh(&|signer| !signs(signer)));
    let way = match (is_master || is_regular, quorum) {
        (true, _) => Way::Alone,
        (false, Some(quorum)) if reaches(mine) => Way::Quorum { weight: mine, quorum },
        (false, _) => return None,
    };
    Some((way, if reaches(others) { Until::OtherSigners } else { Until::Nobody }))
}

/// The SignerList on the ledger; where the account was never seen, the declared one.
fn list_of(config: &Treasury, state: &State, account: &AccountId) -> Option<SignerListView> {
    match state.accounts.get(account) {
        Some(view) if view.root.is_some() => view.signer_list.clone(),
        _ => {
            let declared = config.accounts.get(account)?.signers.as_ref()?;
            Some(SignerListView { quorum: declared.quorum, entries: declared.entries.clone() })
        }
    }
}

/// The signer accounts whose keys are captured with it.
fn keys(config: &Treasury, captured: &Captured) -> BTreeSet<AccountId> {
    let singles = config.accounts.iter().filter(|(_, account)| account.signing == Signing::Single);
    match captured {
        Captured::AgentKey(signer) | Captured::Runner(signer) => BTreeSet::from([*signer]),
        Captured::AgentKeys => config.agents.clone(),
        Captured::Daemon => {
            config.agents.iter().chain(singles.map(|(account, _)| account)).copied().collect()
        }
        Captured::Person(name) => {
            config.people.get(name).and_then(|person| person.signer).into_iter().collect()
        }
        Captured::Server(_) | Captured::Guard => BTreeSet::new(),
    }
}

/// What an account has above nothing.
fn holdings(state: &State, account: &AccountId) -> Vec<Amount> {
    let lines = state.trust_lines(account).filter_map(|(asset, line)| line.held(*asset));
    let all = state.holding(account, Asset::Xrp).into_iter().chain(lines);
    all.filter(|amount| !amount.is_zero()).collect()
}

/// What each link into the account moves at most, by the least of its limits.
fn comes(config: &Treasury, account: &AccountId) -> Vec<(String, Amount, u32)> {
    let links = config.links.iter().filter(|link| link.to == *account);
    let least = links.filter_map(|link| {
        let least = link.all_limits().reduce(|one, other| {
            // As much over a longer time is less.
            let is_longer = other.most == one.most && other.period_seconds > one.period_seconds;
            if other.most < one.most || is_longer { other } else { one }
        })?;
        Some((link.name.clone(), least.most, least.period_seconds))
    });
    least.collect()
}

/// What a person gets by asking, of the accounts that their key does not open anyhow: agents sign what policy lets through,
/// and the person's own signature counts beside theirs.
fn by_asking(config: &Treasury, state: &State, name: &str, open: &[Take]) -> Vec<Take> {
    let Some(person) = config.people.get(name).filter(|person| person.roles.contains(&Role::Proposer)) else {
        return Vec::new();
    };
    let mut signers = config.agents.clone();
    signers.extend(person.signer);
    let payers = config.accounts.iter().filter(|(_, account)| {
        account.signing == Signing::Multi && matches!(account.tier, Tier::Cold | Tier::Warm | Tier::Hot)
    });
    let signed = payers
        .map(|(account, _)| account)
        .filter(|account| !open.iter().any(|take| take.account == **account))
        .filter(|account| opened(config, state, account, &signers).is_some());
    let taken = signed.flat_map(|account| {
        // Also of what it has none of now: links fill it, and somebody pays it.
        let others = state.trust_lines(account).map(|(asset, _)| *asset);
        let assets = std::iter::once(Asset::Xrp).chain(others);
        assets.filter_map(|asset| {
            let to_anybody = reach(config, name, account, asset, Payee::Anybody)?;
            let to_new = reach(config, name, account, asset, Payee::New);
            let until = Until::Stop(stoppers(config, Some(name)));
            let most = Most::Limited { asset, to_new, to_anybody };
            Some(Take { account: *account, way: Way::Policy, most, until })
        })
    });
    taken.collect()
}

fn of_person(config: &Treasury, name: &str) -> Vec<Power> {
    let Some(person) = config.people.get(name) else { return Vec::new() };
    let has = |role| person.roles.contains(&role);
    let powers = [
        (has(Role::Proposer), Power::Asks),
        (person.signer.is_some(), Power::Signs),
        (has(Role::Security), Power::Stops),
        (has(Role::Security), Power::LiftsHolds),
        (has(Role::Admin), Power::LiftsFreezes),
    ];
    powers.into_iter().filter(|(has, _)| *has).map(|(_, power)| power).collect()
}

/// Who can stop something, whoever of them is captured aside.
fn stoppers(config: &Treasury, aside: Option<&str>) -> Vec<String> {
    let people = config.people.values().filter(|person| person.roles.contains(&Role::Security));
    people.map(|person| person.name.clone()).filter(|name| Some(name.as_str()) != aside).collect()
}

/// The daemon's escrows that stand and that this party opens, by who made them.
fn by_escrows(config: &Treasury, state: &State, party: Party, until: &Until) -> Vec<Take> {
    let mut waiting: BTreeMap<AccountId, (usize, BTreeMap<Asset, Amount>)> = BTreeMap::new();
    let standing = state.standing.iter().filter_map(|key| state.escrows.get(key));
    for tracked in standing.filter(|tracked| party_of(state, tracked) == Some(party)) {
        let (count, sums) = waiting.entry(tracked.view.key.owner).or_default();
        *count = count.saturating_add(1);
        // The daemon makes none of which it does not know how much is in it.
        let Some(amount) = tracked.view.amount else { continue };
        let asset = amount.issue();
        let sum = sums.entry(asset).or_insert(asset.nothing());
        *sum = sum.checked_add(&amount).unwrap_or(asset.most());
    }
    let own = waiting.into_iter().filter(|(owner, _)| config.accounts.contains_key(owner));
    let taken = own.map(|(account, (count, sums))| Take {
        account,
        way: Way::Escrows { count },
        most: Most::Waiting(sums.into_values().collect()),
        until: until.clone(),
    });
    taken.collect()
}

/// Who opens an escrow that waits; `None`: nobody that is known.
fn party_of(state: &State, tracked: &TrackedEscrow) -> Option<Party> {
    match tracked.guard {
        Guard::Locked { proposal, .. } | Guard::Releasing { proposal, .. } => {
            let maker = state.proposals.get(&proposal);
            maker.and_then(|maker| maker.release_inputs()).map(|inputs| inputs.party)
        }
        _ => None,
    }
}

fn tier(config: &Treasury, account: &AccountId) -> Option<Tier> {
    config.accounts.get(account).map(|account| account.tier)
}

impl Until {
    /// The word for it, in the API.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::OtherSigners => "other_signers",
            Self::Nobody => "nobody",
            Self::Stop(_) => "stop",
        }
    }

    fn words(&self) -> String {
        match self {
            Self::OtherSigners => {
                "no stop binds it; it is seen with its ledger, and the other signers can change the SignerList".to_owned()
            }
            Self::Nobody => "nobody can stop it".to_owned(),
            Self::Stop(names) if names.is_empty() => "nobody else may stop it".to_owned(),
            Self::Stop(names) => format!("until a stop of {}, at once", names.join(" or ")),
        }
    }
}

impl Take {
    /// All of it in words.
    #[must_use]
    pub fn words(&self) -> String {
        let how = match self.way {
            Way::Quorum { weight, quorum } => format!("keys of weight {weight} reach the quorum of {quorum}"),
            Way::Alone => "its key needs no other".to_owned(),
            Way::Policy => "by asking for what agents sign".to_owned(),
            Way::Escrows { count } => format!("{count} that wait, to whom they were made for"),
        };
        let much = match &self.most {
            Most::Everything { has, comes } => {
                let has = if has.is_empty() { "not known".to_owned() } else { list(has) };
                let comes = comes.iter().map(|(link, most, seconds)| {
                    format!(", and up to {} within {} that \"{link}\" brings", most.words(), length(*seconds))
                });
                format!("EVERYTHING, at once ({has}){}", comes.collect::<String>())
            }
            Most::Limited { asset, to_new: None, to_anybody } => {
                format!("nothing to a new destination; to others {}", of_reach(*asset, to_anybody))
            }
            Most::Limited { asset, to_new: Some(new), to_anybody } if new == to_anybody => {
                of_reach(*asset, new)
            }
            Most::Limited { asset, to_new: Some(new), to_anybody } => {
                let (new, others) = (of_reach(*asset, new), of_reach(*asset, to_anybody));
                format!("{new} to a new destination; {others} to others")
            }
            Most::Waiting(amounts) => list(amounts),
        };
        format!("{much}: {how}; {}", self.until.words())
    }
}

fn list(amounts: &[Amount]) -> String {
    amounts.iter().map(Amount::words).collect::<Vec<_>>().join(", ")
}

fn of_reach(asset: Asset, reach: &Reach) -> String {
    let one = match &reach.one {
        Some(one) => format!("{} a payment", one.words()),
        None if asset.is_xrp() => "whatever it has with one payment".to_owned(),
        None => format!("whatever it has of {asset} with one payment"),
    };
    let periods: Vec<String> = reach
        .periods
        .iter()
        .map(|(seconds, most)| format!("{} within {}", most.words(), length(*seconds)))
        .collect();
    match periods.is_empty() {
        true => format!("{one}, again and again, WITHOUT A LIMIT"),
        false => format!("{one}, {}", periods.join(" and ")),
    }
}

fn length(seconds: u32) -> String {
    match seconds {
        _ if seconds > 0 && seconds.is_multiple_of(86_400) => format!("{} d", seconds / 86_400),
        _ if seconds > 0 && seconds.is_multiple_of(3_600) => format!("{} h", seconds / 3_600),
        _ => format!("{seconds} s"),
    }
}
