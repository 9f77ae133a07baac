//! What a signer looks at before signing: the transaction's own bytes, not what the daemon says of them.
//!
//! A signature is over bytes. So the bytes are decoded here, and the transaction that the proposal *should* be is
//! built anew from the proposal's words and compared with them whole: a field too many is as much a difference as a
//! wrong amount. What this cannot tell is whether the proposal is what its asker meant, and whether a name stands
//! for the address beside it; that is why addresses are always shown.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "a failing test panics"))]

pub mod audit;

use std::fmt;
use std::str::FromStr;

use treasury_api::types::{ApproveRequest, PartyView, ProposalView, RungView};
use treasury_tools::text::clean;
use xrpl_wire::typed::{AccountSet, EscrowCancel, EscrowCreate, Payment, TicketCreate};
use xrpl_wire::{
    AccountId, Amount, Field, KeyPair, RippleTime, SeqProxy, SignError, Transaction, TxBody, TxCommon,
    TxError, condition, sf,
};

/// More fees than anybody configures. Each is one more signature given away.
const RUNGS_MAX: usize = 16;

/// A longer note or name than any that a daemon takes, in bytes: with enough text around them the words that matter
/// are not on the screen any more.
const TEXT_MAX: usize = 500;

/// A proposal whose transactions are what it says.
#[derive(Clone, Debug)]
pub struct Checked {
    proposal: String,
    account: AccountId,
    account_name: Option<String>,
    destination_name: Option<String>,
    note: String,
    asker: String,
    rungs: Vec<Transaction>,
    void: Vec<Transaction>,
    body: TxBody,
}

/// Why a proposal must not be signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// There is nothing to sign: it is not that far, has ended, or is one that the daemon signs alone.
    #[error("there is nothing to sign for {0}; it is {1}")]
    NothingToSign(String, String),
    /// More versions of it than anybody needs.
    #[error("{0} versions of the transaction; at most {RUNGS_MAX} are believable")]
    TooManyRungs(usize),
    /// Not hexadecimal, or not a transaction.
    #[error("transaction {rung} cannot be read: {problem}")]
    Unreadable {
        /// Which, from 0.
        rung: usize,
        /// Why.
        problem: String,
    },
    /// The versions differ in something beside the fee.
    #[error("transactions 0 and {rung} differ in {field}, and may differ in Fee alone")]
    RungsDiffer {
        /// Which, from 0.
        rung: usize,
        /// In what.
        field: &'static str,
    },
    /// The transaction is not what the proposal says.
    #[error("the transaction's {field} is not what the proposal says ({said})")]
    Differs {
        /// In what.
        field: &'static str,
        /// What the proposal says.
        said: String,
    },
    /// The proposal itself makes no sense.
    #[error("the proposal's {0} cannot be read")]
    BadProposal(&'static str),
    /// The key cannot sign for that account.
    #[error(transparent)]
    Sign(#[from] SignError),
}

impl CheckError {
    /// A stable name, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NothingToSign(..) => "NOTHING_TO_SIGN",
            Self::TooManyRungs(_) => "TOO_MANY_RUNGS",
            Self::Unreadable { .. } => "UNREADABLE_TRANSACTION",
            Self::RungsDiffer { .. } => "RUNGS_DIFFER",
            Self::Differs { .. } => "TRANSACTION_DIFFERS",
            Self::BadProposal(_) => "BAD_PROPOSAL",
            Self::Sign(error) => error.code(),
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::NothingToSign(..) => "Look at the proposal with `treasuryctl show`.",
            Self::Sign(_) => "Use the seed of your own signer account, or of its RegularKey.",
            _ => "Do not sign. Tell your security people: the daemon offers something else than it says.",
        }
    }
}

/// Decodes what is to be signed and compares it with what the proposal says.
///
/// # Errors
/// The first difference.
pub fn check(view: &ProposalView) -> Result<Checked, CheckError> {
    believable(view)?;
    // What has ended needs no signature, and one that is given all the same may bind: its Ticket may still be free.
    if view.ended || view.rungs.is_empty() {
        return Err(CheckError::NothingToSign(view.id.clone(), view.status.clone()));
    }
    let (rungs, void) = (ladder(&view.rungs)?, ladder(&view.void_rungs)?);
    let Some(first) = rungs.first().cloned() else {
        return Err(CheckError::NothingToSign(view.id.clone(), view.status.clone()));
    };
    let body = expected_body(view, &first)?;
    compare(view, &first, &body)?;
    if let Some(void) = void.first() {
        compare(view, void, &TxBody::AccountSet(AccountSet::default()))?;
        let network = |tx: &Transaction| tx.object().u32(sf::NetworkID);
        differs_unless(network(void) == network(&first), "NetworkID", "that of what it makes worthless")?;
    }
    Ok(Checked {
        proposal: view.id.clone(),
        account: first.account(),
        account_name: view.account.name.clone(),
        destination_name: view.intent.destination.as_ref().and_then(|party| party.name.clone()),
        note: view.note.clone(),
        asker: view.asker.clone(),
        rungs,
        void,
        body,
    })
}

/// Whether what is shown beside the decoded bytes is what a daemon that keeps to its rules would say. A package may come
/// from anywhere: what stands in it as an id or a name is not to look like words of ours.
fn believable(view: &ProposalView) -> Result<(), CheckError> {
    let digits = view.id.strip_prefix('P').unwrap_or_default();
    if digits.is_empty() || digits.len() > 20 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(CheckError::BadProposal("id"));
    }
    let name = |party: &PartyView| party.name.as_ref().map_or(0, String::len);
    let destination = view.intent.destination.as_ref().map_or(0, name);
    let texts = [
        ("asker", view.asker.len()),
        ("note", view.note.len()),
        ("account", name(&view.account)),
        ("destination", destination),
    ];
    match texts.into_iter().find(|(_, length)| *length > TEXT_MAX) {
        Some((what, _)) => Err(CheckError::BadProposal(what)),
        None => Ok(()),
    }
}

/// Decodes the rungs of a ladder and makes sure that they are one transaction at several fees.
fn ladder(shown: &[RungView]) -> Result<Vec<Transaction>, CheckError> {
    if shown.len() > RUNGS_MAX {
        return Err(CheckError::TooManyRungs(shown.len()));
    }
    let mut rungs: Vec<Transaction> = Vec::with_capacity(shown.len());
    for (rung, shown) in shown.iter().enumerate() {
        let unreadable = |problem: String| CheckError::Unreadable { rung, problem };
        let blob = hex::decode(&shown.blob).map_err(|_| unreadable("not hexadecimal".to_owned()))?;
        let tx = Transaction::decode(&blob).map_err(|error| unreadable(error.to_string()))?;
        differs_unless(tx.fee().to_string() == shown.fee_drops, "Fee", &shown.fee_drops)?;
        if let Some(first) = rungs.first()
            && let Some(field) = difference(first, &tx, &[sf::Fee])
        {
            return Err(CheckError::RungsDiffer { rung, field });
        }
        rungs.push(tx);
    }
    Ok(rungs)
}

impl Checked {
    /// Signs every rung for `signer`, those of the void as well, and makes the request that brings the signatures.
    ///
    /// # Errors
    /// [`CheckError::Sign`], as where the signer is the paying account itself.
    pub fn sign(&self, signer: AccountId, key: &KeyPair) -> Result<ApproveRequest, CheckError> {
        let signed = |rungs: &[Transaction]| {
            let sign = |rung| Ok(hex::encode_upper(xrpl_wire::sign::sign_for(rung, signer, key)?.signature));
            rungs.iter().map(sign).collect::<Result<Vec<String>, SignError>>()
        };
        Ok(ApproveRequest {
            signer: signer.to_string(),
            signing_pub_key: key.public_key().to_string(),
            signatures: signed(&self.rungs)?,
            void_signatures: signed(&self.void)?,
        })
    }

    /// The decoded transactions, in the order of the package.
    #[must_use]
    pub fn rungs(&self) -> &[Transaction] {
        &self.rungs
    }
}

/// In words, what a signature allows. Everything but names, note and asker comes from the decoded bytes.
impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}, asked for by {}:", self.proposal, clean(&self.asker))?;
        writeln!(f, "  from      {}", named(&self.account, self.account_name.as_deref()))?;
        let to = |account: &AccountId| named(account, self.destination_name.as_deref());
        match &self.body {
            TxBody::Payment(payment) => {
                writeln!(f, "  pays      {}", money(&payment.amount))?;
                writeln!(f, "  to        {}{}", to(&payment.destination), tag(payment.destination_tag))?;
                writeln!(f, "  at once   (Payment; once sent it cannot be taken back)")?;
            }
            TxBody::EscrowCreate(escrow) => {
                let time =
                    |time: Option<RippleTime>| time.map_or_else(|| "-".to_owned(), |at| at.to_string());
                writeln!(f, "  locks     {}", money(&escrow.amount))?;
                writeln!(f, "  for       {}{}", to(&escrow.destination), tag(escrow.destination_tag))?;
                writeln!(
                    f,
                    "  released  after {}, unless somebody puts a hold on it",
                    time(escrow.finish_after)
                )?;
                writeln!(
                    f,
                    "  else back after {} (EscrowCreate with a Condition)",
                    time(escrow.cancel_after)
                )?;
            }
            TxBody::TicketCreate(tickets) => {
                writeln!(f, "  creates   {} Tickets; moves no money", tickets.count)?;
            }
            TxBody::EscrowCancel(escrow) => {
                writeln!(f, "  cancels   the escrow {}:{}", escrow.owner, escrow.offer_sequence)?;
            }
            other => writeln!(f, "  does      {}", other.tx_type().name())?,
        }
        if let Some(tx) = self.rungs.first() {
            let slot = match tx.seq() {
                SeqProxy::Sequence(number) => format!("Sequence {number}"),
                SeqProxy::Ticket(number) => format!("Ticket {number}"),
            };
            let last = tx.last_ledger_sequence().map_or_else(|| "-".to_owned(), |last| last.to_string());
            writeln!(f, "  with      {slot}, LastLedgerSequence {last}")?;
            if let Some(network) = tx.object().u32(sf::NetworkID) {
                writeln!(f, "  network   {network}")?;
            }
        }
        let fees: Vec<String> =
            self.rungs.iter().map(|rung| format!("{} XRP", rung.fee().to_xrp_string())).collect();
        writeln!(f, "  fee       {}; one of them is burned, never more than one", fees.join(" or "))?;
        // In whatever order they come: each of them is signed.
        if let Some(most) = self.void.iter().map(Transaction::fee).max() {
            let most = most.to_xrp_string();
            writeln!(
                f,
                "  void      signed with it: uses up the same slot and does nothing else, at most {most} XRP"
            )?;
        }
        if !self.note.is_empty() {
            writeln!(f, "  note      {}", clean(&self.note))?;
        }
        Ok(())
    }
}

fn named(account: &AccountId, name: Option<&str>) -> String {
    match name {
        Some(name) => format!("{account} ({})", clean(name)),
        None => format!("{account} (not in the address book)"),
    }
}

fn tag(tag: Option<u32>) -> String {
    tag.map(|tag| format!(", DestinationTag {tag}")).unwrap_or_default()
}

fn money(amount: &Amount) -> String {
    match amount {
        Amount::Xrp(drops) => format!("{} XRP ({drops} drops)", drops.to_xrp_string()),
        other => other.words(),
    }
}

/// What the transaction should do, from the proposal's words. Only an escrow's Condition is taken from the
/// transaction itself: the daemon alone knows its preimage, and a wrong one only sends the money back.
fn expected_body(view: &ProposalView, tx: &Transaction) -> Result<TxBody, CheckError> {
    let intent = &view.intent;
    match intent.kind.as_str() {
        "pay" | "move" => {
            let destination = intent.destination.as_ref().ok_or(CheckError::BadProposal("destination"))?;
            let destination: AccountId = parsed(&destination.address, "destination")?;
            let amount = intent.amount.as_ref().map(Amount::try_from);
            let amount = amount.and_then(Result::ok).ok_or(CheckError::BadProposal("amount"))?;
            let destination_tag = intent.destination_tag;
            if view.decision.action != "delay" {
                let (send_max, deliver_min) = (None, None);
                return Ok(TxBody::Payment(Payment {
                    destination,
                    destination_tag,
                    amount,
                    send_max,
                    deliver_min,
                }));
            }
            let given = tx.object().blob(sf::Condition).map(<[u8]>::to_vec);
            let sound = given.as_ref().is_some_and(|given| condition::parse_condition(given).is_ok());
            // Without a Condition anyone could finish it after FinishAfter, whatever security says.
            differs_unless(sound, "Condition", "a delayed payment can be held back, so it needs one")?;
            let (finish_after, cancel_after) = delay_times(view)?;
            Ok(TxBody::EscrowCreate(EscrowCreate {
                destination,
                destination_tag,
                amount,
                condition: given,
                finish_after: Some(finish_after),
                cancel_after: Some(cancel_after),
            }))
        }
        "create_tickets" => {
            let count = intent.ticket_count.ok_or(CheckError::BadProposal("ticket_count"))?;
            Ok(TxBody::TicketCreate(TicketCreate { count }))
        }
        "cancel_escrow" => {
            let (owner, sequence) = intent
                .escrow
                .as_deref()
                .and_then(|escrow| escrow.split_once(':'))
                .ok_or(CheckError::BadProposal("escrow"))?;
            Ok(TxBody::EscrowCancel(EscrowCancel {
                owner: parsed(owner, "escrow")?,
                offer_sequence: parsed(sequence, "escrow")?,
            }))
        }
        _ => Err(CheckError::NothingToSign(view.id.clone(), view.status.clone())),
    }
}

/// The times of the escrow, counted from the deadline as policy says. They are compared with what the proposal says
/// of its escrow too, so that a daemon which contradicts itself is noticed.
fn delay_times(view: &ProposalView) -> Result<(RippleTime, RippleTime), CheckError> {
    let deadline = time(view.deadline.as_deref(), "deadline")?;
    let delay = view.decision.delay_seconds.ok_or(CheckError::BadProposal("delay"))?;
    let window = view.decision.window_seconds.ok_or(CheckError::BadProposal("window"))?;
    let finish_after = deadline.checked_add_seconds(delay).ok_or(CheckError::BadProposal("delay"))?;
    let cancel_after =
        finish_after.checked_add_seconds(window.max(1)).ok_or(CheckError::BadProposal("window"))?;
    let escrow = view.escrow.as_ref().ok_or(CheckError::BadProposal("escrow"))?;
    let said = time(escrow.finish_after.as_deref(), "finish_after")?;
    differs_unless(said == finish_after, "FinishAfter", "deadline + delay")?;
    let said = time(escrow.cancel_after.as_deref(), "cancel_after")?;
    differs_unless(said == cancel_after, "CancelAfter", "FinishAfter + window")?;
    Ok((finish_after, cancel_after))
}

/// Builds what the transaction should be and names the first field in which it is not.
fn compare(view: &ProposalView, tx: &Transaction, body: &TxBody) -> Result<(), CheckError> {
    let account: AccountId = parsed(&view.account.address, "account")?;
    let slot = view.slot.as_deref().ok_or(CheckError::BadProposal("slot"))?;
    let seq = match slot.split_once(' ') {
        Some(("Ticket", number)) => SeqProxy::Ticket(parsed(number, "slot")?),
        Some(("Sequence", number)) => SeqProxy::Sequence(parsed(number, "slot")?),
        _ => return Err(CheckError::BadProposal("slot")),
    };
    // Without one a signature would bind for ever.
    let last = view.last_ledger_sequence.ok_or(CheckError::BadProposal("last_ledger_sequence"))?;
    let common = TxCommon {
        account,
        seq,
        fee: tx.fee(),
        last_ledger_sequence: Some(last),
        source_tag: None,
        // On which network it is valid is shown to the signer; the proposal does not say.
        network_id: tx.object().u32(sf::NetworkID),
        memos: Vec::new(),
        flags: 0,
    };
    let unbuildable = |error: TxError| CheckError::Unreadable { rung: 0, problem: error.to_string() };
    let expected = xrpl_wire::typed::build(&common, body).map_err(unbuildable)?;
    match difference(&expected, tx, &[]) {
        None => Ok(()),
        Some(field) => {
            let said = expected
                .object()
                .to_json()
                .get(field)
                .map_or_else(|| "it has none".to_owned(), ToString::to_string);
            Err(CheckError::Differs { field, said })
        }
    }
}

/// The first field, in the ledger's order, that only one of them has or that differs.
fn difference(a: &Transaction, b: &Transaction, ignored: &[Field]) -> Option<&'static str> {
    let (a, b) = (a.object(), b.object());
    a.iter()
        .chain(b.iter())
        .map(|(field, _)| field)
        .find(|field| !ignored.contains(field) && a.get(*field) != b.get(*field))
        .map(Field::name)
}

fn differs_unless(same: bool, field: &'static str, said: &str) -> Result<(), CheckError> {
    if same { Ok(()) } else { Err(CheckError::Differs { field, said: said.to_owned() }) }
}

fn parsed<T: FromStr>(text: &str, what: &'static str) -> Result<T, CheckError> {
    text.parse().map_err(|_| CheckError::BadProposal(what))
}

fn time(text: Option<&str>, what: &'static str) -> Result<RippleTime, CheckError> {
    text.and_then(|text| text.parse::<jiff::Timestamp>().ok())
        .and_then(|at| RippleTime::from_unix(at.as_second()))
        .ok_or(CheckError::BadProposal(what))
}

#[cfg(test)]
mod tests;
