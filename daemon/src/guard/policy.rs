//! The guard's own policy: what it gives a share for, whatever the daemon decided.

use std::collections::BTreeSet;

use treasury_core::units::{AccountId, Amount, RippleTime};

use super::declined::Declined;
use super::terms::Terms;

/// What may be released. What is not named is refused.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The network that every escrow must be on.
    pub network_id: Option<u32>,
    /// The accounts whose escrows are guarded.
    pub owners: BTreeSet<AccountId>,
    /// Who may be paid; `None`: anybody.
    pub destinations: Option<BTreeSet<AccountId>>,
    /// The most that one escrow may hold, an amount for each asset that is allowed at all.
    pub escrow_max: Vec<Amount>,
    /// The most that may be released within rolling periods.
    pub limits: Vec<Limit>,
    /// How long an escrow has to have stood on the ledger before its release.
    pub delay_min_seconds: u32,
}

/// The most that may be released within a rolling period of ledger time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// How much, and of what.
    pub most: Amount,
    /// Within so long.
    pub period_seconds: u32,
}

impl Policy {
    /// Looks at the terms alone: before a condition is made, and again before a share is given.
    ///
    /// # Errors
    /// What is against them.
    pub fn of_terms(&self, terms: &Terms) -> Result<(), Declined> {
        if terms.network_id != self.network_id {
            return Err(Declined::Network);
        }
        if terms.finish_after >= terms.cancel_after {
            return Err(Declined::BadTerms("FinishAfter is not before CancelAfter"));
        }
        if terms.amount.is_zero() || terms.amount.is_negative() {
            return Err(Declined::BadTerms("the amount is nothing"));
        }
        if !self.owners.contains(&terms.owner) {
            return Err(Declined::Owner(terms.owner));
        }
        if self.destinations.as_ref().is_some_and(|allowed| !allowed.contains(&terms.destination)) {
            return Err(Declined::Destination(terms.destination));
        }
        let issue = terms.amount.issue();
        let most = self.escrow_max.iter().find(|most| most.issue() == issue);
        let most = most.ok_or_else(|| Declined::Asset(issue.to_string()))?;
        if terms.amount <= *most { Ok(()) } else { Err(Declined::Amount(*most)) }
    }

    /// Looks at when the escrow came to be and what the time is, both by the validated ledgers' close times.
    ///
    /// # Errors
    /// What is against it.
    pub fn of_times(&self, terms: &Terms, made_at: RippleTime, now: RippleTime) -> Result<(), Declined> {
        if now > terms.cancel_after {
            return Err(Declined::Over(terms.cancel_after));
        }
        if now <= terms.finish_after {
            return Err(Declined::Early(terms.finish_after));
        }
        let stood_seconds = now.0.saturating_sub(made_at.0);
        let least_seconds = self.delay_min_seconds;
        if stood_seconds < least_seconds {
            Err(Declined::Delay { stood_seconds, least_seconds })
        } else {
            Ok(())
        }
    }

    /// Looks at what has been given before, each with its time.
    ///
    /// # Errors
    /// The limit that would be passed.
    pub fn of_sums<'a>(
        &self,
        amount: &Amount,
        now: RippleTime,
        given: impl Iterator<Item = (RippleTime, &'a Amount)> + Clone,
    ) -> Result<(), Declined> {
        for Limit { most, period_seconds } in &self.limits {
            if most.issue() != amount.issue() {
                continue;
            }
            // What a clock that was set back would put into the future counts, too.
            let within = given.clone().filter(|(at, _)| at.0.saturating_add(*period_seconds) > now.0);
            let mut alike = within.map(|(_, amount)| *amount).filter(|given| given.issue() == amount.issue());
            let passed = |given| Declined::Limit { most: *most, period_seconds: *period_seconds, given };
            let sum = alike.try_fold(most.issue().nothing(), |sum, given| sum.checked_add(&given));
            let sum = sum.ok_or_else(|| passed(*most))?;
            // What cannot be counted or compared is too much.
            let fits = sum.checked_add(amount).is_some_and(|whole| whole <= *most);
            if !fits {
                return Err(passed(sum));
            }
        }
        Ok(())
    }

    /// The longest period that a sum is asked for.
    #[must_use]
    pub fn longest_period_seconds(&self) -> u32 {
        self.limits.iter().map(|limit| limit.period_seconds).max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use treasury_core::units::{Drops, Hash256};

    use super::*;

    const DAY: u32 = 86_400;

    fn xrp(amount: u64) -> Amount {
        Amount::Xrp(Drops::new(amount * 1_000_000).unwrap())
    }

    fn policy() -> Policy {
        Policy {
            network_id: None,
            owners: BTreeSet::from([AccountId([1; 20])]),
            destinations: None,
            escrow_max: vec![xrp(100)],
            limits: vec![
                Limit { most: xrp(150), period_seconds: DAY },
                Limit { most: xrp(250), period_seconds: 3 * DAY },
            ],
            delay_min_seconds: 2 * DAY,
        }
    }

    fn terms() -> Terms {
        Terms {
            network_id: None,
            owner: AccountId([1; 20]),
            sequence: 7,
            destination: AccountId([2; 20]),
            destination_tag: None,
            amount: xrp(100),
            finish_after: RippleTime(10 * DAY),
            cancel_after: RippleTime(11 * DAY),
            first_digest: Hash256([3; 32]),
        }
    }

    #[test]
    fn times_are_compared_as_the_ledger_does_and_the_delay_counts_by_its_close_times() {
        let (policy, terms) = (policy(), terms());
        let code = |made_at: u32, now: u32| {
            policy.of_times(&terms, RippleTime(made_at), RippleTime(now)).map_err(|declined| declined.code())
        };
        let opens = 10 * DAY;
        assert_eq!(code(0, opens), Err("guard_early"));
        assert_eq!(code(0, opens + 1), Ok(()));
        assert_eq!(code(opens + 1 - 2 * DAY, opens + 1), Ok(()));
        assert_eq!(code(opens + 2 - 2 * DAY, opens + 1), Err("guard_delay"));
        assert_eq!(code(0, 11 * DAY), Ok(()));
        assert_eq!(code(0, 11 * DAY + 1), Err("guard_over"));
        // A server that says that it was made later than now does not make it older.
        assert_eq!(code(11 * DAY, opens + 1), Err("guard_delay"));
    }

    #[test]
    fn no_limit_is_passed_by_a_drop_and_what_is_older_than_its_period_counts_no_more() {
        let policy = policy();
        let now = 10 * DAY;
        let code = |given: &[(u32, u64)], amount: u64| {
            let given: Vec<(RippleTime, Amount)> =
                given.iter().map(|(at, amount)| (RippleTime(*at), xrp(*amount))).collect();
            let given = given.iter().map(|(at, amount)| (*at, amount));
            policy.of_sums(&xrp(amount), RippleTime(now), given).map_err(|declined| declined.code())
        };
        assert_eq!(code(&[], 100), Ok(()));
        assert_eq!(code(&[(now, 50)], 100), Ok(()));
        assert_eq!(code(&[(now, 51)], 100), Err("guard_limit"));
        assert_eq!(code(&[(now - DAY + 1, 51)], 100), Err("guard_limit"));
        assert_eq!(code(&[(now - DAY, 51)], 100), Ok(()));
        assert_eq!(code(&[(now - DAY, 100), (now - 2 * DAY, 100)], 50), Ok(()));
        assert_eq!(code(&[(now - DAY, 100), (now - 2 * DAY, 100)], 51), Err("guard_limit"));
        assert_eq!(code(&[(now + DAY, 100)], 100), Err("guard_limit"), "time that went back forgets nothing");
        // Another asset is another sum.
        let other = Amount::from_words("149 USD.rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B").unwrap();
        let mixed = [(RippleTime(now), &other)];
        assert!(policy.of_sums(&xrp(100), RippleTime(now), mixed.into_iter()).is_ok());
    }

    #[test]
    fn every_term_is_bound() {
        let one = terms();
        let others = [
            Terms { network_id: Some(0), ..one.clone() },
            Terms { owner: AccountId([9; 20]), ..one.clone() },
            Terms { sequence: 8, ..one.clone() },
            Terms { destination: AccountId([9; 20]), ..one.clone() },
            Terms { destination_tag: Some(0), ..one.clone() },
            Terms { amount: xrp(99), ..one.clone() },
            Terms { finish_after: RippleTime(1), ..one.clone() },
            Terms { cancel_after: RippleTime(1), ..one.clone() },
            Terms { first_digest: Hash256([4; 32]), ..one.clone() },
        ];
        for other in others {
            assert_ne!(one.id(), other.id(), "{other:?}");
        }
    }
}
