//! The ledger of the test world: how it closes, what it applies, and who else lives on it.

use xrpl_wire::typed::AccountSet;

use super::*;

impl World {
    /// An account comes to have so much.
    pub fn change_balance(&mut self, account: &str, balance_xrp: u64) {
        let change = self.pay(id(account), |_| balance_xrp * XRP).unwrap();
        self.change(vec![change]);
    }

    /// Closes a ledger 4 s on with these transactions, each a success.
    pub fn close(&mut self, transactions: &[Transaction]) {
        self.close_at(4, transactions, "tesSUCCESS");
    }

    /// Closes a ledger so much later.
    pub fn jump(&mut self, seconds: u32) {
        self.close_at(seconds, &[], "tesSUCCESS");
    }

    pub fn close_at(&mut self, seconds: u32, transactions: &[Transaction], result: &str) {
        let observation = self.observed(seconds, transactions, result);
        self.hand_on(observation);
    }

    /// The next ledger, with these transactions in it.
    pub fn observed(
        &mut self,
        seconds: u32,
        transactions: &[Transaction],
        result: &str,
    ) -> LedgerObservation {
        let mut observation = self.next_ledger(seconds);
        for tx in transactions {
            let success = result == "tesSUCCESS";
            observation.transactions.push(ObservedTx {
                signers: signers_of(tx.object()),
                id: tx.id(),
                account: tx.account(),
                slot: tx.seq(),
                tx_type: tx.tx_type().name().to_owned(),
                result: result.to_owned(),
                digest: intent_digest(tx).unwrap(),
                fee: tx.fee(),
            });
            observation.changes.extend(self.take(tx, success));
        }
        observation
    }

    pub fn next_ledger(&self, seconds: u32) -> LedgerObservation {
        let parent = self.state.ledger.unwrap();
        let index = parent.index.plus(1);
        LedgerObservation {
            point: LedgerPoint {
                index,
                hash: hash(&index.to_string()),
                close_time: RippleTime(parent.close_time.0 + seconds),
            },
            parent_hash: parent.hash,
            fees: NetworkFees { base_fee: drops(10), reserve_base: drops(XRP), reserve_inc: drops(200_000) },
            transactions: Vec::new(),
            changes: Vec::new(),
            opaque: Vec::new(),
            unproven: false,
        }
    }

    pub fn hand_on(&mut self, observation: LedgerObservation) {
        self.wall_ms += 4_000;
        let closed = observation.point.close_time;
        self.input(Input::Ledger { observation, wall_ms: self.wall_ms });
        let utc = i64::from(closed.0) + self.clock_ahead;
        self.tick(RippleTime(u32::try_from(utc).unwrap()));
    }

    pub fn silence(&mut self, seconds: u64) {
        self.wall_ms += seconds * 1_000;
        let utc = self.state.now().0 + u32::try_from(seconds).unwrap();
        self.tick(RippleTime(utc));
    }

    /// The host's clock says this.
    pub fn tick(&mut self, utc: RippleTime) {
        self.input(Input::Tick { wall_ms: self.wall_ms, utc });
    }

    /// An account outside of the treasury comes to be on the ledger, with these flags; `None`: not on it.
    pub fn stranger(&mut self, name: &str, flags: Option<u32>) -> AccountId {
        self.ledger.insert(id(name), stranger(id(name), flags));
        id(name)
    }

    /// A stranger's flags change, or it is deleted, in the next ledger.
    pub fn change_stranger(&mut self, account: AccountId, flags: Option<u32>) {
        let root = stranger(account, flags).root;
        self.change(vec![Change::Root { account, root }]);
    }

    /// What somebody sees of an account when it is read, which need not be true.
    pub fn misread(&mut self, account: AccountId, lie: impl FnOnce(&mut AccountSnapshot)) {
        self.misread_by(account, "ws://test", lie);
    }

    /// The same of a server.
    pub fn misread_by(&mut self, account: AccountId, from: &str, lie: impl FnOnce(&mut AccountSnapshot)) {
        let at = self.state.ledger.unwrap();
        let mut accounts: Vec<AccountSnapshot> = self.ledger.values().cloned().collect();
        lie(accounts.iter_mut().find(|read| read.account == account).unwrap());
        self.input(Input::Reconciled { at, accounts, from: from.to_owned(), wall_ms: self.wall_ms });
    }

    /// A payment is asked for without sight: it is refused.
    pub fn propose_blind(&mut self, account: &str) {
        let propose = self.payment(account, 50);
        let refused = self.command("alice", Command::Propose(propose)).unwrap_err();
        assert_eq!(refused.code(), "NO_SIGHT");
    }

    /// The ids of the stops that stand on a subject.
    pub fn stops_on(&self, subject: &Subject) -> BTreeSet<StopId> {
        self.state.stops.on(subject).map(|stop| stop.id).collect()
    }

    /// Has a person freeze an account.
    pub fn freeze(&mut self, person: &str, account: &str, reason: &str) -> (StopId, bool) {
        let freeze = Command::Freeze { account: Some(id(account)), reason: reason.to_owned() };
        match self.command(person, freeze).unwrap() {
            Answer::Stopped { stop, changed, .. } => (stop, changed),
            other => panic!("{other:?}"),
        }
    }

    /// Lifts every stop that stands.
    pub fn lift_all(&mut self) {
        let stops = self.state.stops.all().map(|stop| stop.id).collect();
        let reason = "settled".to_owned();
        self.command("dave", Command::Lift { stops, reason }).unwrap();
    }

    /// What a transaction changes.
    fn take(&mut self, tx: &Transaction, success: bool) -> Vec<Change> {
        let account = tx.account();
        let mut changes = Vec::new();
        let mut cost = tx.fee().get();
        let body = TxBody::parse(tx).unwrap();
        let mut credit: Option<(AccountId, u64)> = None;
        if let SeqProxy::Ticket(ticket) = tx.seq() {
            changes.push(Change::TicketDeleted { account, ticket });
        }
        if success {
            match body {
                TxBody::Payment(payment) => {
                    if let Amount::Xrp(amount) = payment.amount {
                        cost += amount.get();
                        credit = Some((payment.destination, amount.get()));
                    } else {
                        changes.extend(self.ripple(account, payment.amount, true));
                        changes.extend(self.ripple(payment.destination, payment.amount, false));
                    }
                }
                TxBody::TicketCreate(create) => {
                    let first = tx.seq().value() + 1;
                    changes.extend(
                        (first..first + create.count).map(|ticket| Change::TicketCreated { account, ticket }),
                    );
                }
                TxBody::EscrowCreate(create) => {
                    let xrpl_wire::Amount::Xrp(amount) = create.amount else { panic!("XRP only") };
                    cost += amount.get();
                    changes.push(Change::EscrowCreated { escrow: escrow_view(tx, create) });
                }
                TxBody::EscrowFinish(finish) => {
                    let key = EscrowKey { owner: finish.owner, sequence: finish.offer_sequence };
                    changes.push(Change::EscrowDeleted {
                        key,
                        tx_id: tx.id(),
                        tx_type: "EscrowFinish".into(),
                    });
                }
                TxBody::EscrowCancel(cancel) => {
                    let key = EscrowKey { owner: cancel.owner, sequence: cancel.offer_sequence };
                    let amount = self.state.escrows[&key].view.amount.unwrap().drops().unwrap().get();
                    credit = Some((cancel.owner, amount));
                    changes.push(Change::EscrowDeleted {
                        key,
                        tx_id: tx.id(),
                        tx_type: "EscrowCancel".into(),
                    });
                }
                // A void, which sets nothing.
                TxBody::AccountSet(set) if set == AccountSet::default() => {}
                other => panic!("{other:?}"),
            }
        }
        changes.extend(self.pay(account, |balance| balance - cost));
        if let Some((to, amount)) = credit {
            changes.extend(self.pay(to, |balance| balance + amount));
        }
        for change in &changes {
            self.mirror(change);
        }
        changes
    }

    /// So much goes out by a trust line, or comes in; nothing where there is none, as of an issuer and of strangers.
    fn ripple(&self, account: AccountId, amount: Amount, out: bool) -> Option<Change> {
        let Amount::Issued(moved) = amount else { panic!("an issued currency") };
        let line = *self.ledger.get(&account)?.trust_lines.as_ref()?.get(&amount.issue())?;
        let moved = if out { moved.value.negated() } else { moved.value };
        let line = TrustLineView { balance: line.balance.checked_add(moved).unwrap(), ..line };
        Some(Change::TrustLine { account, asset: amount.issue(), line: Some(line) })
    }

    pub fn pay(&mut self, account: AccountId, change: impl Fn(u64) -> u64) -> Option<Change> {
        let root = self.ledger.get_mut(&account)?.root.as_mut()?;
        root.balance = drops(change(root.balance.get()));
        Some(Change::Root { account, root: Some(*root) })
    }

    /// Keeps the world's own ledger in step with what it tells.
    pub fn mirror(&mut self, change: &Change) {
        match change {
            Change::TicketCreated { account, ticket } => {
                self.ledger.get_mut(account).unwrap().tickets.insert(*ticket);
            }
            Change::TicketDeleted { account, ticket } => {
                self.ledger.get_mut(account).unwrap().tickets.remove(ticket);
            }
            Change::EscrowCreated { escrow } => {
                self.ledger.get_mut(&escrow.key.owner).unwrap().escrows.push(escrow.clone());
            }
            Change::EscrowDeleted { key, .. } => {
                self.ledger.get_mut(&key.owner).unwrap().escrows.retain(|escrow| escrow.key != *key);
            }
            Change::Settings { account, settings } => {
                self.ledger.get_mut(account).unwrap().settings = Some(settings.clone());
            }
            Change::SignerList { account, list } => {
                self.ledger.get_mut(account).unwrap().signer_list.clone_from(list);
            }
            Change::TrustLine { account, asset, line } => {
                let lines = &mut self.ledger.get_mut(account).unwrap().trust_lines;
                let lines = lines.get_or_insert_default();
                match line {
                    Some(line) => lines.insert(*asset, *line),
                    None => lines.remove(asset),
                };
            }
            Change::Root { account, root } => self.ledger.get_mut(account).unwrap().root = *root,
        }
    }

    /// A ledger with these changes and nothing else.
    pub fn change(&mut self, changes: Vec<Change>) {
        changes.iter().for_each(|change| self.mirror(change));
        let observation = LedgerObservation { changes, ..self.next_ledger(4) };
        self.hand_on(observation);
    }
}

pub(super) fn stranger(account: AccountId, flags: Option<u32>) -> AccountSnapshot {
    let root = flags.map(|flags| RootView {
        balance: drops(20 * XRP),
        sequence: 7,
        owner_count: 0,
        flags,
        regular_key: None,
        transfer_rate: Some(0),
    });
    AccountSnapshot {
        account,
        root,
        signer_list: None,
        tickets: BTreeSet::new(),
        escrows: Vec::new(),
        trust_lines: None,
        settings: None,
    }
}

/// The escrow that a transaction makes, as the ledger shows it.
pub fn escrow_view(tx: &Transaction, create: xrpl_wire::typed::EscrowCreate) -> EscrowView {
    EscrowView {
        key: EscrowKey { owner: tx.account(), sequence: tx.seq().value() },
        destination: create.destination,
        destination_tag: create.destination_tag,
        amount: Some(create.amount),
        finish_after: create.finish_after,
        cancel_after: create.cancel_after,
        condition: create.condition.map(HexBytes),
    }
}
