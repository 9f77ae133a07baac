//! What is read of an account for the first time is what everything later rests on: no proven ledger has told of
//! it, so nothing contradicts a server that misreads it. So it has to be said by as many servers as the newest ledger
//! has to be.
//!
//! It guards against some that err. Where as many err in the same way, they are believed.

use std::collections::{BTreeMap, BTreeSet};

use treasury_core::observe::{AccountSnapshot, LedgerPoint};
use treasury_core::units::AccountId;

use super::follow::{Follower, Over};
use super::readings::Part;
use super::snapshot;

/// Who says what of each account.
type Voices = BTreeMap<AccountId, Vec<(usize, AccountSnapshot)>>;

impl Follower {
    /// Asks others about accounts that are read for the first time, and puts what enough of them say in place of what
    /// the first has said. `false` where not enough say the same.
    pub(super) async fn confirm(&mut self, at: &LedgerPoint, part: &mut Part) -> Result<bool, Over> {
        let quorum = self.network.read_quorum;
        let new = part.iter().filter(|(account, _)| !self.readings.is_known(account));
        let mut voices: Voices =
            new.map(|(account, said)| (*account, vec![(said.0, said.1.clone())])).collect();
        for (number, server) in self.shared.board(|board| board.all_having(at.index.0)) {
            let ask: BTreeSet<AccountId> = voices
                .iter()
                .filter(|(_, said)| !said.iter().any(|(by, _)| *by == number))
                .filter(|(_, said)| agreed(said, quorum).is_none())
                .map(|(account, _)| *account)
                .collect();
            if ask.is_empty() {
                continue;
            }
            let (read, outcome) =
                snapshot::read(&server, at, &ask, &self.watch.treasury, &self.escrows).await;
            outcome.map_err(Over::of(number))?;
            for account in read {
                voices.entry(account.account).or_default().push((number, account));
            }
        }
        for (account, said) in &voices {
            match agreed(said, quorum) {
                Some(by) => self.put(*account, by, said, part),
                None => {
                    self.say_unconfirmed(account, said).await?;
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Takes what enough have said, and says who has said something else.
    fn put(&self, account: AccountId, by: usize, said: &[(usize, AccountSnapshot)], part: &mut Part) {
        let Some(taken) = said.iter().find(|(number, _)| *number == by) else { return };
        for (number, _) in said.iter().filter(|(_, other)| *other != taken.1) {
            let endpoint = self.shared.board(|board| board.endpoint(*number).to_owned());
            tracing::warn!(endpoint, %account, "the ledger server says of an account what others do not");
        }
        part.insert(account, taken.clone());
    }

    async fn say_unconfirmed(
        &mut self,
        account: &AccountId,
        said: &[(usize, AccountSnapshot)],
    ) -> Result<(), Over> {
        let name = |(number, _): &(usize, _)| self.shared.board(|board| board.endpoint(*number).to_owned());
        let by = said.iter().map(name).collect::<Vec<_>>().join(", ");
        let quorum = self.network.read_quorum;
        let reason = format!(
            "not {quorum} endpoints say the same of {account}, which is read for the first time: {by}"
        );
        Ok(self.lose_sight(reason).await?)
    }
}

/// Who was the first to say what so many say.
fn agreed(said: &[(usize, AccountSnapshot)], quorum: usize) -> Option<usize> {
    let alike = |what: &AccountSnapshot| said.iter().filter(|(_, other)| other == what).count();
    said.iter().find(|(_, what)| alike(what) >= quorum).map(|(number, _)| *number)
}
