//! What policy says of a payment or a move: what all rules that match ask for; no match denies.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use crate::model::config::Treasury;
use crate::model::inquiry::{AccountRead, Inquiry, Screening};
use crate::model::intent::{Asker, Intent, IntentKind};
use crate::model::list::List;
use crate::model::payments::Whose;
use crate::model::policy::{
    Assessment, Decision, DecisionInputs, DeclaredAs, NO_ESCROW, NO_MATCH, Outflow, Per, Policy, Shadowed,
    Would,
};
use crate::model::proposal::{Proposal, Status};
use crate::model::role::{Role, Tier};
use crate::model::state::State;
use crate::model::units::{AccountId, Amount, Asset, LedgerIndex, ProposalId, RippleTime};
use crate::rules::matching::{Payment, any_decides, cannot_wait, matching, obligations};
use crate::rules::risk::{Recipient, assess};

/// Decides about a payment or a move that is asked for, and notes what a second policy says of it where there is one.
#[must_use]
pub fn decide(
    config: &Treasury,
    state: &State,
    account: AccountId,
    asker: &Asker,
    intent: &Intent,
    at: RippleTime,
) -> Decision {
    Question::new(config, state, account, asker, intent, at).decide_with_shadow()
}

/// A payment that is asked about, with all that rules can look at.
pub struct Question<'a> {
    policy: &'a Policy,
    state: &'a State,
    account: AccountId,
    asker: &'a Asker,
    intent: &'a Intent,
    at: RippleTime,
    /// What every rule may look at, looked up once.
    kind: IntentKind,
    amount: Option<Amount>,
    destination: Option<AccountId>,
    tier: Option<Tier>,
    is_own: bool,
    is_known: bool,
    roles: Option<&'a BTreeSet<Role>>,
    /// What few rules look at, looked up where one does.
    lists: OnceCell<Vec<&'a str>>,
    paid_for: OnceCell<Option<u32>>,
    risk: OnceCell<Assessment>,
    /// A proposal whose own part does not count, and what it has paid already.
    without: Option<ProposalId>,
    paid: Option<Paid>,
    /// What was found out about the destination.
    inquiry: Option<&'a Inquiry>,
    /// Whether a destination that nobody knows is screened.
    is_screened: bool,
    /// The fastest pace of ledgers, in seconds for each.
    pace_seconds: u32,
    /// What the rules asked about, each once: sums and counts, by whose and how long a period.
    sums: RefCell<BTreeMap<(Per, u32), Amount>>,
    counts: RefCell<BTreeMap<(Per, u32), u32>>,
}

/// What the proposal itself has paid, and when.
#[derive(Clone, Copy)]
struct Paid {
    at: RippleTime,
    /// As the book of payments has it.
    amount: Option<Amount>,
    /// As much of it as the account's outflow has.
    as_far_as_seen: Option<Amount>,
}

impl<'a> Question<'a> {
    /// A payment that nobody has asked for yet.
    #[must_use]
    pub fn new(
        config: &'a Treasury,
        state: &'a State,
        account: AccountId,
        asker: &'a Asker,
        intent: &'a Intent,
        at: RippleTime,
    ) -> Self {
        let destination = intent.destination();
        let is_own = destination.is_some_and(|to| config.is_own(&to));
        let person = match asker {
            Asker::Person(name) => config.people.get(name),
            Asker::Daemon => None,
        };
        Self {
            policy: &config.policy,
            state,
            account,
            asker,
            intent,
            at,
            kind: intent.kind(),
            amount: intent.amount(),
            destination,
            tier: config.accounts.get(&account).map(|account| account.tier),
            is_own,
            is_known: destination.is_some_and(|to| is_known(config, state, &to, at)),
            roles: person.map(|person| &person.roles),
            lists: OnceCell::new(),
            paid_for: OnceCell::new(),
            risk: OnceCell::new(),
            without: None,
            paid: None,
            inquiry: None,
            is_screened: config.screening,
            pace_seconds: config.timing.close_interval_seconds,
            sums: RefCell::default(),
            counts: RefCell::default(),
        }
    }

    /// The payment of a proposal.
    #[must_use]
    pub fn of_proposal(config: &'a Treasury, state: &'a State, proposal: &'a Proposal) -> Self {
        let Proposal { account, asker, intent, .. } = proposal;
        let question = Self::new(config, state, *account, asker, intent, state.now());
        Self { without: Some(proposal.id), ..question }.with(&proposal.inquiry)
    }

    /// The same with what was found out about the destination.
    #[must_use]
    pub fn with(self, inquiry: &'a Inquiry) -> Self {
        Self { inquiry: Some(inquiry), risk: OnceCell::new(), ..self }
    }

    /// The same asked of another policy.
    #[must_use]
    pub fn under(self, policy: &'a Policy) -> Self {
        Self { policy, lists: OnceCell::new(), risk: OnceCell::new(), ..self }
    }

    /// The same with nothing asked yet: what is asked in between is no part of what it is decided by.
    #[must_use]
    pub fn unasked(&self) -> Self {
        Self {
            lists: OnceCell::new(),
            paid_for: OnceCell::new(),
            risk: OnceCell::new(),
            sums: RefCell::default(),
            counts: RefCell::default(),
            ..*self
        }
    }

    /// The policy that it is asked of.
    #[must_use]
    pub fn policy(&self) -> &'a Policy {
        self.policy
    }

    /// What policy says, and what a second one says beside it where there is one: for what is asked for, once.
    #[must_use]
    pub fn decide_with_shadow(self) -> Decision {
        let Some(shadow) = self.policy.shadow() else { return self.decide() };
        let beside = self.unasked().under(shadow).decide();
        let decision = self.decide();
        let would = (beside.obligations != decision.obligations)
            .then_some(Would { rules: beside.rules, obligations: beside.obligations });
        Decision { shadow: Some(Shadowed { policy_hash: beside.policy_hash, would }), ..decision }
    }

    /// Whether policy denies it, without what that goes by.
    #[must_use]
    pub fn denies(&self) -> bool {
        let obligations = obligations(&matching(self.policy, self));
        obligations.deny || cannot_wait(&obligations, self.amount.as_ref()) || !self.against().is_empty()
    }

    /// What policy says.
    #[must_use]
    pub fn decide(self) -> Decision {
        let matching = matching(self.policy, &self);
        let mut obligations = obligations(&matching);
        let mut rules: Vec<String> = matching.iter().map(|rule| rule.name.clone()).collect();
        if !any_decides(&matching) {
            rules.push(NO_MATCH.to_owned());
        }
        let mut against = self.against();
        against.extend(cannot_wait(&obligations, self.amount.as_ref()).then(|| NO_ESCROW.to_owned()));
        obligations.deny |= !against.is_empty();
        rules.extend(against);
        let asker_roles = self.roles.cloned().unwrap_or_default();
        let declared = DeclaredAs { own_destination: self.is_own, tier: self.tier, asker_roles };
        let inputs = DecisionInputs {
            destination_known: self.is_known,
            outflows: self.outflows(),
            risk: self.risk.get().cloned(),
            at: self.at,
            declared: Some(declared),
        };
        Decision { rules, policy_hash: self.policy.hash(), obligations, inputs, shadow: None }
    }

    /// What denies it whatever the rules say.
    fn against(&self) -> Vec<String> {
        let list = self.unscreened().map(|list| format!("list {list} is not good"));
        let screening = self.against_screening();
        let screening = screening.map(|why| format!("the screening of the destination {why}"));
        list.into_iter().chain(screening).collect()
    }

    /// How unusual it looks.
    #[must_use]
    pub fn assess(&self) -> &Assessment {
        self.risk.get_or_init(|| {
            let payments = self.state.book.payments();
            let has_paid = payments.has_paid(&self.asker.to_string());
            let recent = self.amount.map(|amount| payments.recent(&self.account, amount.issue()));
            let recent = recent.into_iter().flatten();
            let screened = self.screening().and_then(Screening::score);
            assess(self.policy.risk(), self, recent, has_paid, self.recipient(), screened)
        })
    }

    /// The destination's account, as far as anything is known of it: as proven ledgers tell where it is followed, and
    /// otherwise as it was read. `None` where it is the treasury's or in the address book.
    fn recipient(&self) -> Option<Recipient> {
        let to = self.destination.filter(|_| !self.is_known)?;
        let followed = self.state.accounts.get(&to).map(|view| AccountRead {
            at: self.state.ledger.map_or(LedgerIndex(0), |point| point.index),
            root: view.root,
        });
        Some(Recipient {
            read: followed.or_else(|| self.inquiry.and_then(|inquiry| inquiry.account)),
            with_tag: self.intent.movement().is_some_and(|movement| movement.destination_tag.is_some()),
            of_xrp: self.amount.is_some_and(|amount| amount.is_xrp()),
            pace_seconds: self.pace_seconds,
        })
    }

    /// What the rules have asked about so far.
    fn outflows(&self) -> Vec<Outflow> {
        let (sums, counts) = (self.sums.borrow(), self.counts.borrow());
        let sums = sums.iter().map(|(&(per, period_seconds), &sum)| match per {
            Per::Account => Outflow::Account(period_seconds, sum),
            per => Outflow::Sum { per, period_seconds, sum },
        });
        let counts = counts.iter().map(|(&(per, period_seconds), &count)| Outflow::Count {
            per,
            period_seconds,
            count,
        });
        sums.chain(counts).collect()
    }

    /// Whether those whom it concerns are declared as a decision has them.
    fn is_declared_as(&self, declared: &DeclaredAs) -> bool {
        let DeclaredAs { own_destination, tier, asker_roles } = declared;
        let same_roles = self.roles.map_or(asker_roles.is_empty(), |roles| roles == asker_roles);
        self.is_own == *own_destination && self.tier == *tier && same_roles
    }

    /// A list that should be looked at and cannot be: whether a new destination is on it is not known; nor whether one of the
    /// address book is, where a rule asks that and nobody was ever known to be on it.
    #[must_use]
    pub fn unscreened(&self) -> Option<&'a str> {
        self.destination?;
        let is_missed = |list: &&List| match (self.is_own, self.is_known) {
            (true, _) => false,
            (false, true) => list.is_unread() && self.policy.asks_about(list.name()),
            (false, false) => !list.is_good(self.at),
        };
        self.policy.lists().values().find(is_missed).map(List::name)
    }

    /// What whoever screens destinations said of one that is neither the treasury's nor in the address book.
    fn screening(&self) -> Option<&'a Screening> {
        self.inquiry.filter(|_| self.is_screened && !self.is_known)?.screening.as_ref()
    }

    /// Why nothing leaves to it, by whoever screens destinations, or for want of an answer.
    fn against_screening(&self) -> Option<String> {
        let asks = self.is_screened && !self.is_known && self.destination.is_some();
        match self.screening() {
            _ if !asks => None,
            Some(screening) => screening.against(),
            None => Some("was not asked for".to_owned()),
        }
    }

    fn whose(&self, per: Per) -> Option<Whose<'_>> {
        Some(match per {
            Per::Account => Whose::Account(self.account),
            Per::Destination => Whose::Destination(self.destination?),
            Per::Asker => Whose::Asker(match self.asker {
                Asker::Person(name) => name,
                Asker::Daemon => "treasuryd",
            }),
            Per::Asset => Whose::Asset(self.amount?.issue()),
        })
    }

    fn since(&self, period_seconds: u32) -> RippleTime {
        RippleTime(self.at.0.saturating_sub(period_seconds))
    }

    fn measure(&self, asset: Asset, per: Per, period_seconds: u32) -> Amount {
        let since = self.since(period_seconds);
        let paid = self.paid.filter(|paid| paid.at >= since);
        let without = |all: Amount, own: Option<Amount>| own.and_then(|own| all.less(&own)).unwrap_or(all);
        // Moves are not among the payments of an asset.
        let counted = per != Per::Asset || self.intent.link().is_none();
        let asked = self.whose(per).map_or(asset.nothing(), |whose| {
            let all = self.state.book.payments().sum(whose, asset, since, self.without);
            without(all, paid.and_then(|paid| paid.amount).filter(|_| counted))
        });
        if per != Per::Account {
            return asked;
        }
        let left = outflow(self.state, self.account, asset, self.at, period_seconds, self.without);
        let left = without(left, paid.and_then(|paid| paid.as_far_as_seen));
        // Of an issued currency a line of sixteen digits does not show what is below the last of them.
        if !asset.is_xrp() && asked > left { asked } else { left }
    }
}

impl Payment for Question<'_> {
    fn risk(&self) -> u8 {
        self.assess().score
    }

    fn asker(&self) -> &Asker {
        self.asker
    }

    fn asker_has(&self, role: Role) -> bool {
        self.roles.is_some_and(|roles| roles.contains(&role))
    }

    fn account(&self) -> AccountId {
        self.account
    }

    fn tier(&self) -> Option<Tier> {
        self.tier
    }

    fn kind(&self) -> IntentKind {
        self.kind
    }

    fn destination(&self) -> Option<AccountId> {
        self.destination
    }

    fn is_own(&self) -> bool {
        self.is_own
    }

    fn is_known(&self) -> bool {
        self.is_known
    }

    fn is_on(&self, list: &str) -> bool {
        let lists = self.lists.get_or_init(|| {
            let Some(to) = self.destination else { return Vec::new() };
            // Whoever is as new as anybody has no label.
            let counts = |list: &&List| list.has(&to) && (self.is_known || !list.is_label());
            let on = self.policy.lists().values().filter(counts);
            on.map(|list| list.name()).collect()
        });
        lists.contains(&list)
    }

    fn paid_for(&self) -> Option<u32> {
        *self.paid_for.get_or_init(|| {
            let first = self.state.book.payments().first_paid(&self.destination?)?;
            Some(self.at.0.saturating_sub(first.0))
        })
    }

    fn amount(&self) -> Option<Amount> {
        self.amount
    }

    fn at(&self) -> RippleTime {
        self.at
    }

    fn leaves(&self, per: Per, period_seconds: u32) -> Amount {
        let asset = self.amount().map_or(Asset::Xrp, |amount| amount.issue());
        let known = self.sums.borrow().get(&(per, period_seconds)).copied();
        known.unwrap_or_else(|| {
            let sum = self.measure(asset, per, period_seconds);
            self.sums.borrow_mut().insert((per, period_seconds), sum);
            sum
        })
    }

    fn others(&self, per: Per, period_seconds: u32) -> u32 {
        let known = self.counts.borrow().get(&(per, period_seconds)).copied();
        known.unwrap_or_else(|| {
            let since = self.since(period_seconds);
            let all =
                self.whose(per).map(|whose| self.state.book.payments().count(whose, since, self.without));
            let counted = per != Per::Asset || self.intent.link().is_none();
            let own = counted && self.paid.is_some_and(|paid| paid.at >= since);
            let count = all.unwrap_or_default().saturating_sub(u32::from(own));
            self.counts.borrow_mut().insert((per, period_seconds), count);
            count
        })
    }
}

/// What of an asset has left the account within the last `period_seconds`, whoever made it leave, and what may still leave it by
/// proposals, this one aside. A proposal that ended without effect does not count once its slot is free.
#[must_use]
pub fn outflow(
    state: &State,
    account: AccountId,
    asset: Asset,
    now: RippleTime,
    period_seconds: u32,
    without: Option<ProposalId>,
) -> Amount {
    let since = RippleTime(now.0.saturating_sub(period_seconds));
    let moved = state.book.moved(&account, asset, since);
    moved.checked_add(&state.book.leaving(&account, asset, without)).unwrap_or(asset.most())
}

/// Asks policy again about a payment that is in an escrow of the daemon's own: its money has left the account already,
/// and counts once.
#[must_use]
pub fn again_in_escrow(config: &Treasury, state: &State, proposal: &Proposal) -> Decision {
    let paid = match &proposal.status {
        Status::Validated(outcome) => {
            let at = outcome.at.close_time;
            let amount = proposal.intent.amount();
            let seen = amount.and_then(|amount| as_far_as_seen(state, &proposal.account, amount, at));
            Some(Paid { at, amount, as_far_as_seen: seen })
        }
        _ => None,
    };
    Question { paid, ..Question::of_proposal(config, state, proposal) }.decide()
}

/// As much of a payment as the book has of the ledger in which it left: nothing, where its escrow was known only after that.
fn as_far_as_seen(state: &State, account: &AccountId, paid: Amount, at: RippleTime) -> Option<Amount> {
    let moved = |since: RippleTime| state.book.moved(account, paid.issue(), since);
    let then = moved(at).less(&moved(RippleTime(at.0.saturating_add(1))))?;
    Some(if then < paid { then } else { paid })
}

/// Whether a destination is one that policy calls *known*: the treasury's own, or in the address book, and where people
/// confirm its entries, confirmed and cooled.
#[must_use]
pub fn is_known(config: &Treasury, state: &State, destination: &AccountId, at: RippleTime) -> bool {
    let is_named = || config.destinations.contains_key(destination);
    let is_confirmed = || {
        config.policy.confirmation().is_none_or(|terms| {
            state.address_book.known_from(destination, terms).is_some_and(|from| from <= at)
        })
    };
    config.is_own(destination) || (is_named() && is_confirmed())
}

/// Whether what was decided about a proposal stands: by the same policy, and about those who are declared as they were then.
/// What leaves since then is no reason to ask again: it was decided on with this proposal counted.
#[must_use]
pub fn stands(config: &Treasury, state: &State, proposal: &Proposal) -> bool {
    let Decision { policy_hash, inputs, .. } = &proposal.decision;
    let as_declared = inputs.declared.as_ref().is_none_or(|declared| {
        let question = Question::of_proposal(config, state, proposal);
        question.is_known == inputs.destination_known && question.is_declared_as(declared)
    });
    // Where destinations are screened since, nothing leaves of which nobody was asked.
    let unasked =
        config.screening && Question::of_proposal(config, state, proposal).against_screening().is_some();
    as_declared && !unasked && *policy_hash == config.policy.hash()
}

/// Asks policy again about a proposal: what it says now, of the same payment.
#[must_use]
pub fn again(config: &Treasury, state: &State, proposal: &Proposal) -> Decision {
    Question::of_proposal(config, state, proposal).decide()
}
