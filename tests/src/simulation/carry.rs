//! Carries out what daemons ask for: answers, signatures, what is sent.

use rand::Rng;
use treasury_core::effect::{Party, Unsent};
use treasury_core::input::RungSignatures;
use treasury_core::units::{HexBytes, ProposalId};
use treasury_core::{Effect, Input};
use xrpl_wire::Transaction;

use super::checker::{Heard, Rule};
use super::faults::Fault;
use super::world::{Due, World};

impl World {
    /// Carries out what a daemon asks for.
    pub(super) fn release(&mut self, number: usize, effect: Effect) {
        match effect {
            Effect::Answer { request, answer } => {
                let Some(pending) = self.nodes[number].pending.remove(&request) else { return };
                let word = answer.as_ref().map_or_else(|error| error.code(), |_| "ok");
                self.reach("answer", word);
                self.checker.answered(number, pending.tag, &pending.command, &answer);
                self.hear(number, &pending, &answer);
            }
            Effect::DeriveCondition { proposal, inputs } if inputs.party == Party::Guarded => {
                self.ask_for_condition(number, proposal, &inputs);
            }
            Effect::DeriveFulfillment { proposal, inputs } if inputs.party == Party::Guarded => {
                self.ask_for_share(number, proposal, &inputs);
            }
            Effect::DeriveCondition { proposal, inputs } => {
                let made = self.signer.condition(&inputs).map(|derived| Input::ConditionDerived {
                    proposal,
                    party: inputs.party,
                    derived,
                });
                self.sign(number, proposal, made.map_err(|error| error.to_string()));
            }
            Effect::DeriveFulfillment { proposal, inputs } => {
                let made = self.signer.opening(&inputs).map(|opening| Input::FulfillmentDerived {
                    proposal,
                    party: inputs.party,
                    opening,
                });
                self.sign(number, proposal, made.map_err(|error| error.to_string()));
            }
            Effect::Recognise { inputs } => {
                self.ask_whether_known(number, &inputs);
                if let Ok(derived) = self.signer.conditions(&inputs) {
                    let incarnation = self.nodes[number].incarnation;
                    self.after(
                        0,
                        Due::Input(number, incarnation, Box::new(Input::EscrowDerived { inputs, derived })),
                    );
                }
            }
            Effect::SignAsAgents { proposal, signers, rungs, void } => {
                let (mut signatures, mut failed) = (Vec::new(), Vec::new());
                for agent in signers {
                    let signed = self.signer.sign_as_agent(agent, &rungs).and_then(|signed| {
                        if void.is_empty() {
                            return Ok(signed);
                        }
                        let void_signatures = self.signer.sign_as_agent(agent, &void)?.signatures;
                        Ok(RungSignatures { void_signatures, ..signed })
                    });
                    match signed {
                        Ok(signed) => signatures.push(signed),
                        Err(error) => failed.push((agent, error.to_string())),
                    }
                }
                self.sign(number, proposal, Ok(Input::AgentSigned { proposal, signatures, failed }));
            }
            Effect::SignSingle { proposal, account, rungs, opening } => {
                let made = self.signer.sign_single(account, &rungs, opening.as_ref());
                let made = made.map(|blobs| Input::SingleSigned { proposal, blobs: Unsent(blobs) });
                self.sign(number, proposal, made.map_err(|error| error.to_string()));
            }
            Effect::Submit { proposal, tx_id, blob } => {
                self.send(number, proposal, &blob);
                let Some(port) = self.nodes[number].port() else { return };
                let permit = self.nodes[number].leave.permit();
                let (reply, answers) = (port.submit(tx_id, &blob, permit), self.answers.0.clone());
                let incarnation = self.nodes[number].incarnation;
                tokio::spawn(async move {
                    let reply = reply.await;
                    // The run may be over.
                    let _ =
                        answers.send((number, incarnation, Input::SubmitAnswered { proposal, tx_id, reply }));
                });
            }
            Effect::Recall => self.nodes[number].leave.end(),
            Effect::Reconcile { accounts } => {
                if let Some(port) = self.nodes[number].port() {
                    tokio::spawn(port.reconcile(accounts));
                }
            }
        }
    }

    /// What the signer has to say gets to the daemon, sooner or later or not at all.
    pub(super) fn sign(&mut self, number: usize, proposal: ProposalId, made: Result<Input, String>) {
        if self.strikes(Fault::SignerSilent, 4) {
            return;
        }
        let fails = self.strikes(Fault::SignerFails, 20);
        let late = if self.strikes(Fault::SignerLate, 60) { self.rng.random_range(1..60_000) } else { 0 };
        let input = match made {
            Ok(input) if !fails => input,
            // One agent's key is away, and the others sign.
            Ok(Input::AgentSigned { proposal, mut signatures, mut failed }) => {
                let lost = signatures.pop().map(|lost| (lost.signer, "the signer is not well".to_owned()));
                failed.extend(lost);
                Input::AgentSigned { proposal, signatures, failed }
            }
            Ok(_) => Input::SignFailed { proposal, reason: "the signer is not well".to_owned() },
            Err(reason) => Input::SignFailed { proposal, reason },
        };
        let incarnation = self.nodes[number].incarnation;
        self.after(late, Due::Input(number, incarnation, Box::new(input)));
    }

    /// The checker sees what is sent.
    fn send(&mut self, number: usize, proposal: ProposalId, blob: &HexBytes) {
        let now = self.now_ms();
        let heard = {
            let network = self.shared.lock();
            let told = network.told.get(&number).map_or(0, |told| told.0);
            let read = network.read.get(&number);
            let read_all =
                self.treasury.accounts.keys().all(|account| read.is_some_and(|read| read.contains(account)));
            Heard { silence_ms: now.saturating_sub(told), read_all }
        };
        match Transaction::decode(&blob.0) {
            Ok(tx) => {
                self.line(format!("daemon {number} sends {} {}", tx.tx_type().name(), tx.id()));
                self.reach("sent", tx.tx_type().name());
                self.checker.time(now);
                self.checker.is_of(tx.id(), number, proposal);
                self.checker.released(number, &tx, heard);
            }
            Err(error) => {
                self.checker
                    .broken(Rule::NothingUnasked, format!("daemon {number} sends no transaction: {error}"));
            }
        }
    }
}
