//! A ledger with an order book, and payments that cross it.

use xrpl_harness::embedded::{CloseTime, GENESIS_SEED, GenesisConfig, Ledger};
use xrpl_wire::{
    AccountId, Amount, Currency, Drops, IssuedAmount, KeyPair, KeyType, Object, Seed, Transaction,
    TransactionType, TxResult, flags, sf, sign,
};

/// Who sells dollars for XRP, so many offers each.
const MAKERS: u32 = 5;
const OFFERS: u32 = 320;

/// Who pays across the book, and who is paid.
const BUYERS: u32 = 10;
const PAYEES: u32 = 10;

/// Of the hundred that an offer has, so that three payments in ten take the last of one and go on to the next.
const DOLLARS_PAID: &str = "30";

pub(crate) fn key(number: u32) -> KeyPair {
    let mut entropy = [11; 16];
    entropy[..4].copy_from_slice(&number.to_be_bytes());
    KeyPair::from_seed(&Seed::from_entropy(entropy, KeyType::Secp256k1))
}

pub(crate) fn drops(amount: u64) -> Drops {
    Drops::new(amount).unwrap()
}

/// A transaction of a kind, unsigned, with a fee that is enough for anything.
pub(crate) fn draft(kind: TransactionType, account: AccountId, sequence: u32) -> Object {
    Object::new()
        .with(sf::TransactionType, kind.code())
        .with(sf::Account, account)
        .with(sf::Fee, drops(100))
        .with(sf::Sequence, sequence)
        .with(sf::SigningPubKey, Vec::<u8>::new())
}

pub(crate) fn signed(tx: Object, by: &KeyPair) -> Vec<u8> {
    sign::sign_single(&Transaction::from_object(tx).unwrap(), by).unwrap().encode()
}

/// A ledger being set up.
pub(crate) struct Ground {
    pub(crate) ledger: Ledger,
}

impl Ground {
    pub(crate) fn new(config: GenesisConfig) -> Ground {
        Ground { ledger: Ledger::genesis(config) }
    }

    /// Does what must succeed.
    pub(crate) fn act(&mut self, by: &KeyPair, kind: TransactionType, with: impl FnOnce(Object) -> Object) {
        let account = by.account_id();
        let sequence = self.ledger.next_sequence(&account);
        let outcome = self.ledger.submit(&signed(with(draft(kind, account, sequence)), by));
        assert_eq!(outcome.result, TxResult::tesSUCCESS, "{kind:?}: {:?}", outcome.refused);
        if self.ledger.open().transactions().len() >= 250 {
            self.ledger.close(CloseTime::Next);
        }
    }

    /// What is done after it is not applied before what was done so far.
    pub(crate) fn settle(&mut self) {
        self.ledger.close(CloseTime::Next);
    }

    pub(crate) fn fund(&mut self, account: AccountId) {
        let genesis = KeyPair::from_seed(&GENESIS_SEED.parse().unwrap());
        self.act(&genesis, TransactionType::Payment, |tx| {
            tx.with(sf::Destination, account).with(sf::Amount, drops(100_000_000_000))
        });
    }
}

fn dollars(issuer: &KeyPair, value: &str) -> Amount {
    let mut currency = [0; 20];
    currency[12..15].copy_from_slice(b"USD");
    let (value, currency) = (value.parse().unwrap(), Currency(currency));
    Amount::Issued(IssuedAmount { value, currency, issuer: issuer.account_id() })
}

/// The ledger, and so many signed payments, of each buyer one after the other.
pub(crate) fn crossing(count: u32) -> (Ledger, Vec<Vec<u8>>) {
    let issuer = key(0);
    let [makers, buyers, payees] = [(1, MAKERS), (100, BUYERS), (200, PAYEES)]
        .map(|(first, count)| (first..first + count).map(key).collect::<Vec<_>>());
    let mut ground = Ground::new(GenesisConfig::default());
    for who in [&issuer].into_iter().chain(&makers).chain(&buyers).chain(&payees) {
        ground.fund(who.account_id());
    }
    ground.settle();
    ground.act(&issuer, TransactionType::AccountSet, |tx| tx.with(sf::SetFlag, flags::asfDefaultRipple));
    ground.settle();
    for holder in makers.iter().chain(&payees) {
        let limit = dollars(&issuer, "1000000000");
        ground.act(holder, TransactionType::TrustSet, |tx| tx.with(sf::LimitAmount, limit));
    }
    ground.settle();
    for (maker, number) in makers.iter().zip(0..) {
        let stock = dollars(&issuer, "1000000");
        ground.act(&issuer, TransactionType::Payment, |tx| {
            tx.with(sf::Destination, maker.account_id()).with(sf::Amount, stock)
        });
        ground.settle();
        for offer in 0..OFFERS {
            // Each at a rate of its own.
            let price = 50_000_000 + u64::from(offer * MAKERS + number) * 1_000;
            ground.act(maker, TransactionType::OfferCreate, |tx| {
                tx.with(sf::TakerGets, dollars(&issuer, "100")).with(sf::TakerPays, drops(price))
            });
        }
    }
    ground.settle();
    let first: Vec<u32> = buyers.iter().map(|by| ground.ledger.next_sequence(&by.account_id())).collect();
    let payment = |number: u32| {
        let place = (number % BUYERS) as usize;
        let sequence = first[place] + number / BUYERS;
        let tx = draft(TransactionType::Payment, buyers[place].account_id(), sequence)
            .with(sf::Destination, payees[(number / BUYERS % PAYEES) as usize].account_id())
            .with(sf::Amount, dollars(&issuer, DOLLARS_PAID))
            .with(sf::SendMax, drops(30_000_000));
        signed(tx, &buyers[place])
    };
    let payments = (0..count).map(payment).collect();
    (ground.ledger, payments)
}
