//! What people promise and trade: offers, checks, channels, credentials, domains and tokens.

use xrpl_wire::{MptAmount, PathStep};

use super::*;

/// The kinds of transactions of this file.
pub(super) const KINDS: [TransactionType; 20] = [
    TransactionType::OfferCreate,
    TransactionType::OfferCreate,
    TransactionType::OfferCreate,
    TransactionType::OfferCancel,
    TransactionType::CheckCreate,
    TransactionType::CheckCash,
    TransactionType::CheckCancel,
    TransactionType::PaymentChannelCreate,
    TransactionType::PaymentChannelFund,
    TransactionType::PaymentChannelClaim,
    TransactionType::Clawback,
    TransactionType::CredentialCreate,
    TransactionType::CredentialAccept,
    TransactionType::CredentialDelete,
    TransactionType::PermissionedDomainSet,
    TransactionType::PermissionedDomainDelete,
    TransactionType::MPTokenIssuanceCreate,
    TransactionType::MPTokenIssuanceSet,
    TransactionType::MPTokenIssuanceDestroy,
    TransactionType::MPTokenAuthorize,
];

const CREDENTIAL_TYPES: [&[u8]; 2] = [b"KYC", b"AML"];

/// Where an entry stands, and the entry.
type Found<'l> = (Hash256, &'l Object);

impl<W: World> Life<W> {
    /// Two issue a currency, one of them a token too, and all others but the last have some of it.
    pub(super) fn begin_market(&mut self) {
        let cast = Arc::clone(&self.cast);
        let [issuers @ .., _] = &cast.people[..] else { panic!("people") };
        let (issuers, holders) = issuers.split_at(2);
        for issuer in issuers {
            // Only who owns nothing yet may ask for it.
            for flag in [flags::asfAllowTrustLineClawback, flags::asfDefaultRipple] {
                self.settle(TransactionType::AccountSet, issuer, |tx| tx.with(sf::SetFlag, flag));
            }
        }
        let all =
            flags::tfMPTCanLock | flags::tfMPTCanEscrow | flags::tfMPTCanTransfer | flags::tfMPTCanClawback;
        self.settle(TransactionType::MPTokenIssuanceCreate, &issuers[0], |tx| {
            tx.with(sf::Flags, all).with(sf::TransferFee, 1_234_u16)
        });
        self.settle(TransactionType::AccountSet, &issuers[1], |tx| {
            tx.with(sf::TransferRate, 1_002_345_678_u32)
        });
        let id = self.found(LedgerEntryType::MPTokenIssuance).first().map(|(_, token)| id_of(token));
        for holder in holders {
            for issuer in issuers {
                let usd = |value: &str| {
                    let (value, issuer) = (value.parse().expect("a value"), issuer.account_id());
                    Amount::Issued(IssuedAmount { value, currency: currency(), issuer })
                };
                self.settle(TransactionType::TrustSet, holder, |tx| tx.with(sf::LimitAmount, usd("5000")));
                self.settle(TransactionType::Payment, issuer, |tx| {
                    tx.with(sf::Destination, holder.account_id()).with(sf::Amount, usd("1000"))
                });
            }
            let Some(id) = id else {
                // The numbers of the steps stay what they are.
                self.steps += 2;
                continue;
            };
            self.settle(TransactionType::MPTokenAuthorize, holder, |tx| {
                tx.with(sf::MPTokenIssuanceID, Value::Hash192(id))
            });
            self.settle(TransactionType::Payment, &issuers[0], |tx| {
                tx.with(sf::Destination, holder.account_id()).with(sf::Amount, mpt(id, 1_000))
            });
        }
        self.begin_books();
    }

    /// Some of them give one thing for another, at rates that do not come out even.
    fn begin_books(&mut self) {
        let cast = Arc::clone(&self.cast);
        let usd = |issuer: usize, value: &str| {
            let (value, issuer) = (value.parse().expect("a value"), cast.people[issuer].account_id());
            Amount::Issued(IssuedAmount { value, currency: currency(), issuer })
        };
        let xrp = |amount| Amount::Xrp(drops(amount));
        for (maker, gets, pays) in [
            (2, usd(0, "300.7"), xrp(7_654_321)),
            (3, xrp(5_432_123), usd(1, "177.31")),
            (3, usd(1, "250.3"), usd(0, "311.17")),
            (4, usd(0, "200.9"), usd(1, "231.7")),
            (4, usd(1, "300.1"), xrp(6_789_012)),
        ] {
            self.settle(TransactionType::OfferCreate, &cast.people[maker], |tx| {
                tx.with(sf::TakerGets, gets).with(sf::TakerPays, pays)
            });
        }
    }

    pub(super) fn settle(&mut self, kind: TransactionType, by: &KeyPair, with: impl Fn(Object) -> Object) {
        if !self.is_next_taken() {
            return;
        }
        let tx = with(self.draft(kind, &by.account_id()));
        let tx = Transaction::from_object(tx).expect("a transaction");
        self.submit(sign::sign_single(&tx, by).expect("a signature").encode());
        self.close(4);
    }

    fn found(&self, kind: LedgerEntryType) -> Vec<Found<'_>> {
        let state = self.world.ledger().open().state().iter();
        let of_kind = state.filter(|(_, entry)| entry.entry_type() == Some(kind));
        of_kind.map(|(index, entry)| (*index, entry.object())).collect()
    }

    /// One of those, preferably somebody's own.
    fn one(&self, dice: &mut Dice, kind: LedgerEntryType, field: Field, of: AccountId) -> Option<Found<'_>> {
        let all = self.found(kind);
        let own: Vec<Found<'_>> =
            all.iter().filter(|(_, entry)| entry.account(field) == Some(of)).copied().collect();
        match (own.is_empty() || dice.one_in(8), all.is_empty()) {
            (_, true) => None,
            (true, _) => Some(*dice.pick(&all)),
            (false, _) => Some(*dice.pick(&own)),
        }
    }

    fn soon(&self, dice: &mut Dice) -> u32 {
        let now = self.world.ledger().validated().header.close_time.0;
        now.saturating_add(dice.number(90)).saturating_sub(5)
    }

    /// A transaction of a kind of this file.
    pub(super) fn market(
        &self,
        dice: &mut Dice,
        kind: TransactionType,
        by: &KeyPair,
        other: AccountId,
    ) -> Object {
        use TransactionType as Kind;
        let tx = self.draft(kind, &by.account_id());
        match kind {
            Kind::OfferCreate => self.offer(dice, tx, by.account_id()),
            Kind::OfferCancel => self.cancel_offer(dice, tx, by.account_id()),
            Kind::CheckCreate | Kind::CheckCash | Kind::CheckCancel => self.check(dice, tx, by, other),
            Kind::PaymentChannelCreate | Kind::PaymentChannelFund | Kind::PaymentChannelClaim => {
                self.channel(dice, tx, by, other)
            }
            Kind::Clawback => self.clawback(dice, other),
            Kind::CredentialCreate | Kind::CredentialAccept | Kind::CredentialDelete => {
                self.credential(dice, tx, by.account_id(), other)
            }
            Kind::PermissionedDomainSet | Kind::PermissionedDomainDelete => {
                self.domain(dice, tx, by.account_id(), other)
            }
            _ => self.token(dice, tx, by.account_id(), other),
        }
    }

    fn offer(&self, dice: &mut Dice, tx: Object, by: AccountId) -> Object {
        let xrp = |dice: &mut Dice| Amount::Xrp(drops(1 + dice.roll(2_000_000)));
        let (pays, gets) = match dice.roll(3) {
            0 => (xrp(dice), self.cast.issued(dice, 300)),
            1 => (self.cast.issued(dice, 300), xrp(dice)),
            _ => (self.cast.issued(dice, 300), self.cast.issued(dice, 300)),
        };
        let given = *dice.pick(&[
            0,
            0,
            0,
            0,
            flags::tfPassive,
            flags::tfSell,
            flags::tfImmediateOrCancel,
            flags::tfFillOrKill,
            flags::tfFillOrKill | flags::tfSell,
            flags::tfHybrid,
        ]);
        let mut tx = tx.with(sf::TakerPays, pays).with(sf::TakerGets, gets).with(sf::Flags, given);
        if dice.one_in(8) {
            tx.set(sf::Expiration, self.soon(dice));
        }
        if (given == flags::tfHybrid || dice.one_in(6))
            && let Some((domain, _)) = self.one(dice, LedgerEntryType::PermissionedDomain, sf::Owner, by)
        {
            tx.set(sf::DomainID, domain);
        }
        if dice.one_in(5) { self.cancel_offer(dice, tx, by) } else { tx }
    }

    fn cancel_offer(&self, dice: &mut Dice, tx: Object, by: AccountId) -> Object {
        let offer = self.one(dice, LedgerEntryType::Offer, sf::Account, by);
        let number = offer.and_then(|(_, offer)| offer.u32(sf::Sequence)).unwrap_or(3);
        tx.with(sf::OfferSequence, number)
    }

    fn check(&self, dice: &mut Dice, tx: Object, by: &KeyPair, other: AccountId) -> Object {
        let kind = tx.u16(sf::TransactionType);
        if kind == Some(TransactionType::CheckCreate.code()) {
            let tx = tx.with(sf::Destination, other).with(sf::SendMax, self.cast.amount(dice));
            return if dice.one_in(3) { tx.with(sf::Expiration, self.soon(dice)) } else { tx };
        }
        let check = self.one(dice, LedgerEntryType::Check, sf::Destination, by.account_id());
        let Some((at, check)) = check else { return tx.with(sf::CheckID, Hash256([3; 32])) };
        let payee = check.account(sf::Destination).filter(|_| !dice.one_in(3));
        let cashes = kind == Some(TransactionType::CheckCash.code());
        let tx = match payee.filter(|_| cashes) {
            Some(payee) => self.draft(TransactionType::CheckCash, &payee),
            None => tx,
        };
        let tx = tx.with(sf::CheckID, at);
        if kind == Some(TransactionType::CheckCancel.code()) {
            return tx;
        }
        let asked = match check.amount(sf::SendMax) {
            Some(Amount::Xrp(most)) => Amount::Xrp(drops(1 + dice.roll(most.get() + 1))),
            Some(most) => most,
            None => self.cast.amount(dice),
        };
        tx.with(*dice.pick(&[sf::Amount, sf::DeliverMin]), asked)
    }

    fn channel(&self, dice: &mut Dice, tx: Object, by: &KeyPair, other: AccountId) -> Object {
        let kind = tx.u16(sf::TransactionType);
        let some = Amount::Xrp(drops(dice.roll(900_000)));
        if kind == Some(TransactionType::PaymentChannelCreate.code()) {
            let key = by.public_key().as_bytes().to_vec();
            let tx = tx.with(sf::Destination, other).with(sf::Amount, some);
            let tx = tx.with(sf::SettleDelay, dice.number(60)).with(sf::PublicKey, key);
            return if dice.one_in(4) { tx.with(sf::CancelAfter, self.soon(dice)) } else { tx };
        }
        let is_fund = kind == Some(TransactionType::PaymentChannelFund.code());
        let side = if is_fund || dice.one_in(3) { sf::Account } else { sf::Destination };
        let channel = self.one(dice, LedgerEntryType::PayChannel, side, by.account_id());
        let Some((at, channel)) = channel else {
            return tx.with(sf::Channel, Hash256([4; 32])).with(sf::Amount, some);
        };
        let tx = tx.with(sf::Channel, at);
        if is_fund {
            let tx = tx.with(sf::Amount, some);
            return if dice.one_in(3) { tx.with(sf::Expiration, self.soon(dice)) } else { tx };
        }
        let given = *dice.pick(&[0, 0, 0, flags::tfClose, flags::tfRenew]);
        let tx = tx.with(sf::Flags, given);
        if given != 0 && dice.one_in(2) {
            return tx;
        }
        let paid = channel.drops(sf::Balance).map_or(0, Drops::get);
        let balance = paid + dice.roll(200_000);
        let signer =
            self.cast.people.iter().find(|key| Some(key.account_id()) == channel.account(sf::Account));
        let signer = signer.unwrap_or(by);
        let signed = [b"CLM\0".as_slice(), &at.0, &balance.to_be_bytes()].concat();
        tx.with(sf::Balance, drops(balance))
            .with(sf::Amount, drops(balance))
            .with(sf::PublicKey, signer.public_key().as_bytes().to_vec())
            .with(sf::Signature, signer.sign(&signed))
    }

    /// Of somebody who holds something, by its issuer.
    fn clawback(&self, dice: &mut Dice, other: AccountId) -> Object {
        let issuer = dice.pick(&self.cast.people[..2]).account_id();
        let draft = |issuer: &AccountId| self.draft(TransactionType::Clawback, issuer);
        let holdings =
            self.found(if dice.one_in(2) { LedgerEntryType::MPToken } else { LedgerEntryType::RippleState });
        if holdings.is_empty() || dice.one_in(6) {
            return draft(&issuer).with(sf::Amount, self.cast.issued(dice, 100)).with(sf::Holder, other);
        }
        let (_, holding) = dice.pick(&holdings);
        if let Some(id) = held_id(holding) {
            let issuer = AccountId(*id.last_chunk().expect("an issuer"));
            let holder = holding.account(sf::Account).expect("a holder");
            return draft(&issuer).with(sf::Amount, mpt(id, 1 + dice.roll(300))).with(sf::Holder, holder);
        }
        let side = |field| match holding.amount(field) {
            Some(Amount::Issued(limit)) => limit,
            other => panic!("a limit is {other:?}"),
        };
        let (low, high) = (side(sf::LowLimit), side(sf::HighLimit));
        let low_holds = holding.amount(sf::Balance).is_some_and(|balance| !balance.is_negative());
        let (holder, issuer) = if low_holds { (low, high) } else { (high, low) };
        // In the holder's name.
        let value = format!("{}.5", dice.roll(100)).parse().expect("a value");
        draft(&issuer.issuer).with(sf::Amount, Amount::Issued(IssuedAmount { value, ..holder }))
    }

    fn credential(&self, dice: &mut Dice, tx: Object, by: AccountId, other: AccountId) -> Object {
        let kind = tx.u16(sf::TransactionType);
        if kind == Some(TransactionType::CredentialCreate.code()) {
            let tx =
                tx.with(sf::Subject, other).with(sf::CredentialType, dice.pick(&CREDENTIAL_TYPES).to_vec());
            return if dice.one_in(3) { tx.with(sf::Expiration, self.soon(dice)) } else { tx };
        }
        let mut one = self.one(dice, LedgerEntryType::Credential, sf::Subject, by);
        let mut tx = tx;
        if kind == Some(TransactionType::CredentialAccept.code()) && !dice.one_in(4) {
            // Of those that wait for it, by whom they wait for.
            let waiting: Vec<Found<'_>> = self
                .found(LedgerEntryType::Credential)
                .into_iter()
                .filter(|(_, entry)| entry.u32(sf::Flags).unwrap_or(0) & flags::lsfAccepted == 0)
                .collect();
            if !waiting.is_empty() {
                let (at, entry) = *dice.pick(&waiting);
                let subject = entry.account(sf::Subject).expect("a subject");
                tx = self.draft(TransactionType::CredentialAccept, &subject);
                one = Some((at, entry));
            }
        }
        let Some((_, entry)) = one else {
            return tx.with(sf::Issuer, other).with(sf::CredentialType, CREDENTIAL_TYPES[0].to_vec());
        };
        let named = |field| entry.account(field).expect("an account");
        let tx = tx.with(sf::CredentialType, entry.blob(sf::CredentialType).expect("a type").to_vec());
        let tx = tx.with(sf::Issuer, named(sf::Issuer));
        if kind == Some(TransactionType::CredentialAccept.code()) {
            return tx;
        }
        tx.with(sf::Subject, named(sf::Subject))
    }

    fn domain(&self, dice: &mut Dice, tx: Object, by: AccountId, other: AccountId) -> Object {
        let old = self.one(dice, LedgerEntryType::PermissionedDomain, sf::Owner, by);
        if tx.u16(sf::TransactionType) == Some(TransactionType::PermissionedDomainDelete.code()) {
            return tx.with(sf::DomainID, old.map_or(Hash256([5; 32]), |(at, _)| at));
        }
        let tx = tx.with(sf::AcceptedCredentials, Value::Array(accepted(dice, other)));
        match old.filter(|_| dice.one_in(3)) {
            Some((at, _)) => tx.with(sf::DomainID, at),
            None => tx,
        }
    }

    fn token(&self, dice: &mut Dice, tx: Object, by: AccountId, other: AccountId) -> Object {
        let kind = tx.u16(sf::TransactionType);
        if kind == Some(TransactionType::MPTokenIssuanceCreate.code()) {
            let all = flags::tfMPTCanLock
                | flags::tfMPTCanEscrow
                | flags::tfMPTCanTransfer
                | flags::tfMPTCanClawback;
            let given = *dice.pick(&[all, all, all | flags::tfMPTRequireAuth, 0]);
            let tx = tx.with(sf::Flags, given);
            return match dice.roll(4) {
                0 => tx.with(sf::TransferFee, dice.pick(&[0_u16, 1, 12_345, 50_000]).to_owned()),
                1 => tx.with(sf::MaximumAmount, 5_000_u64),
                _ => tx,
            };
        }
        let mine = kind != Some(TransactionType::MPTokenAuthorize.code()) || dice.one_in(3);
        let issuer = if mine { by } else { other };
        let token = self.one(dice, LedgerEntryType::MPTokenIssuance, sf::Issuer, issuer);
        let id = token.map_or([0; 24], |(_, token)| id_of(token));
        let tx = tx.with(sf::MPTokenIssuanceID, Value::Hash192(id));
        if kind == Some(TransactionType::MPTokenIssuanceDestroy.code()) {
            return tx;
        }
        let tx = if dice.one_in(4) || (mine && dice.one_in(2)) { tx.with(sf::Holder, other) } else { tx };
        match kind {
            Some(kind) if kind == TransactionType::MPTokenIssuanceSet.code() => {
                tx.with(sf::Flags, *dice.pick(&[flags::tfMPTLock, flags::tfMPTUnlock]))
            }
            _ if dice.one_in(4) => tx.with(sf::Flags, flags::tfMPTUnauthorize),
            _ => tx,
        }
    }

    /// Some of any token there is.
    pub(super) fn some_token(&self, dice: &mut Dice) -> Option<Amount> {
        let tokens = self.found(LedgerEntryType::MPTokenIssuance);
        if tokens.is_empty() {
            return None;
        }
        let (_, token) = dice.pick(&tokens);
        Some(mpt(id_of(token), 1 + dice.roll(300)))
    }

    /// The credentials of somebody, to be shown.
    pub(super) fn credentials_of(&self, subject: AccountId) -> Vec<Hash256> {
        let all = self.found(LedgerEntryType::Credential).into_iter();
        let own = all.filter(|(_, entry)| entry.account(sf::Subject) == Some(subject));
        own.map(|(at, _)| at).take(8).collect()
    }
}

impl Cast {
    /// Paths for a payment: over XRP, over an issuer, or nonsense.
    pub(super) fn paths(&self, dice: &mut Dice) -> Value {
        let xrp = PathStep { currency: Some(Currency::XRP), ..PathStep::default() };
        let account = PathStep { account: Some(dice.pick(&self.people).account_id()), ..PathStep::default() };
        let book = PathStep {
            currency: Some(currency()),
            issuer: Some(dice.pick(&self.people[..2]).account_id()),
            ..PathStep::default()
        };
        let count = 1 + dice.roll(3);
        let path = |dice: &mut Dice| {
            let steps = 1 + dice.roll(3);
            (0..steps).map(|_| *dice.pick(&[xrp, account, book])).collect()
        };
        Value::PathSet((0..count).map(|_| path(dice)).collect())
    }
}

/// A list of credentials that are accepted.
pub(super) fn accepted(dice: &mut Dice, issuer: AccountId) -> Vec<(Field, Object)> {
    let count = usize::try_from(1 + dice.roll(2)).expect("a count");
    let listed = CREDENTIAL_TYPES[..count].iter().map(|kind| {
        let fields = Object::new().with(sf::Issuer, issuer).with(sf::CredentialType, kind.to_vec());
        (sf::Credential, fields)
    });
    listed.collect()
}

fn mpt(issuance_id: [u8; 24], value: u64) -> Amount {
    Amount::Mpt(MptAmount { negative: false, value, issuance_id })
}

fn id_of(issuance: &Object) -> [u8; 24] {
    let issuer = issuance.account(sf::Issuer).expect("an issuer");
    index::mpt_id(issuance.u32(sf::Sequence).expect("a number"), &issuer)
}

fn held_id(token: &Object) -> Option<[u8; 24]> {
    match token.get(sf::MPTokenIssuanceID) {
        Some(Value::Hash192(id)) => Some(*id),
        _ => None,
    }
}
