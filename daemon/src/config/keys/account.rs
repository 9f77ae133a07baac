//! The keys of an account's settings.

use super::{Group, key};

/// `[account.settings]`.
pub(super) const SETTINGS: Group = Group {
    name: "account.settings",
    repeated: false,
    about: "What the account above it should have set on the ledger; a difference is a finding (`settings_drift`), whoever made it. \
            Below each `[[account]]` that has one. A key that is left out is not compared.",
    keys: &[
        key(
            "domain",
            "text",
            "not compared",
            "The Domain, as a name of a host in small letters: `\"example.com\"`. The ledger has its bytes. `\"\"`: it should have none.",
        ),
        key(
            "transfer_rate",
            "whole number, 0 or 1000000000 to 2000000000",
            "not compared",
            "The TransferRate as the ledger has it, in billionths: 1005000000 takes half a percent of what holders of the account's own currencies pay each other. \
             0, or 1000000000: it should have none.",
        ),
        key(
            "flags",
            "list of names",
            "not compared",
            "The flags that should be set, and the others not: `RequireDestTag`, `RequireAuth`, `DisallowXRP`, `NoFreeze`, `GlobalFreeze`, \
             `DefaultRipple`, `DepositAuth`, `DisallowIncomingNFTokenOffer`, `DisallowIncomingCheck`, `DisallowIncomingPayChan`, \
             `DisallowIncomingTrustline`, `AllowTrustLineLocking`, `AllowTrustLineClawback`. `[]`: none of them. Whether the master key is disabled is looked at by \
             `key_beside_list`.",
        ),
        key(
            "trust_lines",
            "list of amounts of issued currencies",
            "not compared",
            "How far the account should trust each issuer: `[\"1000000 USD.rIssuer…\"]`, and nobody else for more than nothing. `[]`: nobody. A line whose own limit is nothing \
             is not compared: one comes to be by a trade, too.",
        ),
    ],
};
