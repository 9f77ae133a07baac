//! Random lives: a few accounts that do good and bad things of every kind, one number for each.
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod market;
mod proposals;
mod together;

use std::collections::BTreeSet;
use std::sync::Arc;

use together::Outer;
use xrpl_harness::embedded::{GENESIS_SEED, Ledger};
use xrpl_wire::{
    AccountId, Amount, Currency, Drops, Field, Hash256, IssuedAmount, KeyPair, KeyType, LedgerEntryType,
    Object, Seed, Transaction, TransactionType, Value, condition, flags, index, sf, sign,
};

/// How many accounts live in a ledger.
const PEOPLE: u8 = 6;

/// The number of who does nothing.
const IDLE: u8 = 77;

/// A fee that is enough for anything but AccountDelete.
const FEE_DROPS: u64 = 2_000;

/// Where somebody lives: a ledger, or several that are to be the same.
pub trait World {
    /// The ledger as it is now.
    fn ledger(&self) -> &Ledger;

    /// Submits a transaction's bytes.
    fn submit(&mut self, blob: Vec<u8>);

    /// Closes a ledger, so many seconds after the last if time can be moved there.
    fn close(&mut self, seconds: u32);
}

/// A world, and the people in it.
pub struct Life<W> {
    /// The world.
    pub world: W,
    cast: Arc<Cast>,
    /// The steps of the beginning that are left out, and how many there were.
    without: BTreeSet<u32>,
    steps: u32,
}

/// Whose lives they are.
#[derive(Debug)]
struct Cast {
    people: Vec<KeyPair>,
    /// Somebody who does nothing, so that there is always somebody whom nothing holds.
    idle: KeyPair,
    /// The key of the account that holds everything else.
    genesis: KeyPair,
    /// The seed of each by a name.
    seeds: Vec<(String, String)>,
}

impl Cast {
    /// The same number, the same keys.
    fn of(number: u64) -> Cast {
        let seed = |place: u8| {
            let kind = if place.is_multiple_of(2) { KeyType::Secp256k1 } else { KeyType::Ed25519 };
            let mut entropy = [place; 16];
            entropy[..8].copy_from_slice(&number.to_be_bytes());
            Seed::from_entropy(entropy, kind)
        };
        let names = (1..=PEOPLE).map(|place| (format!("person-{place}"), seed(place)));
        let mut seeds: Vec<(String, String)> = names
            .chain([("idle".to_owned(), seed(IDLE))])
            .map(|(name, seed)| (name, seed.to_base58().to_string()))
            .collect();
        seeds.push(("genesis".to_owned(), GENESIS_SEED.to_owned()));
        Cast {
            people: (1..=PEOPLE).map(|place| KeyPair::from_seed(&seed(place))).collect(),
            idle: KeyPair::from_seed(&seed(IDLE)),
            genesis: KeyPair::from_seed(&GENESIS_SEED.parse().expect("the genesis seed")),
            seeds,
        }
    }
}

/// Numbers from a seed, the same for ever.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn one_in(&mut self, sides: u64) -> bool {
        self.roll(sides) == 0
    }

    fn number(&mut self, below: u32) -> u32 {
        u32::try_from(self.roll(u64::from(below))).expect("below a u32")
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let at = self.roll(u64::try_from(from.len()).expect("a length"));
        &from[usize::try_from(at).expect("a place")]
    }
}

impl<W: World> Life<W> {
    /// A life of people whose keys a number says: everybody has some XRP, and most have other money.
    pub fn begin(world: W, number: u64) -> Life<W> {
        Life::begin_without(world, number, BTreeSet::new())
    }

    /// The same with some steps of the beginning left out, by their numbers from 0 on.
    pub fn begin_without(world: W, number: u64, without: BTreeSet<u32>) -> Life<W> {
        let mut life = Life { world, cast: Arc::new(Cast::of(number)), without, steps: 0 };
        let cast = Arc::clone(&life.cast);
        for person in cast.people.iter().chain([&cast.idle]) {
            if life.is_next_taken() {
                life.fund(&person.account_id());
            }
        }
        if life.is_next_taken() {
            life.pay_from_genesis();
        }
        life.close(4);
        life.begin_market();
        if life.proposes() {
            life.begin_proposals();
        }
        life
    }

    /// How many steps the beginning had.
    pub fn beginning(&self) -> u32 {
        self.steps
    }

    /// The seeds of the people, as recorded stories have them.
    pub fn seeds(&self) -> Vec<(String, String)> {
        self.cast.seeds.clone()
    }

    fn is_next_taken(&mut self) -> bool {
        let step = self.steps;
        self.steps += 1;
        !self.without.contains(&step)
    }

    /// Does what a number says.
    pub fn act(&mut self, number: u64) {
        let dice = &mut Dice(number);
        let cast = Arc::clone(&self.cast);
        match dice.roll(64) {
            0..8 => self.close(dice.number(40)),
            // Rarely, time enough for accounts to be deleted; who was deleted is funded again.
            8 if dice.one_in(2) => {
                (0..260).for_each(|_| self.close(1));
                let leaver = if dice.one_in(2) { cast.idle.account_id() } else { self.owner_of_least() };
                let tx = self.draft(TransactionType::AccountDelete, &leaver);
                let tx = tx.with(sf::Destination, AccountId([7; 20])).with(sf::Fee, drops(200_000));
                let mut keys = cast.people.iter().chain([&cast.idle]);
                let by = keys.find(|key| key.account_id() == leaver);
                if let Some(blob) = by.and_then(|by| self.sign(dice, tx, by)) {
                    self.submit(blob);
                    self.close(1);
                }
            }
            9 => {
                self.fund(&dice.pick(&cast.people).account_id());
                self.fund(&cast.idle.account_id());
            }
            10..17 if self.proposes() => {
                let by = dice.pick(&cast.people);
                if let Some(blob) = self.desk(dice, by) {
                    self.submit(blob);
                }
            }
            _ => {
                let by = dice.pick(&cast.people);
                let object = self.transaction(dice, by);
                let object = if dice.one_in(10) { self.delegated(dice, object) } else { object };
                let who = object.account(sf::Delegate).or(object.account(sf::Account));
                let by = cast.people.iter().find(|key| Some(key.account_id()) == who).unwrap_or(by);
                if let Some(blob) = self.sign(dice, object, by) {
                    self.submit(blob);
                }
            }
        }
    }

    /// Closes a ledger so many seconds after the last.
    pub fn close(&mut self, seconds: u32) {
        self.world.close(seconds);
    }

    /// A payment of the account that holds everything else to an account that does nothing.
    pub fn pay_from_genesis(&mut self) {
        self.fund(&AccountId([7; 20]));
    }

    fn fund(&mut self, account: &AccountId) {
        let tx = self
            .draft(TransactionType::Payment, &self.cast.genesis.account_id())
            .with(sf::Destination, *account)
            .with(sf::Amount, drops(50_000_000));
        let tx = Transaction::from_object(tx).expect("a payment");
        self.submit(sign::sign_single(&tx, &self.cast.genesis).expect("a signature").encode());
    }

    fn submit(&mut self, blob: Vec<u8>) {
        self.world.submit(blob);
    }

    fn root(&self, account: &AccountId) -> Option<&Object> {
        self.world.ledger().open().state().object(&index::account_root(account))
    }

    fn entries(&self, kind: LedgerEntryType) -> Vec<&Object> {
        let state = self.world.ledger().open().state().iter();
        state.filter(|(_, entry)| entry.entry_type() == Some(kind)).map(|(_, entry)| entry.object()).collect()
    }

    fn draft(&self, kind: TransactionType, account: &AccountId) -> Object {
        let sequence = self.root(account).and_then(|root| root.u32(sf::Sequence)).unwrap_or(1);
        Object::new()
            .with(sf::TransactionType, kind.code())
            .with(sf::Account, *account)
            .with(sf::Fee, drops(FEE_DROPS))
            .with(sf::Sequence, sequence)
            .with(sf::SigningPubKey, Vec::<u8>::new())
    }

    /// Signs alone, with the RegularKey, together or wrongly. None for what is no transaction at all.
    fn sign(&self, dice: &mut Dice, mut object: Object, by: &KeyPair) -> Option<Vec<u8>> {
        let account = by.account_id();
        let owner = object.account(sf::Account)?;
        if dice.one_in(16) {
            let next = object.u32(sf::Sequence)?.checked_add(1)?;
            object.set(sf::Sequence, next);
        } else if dice.one_in(4) {
            let tickets = self.entries(LedgerEntryType::Ticket);
            let own: Vec<u32> = tickets
                .iter()
                .filter(|ticket| ticket.account(sf::Account) == Some(owner))
                .filter_map(|ticket| ticket.u32(sf::TicketSequence))
                .collect();
            if !own.is_empty() {
                object.set(sf::Sequence, 0_u32);
                object.set(sf::TicketSequence, *dice.pick(&own));
            }
        }
        if dice.one_in(10) {
            let last = self.world.ledger().open().index().checked_add(dice.number(4))?.checked_sub(1)?;
            object.set(sf::LastLedgerSequence, last);
        }
        if object.has(sf::RawTransactions) {
            object = self.with_participants(dice, object)?;
        }
        let tx = Transaction::from_object(object).ok()?;
        let list = self.world.ledger().open().state().object(&index::signer_list(&account));
        if let Some(list) = list.filter(|_| dice.one_in(3)) {
            let listed = list.array(sf::SignerEntries).unwrap_or_default();
            let signers = listed.iter().filter_map(|(_, entry)| {
                let account = entry.account(sf::Account)?;
                let key = self.cast.people.iter().find(|key| key.account_id() == account)?;
                sign::sign_for(&tx, account, key).ok()
            });
            let signers = signers.collect::<Vec<_>>();
            return sign::assemble(&tx, signers).ok().map(|tx| tx.encode());
        }
        let regular = self.root(&account).and_then(|root| root.account(sf::RegularKey));
        let regular = self.cast.people.iter().find(|key| Some(key.account_id()) == regular);
        let key = match dice.roll(16) {
            0 => dice.pick(&self.cast.people),
            1..8 => regular.unwrap_or(by),
            _ => by,
        };
        sign::sign_single(&tx, key).ok().map(|tx| tx.encode())
    }

    fn transaction(&self, dice: &mut Dice, by: &KeyPair) -> Object {
        if dice.one_in(12) {
            let kind = *dice.pick(&together::KINDS);
            return self.together(dice, kind, by);
        }
        self.alone(dice, by)
    }

    /// What somebody does alone.
    fn alone(&self, dice: &mut Dice, by: &KeyPair) -> Object {
        use TransactionType as Kind;
        const KINDS: [Kind; 20] = [
            Kind::Payment,
            Kind::Payment,
            Kind::Payment,
            Kind::Payment,
            Kind::Payment,
            Kind::Payment,
            Kind::AccountSet,
            Kind::SetRegularKey,
            Kind::DepositPreauth,
            Kind::SignerListSet,
            Kind::TicketCreate,
            Kind::EscrowCreate,
            Kind::EscrowCreate,
            Kind::EscrowFinish,
            Kind::EscrowFinish,
            Kind::EscrowCancel,
            Kind::TrustSet,
            Kind::TrustSet,
            Kind::AccountDelete,
            Kind::AccountDelete,
        ];
        let other = dice.pick(&self.cast.people).account_id();
        if dice.one_in(2) {
            let kind = *dice.pick(&market::KINDS);
            return self.market(dice, kind, by, other);
        }
        let kind = *dice.pick(&KINDS);
        let tx = self.draft(kind, &by.account_id());
        match kind {
            Kind::Payment => self.payment(dice, tx, other),
            Kind::AccountSet => account_set(dice, tx),
            Kind::SetRegularKey if dice.one_in(2) => tx.with(sf::RegularKey, other),
            Kind::DepositPreauth if dice.one_in(3) => {
                let field = *dice.pick(&[sf::AuthorizeCredentials, sf::UnauthorizeCredentials]);
                tx.with(field, Value::Array(market::accepted(dice, other)))
            }
            Kind::DepositPreauth => tx.with(*dice.pick(&[sf::Authorize, sf::Unauthorize]), other),
            Kind::SignerListSet => self.cast.signer_list_set(dice, tx),
            Kind::TicketCreate => tx.with(sf::TicketCount, dice.number(70)),
            Kind::EscrowCreate => self.escrow_create(dice, tx, other),
            Kind::EscrowFinish | Kind::EscrowCancel => self.escrow_end(dice, tx, kind, other),
            Kind::TrustSet => self.cast.trust_set(dice, tx),
            Kind::AccountDelete => {
                let tx = if dice.one_in(3) { tx } else { self.draft(kind, &self.owner_of_least()) };
                tx.with(sf::Destination, other).with(sf::Fee, drops(200_000))
            }
            _ => tx,
        }
    }

    /// Who has the least in its directory: it is the likeliest to be let go.
    fn owner_of_least(&self) -> AccountId {
        let listed = |account: &AccountId| {
            let page = self.world.ledger().open().state().object(&index::owner_dir(account));
            page.and_then(|page| page.vector256(sf::Indexes)).map_or(0, <[Hash256]>::len)
        };
        let there =
            self.cast.people.iter().map(KeyPair::account_id).filter(|account| self.root(account).is_some());
        there.min_by_key(|account| (listed(account), *account)).unwrap_or(AccountId([7; 20]))
    }

    fn payment(&self, dice: &mut Dice, tx: Object, other: AccountId) -> Object {
        let token = self.some_token(dice).filter(|_| dice.one_in(4));
        let tx =
            tx.with(sf::Destination, other).with(sf::Amount, token.unwrap_or_else(|| self.cast.amount(dice)));
        let given = *dice.pick(&[
            0,
            0,
            0,
            flags::tfPartialPayment,
            flags::tfPartialPayment | flags::tfLimitQuality,
            flags::tfNoRippleDirect,
        ]);
        let tx = if given == 0 { tx } else { tx.with(sf::Flags, given) };
        match dice.roll(10) {
            0 => tx.with(sf::SendMax, self.cast.amount(dice)),
            1 => tx.with(sf::DeliverMin, self.cast.amount(dice)),
            2 => tx.with(sf::DestinationTag, dice.number(9)),
            7..9 => self.exchange(dice, tx),
            3..6 => tx.with(sf::SendMax, self.cast.amount(dice)).with(sf::Paths, self.cast.paths(dice)),
            6 => {
                let own = tx.account(sf::Account).map(|account| self.credentials_of(account));
                tx.with(sf::CredentialIDs, Value::Vector256(own.unwrap_or_default()))
            }
            _ => tx,
        }
    }

    /// As much of an issuer's money as a little of something else buys.
    fn exchange(&self, dice: &mut Dice, tx: Object) -> Object {
        let most = match dice.roll(2) {
            0 => Amount::Xrp(drops(1 + dice.roll(2_000_000))),
            _ => self.cast.issued(dice, 100),
        };
        tx.with(sf::Amount, self.cast.issued(dice, 3_000))
            .with(sf::SendMax, most)
            .with(sf::Flags, flags::tfPartialPayment)
    }

    fn escrow_create(&self, dice: &mut Dice, tx: Object, other: AccountId) -> Object {
        let now = self.world.ledger().validated().header.close_time.0;
        let time = |dice: &mut Dice| now.saturating_add(dice.number(60)).saturating_sub(5);
        let token = self.some_token(dice).filter(|_| dice.one_in(4));
        let amount = token.unwrap_or_else(|| self.cast.amount(dice));
        let mut tx = tx.with(sf::Destination, other).with(sf::Amount, amount);
        if !dice.one_in(5) {
            tx.set(sf::FinishAfter, time(dice));
        }
        if dice.one_in(2) {
            tx.set(sf::CancelAfter, time(dice));
        }
        if dice.one_in(3) {
            tx.set(sf::Condition, condition::condition_for_preimage(&PREIMAGE));
        }
        tx
    }

    fn escrow_end(&self, dice: &mut Dice, tx: Object, kind: TransactionType, other: AccountId) -> Object {
        let escrows = self.entries(LedgerEntryType::Escrow);
        if escrows.is_empty() {
            return tx.with(sf::Owner, other).with(sf::OfferSequence, 3_u32);
        }
        let escrow = *dice.pick(&escrows);
        let owner = escrow.account(sf::Account).expect("an escrow's owner");
        let mut tx =
            tx.with(sf::Owner, owner).with(sf::OfferSequence, escrow.u32(sf::Sequence).unwrap_or_default());
        // Mostly with the fulfillment where it takes one, and without where it takes none.
        if kind == TransactionType::EscrowFinish && (escrow.has(sf::Condition) != dice.one_in(8)) {
            tx.set(sf::Condition, condition::condition_for_preimage(&PREIMAGE));
            tx.set(sf::Fulfillment, condition::fulfillment_for_preimage(&PREIMAGE));
        }
        tx
    }
}

const PREIMAGE: [u8; 32] = [9; 32];

fn drops(amount: u64) -> Drops {
    Drops::new(amount).expect("an amount")
}

fn currency() -> Currency {
    let mut code = [0; 20];
    code[12..15].copy_from_slice(b"USD");
    Currency(code)
}

fn account_set(dice: &mut Dice, tx: Object) -> Object {
    // Settings that open doors come more often than those that close them for ever.
    let flag = match dice.roll(4) {
        0 => dice.number(18),
        1 => flags::asfDefaultRipple,
        2 => *dice.pick(&[flags::asfAllowTrustLineLocking, flags::asfAllowTrustLineClawback]),
        _ => flags::asfDepositAuth,
    };
    let tx = tx.with(*dice.pick(&[sf::SetFlag, sf::SetFlag, sf::ClearFlag]), flag);
    match dice.roll(6) {
        0 => tx.with(sf::TransferRate, 1_002_345_678_u32),
        1 => tx.with(sf::Domain, b"example.com".to_vec()),
        2 => tx.with(sf::TickSize, *dice.pick(&[0_u8, 2, 3, 15, 16])),
        _ => tx,
    }
}

impl Cast {
    /// An amount of USD; two of the people issue it.
    fn issued(&self, dice: &mut Dice, up_to: u64) -> Amount {
        let value = format!("{}.{}", dice.roll(up_to), dice.roll(1_000)).parse().expect("a value");
        let issuer = dice.pick(&self.people[..2]).account_id();
        Amount::Issued(IssuedAmount { value, currency: currency(), issuer })
    }

    fn amount(&self, dice: &mut Dice) -> Amount {
        match dice.roll(12) {
            0..4 => self.issued(dice, 300),
            // More than most of them have.
            4 => Amount::Xrp(drops(60_000_000 + dice.roll(900_000_000))),
            _ => Amount::Xrp(drops(dice.roll(3_000_000))),
        }
    }

    fn signer_list_set(&self, dice: &mut Dice, tx: Object) -> Object {
        let count = dice.number(4);
        let mut accounts: Vec<AccountId> = (0..count).map(|_| dice.pick(&self.people).account_id()).collect();
        accounts.dedup();
        let entries = accounts.into_iter().map(|account| {
            let entry = Object::new().with(sf::Account, account).with(sf::SignerWeight, 1_u16);
            (sf::SignerEntry, entry)
        });
        let entries: Vec<_> = entries.collect();
        let tx = tx.with(sf::SignerQuorum, dice.number(count.max(1) + 1));
        if entries.is_empty() { tx } else { tx.with(sf::SignerEntries, Value::Array(entries)) }
    }

    fn trust_set(&self, dice: &mut Dice, tx: Object) -> Object {
        let limit = *dice.pick(&[1, 400, 5_000]);
        let tx = tx.with(sf::LimitAmount, self.issued(dice, limit));
        let given = *dice.pick(&[
            0,
            0,
            0,
            flags::tfSetfAuth,
            flags::tfSetNoRipple,
            flags::tfClearNoRipple,
            flags::tfSetFreeze,
            flags::tfClearFreeze,
            flags::tfSetDeepFreeze,
            flags::tfClearDeepFreeze,
        ]);
        let tx = if given == 0 { tx } else { tx.with(sf::Flags, given) };
        match dice.roll(8) {
            0 => tx.with(sf::QualityIn, 990_000_000_u32),
            1 => tx.with(sf::QualityOut, 1_010_000_000_u32),
            _ => tx,
        }
    }
}
