//! What each type of transaction does at each of the three stages.

use xrpl_wire::{TransactionType, TxResult, sf};

use super::{
    ApplyFlags, Context, LedgerInfo, Ter, account_delete, account_set, batch, check, check_cash, clawback,
    credential, credential_set, delegate, deposit_preauth, escrow, kinds, mptoken_authorize,
    mptoken_issuance, offer, offer_create, payment, payment_channel, permissioned_domain, proposal,
    set_regular_key, shared, signer_list_set, ticket_create, trust_set,
};
use crate::embedded::amendment::Amendment;
use crate::embedded::state::StateMap;
use crate::embedded::submitted::Submitted;

/// Whether a transaction's type is switched on, and all that it asks for.
pub(super) fn is_enabled(info: &LedgerInfo, tx: &Submitted) -> bool {
    let (kind, object) = (tx.tx.tx_type(), tx.tx.object());
    let on = |amendment| info.rules.enabled(amendment);
    if !kinds::is_enabled(kind, &info.rules) {
        return false;
    }
    if kinds::trades(kind) && !on(Amendment::MPTokensV2) && shared::has_token(tx) {
        return false;
    }
    let credentials = !object.has(sf::CredentialIDs) || on(Amendment::Credentials);
    let domain = !object.has(sf::DomainID) || on(Amendment::PermissionedDEX);
    match kind {
        TransactionType::Payment => credentials && domain,
        TransactionType::OfferCreate => domain,
        TransactionType::EscrowFinish
        | TransactionType::AccountDelete
        | TransactionType::PaymentChannelClaim => credentials,
        TransactionType::DepositPreauth => deposit_preauth::is_enabled(info, tx),
        TransactionType::MPTokenIssuanceCreate => mptoken_issuance::is_create_enabled(info, tx),
        TransactionType::MPTokenIssuanceSet => mptoken_issuance::may_have_domain(info, object),
        _ => true,
    }
}

/// The flags a transaction may have, besides those that all may.
pub(super) fn flags_allowed(info: &LedgerInfo, tx: &Submitted) -> u32 {
    match tx.tx.tx_type() {
        kind if tx.proposed && kinds::ABSENT_TYPES.contains(&kind) => u32::MAX,
        TransactionType::Payment => payment::flags_allowed(info, tx),
        TransactionType::OfferCreate => offer_create::flags_allowed(info),
        kind => kinds::flags_allowed(kind, info.rules.generation()),
    }
}

/// The type's own checks of a transaction by itself.
pub(super) fn preflight(info: &LedgerInfo, tx: &Submitted) -> Ter {
    match tx.tx.tx_type() {
        TransactionType::Payment => payment::preflight(info, tx),
        TransactionType::AccountSet => account_set::preflight(tx),
        TransactionType::SetRegularKey => set_regular_key::preflight(tx),
        TransactionType::DepositPreauth => deposit_preauth::preflight(tx),
        TransactionType::SignerListSet => signer_list_set::preflight(tx),
        TransactionType::TicketCreate => ticket_create::preflight(tx),
        TransactionType::EscrowCreate => escrow::create_preflight(info, tx),
        TransactionType::EscrowFinish => escrow::finish_preflight(tx),
        TransactionType::EscrowCancel
        | TransactionType::CheckCancel
        | TransactionType::MPTokenIssuanceDestroy => Ok(()),
        TransactionType::AccountDelete => account_delete::preflight(tx),
        TransactionType::TrustSet => trust_set::preflight(tx),
        TransactionType::CheckCreate => check::create_preflight(tx),
        TransactionType::CheckCash => check_cash::preflight(tx),
        TransactionType::PaymentChannelCreate => payment_channel::create_preflight(tx),
        TransactionType::PaymentChannelFund => payment_channel::fund_preflight(info, tx),
        TransactionType::PaymentChannelClaim => payment_channel::claim_preflight(info, tx),
        TransactionType::Clawback => clawback::preflight(info, tx),
        TransactionType::CredentialCreate => credential_set::create_preflight(tx),
        TransactionType::CredentialAccept => credential_set::accept_preflight(tx),
        TransactionType::CredentialDelete => credential_set::delete_preflight(tx),
        TransactionType::PermissionedDomainSet => permissioned_domain::set_preflight(tx),
        TransactionType::PermissionedDomainDelete => permissioned_domain::delete_preflight(tx),
        TransactionType::MPTokenIssuanceCreate => mptoken_issuance::create_preflight(tx),
        TransactionType::MPTokenIssuanceSet => mptoken_issuance::set_preflight(info, tx),
        TransactionType::MPTokenAuthorize => mptoken_authorize::preflight(tx),
        TransactionType::OfferCreate => offer_create::preflight(info, tx),
        TransactionType::OfferCancel => offer::cancel_preflight(tx),
        TransactionType::Batch => batch::preflight(info, tx),
        TransactionType::DelegateSet => delegate::preflight(info, tx),
        TransactionType::TransactionProposalCreate => proposal::create_preflight(info, tx),
        TransactionType::TransactionProposalSign => proposal::sign_preflight(tx),
        TransactionType::TransactionProposalCancel => proposal::cancel_preflight(tx),
        // What is not there can be proposed, and not be sent.
        _ if tx.proposed => Ok(()),
        // Who lends has to have signed, too, whatever else there is of loans.
        TransactionType::LoanSet if !tx.tx.object().has(sf::CounterpartySignature) => {
            Err(TxResult::temBAD_SIGNER)
        }
        // Those of `ABSENT_TYPES`; others do not come from anybody.
        kind => {
            tracing::warn!(transaction_type = kind.name(), "not implemented in the embedded ledger");
            Err(TxResult::temUNKNOWN)
        }
    }
}

/// The type's own checks against a state that stays as it is.
pub(super) fn preclaim(state: &StateMap, info: &LedgerInfo, tx: &Submitted, flags: ApplyFlags) -> Ter {
    match tx.tx.tx_type() {
        TransactionType::Payment => payment::preclaim(state, info, tx),
        TransactionType::AccountSet => account_set::preclaim(state, tx, flags),
        TransactionType::DepositPreauth => deposit_preauth::preclaim(state, tx),
        TransactionType::TicketCreate => ticket_create::preclaim(state, tx),
        TransactionType::EscrowCreate => escrow::create_preclaim(state, info, tx),
        TransactionType::EscrowFinish => escrow::finish_preclaim(state, info, tx),
        TransactionType::EscrowCancel => escrow::cancel_preclaim(state, info, tx),
        TransactionType::AccountDelete => account_delete::preclaim(state, info, tx),
        TransactionType::TrustSet => trust_set::preclaim(state, tx),
        TransactionType::CheckCreate => check::create_preclaim(state, info, tx),
        TransactionType::CheckCash => check_cash::preclaim(state, info, tx),
        TransactionType::CheckCancel => check::cancel_preclaim(state, info, tx),
        TransactionType::PaymentChannelCreate => payment_channel::create_preclaim(state, info, tx),
        TransactionType::PaymentChannelClaim => credential::preclaim_ids(state, tx),
        TransactionType::Clawback => clawback::preclaim(state, info, tx),
        TransactionType::CredentialCreate => credential_set::create_preclaim(state, tx),
        TransactionType::CredentialAccept => credential_set::accept_preclaim(state, tx),
        TransactionType::CredentialDelete => credential_set::delete_preclaim(state, tx),
        TransactionType::PermissionedDomainSet => permissioned_domain::set_preclaim(state, tx),
        TransactionType::PermissionedDomainDelete => permissioned_domain::delete_preclaim(state, tx),
        TransactionType::MPTokenIssuanceDestroy => mptoken_issuance::destroy_preclaim(state, tx),
        TransactionType::MPTokenIssuanceSet => mptoken_issuance::set_preclaim(state, info, tx),
        TransactionType::MPTokenAuthorize => mptoken_authorize::preclaim(state, info, tx),
        TransactionType::OfferCreate => offer_create::preclaim(state, info, tx, flags),
        TransactionType::OfferCancel => offer::cancel_preclaim(state, tx),
        TransactionType::DelegateSet => delegate::preclaim(state, tx),
        TransactionType::TransactionProposalCreate => proposal::create_preclaim(state, info, tx),
        TransactionType::TransactionProposalSign => proposal::sign_preclaim(state, info, tx),
        TransactionType::TransactionProposalCancel => proposal::cancel_preclaim(state, info, tx),
        _ => Ok(()),
    }
}

/// What the type does.
pub(super) fn apply(context: &mut Context<'_>) -> Ter {
    match context.tx.tx.tx_type() {
        TransactionType::Payment => payment::apply(context),
        TransactionType::AccountSet => account_set::apply(context),
        TransactionType::SetRegularKey => set_regular_key::apply(context),
        TransactionType::DepositPreauth => deposit_preauth::apply(context),
        TransactionType::SignerListSet => signer_list_set::apply(context),
        TransactionType::TicketCreate => ticket_create::apply(context),
        TransactionType::EscrowCreate => escrow::create_apply(context),
        TransactionType::EscrowFinish => escrow::finish_apply(context),
        TransactionType::EscrowCancel => escrow::cancel_apply(context),
        TransactionType::AccountDelete => account_delete::apply(context),
        TransactionType::TrustSet => trust_set::apply(context),
        TransactionType::CheckCreate => check::create_apply(context),
        TransactionType::CheckCash => check_cash::apply(context),
        TransactionType::CheckCancel => check::cancel_apply(context),
        TransactionType::PaymentChannelCreate => payment_channel::create_apply(context),
        TransactionType::PaymentChannelFund => payment_channel::fund_apply(context),
        TransactionType::PaymentChannelClaim => payment_channel::claim_apply(context),
        TransactionType::Clawback => clawback::apply(context),
        TransactionType::CredentialCreate => credential_set::create_apply(context),
        TransactionType::CredentialAccept => credential_set::accept_apply(context),
        TransactionType::CredentialDelete => credential_set::delete_apply(context),
        TransactionType::PermissionedDomainSet => permissioned_domain::set_apply(context),
        TransactionType::PermissionedDomainDelete => permissioned_domain::delete_apply(context),
        TransactionType::MPTokenIssuanceCreate => mptoken_issuance::create_apply(context),
        TransactionType::MPTokenIssuanceDestroy => mptoken_issuance::destroy_apply(context),
        TransactionType::MPTokenIssuanceSet => mptoken_issuance::set_apply(context),
        TransactionType::MPTokenAuthorize => mptoken_authorize::apply(context),
        TransactionType::OfferCreate => offer_create::apply(context),
        TransactionType::OfferCancel => offer::cancel_apply(context),
        TransactionType::DelegateSet => delegate::apply(context),
        TransactionType::TransactionProposalCreate => proposal::create_apply(context),
        TransactionType::TransactionProposalSign => proposal::sign_apply(context),
        TransactionType::TransactionProposalCancel => proposal::cancel_apply(context),
        // What is within it comes after it.
        TransactionType::Batch => Ok(()),
        _ => Err(TxResult::temUNKNOWN),
    }
}
