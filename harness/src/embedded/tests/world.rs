//! People on a ledger, and what they do.

use super::*;

pub(super) const USD: &str = "USD";

/// A ledger with six funded accounts.
pub(super) struct World {
    pub(super) ledger: Ledger,
    people: Vec<KeyPair>,
}

impl World {
    pub(super) fn new() -> World {
        World::of(Generation::default())
    }

    pub(super) fn of(generation: Generation) -> World {
        World::with(GenesisConfig::of(generation))
    }

    pub(super) fn with(config: GenesisConfig) -> World {
        let (ledger, people) = funded_as(config);
        World { ledger, people }
    }

    pub(super) fn id(&self, person: usize) -> AccountId {
        self.people[person].account_id()
    }

    pub(super) fn key(&self, person: usize) -> &KeyPair {
        &self.people[person]
    }

    /// A transaction of a kind of somebody.
    pub(super) fn tx(&self, kind: TransactionType, person: usize) -> Object {
        draft(&self.ledger, kind, &self.people[person])
    }

    /// So much of a currency that somebody issues.
    pub(super) fn of_currency(&self, code: &str, issuer: usize, value: &str) -> Amount {
        let mut currency = [0; 20];
        currency[12..15].copy_from_slice(code.as_bytes());
        let (value, currency) = (value.parse().unwrap(), Currency(currency));
        Amount::Issued(IssuedAmount { value, currency, issuer: self.id(issuer) })
    }

    /// So much of the first person's dollars.
    pub(super) fn usd(&self, value: &str) -> Amount {
        self.of_currency(USD, 0, value)
    }

    /// What would come of a transaction now.
    pub(super) fn tries(&self, tx: &Object) -> TxResult {
        self.ledger.simulate(&Transaction::from_object(tx.clone()).unwrap()).result
    }

    /// What would come of it with some fields set another way.
    pub(super) fn tries_with<const N: usize>(&self, tx: &Object, fields: [(Field, Value); N]) -> TxResult {
        self.tries(&fields.into_iter().fold(tx.clone(), |tx, (field, value)| tx.with(field, value)))
    }

    /// Submits a transaction, closes the ledger, and answers with the closed transaction.
    pub(super) fn closes(&mut self, person: usize, tx: Object) -> Arc<ClosedTx> {
        let blob = signed(tx, &self.people[person]);
        let id = Transaction::decode(&blob).unwrap().id();
        let submitted = self.ledger.submit(&blob);
        let closed = self.ledger.close(CloseTime::Next);
        let found = closed.transactions.iter().find(|tx| tx.id == id).cloned();
        found.unwrap_or_else(|| panic!("not in the ledger: {}", submitted.result))
    }

    /// The same, with the result alone.
    pub(super) fn does(&mut self, person: usize, tx: Object) -> TxResult {
        self.closes(person, tx).result
    }

    /// The same, where it must succeed. Answers with the Sequence that it used.
    pub(super) fn must(&mut self, person: usize, tx: Object) -> u32 {
        let closed = self.closes(person, tx);
        assert_eq!(closed.result, TxResult::tesSUCCESS, "{:?}", closed.tx().tx_type());
        closed.tx().seq().value()
    }

    pub(super) fn pay(&mut self, from: usize, to: usize, amount: Amount) -> TxResult {
        let to = self.id(to);
        let tx = self.tx(TransactionType::Payment, from).with(sf::Destination, to).with(sf::Amount, amount);
        self.does(from, tx)
    }

    pub(super) fn set(&mut self, person: usize, flag: u32) {
        let tx = self.tx(TransactionType::AccountSet, person).with(sf::SetFlag, flag);
        self.must(person, tx);
    }

    /// Lets somebody hold so much at most, and gives it so much.
    pub(super) fn trust(&mut self, person: usize, limit: Amount, gift: Amount) {
        let tx = self.tx(TransactionType::TrustSet, person).with(sf::LimitAmount, limit);
        self.must(person, tx);
        let Amount::Issued(issued) = gift else { panic!("an issued currency") };
        if !issued.value.is_zero() {
            let issuer = self.people.iter().position(|other| other.account_id() == issued.issuer).unwrap();
            assert_eq!(self.pay(issuer, person, gift), TxResult::tesSUCCESS);
        }
    }

    /// Makes the first person issue dollars, and gives others so many of them.
    pub(super) fn issue_usd(&mut self, holders: &[(usize, &str)]) {
        self.set(0, flags::asfDefaultRipple);
        for (person, amount) in holders {
            let (limit, gift) = (self.usd("1000000"), self.usd(amount));
            self.trust(*person, limit, gift);
        }
    }

    /// What somebody has of an issued currency, if it has a line.
    pub(super) fn holds(&self, person: usize, of: &Amount) -> Option<String> {
        let Amount::Issued(IssuedAmount { currency, issuer, .. }) = of else { panic!("an issued currency") };
        let holder = self.id(person);
        let line = self.entry(&index::trust_line(&holder, issuer, currency))?;
        let Some(Amount::Issued(balance)) = line.amount(sf::Balance) else { panic!("a balance") };
        let value = if holder < *issuer { balance.value } else { balance.value.negated() };
        Some(value.to_string())
    }

    /// How many dollars somebody has.
    pub(super) fn dollars(&self, person: usize) -> String {
        self.holds(person, &self.usd("0")).unwrap_or_default()
    }

    pub(super) fn drops_of(&self, person: usize) -> u64 {
        self.root(person).and_then(|root| root.drops(sf::Balance)).map_or(0, Drops::get)
    }

    pub(super) fn root(&self, person: usize) -> Option<&Object> {
        self.entry(&index::account_root(&self.id(person)))
    }

    /// How many objects somebody counts as owning.
    pub(super) fn owns(&self, person: usize) -> u32 {
        self.root(person).and_then(|root| root.u32(sf::OwnerCount)).unwrap()
    }

    /// How many objects are listed for somebody.
    pub(super) fn listed(&self, person: usize) -> usize {
        let page = self.entry(&index::owner_dir(&self.id(person)));
        page.and_then(|page| page.vector256(sf::Indexes)).map_or(0, <[Hash256]>::len)
    }

    pub(super) fn entry(&self, at: &Hash256) -> Option<&Object> {
        self.ledger.validated().state.object(at)
    }

    /// When the validated ledger closed.
    pub(super) fn now(&self) -> u32 {
        self.ledger.validated().header.close_time.0
    }

    /// Lets time pass.
    pub(super) fn wait(&mut self, seconds: u32) {
        self.ledger.close(CloseTime::At(RippleTime(self.now() + seconds)));
    }

    /// Closes so many ledgers that an account of the beginning may be deleted.
    pub(super) fn age(&mut self) {
        for _ in 0..260 {
            self.ledger.close(CloseTime::Next);
        }
    }

    /// A transaction by which somebody deletes its account in favour of another.
    pub(super) fn leave(&self, person: usize, to: usize) -> Object {
        let fee = self.ledger.validated().fees.reserve_inc;
        self.tx(TransactionType::AccountDelete, person).with(sf::Destination, self.id(to)).with(sf::Fee, fee)
    }
}
