//! What makes a payment look unusual, and how much each of it weighs. The weights of what is seen make a score that rules
//! can ask about.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::matchers::Times;
use crate::model::units::{Amount, Drops};

/// The highest score.
pub const SCORE_MAX: u8 = 100;

/// Something about a payment that is unusual.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// The destination is in nobody's book, and was never paid.
    NewDestination,
    /// Such a one is to be paid much.
    LargeToNew,
    /// The amount is far above what the account has paid of late.
    UnusualAmount,
    /// The account pays often.
    Velocity,
    /// The destination is on a list.
    Listed,
    /// It is decided on at another time than usual.
    OddTime,
    /// Whoever asks has never had a payment made.
    NewAsker,
    /// The destination is not on the ledger: the payment would make its account.
    Unfunded,
    /// The destination's account is set so that a payment may not arrive, or by nobody who owns it.
    OddSettings,
    /// Nothing shows that the destination's account has been there for long.
    Young,
    /// The destination has little.
    Poor,
    /// The destination's account could not be read.
    Unread,
    /// Nothing of the asset was paid for a year.
    FirstAsset,
    /// Whoever screens destinations gives it a score.
    Screened,
}

impl Sign {
    /// Each of them.
    pub const ALL: [Self; 14] = [
        Self::NewDestination,
        Self::LargeToNew,
        Self::UnusualAmount,
        Self::Velocity,
        Self::Listed,
        Self::OddTime,
        Self::NewAsker,
        Self::Unfunded,
        Self::OddSettings,
        Self::Young,
        Self::Poor,
        Self::Unread,
        Self::FirstAsset,
        Self::Screened,
    ];

    /// The word for it, in configuration and for people.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::NewDestination => "new_destination",
            Self::LargeToNew => "large_to_new",
            Self::UnusualAmount => "unusual_amount",
            Self::Velocity => "velocity",
            Self::Listed => "listed",
            Self::OddTime => "odd_time",
            Self::NewAsker => "new_asker",
            Self::Unfunded => "unfunded",
            Self::OddSettings => "odd_settings",
            Self::Young => "young",
            Self::Poor => "poor",
            Self::Unread => "unread",
            Self::FirstAsset => "first_asset",
            Self::Screened => "screened",
        }
    }
}

/// What is seen in the destination's account.
const OF_ACCOUNT: [Sign; 4] = [Sign::Unfunded, Sign::OddSettings, Sign::Young, Sign::Poor];

/// What is looked for, and how much it weighs; `None`: it is not looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Risk {
    /// The weight of a new destination.
    pub new_destination: Option<u8>,
    /// A new destination that is paid more than this.
    pub large_to_new: Option<(u8, Amount)>,
    /// An amount that is unusual for the account.
    pub unusual_amount: Option<Unusual>,
    /// Many payments at once.
    pub velocity: Option<Velocity>,
    /// A destination on one of these lists.
    pub listed: Option<(u8, BTreeSet<String>)>,
    /// Another time than these.
    pub odd_time: Option<(u8, Times)>,
    /// The weight of somebody new who asks.
    pub new_asker: Option<u8>,
    /// The weight of a destination that is not on the ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unfunded: Option<u8>,
    /// The weight of settings of its account that few have who want to be paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub odd_settings: Option<u8>,
    /// An account of which nothing shows that it is older than so many seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub young: Option<(u8, u32)>,
    /// An account that has less than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poor: Option<(u8, Drops)>,
    /// The weight of an account that could not be read; where nothing is said, as much as all that could be seen in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<u8>,
    /// The weight of an asset that was not paid for a year.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_asset: Option<u8>,
}

/// How far above the median an amount is unusual. The measure is the median absolute deviation: half of all payments are
/// no further from the median than that, and a few that are far out do not move it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unusual {
    /// Its weight.
    pub weight: u8,
    /// So many times the median absolute deviation.
    pub times: u32,
    /// From so many payments on; before that nothing is unusual.
    pub payments: u32,
}

/// How many payments of an account are many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Velocity {
    /// Its weight.
    pub weight: u8,
    /// Within so many seconds of ledger time.
    pub period_seconds: u32,
    /// More than this, the one that is looked at included.
    pub above: u32,
}

impl Default for Risk {
    /// What needs no word of the organisation's: amounts far out, and destinations that are new.
    fn default() -> Self {
        Self {
            new_destination: Some(30),
            large_to_new: None,
            unusual_amount: Some(Unusual { weight: 30, times: 10, payments: 20 }),
            velocity: None,
            listed: None,
            odd_time: None,
            new_asker: None,
            unfunded: None,
            odd_settings: None,
            young: None,
            poor: None,
            unread: None,
            first_asset: None,
        }
    }
}

impl Risk {
    /// The weight of a sign; `None` where it is not looked for.
    #[must_use]
    pub fn weight(&self, sign: Sign) -> Option<u8> {
        match sign {
            Sign::NewDestination => self.new_destination,
            Sign::LargeToNew => self.large_to_new.map(|(weight, _)| weight),
            Sign::UnusualAmount => self.unusual_amount.map(|unusual| unusual.weight),
            Sign::Velocity => self.velocity.map(|velocity| velocity.weight),
            Sign::Listed => self.listed.as_ref().map(|(weight, _)| *weight),
            Sign::OddTime => self.odd_time.as_ref().map(|(weight, _)| *weight),
            Sign::NewAsker => self.new_asker,
            Sign::Unfunded => self.unfunded,
            Sign::OddSettings => self.odd_settings,
            Sign::Young => self.young.map(|(weight, _)| weight),
            Sign::Poor => self.poor.map(|(weight, _)| weight),
            // What is not known must not look better than the worst that it could be.
            Sign::Unread => self.unread.or_else(|| {
                let of_account = OF_ACCOUNT.into_iter().filter_map(|sign| self.weight(sign));
                self.reads_accounts().then(|| total(of_account))
            }),
            Sign::FirstAsset => self.first_asset,
            // It weighs what is answered.
            Sign::Screened => None,
        }
    }

    /// Whether something is looked for in the destination's account.
    #[must_use]
    pub fn reads_accounts(&self) -> bool {
        self.unread.is_some() || OF_ACCOUNT.into_iter().any(|sign| self.weight(sign).is_some())
    }

    /// The highest score that there can be.
    #[must_use]
    pub fn most(&self) -> u8 {
        // Of an account that is not read nothing else is seen.
        let of_account = total(OF_ACCOUNT.into_iter().filter_map(|sign| self.weight(sign)));
        let of_account = of_account.max(self.weight(Sign::Unread).unwrap_or(0));
        let others = Sign::ALL.into_iter().filter(|sign| *sign != Sign::Unread && !OF_ACCOUNT.contains(sign));
        total(others.filter_map(|sign| self.weight(sign)).chain([of_account]))
    }
}

/// Scores that a rule is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskBand {
    /// Above this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<u8>,
    /// Up to and including this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u8>,
}

impl RiskBand {
    /// Whether the score is within it.
    #[must_use]
    pub fn holds(&self, score: u8) -> bool {
        self.above.is_none_or(|above| score > above) && self.max.is_none_or(|max| score <= max)
    }
}

/// How unusual a payment looks, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessment {
    /// From 0 to [`SCORE_MAX`].
    pub score: u8,
    /// What was seen.
    pub seen: Vec<Seen>,
}

/// A sign that was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Which.
    pub sign: Sign,
    /// What it weighs.
    pub weight: u8,
    /// What shows it, in words.
    pub evidence: String,
}

impl Assessment {
    /// The score of what was seen.
    #[must_use]
    pub fn of(seen: Vec<Seen>) -> Self {
        Self { score: total(seen.iter().map(|seen| seen.weight)), seen }
    }
}

impl fmt::Display for Assessment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {SCORE_MAX}", self.score)?;
        for (number, seen) in self.seen.iter().enumerate() {
            let before = if number == 0 { ": " } else { "; " };
            write!(f, "{before}{} ({}): {}", seen.sign.word(), seen.weight, seen.evidence)?;
        }
        Ok(())
    }
}

fn total(weights: impl Iterator<Item = u8>) -> u8 {
    weights.fold(0, u8::saturating_add).min(SCORE_MAX)
}
