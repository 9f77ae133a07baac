//! One account read once, for whoever asks before something is decided about it. It is not followed from then on.

use std::collections::BTreeSet;

use futures_util::{StreamExt, stream};
use treasury_core::inquiry::AccountRead;
use treasury_core::observe::{AccountSnapshot, LedgerPoint};
use treasury_core::units::{AccountId, LedgerIndex, RippleTime};

use super::{PortHandle, snapshot};

impl PortHandle {
    /// The account as it is in the newest ledger that `read_quorum` endpoints agree on, as as many of them say of it alike.
    /// `None` where they do not, or cannot be asked.
    pub(crate) async fn look_up(&self, account: AccountId) -> Option<AccountRead> {
        let (at, quorum, servers) = self.inner.shared.board(|board| {
            let agreed = board.agreed(0)?;
            let servers = board.all_having(agreed.ledger_index);
            Some((agreed, board.quorum, servers))
        })?;
        // A reading is checked by the ledger's index and hash; when it closed is not asked.
        let index = LedgerIndex(at.ledger_index);
        let at = LedgerPoint { index, hash: at.ledger_hash, close_time: RippleTime(0) };
        let (accounts, none, no_escrows) = (BTreeSet::from([account]), BTreeSet::new(), BTreeSet::new());
        let mut asking = Vec::with_capacity(servers.len());
        for (_, server) in &servers {
            asking.push(snapshot::read(server, &at, &accounts, &none, &no_escrows));
        }
        let mut answers = stream::iter(asking).buffer_unordered(quorum);
        let mut said: Vec<AccountSnapshot> = Vec::new();
        while let Some((read, _)) = answers.next().await {
            said.extend(read);
            let alike = |one: &&AccountSnapshot| said.iter().filter(|other| other == one).count() >= quorum;
            if let Some(agreed) = said.iter().find(alike) {
                return Some(AccountRead { at: index, root: agreed.root });
            }
        }
        None
    }
}
