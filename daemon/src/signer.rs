//! The signer: the daemon's own keys, and what they may be used for.
//!
//! It signs what it is given, after reading it strictly: every rung has to be the same transaction at
//! another fee, for the account or signer that was asked for. What *should* be signed is the core's
//! decision, and what agents' signatures are worth is the SignerList's; a captured daemon can sign as its
//! agents and no further.

mod guarded;
mod keystore;
mod needed;

use std::collections::BTreeMap;
use std::fmt;

use hmac::{Hmac, Mac};
use sha2::Sha256;
use treasury_core::effect::{Derived, FIRST_KEY, Opening, Party, ReleaseInputs};
use treasury_core::input::RungSignatures;
use treasury_core::units::{AccountId, Amount, EscrowKey, HexBytes};
use xrpl_wire::condition::{condition_for_preimage, fulfillment_for_preimage};
use xrpl_wire::sign::{sign_for, sign_single};
use xrpl_wire::{KeyPair, Object, Seed, SignError, Transaction, TransactionType, TxError, sf};
use zeroize::Zeroizing;

pub use guarded::FirstPart;
pub use keystore::{Keystore, KeystoreError, RELEASE_KEY_BYTES, ReleaseKeys, WorkFactor};
pub use needed::{KeyOf, MissingKeys, SeedProblem, check_keys, check_seed, needed};

/// Keeps preimages of escrows apart from anything else that the release key may ever be used for.
const PREIMAGE_DOMAIN: &[u8] = b"treasuryd escrow preimage 1\0";

/// More rungs than any fee ladder has.
const RUNGS_MAX: usize = 16;

/// Why something was not signed. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignerError {
    /// The keystore has no key of that account.
    #[error("the keystore has no key for {account}; add its seed with `treasuryd keystore add`")]
    NoKey {
        /// The account.
        account: AccountId,
    },
    /// No rung, or too many.
    #[error("{found} rungs to sign; there are 1 to {RUNGS_MAX}")]
    RungCount {
        /// How many there were.
        found: usize,
    },
    /// A rung is no transaction.
    #[error("rung {number}: {source}")]
    Rung {
        /// From 1.
        number: usize,
        /// Why.
        source: TxError,
    },
    /// A rung is another transaction than the first, beyond its Fee.
    #[error("rung {number} differs from the first in more than its Fee")]
    NotALadder {
        /// From 1.
        number: usize,
    },
    /// The transaction is another account's than the one whose key was asked for.
    #[error("the transaction is of {found}, not of {account}")]
    WrongAccount {
        /// Whose key was asked for.
        account: AccountId,
        /// Whose transaction it is.
        found: AccountId,
    },
    /// A release was asked for, and the transaction is not the EscrowFinish of that escrow.
    #[error("the transaction does not finish the escrow {escrow}")]
    WrongEscrow {
        /// The escrow that was to be released.
        escrow: EscrowKey,
    },
    /// The wire crate refuses.
    #[error("rung {number}: {source}")]
    Refused {
        /// From 1.
        number: usize,
        /// Why.
        source: SignError,
    },
    /// The guard has a part in it, without which there is no preimage.
    #[error("the preimage of {escrow} cannot be derived without the guard's part")]
    Guarded {
        /// The escrow.
        escrow: EscrowKey,
    },
    /// The keystore lacks the release key that the escrow was made with.
    #[error("the keystore has no release key {version}; restore a backup that has it")]
    NoReleaseKey {
        /// Its version.
        version: u32,
    },
    /// The preimage cannot be derived. Cannot happen with a release key of the right length.
    #[error("the release key cannot be used")]
    ReleaseKey,
}

impl SignerError {
    /// A code that stays the same in every release.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoKey { .. } => "signer_no_key",
            Self::RungCount { .. } => "signer_rung_count",
            Self::Rung { source, .. } => source.code(),
            Self::NotALadder { .. } => "signer_not_a_ladder",
            Self::WrongAccount { .. } => "signer_wrong_account",
            Self::WrongEscrow { .. } => "signer_wrong_escrow",
            Self::Refused { source, .. } => source.code(),
            Self::Guarded { .. } => "signer_guarded",
            Self::NoReleaseKey { .. } => "signer_no_release_key",
            Self::ReleaseKey => "signer_release_key",
        }
    }
}

/// Holds the keys of an open keystore and signs with them.
pub struct Signer {
    keys: BTreeMap<AccountId, KeyPair>,
    release_keys: ReleaseKeys,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("accounts", &self.accounts()).finish_non_exhaustive()
    }
}

impl Signer {
    /// A signer with the keys of this keystore, whose passphrase is forgotten.
    #[must_use]
    pub fn new(keystore: Keystore) -> Self {
        let keys = keystore.seeds().map(|(account, seed)| (account, KeyPair::from_seed(seed))).collect();
        Self { keys, release_keys: keystore.release_keys().clone() }
    }

    /// A signer with keys that were never in a keystore: for simulations, in which everything has to come out
    /// the same again.
    #[must_use]
    pub fn with_keys(seeds: &[Seed], release_key: Zeroizing<[u8; RELEASE_KEY_BYTES]>) -> Self {
        let keys = seeds.iter().map(KeyPair::from_seed).map(|key| (key.account_id(), key)).collect();
        Self { keys, release_keys: BTreeMap::from([(FIRST_KEY, release_key)]) }
    }

    /// The accounts it has keys for.
    #[must_use]
    pub fn accounts(&self) -> Vec<AccountId> {
        self.keys.keys().copied().collect()
    }

    /// The condition of an escrow's preimage with the newest release key: the same for the same terms and key, always.
    ///
    /// # Errors
    /// [`SignerError::ReleaseKey`].
    pub fn condition(&self, inputs: &ReleaseInputs) -> Result<Derived, SignerError> {
        let newest = self.release_keys.keys().next_back().copied().unwrap_or(FIRST_KEY);
        self.condition_with(inputs, newest)
    }

    /// The conditions of an escrow's preimage with each release key that there has been.
    ///
    /// # Errors
    /// [`SignerError::ReleaseKey`].
    pub fn conditions(&self, inputs: &ReleaseInputs) -> Result<Vec<Derived>, SignerError> {
        self.release_keys.keys().map(|version| self.condition_with(inputs, *version)).collect()
    }

    fn condition_with(&self, inputs: &ReleaseInputs, key_version: u32) -> Result<Derived, SignerError> {
        own(inputs)?;
        let preimage = self.preimage(&ReleaseInputs { key_version, ..inputs.clone() })?;
        let condition = HexBytes(condition_for_preimage(preimage.as_slice()));
        Ok(Derived { condition, key_version, party: Party::Own })
    }

    /// What opens the escrow with these terms: a secret until it is sent.
    ///
    /// # Errors
    /// [`SignerError::NoReleaseKey`] and [`SignerError::ReleaseKey`].
    pub fn opening(&self, inputs: &ReleaseInputs) -> Result<Opening, SignerError> {
        own(inputs)?;
        let preimage = self.preimage(inputs)?;
        Ok(opening(inputs.escrow, preimage.as_slice()))
    }

    /// Signs every rung as one member of the account's SignerList.
    ///
    /// # Errors
    /// `NoKey`, `RungCount`, `Rung`, `NotALadder` and `Refused` of [`SignerError`].
    pub fn sign_as_agent(
        &self,
        signer: AccountId,
        rungs: &[HexBytes],
    ) -> Result<RungSignatures, SignerError> {
        let key = self.key(signer)?;
        let signatures = read_ladder(rungs)?
            .iter()
            .zip(1..)
            .map(|(tx, number)| {
                let signed =
                    sign_for(tx, signer, key).map_err(|source| SignerError::Refused { number, source })?;
                Ok(HexBytes(signed.signature))
            })
            .collect::<Result<_, _>>()?;
        let void_signatures = Vec::new();
        Ok(RungSignatures { signer, signing_pub_key: key.public_key(), signatures, void_signatures })
    }

    /// Signs every rung with the account's own key. With an opening, the rungs have to be the EscrowFinish
    /// of its escrow; condition and fulfillment are put in first, so what comes back is a secret until it is sent.
    ///
    /// # Errors
    /// Every [`SignerError`].
    pub fn sign_single(
        &self,
        account: AccountId,
        rungs: &[HexBytes],
        opening: Option<&Opening>,
    ) -> Result<Vec<HexBytes>, SignerError> {
        let key = self.key(account)?;
        let txs = read_ladder(rungs)?;
        let signed = txs.into_iter().zip(1..).map(|(tx, number)| {
            if tx.account() != account {
                return Err(SignerError::WrongAccount { account, found: tx.account() });
            }
            let tx = match opening {
                Some(opening) => with_fulfillment(tx, number, opening)?,
                None => tx,
            };
            let signed = sign_single(&tx, key).map_err(|source| SignerError::Refused { number, source })?;
            Ok(HexBytes(signed.encode()))
        });
        signed.collect()
    }

    fn key(&self, account: AccountId) -> Result<&KeyPair, SignerError> {
        self.keys.get(&account).ok_or(SignerError::NoKey { account })
    }

    fn preimage(&self, inputs: &ReleaseInputs) -> Result<Zeroizing<[u8; 32]>, SignerError> {
        self.derived(PREIMAGE_DOMAIN, inputs)
    }

    /// HMAC-SHA256 with the release key of that version over what it is for and every term of the escrow in fixed width, so
    /// that no two different escrows are the same bytes.
    fn derived(&self, domain: &[u8], inputs: &ReleaseInputs) -> Result<Zeroizing<[u8; 32]>, SignerError> {
        let ReleaseInputs {
            escrow,
            destination,
            destination_tag,
            amount,
            finish_after,
            cancel_after,
            key_version,
            party: _,
        } = inputs;
        let key = self.release_keys.get(key_version);
        let key = key.ok_or(SignerError::NoReleaseKey { version: *key_version })?;
        let mut mac = Hmac::<Sha256>::new_from_slice(key.as_slice()).map_err(|_| SignerError::ReleaseKey)?;
        mac.update(domain);
        mac.update(escrow.owner.as_bytes());
        mac.update(&escrow.sequence.to_be_bytes());
        mac.update(destination.as_bytes());
        // No tag and the tag 0 are different payments.
        mac.update(&[u8::from(destination_tag.is_some())]);
        mac.update(&destination_tag.unwrap_or_default().to_be_bytes());
        match amount {
            Amount::Xrp(drops) => mac.update(&drops.get().to_be_bytes()),
            // No number of drops begins with such a byte. An asset's text holds no space, so the two cannot run together.
            other => {
                mac.update(&[0xFF]);
                mac.update(format!("{} {}", other.issue(), other.value_text()).as_bytes());
            }
        }
        mac.update(&finish_after.0.to_be_bytes());
        mac.update(&cancel_after.0.to_be_bytes());
        Ok(Zeroizing::new(mac.finalize().into_bytes().into()))
    }
}

/// Refuses where the preimage is not the daemon's alone.
fn own(inputs: &ReleaseInputs) -> Result<(), SignerError> {
    match inputs.party {
        Party::Own => Ok(()),
        Party::Guarded => Err(SignerError::Guarded { escrow: inputs.escrow }),
    }
}

fn opening(escrow: EscrowKey, preimage: &[u8]) -> Opening {
    Opening {
        escrow,
        condition: HexBytes(condition_for_preimage(preimage)),
        fulfillment: HexBytes(fulfillment_for_preimage(preimage)),
    }
}

/// Puts what opens an escrow into its EscrowFinish, and into nothing else.
fn with_fulfillment(tx: Transaction, number: usize, opening: &Opening) -> Result<Transaction, SignerError> {
    let escrow = opening.escrow;
    let finishes = tx.tx_type() == TransactionType::EscrowFinish
        && tx.object().account(sf::Owner) == Some(escrow.owner)
        && tx.object().u32(sf::OfferSequence) == Some(escrow.sequence);
    if !finishes {
        return Err(SignerError::WrongEscrow { escrow });
    }
    let object = tx
        .into_object()
        .with(sf::Condition, opening.condition.0.clone())
        .with(sf::Fulfillment, opening.fulfillment.0.clone());
    Transaction::from_object(object).map_err(|source| SignerError::Rung { number, source })
}

/// Reads the rungs strictly and makes sure that they are one transaction at several fees: a ladder shares
/// its Ticket or Sequence, so that only one rung can ever be applied.
fn read_ladder(rungs: &[HexBytes]) -> Result<Vec<Transaction>, SignerError> {
    if rungs.is_empty() || rungs.len() > RUNGS_MAX {
        return Err(SignerError::RungCount { found: rungs.len() });
    }
    let read = |(rung, number): (&HexBytes, usize)| {
        Transaction::decode(&rung.0).map_err(|source| SignerError::Rung { number, source })
    };
    let txs = rungs.iter().zip(1..).map(read).collect::<Result<Vec<_>, _>>()?;
    let without_fee = |tx: &Transaction| -> Object {
        let mut object = tx.object().clone();
        object.remove(sf::Fee);
        object
    };
    let first = txs.first().map(without_fee);
    for (tx, number) in txs.iter().zip(1..) {
        if Some(without_fee(tx)) != first {
            return Err(SignerError::NotALadder { number });
        }
    }
    Ok(txs)
}

#[cfg(test)]
mod tests {
    use treasury_core::units::{Drops, RippleTime, SeqProxy};
    use xrpl_wire::condition::fulfillment_matches;
    use xrpl_wire::sign::{verify_signatures, verify_signer};
    use xrpl_wire::typed::{self, EscrowFinish, Payment, TxBody, TxCommon};
    use xrpl_wire::{Amount, KeyType, Signer as WireSigner};

    use super::*;

    fn seed(number: u8) -> Seed {
        Seed::from_entropy(
            [number; 16],
            if number.is_multiple_of(2) { KeyType::Ed25519 } else { KeyType::Secp256k1 },
        )
    }

    fn account(number: u8) -> AccountId {
        KeyPair::from_seed(&seed(number)).account_id()
    }

    /// Keys of the same byte each, in the order of their versions.
    fn release_keys<const N: usize>(bytes: [u8; N]) -> ReleaseKeys {
        (FIRST_KEY..).zip(bytes.map(|byte| Zeroizing::new([byte; RELEASE_KEY_BYTES]))).collect()
    }

    fn signer() -> Signer {
        let keys = [1, 2].map(|number| (account(number), KeyPair::from_seed(&seed(number))));
        Signer { keys: keys.into(), release_keys: release_keys([7]) }
    }

    fn drops(drops: u64) -> Drops {
        Drops::new(drops).unwrap()
    }

    fn rungs(from: AccountId, body: &TxBody) -> Vec<HexBytes> {
        let rung = |fee| {
            let common = TxCommon {
                account: from,
                seq: SeqProxy::Ticket(5),
                fee: drops(fee),
                last_ledger_sequence: Some(100),
                source_tag: None,
                network_id: None,
                memos: Vec::new(),
                flags: 0,
            };
            HexBytes(typed::build(&common, body).unwrap().encode())
        };
        [30, 900, 30_000].map(rung).to_vec()
    }

    fn payment() -> TxBody {
        TxBody::Payment(Payment {
            destination: account(9),
            destination_tag: None,
            amount: Amount::Xrp(drops(1_000_000)),
            send_max: None,
            deliver_min: None,
        })
    }

    fn inputs() -> ReleaseInputs {
        ReleaseInputs {
            escrow: EscrowKey { owner: account(8), sequence: 77 },
            destination: account(9),
            destination_tag: None,
            amount: Amount::Xrp(drops(5_000_000)),
            finish_after: RippleTime(1_000),
            cancel_after: RippleTime(2_000),
            key_version: FIRST_KEY,
            party: Party::Own,
        }
    }

    fn finish(sequence: u32) -> TxBody {
        TxBody::EscrowFinish(EscrowFinish {
            owner: account(8),
            offer_sequence: sequence,
            condition: None,
            fulfillment: None,
        })
    }

    #[test]
    fn an_agent_signs_every_rung_and_every_signature_verifies() {
        let rungs = rungs(account(8), &payment());
        for number in [1, 2] {
            let signed = signer().sign_as_agent(account(number), &rungs).unwrap();
            assert_eq!((signed.signer, signed.signatures.len()), (account(number), 3));
            for (rung, signature) in rungs.iter().zip(&signed.signatures) {
                let tx = Transaction::decode(&rung.0).unwrap();
                let entry = WireSigner {
                    account: account(number),
                    public_key: signed.signing_pub_key,
                    signature: signature.0.clone(),
                };
                verify_signer(&tx, &entry).unwrap();
            }
        }
    }

    #[test]
    fn a_stranger_s_key_is_refused() {
        let rungs = rungs(account(8), &payment());
        assert_eq!(
            signer().sign_as_agent(account(3), &rungs),
            Err(SignerError::NoKey { account: account(3) })
        );
        assert_eq!(
            signer().sign_single(account(1), &rungs, None),
            Err(SignerError::WrongAccount { account: account(1), found: account(8) })
        );
    }

    #[test]
    fn an_agent_does_not_sign_as_a_member_for_its_own_account() {
        let error = signer().sign_as_agent(account(1), &rungs(account(1), &payment())).unwrap_err();
        assert_eq!(error.code(), "sign_self_signer");
    }

    #[test]
    fn rungs_that_are_not_one_transaction_at_several_fees_are_refused() {
        let mut mixed = rungs(account(8), &payment());
        mixed[1] = rungs(account(8), &finish(1)).remove(1);
        assert_eq!(signer().sign_as_agent(account(1), &mixed), Err(SignerError::NotALadder { number: 2 }));
        assert_eq!(signer().sign_as_agent(account(1), &[]), Err(SignerError::RungCount { found: 0 }));
        let many = vec![mixed.remove(0); 17];
        assert_eq!(signer().sign_as_agent(account(1), &many), Err(SignerError::RungCount { found: 17 }));
        let mut cut = many[0].clone();
        cut.0.pop();
        assert!(matches!(
            signer().sign_as_agent(account(1), &[many[0].clone(), cut]),
            Err(SignerError::Rung { number: 2, .. })
        ));
    }

    #[test]
    fn a_release_carries_the_fulfillment_of_the_condition_it_was_created_with() {
        let signer = signer();
        let condition = signer.condition(&inputs()).unwrap().condition;
        let opening = signer.opening(&inputs()).unwrap();
        let blobs = signer.sign_single(account(1), &rungs(account(1), &finish(77)), Some(&opening)).unwrap();
        assert_eq!(blobs.len(), 3);
        for blob in blobs {
            let tx = Transaction::decode(&blob.0).unwrap();
            verify_signatures(&tx).unwrap();
            assert_eq!(tx.object().blob(sf::Condition), Some(condition.0.as_slice()));
            assert!(fulfillment_matches(tx.object().blob(sf::Fulfillment).unwrap(), &condition.0));
        }
    }

    #[test]
    fn the_fulfillment_of_one_escrow_is_never_put_into_another_transaction() {
        let opening = signer().opening(&inputs()).unwrap();
        for body in [finish(78), payment()] {
            assert_eq!(
                signer().sign_single(account(1), &rungs(account(1), &body), Some(&opening)),
                Err(SignerError::WrongEscrow { escrow: opening.escrow })
            );
        }
    }

    #[test]
    fn every_term_of_an_escrow_and_the_release_key_change_its_condition() {
        let one = inputs();
        let others = [
            ReleaseInputs { escrow: EscrowKey { sequence: 78, ..one.escrow }, ..one.clone() },
            ReleaseInputs { escrow: EscrowKey { owner: account(7), ..one.escrow }, ..one.clone() },
            ReleaseInputs { destination: account(7), ..one.clone() },
            ReleaseInputs { destination_tag: Some(0), ..one.clone() },
            ReleaseInputs { destination_tag: Some(1), ..one.clone() },
            ReleaseInputs { amount: Amount::Xrp(drops(5_000_001)), ..one.clone() },
            ReleaseInputs { finish_after: RippleTime(1_001), ..one.clone() },
            ReleaseInputs { cancel_after: RippleTime(2_001), ..one.clone() },
            one.clone(),
        ];
        let signer = signer();
        let mut conditions: Vec<HexBytes> =
            others.iter().map(|inputs| signer.condition(inputs).unwrap().condition).collect();
        let other_key = Signer { keys: BTreeMap::new(), release_keys: release_keys([8]) };
        conditions.push(other_key.condition(&one).unwrap().condition);
        conditions.sort();
        conditions.dedup();
        assert_eq!(conditions.len(), 10);
    }

    #[test]
    fn what_was_made_with_an_earlier_release_key_is_released_with_it_and_new_ones_are_made_with_the_newest() {
        let rotated = Signer { release_keys: release_keys([7, 9]), ..signer() };
        let first = signer().condition(&inputs()).unwrap();
        let newest = rotated.condition(&inputs()).unwrap();
        assert_eq!((first.key_version, newest.key_version), (1, 2));
        assert_eq!(rotated.conditions(&inputs()).unwrap(), [first.clone(), newest.clone()]);
        let rungs = rungs(account(1), &finish(77));
        for derived in [&first, &newest] {
            let release = ReleaseInputs { key_version: derived.key_version, ..inputs() };
            let opening = rotated.opening(&release).unwrap();
            let blobs = rotated.sign_single(account(1), &rungs, Some(&opening)).unwrap();
            let tx = Transaction::decode(&blobs[0].0).unwrap();
            assert!(fulfillment_matches(tx.object().blob(sf::Fulfillment).unwrap(), &derived.condition.0));
        }
        let release = ReleaseInputs { key_version: 2, ..inputs() };
        let error = signer().opening(&release).unwrap_err();
        assert_eq!(
            (error.code(), error),
            ("signer_no_release_key", SignerError::NoReleaseKey { version: 2 })
        );
    }

    #[test]
    fn the_derivation_never_changes() {
        // Escrows on the ledger outlive releases of this program: another derivation would lose them.
        let fixed = ReleaseInputs {
            escrow: EscrowKey { owner: AccountId([1; 20]), sequence: 0x0102_0304 },
            destination: AccountId([2; 20]),
            destination_tag: Some(9),
            amount: Amount::Xrp(drops(1)),
            finish_after: RippleTime(3),
            cancel_after: RippleTime(4),
            key_version: FIRST_KEY,
            party: Party::Own,
        };
        let mut message = b"treasuryd escrow preimage 1\0".to_vec();
        message.extend([1; 20]);
        message.extend([1, 2, 3, 4]);
        message.extend([2; 20]);
        message.extend([1, 0, 0, 0, 9]);
        message.extend([0, 0, 0, 0, 0, 0, 0, 1]);
        message.extend([0, 0, 0, 3, 0, 0, 0, 4]);
        let mut mac = Hmac::<Sha256>::new_from_slice(&[7; 32]).unwrap();
        mac.update(&message);
        let expected = condition_for_preimage(&mac.finalize().into_bytes());
        assert_eq!(signer().condition(&fixed).unwrap().condition, HexBytes(expected));
    }

    #[test]
    fn nothing_secret_is_shown_in_debug() {
        let text = format!("{:?}", signer());
        assert!(text.starts_with("Signer { accounts: [") && !text.contains("release"), "{text}");
        let opening = signer().opening(&inputs()).unwrap();
        let text = format!("{opening:?}");
        let secret = format!("{:?}", opening.fulfillment);
        assert!(text.contains(&format!("{:?}", opening.condition)) && !text.contains(&secret), "{text}");
    }
}
