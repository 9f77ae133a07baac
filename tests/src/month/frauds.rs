//! Attempts at fraud, one a week of each kind, and what came of them.

use treasuryd::dev::DevError;
use xrpl_wire::typed::AccountSet;
use xrpl_wire::{TxBody, flags};

use super::life::{Life, XRP, is_awake};
use super::stage::{Asked, BEGINS, payment};
use super::{TICK_SECONDS, TICKS_A_DAY};

/// What somebody tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Who has the program's token asks to pay somebody new.
    ForgedRequest,
    /// An honest person asks to pay the new account of a supplier, which is a thief's.
    ChangedDestination,
    /// Somebody who may ask does, below every limit, for a friend.
    Insider,
    /// Who has a person's token and key asks, and signs.
    StolenPerson,
    /// The recipient of an escrow that waits asks for DepositAuth, so that its release would fail and show the fulfillment.
    DepositAuth,
    /// Who has the keys of hot's agents pays themselves.
    StolenHotKey,
    /// The same, with all that hot has, and again with whatever is poured in.
    Drained,
}

impl Kind {
    /// All of them, in the order of the week.
    pub const ALL: [Self; 7] = [
        Self::ForgedRequest,
        Self::ChangedDestination,
        Self::Insider,
        Self::StolenPerson,
        Self::DepositAuth,
        Self::StolenHotKey,
        Self::Drained,
    ];

    /// Its name in the report.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::ForgedRequest => "forged ERP request",
            Self::ChangedDestination => "destination changed in an invoice",
            Self::Insider => "insider below the limits",
            Self::StolenPerson => "stolen person: token and key",
            Self::DepositAuth => "DepositAuth on the escrow's recipient",
            Self::StolenHotKey => "stolen hot keys",
            Self::Drained => "drained account, and its refill",
        }
    }

    /// Whether the daemon stops it before anything leaves. Of the others it bounds what is taken.
    #[must_use]
    pub fn is_stopped(self) -> bool {
        !matches!(self, Self::Insider | Self::StolenHotKey | Self::Drained)
    }

    /// The tick of the week at which it begins. Thefts of keys come when nobody is awake who could do something about it, too.
    fn begins(self, week: u32) -> u32 {
        let at = |day: u32, half_hours: u32| day * TICKS_A_DAY + half_hours;
        match self {
            Self::ForgedRequest => at(0, 20),
            Self::ChangedDestination => at(1, 18),
            Self::Insider => at(2, 20),
            Self::StolenPerson => at(3, 30),
            Self::DepositAuth => at(0, 24),
            Self::StolenHotKey => at(5, if week == 2 { 6 } else { 29 }),
            Self::Drained => at(6, 31),
        }
    }
}

/// An attempt.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Of which kind.
    pub kind: Kind,
    /// In which week, from 0.
    pub week: u32,
    /// When it began.
    pub at: u32,
    /// The account that it is for.
    pub thief: String,
    /// Payments that were asked for, by tag.
    pub tags: Vec<u32>,
    /// Their proposals.
    pub proposals: Vec<String>,
    /// What was said beforehand that it could take: drops, and in words. `None`: nothing.
    pub told: Option<(u64, String)>,
    /// When whatever stopped the account was lifted again.
    pub lifted: Option<u32>,
    /// The keys of agents that the thief has.
    pub keys: Vec<String>,
    /// Whether its escrow's recipient has changed.
    pub changed: bool,
    /// Whether somebody has seen through it.
    pub flagged: bool,
}

/// All attempts.
#[derive(Default)]
pub struct Frauds {
    /// In the order in which they began.
    pub attempts: Vec<Attempt>,
}

impl Frauds {
    /// What stopped hot was lifted.
    pub fn lifted(&mut self, now: u32) {
        for attempt in &mut self.attempts {
            if matches!(attempt.kind, Kind::StolenHotKey | Kind::Drained) {
                attempt.lifted.get_or_insert(now);
            }
        }
    }
}

/// Who is paid by it.
fn thief(kind: Kind, week: u32) -> String {
    match kind {
        Kind::Insider => "acquaintance".to_owned(),
        Kind::DepositAuth => "exchange".to_owned(),
        _ => format!("thief {kind:?} {week}"),
    }
}

impl Life {
    /// Attempts begin, and go on.
    ///
    /// # Errors
    /// Where the daemon does not answer, or takes what it must not.
    pub async fn frauds_go_on(&mut self, tick: u32) -> Result<(), DevError> {
        if !self.stage.is_up() {
            return Ok(());
        }
        let (week, of_week) = (tick / (7 * TICKS_A_DAY), tick % (7 * TICKS_A_DAY));
        for kind in Kind::ALL {
            let begins = kind.begins(week);
            // A fraud of the last days has to come to its end within the month.
            let wants = tick + TICKS_A_DAY < self.options.days * TICKS_A_DAY;
            if of_week == begins && wants && week < 4 {
                self.begin(kind, week).await?;
            }
        }
        for number in 0..self.frauds.attempts.len() {
            self.go_on(number, tick).await?;
        }
        Ok(())
    }

    async fn begin(&mut self, kind: Kind, week: u32) -> Result<(), DevError> {
        let thief = thief(kind, week);
        if kind != Kind::Insider && kind != Kind::DepositAuth {
            self.stage.fund(&thief);
            self.stage.pass(1).await?;
        }
        let told = self.told(kind).await?;
        self.frauds.attempts.push(Attempt {
            kind,
            week,
            at: self.stage.now(),
            thief: thief.clone(),
            tags: Vec::new(),
            proposals: Vec::new(),
            told,
            lifted: None,
            keys: self.stage.cast.agents("hot"),
            changed: false,
            flagged: false,
        });
        let number = self.frauds.attempts.len() - 1;
        match kind {
            Kind::ForgedRequest => {
                for _ in 0..3 {
                    self.asks(number, "erp", "hot", 95, true).await?;
                }
                self.asks(number, "erp", "warm", 5_000, true).await
            }
            Kind::ChangedDestination => self.asks(number, "alice", "warm", 4_000, false).await,
            Kind::DepositAuth => self.asks(number, "alice", "warm", 3_000, false).await,
            Kind::StolenPerson => {
                self.asks(number, "carol", "hot", 900, true).await?;
                self.asks(number, "carol", "warm", 8_000, true).await
            }
            Kind::Insider | Kind::StolenHotKey | Kind::Drained => Ok(()),
        }
    }

    /// What the daemon says beforehand of what is captured.
    async fn told(&self, kind: Kind) -> Result<Option<(u64, String)>, DevError> {
        let (captured, which) = match kind {
            Kind::Insider => ("person", Some("bob")),
            Kind::StolenHotKey | Kind::Drained => ("agent_keys", None),
            _ => return Ok(None),
        };
        let all = self.stage.client("alice").exposure().await?;
        let thing = all.iter().find(|thing| thing.captured == captured && thing.which.as_deref() == which);
        let takes = thing.into_iter().flat_map(|thing| &thing.takes);
        let take = takes.into_iter().find(|take| take.account.name.as_deref() == Some("hot"));
        Ok(take.map(|take| {
            let reach = take.to_anybody.as_ref().and_then(|reach| reach.periods.first());
            let bounds = reach.map(|within| &within.most).into_iter();
            let bounds = bounds.chain(&take.has).chain(take.comes.iter().map(|comes| &comes.most));
            let drops = bounds.filter_map(|amount| amount.value.parse::<u64>().ok()).sum();
            (drops, take.says.clone())
        }))
    }

    /// Somebody asks for a payment to the thief. Whether people see through it when they look.
    async fn asks(
        &mut self,
        number: usize,
        person: &'static str,
        from: &'static str,
        xrp: u64,
        seen_through: bool,
    ) -> Result<(), DevError> {
        let tag = self.tag();
        let Some(attempt) = self.frauds.attempts.get(number) else { return Ok(()) };
        let to = attempt.thief.clone();
        let asked = Asked { tag, from, to, drops: xrp * XRP, note: format!("invoice {tag}") };
        let answer = self.stage.propose(person, &asked).await;
        let Some(attempt) = self.frauds.attempts.get_mut(number) else { return Ok(()) };
        attempt.tags.push(tag);
        match answer {
            Ok(id) => {
                if seen_through {
                    self.seen_through.insert(id.clone());
                }
                attempt.proposals.push(id);
                Ok(())
            }
            // It is refused: so much the better.
            Err(DevError::Client(error)) if error.code().is_some() => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn go_on(&mut self, number: usize, tick: u32) -> Result<(), DevError> {
        let Some(attempt) = self.frauds.attempts.get(number).cloned() else { return Ok(()) };
        let now = BEGINS + tick * TICK_SECONDS;
        let ticks = now.saturating_sub(attempt.at) / TICK_SECONDS;
        match attempt.kind {
            // He asks again and again for half a day.
            Kind::Insider if ticks < 12 => self.asks(number, "bob", "hot", 90, true).await,
            // Whoever has the key signs as soon as there is something to sign.
            Kind::StolenPerson if ticks == 1 => {
                for id in &attempt.proposals {
                    // Whoever was faster has ended it.
                    let _ = self.stage.approve("carol", id).await;
                }
                Ok(())
            }
            // Security calls the supplier back by the number that was known before, within a day.
            Kind::ChangedDestination if ticks > 40 && !attempt.flagged && is_awake("dave", now) => {
                for id in &attempt.proposals {
                    self.stage.client("dave").flag(id, "the supplier knows nothing of a new account").await?;
                }
                self.mark(number, |attempt| attempt.flagged = true);
                Ok(())
            }
            Kind::DepositAuth => self.recipient(number, &attempt),
            Kind::StolenHotKey if ticks < 3 => {
                let thief = self.stage.cast.id(&attempt.thief);
                self.stolen(&attempt, &payment(thief, 1_000 * XRP));
                Ok(())
            }
            Kind::Drained if attempt.lifted.is_none() => {
                let thief = self.stage.cast.id(&attempt.thief);
                // All but its reserve, which is the ledger's, and a fee.
                let kept = 60 * XRP;
                let has = self.stage.truth.balance("hot");
                if has > kept + XRP {
                    self.stolen(&attempt, &payment(thief, has - kept));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn mark(&mut self, number: usize, change: impl FnOnce(&mut Attempt)) {
        if let Some(attempt) = self.frauds.attempts.get_mut(number) {
            change(attempt);
        }
    }

    /// The recipient of an escrow that stands takes only what it has authorized, until the money is back.
    fn recipient(&mut self, number: usize, attempt: &Attempt) -> Result<(), DevError> {
        let aside = attempt.tags.first().and_then(|tag| self.stage.truth.aside_of(*tag)).copied();
        let key = self.stage.cast.key(&attempt.thief).pair;
        let set = |set: bool| {
            let flag = Some(flags::asfDepositAuth);
            let (set_flag, clear_flag) = if set { (flag, None) } else { (None, flag) };
            TxBody::AccountSet(AccountSet { set_flag, clear_flag, ..AccountSet::default() })
        };
        match aside {
            Some(_) if !attempt.changed => {
                self.stage.by_hand(&attempt.thief, &key, &set(true));
                self.mark(number, |attempt| attempt.changed = true);
            }
            Some(aside) if attempt.changed && !attempt.flagged && aside.returned.is_some() => {
                self.stage.by_hand(&attempt.thief, &key, &set(false));
                self.mark(number, |attempt| attempt.flagged = true);
            }
            _ => {}
        }
        Ok(())
    }

    /// A transaction of hot with the keys that its agents had then, past the daemon.
    fn stolen(&self, attempt: &Attempt, body: &TxBody) {
        self.stage.together("hot", &attempt.keys, body);
    }
}
