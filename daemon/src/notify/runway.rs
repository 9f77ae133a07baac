//! How long what a move is for lasts without it: told to those who are asked for it.

use treasury_core::State;
use treasury_core::config::{Keeps, Treasury};
use treasury_core::forecast;
use treasury_core::proposal::Proposal;
use treasury_core::units::AccountId;

/// How long the account that a move fills lasts without it.
pub(super) struct Short {
    /// In words, to be put behind others.
    pub(super) words: String,
    /// How many of the declared limits that is below of.
    pub(super) crossed: u32,
}

/// `None`: it is no move that fills an account, or not of XRP.
pub(super) fn of_move(treasury: &Treasury, state: &State, proposal: &Proposal) -> Option<Short> {
    let to = filled(treasury, proposal)?;
    let runway = forecast::runway(treasury, state, &to);
    let name = treasury.name_of(&to).map_or_else(|| to.to_string(), str::to_owned);
    let with = match runway.group.len() {
        0 | 1 => String::new(),
        _ => " and what it fills".to_owned(),
    };
    let verb = if with.is_empty() { "lasts" } else { "last" };
    let words = format!("; without it {name}{with} {verb} {}", runway.lasts());
    Some(Short { words, crossed: treasury.outlook.crossed(runway.days()) })
}

fn filled(treasury: &Treasury, proposal: &Proposal) -> Option<AccountId> {
    let movement = proposal.intent.movement()?;
    let link = treasury.links.iter().find(|link| Some(link.name.as_str()) == movement.link)?;
    let fills = link.asset.is_xrp() && matches!(link.keeps, Keeps::Filled { .. });
    fills.then_some(movement.destination)
}

#[cfg(test)]
mod tests {
    use treasury_core::config::{
        AccountConfig, DeclaredSigners, Due, Role, Schedule, Signing, Tier, TierLink,
    };
    use treasury_core::intent::{Asker, IntentKind};
    use treasury_core::policy::{Action, Approvers, Policy, Rule};
    use treasury_core::units::{Asset, ProposalId, RippleTime, Weight};
    use treasury_core::{Input, Runtime, step};

    use super::*;
    use crate::notify::remind;
    use crate::testing;

    const COLD: AccountId = AccountId([90; 20]);
    const DAY: u32 = 86_400;

    /// Cold fills warm, and people have to sign it; warm has 10,000 XRP and pays so much at a set time.
    fn treasury(pays: u64, in_days: u32) -> Treasury {
        let mut treasury = testing::treasury();
        let signers = DeclaredSigners {
            quorum: Weight(2),
            entries: [testing::ALICE, testing::BOB].map(|n| (testing::signer(n), 1)).into(),
        };
        let cold = AccountConfig {
            name: "cold".to_owned(),
            tier: Tier::Cold,
            signing: Signing::Multi,
            signers: Some(signers),
        };
        treasury.accounts.insert(COLD, cold);
        let approvers =
            Approvers { weight: Weight(2), roles: [Role::Approver].into(), ..Approvers::default() };
        let rule = Rule {
            kinds: Some(vec![IntentKind::Move]),
            askers: Some(vec![Asker::Daemon]),
            ..Rule::new("moves", Action::Approve(approvers))
        };
        treasury.policy = Policy::new(vec![rule]);
        treasury.links.push(TierLink {
            name: "cold-to-warm".to_owned(),
            from: COLD,
            to: testing::warm(),
            asset: Asset::Xrp,
            keeps: Keeps::Filled { floor: testing::xrp(20_000).into(), target: testing::xrp(30_000).into() },
            source_floor: Asset::Xrp.nothing(),
            move_min: Asset::Xrp.nothing(),
            move_max: testing::xrp(1_000).into(),
            period_max: testing::xrp(5_000).into(),
            period_seconds: DAY,
            limits: Vec::new(),
            hours: None,
        });
        treasury.schedules.push(Schedule {
            name: "rent".to_owned(),
            from: testing::warm(),
            to: testing::exchange(),
            destination_tag: None,
            amount: testing::xrp(pays).into(),
            by: "alice".to_owned(),
            note: String::new(),
            due: vec![Due { at: RippleTime(testing::point(101).close_time.0 + in_days * DAY + 60), day: 1 }]
                .into(),
            lead_seconds: DAY,
            late_max_seconds: DAY,
        });
        treasury.outlook.warn_days = [14, 7, 3].into();
        treasury
    }

    /// At ledger 101 the move waits for people.
    fn waiting(treasury: &Treasury) -> State {
        let (mut state, mut runtime) = (State::default(), Runtime::new());
        let Input::Reconciled { at, mut accounts, from, wall_ms } = testing::reconciled() else {
            panic!("a reading")
        };
        let mut cold = accounts.iter().find(|read| read.account == testing::warm()).unwrap().clone();
        cold.account = COLD;
        cold.signer_list.as_mut().unwrap().entries.remove(&testing::signer(testing::AGENT));
        accounts.push(cold);
        let reconciled = Input::Reconciled { at, accounts, from, wall_ms };
        for input in [testing::now(), reconciled, testing::ledger(101)] {
            step(treasury, &mut state, &mut runtime, input).unwrap();
        }
        state
    }

    #[test]
    fn people_who_are_asked_for_a_move_are_told_how_long_what_it_fills_lasts() {
        for (pays, in_days, words, crossed) in [
            (20_000, 5, "; without it warm lasts about 5 d 0 h", 2),
            (20_000, 20, "; without it warm lasts about 20 d", 0),
            (20_000, 2, "; without it warm lasts about 2 d 0 h", 3),
            (5_000, 2, "; without it warm lasts more than a year", 0),
        ] {
            let treasury = treasury(pays, in_days);
            let mut state = waiting(&treasury);
            let proposal = state.proposals[&ProposalId(1)].clone();
            assert_eq!(proposal.status.word(), "collecting", "{:?}", proposal.decision);
            let short = of_move(&treasury, &state, &proposal).unwrap();
            assert_eq!((short.words.as_str(), short.crossed), (words, crossed));
            // What the reminder says, and that it comes sooner.
            state.ledger.as_mut().unwrap().close_time.0 += 6_300;
            let (after, says) = last(&treasury, &state);
            assert_eq!(after, [3_600, 5_400, 6_300, 6_300][usize::try_from(crossed).unwrap()], "{crossed}");
            assert!(says.contains("; without it warm lasts "), "{says}");
        }
    }

    /// How long after it began to wait the last reminder was due, and what it says.
    fn last(treasury: &Treasury, state: &State) -> (u32, String) {
        let proposal = &state.proposals[&ProposalId(1)];
        let began = proposal.plan.as_ref().unwrap().deadline.0 - proposal.deadline_seconds;
        let due = remind::look(treasury, state, 3_600, "s", "").due.pop().unwrap();
        (due.step - began, due.notice.says)
    }

    /// Danger: people were reminded often, the account recovers, and until the deadline nobody is reminded of the move any more.
    #[test]
    fn reminders_go_on_where_what_a_move_fills_lasts_longer_again() {
        let mut treasury = treasury(20_000, 2);
        let mut state = waiting(&treasury);
        state.ledger.as_mut().unwrap().close_time.0 += 6_300;
        let often = last(&treasury, &state).0;
        treasury.outlook.warn_days.clear();
        assert!(last(&treasury, &state).0 < often, "what was told so often is not told again");
        state.ledger.as_mut().unwrap().close_time.0 += 900;
        assert!(last(&treasury, &state).0 > often, "the next is told");
    }
}
