//! Fees, reserves and amendments of a ledger, read from its state.

use xrpl_wire::{Drops, Object, index, sf};

use super::amendment::{Amendment, AmendmentSet, Standing};
use super::generation::Generation;
use super::state::StateMap;

/// What the network asks for transactions and objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fees {
    /// The fee of the reference transaction.
    pub base_fee: Drops,
    /// What every account must keep.
    pub reserve_base: Drops,
    /// What an account must keep for each object it owns.
    pub reserve_inc: Drops,
}

impl Fees {
    /// The reserve, in drops, of an account that owns so many objects.
    pub fn account_reserve(&self, owner_count: u32) -> u64 {
        let owned = self.reserve_inc.get().saturating_mul(u64::from(owner_count));
        self.reserve_base.get().saturating_add(owned)
    }

    /// Reads the FeeSettings entry, in the form of the XRPFees amendment.
    pub(super) fn read(state: &StateMap) -> Fees {
        let entry = state.object(&index::fee_settings());
        let drops = |field| entry.and_then(|entry| entry.drops(field)).unwrap_or(Drops::ZERO);
        Fees {
            base_fee: drops(sf::BaseFeeDrops),
            reserve_base: drops(sf::ReserveBaseDrops),
            reserve_inc: drops(sf::ReserveIncrementDrops),
        }
    }
}

/// By which rules transactions are judged: the server's generation, the amendments in force, the network's number.
/// They stay what they are as long as the ledger lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    generation: Generation,
    network_id: Option<u32>,
    in_force: AmendmentSet,
    without_ledger_hashes: bool,
}

impl Rules {
    /// The rules of a ledger: what its generation has retired, what its Amendments entry lists, and what is forced
    /// by the server's configuration. What the generation does not know stays off.
    pub(super) fn of(state: &StateMap, server: &ServerSetup) -> Rules {
        let generation = server.generation;
        let entry = state.object(&index::amendments());
        let listed = entry.and_then(|entry| entry.vector256(sf::Amendments)).unwrap_or_default();
        let mut in_force = AmendmentSet::default();
        for amendment in Amendment::ALL {
            let id = amendment.id();
            let there = match amendment.standing(generation) {
                Standing::Unknown => false,
                Standing::Retired => true,
                Standing::Off | Standing::Genesis => {
                    listed.contains(&id) || server.features.contains(amendment)
                }
            };
            if there && !server.forgets.contains(amendment) {
                in_force.insert(*amendment);
            }
        }
        let (network_id, without_ledger_hashes) = (server.network_id, server.without_ledger_hashes);
        Rules { generation, network_id, in_force, without_ledger_hashes }
    }

    /// Whether a ledger that closes writes down the hash of the one before it.
    pub(super) fn lists_hashes(&self) -> bool {
        !self.without_ledger_hashes
    }

    /// The rules of what a server only tries outside of transactions: of the amendments that it asks about in the midst
    /// of computing it knows then only those that are retired.
    pub(super) fn outside_of_transactions(mut self) -> Rules {
        for amendment in [Amendment::FixReducedOffersV1, Amendment::FixReducedOffersV2] {
            if amendment.standing(self.generation) != Standing::Retired {
                self.in_force.remove(amendment);
            }
        }
        self
    }

    /// The server's generation.
    #[must_use]
    pub const fn generation(&self) -> Generation {
        self.generation
    }

    /// The network's number; 0 where none is configured.
    #[must_use]
    pub const fn network_id(&self) -> u32 {
        match self.network_id {
            Some(number) => number,
            None => 0,
        }
    }

    /// The network's number, if one is configured: what a server tells of it.
    #[must_use]
    pub const fn configured_network_id(&self) -> Option<u32> {
        self.network_id
    }

    /// Whether an amendment is in force.
    #[must_use]
    pub const fn enabled(&self, amendment: Amendment) -> bool {
        self.in_force.contains(amendment)
    }
}

/// What a server is, beside the ledger it begins with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerSetup {
    /// Its generation.
    pub generation: Generation,
    /// The network's number. Without one it is network 0, and `server_info` says nothing of it.
    pub network_id: Option<u32>,
    /// Amendments in force by configuration, though the ledger does not list them.
    pub features: Vec<Amendment>,
    /// Amendments that are in force and that it does not follow: a server with a fault, for tests of what finds faults.
    /// A saved ledger does not remember them.
    pub forgets: Vec<Amendment>,
    /// Leaves the LedgerHashes entries as they are, instead of writing the hash of the ledger before into them. A
    /// simulator closes ledgers by the million, and nobody in it looks there; account hashes are not a server's then.
    /// A saved ledger does not remember it.
    pub without_ledger_hashes: bool,
}

/// The FeeSettings entry of a fresh ledger.
pub(super) fn fee_settings_entry(fees: &Fees) -> Object {
    Object::new()
        .with(sf::LedgerEntryType, xrpl_wire::LedgerEntryType::FeeSettings.code())
        .with(sf::Flags, 0u32)
        .with(sf::BaseFeeDrops, xrpl_wire::Amount::Xrp(fees.base_fee))
        .with(sf::ReserveBaseDrops, xrpl_wire::Amount::Xrp(fees.reserve_base))
        .with(sf::ReserveIncrementDrops, xrpl_wire::Amount::Xrp(fees.reserve_inc))
}
