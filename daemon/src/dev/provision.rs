//! Makes the treasury on a ledger, each step a real transaction.

use xrpl_harness::embedded::Fees;
use xrpl_harness::network::{Network, World};
use xrpl_wire::typed::{AccountSet, DepositPreauth, SetRegularKey, SignerEntry, SignerListSet, TicketCreate};
use xrpl_wire::{Drops, Hash256, TxBody, TxResult, flags};

use super::DevError;
use super::cast::{Cast, Identity, TreasuryAccount, xrp};

/// Tickets that each sending account starts with.
const TICKETS: u32 = 10;

/// What recipients and strangers hold, in XRP, so that they are on the ledger: an escrow cannot make an account.
const RECIPIENT_XRP: u32 = 20;

/// What an account can spend beyond its reserve, in XRP, however high the network's reserves are: many fees.
const SPARE_XRP: u32 = 5;

/// Funds and sets up every account, and proves that every transaction of it was validated.
///
/// # Errors
/// [`DevError::Provision`] names the transaction that the ledger did not take.
pub(super) async fn provision(world: &World, cast: &Cast) -> Result<(), DevError> {
    let begun = world.validated().await?.index;
    let mut maker = Maker { world, fees: world.fees().await?, sent: Vec::new() };
    for account in &cast.accounts {
        // A SignerList or the board's preauthorized accounts, and the Tickets.
        let owned = TICKETS + 3;
        maker.fund(&account.identity, account.funds, owned).await?;
    }
    for person in &cast.people {
        if let Some(funds) = person.funds {
            maker.fund(&person.identity, funds, 0).await?;
        }
    }
    for recipient in cast.destinations.iter().chain([&cast.stranger]) {
        maker.fund(recipient, xrp(RECIPIENT_XRP), 0).await?;
    }
    // The accounts must be on the validated ledger before others can name them.
    maker.close().await?;
    for account in &cast.accounts {
        maker.set_up(cast, account).await?;
    }
    for person in &cast.people {
        if let Some(regular) = &person.regular {
            let set = SetRegularKey { regular_key: Some(regular.id()) };
            maker.send(&person.identity, "SetRegularKey", &TxBody::SetRegularKey(set)).await?;
            maker.switch_on(&person.identity, flags::asfDisableMaster).await?;
        }
    }
    maker.close().await?;
    maker.prove(begun).await
}

struct Maker<'a> {
    world: &'a World,
    fees: Fees,
    sent: Vec<(String, Hash256)>,
}

impl Maker<'_> {
    /// Pays `funds`, or more where the network's reserves ask for it.
    async fn fund(&mut self, identity: &Identity, funds: Drops, owned: u32) -> Result<(), DevError> {
        let least = self.fees.account_reserve(owned).saturating_add(xrp(SPARE_XRP).get());
        let funds = funds.max(Drops::new(least).unwrap_or(Drops::MAX));
        let id = self.world.pay(identity.id(), funds).await?;
        self.sent.push((format!("funding {}", identity.name()), id));
        Ok(())
    }

    async fn close(&self) -> Result<(), DevError> {
        self.world.close_ledger().await?;
        Ok(())
    }

    async fn set_up(&mut self, cast: &Cast, account: &TreasuryAccount) -> Result<(), DevError> {
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
                self.send(identity, "SignerListSet", &TxBody::SignerListSet(list)).await?;
                self.tickets(identity).await?;
                // Last, with its own signature: from here on only the SignerList can move the money.
                self.switch_on(identity, flags::asfDisableMaster).await
            }
            None if identity.name() == "board" => {
                self.switch_on(identity, flags::asfDepositAuth).await?;
                // Members whose accounts are on the ledger; nobody can be authorized before that.
                for member in cast.people.iter().filter(|person| person.funds.is_some()) {
                    let authorize = DepositPreauth::Authorize(member.identity.id());
                    self.send(identity, "DepositPreauth", &TxBody::DepositPreauth(authorize)).await?;
                }
                Ok(())
            }
            None => self.tickets(identity).await,
        }
    }

    async fn tickets(&mut self, identity: &Identity) -> Result<(), DevError> {
        let create = TicketCreate { count: TICKETS };
        self.send(identity, "TicketCreate", &TxBody::TicketCreate(create)).await
    }

    async fn switch_on(&mut self, identity: &Identity, flag: u32) -> Result<(), DevError> {
        let set = AccountSet { set_flag: Some(flag), ..AccountSet::default() };
        self.send(identity, "AccountSet", &TxBody::AccountSet(set)).await
    }

    async fn send(&mut self, identity: &Identity, what: &str, body: &TxBody) -> Result<(), DevError> {
        let what = format!("{what} of {}", identity.name());
        let (id, result) = self.world.send(identity.key(), body).await?;
        if result != TxResult::tesSUCCESS {
            return Err(DevError::Provision { what, result: result.name().to_owned() });
        }
        self.sent.push((what, id));
        Ok(())
    }

    /// What the open ledger said was provisional.
    async fn prove(&self, begun: u32) -> Result<(), DevError> {
        let validated = self.world.transactions(begun, |_| true).await?;
        for (what, id) in &self.sent {
            let result = match validated.iter().find(|included| included.id == *id) {
                Some(included) if included.result == TxResult::tesSUCCESS => continue,
                Some(included) => included.result.name().to_owned(),
                None => "not validated".to_owned(),
            };
            return Err(DevError::Provision { what: what.clone(), result });
        }
        Ok(())
    }
}
