//! What answers say in words. The people's tool and the console say it alike.

use crate::types::{
    AmountView, AuditQuery, DoneView, ExposureView, LiftedView, PanicView, PartyView, ProposalView, SetsView,
    StopView, StoppedView,
};

impl PartyView {
    /// Its name, or its address where it has none.
    #[must_use]
    pub fn short(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.address)
    }

    /// Its address, and its name where it has one.
    #[must_use]
    pub fn whole(&self) -> String {
        match &self.name {
            Some(name) => format!("{} ({name})", self.address),
            None => self.address.clone(),
        }
    }
}

impl StopView {
    /// What is stopped: the account by its name, or the subject.
    #[must_use]
    pub fn on(&self) -> &str {
        self.account.as_ref().map_or(&self.subject, |account| account.short())
    }

    /// It in one line.
    #[must_use]
    pub fn words(&self) -> String {
        let on = self.on();
        format!("{} {} on {on} by {} since {}: {}", self.id, self.kind, self.by, self.since, self.reason)
    }
}

impl ProposalView {
    /// What is wanted, in one line.
    #[must_use]
    pub fn what(&self) -> String {
        let intent = &self.intent;
        let amount = intent.amount.as_ref().map(AmountView::words).unwrap_or_default();
        let to = intent.destination.as_ref().map(PartyView::short).unwrap_or_default();
        let escrow = intent.escrow.as_deref().unwrap_or("-");
        let from = self.account.short();
        match intent.kind.as_str() {
            "pay" => format!("{from} pays {amount} to {to}"),
            "move" => format!("{from} fills {to} with {amount}"),
            "create_tickets" => format!("{from} makes {} Tickets", intent.ticket_count.unwrap_or(0)),
            "finish_escrow" => format!("{from} finishes escrow {escrow}"),
            "cancel_escrow" => format!("{from} cancels escrow {escrow}"),
            other => format!("{from}: {other}"),
        }
    }

    /// Its status; where an escrow came of it, the escrow's.
    #[must_use]
    pub fn standing(&self) -> String {
        match &self.escrow {
            Some(escrow) if self.status == "validated" => format!("escrow {}", escrow.guard),
            _ => self.status.clone(),
        }
    }
}

impl DoneView {
    /// What was done, given the word for it, such as `approved`.
    #[must_use]
    pub fn words(&self, word: &str) -> String {
        if self.changed { word.to_owned() } else { format!("it was {word} already") }
    }

    /// What came of speaking against a proposal.
    #[must_use]
    pub fn reject_words(&self) -> String {
        let text = if !self.changed {
            "you have spoken against it already"
        } else if self.ended == Some(true) {
            "rejected: it has ended"
        } else {
            "spoken against; it goes on, for its quorum can be reached without you (flag it to stop it)"
        };
        text.to_owned()
    }
}

impl DoneView {
    /// What came of a void.
    #[must_use]
    pub fn void_words(&self) -> String {
        let text = if self.changed {
            "its void is recorded, and sent while the ledger can be seen"
        } else {
            "it is voided already"
        };
        format!("{text}; whichever gets into a ledger first, the other is worthless")
    }
}

impl StoppedView {
    /// What was done, given the word for it, such as `flagged`; where it may come too late, that in a line of its own.
    #[must_use]
    pub fn words(&self, word: &str) -> String {
        let done = if self.changed { word.to_owned() } else { format!("you had it {word} already") };
        let warning = self.warning.iter().map(|warning| format!("\n{warning}"));
        format!("{done}: {}{}", self.stop, warning.collect::<String>())
    }
}

impl LiftedView {
    /// What was lifted, and what stands all the same.
    #[must_use]
    pub fn words(&self) -> String {
        let lifted = match self.lifted.as_slice() {
            [] => "nothing was lifted: none stands there".to_owned(),
            lifted => format!("lifted: {}", lifted.join(", ")),
        };
        match self.standing.as_slice() {
            [] => lifted,
            standing => format!("{lifted}; these stand all the same: {}", standing.join(", ")),
        }
    }
}

impl PanicView {
    /// What it came to, a name and what it says in each line: what is safe first, and then what is not.
    #[must_use]
    pub fn lines(&self) -> Vec<(&'static str, String)> {
        let list = |ids: &[String]| if ids.is_empty() { "none".to_owned() } else { ids.join(", ") };
        let mut lines = vec![
            ("frozen", format!("everything: {}", self.freeze)),
            ("withheld", list(&self.withheld)),
            ("ended", list(&self.ended)),
            ("voiding", list(&self.voiding)),
        ];
        if !self.under_way.is_empty() {
            let what = "sent before, and may be applied all the same";
            lines.push(("NOT STOPPED", format!("{}: {what}", list(&self.under_way))));
        }
        if !self.revealed.is_empty() {
            let what = "the fulfillment is out, and nobody can stop it";
            lines.push(("NOT STOPPED", format!("{}: {what}", list(&self.revealed))));
        }
        lines
    }
}

impl AuditQuery {
    /// What is asked for, in words.
    #[must_use]
    pub fn words(&self) -> String {
        let parts =
            [("about", &self.about), ("with", &self.person), ("from", &self.since), ("until", &self.until)];
        let said: Vec<String> =
            parts.iter().filter_map(|(word, said)| Some(format!("{word} {}", said.as_ref()?))).collect();
        if said.is_empty() { "everything".to_owned() } else { said.join(" ") }
    }
}

impl ExposureView {
    /// What is captured, in words.
    #[must_use]
    pub fn name(&self) -> String {
        let kind = self.captured.replace('_', " ");
        match &self.which {
            Some(which) => format!("{kind} {which}"),
            None => kind,
        }
    }
}

impl SetsView {
    /// The first few of them; programs read the rest.
    #[must_use]
    pub fn words(&self) -> String {
        const SHOWN: usize = 4;
        if self.size == 0 {
            return "nothing more".to_owned();
        }
        let first: Vec<String> = self.sets.iter().take(SHOWN).map(|set| set.join(" + ")).collect();
        let more = match (self.sets.len().saturating_sub(SHOWN), self.cut) {
            (0, false) => String::new(),
            (more, false) => format!(", or {more} others"),
            (more, true) => format!(", or more than {more} others"),
        };
        format!("{}{more}", first.join(", or "))
    }
}
