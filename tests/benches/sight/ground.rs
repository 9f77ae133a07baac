//! A ledger of many accounts, a treasury that has declared them, and payments among them.

use std::collections::{BTreeMap, BTreeSet};

use treasury_core::Treasury;
use treasury_core::config::{AccountConfig, FeeConfig, Signing, TicketConfig, Tier, Timing};
use treasury_core::policy::Policy;
use xrpl_harness::embedded::{CloseTime, GenesisConfig, Ledger, ServerSetup};
use xrpl_wire::typed::{self, Payment};
use xrpl_wire::{
    AccountId, Amount, Drops, Hash256, KeyPair, KeyType, LedgerEntryType, Object, Seed, SeqProxy, TxBody,
    TxCommon, index, sf, sign,
};

/// Strangers with keys, who pay.
pub(crate) const PAYERS: u32 = 20;

const FIRST_SEQUENCE: u32 = 1;

pub(crate) fn drops(amount: u64) -> Drops {
    Drops::new(amount).unwrap()
}

pub(crate) fn payer(number: u32) -> KeyPair {
    let mut entropy = [9; 16];
    entropy[..4].copy_from_slice(&number.to_be_bytes());
    KeyPair::from_seed(&Seed::from_entropy(entropy, KeyType::Ed25519))
}

/// An account of the treasury's.
pub(crate) fn watched(number: u32) -> AccountId {
    let mut bytes = [0x5A; 20];
    bytes[..4].copy_from_slice(&number.wrapping_mul(2_654_435_761).to_be_bytes());
    bytes[4..8].copy_from_slice(&number.to_be_bytes());
    AccountId(bytes)
}

fn account_root(account: AccountId) -> (Hash256, Vec<u8>) {
    let root = Object::new()
        .with(sf::LedgerEntryType, LedgerEntryType::AccountRoot.code())
        .with(sf::Flags, 0u32)
        .with(sf::Sequence, FIRST_SEQUENCE)
        .with(sf::PreviousTxnLgrSeq, 2u32)
        .with(sf::OwnerCount, 0u32)
        .with(sf::PreviousTxnID, Hash256([7; 32]))
        .with(sf::Balance, Amount::Xrp(drops(10_000_000_000)))
        .with(sf::Account, account);
    (index::account_root(&account), root.encode().unwrap())
}

/// A ledger with the payers, so many accounts of the treasury's, and these.
pub(crate) fn ledger(count: u32, more: &[AccountId]) -> Ledger {
    let genesis = Ledger::genesis(GenesisConfig::default());
    let first = genesis.validated();
    let mut state: Vec<(Hash256, Vec<u8>)> =
        first.state.iter().map(|(index, entry)| (*index, entry.blob().to_vec())).collect();
    state.extend((0..PAYERS).map(|number| account_root(payer(number).account_id())));
    state.extend((0..count).map(|number| account_root(watched(number))));
    state.extend(more.iter().map(|account| account_root(*account)));
    let mut ledger = Ledger::from_recorded(first.header, state, &ServerSetup::default()).unwrap();
    ledger.close(CloseTime::Next);
    ledger
}

/// The `number`th payment of a stranger, to somebody.
pub(crate) fn payment(number: u32, destination: AccountId) -> Vec<u8> {
    let key = payer(number % PAYERS);
    let common =
        TxCommon::new(key.account_id(), SeqProxy::Sequence(FIRST_SEQUENCE + number / PAYERS), drops(10));
    let body = TxBody::Payment(Payment {
        destination,
        destination_tag: None,
        amount: Amount::Xrp(drops(1_000)),
        send_max: None,
        deliver_min: None,
    });
    sign::sign_single(&typed::build(&common, &body).unwrap(), &key).unwrap().encode()
}

/// A treasury that has declared so many accounts, which the daemon watches and does nothing with.
pub(crate) fn treasury(count: u32) -> Treasury {
    let accounts = (0..count)
        .map(|number| {
            let declared = AccountConfig {
                name: format!("account-{number}"),
                tier: Tier::Board,
                signing: Signing::Single,
                signers: None,
                settings: Default::default(),
            };
            (watched(number), declared)
        })
        .collect();
    Treasury {
        network_id: None,
        accounts,
        people: BTreeMap::new(),
        agents: BTreeSet::new(),
        runner: None,
        destinations: BTreeMap::new(),
        policy: Policy::new(Vec::new()),
        links: Vec::new(),
        schedules: Vec::new(),
        fees: FeeConfig::default(),
        tickets: TicketConfig { low_water: 0, target: 0 },
        // The embedded ledger keeps a time of its own.
        timing: Timing { ledger_age_max_seconds: None, ..Timing::default() },
        severities: BTreeMap::new(),
        alarms: Default::default(),
        outlook: Default::default(),
        key_labels: Default::default(),
        screening: false,
        newcomers: Default::default(),
        new_escrows: Default::default(),
    }
}
