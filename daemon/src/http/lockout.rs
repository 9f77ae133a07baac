//! Whose loss locks an account, and whose collusion spends it.

use axum::extract::State as Shared;
use treasury_core::State;
use treasury_core::config::{AccountConfig, Signing, Treasury};
use treasury_core::findings::beside_list;
use treasury_core::lockout::{self, Needs, Smallest};
use treasury_core::units::AccountId;

use super::App;
use super::api::{LockoutView, NeedsView, SetsView};
use super::auth::Speaker;
use super::drill;
use super::error::ApiError;
use super::forecast::ACCOUNTS_AT_ONCE;
use super::shown::Shown;
use super::view::{party, tier_word};

pub(super) async fn lockout(
    Shared(app): Shared<App>,
    _: Speaker,
) -> Result<Shown<Vec<LockoutView>>, ApiError> {
    let declared = app.engine.query(|_, treasury| declared(treasury)).await?;
    let mut views = Vec::with_capacity(declared.len());
    for some in declared.chunks(ACCOUNTS_AT_ONCE) {
        let some = some.to_vec();
        let look = move |state: &State, treasury: &Treasury| -> Vec<LockoutView> {
            let known = some.iter().filter_map(|address| Some((address, treasury.accounts.get(address)?)));
            known.map(|(address, account)| one(state, treasury, address, account)).collect()
        };
        views.extend(app.engine.query(look).await?);
    }
    Ok(Shown(views))
}

fn declared(treasury: &Treasury) -> Vec<AccountId> {
    let signed = treasury.accounts.iter().filter(|(_, account)| account.signing == Signing::Multi);
    let mut declared: Vec<(&AccountId, &AccountConfig)> = signed.collect();
    declared.sort_by_key(|(_, account)| (account.tier, account.name.as_str()));
    declared.into_iter().map(|(address, _)| *address).collect()
}

fn one(state: &State, treasury: &Treasury, address: &AccountId, declared: &AccountConfig) -> LockoutView {
    let view = state.accounts.get(address);
    let list = view.and_then(|view| view.signer_list.as_ref());
    let able = list.into_iter().flat_map(|list| &list.entries);
    let able = able.filter(|(signer, _)| !state.unable.contains_key(*signer));
    LockoutView {
        account: party(treasury, address),
        tier: tier_word(declared.tier).to_owned(),
        quorum: list.map(|list| list.quorum.0),
        weight: able.map(|(_, weight)| u32::from(*weight)).fold(0, u32::saturating_add),
        beside_list: view.and_then(|view| view.root).and_then(|root| beside_list(&root)),
        by: lockout::needs(treasury, state, address).into_iter().flatten().map(needs).collect(),
        signers: drill::of_account(state, treasury, address),
    }
}

fn needs(needs: Needs) -> NeedsView {
    NeedsView { of: needs.by.word().to_owned(), locks: sets(needs.locks), spends: needs.spends.map(sets) }
}

fn sets(found: Smallest) -> SetsView {
    SetsView { size: found.size, sets: found.sets, cut: found.cut }
}
