//! What each single captured thing can take at most.

use std::sync::Arc;

use axum::extract::State as Shared;
use treasury_core::State;
use treasury_core::config::Treasury;
use treasury_core::exposure::{self, Captured, Exposure, Most, Surroundings, Take, Until};
use treasury_core::reach::Reach;
use treasury_core::units::Amount;

use super::App;
use super::api::{AmountView, ComesView, ExposureView, ReachView, TakeView, WithinView};
use super::auth::Speaker;
use super::error::ApiError;
use super::shown::Shown;
use super::view::party;

/// Things that are looked at in one question to the engine, which takes no stop meanwhile. For a person the whole table is read
/// for every account.
const THINGS_AT_ONCE: usize = 4;

pub(super) async fn exposure(
    Shared(app): Shared<App>,
    _: Speaker,
) -> Result<Shown<Vec<ExposureView>>, ApiError> {
    let around = Arc::clone(&app.around);
    let things = app.engine.query(move |_, treasury| exposure::things(treasury, &around)).await?;
    let mut views = Vec::with_capacity(things.len());
    for some in things.chunks(THINGS_AT_ONCE) {
        let (some, around) = (some.to_vec(), Arc::clone(&app.around));
        views.extend(app.engine.query(move |state, treasury| looked(state, treasury, &around, &some)).await?);
    }
    Ok(Shown(views))
}

fn looked(state: &State, treasury: &Treasury, around: &Surroundings, some: &[Captured]) -> Vec<ExposureView> {
    some.iter()
        .map(|captured| view(treasury, exposure::exposure(treasury, state, around, captured)))
        .collect()
}

fn view(treasury: &Treasury, found: Exposure) -> ExposureView {
    let Exposure { captured, takes, powers } = found;
    let which = match &captured {
        Captured::AgentKey(signer) => {
            Some(treasury.name_of(signer).map_or_else(|| signer.to_string(), str::to_owned))
        }
        other => other.which(),
    };
    ExposureView {
        captured: captured.word().to_owned(),
        which,
        takes: takes.into_iter().map(|take| take_view(treasury, take)).collect(),
        powers: powers.into_iter().map(|power| power.words().to_owned()).collect(),
    }
}

fn take_view(treasury: &Treasury, take: Take) -> TakeView {
    let says = take.words();
    let Take { account, way, most, until } = take;
    let mut view = TakeView {
        account: party(treasury, &account),
        way: way.word().to_owned(),
        asset: None,
        unbounded: false,
        has: Vec::new(),
        comes: Vec::new(),
        to_new: None,
        to_anybody: None,
        until: until.word().to_owned(),
        stoppers: Vec::new(),
        says,
    };
    match most {
        Most::Everything { has, comes } => {
            view.unbounded = true;
            view.has = amounts(has);
            let comes = comes.into_iter();
            let comes = comes.map(|(link, most, period_seconds)| ComesView {
                link,
                most: most.into(),
                period_seconds,
            });
            view.comes = comes.collect();
        }
        Most::Limited { asset, to_new, to_anybody } => {
            view.asset = Some(asset.to_string());
            view.unbounded = to_anybody.one.is_none() && to_anybody.periods.is_empty();
            view.to_new = to_new.map(reach);
            view.to_anybody = Some(reach(to_anybody));
        }
        Most::Waiting(waiting) => view.has = amounts(waiting),
    }
    if let Until::Stop(names) = until {
        view.stoppers = names;
    }
    view
}

fn amounts(all: Vec<Amount>) -> Vec<AmountView> {
    all.into_iter().map(AmountView::from).collect()
}

fn reach(reach: Reach) -> ReachView {
    let periods = reach.periods.into_iter();
    let periods = periods.map(|(period_seconds, most)| WithinView { period_seconds, most: most.into() });
    ReachView { one: reach.one.map(AmountView::from), periods: periods.collect() }
}
