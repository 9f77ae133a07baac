//! A payment as rules see it, made up: what the prover tries.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::config::Treasury;
use crate::model::intent::{Asker, IntentKind};
use crate::model::policy::Per;
use crate::model::role::{Role, Tier};
use crate::model::units::{AccountId, Amount, Asset, RippleTime};
use crate::rules::matching::Payment;
use xrpl_wire::Currency;

/// A payment, and what else there would be when it is decided on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// Who asks.
    pub asker: Asker,
    /// With what roles.
    pub roles: BTreeSet<Role>,
    /// Which account pays.
    pub account: AccountId,
    /// Its tier.
    pub tier: Option<Tier>,
    /// What is asked for.
    pub kind: IntentKind,
    /// Who receives.
    pub recipient: Recipient,
    /// For how many seconds it has been paid; `None`: never.
    pub paid_for: Option<u32>,
    /// How much.
    pub amount: Amount,
    /// When.
    pub at: RippleTime,
    /// What else leaves, by period; where nothing is said, nothing.
    pub sums: BTreeMap<(Per, u32), Amount>,
    /// How many other payments there are, by period; where nothing is said, none.
    pub counts: BTreeMap<(Per, u32), u32>,
    /// How unusual it looks: anything that the signs can make, whatever else the example says.
    pub risk: u8,
}

/// An asset that stands for all that no rule names: nobody can issue it.
pub const UNNAMED: Asset = Asset::Issued { currency: Currency::NONE, issuer: AccountId::ONE };

/// Who receives. Nobody named: somebody of whom nobody has heard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recipient {
    /// Its account.
    pub account: Option<AccountId>,
    /// Whether it is one of the treasury's own.
    pub own: bool,
    /// Whether it is one of those, or in the address book.
    pub known: bool,
    /// The lists that it is on.
    pub lists: BTreeSet<String>,
}

impl Example {
    /// In words.
    #[must_use]
    pub fn words(&self, config: &Treasury) -> String {
        let name = |account: &AccountId| {
            config.name_of(account).map_or_else(|| account.to_string(), |name| format!("{name} ({account})"))
        };
        let what = if self.kind == IntentKind::Move { "moves" } else { "asks to pay" };
        let to = match &self.recipient.account {
            Some(account) => name(account),
            None => "a new destination on no list".to_owned(),
        };
        let amount = if self.amount.issue() == UNNAMED {
            "an issued currency that no rule names".to_owned()
        } else {
            self.amount.words()
        };
        let mut words = format!(
            "{} {what} {amount} from {} to {to}, {}",
            self.asker,
            name(&self.account),
            match self.paid_for {
                None => "never paid before".to_owned(),
                Some(seconds) => format!("paid first {seconds} s ago"),
            }
        );
        for ((per, seconds), sum) in self.sums.iter().filter(|(_, sum)| !sum.is_zero()) {
            words.push_str(&format!(", {} more of the {} within {seconds} s", sum.words(), per.word()));
        }
        for ((per, seconds), count) in self.counts.iter().filter(|(_, count)| **count > 0) {
            words.push_str(&format!(", {count} more payments of the {} within {seconds} s", per.word()));
        }
        if self.risk > 0 {
            words.push_str(&format!(", of risk {}", self.risk));
        }
        words.push_str(&format!(", at {}", self.at));
        words
    }
}

impl Payment for Example {
    fn asker(&self) -> &Asker {
        &self.asker
    }

    fn asker_has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    fn account(&self) -> AccountId {
        self.account
    }

    fn tier(&self) -> Option<Tier> {
        self.tier
    }

    fn kind(&self) -> IntentKind {
        self.kind
    }

    fn destination(&self) -> Option<AccountId> {
        self.recipient.account
    }

    fn is_own(&self) -> bool {
        self.recipient.own
    }

    fn is_known(&self) -> bool {
        self.recipient.known
    }

    fn is_on(&self, list: &str) -> bool {
        self.recipient.lists.contains(list)
    }

    fn paid_for(&self) -> Option<u32> {
        self.paid_for
    }

    fn amount(&self) -> Option<Amount> {
        Some(self.amount)
    }

    fn at(&self) -> RippleTime {
        self.at
    }

    fn leaves(&self, per: Per, period_seconds: u32) -> Amount {
        self.sums.get(&(per, period_seconds)).copied().unwrap_or_else(|| self.amount.issue().nothing())
    }

    fn others(&self, per: Per, period_seconds: u32) -> u32 {
        self.counts.get(&(per, period_seconds)).copied().unwrap_or_default()
    }

    fn risk(&self) -> u8 {
        self.risk
    }
}
