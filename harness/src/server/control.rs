//! Methods that only this ledger has: time, money, snapshots, faults. For administrators, and none of them the
//! server's.

use std::time::Duration;

use serde_json::{Map, Value};
use xrpl_wire::{AccountId, Drops, RippleTime};

use super::faults::Faults;
use super::file::{self, FileError};
use super::shared::Shared;
use crate::embedded::ClosedLedger;
use crate::embedded::rpc::Request;
use crate::embedded::rpc::error::{Failure, RpcError, RpcResult};
use crate::embedded::rpc::params;

/// One control method, as its reference lists it.
#[derive(Debug, Clone, Copy)]
pub struct ControlMethod {
    /// The name.
    pub name: &'static str,
    /// The parameters, as one writes them.
    pub parameters: &'static str,
    /// What it does and answers.
    pub does: &'static str,
}

/// Every control method, in alphabetical order.
pub const CONTROL_METHODS: &[ControlMethod] = &[
    ControlMethod {
        name: "standalone_advance_time",
        parameters: "seconds",
        does: "Closes one ledger so many seconds after the last, and answers its index, hash and close time.",
    },
    ControlMethod {
        name: "standalone_auto_close",
        parameters: "enabled",
        does: "Stops or resumes closing ledgers at the interval the server was started with.",
    },
    ControlMethod {
        name: "standalone_close_at",
        parameters: "close_time",
        does: "Closes one ledger at a time in seconds since 2000, or the second after the last ledger if that is later.",
    },
    ControlMethod {
        name: "standalone_close_on_submit",
        parameters: "enabled",
        does: "Closes a ledger for each submission, once it is answered, and more until the transaction is in one or none can \
               have it any more; or stops that.",
    },
    ControlMethod { name: "standalone_drop_connections", parameters: "", does: "Closes every websocket." },
    ControlMethod {
        name: "standalone_faults",
        parameters: "silent, delay_ms, skip_closes, duplicate_frames, reorder_frames, truncate_closes, swallow_submits, \
                     lose_submit_replies, refuse_submits, refuse_all, fee_factor, hide_history_below, lag, \
                     lie, claim_only",
        does: "Sets what goes wrong from now on; what is not named heals. Errors are named by their token: slowDown.",
    },
    ControlMethod {
        name: "standalone_fund",
        parameters: "account, drops",
        does: "Pays an account from the one that holds everything, and closes a ledger.",
    },
    ControlMethod {
        name: "standalone_impersonate",
        parameters: "account, enabled",
        does: "Takes transactions of an account whoever signed them, or nobody. Off for all accounts at the start.",
    },
    ControlMethod {
        name: "standalone_load",
        parameters: "",
        does: "Puts the ledger to what the file holds that the server was started with (--save). Ledger indexes go with it.",
    },
    ControlMethod {
        name: "standalone_restore",
        parameters: "snapshot",
        does: "Puts the ledger back to a snapshot. Ledger indexes go back with it.",
    },
    ControlMethod {
        name: "standalone_save",
        parameters: "",
        does: "Writes the whole ledger to the file that the server was started with (--save), and answers its last index.",
    },
    ControlMethod {
        name: "standalone_set_balance",
        parameters: "account, drops",
        does: "Sets an account's balance, which no transaction tells of, makes the account if it is not there, and closes a \
               ledger. The difference comes from the account that holds everything, or goes to it.",
    },
    ControlMethod {
        name: "standalone_snapshot",
        parameters: "",
        does: "Keeps the ledger as it is now, and answers the number to restore it by.",
    },
];

/// The answer to a control method; none if the request is for another one.
pub(super) fn serve(shared: &Shared, request: &Request) -> Option<RpcResult> {
    if !CONTROL_METHODS.iter().any(|method| method.name == request.method) {
        return None;
    }
    if !request.admin {
        return Some(Err(RpcError::Forbidden.into()));
    }
    Some(run(shared, request))
}

fn run(shared: &Shared, request: &Request) -> RpcResult {
    let params = &request.params;
    match request.method.as_str() {
        "standalone_advance_time" => Ok(of(&shared.close_after(number(params, "seconds")?))),
        "standalone_close_at" => Ok(of(&shared.close_at(RippleTime(number(params, "close_time")?)))),
        "standalone_auto_close" => {
            shared.pause_auto_close(!flag(params, "enabled")?);
            Ok(Map::new())
        }
        "standalone_close_on_submit" => {
            shared.set_close_on_submit(flag(params, "enabled")?);
            Ok(Map::new())
        }
        "standalone_drop_connections" => {
            shared.hub().hang_up_all();
            Ok(Map::new())
        }
        "standalone_faults" => {
            shared.set_faults(faults(params)?);
            Ok(Map::new())
        }
        "standalone_fund" => fund(shared, account(params)?, drops(params)?),
        "standalone_impersonate" => {
            let (account, enabled) = (account(params)?, flag(params, "enabled")?);
            shared.with_ledger(|ledger| ledger.impersonate(account, enabled));
            Ok(Map::new())
        }
        "standalone_set_balance" => {
            let (account, drops) = (account(params)?, drops(params)?);
            shared
                .with_ledger(|ledger| ledger.set_balance(&account, drops))
                .map_err(|error| Failure::with_message(RpcError::InvalidParams, error.to_string()))?;
            Ok(of(&shared.close()))
        }
        "standalone_load" => {
            let loaded = shared.file().and_then(file::load).map_err(of_file)?;
            shared.restore(loaded);
            Ok(of(shared.read().validated()))
        }
        "standalone_save" => {
            let saved = shared.file().and_then(|path| shared.save(path)).map_err(of_file)?;
            Ok(of(saved.validated()))
        }
        "standalone_restore" => {
            let id = number(params, "snapshot")?;
            if shared.restore_snapshot(id) {
                Ok(Map::new())
            } else {
                Err(Failure::with_message(RpcError::InvalidParams, format!("No snapshot {id}.")))
            }
        }
        _ => match shared.take_snapshot() {
            Some(id) => Ok(Map::from_iter([("snapshot".to_owned(), id.into())])),
            None => Err(Failure::with_message(RpcError::SlowDown, "Too many snapshots are held.")),
        },
    }
}

fn of_file(error: FileError) -> Failure {
    let code = match error {
        FileError::None => RpcError::NotEnabled,
        _ => RpcError::Internal,
    };
    Failure::with_message(code, error.to_string())
}

fn of(closed: &ClosedLedger) -> Map<String, Value> {
    Map::from_iter([
        ("ledger_index".to_owned(), closed.header.index.into()),
        ("ledger_hash".to_owned(), closed.hash.to_string().into()),
        ("close_time".to_owned(), closed.header.close_time.0.into()),
    ])
}

fn fund(shared: &Shared, account: AccountId, amount: Drops) -> RpcResult {
    let failed = |error: super::ServerError| Failure::with_message(RpcError::Internal, error.to_string());
    let id = super::fund(shared, &account, amount).map_err(failed)?;
    let mut result = of(&shared.close());
    result.insert("hash".to_owned(), id.to_string().into());
    Ok(result)
}

fn faults(params: &Map<String, Value>) -> Result<Faults, Failure> {
    let flag = |name| match params.get(name) {
        None => Ok(false),
        Some(value) => value.as_bool().ok_or_else(|| Failure::expected_field(name, "boolean")),
    };
    let count = |name| match params.get(name) {
        None => Ok(0),
        Some(_) => number(params, name),
    };
    let error = |name| match params.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let error = value.as_str().and_then(RpcError::from_token);
            error.map(Some).ok_or_else(|| Failure::expected_field(name, "an error's token"))
        }
    };
    Ok(Faults {
        silent: flag("silent")?,
        delay: Duration::from_millis(u64::from(count("delay_ms")?)),
        skip_closes: count("skip_closes")?,
        duplicate_frames: flag("duplicate_frames")?,
        reorder_frames: flag("reorder_frames")?,
        truncate_closes: count("truncate_closes")?,
        lose_submit_replies: count("lose_submit_replies")?,
        fee_factor: count("fee_factor")?,
        swallow_submits: count("swallow_submits")?,
        refuse_submits: error("refuse_submits")?,
        refuse_all: error("refuse_all")?,
        hide_history_below: count("hide_history_below")?,
        lag: count("lag")?,
        lie: count("lie")?,
        claim_only: count("claim_only")?,
    })
}

fn required<'a>(params: &'a Map<String, Value>, name: &str) -> Result<&'a Value, Failure> {
    params.get(name).ok_or_else(|| Failure::missing_field(name))
}

fn flag(params: &Map<String, Value>, name: &str) -> Result<bool, Failure> {
    required(params, name)?.as_bool().ok_or_else(|| Failure::expected_field(name, "boolean"))
}

fn number(params: &Map<String, Value>, name: &str) -> Result<u32, Failure> {
    let value = required(params, name)?.as_u64().and_then(|number| u32::try_from(number).ok());
    value.ok_or_else(|| Failure::expected_field(name, "unsigned integer"))
}

fn account(params: &Map<String, Value>) -> Result<AccountId, Failure> {
    let account = required(params, "account")?.as_str().and_then(params::account);
    account.ok_or_else(|| RpcError::ActMalformed.into())
}

fn drops(params: &Map<String, Value>) -> Result<Drops, Failure> {
    let drops = match required(params, "drops")? {
        Value::String(text) => text.parse().ok(),
        value => value.as_u64().and_then(|drops| Drops::new(drops).ok()),
    };
    drops.ok_or_else(|| Failure::expected_field("drops", "drops"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_as_they_are_written() {
        // Every field by name, and none as it is by default: one that is forgotten on the way is seen.
        let set = Faults {
            silent: true,
            delay: Duration::from_millis(1),
            skip_closes: 2,
            duplicate_frames: true,
            reorder_frames: true,
            truncate_closes: 3,
            swallow_submits: 4,
            lose_submit_replies: 5,
            refuse_submits: Some(RpcError::Internal),
            refuse_all: Some(RpcError::SlowDown),
            fee_factor: 6,
            hide_history_below: 7,
            lag: 8,
            lie: 9,
            claim_only: 10,
        };
        for faults_set in [set, Faults::default()] {
            let Ok(Value::Object(written)) = serde_json::to_value(&faults_set) else { panic!("an object") };
            assert_eq!(faults(&written).ok(), Some(faults_set));
        }
    }
}
