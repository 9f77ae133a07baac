//! What each single captured thing can take at most, as a table.

use treasury_api::types::ExposureView;
use treasury_tools::console;

use crate::show::{Rows, short};

/// One row for each thing and account.
pub(super) fn shown(things: &[ExposureView]) -> String {
    let mut table = Rows::new(["captured", "account", "takes at most", "and"]);
    for thing in things {
        let mut powers = thing.powers.join("; ");
        if thing.takes.is_empty() {
            table.row([thing.name(), "-".to_owned(), "nothing".to_owned(), powers]);
            continue;
        }
        for take in &thing.takes {
            table.row([thing.name(), short(&take.account), take.says.clone(), std::mem::take(&mut powers)]);
        }
    }
    table.shown(console::width())
}

#[cfg(test)]
mod tests {
    use treasury_api::types::{PartyView, TakeView};

    use super::*;

    #[test]
    fn each_thing_is_told_with_what_it_takes_and_what_else_it_can_do() {
        let take = TakeView {
            account: PartyView { address: "r".to_owned(), name: Some("hot".to_owned()) },
            way: "quorum".to_owned(),
            asset: None,
            unbounded: true,
            has: Vec::new(),
            comes: Vec::new(),
            to_new: None,
            to_anybody: None,
            until: "nobody".to_owned(),
            stoppers: Vec::new(),
            says: "EVERYTHING".to_owned(),
        };
        let thing = |captured: &str, which: Option<&str>, takes: &[TakeView], powers: &[&str]| ExposureView {
            captured: captured.to_owned(),
            which: which.map(str::to_owned),
            takes: takes.to_vec(),
            powers: powers.iter().map(|power| (*power).to_owned()).collect(),
        };
        let text = shown(&[
            thing("agent_keys", None, &[take.clone(), take], &[]),
            thing("person", Some("alice"), &[], &["stops everything"]),
        ]);
        for part in ["agent keys", "hot", "EVERYTHING", "person alice", "nothing", "stops everything"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert_eq!(text.matches("EVERYTHING").count(), 2, "{text}");
    }
}
