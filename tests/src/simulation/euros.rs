//! An issued asset: who has it on the first ledger, what links, schedules and policy say of it, what people ask daemons to pay of it,
//! and what they and its issuer do with it past the daemons.

use std::collections::BTreeMap;

use rand::Rng;
use rand::seq::IndexedRandom;
use treasury_core::command::{Command, Propose};
use treasury_core::config::{Due, Keeps, Schedule, TierLink};
use treasury_core::intent::{Asker, IntentKind};
use treasury_core::outlook::Outlook;
use treasury_core::policy::{Action, Per, Rolling, Rule};
use treasury_core::units::{Amount, Asset, RippleTime};
use xrpl_harness::embedded::{CloseTime, GenesisConfig, Ledger};
use xrpl_wire::typed::{AccountSet, Payment, TrustSet, TxBody};
use xrpl_wire::{Currency, IouValue, IssuedAmount, MptAmount, SeqProxy, flags};

use super::cast::{Cast, DESK, ISSUER, ROLLING_SECONDS, sequence_of};
use super::outsiders::Outsider;
use super::people::Act;
use super::world::{Due as Next, World};

/// What cold and the desk begin with, in euros; people ask for what warm has.
const COLD_EUROS: u64 = 50_000;
const DESK_EUROS: u64 = 2_000;

/// What warm begins with, which is less than the second link wants there, and what that fills it up to.
const WARM_FIRST_EUROS: u64 = 1_000;
const WARM_EUROS: u64 = 3_000;

/// What agents sign of it by themselves, at a time and within [`ROLLING_SECONDS`]; what goes when two people have signed; and what is
/// delayed, and so denied, up to where no rule says anything.
const SMALL_EUROS: u64 = 100;
const ROLLING_EUROS: u64 = 400;
const MIDDLING_EUROS: u64 = 1_000;
const LARGE_EUROS: u64 = 5_000;

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
        let has_some = ["cold", "warm"].contains(&account);
        has_some.then_some((self.euro(), limit.value)).into_iter().collect()
    }

    /// Trust lines, and what comes by them.
    pub(super) fn issue(&self, ledger: &mut Ledger) {
        let ripples = AccountSet { set_flag: Some(flags::asfDefaultRipple), ..AccountSet::default() };
        let mut rounds = vec![vec![(ISSUER, TxBody::AccountSet(ripples))]];
        rounds.push(
            ["cold", "warm", DESK, "supplier"].map(|name| (name, self.trusts(ISSUER, LIMIT_EUROS))).to_vec(),
        );
        rounds.push(vec![(ISSUER, self.pays_cents("cold", COLD_EUROS * 100))]);
        rounds.push(vec![(ISSUER, self.pays_cents(DESK, DESK_EUROS * 100))]);
        rounds.push(vec![(ISSUER, self.pays_cents("warm", WARM_FIRST_EUROS * 100))]);
        for (name, body) in rounds.into_iter().flatten() {
            let sequence = sequence_of(ledger.open().state(), &self.id(name)).expect("a funded account");
            let tx = self.signed(name, self.id(name), SeqProxy::Sequence(sequence), &body);
            assert!(ledger.submit(&tx.encode()).result.is_tes());
            ledger.close(CloseTime::Next);
        }
    }

    /// So many euros.
    fn euros(&self, euros: u64) -> Amount {
        self.cents(euros * 100)
    }

    /// Cold's euros are warm's as well, and stay above a floor for those.
    pub(super) fn warm_euro_link(&self) -> TierLink {
        TierLink {
            name: "cold's euros to warm".to_owned(),
            to: self.id("warm"),
            keeps: Keeps::Filled { floor: self.euros(1_500), target: self.euros(WARM_EUROS) },
            source_floor: self.euros(1_000),
            ..self.euro_link()
        }
    }

    /// What policy says of euros.
    pub(super) fn euro_rules(&self, approve: &Action, delay: &Action) -> Vec<Rule> {
        let rule = |name: &str, above: u64, most: u64, action: &Action| Rule {
            kinds: Some(vec![IntentKind::Pay]),
            amount_above: (above > 0).then(|| self.euros(above)),
            amount_max: Some(self.euros(most)),
            ..Rule::new(name, action.clone())
        };
        let limit = Some(self.euros(ROLLING_EUROS));
        let rolling = |amount_above, amount_max| {
            Some(Rolling { period_seconds: ROLLING_SECONDS, per: Per::Account, amount_above, amount_max })
        };
        vec![
            Rule { rolling: rolling(None, limit), ..rule("small euros", 0, SMALL_EUROS, &Action::Allow) },
            Rule { rolling: rolling(limit, None), ..rule("busy euros", 0, SMALL_EUROS, approve) },
            Rule { void: true, ..rule("middling euros", SMALL_EUROS, MIDDLING_EUROS, approve) },
            rule("large euros", MIDDLING_EUROS, LARGE_EUROS, delay),
            Rule {
                kinds: Some(vec![IntentKind::Move]),
                askers: Some(vec![Asker::Daemon]),
                ..rule("cold's euros move", 0, LIMIT_EUROS, approve)
            },
        ]
    }

    /// Something that agents sign, again and again.
    pub(super) fn lease(&self) -> Schedule {
        let first = GenesisConfig::default().close_time.0 + 1_100;
        let date = |number: u32| Due { at: RippleTime(first + number * 1_800), day: number + 1 };
        Schedule {
            name: "lease".to_owned(),
            from: self.id("warm"),
            to: self.id("supplier"),
            destination_tag: Some(905),
            amount: self.euros(2),
            by: "alice".to_owned(),
            note: String::new(),
            due: (0..1_500).map(date).collect(),
            lead_seconds: 150,
            late_max_seconds: 600,
        }
    }

    /// Cold's euros are the desk's as well.
    pub(super) fn euro_link(&self) -> TierLink {
        TierLink {
            name: "cold to desk".to_owned(),
            from: self.id("cold"),
            to: self.id(DESK),
            asset: self.euro(),
            keeps: Keeps::Filled { floor: self.euros(500), target: self.euros(DESK_EUROS) },
            source_floor: self.euros(0),
            move_min: self.euros(0),
            move_max: self.euros(1_000),
            period_max: self.euros(5_000),
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
                let to = *["cold", "warm", DESK].choose(&mut self.rng)?;
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
        let by = *[DESK, DESK, DESK, "warm"].choose(&mut self.rng)?;
        self.euros_by_hand(by, &self.cast.pays_cents("supplier", cents), 0)?;
        Some("pay euros")
    }

    fn freeze_a_line(&mut self) -> Option<&'static str> {
        let whose = *["cold", "warm", DESK].choose(&mut self.rng)?;
        self.euros_by_hand(ISSUER, &self.cast.trusts(whose, 0), flags::tfSetFreeze)?;
        let wait = self.rng.random_range(100_000..3_000_000);
        self.after(wait, Next::Act(Act::Outside(Outsider::Thaw(whose))));
        Some("freeze a trust line")
    }

    pub(super) fn thaw(&mut self, whose: &'static str) -> Option<&'static str> {
        self.euros_by_hand(ISSUER, &self.cast.trusts(whose, 0), flags::tfClearFreeze)?;
        Some("thaw a trust line")
    }

    /// The desk gives back all that it has, and its line goes, which one that is frozen does not.
    fn remove_a_line(&mut self) -> Option<&'static str> {
        let amount = self.desk_has()?;
        self.euros_by_hand(ISSUER, &self.cast.trusts(DESK, 0), flags::tfClearFreeze)?;
        if !amount.is_zero() {
            let destination = self.cast.id(ISSUER);
            let all =
                Payment { destination, destination_tag: None, amount, send_max: None, deliver_min: None };
            self.euros_by_hand(DESK, &TxBody::Payment(all), 0)?;
        }
        // A line that lets things ripple where the account does not is kept, whatever is on it.
        self.euros_by_hand(DESK, &self.cast.trusts(ISSUER, 0), flags::tfSetNoRipple)?;
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

    /// What a person asks for in euros: mostly of the supplier's, who has a trust line; the others have none, and the ledger says so.
    pub(super) fn some_euros(&mut self) -> (Amount, &'static str) {
        let most = *[50, SMALL_EUROS, 400, MIDDLING_EUROS, 1_500].choose(&mut self.rng).unwrap_or(&50);
        let cents = self.rng.random_range(1..=most * 100);
        let payee =
            *["supplier", "supplier", "supplier", "shop"].choose(&mut self.rng).unwrap_or(&"supplier");
        (self.cast.cents(cents), payee)
    }

    /// A person asks a daemon to pay a multi-purpose token, which it pays to nobody.
    pub(super) fn asks_for_tokens(&mut self) -> Command {
        let issuance_id = [7; 24];
        let value = self.rng.random_range(1..90_000);
        Command::Propose(Propose {
            account: self.cast.id("warm"),
            destination: self.cast.id("supplier"),
            destination_tag: None,
            amount: Amount::Mpt(MptAmount { negative: false, value, issuance_id }),
            note: String::new(),
            deadline_seconds: None,
            idempotency_key: None,
            inquiry: Default::default(),
        })
    }
}
