//! What the API answers, as people read it. All text of the daemon's or of other people's is cleaned of what a
//! terminal would obey.

use std::fmt::Write;

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{Table, TableComponent};
use treasury_api::types::{
    AccountView, AlertView, AmountView, ChannelView, DeliveryView, EscrowView, EventsPage, FindingView,
    LinkView, PanicView, PartyView, ProposalView, ScheduleView, SignerListView, StatusView, StopsView,
    TallyView, TrustLineView,
};
use treasury_tools::console;
use treasury_tools::text::clean;
use xrpl_wire::Drops;

pub(super) fn status(status: &StatusView) -> String {
    let mut out = Lines::default();
    out.line("daemon", format!("treasuryd {}", status.version));
    if let Some(store) = &status.store {
        let before = store.before.as_ref().map_or_else(String::new, |before| {
            format!("; before opening {} it was {}'s", store.since_generation, clean(&before.host))
        });
        out.line("store", format!("opening {} of it, by {}{before}", store.generation, clean(&store.host)));
    }
    out.line(
        "sight",
        match (status.sight.ready, &status.sight.reason) {
            (true, _) => "clear: it sees the validated ledger".to_owned(),
            (false, Some(reason)) => format!("LOST: {reason}. Nothing is signed, submitted or released"),
            (false, None) => "LOST. Nothing is signed, submitted or released".to_owned(),
        },
    );
    if let Some(ledger) = &status.ledger {
        out.line(
            "ledger",
            format!("{} closed {} ({} s ago)", ledger.index, ledger.close_time, status.ledger_age_seconds),
        );
    }
    if let Some(fees) = &status.fees {
        out.line(
            "fees",
            format!(
                "{} drops; reserve {} + {} an object",
                fees.base_fee_drops,
                xrp(&fees.reserve_base_drops),
                xrp(&fees.reserve_inc_drops)
            ),
        );
    }
    out.line("policy", status.policy_hash.clone());
    let counted = |counts: &std::collections::BTreeMap<String, usize>| {
        let words: Vec<String> = counts.iter().map(|(word, count)| format!("{count} {word}")).collect();
        if words.is_empty() { "none".to_owned() } else { words.join(", ") }
    };
    out.line("open", counted(&status.open_proposals));
    out.line("escrows", counted(&status.standing_escrows));
    let open = &status.open_findings;
    let unseen = if open.is_empty() { "" } else { "; nobody has acknowledged them" };
    out.line("findings", format!("{}{unseen}", counted(open)));
    if status.stops.is_empty() {
        out.line("stopped", "nothing".to_owned());
    }
    for stop in &status.stops {
        out.line("STOPPED", stop.words());
    }
    let open: Vec<_> = status.breakers.iter().filter(|breaker| breaker.open).collect();
    if open.is_empty() {
        let most = status.breakers.iter().map(|breaker| breaker.failures).max().unwrap_or_default();
        out.line("breakers", format!("closed ({most} failures in a row)"));
    }
    for breaker in open {
        let whose = breaker.account.as_ref().map_or_else(|| "every account".to_owned(), short);
        let why = breaker.reason.as_deref().unwrap_or("-");
        out.line("BREAKER", format!("{whose}, {}: {why}", breaker.cause));
    }
    out.text
}

/// What a panic came to: what is safe first, and then what is not.
pub(super) fn panicked(found: &PanicView) -> String {
    let mut out = Lines::default();
    for (name, text) in found.lines() {
        out.line(name, text);
    }
    out.text
}

pub(super) fn accounts(accounts: &[AccountView]) -> String {
    let mut table =
        Rows::new(["account", "tier", "address", "XRP", "trust lines", "promised", "Tickets", "signers", ""]);
    for account in accounts {
        let signers = account.signer_list.as_ref().map_or_else(|| account.signing.clone(), signer_list);
        let mut remarks = Vec::new();
        if !account.on_ledger {
            remarks.push("not on the ledger".to_owned());
        }
        if account.signer_list_as_declared == Some(false) {
            remarks.push("SIGNERLIST IS NOT AS DECLARED".to_owned());
        }
        if let Some(differs) = &account.settings_drift {
            remarks.push(format!("SETTINGS ARE NOT AS DECLARED: {differs}"));
        }
        for stop in &account.stops {
            remarks.push(format!("{} {} by {}", stop.kind.to_uppercase(), stop.id, stop.by));
        }
        table.row([
            account.name.clone(),
            account.tier.clone(),
            account.address.clone(),
            xrp_number(&account.balance_drops),
            account.trust_lines.as_deref().map_or("not read yet".to_owned(), trust_lines),
            amounts(&account.leaving),
            format!("{} free, {} taken", account.tickets_free, account.tickets_taken),
            signers,
            remarks.join("; "),
        ]);
    }
    table.shown(console::width())
}

/// What the account has by each, of how much it trusts the issuer for.
fn trust_lines(lines: &[TrustLineView]) -> String {
    let line = |line: &TrustLineView| {
        let frozen = match (line.frozen, line.deep_frozen) {
            (_, true) => " DEEP FROZEN",
            (true, false) => " FROZEN",
            (false, false) => "",
        };
        format!("{} of {}{frozen}", line.balance.words(), line.limit.value)
    };
    lines.iter().map(line).collect::<Vec<_>>().join("; ")
}

pub(super) fn tiers(links: &[LinkView]) -> String {
    let mut table = Rows::new(["link", "keeps", "bound", "target", "has", "can give", "moved", "moves", ""]);
    for link in links {
        let or_none = |amount: &Option<AmountView>| amount.as_ref().map_or("-".to_owned(), AmountView::words);
        let (kept, bound) =
            if link.keeps == "swept" { (&link.from, "at most") } else { (&link.to, "at least") };
        let hours = link.period_seconds.div_ceil(3_600);
        let why = match link.waits_for.as_slice() {
            [] => link.by.clone(),
            waits => format!("{}; waits for {}", link.by, waits.join(", ")),
        };
        table.row([
            format!("{}: {} to {}", link.name, short(&link.from), short(&link.to)),
            short(kept),
            format!("{bound} {}", link.bound.words()),
            link.target.words(),
            or_none(&link.has),
            or_none(&link.can_give),
            format!("{} of {} in {hours} h", link.moved.words(), link.period_max.words()),
            link.moves.words(),
            why,
        ]);
    }
    table.shown(console::width())
}

pub(super) fn schedules(schedules: &[ScheduleView]) -> String {
    if schedules.is_empty() {
        return "no scheduled payments\n".to_owned();
    }
    let mut table = Rows::new(["schedule", "pays", "by", "asked for", "next"]);
    for schedule in schedules {
        let open = schedule.open.iter().map(|asked| {
            let amount = asked.amount.as_ref().map_or_else(String::new, AmountView::words);
            format!("{} {amount} {}, due {}", asked.proposal, asked.status, asked.due)
        });
        table.row([
            schedule.name.clone(),
            format!("{} from {} to {}", schedule.amount.words(), short(&schedule.from), short(&schedule.to)),
            schedule.by.clone(),
            open.collect::<Vec<_>>().join("; "),
            schedule.next.first().cloned().unwrap_or_else(|| "never".to_owned()),
        ]);
    }
    table.shown(console::width())
}

/// Quorum and members; a weight of 1 goes without saying, and the daemon's own keys are counted, not named.
fn signer_list(list: &SignerListView) -> String {
    let (agents, people): (Vec<_>, Vec<_>) = list.entries.iter().partition(|entry| entry.agent);
    let mut names: Vec<String> = people
        .iter()
        .map(|entry| match entry.weight {
            1 => short(&entry.signer),
            weight => format!("{}={weight}", short(&entry.signer)),
        })
        .collect();
    names.sort();
    if !agents.is_empty() {
        let weight: u32 = agents.iter().map(|entry| u32::from(entry.weight)).sum();
        names.push(format!("{} agents={weight}", agents.len()));
    }
    format!("{} of {}", list.quorum, names.join(" "))
}

/// How far signatures have come: by weight, and by people where fewer of them have signed than are asked for.
fn signed(tally: &TallyView) -> String {
    let asked = tally.demands.iter().map(|demand| demand.asked).fold(tally.quorum, u32::max);
    let mut signed = format!("{} of {asked}", tally.weight);
    for demand in tally.demands.iter().filter(|demand| demand.signatures < demand.signatures_asked) {
        signed.push_str(&format!(", {} of {} people", demand.signatures, demand.signatures_asked));
    }
    signed
}

pub(super) fn proposals(proposals: &[ProposalView]) -> String {
    if proposals.is_empty() {
        return "no proposals\n".to_owned();
    }
    let mut table = Rows::new(["", "what", "status", "signed", "asked by", "rule", "waits for"]);
    for proposal in proposals {
        let signed = proposal.tally.as_ref().map_or_else(|| "-".to_owned(), signed);
        table.row([
            proposal.id.clone(),
            proposal.what(),
            proposal.standing(),
            signed,
            proposal.asker.clone(),
            proposal.decision.rules.join(", "),
            proposal.waits_for.join("; "),
        ]);
    }
    table.shown(console::width())
}

pub(super) fn proposal(proposal: &ProposalView) -> String {
    let mut out = Lines::default();
    out.line(&proposal.id, format!("{}: {}", proposal.standing(), proposal.what()));
    out.line("account", proposal.account.whole());
    if let Some(destination) = &proposal.intent.destination {
        out.line("to", destination.whole());
    }
    if let Some(tag) = proposal.intent.destination_tag {
        out.line("tag", tag.to_string());
    }
    out.line("asked by", format!("{} at {}", proposal.asker, proposal.drafted));
    if !proposal.note.is_empty() {
        out.line("note", proposal.note.clone());
    }
    if let Some(occurrence) = &proposal.occurrence {
        out.line("scheduled", format!("\"{}\", due {}", occurrence.schedule, occurrence.due));
    }
    let decision = &proposal.decision;
    let mut decided = format!("{} (by \"{}\")", decision.action, decision.rules.join("\", \""));
    for demand in &decision.approvals {
        decided.push_str(&format!(", {}", demand.words));
    }
    out.line("policy", decided);
    if let Some(told) = &decision.told {
        out.line("told", told.clone());
    }
    if let Some(risk) = &decision.risk {
        out.line("risk", format!("{} of 100", risk.score));
        for sign in &risk.signs {
            out.line("  for", format!("{} ({}): {}", sign.sign, sign.weight, sign.evidence));
        }
    }
    for waited in &proposal.waits_for {
        out.line("waits for", waited.clone());
    }
    if let Some(deadline) = &proposal.deadline {
        let last = proposal.last_ledger_sequence.map_or_else(|| "-".to_owned(), |last| last.to_string());
        let slot = proposal.slot.as_deref().unwrap_or("-");
        out.line("until", format!("{deadline}, LastLedgerSequence {last}, {slot}"));
    }
    if let Some(tally) = &proposal.tally {
        let mut text = format!("weight {} of {}", tally.weight, tally.quorum);
        for demand in &tally.demands {
            text.push_str(&format!(", {}", demand.words));
        }
        out.line("signed", text);
    }
    for approval in &proposal.approvals {
        let by = approval.person.as_deref().unwrap_or("the daemon's agent");
        out.line(
            "  by",
            format!("{} ({by}), weight {}, at {}", short(&approval.signer), approval.weight, approval.at),
        );
    }
    for rejection in &proposal.rejections {
        out.line("against", format!("{} at {}: {}", rejection.person, rejection.at, rejection.reason));
    }
    for stop in &proposal.stops {
        out.line("STOPPED", stop.words());
    }
    if let Some(submission) = &proposal.submission {
        out.line(
            "sent",
            format!(
                "{} at fee {} drops since {}; the server says {}",
                submission.tx_id.as_deref().unwrap_or("-"),
                submission.fee_drops.as_deref().unwrap_or("-"),
                submission.since,
                submission.last_reply.as_deref().unwrap_or("nothing yet")
            ),
        );
    }
    if let Some(outcome) = &proposal.outcome {
        let result = outcome.result.as_deref().unwrap_or("its slot was used by this transaction");
        let ledger =
            outcome.ledger.as_ref().map_or_else(|| "-".to_owned(), |ledger| ledger.index.to_string());
        out.line("outcome", format!("{result}, {} in ledger {ledger}", outcome.tx_id));
    }
    if let Some(escrow) = &proposal.escrow {
        out.line("escrow", format!("{}: {}", escrow.key, escrow.guard));
        out.line("", escrow.stands.clone());
        out.line(
            "  after",
            format!("{} finish, {} cancel", or_dash(&escrow.finish_after), or_dash(&escrow.cancel_after)),
        );
    }
    out.text
}

pub(super) fn escrows(escrows: &[EscrowView]) -> String {
    if escrows.is_empty() {
        return "no escrows\n".to_owned();
    }
    let mut table = Rows::new([
        "of",
        "to",
        "amount",
        "stands",
        "can be stopped",
        "finish after",
        "cancel after",
        "made by",
    ]);
    for escrow in escrows {
        table.row([
            short(&escrow.owner),
            short(&escrow.destination),
            escrow.amount.as_ref().map_or_else(|| "a token".to_owned(), AmountView::words),
            escrow.guard.clone(),
            if escrow.can_be_stopped { "yes" } else { "no" }.to_owned(),
            or_dash(&escrow.finish_after),
            or_dash(&escrow.cancel_after),
            escrow.proposal.clone().unwrap_or_else(|| "none of ours".to_owned()),
        ]);
    }
    let mut shown = table.shown(console::width());
    for escrow in escrows {
        let _ = writeln!(shown, "{}: {}", escrow.key, escrow.stands);
    }
    shown
}

pub(super) fn findings(findings: &[FindingView]) -> String {
    if findings.is_empty() {
        return "no findings\n".to_owned();
    }
    let mut table = Rows::new(["", "severity", "kind", "account", "when", "what was seen"]);
    for finding in findings {
        let over = finding.over.as_ref().map_or_else(String::new, |at| format!(" (no longer so since {at})"));
        table.row([
            finding.id.clone(),
            finding.severity.clone(),
            finding.kind.clone(),
            finding.account.as_ref().map_or_else(|| "all".to_owned(), short),
            finding.at.clone(),
            match &finding.acknowledged {
                None => format!("{}{over}", finding.evidence),
                Some(seen) => format!("{}{over} (seen by {}: {})", finding.evidence, seen.by, seen.reason),
            },
        ]);
    }
    table.shown(console::width())
}

pub(super) fn alerts(alerts: &[AlertView]) -> String {
    if alerts.is_empty() {
        return "nothing waits for an answer\n".to_owned();
    }
    let mut table = Rows::new(["", "severity", "went on to", "goes on", "says"]);
    for alert in alerts {
        let goes = match (&alert.acknowledged, &alert.next) {
            (Some(seen), _) => format!("{} looks after it: {}", seen.by, seen.reason),
            (None, Some(next)) => format!("{next} to {}", alert.goes_to.join(", then ")),
            (None, None) => "to nobody else".to_owned(),
        };
        let notice = &alert.notice;
        let severity = notice.severity.to_string();
        table.row([notice.id.clone(), severity, alert.went_to.join(", "), goes, notice.says.clone()]);
    }
    table.shown(console::width())
}

pub(super) fn channels(channels: &[ChannelView]) -> String {
    if channels.is_empty() {
        return "no channels: nobody is told of anything\n".to_owned();
    }
    let mut table = Rows::new(["", "form", "receiver", "waiting", "given up"]);
    for channel in channels {
        table.row([
            channel.name.clone(),
            channel.form.clone(),
            channel.receiver.clone(),
            channel.waiting.to_string(),
            channel.dead.to_string(),
        ]);
    }
    table.shown(console::width())
}

pub(super) fn deliveries(deliveries: &[DeliveryView]) -> String {
    if deliveries.is_empty() {
        return "no deliveries\n".to_owned();
    }
    let mut table =
        Rows::new(["", "channel", "stage", "attempts", "at", "problem", "kind", "severity", "says", "id"]);
    for delivery in deliveries {
        table.row([
            delivery.number.to_string(),
            delivery.channel.clone(),
            delivery.stage.clone(),
            delivery.attempts.to_string(),
            delivery.at.clone(),
            delivery.problem.clone().unwrap_or_default(),
            delivery.notice.kind.to_string(),
            delivery.notice.severity.to_string(),
            delivery.notice.says.clone(),
            delivery.notice.id.clone(),
        ]);
    }
    table.shown(console::width())
}

pub(super) fn events(page: &EventsPage) -> String {
    let mut text = String::new();
    for record in &page.records {
        for event in &record.events {
            text.push_str(&clean(&format!("{} {event}", record.number)));
            text.push('\n');
        }
    }
    text.push_str(&format!("next: --after {}\n", page.next));
    text
}

pub(super) fn stops(stops: &StopsView, with_lifted: bool) -> String {
    let mut text = String::new();
    for stop in &stops.standing {
        text.push_str(&format!("{}\n", clean(&stop.words())));
    }
    if stops.standing.is_empty() {
        text.push_str("nothing is stopped\n");
    }
    for lifted in stops.lifted.iter().filter(|_| with_lifted) {
        let line =
            format!("lifted by {} at {}: {} ({})", lifted.by, lifted.at, lifted.reason, lifted.stop.words());
        text.push_str(&format!("{}\n", clean(&line)));
    }
    text
}

pub(crate) fn short(party: &PartyView) -> String {
    party.short().to_owned()
}

fn or_dash(text: &Option<String>) -> String {
    text.clone().unwrap_or_else(|| "-".to_owned())
}

fn xrp(drops: &str) -> String {
    drops
        .parse::<Drops>()
        .map_or_else(|_| format!("{drops} drops"), |drops| format!("{} XRP", drops.to_xrp_string()))
}

/// Several amounts, or none.
fn amounts(amounts: &[AmountView]) -> String {
    if amounts.is_empty() {
        return "-".to_owned();
    }
    amounts.iter().map(AmountView::words).collect::<Vec<_>>().join(", ")
}

pub(crate) fn xrp_number(drops: &str) -> String {
    drops.parse::<Drops>().map_or_else(|_| format!("{drops} drops"), Drops::to_xrp_string)
}

/// A table without lines between its rows.
#[must_use]
pub fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_HORIZONTAL_ONLY);
    table.remove_style(TableComponent::HorizontalLines);
    table.remove_style(TableComponent::MiddleIntersections);
    table.set_header(header);
    table
}

/// What is shown as a table where it is wide enough, and one below the other on a narrow terminal: a line that is broken
/// in the middle of an address can be neither read nor copied.
pub(crate) struct Rows<const N: usize> {
    header: [&'static str; N],
    rows: Vec<[String; N]>,
}

impl<const N: usize> Rows<N> {
    pub(crate) fn new(header: [&'static str; N]) -> Self {
        Self { header, rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, cells: [String; N]) {
        self.rows.push(cells.map(|cell| clean(&cell)));
    }

    /// For a terminal with so many columns; `None`: for whatever reads it.
    pub(crate) fn shown(&self, columns: Option<usize>) -> String {
        let mut table = table(&self.header);
        self.rows.iter().for_each(|row| {
            table.add_row(row);
        });
        let text = format!("{}\n", table.trim_fmt());
        let width = text.lines().map(|line| line.chars().count()).max().unwrap_or_default();
        if columns.is_some_and(|columns| columns < width) { self.one_below_the_other() } else { text }
    }

    /// The first cell, and below it what the others say.
    fn one_below_the_other(&self) -> String {
        let wide = self.header.iter().map(|name| name.chars().count()).max().unwrap_or_default();
        let mut text = String::new();
        for row in &self.rows {
            let mut cells = self.header.iter().zip(row);
            if let Some((_, first)) = cells.next() {
                text.push_str(&format!("{first}\n"));
            }
            for (name, cell) in cells.filter(|(_, cell)| !cell.is_empty()) {
                text.push_str(&format!("  {name:<wide$}  {cell}\n"));
            }
        }
        text
    }
}

/// Lines of a name and a text, aligned.
#[derive(Default)]
struct Lines {
    text: String,
}

impl Lines {
    fn line(&mut self, name: &str, text: String) {
        self.text.push_str(&format!("{:<10} {}\n", clean(name), clean(&text)));
    }
}

#[cfg(test)]
mod tests {
    use treasury_api::types::DemandTallyView;

    use super::*;

    /// Danger: "2 of 2" is read as enough, and a signature of somebody who is named is missing.
    #[test]
    fn who_is_missing_is_told_where_the_weight_has_come() {
        let demand = |signatures| DemandTallyView {
            roles: Vec::new(),
            people: vec!["bob".to_owned(), "carol".to_owned()],
            weight: 1,
            asked: 0,
            signatures,
            signatures_asked: 2,
            words: String::new(),
        };
        let tally = |signatures| TallyView { weight: 2, quorum: 2, demands: vec![demand(signatures)] };
        assert_eq!(signed(&tally(1)), "2 of 2, 1 of 2 people");
        assert_eq!(signed(&tally(2)), "2 of 2");
    }

    /// Danger: at 80 columns, or on a phone, addresses break in the middle and columns run into each other.
    #[test]
    fn what_is_wider_than_the_terminal_is_shown_one_below_the_other() {
        let address = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh";
        let mut rows = Rows::new(["account", "address", "signers", ""]);
        rows.row(["warm", address, "2 of alice bob carol dave 2 agents=2", ""].map(str::to_owned));
        rows.row(["two\nlines", address, "single", "FREEZE S1 by dave"].map(str::to_owned));
        let table = rows.shown(None);
        assert_eq!(rows.shown(Some(200)), table);
        assert!(table.lines().any(|line| line.contains("warm") && line.contains("agents=2")), "{table}");
        let narrow = "\
warm
  address  rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh
  signers  2 of alice bob carol dave 2 agents=2
two\\nlines
  address  rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh
  signers  single
           FREEZE S1 by dave
";
        for columns in [40, 80] {
            assert_eq!(rows.shown(Some(columns)), narrow);
        }
    }
}
