//! Batches, beyond what was recorded.

use xrpl_wire::batch;

use super::world::World;
use super::*;

/// A ledger in which batches are switched on.
fn world() -> World {
    let mut config = GenesisConfig::of(Generation::V3_3);
    config.server.features = vec![Amendment::BatchV1_1];
    World::with(config)
}

fn next(world: &World, person: usize) -> u32 {
    world.root(person).and_then(|root| root.u32(sf::Sequence)).unwrap()
}

/// A payment of somebody as it stands within a batch.
fn inner(world: &World, from: usize, to: usize, amount: u64, sequence: u32) -> Object {
    world
        .tx(TransactionType::Payment, from)
        .with(sf::Destination, world.id(to))
        .with(sf::Amount, drops(amount))
        .with(sf::Flags, flags::tfInnerBatchTxn)
        .with(sf::Fee, drops(0))
        .with(sf::SigningPubKey, Vec::<u8>::new())
        .with(sf::Sequence, sequence)
}

fn batch_of(world: &World, person: usize, mode: u32, within: Vec<Object>) -> Object {
    let within = within.into_iter().map(|tx| (sf::RawTransaction, tx)).collect();
    world
        .tx(TransactionType::Batch, person)
        .with(sf::Flags, mode)
        .with(sf::Fee, drops(1_000))
        .with(sf::RawTransactions, Value::Array(within))
}

/// The batch with the signatures of those who take part.
fn with_signers(world: &World, tx: Object, signers: &[usize]) -> Object {
    let unsigned = Transaction::from_object(tx.clone()).unwrap();
    let mut entries: Vec<_> = signers
        .iter()
        .map(|signer| batch::sign(&unsigned, world.id(*signer), world.key(*signer)).unwrap())
        .collect();
    entries.sort_by_key(|(_, entry)| entry.account(sf::Account));
    tx.with(sf::BatchSigners, Value::Array(entries))
}

/// The results of what was within, in the ledger that closes after the batch.
fn results(world: &mut World, person: usize, tx: Object) -> Vec<TxResult> {
    let blob = signed(tx, world.key(person));
    let submitted = world.ledger.submit(&blob);
    assert_eq!(submitted.result, TxResult::tesSUCCESS, "{:?}", submitted.refused);
    let closed = world.ledger.close(CloseTime::Next);
    let (outer, within) = closed.transactions.split_first().unwrap();
    assert_eq!((outer.id, outer.result), (submitted.id, TxResult::tesSUCCESS));
    for (place, tx) in within.iter().enumerate() {
        assert_eq!(tx.meta().hash256(sf::ParentBatchID), Some(submitted.id));
        assert_eq!(usize::try_from(tx.index).unwrap(), place + 1);
    }
    within.iter().map(|tx| tx.result).collect()
}

const TOO_MUCH: u64 = 90_000_000_000_000_000;

#[test]
fn a_mode_says_what_a_failure_means_for_the_others() {
    const TEC: TxResult = TxResult::tecUNFUNDED_PAYMENT;
    const TES: TxResult = TxResult::tesSUCCESS;
    for (mode, amounts, expected, used) in [
        (flags::tfAllOrNothing, [1, 2, 3], vec![TES, TES, TES], 4),
        (flags::tfAllOrNothing, [1, TOO_MUCH, 3], vec![], 1),
        (flags::tfOnlyOne, [TOO_MUCH, 2, 3], vec![TEC, TES], 3),
        (flags::tfUntilFailure, [1, TOO_MUCH, 3], vec![TES, TEC], 3),
        (flags::tfIndependent, [1, TOO_MUCH, 3], vec![TES, TEC, TES], 4),
    ] {
        let mut world = world();
        let first = next(&world, 0);
        let within =
            (first + 1..).zip(amounts).map(|(sequence, amount)| inner(&world, 0, 1, amount, sequence));
        let tx = batch_of(&world, 0, mode, within.collect());
        let before = world.drops_of(1);
        assert_eq!(results(&mut world, 0, tx), expected, "{mode:#x} {amounts:?}");
        assert_eq!(next(&world, 0), first + used, "{mode:#x} {amounts:?}");
        let paid = amounts.iter().zip(&expected).filter(|(_, result)| **result == TES);
        assert_eq!(world.drops_of(1) - before, paid.map(|(amount, _)| amount).sum::<u64>());
    }
}

#[test]
fn what_could_not_be_applied_leaves_its_number_to_the_next() {
    let mut world = world();
    let first = next(&world, 0);
    let expired = inner(&world, 0, 1, 5, first + 1).with(sf::LastLedgerSequence, 1_u32);
    let within = vec![expired, inner(&world, 0, 1, 6, first + 1)];
    let tx = batch_of(&world, 0, flags::tfIndependent, within);
    assert_eq!(results(&mut world, 0, tx), [TxResult::tesSUCCESS]);
    assert_eq!(next(&world, 0), first + 2);
}

#[test]
fn the_open_ledger_knows_only_of_the_batch_itself() {
    let mut world = world();
    let first = next(&world, 0);
    let within = vec![inner(&world, 0, 1, 5, first + 1), inner(&world, 0, 1, 6, first + 2)];
    let blob = signed(batch_of(&world, 0, flags::tfAllOrNothing, within), world.key(0));
    assert_eq!(world.ledger.submit(&blob).result, TxResult::tesSUCCESS);
    let open = world.ledger.open().state().object(&index::account_root(&world.id(0))).unwrap();
    assert_eq!(open.u32(sf::Sequence), Some(first + 1));
    assert_eq!(world.ledger.open().transactions().len(), 1);
}

#[test]
fn everybody_whose_transaction_is_within_signs_and_nobody_else() {
    let mut world = world();
    let (first, theirs) = (next(&world, 0), next(&world, 1));
    let within = vec![inner(&world, 0, 1, 5, first + 1), inner(&world, 1, 0, 6, theirs)];
    let tx = batch_of(&world, 0, flags::tfAllOrNothing, within);
    assert_eq!(world.tries(&tx), TxResult::temBAD_SIGNER);
    assert_eq!(world.tries(&with_signers(&world, tx.clone(), &[1, 2])), TxResult::temBAD_SIGNER);
    assert_eq!(world.tries(&with_signers(&world, tx.clone(), &[2])), TxResult::temBAD_SIGNER);
    let good = with_signers(&world, tx, &[1]);
    let other_mode = good.clone().with(sf::Flags, flags::tfIndependent);
    let refused = world.ledger.submit(&signed(other_mode, world.key(0))).refused;
    assert_eq!(refused.as_deref(), Some("fails local checks: Invalid signature."), "it signed another batch");
    assert_eq!(results(&mut world, 0, good), [TxResult::tesSUCCESS; 2]);
}

#[test]
fn a_batch_pays_for_every_signature_and_for_what_is_within() {
    let world = world();
    let (first, theirs) = (next(&world, 0), next(&world, 1));
    let within = vec![inner(&world, 0, 1, 5, first + 1), inner(&world, 1, 0, 6, theirs)];
    let tx = with_signers(&world, batch_of(&world, 0, flags::tfAllOrNothing, within), &[1]);
    let least = |tx: &Object| world.ledger.least_fee(&Transaction::from_object(tx.clone()).unwrap());
    assert_eq!(least(&tx), 50);
    let leave = world.leave(0, 1).with(sf::Flags, flags::tfInnerBatchTxn).with(sf::Fee, drops(0));
    let within = vec![inner(&world, 0, 1, 5, first + 1), leave.with(sf::Sequence, first + 2)];
    assert_eq!(least(&batch_of(&world, 0, flags::tfIndependent, within)), 200_030);
}

#[test]
fn what_is_wrong_with_a_batch_is_found_in_the_servers_order() {
    let world = world();
    let first = next(&world, 0);
    let one = inner(&world, 0, 1, 5, first + 1);
    let with =
        |second: Object| world.tries(&batch_of(&world, 0, flags::tfAllOrNothing, vec![one.clone(), second]));
    let two = inner(&world, 0, 1, 6, first + 2);
    assert_eq!(with(two.clone()), TxResult::tesSUCCESS);
    assert_eq!(with(one.clone()), TxResult::temREDUNDANT);
    assert_eq!(with(two.clone().with(sf::Sequence, first + 1)), TxResult::temREDUNDANT);
    assert_eq!(with(two.clone().with(sf::Flags, 0_u32)), TxResult::temINVALID_FLAG);
    assert_eq!(with(two.clone().with(sf::TxnSignature, vec![1])), TxResult::temBAD_SIGNATURE);
    assert_eq!(with(two.clone().with(sf::Fee, drops(1))), TxResult::temBAD_FEE);
    assert_eq!(with(two.clone().with(sf::Amount, drops(0))), TxResult::temINVALID_INNER_BATCH);
    assert_eq!(with(two.clone().with(sf::TicketSequence, 1_u32)), TxResult::temSEQ_AND_TICKET);
    let vault = world
        .tx(TransactionType::VaultDelete, 0)
        .with(sf::VaultID, Hash256::ZERO)
        .with(sf::Flags, flags::tfInnerBatchTxn);
    assert_eq!(with(vault), TxResult::temINVALID_INNER_BATCH);
    let batch = batch_of(&world, 0, flags::tfAllOrNothing, vec![one.clone(), two.clone()]);
    assert_eq!(with(batch.clone()), TxResult::temINVALID);
    for modes in [0, flags::tfOnlyOne | flags::tfIndependent] {
        assert_eq!(world.tries_with(&batch, [(sf::Flags, modes.into())]), TxResult::temINVALID_FLAG);
    }
    assert_eq!(
        world.tries(&batch_of(&world, 0, flags::tfOnlyOne, vec![one.clone()])),
        TxResult::temARRAY_EMPTY
    );
}

#[test]
fn a_batch_never_waits_in_the_queue() {
    let mut world = world();
    world.ledger.set_load_factor(1_000);
    let first = next(&world, 0);
    let within = vec![inner(&world, 0, 1, 5, first + 1), inner(&world, 0, 1, 6, first + 2)];
    let blob = signed(batch_of(&world, 0, flags::tfAllOrNothing, within), world.key(0));
    assert_eq!(world.ledger.submit(&blob).result, TxResult::telCAN_NOT_QUEUE);
}

#[test]
fn a_saved_ledger_has_its_batches_again() {
    let mut world = world();
    let first = next(&world, 0);
    let within = vec![inner(&world, 0, 1, 5, first + 1), inner(&world, 0, 1, 6, first + 2)];
    let tx = batch_of(&world, 0, flags::tfAllOrNothing, within);
    assert_eq!(results(&mut world, 0, tx), [TxResult::tesSUCCESS; 2]);
    let loaded = Ledger::load(&world.ledger.save()).unwrap();
    assert_eq!(loaded.validated().hash, world.ledger.validated().hash);
    assert_eq!(loaded.validated().transactions.len(), 3);
}
