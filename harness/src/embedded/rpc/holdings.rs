//! What an issuer owes and holds, and whether an account's lines ripple as they should: `gateway_balances`,
//! `noripple_check`.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use serde_json::{Map, Value, json};
use xrpl_wire::{AccountId, Amount, Currency, Drops, IouValue, LedgerEntryType, Object, flags, index, sf};

use super::Call;
use super::account::{Line, is_kind, owned_entries};
use super::error::{Failure, RpcError, RpcResult};
use super::params::{self, LimitRange};
use super::select::{View, select};
use crate::embedded::Ledger;

/// The server's page lengths for `noripple_check`.
const NORIPPLE_PAGE: LimitRange = LimitRange { least: 10, usual: 300, most: 400 };

/// Amounts by whom they are held with.
type ByPeer = BTreeMap<AccountId, Vec<(Currency, IouValue)>>;

pub(super) fn gateway_balances<'a>(ledger: &'a Ledger, call: &Call<'a>) -> RpcResult {
    let view = select(ledger, call)?;
    let mut result = view.describe();
    let name = if !call.params.has("account") && call.params.has("ident") { "ident" } else { "account" };
    if !call.params.has(name) {
        return Err(Failure::missing_field("account"));
    }
    let account = call.params.get(name).as_str().and_then(params::account).ok_or(RpcError::ActMalformed)?;
    result.insert("account".to_owned(), account.to_string().into());
    // Version 1 tells of an account that is not there that it owes and holds nothing.
    if call.api_version > 1 && view.entry(&index::account_root(&account)).is_none() {
        return Err(Failure::with_fields(result, RpcError::ActNotFound));
    }
    let wallets = hot_wallets(call.params.get("hotwallet")).ok_or_else(|| {
        let error = if call.api_version > 1 { RpcError::InvalidParams } else { RpcError::InvalidHotWallet };
        Failure::with_fields(result.clone(), error)
    })?;
    let held = Holdings::of(&view, &account, &wallets);
    held.show(&mut result);
    Ok(result)
}

/// The accounts that hold an issuer's currency for it: one or several.
fn hot_wallets(value: &Value) -> Option<BTreeSet<AccountId>> {
    let one = |value: &Value| params::account(value.as_str()?);
    match value {
        Value::Null => Some(BTreeSet::new()),
        Value::Array(list) => list.iter().map(one).collect(),
        value => one(value).map(|account| BTreeSet::from([account])),
    }
}

/// What stands in an account's directory, added up.
#[derive(Default)]
struct Holdings {
    obligations: BTreeMap<Currency, IouValue>,
    hot: ByPeer,
    frozen: ByPeer,
    assets: ByPeer,
    locked: BTreeMap<Currency, IouValue>,
    locked_drops: u64,
}

impl Holdings {
    fn of(view: &View<'_>, account: &AccountId, wallets: &BTreeSet<AccountId>) -> Holdings {
        let mut held = Holdings::default();
        for (_, object) in owned_entries(view, account) {
            let Some(object) = object else { continue };
            if is_kind(object, LedgerEntryType::Escrow) {
                held.lock(object);
            } else if let Some(line) = Line::new(account, object) {
                held.add(&line, wallets);
            }
        }
        held
    }

    fn lock(&mut self, escrow: &Object) {
        match escrow.amount(sf::Amount) {
            Some(Amount::Xrp(drops)) => self.locked_drops = self.locked_drops.saturating_add(drops.get()),
            Some(Amount::Issued(amount)) => add(&mut self.locked, amount.currency, amount.value),
            _ => {}
        }
    }

    fn add(&mut self, line: &Line, wallets: &BTreeSet<AccountId>) {
        if line.balance.is_zero() {
            return;
        }
        let owed = line.balance.negated();
        if wallets.contains(&line.peer) {
            self.hot.entry(line.peer).or_default().push((line.currency, owed));
        } else if !line.balance.is_negative() {
            self.assets.entry(line.peer).or_default().push((line.currency, line.balance));
        } else if line.has(flags::lsfLowFreeze, flags::lsfHighFreeze, false) {
            self.frozen.entry(line.peer).or_default().push((line.currency, owed));
        } else {
            add(&mut self.obligations, line.currency, owed);
        }
    }

    fn show(&self, result: &mut Map<String, Value>) {
        let by_currency = |sums: &BTreeMap<Currency, IouValue>| -> Map<String, Value> {
            sums.iter().map(|(currency, sum)| (currency.to_string(), sum.to_string().into())).collect()
        };
        let mut locked = by_currency(&self.locked);
        if self.locked_drops > 0 {
            locked.insert("XRP".to_owned(), self.locked_drops.to_string().into());
        }
        for (name, sums) in [("obligations", by_currency(&self.obligations)), ("locked", locked)] {
            if !sums.is_empty() {
                result.insert(name.to_owned(), sums.into());
            }
        }
        for (name, held) in
            [("balances", &self.hot), ("frozen_balances", &self.frozen), ("assets", &self.assets)]
        {
            if !held.is_empty() {
                let shown: Map<String, Value> = held
                    .iter()
                    .map(|(peer, amounts)| {
                        let list = amounts.iter().map(|(currency, value)| {
                            json!({"currency": currency.to_string(), "value": value.to_string()})
                        });
                        (peer.to_string(), list.collect())
                    })
                    .collect();
                result.insert(name.to_owned(), shown.into());
            }
        }
    }
}

/// Adds to a sum; more than can be written stays the most that can.
fn add(sums: &mut BTreeMap<Currency, IouValue>, currency: Currency, value: IouValue) {
    let most = || IouValue::from_str("9999999999999999e80").unwrap_or(value);
    sums.entry(currency)
        .and_modify(|sum| *sum = sum.checked_add(value).unwrap_or_else(|_| most()))
        .or_insert(value);
}

pub(super) fn noripple_check<'a>(ledger: &'a Ledger, call: &Call<'a>) -> RpcResult {
    for name in ["account", "role"] {
        if !call.params.has(name) {
            return Err(Failure::missing_field(name));
        }
    }
    let ident = call.params.get("account").as_str().ok_or_else(|| Failure::invalid_field("account"))?;
    let gateway = match call.params.get("role").as_str() {
        Some("gateway") => true,
        Some("user") => false,
        _ => return Err(Failure::invalid_field("role")),
    };
    let limit = usize::try_from(call.params.limit(NORIPPLE_PAGE, call.admin)?).unwrap_or(usize::MAX);
    if call.api_version > 1
        && call.params.has("transactions")
        && !call.params.get("transactions").is_boolean()
    {
        return Err(Failure::invalid_field("transactions"));
    }
    let view = select(ledger, call)?;
    let mut result = view.describe();
    let with_transactions = call.params.flag("transactions");
    if with_transactions {
        // The list stands there before the account is looked at.
        result.insert("transactions".to_owned(), Vec::<Value>::new().into());
    }
    let Some(account) = params::account(ident) else {
        return Err(Failure::with_fields(result, RpcError::ActMalformed));
    };
    let root = view.entry(&index::account_root(&account)).ok_or(RpcError::ActNotFound)?;
    let mut advice = Advice {
        account,
        sequence: root.u32(sf::Sequence).unwrap_or_default(),
        fee: view.fees().base_fee,
        problems: Vec::new(),
        transactions: Vec::new(),
    };
    let ripples = root.u32(sf::Flags).unwrap_or_default() & flags::lsfDefaultRipple != 0;
    match (ripples, gateway) {
        (true, false) => advice.problems.push(
            "You appear to have set your default ripple flag even though you are not a gateway. This is not recommended \
             unless you are experimenting"
                .into(),
        ),
        (false, true) => {
            advice.problems.push("You should immediately set your default ripple flag".into());
            let set = json!({"TransactionType": "AccountSet", "SetFlag": flags::asfDefaultRipple});
            advice.transaction(set);
        }
        _ => {}
    }
    let lines = owned_entries(&view, &account)
        .filter_map(|(_, object)| Line::new(&account, object?))
        .filter(|line| line.has(flags::lsfLowNoRipple, flags::lsfHighNoRipple, false) == gateway);
    for line in lines.take(limit) {
        advice.line(&line, gateway);
    }
    result.insert("problems".to_owned(), advice.problems.into());
    if with_transactions {
        result.insert("transactions".to_owned(), advice.transactions.into());
    }
    Ok(result)
}

/// What is wrong, and the transactions that would mend it.
struct Advice {
    account: AccountId,
    sequence: u32,
    fee: Drops,
    problems: Vec<Value>,
    transactions: Vec<Value>,
}

impl Advice {
    fn line(&mut self, line: &Line, gateway: bool) {
        let what = if gateway {
            "You should clear the no ripple flag on your"
        } else {
            "You should probably set the no ripple flag on your"
        };
        self.problems.push(format!("{what} {} line to {}", line.currency, line.peer).into());
        let flag = if gateway { flags::tfClearNoRipple } else { flags::tfSetNoRipple };
        self.transaction(json!({
            "TransactionType": "TrustSet",
            "Flags": flag,
            "LimitAmount": {"currency": line.currency.to_string(), "issuer": line.peer.to_string(),
                "value": line.limit.to_string()},
        }));
    }

    fn transaction(&mut self, mut json: Value) {
        if let Value::Object(fields) = &mut json {
            fields.insert("Account".to_owned(), self.account.to_string().into());
            // As a number, as the server has it here alone.
            fields.insert("Fee".to_owned(), self.fee.get().into());
            fields.insert("Sequence".to_owned(), self.sequence.into());
        }
        self.sequence = self.sequence.saturating_add(1);
        self.transactions.push(json);
    }
}
