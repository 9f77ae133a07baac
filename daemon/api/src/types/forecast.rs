//! How long the money lasts, and what there is.

use serde::{Deserialize, Serialize};

use super::{AmountView, PartyView};

/// How long the money lasts, and what there is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForecastView {
    /// As of when, by the ledger; `null` before the first ledger.
    pub at: Option<String>,
    /// Each account that pays others, by tier and name: of XRP.
    pub accounts: Vec<RunwayView>,
    /// The same accounts, of each other asset that links or schedules move there, that proposals may take out, or that has left
    /// by a trust line of the account's lately.
    #[serde(default)]
    pub tokens: Vec<TokenRunwayView>,
    /// What may still leave, by when it does at the soonest; at most the first 200.
    pub pipeline: Vec<ExpectedView>,
    /// How many there are that are not shown.
    pub pipeline_more: usize,
    /// What there is, by tier and asset.
    pub positions: Vec<PositionView>,
    /// The prices that it is told in money by; `null` where the configuration names no file of them.
    pub prices: Option<PricesView>,
    /// What each tier and the whole is worth by them; empty where they do not count.
    pub worth: Vec<WorthView>,
}

/// How long an account, with what it fills, lasts if nothing comes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunwayView {
    /// The account.
    pub account: PartyView,
    /// Its tier.
    pub tier: String,
    /// The accounts that links fill from it, over however many links: its money is theirs, too.
    pub fills: Vec<PartyView>,
    /// Whether nothing fills it: what it runs out of, people have to bring.
    pub is_source: bool,
    /// XRP that they all have above their reserves, in drops.
    pub has_drops: String,
    /// What proposals may still take out of them.
    pub promised_drops: String,
    /// What schedules take within a year and have not asked for.
    pub scheduled_drops: String,
    /// What usually leaves in a day, without what schedules pay.
    pub usual_drops_per_day: String,
    /// When it is all gone, by the ledger; `null`: not within a year.
    pub ends: Option<String>,
    /// Seconds until then; `null`: more than a year.
    pub seconds: Option<u32>,
    /// How long it lasts, in words.
    pub lasts: String,
    /// The least of the limits of `forecast.warn_days` that it was found to be below of, in days.
    pub below_days: Option<u32>,
}

/// How long an account, with what it fills, lasts with an asset that it has by a trust line, if nothing comes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRunwayView {
    /// The account.
    pub account: PartyView,
    /// Its tier.
    pub tier: String,
    /// Which asset: its currency and issuer.
    pub asset: String,
    /// The accounts that links fill from it with that asset, over however many links.
    pub fills: Vec<PartyView>,
    /// Whether nothing fills it with that asset: what it runs out of, people have to bring.
    pub is_source: bool,
    /// What they all have by trust lines that are not frozen.
    pub has: AmountView,
    /// What they have by trust lines that the issuer has frozen. It counts for nothing.
    pub frozen: AmountView,
    /// What proposals may still take out of them.
    pub promised: AmountView,
    /// What schedules take within a year and have not asked for.
    pub scheduled: AmountView,
    /// What usually leaves in a day, without what schedules pay.
    pub usual_per_day: AmountView,
    /// When it is all gone, by the ledger; `null`: not within a year.
    pub ends: Option<String>,
    /// Seconds until then; `null`: more than a year.
    pub seconds: Option<u32>,
    /// How long it lasts, in words.
    pub lasts: String,
    /// The least of the limits of `forecast.warn_days` that it was found to be below of, in days.
    pub below_days: Option<u32>,
}

/// A payment or move that may still leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedView {
    /// The proposal.
    pub proposal: String,
    /// The account that pays.
    pub account: PartyView,
    /// How much.
    pub amount: AmountView,
    /// When it leaves at the soonest, by the ledger.
    pub soonest: String,
    /// Until when people can sign it.
    pub deadline: Option<String>,
    /// How likely it is to leave, of a thousand.
    pub permille: u32,
}

/// What there is of an asset in a tier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PositionView {
    /// The tier.
    pub tier: String,
    /// What its accounts have, reserves included.
    pub has: AmountView,
    /// What stands in escrows that they made, and may come back.
    pub escrowed: AmountView,
    /// What proposals may still take out of the accounts.
    pub promised: AmountView,
    /// What they have is worth that, in the reference currency, rounded down; `null`: it has no price, or prices do not count.
    pub worth: Option<String>,
}

/// The prices that are known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricesView {
    /// What they are in.
    pub currency: String,
    /// Of when they are; `null`: the file cannot be read.
    pub at: Option<String>,
    /// SHA-256 of the file.
    pub sha256: Option<String>,
    /// Whether they are too old, or of a time to come: nothing is told in money by them.
    pub stale: bool,
    /// What is wrong with the file.
    pub problem: Option<String>,
}

/// What a tier or the whole is worth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorthView {
    /// The tier; `null`: all of them.
    pub tier: Option<String>,
    /// What is there and has a price, in the reference currency, rounded down.
    pub worth: String,
    /// Assets that are there and have no price, and are in no sum.
    pub unpriced: Vec<String>,
}
