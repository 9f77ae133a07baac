//! What the guard's own ledger servers say of an escrow. More than half of them have to say the same.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::timeout;
use treasury_core::observe::EscrowView;
use treasury_core::units::{AccountId, EscrowKey, RippleTime};
use xrpl_wire::condition::parse_condition;

use super::declined::Declined;
use crate::clock;
use crate::config::Endpoint;
use crate::ledger::Asking;

/// The servers, and how far they are trusted.
#[derive(Clone, Debug)]
pub struct Sight {
    /// Each on a host of its own.
    pub endpoints: Vec<Endpoint>,
    /// How long all that one is asked may take.
    pub patience: Duration,
    /// How old the validated ledger may be by this host's clock; `None`: the ledger keeps a time of its own.
    pub age_max_seconds: Option<u32>,
}

/// An escrow as enough servers see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The close time that more than half of the servers have reached.
    pub now: RippleTime,
    /// The escrow, and when it came to be; `None`: it is not there.
    pub escrow: Option<(EscrowView, RippleTime)>,
    /// Another escrow that the same preimage would open.
    pub shared: Option<EscrowKey>,
}

impl Sight {
    /// Looks at an escrow, and at all others of these owners.
    ///
    /// # Errors
    /// [`Declined::Blind`].
    pub async fn look(&self, key: EscrowKey, owners: &BTreeSet<AccountId>) -> Result<Seen, Declined> {
        let asked = self.endpoints.iter().map(|endpoint| async move {
            let whole = timeout(self.patience, one(endpoint, self.patience, key, owners)).await;
            whole.unwrap_or_else(|_| Err(format!("{}: no answer in time", endpoint.label())))
        });
        let answers = join_all(asked).await;
        let seen = agreed(&answers, self.endpoints.len())?;
        if let Some(most) = self.age_max_seconds {
            let utc = clock::utc();
            // A ledger's close time is rounded, so it may be ahead by a little.
            if utc.0.abs_diff(seen.now.0) > most {
                return Err(Declined::Blind(format!(
                    "the validated ledger is of {}, and this host's clock says {utc}; they may be {most} s apart",
                    seen.now
                )));
            }
        }
        Ok(seen)
    }
}

/// What more than half of all servers say.
fn agreed(answers: &[Result<Seen, String>], servers: usize) -> Result<Seen, Declined> {
    let needed = servers / 2 + 1;
    let said: Vec<&Seen> = answers.iter().filter_map(|answer| answer.as_ref().ok()).collect();
    for one in &said {
        let alike = |other: &&&Seen| (&other.escrow, other.shared) == (&one.escrow, one.shared);
        let mut times: Vec<RippleTime> = said.iter().filter(alike).map(|seen| seen.now).collect();
        times.sort_unstable();
        // So that those who agree and are ahead of the others cannot make it later than it is.
        if let Some(now) = times.len().checked_sub(needed).and_then(|at| times.get(at)) {
            return Ok(Seen { now: *now, ..(*one).clone() });
        }
    }
    let silent: Vec<&str> =
        answers.iter().filter_map(|answer| answer.as_ref().err().map(String::as_str)).collect();
    Err(Declined::Blind(format!(
        "{} of {servers} servers answered, and no {needed} of them alike{}{}",
        said.len(),
        if silent.is_empty() { "" } else { "; " },
        silent.join("; ")
    )))
}

async fn one(
    endpoint: &Endpoint,
    patience: Duration,
    key: EscrowKey,
    owners: &BTreeSet<AccountId>,
) -> Result<Seen, String> {
    let server = Asking::open(endpoint, patience).await?;
    let at = server.validated().await?;
    let mut owners = owners.clone();
    owners.insert(key.owner);
    let escrows = server.escrows(&at, &owners).await?;
    let Some(escrow) = escrows.iter().find(|escrow| escrow.key == key).cloned() else {
        return Ok(Seen { now: at.close_time, escrow: None, shared: None });
    };
    let alike = |other: &&EscrowView| other.key != key && opens_alike(other, &escrow);
    let shared = escrows.iter().filter(alike).map(|other| other.key).min();
    let made_at = server.made_at(&escrow, &at).await?;
    Ok(Seen { now: at.close_time, escrow: Some((escrow, made_at)), shared })
}

/// Whether one fulfillment opens both. A length in a condition may be written longer than it has to be, so it is what they
/// say that counts, and not their bytes.
fn opens_alike(one: &EscrowView, other: &EscrowView) -> bool {
    let said = |escrow: &EscrowView| {
        escrow.condition.as_ref().and_then(|condition| parse_condition(&condition.0).ok())
    };
    match (said(one), said(other)) {
        (Some(one), Some(other)) => one.fingerprint == other.fingerprint,
        _ => one.condition == other.condition,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(now: u32, there: bool) -> Result<Seen, String> {
        let key = EscrowKey { owner: AccountId([1; 20]), sequence: 7 };
        let view = EscrowView {
            key,
            destination: AccountId([2; 20]),
            destination_tag: None,
            amount: None,
            finish_after: None,
            cancel_after: None,
            condition: None,
        };
        let escrow = there.then_some((view, RippleTime(5)));
        Ok(Seen { now: RippleTime(now), escrow, shared: None })
    }

    #[test]
    fn more_than_half_of_all_servers_have_to_say_the_same_and_the_time_is_what_they_have_reached() {
        let silent = || Err("a: no answer in time".to_owned());
        let now = |answers: &[Result<Seen, String>]| agreed(answers, 3).map(|seen| seen.now.0).ok();
        assert_eq!(now(&[seen(10, true), seen(20, true), seen(30, true)]), Some(20));
        assert_eq!(now(&[seen(10, true), seen(9_000, true), silent()]), Some(10));
        assert_eq!(now(&[seen(10, true), seen(12, false), seen(11, true)]), Some(10));
        assert_eq!(now(&[seen(10, true), seen(12, false), silent()]), None);
        assert_eq!(now(&[seen(10, true), silent(), silent()]), None);
        assert_eq!(agreed(&[seen(10, true)], 1).map(|seen| seen.now.0), Ok(10));
        let blind = agreed(&[silent(), silent()], 2).unwrap_err();
        assert_eq!(blind.code(), "guard_blind");
        assert!(blind.to_string().contains("0 of 2 servers answered"), "{blind}");
    }

    /// Danger: the condition of a small escrow is written another way into a large one, and the share of the one opens both.
    #[test]
    fn a_condition_that_is_written_another_way_is_the_same_condition() {
        let condition = xrpl_wire::condition::condition_for_preimage(&[7; 96]);
        let mut longer = vec![condition[0], 0x81];
        longer.extend(&condition[1..]);
        assert!(parse_condition(&longer).is_ok());
        let with = |condition: &[u8]| EscrowView {
            condition: Some(treasury_core::units::HexBytes(condition.to_vec())),
            ..seen(0, true).unwrap().escrow.unwrap().0
        };
        assert!(opens_alike(&with(&condition), &with(&longer)));
        assert!(!opens_alike(
            &with(&condition),
            &with(&xrpl_wire::condition::condition_for_preimage(&[8; 96]))
        ));
        let none = EscrowView { condition: None, ..with(&condition) };
        assert!(!opens_alike(&with(&condition), &none));
    }
}
