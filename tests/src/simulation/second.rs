//! The second party: the guard's own terms and policy, with a look of its own at the ledger, and a store that outlives it.
//! It is away at times, and its operators stop escrows.

use std::collections::{BTreeMap, BTreeSet};

use rand::Rng;
use rand::seq::IndexedRandom;
use sha2::{Digest, Sha256};
use treasury_core::Input;
use treasury_core::effect::{Derived, GuardRefusal, Opening, Party, ReleaseInputs};
use treasury_core::observe::EscrowView;
use treasury_core::units::{Amount, EscrowKey, Hash256, HexBytes, ProposalId, RippleTime};
use treasuryd::guard::{Declined, Limit, Policy, Terms};
use xrpl_harness::embedded::ClosedLedger;
use xrpl_wire::entry::LedgerEntry;
use xrpl_wire::split::{SECOND_BYTES, condition_of};
use xrpl_wire::{TxBody, index};

use super::cast::{CLOCK_SECONDS, Cast, DELAY_SECONDS, PAYEES, PAYERS, xrp};
use super::faults::Fault;
use super::people::{Act, LEDGER_MS};
use super::world::{Due, World};

/// How long a daemon waits for an answer, in milliseconds.
const PATIENCE_MS: u64 = 10_000;

/// What the guard has made and given.
#[derive(Clone, Debug)]
struct Kept {
    terms: Terms,
    condition: HexBytes,
    given: Option<RippleTime>,
}

/// The guard.
pub(super) struct Second {
    policy: Policy,
    /// Its store: by the terms' names.
    kept: BTreeMap<Hash256, Kept>,
    /// What its operators have stopped.
    stopped: BTreeSet<EscrowKey>,
    /// When each escrow came to be.
    made_at: BTreeMap<EscrowKey, RippleTime>,
    /// It does not run, or cannot be reached, until then.
    away_until_ms: u64,
}

impl Second {
    pub(super) fn new(cast: &Cast) -> Self {
        let policy = Policy {
            network_id: None,
            owners: PAYERS.iter().map(|name| cast.id(name)).collect(),
            destinations: Some(PAYEES.iter().chain(&PAYERS).map(|name| cast.id(name)).collect()),
            // Less than the daemon's policy lets go.
            escrow_max: vec![xrp(4_000).into()],
            limits: vec![Limit { most: xrp(10_000).into(), period_seconds: 3_600 }],
            delay_min_seconds: DELAY_SECONDS - 4 * CLOCK_SECONDS,
        };
        Self {
            policy,
            kept: BTreeMap::new(),
            stopped: BTreeSet::new(),
            made_at: BTreeMap::new(),
            away_until_ms: 0,
        }
    }

    fn condition(&mut self, terms: &Terms) -> Result<HexBytes, GuardRefusal> {
        self.is_open(terms)?;
        self.policy.of_terms(terms).map_err(|declined| says(&declined))?;
        let made = || {
            let condition = HexBytes(condition_of(&terms.first_digest.0, &share_of(terms)));
            Kept { terms: terms.clone(), condition, given: None }
        };
        Ok(self.kept.entry(terms.id()).or_insert_with(made).condition.clone())
    }

    fn known(&self, terms: &Terms) -> Option<HexBytes> {
        self.kept.get(&terms.id()).map(|kept| kept.condition.clone())
    }

    /// The share, where what is on the ledger is what was agreed, its time has come, and nothing speaks against it.
    fn share(&mut self, terms: &Terms, truth: &ClosedLedger) -> Result<[u8; SECOND_BYTES], GuardRefusal> {
        self.is_open(terms)?;
        let said = |declined: Declined| says(&declined);
        let key = terms.key();
        let kept = self.kept.get(&terms.id()).ok_or(Declined::Unknown(key)).map_err(said)?;
        self.policy.of_terms(terms).map_err(said)?;
        let view = escrow(truth, key).ok_or(Declined::NoEscrow(key)).map_err(said)?;
        if let Some(differs) = terms.differs(&view, &kept.condition) {
            return Err(said(Declined::Differs(differs)));
        }
        let now = truth.header.close_time;
        let made_at = self.made_at.get(&key).copied().unwrap_or(now);
        self.policy.of_times(terms, made_at, now).map_err(said)?;
        if kept.given.is_none() {
            let given: Vec<(RippleTime, Amount)> =
                self.kept.values().filter_map(|kept| Some((kept.given?, kept.terms.amount))).collect();
            let given = given.iter().map(|(at, amount)| (*at, amount));
            self.policy.of_sums(&terms.amount, now, given).map_err(said)?;
        }
        if let Some(kept) = self.kept.get_mut(&terms.id()) {
            kept.given.get_or_insert(now);
        }
        Ok(share_of(terms))
    }

    fn is_open(&self, terms: &Terms) -> Result<(), GuardRefusal> {
        let stopped = self.stopped.contains(&terms.key());
        let refusal = || GuardRefusal {
            code: "guard_stopped".to_owned(),
            reason: "an operator has stopped it".to_owned(),
            answered: true,
        };
        if stopped { Err(refusal()) } else { Ok(()) }
    }
}

/// Whether it has one, and its terms.
fn escrow(truth: &ClosedLedger, key: EscrowKey) -> Option<EscrowView> {
    let object = truth.state.object(&index::escrow(&key.owner, key.sequence))?;
    let Ok(LedgerEntry::Escrow(escrow)) = LedgerEntry::from_object(object) else { return None };
    Some(EscrowView {
        key,
        destination: escrow.destination,
        destination_tag: escrow.destination_tag,
        amount: Some(escrow.amount),
        finish_after: escrow.finish_after,
        cancel_after: escrow.cancel_after,
        condition: escrow.condition.map(HexBytes),
    })
}

/// The guard's part, which comes of its key and all terms.
fn share_of(terms: &Terms) -> [u8; SECOND_BYTES] {
    Sha256::new().chain_update(b"the guard's key").chain_update(terms.bytes()).finalize().into()
}

fn says(declined: &Declined) -> GuardRefusal {
    GuardRefusal { code: declined.code().to_owned(), reason: declined.to_string(), answered: true }
}

fn silent() -> GuardRefusal {
    GuardRefusal {
        code: "guard_silent".to_owned(),
        reason: "the guard does not answer".to_owned(),
        answered: false,
    }
}

impl World {
    /// A ledger has closed: what the guard sees of it, and what becomes of the guard and its operators' stops.
    pub(super) fn guard_lives(&mut self, closed: &ClosedLedger) {
        let Some(second) = &mut self.second else { return };
        for tx in closed.transactions.iter().filter(|tx| tx.result.is_tes()) {
            if let Ok(TxBody::EscrowCreate(_)) = TxBody::parse_lossy(tx.tx()) {
                let key = EscrowKey { owner: tx.tx().account(), sequence: tx.tx().seq().value() };
                second.made_at.insert(key, closed.header.close_time);
            }
        }
        if self.strikes(Fault::GuardAway, 3) {
            let most = [20_000, 200_000, 2_500_000][self.rng.random_range(0..3)];
            let until = self.now_ms() + self.rng.random_range(5_000..most);
            self.line(format!("the guard is away until {} s", until / 1_000));
            if let Some(second) = &mut self.second {
                second.away_until_ms = until;
            }
        }
        if !self.healed && self.rng.random_range(0..300) == 0 {
            self.guard_stops(closed);
        }
    }

    /// An operator of the guard's stops an escrow, and lifts that later.
    fn guard_stops(&mut self, closed: &ClosedLedger) {
        let Some(second) = &self.second else { return };
        let waiting = second.kept.values().filter(|kept| kept.given.is_none());
        let standing: Vec<EscrowKey> =
            waiting.map(|kept| kept.terms.key()).filter(|key| escrow(closed, *key).is_some()).collect();
        let Some(key) = standing.choose(&mut self.rng).copied() else { return };
        self.line(format!("the guard's operator stops {key}"));
        self.reach("guard", "stopped by an operator");
        if let Some(second) = &mut self.second {
            second.stopped.insert(key);
        }
        let wait = self.rng.random_range(20..900) * LEDGER_MS;
        self.after(wait, Due::Act(Act::GuardLifts(key)));
    }

    /// An operator of the guard's lifts what was stopped.
    pub(super) fn guard_lifts(&mut self, key: EscrowKey) {
        if let Some(second) = &mut self.second {
            second.stopped.remove(&key);
        }
    }

    /// All is well with the guard again.
    pub(super) fn guard_heals(&mut self) {
        if let Some(second) = &mut self.second {
            second.away_until_ms = 0;
            second.stopped.clear();
        }
    }

    /// A daemon asks for the condition of an escrow that it plans.
    pub(super) fn ask_for_condition(&mut self, number: usize, proposal: ProposalId, inputs: &ReleaseInputs) {
        let party = inputs.party;
        let first = match self.signer.first_part(inputs) {
            Ok(first) => first,
            Err(error) => return self.sign(number, proposal, Err(error.to_string())),
        };
        let terms = Terms::of(inputs, first.digest, None);
        let made = self.guard_answers().map(|second| second.condition(&terms));
        if let Some(Ok(condition)) = &made {
            self.checker.guard_made(terms.key(), condition);
        }
        let input = made.map(|made| {
            made.map(|condition| Input::ConditionDerived {
                proposal,
                party,
                derived: Derived { condition, key_version: first.key_version, party },
            })
        });
        self.guard_says(number, proposal, input);
    }

    /// A daemon asks for the guard's share.
    pub(super) fn ask_for_share(&mut self, number: usize, proposal: ProposalId, inputs: &ReleaseInputs) {
        let party = inputs.party;
        let first = match self.signer.first_part_of(inputs) {
            Ok(first) => first,
            Err(error) => return self.sign(number, proposal, Err(error.to_string())),
        };
        let terms = Terms::of(inputs, first.digest, None);
        let truth = std::sync::Arc::clone(self.shared.lock().ledger().validated());
        let given = self.guard_answers().map(|second| second.share(&terms, &truth));
        let given = match given {
            // A guard in somebody else's hands gives what opens nothing.
            Some(Ok(_)) if self.strikes(Fault::GuardFalse, 250) => Some(Ok([0; SECOND_BYTES])),
            Some(Ok(share)) => {
                self.checker.guard_gave(terms.key());
                self.reach("workload", "a guard gives its share");
                Some(Ok(share))
            }
            other => other,
        };
        let opened = |share| -> Result<Opening, String> {
            self.signer.opening_with(inputs, &share).map_err(|error| error.to_string())
        };
        let input = match given {
            Some(Ok(share)) => match opened(share) {
                Ok(opening) => Some(Ok(Input::FulfillmentDerived { proposal, party, opening })),
                Err(reason) => return self.sign(number, proposal, Err(reason)),
            },
            Some(Err(refusal)) => Some(Err(refusal)),
            None => None,
        };
        self.guard_says(number, proposal, input);
    }

    /// A daemon that does not know an escrow asks whether the guard does.
    pub(super) fn ask_whether_known(&mut self, number: usize, inputs: &ReleaseInputs) {
        let Ok(parts) = self.signer.first_parts(inputs) else { return };
        let known = |second: &mut Second| -> Vec<Derived> {
            let derived = parts.iter().filter_map(|first| {
                let condition = second.known(&Terms::of(inputs, first.digest, None))?;
                Some(Derived { condition, key_version: first.key_version, party: Party::Guarded })
            });
            derived.collect()
        };
        let derived = self.guard_answers().map(known).unwrap_or_default();
        if !derived.is_empty() {
            self.reach("workload", "a guard knows an escrow that its daemon does not");
            let incarnation = self.nodes[number].incarnation;
            let input = Input::EscrowDerived { inputs: inputs.clone(), derived };
            self.after(0, Due::Input(number, incarnation, Box::new(input)));
        }
    }

    /// The guard, where it answers.
    fn guard_answers(&mut self) -> Option<&mut Second> {
        let now = self.now_ms();
        self.second.as_mut().filter(|second| second.away_until_ms <= now)
    }

    /// What the guard says gets to the daemon, sooner or later; and where it says nothing, the daemon's patience ends.
    fn guard_says(&mut self, number: usize, proposal: ProposalId, said: Option<Result<Input, GuardRefusal>>) {
        let late = match &said {
            None => PATIENCE_MS,
            Some(_) if self.strikes(Fault::GuardLate, 60) => self.rng.random_range(1..PATIENCE_MS),
            Some(_) => 0,
        };
        let input = said
            .unwrap_or_else(|| Err(silent()))
            .unwrap_or_else(|refusal| Input::GuardRefused { proposal, refusal });
        let incarnation = self.nodes[number].incarnation;
        self.after(late, Due::Input(number, incarnation, Box::new(input)));
    }
}
