//! An issued asset: who has it on the first ledger, what links and schedules say of it, and what people and its issuer do with it
//! past the daemons, which pay none of it themselves.

use std::collections::BTreeMap;

use rand::Rng;
use rand::seq::IndexedRandom;
use treasury_core::command::{Command, Propose};
use treasury_core::config::{Due, Keeps, Schedule, TierLink};
use treasury_core::outlook::Outlook;
use treasury_core::units::{Amount, Asset, RippleTime};
use xrpl_harness::embedded::{CloseTime, GenesisConfig, Ledger};
use xrpl_wire::typed::{AccountSet, Payment, TrustSet, TxBody};
use xrpl_wire::{Currency, IouValue, IssuedAmount, SeqProxy, flags};

use super::cast::{Cast, DESK, ISSUER, ROLLING_SECONDS, sequence_of};
use super::outsiders::Outsider;
use super::people::Act;
use super::world::{Due as Next, World};

/// What cold and the desk begin with, in euros.
const COLD_EUROS: u64 = 50_000;
const DESK_EUROS: u64 = 2_000;

/// What each trusts the issuer for.
const LIMIT_EUROS: u64 = 1_000_000;

/// Its schedule begins so many days after the first ledger, when every life is over: it is looked ahead to and never asked for.
const FIRST_DAY: u32 = 200;

/// What it takes each time, and how often: all that there is lasts for some thirty of its days.
const EACH_EUROS: u64 = 1_500;
const DATES: u32 = 160;

const DAY_SECONDS: u32 = 86_400;

/// People are told when what there is lasts for less: of all that there is on the first ledger, of what the desk alone has where
/// cold's line is frozen, and of nothing.
const WARN_DAYS: [u32; 3] = [150, 210, 250];

impl Cast {
    /// The asset.
    ///
    /// # Panics
    /// Where the currency is none: a defect of the simulator.
    #[must_use]
    pub fn euro(&self) -> Asset {
        let currency: Currency = "EUR".parse().expect("a currency");
        Asset::Issued { currency, issuer: self.id(ISSUER) }
    }

    /// So many cents of it.
    ///
    /// # Panics
    /// Where there cannot be so much.
    #[must_use]
    pub fn cents(&self, cents: u64) -> Amount {
        let text = format!("{}.{:02}", cents / 100, cents % 100);
        Amount::of(self.euro(), &text).expect("an amount of euros")
    }

    /// The body of a transaction that pays so many cents of it.
    #[must_use]
    pub fn pays_cents(&self, to: &str, cents: u64) -> TxBody {
        TxBody::Payment(Payment {
            destination: self.id(to),
            destination_tag: None,
            amount: self.cents(cents),
            send_max: None,
            deliver_min: None,
        })
    }

    /// The body of a transaction that sets a limit, towards the issuer or by the issuer towards somebody.
    fn trusts(&self, other: &str, euros: u64) -> TxBody {
        let Amount::Issued(limit) = self.cents(euros * 100) else { panic!("an issued asset") };
        let limit_amount = IssuedAmount { issuer: self.id(other), ..limit };
        TxBody::TrustSet(TrustSet { limit_amount, quality_in: None, quality_out: None })
    }

    /// The trust lines that an account is declared to have.
    pub(super) fn declared_lines(&self, account: &str) -> BTreeMap<Asset, IouValue> {
        let Amount::Issued(limit) = self.cents(LIMIT_EUROS * 100) else { panic!("an issued asset") };
        let has_some = account == "cold";
        has_some.then_some((self.euro(), limit.value)).into_iter().collect()
    }

    /// Trust lines, and what comes by them.
    pub(super) fn issue(&self, ledger: &mut Ledger) {
        let ripples = AccountSet { set_flag: Some(flags::asfDefaultRipple), ..AccountSet::default() };
        let mut rounds = vec![vec![(ISSUER, TxBody::AccountSet(ripples))]];
        rounds.push(["cold", DESK, "supplier"].map(|name| (name, self.trusts(ISSUER, LIMIT_EUROS))).to_vec());
        rounds.push(vec![(ISSUER, self.pays_cents("cold", COLD_EUROS * 100))]);
        rounds.push(vec![(ISSUER, self.pays_cents(DESK, DESK_EUROS * 100))]);
        for (name, body) in rounds.into_iter().flatten() {
            let sequence = sequence_of(ledger.open().state(), &self.id(name)).expect("a funded account");
            let tx = self.signed(name, self.id(name), SeqProxy::Sequence(sequence), &body);
            assert!(ledger.submit(&tx.encode()).result.is_tes());
            ledger.close(CloseTime::Next);
        }
    }

    /// Cold's euros are the desk's as well.
    pub(super) fn euro_link(&self) -> TierLink {
        let euros = |euros: u64| self.cents(euros * 100);
        TierLink {
            name: "cold to desk".to_owned(),
            from: self.id("cold"),
            to: self.id(DESK),
            asset: self.euro(),
            keeps: Keeps::Filled { floor: euros(500), target: euros(DESK_EUROS) },
            source_floor: euros(0),
            move_min: euros(0),
            move_max: euros(1_000),
            period_max: euros(5_000),
            period_seconds: ROLLING_SECONDS,
            limits: Vec::new(),
            hours: None,
        }
    }

    /// What the desk will have to pay.
    pub(super) fn euro_schedule(&self) -> Schedule {
        let first = GenesisConfig::default().close_time.0 + FIRST_DAY * DAY_SECONDS;
        let date = |number: u32| Due { at: RippleTime(first + number * DAY_SECONDS), day: number + 1 };
        Schedule {
            name: "licences".to_owned(),
            from: self.id(DESK),
            to: self.id("supplier"),
            destination_tag: Some(904),
            amount: self.cents(EACH_EUROS * 100),
            by: "alice".to_owned(),
            note: String::new(),
            due: (0..DATES).map(date).collect(),
            lead_seconds: 3_600,
            late_max_seconds: 3_600,
        }
    }

    /// When people are told that something runs short.
    pub(super) fn outlook(&self) -> Outlook {
        Outlook { warn_days: WARN_DAYS.into(), ..Outlook::default() }
    }
}

impl World {
    /// Somebody does something with euros, past the daemons.
    pub(super) fn something_with_euros(&mut self) -> Option<&'static str> {
        match self.rng.random_range(0..8) {
            0..3 => self.pay_euros(),
            3..5 => {
                let to = *["cold", DESK].choose(&mut self.rng)?;
                let cents = self.rng.random_range(1..400_000);
                self.euros_by_hand(ISSUER, &self.cast.pays_cents(to, cents), 0)?;
                Some("bring euros")
            }
            5..7 => self.freeze_a_line(),
            _ => self.remove_a_line(),
        }
    }

    fn pay_euros(&mut self) -> Option<&'static str> {
        let cents = self.rng.random_range(1..90_000);
        self.euros_by_hand(DESK, &self.cast.pays_cents("supplier", cents), 0)?;
        Some("pay euros")
    }

    fn freeze_a_line(&mut self) -> Option<&'static str> {
        let whose = *["cold", DESK].choose(&mut self.rng)?;
        self.euros_by_hand(ISSUER, &self.cast.trusts(whose, 0), flags::tfSetFreeze)?;
        let wait = self.rng.random_range(100_000..3_000_000);
        self.after(wait, Next::Act(Act::Outside(Outsider::Thaw(whose))));
        Some("freeze a trust line")
    }

    pub(super) fn thaw(&mut self, whose: &'static str) -> Option<&'static str> {
        self.euros_by_hand(ISSUER, &self.cast.trusts(whose, 0), flags::tfClearFreeze)?;
        Some("thaw a trust line")
    }

    /// The desk gives back all that it has, and its line goes.
    fn remove_a_line(&mut self) -> Option<&'static str> {
        let amount = self.desk_has()?;
        if !amount.is_zero() {
            let destination = self.cast.id(ISSUER);
            let all =
                Payment { destination, destination_tag: None, amount, send_max: None, deliver_min: None };
            self.euros_by_hand(DESK, &TxBody::Payment(all), 0)?;
        }
        self.euros_by_hand(DESK, &self.cast.trusts(ISSUER, 0), 0)?;
        let wait = self.rng.random_range(200_000..2_000_000);
        self.after(wait, Next::Act(Act::Outside(Outsider::Trust)));
        Some("remove a trust line")
    }

    /// And it is made anew.
    pub(super) fn trusts_anew(&mut self) -> Option<&'static str> {
        self.euros_by_hand(DESK, &self.cast.trusts(ISSUER, LIMIT_EUROS), 0)?;
        Some("make a trust line anew")
    }

    /// What the desk has by its line, as a daemon knows it.
    fn desk_has(&self) -> Option<Amount> {
        let euro = self.cast.euro();
        let desk = self.cast.id(DESK);
        let mut lines = self.nodes.first()?.state()?.trust_lines(&desk);
        lines.find(|(asset, _)| **asset == euro)?.1.held(euro)
    }

    fn euros_by_hand(&mut self, by: &str, body: &TxBody, flags: u32) -> Option<()> {
        let sequence = sequence_of(self.shared.lock().ledger().open().state(), &self.cast.id(by))?;
        let tx = self.cast.flagged(by, SeqProxy::Sequence(sequence), body, flags);
        self.submit(&tx);
        Some(())
    }

    /// A person asks a daemon to pay euros, which it pays to nobody.
    pub(super) fn asks_for_euros(&mut self) -> Command {
        let cents = self.rng.random_range(1..90_000);
        Command::Propose(Propose {
            account: self.cast.id("warm"),
            destination: self.cast.id("supplier"),
            destination_tag: None,
            amount: self.cast.cents(cents),
            note: String::new(),
            deadline_seconds: None,
            idempotency_key: None,
            inquiry: Default::default(),
        })
    }
}
