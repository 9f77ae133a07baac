//! How long what a move is for lasts without it: told to those who are asked for it.

use treasury_core::State;
use treasury_core::config::{Keeps, Treasury};
use treasury_core::forecast;
use treasury_core::proposal::Proposal;
use treasury_core::units::{AccountId, Asset};

/// How long the account that a move fills lasts without it.
pub(super) struct Short {
    /// In words, to be put behind others.
    pub(super) words: String,
    /// How many of the declared limits that is below of.
    pub(super) crossed: u32,
}

/// `None`: it is no move that fills an account.
pub(super) fn of_move(treasury: &Treasury, state: &State, proposal: &Proposal) -> Option<Short> {
    let (to, asset) = filled(treasury, proposal)?;
    let runway = forecast::runway(treasury, state, &to, asset);
    let name = treasury.name_of(&to).map_or_else(|| to.to_string(), str::to_owned);
    let with = match runway.group.len() {
        0 | 1 => String::new(),
        _ => " and what it fills".to_owned(),
    };
    let (of, verb) = match asset {
        Asset::Xrp if with.is_empty() => (String::new(), "lasts"),
        Asset::Xrp => (String::new(), "last"),
        other => (format!("{other} of "), "lasts"),
    };
    let words = format!("; without it {of}{name}{with} {verb} {}", runway.lasts());
    Some(Short { words, crossed: treasury.outlook.crossed(runway.days()) })
}

fn filled(treasury: &Treasury, proposal: &Proposal) -> Option<(AccountId, Asset)> {
    let movement = proposal.intent.movement()?;
    let link = treasury.links.iter().find(|link| Some(link.name.as_str()) == movement.link)?;
    let fills = matches!(link.keeps, Keeps::Filled { .. });
    fills.then_some((movement.destination, link.asset))
}

#[cfg(test)]
mod tests {
    use treasury_core::config::{
        AccountConfig, DeclaredSigners, Due, Role, Schedule, Signing, Tier, TierLink,
    };
    use treasury_core::intent::{Asker, Intent, IntentKind};
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
            settings: Default::default(),
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

    /// Danger: people are told of XRP, of which there is enough, and not of what the move is for.
    #[test]
    fn of_a_move_of_another_asset_people_are_told_how_long_that_lasts() {
        let mut treasury = treasury(20_000, 2);
        let mut state = waiting(&treasury);
        let mut proposal = state.proposals[&ProposalId(1)].clone();
        let euro: Asset = format!("EUR.{}", testing::exchange()).parse().unwrap();
        let eur = |value: &str| treasury_core::units::Amount::of(euro, value).unwrap();
        let keeps = Keeps::Filled { floor: eur("1"), target: eur("1") };
        let link = TierLink { name: "euros".to_owned(), asset: euro, keeps, ..treasury.links[0].clone() };
        let mut dues = treasury.schedules[0].clone();
        (dues.name, dues.amount) = ("dues".to_owned(), eur("70.5"));
        dues.due =
            [5, 9].map(|days| Due { at: RippleTime(state.now().0 + days * DAY + 60), day: days }).into();
        treasury.links.push(link);
        treasury.schedules.push(dues);
        let line = treasury_core::observe::TrustLineView {
            balance: "100".parse().unwrap(),
            limit: "1000".parse().unwrap(),
            frozen: false,
            deep_frozen: false,
            no_ripple: Some(false),
        };
        state.accounts.get_mut(&testing::warm()).unwrap().trust_lines = Some([(euro, line)].into());
        let of_xrp = of_move(&treasury, &state, &proposal).unwrap();
        assert_eq!(of_xrp.words, "; without it warm lasts about 2 d 0 h");
        let Intent::Move(moved) = &mut proposal.intent else { panic!("a move") };
        (moved.link, moved.amount) = ("euros".to_owned(), eur("10"));
        let of_euros = of_move(&treasury, &state, &proposal).unwrap();
        assert_eq!(of_euros.words, format!("; without it {euro} of warm lasts about 9 d 0 h"));
        assert_eq!((of_euros.crossed, of_xrp.crossed), (1, 3));
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
