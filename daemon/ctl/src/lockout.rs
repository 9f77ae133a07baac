//! Whose loss locks an account, and whose collusion spends it, as a table.

use treasury_api::types::{LockoutView, SetsView};
use treasury_tools::console;

use crate::show::{Rows, short};

/// One row for each account and kind of thing.
pub(super) fn shown(accounts: &[LockoutView]) -> String {
    let mut table = Rows::new(["account", "by", "locked without", "spent by", ""]);
    for account in accounts {
        let name = format!("{} ({})", short(&account.account), account.tier);
        let of = account
            .quorum
            .map_or("no SignerList is known".to_owned(), |quorum| format!("{quorum} of {}", account.weight));
        let beside = account.beside_list.clone().unwrap_or_default();
        if account.by.is_empty() {
            table.row([name.clone(), String::new(), String::new(), String::new(), of.clone()]);
        }
        for needs in &account.by {
            let alone = if needs.locks.size == 1 { "ONE LOSS LOCKS IT; " } else { "" };
            table.row([
                name.clone(),
                needs.of.clone(),
                needs.locks.words(),
                needs.spends.as_ref().map_or_else(|| "nobody".to_owned(), SetsView::words),
                format!("{alone}{of} {beside}").trim_end().to_owned(),
            ]);
        }
    }
    let mut signers = Rows::new(["account", "signer", "weight", "key seen", "asked to show it"]);
    for account in accounts {
        for signer in &account.signers {
            let seen = signer.proven.as_ref();
            signers.row([
                short(&account.account),
                short(&signer.signer),
                signer.weight.to_string(),
                seen.map_or_else(|| "never".to_owned(), |proven| format!("{} ({})", proven.at, proven.by)),
                signer.asked.clone().unwrap_or_default(),
            ]);
        }
    }
    let width = console::width();
    format!("{}\n{}", table.shown(width), signers.shown(width))
}

#[cfg(test)]
mod tests {
    use treasury_api::types::{NeedsView, PartyView, ProofView, SignerProofView};

    use super::*;

    #[test]
    fn the_smallest_sets_are_told_and_that_one_loss_is_enough() {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let locks = SetsView { size: 1, sets: vec![set(&["zurich"])], cut: false };
        let many = vec![set(&["alice", "bob"]); 50];
        let spends = Some(SetsView { size: 2, sets: many, cut: true });
        let account = LockoutView {
            account: PartyView { address: "r".to_owned(), name: Some("cold".to_owned()) },
            tier: "cold".to_owned(),
            quorum: Some(2),
            weight: 3,
            beside_list: None,
            by: vec![NeedsView { of: "places".to_owned(), locks, spends }],
            signers: ["alice", "bob"]
                .map(|name| SignerProofView {
                    signer: PartyView { address: "r".to_owned(), name: Some(name.to_owned()) },
                    weight: 1,
                    proven: (name == "bob")
                        .then(|| ProofView { at: "2026-11-20T09:00:00Z".to_owned(), by: "P7".to_owned() }),
                    asked: (name == "alice").then(|| "2026-11-26T09:00:00Z".to_owned()),
                })
                .into(),
        };
        let text = shown(&[account]);
        for part in [
            "zurich",
            "alice + bob, or alice + bob",
            "or more than 46 others",
            "ONE LOSS LOCKS IT",
            "2 of 3",
            "2026-11-20T09:00:00Z (P7)",
            "never",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
