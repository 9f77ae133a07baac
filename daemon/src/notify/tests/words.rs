//! What notices say, beside what the state is.

use treasury_core::Event;
use treasury_core::config::{FindingKind, Severity as FindingSeverity};
use treasury_core::state::Finding;
use treasury_core::stops::{Stop, StopKind, StopSource, Subject};
use treasury_core::units::{FindingId, ProposalId, StopId};

use super::*;
use crate::testing;

/// Danger: one payment is held and people are told that its account is, or the other way round.
#[test]
fn a_finding_says_of_what_it_is_about_that_it_is_held() {
    let (treasury, id, at) = (testing::treasury(), FindingId(1), LedgerPoint::ZERO);
    let account = *treasury.accounts.keys().next().unwrap();
    for (subject, on, said) in [
        (Subject::Proposal(ProposalId(7)), Some(account), "far out. P7 is held."),
        (Subject::Account(account), Some(account), "far out. The account is held."),
        (Subject::Everything, None, "Finding F1 (unusual_amount): far out. Everything is held."),
    ] {
        let evidence = "far out".to_owned();
        let (kind, severity, acknowledged) = (FindingKind::UnusualAmount, FindingSeverity::Hold, None);
        let finding =
            Finding { id, kind, severity, account: on, evidence, at, acknowledged, over: None, about: None };
        let (source, origin, reason) = (StopSource::Finding(id), None, String::new());
        let stop = Stop { id: StopId(1), subject, kind: StopKind::Hold, source, origin, reason, at };
        let mut state = State::default();
        let events = vec![Event::Found { finding }, Event::StopSet { stop }];
        events.iter().for_each(|event| state.apply(event).unwrap());
        let (archived, utc) = (BTreeMap::new(), "2026-01-01T00:00:00Z");
        let lift = Event::StopLifted { id: StopId(1), by: "dave".to_owned(), reason: String::new(), at };
        let record = Record { number: 1, events };
        for lifted in [false, true] {
            if lifted {
                state.apply(&lift).unwrap();
            }
            let teller = Teller {
                treasury: &treasury,
                state: &state,
                archived: &archived,
                answered: &BTreeMap::new(),
                series: "x",
                utc,
            };
            let notices = teller.record(&record, &mut None);
            assert!(notices[0].says.ends_with(said), "{}", notices[0].says);
        }
    }
}
