//! Paths become strands: the accounts and books that a path leaves out are filled in, and each step is checked.

use std::collections::BTreeSet;

use xrpl_wire::{AccountId, Currency, Issue, PathStep, TxResult};

use super::book::{Book, BookStep};
use super::direct::Direct;
use super::step::{Step, XrpEnd};
use super::{Crossing, Request};
use crate::embedded::apply::mpt;
use crate::embedded::apply::table::Table;

/// The steps from the source to the destination.
pub(super) type Strand = Vec<Step>;

/// An asset on its way along a path: a currency whose issuer may not be the right one yet, or a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asset {
    Currency { currency: Currency, issuer: AccountId },
    Mpt([u8; 24]),
}

/// A place on a path: an account that is rippled through, or else an order book.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    account: Option<AccountId>,
    currency: Option<Currency>,
    mpt: Option<[u8; 24]>,
    issuer: Option<AccountId>,
}

/// What has been gone through already: nothing may be gone through twice.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) sources: BTreeSet<Issue>,
    pub(super) destinations: BTreeSet<Issue>,
    pub(super) book_outputs: BTreeSet<Issue>,
}

/// Makes the strands of a request.
pub(super) struct Maker<'m, 't> {
    pub(super) view: &'m Table<'t>,
    pub(super) request: &'m Request<'m>,
}

/// What a step is made in.
pub(super) struct Around<'a, 't> {
    pub(super) maker: &'a Maker<'a, 't>,
    pub(super) previous: Option<&'a Step>,
    pub(super) is_first: bool,
    pub(super) is_last: bool,
    pub(super) is_default: bool,
    pub(super) seen: &'a mut Seen,
}

const BAD_PATH: TxResult = TxResult::temBAD_PATH;

impl Asset {
    const XRP: Asset = Asset::Currency { currency: Currency::XRP, issuer: AccountId::ZERO };

    pub(super) fn of(issue: &Issue) -> Asset {
        match issue {
            Issue::Xrp => Asset::XRP,
            Issue::Issued { currency, issuer } => Asset::Currency { currency: *currency, issuer: *issuer },
            Issue::Mpt(id) => Asset::Mpt(*id),
        }
    }

    pub(super) fn is_xrp(self) -> bool {
        matches!(self, Asset::Currency { currency: Currency::XRP, .. })
    }

    pub(super) fn issuer(self) -> AccountId {
        match self {
            Asset::Currency { issuer, .. } => issuer,
            Asset::Mpt(id) => mpt::issuer(&id),
        }
    }

    /// As an asset there can be: XRP has no issuer, everything else has one.
    pub(super) fn issue(self) -> Result<Issue, TxResult> {
        match self {
            Asset::XRP => Ok(Issue::Xrp),
            Asset::Currency { currency, issuer } if !currency.is_xrp() && issuer != AccountId::ZERO => {
                Ok(Issue::Issued { currency, issuer })
            }
            Asset::Currency { .. } => Err(BAD_PATH),
            Asset::Mpt(id) => Ok(Issue::Mpt(id)),
        }
    }

    /// The same asset but for its issuer.
    fn is_kind_of(self, other: Asset) -> bool {
        match (self, other) {
            (Asset::Currency { currency: one, .. }, Asset::Currency { currency: other, .. }) => one == other,
            (one, other) => one == other,
        }
    }
}

impl Place {
    fn account(account: AccountId) -> Place {
        Place { account: Some(account), ..Place::default() }
    }

    fn has_asset(&self) -> bool {
        self.currency.is_some() || self.mpt.is_some()
    }

    fn is_account(&self) -> bool {
        self.account.is_some()
    }

    /// The asset changed to at this place, as far as it says one.
    fn asset(&self) -> Asset {
        match (self.mpt, self.currency) {
            (Some(id), _) => Asset::Mpt(id),
            (None, currency) => Asset::Currency {
                currency: currency.unwrap_or(Currency::XRP),
                issuer: self.issuer.unwrap_or(AccountId::ZERO),
            },
        }
    }

    /// Between the steps of a payment of XRP.
    fn is_xrp_account(&self) -> bool {
        self.account == Some(AccountId::ZERO) && !self.has_asset() && self.issuer.is_none()
    }
}

impl Maker<'_, '_> {
    /// All strands of the request: that of the default path first, none twice.
    pub(super) fn strands(&self) -> Result<Vec<Strand>, TxResult> {
        let mut strands: Vec<Strand> = Vec::new();
        let mut failure = None;
        if self.request.default_path {
            match self.strand(&[]) {
                Ok(strand) => strands.push(strand),
                Err(result) if stops(result) || self.request.paths.is_empty() => return Err(result),
                Err(_) => {}
            }
        } else if self.request.paths.is_empty() {
            return Err(TxResult::temRIPPLE_EMPTY);
        }
        for path in self.request.paths {
            match self.strand(path) {
                Ok(strand) if strands.iter().any(|other| is_same(other, &strand)) => {}
                Ok(strand) => strands.push(strand),
                Err(result) if stops(result) => return Err(result),
                Err(result) => failure = Some(result),
            }
        }
        match failure {
            Some(result) if strands.is_empty() => Err(result),
            _ => Ok(strands),
        }
    }

    /// The asset a strand begins with.
    fn first_asset(&self) -> Asset {
        let issue = self.request.send_max.map_or(self.request.deliver.1, |(_, issue)| issue);
        match Asset::of(&issue) {
            Asset::XRP => Asset::XRP,
            Asset::Currency { currency, .. } => Asset::Currency { currency, issuer: self.request.source },
            token => token,
        }
    }

    fn strand(&self, path: &[PathStep]) -> Result<Strand, TxResult> {
        self.check_ends()?;
        check_path(path)?;
        let places = self.places(path);
        let mut strand = Strand::new();
        let mut seen = Seen::default();
        let mut asset = self.first_asset();
        for (number, pair) in places.windows(2).enumerate() {
            let [here, next] = pair else { return Err(BAD_PATH) };
            asset = asset_at(asset, here);
            let is_last = number + 2 == places.len();
            let is_default = path.is_empty();
            let mut here = *here;
            let mut add = |strand: &mut Strand, is_last, make: &dyn Fn(&mut Around<'_, '_>) -> Made| {
                let mut around = Around {
                    maker: self,
                    previous: strand.last(),
                    is_first: strand.is_empty(),
                    is_last,
                    is_default,
                    seen: &mut seen,
                };
                let step = make(&mut around)?;
                strand.push(step);
                Ok::<(), TxResult>(())
            };
            let issuer = asset.issuer();
            match (here.account, next.account) {
                (Some(account), Some(to)) => {
                    if !asset.is_xrp() && issuer != account && issuer != to {
                        add(&mut strand, false, &|around| implied(around, account, issuer, asset))?;
                        here = Place::account(issuer);
                    }
                }
                (Some(account), None) => {
                    if issuer != account {
                        add(&mut strand, false, &|around| implied(around, account, issuer, asset))?;
                        here = Place::account(issuer);
                    }
                }
                (None, Some(to)) => {
                    if issuer != to && to != AccountId::ZERO {
                        if !asset.is_xrp() {
                            add(&mut strand, false, &|around| implied(around, issuer, to, asset))?;
                        } else if is_last {
                            add(&mut strand, false, &|around| XrpEnd::make(around, to))?;
                        } else {
                            return Err(BAD_PATH);
                        }
                    }
                    continue;
                }
                (None, None) => {}
            }
            if next.is_account() && next.has_asset() && !next.asset().is_kind_of(asset) {
                return Err(BAD_PATH);
            }
            add(&mut strand, is_last, &|around| step_between(around, &here, next, asset))?;
        }
        self.check_strand(&strand)?;
        Ok(strand)
    }

    /// What no strand may begin or end with.
    fn check_ends(&self) -> Result<(), TxResult> {
        let Request { source, destination, .. } = self.request;
        let deliver = Asset::of(&self.request.deliver.1);
        let send_max = self.request.send_max.map(|(_, issue)| Asset::of(&issue));
        let nobody = [*source, *destination];
        if nobody.contains(&AccountId::ZERO) || nobody.contains(&AccountId::ONE) {
            return Err(BAD_PATH);
        }
        for asset in [Some(deliver), send_max].into_iter().flatten() {
            asset.issue()?;
            let issuer = asset.issuer();
            if issuer == AccountId::ONE || (issuer == AccountId::ZERO && !asset.is_xrp()) {
                return Err(BAD_PATH);
            }
        }
        Ok(())
    }

    /// The path with its ends, and with the accounts that issue what goes in and comes out.
    fn places(&self, path: &[PathStep]) -> Vec<Place> {
        let Request { source, destination, crossing, .. } = *self.request;
        let first = self.first_asset();
        let deliver = Asset::of(&self.request.deliver.1);
        let (currency, mpt) = match first {
            Asset::Currency { currency, .. } => (Some(currency), None),
            Asset::Mpt(id) => (None, Some(id)),
        };
        let mut places = Vec::with_capacity(path.len() + 4);
        places.push(Place { account: Some(source), currency, mpt, issuer: Some(first.issuer()) });
        if let Some((_, issue)) = self.request.send_max {
            let issuer = Asset::of(&issue).issuer();
            if issuer != source && path.first().and_then(|step| step.account) != Some(issuer) {
                places.push(Place::account(issuer));
            }
        }
        places.extend(path.iter().map(|step| Place {
            account: step.account,
            currency: step.currency,
            mpt: step.mpt,
            issuer: step.issuer,
        }));
        if let Some(last) = places.iter().rfind(|place| place.has_asset()) {
            let other_issuer = last.issuer.unwrap_or(AccountId::ZERO) != deliver.issuer();
            if !last.asset().is_kind_of(deliver) || (crossing != Crossing::None && other_issuer) {
                let (currency, mpt) = match deliver {
                    Asset::Currency { currency, .. } => (Some(currency), None),
                    Asset::Mpt(id) => (None, Some(id)),
                };
                places.push(Place { account: None, currency, mpt, issuer: Some(deliver.issuer()) });
            }
        }
        let ends_with =
            |places: &[Place], account| places.last().is_some_and(|place| place.account == Some(account));
        if !ends_with(&places, deliver.issuer()) && destination != deliver.issuer() {
            places.push(Place::account(deliver.issuer()));
        }
        if !ends_with(&places, destination) {
            places.push(Place::account(destination));
        }
        places
    }

    /// Each step must begin where the one before ended.
    fn check_strand(&self, strand: &Strand) -> Result<(), TxResult> {
        let mut account = self.request.source;
        let mut asset = self.first_asset();
        for step in strand {
            let (from, to) = step.accounts();
            if from != account {
                return Err(BAD_PATH);
            }
            match (step.book(), &mut asset) {
                (Some(book), _) => {
                    if asset != Asset::of(&book.input) {
                        return Err(BAD_PATH);
                    }
                    asset = Asset::of(&book.output);
                }
                (None, Asset::Currency { issuer, .. }) => *issuer = to,
                (None, Asset::Mpt(_)) => {}
            }
            account = to;
        }
        let deliver = Asset::of(&self.request.deliver.1);
        let destination = self.request.destination;
        let ends = account == destination
            && asset.is_kind_of(deliver)
            && (asset.issuer() == deliver.issuer() || asset.issuer() == destination);
        if ends { Ok(()) } else { Err(BAD_PATH) }
    }
}

/// A step that was made, or why it cannot be.
type Made = Result<Step, TxResult>;

/// Whether a path that fails so makes the whole payment fail.
fn stops(result: TxResult) -> bool {
    result.is_tem() || result == TxResult::tefEXCEPTION
}

fn is_same(one: &Strand, other: &Strand) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.is_same(other))
}

/// What a path may not hold.
fn check_path(path: &[PathStep]) -> Result<(), TxResult> {
    let mut after_token = false;
    for step in path {
        let PathStep { account, currency, mpt, issuer } = *step;
        let none = account.is_none() && currency.is_none() && mpt.is_none() && issuer.is_none();
        let unlike = matches!((currency, issuer), (Some(currency), Some(issuer))
            if currency.is_xrp() != (issuer == AccountId::ZERO));
        let wrong_issuer = matches!((mpt, issuer), (Some(id), Some(issuer)) if mpt::issuer(&id) != issuer);
        let no_account = |account: Option<AccountId>| {
            account.is_some_and(|account| [AccountId::ZERO, AccountId::ONE].contains(&account))
        };
        if none
            || (account.is_some() && (issuer.is_some() || currency.is_some()))
            || no_account(issuer)
            || no_account(account)
            || unlike
            || (mpt.is_some() && (currency.is_some() || account.is_some()))
            || wrong_issuer
            || (after_token
                && (account.is_some() || (issuer.is_some() && currency.is_none() && mpt.is_none())))
        {
            return Err(BAD_PATH);
        }
        after_token = mpt.is_some();
    }
    Ok(())
}

/// The asset after a place has been reached.
fn asset_at(before: Asset, place: &Place) -> Asset {
    let mut asset = before;
    if matches!(asset, Asset::Mpt(_)) && place.currency.is_some() {
        asset = Asset::XRP;
    }
    if let Asset::Currency { issuer, .. } = &mut asset
        && let Some(account) = place.account.or(place.issuer)
    {
        *issuer = account;
    }
    match (place.currency, place.mpt) {
        (Some(Currency::XRP), _) => Asset::XRP,
        (Some(currency), _) => Asset::Currency { currency, issuer: asset.issuer() },
        (None, Some(id)) => Asset::Mpt(id),
        (None, None) => asset,
    }
}

/// A step over a trust line that the path left out.
fn implied(around: &mut Around<'_, '_>, from: AccountId, to: AccountId, asset: Asset) -> Made {
    match asset {
        Asset::Currency { currency, .. } => Direct::make(around, from, to, currency),
        Asset::Mpt(_) => Err(BAD_PATH),
    }
}

/// The step from one place to the next.
fn step_between(around: &mut Around<'_, '_>, here: &Place, next: &Place, asset: Asset) -> Made {
    if around.is_first
        && let Some(account) = here.account
        && here.currency == Some(Currency::XRP)
    {
        return XrpEnd::make(around, account);
    }
    if around.is_last
        && here.is_xrp_account()
        && let Some(account) = next.account
    {
        return XrpEnd::make(around, account);
    }
    if let (Some(from), Some(to)) = (here.account, next.account) {
        // Tokens move between accounts without the engine, as long as they do not stand in offers.
        return implied(around, from, to, asset);
    }
    let output = match (next.currency, next.mpt) {
        (_, Some(id)) => Asset::Mpt(id),
        (Some(currency), None) => Asset::Currency { currency, issuer: next.issuer.unwrap_or(asset.issuer()) },
        (None, None) => match asset {
            Asset::Currency { currency, issuer } => {
                Asset::Currency { currency, issuer: next.issuer.unwrap_or(issuer) }
            }
            token => token,
        },
    };
    if asset.is_xrp() && output.is_xrp() {
        return Err(BAD_PATH);
    }
    let output = if output.is_xrp() { Asset::XRP } else { output };
    let input = if asset.is_xrp() { Asset::XRP } else { asset };
    BookStep::make(around, input, output).map(Step::Book)
}

impl Book {
    /// The book between two assets; none where one of them cannot be.
    pub(super) fn between(input: Asset, output: Asset, around: &Around<'_, '_>) -> Result<Book, TxResult> {
        if input == output {
            return Err(BAD_PATH);
        }
        Ok(Book { input: input.issue()?, output: output.issue()?, domain: around.maker.request.domain })
    }
}
