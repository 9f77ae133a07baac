//! Makes the treasury on a fresh embedded ledger, each step a real transaction.

use xrpl_harness::EmbeddedServer;
use xrpl_wire::typed::{AccountSet, DepositPreauth, SetRegularKey, SignerEntry, SignerListSet, TicketCreate};
use xrpl_wire::{AccountId, Hash256, SeqProxy, TxBody, TxCommon, TxResult, flags, index, sf};

use super::DevError;
use super::cast::{Cast, Identity, TreasuryAccount, xrp};

/// Tickets that each sending account starts with.
const TICKETS: u32 = 10;

/// What recipients and strangers hold, in XRP, so that they are on the ledger: an escrow cannot make an account.
const RECIPIENT_XRP: u32 = 20;

/// Funds and sets up every account, and proves that every transaction of it was validated.
///
/// # Errors
/// [`DevError::Provision`] names the transaction that the ledger did not take.
pub(super) fn provision(server: &EmbeddedServer, cast: &Cast) -> Result<(), DevError> {
    let mut maker = Maker { server, sent: Vec::new() };
    for account in &cast.accounts {
        maker.fund(&account.identity, account.funds)?;
    }
    for person in &cast.people {
        if let Some(funds) = person.funds {
            maker.fund(&person.identity, funds)?;
        }
    }
    for recipient in cast.destinations.iter().chain([&cast.stranger]) {
        maker.fund(recipient, xrp(RECIPIENT_XRP))?;
    }
    // The accounts must be on the validated ledger before others can name them.
    server.close_ledger();
    for account in &cast.accounts {
        maker.set_up(cast, account)?;
    }
    for person in &cast.people {
        if let Some(regular) = &person.regular {
            let set = SetRegularKey { regular_key: Some(regular.id()) };
            maker.send(&person.identity, "SetRegularKey", &TxBody::SetRegularKey(set))?;
            maker.switch_on(&person.identity, flags::asfDisableMaster)?;
        }
    }
    server.close_ledger();
    maker.prove()
}

struct Maker<'a> {
    server: &'a EmbeddedServer,
    sent: Vec<(String, Hash256)>,
}

impl Maker<'_> {
    fn fund(&mut self, identity: &Identity, funds: xrpl_wire::Drops) -> Result<(), DevError> {
        let id = self.server.fund(&identity.id(), funds)?;
        self.sent.push((format!("funding {}", identity.name()), id));
        Ok(())
    }

    fn set_up(&mut self, cast: &Cast, account: &TreasuryAccount) -> Result<(), DevError> {
        let identity = &account.identity;
        match &account.signers {
            Some(signers) => {
                let entries = signers
                    .names
                    .iter()
                    .filter_map(|name| cast.identity(name))
                    .map(|signer| SignerEntry { account: signer.id(), weight: 1 })
                    .collect();
                let list = SignerListSet { quorum: signers.quorum, entries };
                self.send(identity, "SignerListSet", &TxBody::SignerListSet(list))?;
                self.tickets(identity)?;
                // Last, with its own signature: from here on only the SignerList can move the money.
                self.switch_on(identity, flags::asfDisableMaster)
            }
            None if identity.name() == "board" => {
                self.switch_on(identity, flags::asfDepositAuth)?;
                // Members whose accounts are on the ledger; nobody can be authorized before that.
                for member in cast.people.iter().filter(|person| person.funds.is_some()) {
                    let authorize = DepositPreauth::Authorize(member.identity.id());
                    self.send(identity, "DepositPreauth", &TxBody::DepositPreauth(authorize))?;
                }
                Ok(())
            }
            None => self.tickets(identity),
        }
    }

    fn tickets(&mut self, identity: &Identity) -> Result<(), DevError> {
        self.send(identity, "TicketCreate", &TxBody::TicketCreate(TicketCreate { count: TICKETS }))
    }

    fn switch_on(&mut self, identity: &Identity, flag: u32) -> Result<(), DevError> {
        let set = AccountSet { set_flag: Some(flag), ..AccountSet::default() };
        self.send(identity, "AccountSet", &TxBody::AccountSet(set))
    }

    fn send(&mut self, identity: &Identity, what: &str, body: &TxBody) -> Result<(), DevError> {
        let what = format!("{what} of {}", identity.name());
        let account = identity.id();
        let common = TxCommon {
            account,
            seq: SeqProxy::Sequence(self.sequence(&account).ok_or_else(|| DevError::Provision {
                what: what.clone(),
                result: "the account is not on the ledger".to_owned(),
            })?),
            fee: self.server.validated().fees.base_fee,
            last_ledger_sequence: None,
            source_tag: None,
            network_id: None,
            memos: Vec::new(),
            flags: 0,
        };
        let tx = xrpl_wire::sign::sign_single(&xrpl_wire::typed::build(&common, body)?, identity.key())?;
        let outcome = self.server.submit(&tx);
        if outcome.result != TxResult::tesSUCCESS {
            return Err(DevError::Provision { what, result: outcome.result.name().to_owned() });
        }
        self.sent.push((what, tx.id()));
        Ok(())
    }

    /// The next Sequence, in the open ledger: several transactions of one account go into the same ledger.
    fn sequence(&self, account: &AccountId) -> Option<u32> {
        let root = index::account_root(account);
        self.server
            .with_ledger(|ledger| ledger.open().state().object(&root).and_then(|root| root.u32(sf::Sequence)))
    }

    /// What the open ledger said was provisional.
    fn prove(&self) -> Result<(), DevError> {
        let ledger = self.server.snapshot();
        for (what, id) in &self.sent {
            let result = match ledger.transaction(id) {
                Some(xrpl_harness::embedded::FoundTx::Closed(_, tx)) if tx.result == TxResult::tesSUCCESS => {
                    continue;
                }
                Some(xrpl_harness::embedded::FoundTx::Closed(_, tx)) => tx.result.name().to_owned(),
                _ => "not validated".to_owned(),
            };
            return Err(DevError::Provision { what: what.clone(), result });
        }
        Ok(())
    }
}
