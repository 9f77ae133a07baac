//! The planner: what tier links should move now, over all links at once.
//!
//! What is promised to an account, in flight to it or waiting for it in an escrow counts as if it had come, so two
//! links into one account never fill it twice, and a delayed move is not made again while it waits. What is promised
//! out of a source counts as if it had left, so a source never ends below its floor.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;

use crate::model::config::{Keeps, LinkLimit, TierLink, Treasury};
use crate::model::intent::{Asker, Intent, Move};
use crate::model::proposal::{Proposal, Status};
use crate::model::state::State;
use crate::model::units::{AccountId, Amount, Asset, ProposalId, RippleTime};
use crate::model::wait::Wait;
use crate::rules::ahead::{Ahead, Place, Places, Standing, coming_by, most, saturating_add};
use crate::rules::decide::Question;
use crate::rules::gate::{self, Act};

/// The moves of a link, newest first.
pub(crate) fn moves<'a>(state: &'a State, link: &'a TierLink) -> impl Iterator<Item = &'a Proposal> {
    state.moves.get(&link.name).into_iter().flatten().rev().filter_map(|id| state.proposals.get(id))
}

/// What a link would move now, and what it goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// How much; nothing where it moves none.
    pub amount: Amount,
    /// What decides on it.
    pub by: By,
}

/// What decides how much a link moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The account is within its bounds.
    Enough,
    /// Just so much is missing, or too much.
    Need,
    /// `move_max`.
    MoveMax,
    /// `period_max`, or another limit, less what was moved within its period.
    PeriodMax,
    /// What the source can give: what it has, less what is promised, a fee, and its floor.
    Source,
    /// It would be less than `move_min`.
    MoveMin,
    /// A move of the link is under way, or may still be applied.
    UnderWay(ProposalId),
    /// The last move came to nothing; it is tried again after this.
    Rests(RippleTime),
    /// It is not the hour for moves.
    Hours,
    /// An account is not on the ledger, or its trust lines were not read.
    NotThere,
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Enough => f.write_str("within its bounds"),
            Self::Need => f.write_str("what is needed"),
            Self::MoveMax => f.write_str("at most move_max"),
            Self::PeriodMax => f.write_str("what is left of a period's limit"),
            Self::Hours => f.write_str("outside its hours"),
            Self::Source => f.write_str("what the source can give"),
            Self::MoveMin => f.write_str("less than move_min"),
            Self::UnderWay(proposal) => write!(f, "{proposal} is under way"),
            Self::Rests(until) => write!(f, "the last move came to nothing; again after {until}"),
            Self::NotThere => {
                f.write_str("an account is not on the ledger, or its trust lines were not read")
            }
        }
    }
}

/// Plans over all links at once, at a cost that grows with how many links there are and how much of it is promised, and
/// with nothing else.
///
/// One is made for each planning. In that, no ledger is taken in and schedules ask for nothing, so balances, escrows and
/// schedules are looked through once, when the first link asks; moves are drafted, and are looked up for each.
#[derive(Debug)]
pub struct Planner<'a> {
    config: &'a Treasury,
    places: Places<'a>,
    ahead: OnceCell<Ahead>,
}

impl<'a> Planner<'a> {
    /// A planner of these links.
    #[must_use]
    pub fn new(config: &'a Treasury) -> Self {
        Self { config, places: Places::of(config), ahead: OnceCell::new() }
    }

    fn at(&self, account: &AccountId, asset: Asset) -> At<'_, 'a> {
        match self.places.find(account, asset) {
            Some(number) => self.numbered(number, account, asset),
            None => At { place: None, account: *account, asset, number: None },
        }
    }

    fn numbered(&self, number: usize, account: &AccountId, asset: Asset) -> At<'_, 'a> {
        At { place: self.places.get(number), account: *account, asset, number: Some(number) }
    }

    /// What stands at a place: what was looked through once, or where no link is what is there now.
    fn standing(&self, state: &State, at: &At<'_, '_>) -> Cow<'_, Standing> {
        let ahead = || self.ahead.get_or_init(|| Ahead::of(&self.places, state));
        let there = at.number.and_then(|number| ahead().get(number)).map(Cow::Borrowed);
        there.unwrap_or_else(|| Cow::Owned(Standing::of(state, &at.account, at.asset)))
    }

    /// What the link would move now: what its account is below its floor or above its ceiling, up or down to its target, as
    /// far as the limits of the move, of the periods and of the source allow.
    ///
    /// What other links want out of the account that it keeps counts as gone from it ([`Planner::onward`]): where hot is
    /// short and warm could not fill it, cold fills warm with as much as both need, in one move.
    ///
    /// A sweep counts what is there and not promised away; a refill what is there or on its way. So what is on its way to an
    /// account is not swept out of it before it has come, and what is swept is not filled up again at once: a target of one is
    /// within the bounds of the other, which the configuration is checked for.
    #[must_use]
    pub fn plan(&self, state: &State, link: &TierLink, now: RippleTime) -> Plan {
        let nothing = link.asset.nothing();
        let none = |by| Plan { amount: nothing, by };
        if let Some(by) = rests(self.config, state, link, now) {
            return none(by);
        }
        let need = match self.needed(state, link) {
            Some(need) if need.is_zero() => return none(By::Enough),
            Some(need) => need,
            None => return none(By::NotThere),
        };
        if link.hours.as_ref().is_some_and(|hours| !hours.holds(now)) {
            return none(By::Hours);
        }
        let left = left_of_periods(state, link, now);
        let from = self.at(&link.from, link.asset);
        let Some(source) = self.spared(state, &from) else { return none(By::NotThere) };
        let source = match link.keeps {
            Keeps::Filled { .. } => source,
            Keeps::Swept { .. } => source.less(&self.to_pass_on(state, &from)).unwrap_or(nothing),
        };
        let limits = [(link.move_max, By::MoveMax), (left, By::PeriodMax), (source, By::Source)];
        let least = limits.into_iter().fold(
            (need, By::Need),
            |least, limit| {
                if limit.0 < least.0 { limit } else { least }
            },
        );
        match least {
            (amount, by) if amount <= nothing => none(by),
            (amount, _) if amount < link.move_min => none(By::MoveMin),
            (amount, by) => Plan { amount, by },
        }
    }

    /// What a sweep leaves to the links that fill others from its account, with what a move of theirs may burn.
    fn to_pass_on(&self, state: &State, from: &At<'_, '_>) -> Amount {
        let onward = self.wanted(state, from, &mut vec![from.account]);
        if onward.is_zero() { onward } else { saturating_add(onward, fee(self.config, from.asset)) }
    }

    /// What its account has too little or too much of; `None`: it is not on the ledger, or that asset is not followed.
    fn needed(&self, state: &State, link: &TierLink) -> Option<Amount> {
        let nothing = link.asset.nothing();
        match link.keeps {
            Keeps::Filled { floor, target } => {
                self.lacking(state, &self.at(&link.to, link.asset), [floor, target], &mut vec![link.to])
            }
            Keeps::Swept { ceiling, target } => {
                let from = self.at(&link.from, link.asset);
                let promised = state.book.leaving(&link.from, link.asset, None);
                let has = self.standing(state, &from).holding?.less(&promised).unwrap_or(nothing);
                let onward = self.wanted(state, &from, &mut vec![link.from]);
                let has = has.less(&onward).unwrap_or(nothing);
                Some(if has > ceiling { has.less(&target).unwrap_or(nothing) } else { nothing })
            }
        }
    }

    /// What an account lacks that a link fills, with what other links take and want out of it counted as gone.
    fn lacking(
        &self,
        state: &State,
        to: &At<'_, '_>,
        [floor, target]: [Amount; 2],
        asked: &mut Vec<AccountId>,
    ) -> Option<Amount> {
        let nothing = to.asset.nothing();
        let standing = self.standing(state, to);
        let has = standing.expected(state, &to.account, to.asset)?;
        debug_assert_eq!(
            Some(has),
            expected(state, &to.account, to.asset),
            "something came or went in a planning"
        );
        let onward = self.wanted(state, to, asked);
        let onward = saturating_add(onward, filling(state, to));
        let onward = saturating_add(onward, standing.scheduled);
        // What goes on leaves no less than the highest floor of the links that it goes on by, and what may burn as a fee.
        let kept =
            if onward.is_zero() { nothing } else { saturating_add(to.floor()?, fee(self.config, to.asset)) };
        let short = has < saturating_add(most(floor, kept)?, onward);
        let full = saturating_add(most(target, kept)?, onward);
        Some(if short { full.less(&has).unwrap_or(nothing) } else { nothing })
    }

    /// What links want out of an account that they fill others from, and is not promised to them yet. What the gate, policy,
    /// its hours or its limits keep a link from moving it does not want: it would lie there, and be swept back.
    #[must_use]
    pub fn onward(&self, state: &State, account: &AccountId, asset: Asset) -> Amount {
        self.wanted(state, &self.at(account, asset), &mut vec![*account])
    }

    /// What an account is wanted for by one link is wanted once, whichever other way leads to it; and links may go round. A way
    /// by which nothing can go is no way.
    fn wanted(&self, state: &State, at: &At<'_, '_>, asked: &mut Vec<AccountId>) -> Amount {
        let nothing = at.asset.nothing();
        let mut all = nothing;
        for (link, to) in at.links() {
            let Keeps::Filled { floor, target } = link.keeps else { continue };
            let rests = matches!(rests(self.config, state, link, state.now()), Some(By::Rests(_)));
            if rests || asked.contains(&link.to) {
                continue;
            }
            let before = asked.len();
            asked.push(link.to);
            let to = self.numbered(*to, &link.to, at.asset);
            let need = self.lacking(state, &to, [floor, target], asked).unwrap_or(nothing);
            let want = if need > nothing { need } else { nothing };
            let limits = (want > nothing).then(|| [link.move_max, left_of_periods(state, link, state.now())]);
            let want = limits
                .into_iter()
                .flatten()
                .fold(want, |want, limit| if limit < want { limit } else { want });
            if want > nothing && want >= link.move_min && is_free(self.config, state, link, want) {
                all = saturating_add(all, want);
            } else {
                asked.truncate(before);
            }
        }
        all
    }

    /// What an account can give of an asset: what it has, without what is promised out of it, what may burn as a fee, and
    /// the highest floor that any link sets for it. `None`: that asset is not followed.
    #[must_use]
    pub fn spare(&self, state: &State, account: &AccountId, asset: Asset) -> Option<Amount> {
        self.spared(state, &self.at(account, asset))
    }

    fn spared(&self, state: &State, at: &At<'_, '_>) -> Option<Amount> {
        let promised = state.book.leaving(&at.account, at.asset, None);
        let has = self.standing(state, at).holding.unwrap_or(at.asset.nothing());
        [promised, fee(self.config, at.asset), at.floor()?].iter().try_fold(has, |left, kept| left.less(kept))
    }
}

/// An account and an asset that are asked about.
struct At<'p, 'a> {
    account: AccountId,
    asset: Asset,
    /// What links do there, and its number among the places; `None`: nothing.
    place: Option<&'p Place<'a>>,
    number: Option<usize>,
}

impl<'a> At<'_, 'a> {
    /// The links that take from it.
    fn links(&self) -> &[(&'a TierLink, usize)] {
        self.place.map_or(&[], |place| &place.out)
    }

    /// The highest floor that any of them sets for it.
    fn floor(&self) -> Option<Amount> {
        self.place.map_or(Some(self.asset.nothing()), |place| place.floor)
    }
}

/// What moves that are under way take out of an account to fill others.
fn filling(state: &State, at: &At<'_, '_>) -> Amount {
    let links = at.links().iter().map(|(link, _)| link);
    let links = links.filter(|link| matches!(link.keeps, Keeps::Filled { .. }));
    links.flat_map(|link| under_way(state, link)).fold(at.asset.nothing(), saturating_add)
}

/// What moves of a link may still carry that no validated ledger has.
fn under_way<'a>(state: &'a State, link: &'a TierLink) -> impl Iterator<Item = Amount> + 'a {
    let promised = state.moves.get(&link.name).into_iter().flatten();
    promised
        .filter(|id| state.book.is_promised(&link.from, **id))
        .filter_map(|id| state.proposals.get(id)?.intent.amount())
        .filter(|amount| amount.issue() == link.asset)
}

/// Whether nothing but money keeps the link from this move.
fn is_free(config: &Treasury, state: &State, link: &TierLink, amount: Amount) -> bool {
    let in_time = link.hours.as_ref().is_none_or(|hours| hours.holds(state.now()));
    let intent = intent(link, amount);
    in_time
        && gate::may_leave(config, state, Act::along(link, &intent)).is_empty()
        && !Question::new(config, state, link.from, &Asker::Daemon, &intent, state.now()).denies()
}

/// What may still be moved within every period that the link has a limit for.
fn left_of_periods(state: &State, link: &TierLink, now: RippleTime) -> Amount {
    let nothing = link.asset.nothing();
    let left = |limit: LinkLimit| {
        limit.most.less(&moved_within(state, link, now, limit.period_seconds)).unwrap_or(nothing)
    };
    link.all_limits().map(left).fold(link.asset.most(), |least, left| if left < least { left } else { least })
}

/// What an account has of an asset that nobody has been promised.
#[must_use]
pub fn unpromised(state: &State, account: &AccountId, asset: Asset) -> Option<Amount> {
    let nothing = asset.nothing();
    let has = state.holding(account, asset)?;
    Some(has.less(&state.book.leaving(account, asset, None)).unwrap_or(nothing))
}

/// Whether the link rests: a move is under way, or the last one came to nothing a short while ago. So it never moves twice
/// for one need, and does not ask a policy that said no at every ledger.
fn rests(config: &Treasury, state: &State, link: &TierLink, now: RippleTime) -> Option<By> {
    let last = moves(state, link).next()?;
    // Signatures over a move that people rejected or took back may still be sent by whoever has them.
    if !last.status.is_final() || state.holds_slot(last) {
        return Some(By::UnderWay(last.id));
    }
    let ended = state.ended.get(&last.id).copied().unwrap_or(last.drafted.close_time);
    let until = RippleTime(ended.0.saturating_add(config.timing.retry_seconds));
    (last.status.ended_without_effect() && now < until).then_some(By::Rests(until))
}

/// What an account will have of an asset when everything that is on its way to it has come. `None`: it is not on the
/// ledger, or that asset is not followed.
#[must_use]
pub fn expected(state: &State, account: &AccountId, asset: Asset) -> Option<Amount> {
    let balance = state.holding(account, asset)?;
    let escrowed = state.own_escrows_for(account).filter_map(|tracked| coming_by(state, tracked));
    let escrowed = escrowed.filter(|held| held.issue() == asset);
    Some(escrowed.chain([state.book.coming(account, asset)]).fold(balance, saturating_add))
}

/// What a move may burn of what it moves.
fn fee(config: &Treasury, asset: Asset) -> Amount {
    if asset.is_xrp() { Amount::Xrp(config.fees.fee_max) } else { asset.nothing() }
}

/// What the link has moved, or may still move, within its period. It counts from when the money moved: a move may have
/// waited for long.
#[must_use]
pub fn moved(state: &State, link: &TierLink, now: RippleTime) -> Amount {
    moved_within(state, link, now, link.period_seconds)
}

fn moved_within(state: &State, link: &TierLink, now: RippleTime, period_seconds: u32) -> Amount {
    let since = RippleTime(now.0.saturating_sub(period_seconds));
    under_way(state, link).fold(state.book.moved_by(&link.name, link.asset, since), saturating_add)
}

/// What a link would propose.
#[must_use]
pub fn intent(link: &TierLink, amount: Amount) -> Intent {
    Intent::Move(Move { link: link.name.clone(), destination: link.to, amount })
}

/// What keeps a link from a move that it would make: what the gate says of it, and policy where it says no.
#[must_use]
pub fn against(config: &Treasury, state: &State, link: &TierLink, amount: Amount) -> Vec<Wait> {
    let intent = intent(link, amount);
    let mut against = gate::may_leave(config, state, Act::along(link, &intent));
    let decision = Question::new(config, state, link.from, &Asker::Daemon, &intent, state.now()).decide();
    if decision.obligations.deny {
        against.push(Wait::Policy(decision.rule()));
    }
    against
}

/// Whether policy has said no to what the link wants, and is still the same policy.
#[must_use]
pub fn is_denied(config: &Treasury, state: &State, link: &TierLink) -> bool {
    moves(state, link).next().is_some_and(|last| {
        last.status == Status::Denied && last.decision.policy_hash == config.policy.hash()
    })
}
