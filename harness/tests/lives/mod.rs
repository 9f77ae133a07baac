//! Random lives: a few accounts that do good and bad things of every kind, one number for each.

mod market;
mod together;

use std::sync::LazyLock;

use xrpl_harness::embedded::{
    Amendment, CloseTime, GENESIS_SEED, Generation, GenesisConfig, Ledger, ServerSetup,
};
use xrpl_wire::{
    AccountId, Amount, Currency, Drops, Field, Hash256, IssuedAmount, KeyPair, KeyType, LedgerEntryType,
    Object, RippleTime, Seed, Transaction, TransactionType, Value, condition, flags, index, sf, sign,
};

/// How many accounts live in a ledger.
const PEOPLE: u8 = 6;

/// A fee that is enough for anything but AccountDelete.
const FEE_DROPS: u64 = 2_000;

/// One call that changed the ledger, so that it can be made again.
#[derive(Debug, Clone)]
pub(crate) enum Call {
    /// A transaction's bytes.
    Submit(Vec<u8>),
    /// A ledger closed.
    Close(CloseTime),
}

/// A ledger, the people in it and what was done to it.
pub(crate) struct Life {
    pub(crate) ledger: Ledger,
    pub(crate) calls: Vec<Call>,
}

/// The people's keys; deriving them is slow, and they are always the same.
static PEOPLE_KEYS: LazyLock<Vec<KeyPair>> = LazyLock::new(|| {
    (1..=PEOPLE)
        .map(|number| {
            let kind = if number % 2 == 0 { KeyType::Secp256k1 } else { KeyType::Ed25519 };
            KeyPair::from_seed(&Seed::from_entropy([number; 16], kind))
        })
        .collect()
});

/// Somebody who does nothing, so that there is always somebody whom nothing holds.
static IDLE_KEY: LazyLock<KeyPair> =
    LazyLock::new(|| KeyPair::from_seed(&Seed::from_entropy([77; 16], KeyType::Ed25519)));

static GENESIS_KEY: LazyLock<KeyPair> =
    LazyLock::new(|| KeyPair::from_seed(&GENESIS_SEED.parse().expect("the genesis seed")));

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

/// The server whose ledger they live in: the newest, with batches switched on.
pub(crate) fn server() -> ServerSetup {
    let features = vec![Amendment::BatchV1_1];
    ServerSetup { generation: Generation::V3_3, features, ..ServerSetup::default() }
}

impl Life {
    /// A ledger in which everybody has some XRP.
    pub(crate) fn begin() -> Life {
        let config = GenesisConfig { server: server(), ..GenesisConfig::default() };
        let mut life = Life { ledger: Ledger::genesis(config), calls: Vec::new() };
        for person in PEOPLE_KEYS.iter() {
            life.fund(&person.account_id());
        }
        life.fund(&IDLE_KEY.account_id());
        life.pay_from_genesis();
        life.close(4);
        life.begin_market();
        life.close(4);
        life
    }

    /// Does what a number says.
    pub(crate) fn act(&mut self, number: u64) {
        let dice = &mut Dice(number);
        match dice.roll(64) {
            0..8 => self.close(dice.number(40)),
            // Rarely, time enough for accounts to be deleted; who was deleted is funded again.
            8 if dice.one_in(2) => {
                (0..260).for_each(|_| self.close(1));
                let leaver = if dice.one_in(2) { IDLE_KEY.account_id() } else { self.owner_of_least() };
                let tx = self.draft(TransactionType::AccountDelete, &leaver);
                let tx = tx.with(sf::Destination, AccountId([7; 20])).with(sf::Fee, drops(200_000));
                let mut keys = PEOPLE_KEYS.iter().chain([&*IDLE_KEY]);
                let by = keys.find(|key| key.account_id() == leaver);
                if let Some(blob) = by.and_then(|by| self.sign(dice, tx, by)) {
                    self.submit(blob);
                    self.close(1);
                }
            }
            9 => {
                self.fund(&dice.pick(&PEOPLE_KEYS).account_id());
                self.fund(&IDLE_KEY.account_id());
            }
            _ => {
                let by = dice.pick(&PEOPLE_KEYS);
                let object = self.transaction(dice, by);
                let object = if dice.one_in(10) { self.delegated(dice, object) } else { object };
                let who = object.account(sf::Delegate).or(object.account(sf::Account));
                let by = PEOPLE_KEYS.iter().find(|key| Some(key.account_id()) == who).unwrap_or(by);
                if let Some(blob) = self.sign(dice, object, by) {
                    self.submit(blob);
                }
            }
        }
    }

    /// Closes a ledger so many seconds after the last.
    pub(crate) fn close(&mut self, seconds: u32) {
        let now = self.ledger.validated().header.close_time.0;
        let at = CloseTime::At(RippleTime(now.saturating_add(seconds)));
        self.ledger.close(at);
        self.calls.push(Call::Close(at));
    }

    /// A payment of the account that holds everything else to an account that does nothing.
    pub(crate) fn pay_from_genesis(&mut self) {
        self.fund(&AccountId([7; 20]));
    }

    fn fund(&mut self, account: &AccountId) {
        let tx = self
            .draft(TransactionType::Payment, &GENESIS_KEY.account_id())
            .with(sf::Destination, *account)
            .with(sf::Amount, drops(50_000_000));
        let tx = Transaction::from_object(tx).expect("a payment");
        self.submit(sign::sign_single(&tx, &GENESIS_KEY).expect("a signature").encode());
    }

    fn submit(&mut self, blob: Vec<u8>) {
        self.ledger.submit(&blob);
        self.calls.push(Call::Submit(blob));
    }

    fn root(&self, account: &AccountId) -> Option<&Object> {
        self.ledger.open().state().object(&index::account_root(account))
    }

    fn entries(&self, kind: LedgerEntryType) -> Vec<&Object> {
        let state = self.ledger.open().state().iter();
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
            let last = self.ledger.open().index().checked_add(dice.number(4))?.checked_sub(1)?;
            object.set(sf::LastLedgerSequence, last);
        }
        if object.has(sf::RawTransactions) {
            object = self.with_participants(dice, object)?;
        }
        let tx = Transaction::from_object(object).ok()?;
        let list = self.ledger.open().state().object(&index::signer_list(&account));
        if let Some(list) = list.filter(|_| dice.one_in(3)) {
            let listed = list.array(sf::SignerEntries).unwrap_or_default();
            let signers = listed.iter().filter_map(|(_, entry)| {
                let account = entry.account(sf::Account)?;
                let key = PEOPLE_KEYS.iter().find(|key| key.account_id() == account)?;
                sign::sign_for(&tx, account, key).ok()
            });
            let signers = signers.collect::<Vec<_>>();
            return sign::assemble(&tx, signers).ok().map(|tx| tx.encode());
        }
        let regular = self.root(&account).and_then(|root| root.account(sf::RegularKey));
        let regular = PEOPLE_KEYS.iter().find(|key| Some(key.account_id()) == regular);
        let key = match dice.roll(16) {
            0 => dice.pick(&PEOPLE_KEYS),
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
        const KINDS: [Kind; 17] = [
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
        let other = dice.pick(&PEOPLE_KEYS).account_id();
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
            Kind::SignerListSet => signer_list_set(dice, tx),
            Kind::TicketCreate => tx.with(sf::TicketCount, dice.number(70)),
            Kind::EscrowCreate => self.escrow_create(dice, tx, other),
            Kind::EscrowFinish | Kind::EscrowCancel => self.escrow_end(dice, tx, kind, other),
            Kind::TrustSet => trust_set(dice, tx),
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
            let page = self.ledger.open().state().object(&index::owner_dir(account));
            page.and_then(|page| page.vector256(sf::Indexes)).map_or(0, <[Hash256]>::len)
        };
        let there =
            PEOPLE_KEYS.iter().map(KeyPair::account_id).filter(|account| self.root(account).is_some());
        there.min_by_key(|account| (listed(account), *account)).unwrap_or(AccountId([7; 20]))
    }

    fn payment(&self, dice: &mut Dice, tx: Object, other: AccountId) -> Object {
        let token = self.some_token(dice).filter(|_| dice.one_in(4));
        let tx = tx.with(sf::Destination, other).with(sf::Amount, token.unwrap_or_else(|| amount(dice)));
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
            0 => tx.with(sf::SendMax, amount(dice)),
            1 => tx.with(sf::DeliverMin, amount(dice)),
            2 => tx.with(sf::DestinationTag, dice.number(9)),
            3..6 => tx.with(sf::SendMax, amount(dice)).with(sf::Paths, market::paths(dice)),
            6 => {
                let own = tx.account(sf::Account).map(|account| self.credentials_of(account));
                tx.with(sf::CredentialIDs, Value::Vector256(own.unwrap_or_default()))
            }
            _ => tx,
        }
    }

    fn escrow_create(&self, dice: &mut Dice, tx: Object, other: AccountId) -> Object {
        let now = self.ledger.validated().header.close_time.0;
        let time = |dice: &mut Dice| now.saturating_add(dice.number(60)).saturating_sub(5);
        let token = self.some_token(dice).filter(|_| dice.one_in(4));
        let amount = token.unwrap_or_else(|| amount(dice));
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

/// An amount of USD; two of the people issue it.
fn issued(dice: &mut Dice, up_to: u64) -> Amount {
    let value = format!("{}.{}", dice.roll(up_to), dice.roll(1_000)).parse().expect("a value");
    let issuer = dice.pick(&PEOPLE_KEYS[..2]).account_id();
    Amount::Issued(IssuedAmount { value, currency: currency(), issuer })
}

fn amount(dice: &mut Dice) -> Amount {
    match dice.roll(12) {
        0..4 => issued(dice, 300),
        // More than most of them have.
        4 => Amount::Xrp(drops(60_000_000 + dice.roll(900_000_000))),
        _ => Amount::Xrp(drops(dice.roll(3_000_000))),
    }
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

fn signer_list_set(dice: &mut Dice, tx: Object) -> Object {
    let count = dice.number(4);
    let mut accounts: Vec<AccountId> = (0..count).map(|_| dice.pick(&PEOPLE_KEYS).account_id()).collect();
    accounts.dedup();
    let entries = accounts.into_iter().map(|account| {
        let entry = Object::new().with(sf::Account, account).with(sf::SignerWeight, 1_u16);
        (sf::SignerEntry, entry)
    });
    let entries: Vec<_> = entries.collect();
    let tx = tx.with(sf::SignerQuorum, dice.number(count.max(1) + 1));
    if entries.is_empty() { tx } else { tx.with(sf::SignerEntries, Value::Array(entries)) }
}

fn trust_set(dice: &mut Dice, tx: Object) -> Object {
    let limit = *dice.pick(&[1, 400, 5_000]);
    let tx = tx.with(sf::LimitAmount, issued(dice, limit));
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
