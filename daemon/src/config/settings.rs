//! The servers, the daemon's own settings, links, limits and clocks.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use treasury_core::config::{
    FeeConfig, FindingKind, Keeps, LinkLimit, Severity, TicketConfig, TierLink, Timing,
};
use treasury_core::units::{AccountId, Amount, Asset};

use super::parties::Parties;
use super::reader::{At, Entry, Section};
use super::{NetworkConfig, PassphraseSource, Place, Verify, endpoints, keys, matchers, value};

/// Where the API listens if nobody says.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8_580);

/// The core looks at proposals of the last 31 days for what has left an account; a deadline stays well
/// within that.
const DEADLINE_LIMIT_SECONDS: u32 = 28 * 86_400;

/// Requests a second of one person where nobody says: what a program that polls asks for, and a fifth of what the engine
/// can answer.
pub(super) const REQUESTS_PER_SECOND: u32 = 200;

/// Nobody can approve in less.
const DEADLINE_LEAST_SECONDS: u32 = 60;

/// Each rung is one more signature that every approver makes.
const MULTIPLES_MAX: usize = 6;

/// The servers. `silence_max` comes from elsewhere.
pub(super) fn network(root: &Section<'_>, base_dir: &Path) -> Option<NetworkConfig> {
    let section = section_or_missing(root, "network")?;
    let endpoints = endpoints::read(&section, base_dir);
    let network_id = section.integer("network_id", 0..=u32::MAX).map(|id| id.value);
    let read_quorum = section.integer("read_quorum", 1..=1_000);
    let verify = section.text("verify", |text| match text {
        "full" => Ok(Verify::Full),
        "headers" => Ok(Verify::Headers),
        _ => Err(format!("\"{text}\" is neither \"full\" nor \"headers\"")),
    });
    let gap_ledgers = section.integer("gap_ledgers", 16..=1_000_000);
    let endpoints = endpoints?;
    let count = |value: u32| usize::try_from(value).unwrap_or(usize::MAX);
    if let Some(quorum) = &read_quorum
        && count(quorum.value) > endpoints.len()
    {
        let what = format!("is more than the {} endpoints", endpoints.len());
        section.blame(quorum, what, "no ledger would ever be believed; lower it, or add endpoints");
    }
    let unsaid = NetworkConfig::new(endpoints);
    Some(NetworkConfig {
        network_id,
        read_quorum: read_quorum.map_or(unsaid.read_quorum, |quorum| count(quorum.value)),
        verify: verify.map_or(unsaid.verify, |verify| verify.value),
        gap_ledgers: gap_ledgers.map_or(unsaid.gap_ledgers, |ledgers| count(ledgers.value)),
        ..unsaid
    })
}

/// The daemon's own settings.
pub(super) struct Daemon {
    pub(super) data_dir: PathBuf,
    pub(super) listen: SocketAddr,
    pub(super) keystore: PathBuf,
    pub(super) passphrase: PassphraseSource,
    pub(super) requests_per_second: u32,
}

/// Reads them.
pub(super) fn daemon(root: &Section<'_>, base_dir: &Path) -> Option<Daemon> {
    let section = section_or_missing(root, "daemon")?;
    let path = |text: &str| {
        if text.is_empty() { Err("the path is empty".to_owned()) } else { Ok(base_dir.join(text)) }
    };
    let data_dir = section.required("data_dir", path);
    let keystore = section.required("keystore", path);
    let listen = section.text("listen", |text| {
        text.parse::<SocketAddr>().map_err(|_| {
            format!("\"{text}\" is not an IP address and a port; write it as \"127.0.0.1:8580\"")
        })
    });
    let passphrase = match section.text("passphrase_file", path) {
        Some(path) => PassphraseSource::File(path.value),
        None => PassphraseSource::Environment,
    };
    let requests_per_second = section.integer("requests_per_second", 1..=10_000);
    Some(Daemon {
        requests_per_second: requests_per_second.map_or(REQUESTS_PER_SECOND, |rate| rate.value),
        data_dir: data_dir?.value,
        listen: listen.map_or(LISTEN, |listen| listen.value),
        keystore: keystore?.value,
        passphrase,
    })
}

/// For how long the texts of the audit log are kept.
pub(super) fn audit_keep_days(root: &Section<'_>) -> Option<u32> {
    root.section("audit")?.integer("keep_days", 1..=36_500).map(|days| days.value)
}

fn section_or_missing<'a>(root: &Section<'a>, name: &str) -> Option<Section<'a>> {
    if !root.has(name) {
        root.missing(name);
    }
    root.section(name)
}

/// Reads the tier links.
pub(super) fn links(root: &Section<'_>, parties: &Parties, fees: &FeeConfig) -> Vec<TierLink> {
    let mut names = BTreeSet::new();
    let sections = root.sections("link");
    let links = sections.iter().map(|section| {
        let link = link(section, parties);
        if let Some(name) = section.text("name", value::name)
            && !names.insert(name.value.clone())
        {
            section.blame(&name, format!("\"{}\" is taken", name.value), "choose another name for the link");
        }
        link
    });
    let links: Vec<Option<TierLink>> = links.collect();
    rings(&sections, &links);
    for (section, link) in sections.iter().zip(&links) {
        let Some(TierLink { from, keeps: Keeps::Swept { ceiling, target }, .. }) = link else { continue };
        let asset = ceiling.issue();
        let filling = links.iter().flatten().filter(|other| other.to == *from && other.asset == asset);
        let bounds = filling.filter_map(|other| match other.keeps {
            Keeps::Filled { floor, target } => Some((other, floor, target)),
            Keeps::Swept { .. } => None,
        });
        for (other, floor, filled) in bounds {
            if filled > *ceiling {
                let what = format!("is below the target of \"{}\", which fills the account", other.name);
                section.wrong("ceiling", what, "a refill would be swept away again; raise it");
            }
            // What a sweep burns comes out of the account that it sweeps.
            let fee =
                if floor.issue().is_xrp() { Amount::Xrp(fees.fee_max) } else { floor.issue().nothing() };
            if target.less(&fee).is_none_or(|left| left < floor) {
                let what = format!(
                    "is, less a fee of up to fees.fee_max, below the floor of \"{}\", which fills the account",
                    other.name
                );
                section.wrong("target", what, "a sweep would be filled up again; raise it");
            }
        }
    }
    links.into_iter().flatten().collect()
}

/// Blames links along which the same money would go round.
fn rings(sections: &[Section<'_>], links: &[Option<TierLink>]) {
    let known = || links.iter().flatten();
    let (swept, filled): (Vec<&TierLink>, Vec<&TierLink>) =
        known().partition(|link| matches!(link.keeps, Keeps::Swept { .. }));
    let alike = |link: &TierLink| {
        let asset = link.asset;
        known().filter(move |other| other.asset == asset)
    };
    let drains: Vec<&TierLink> = filled.into_iter().filter(|link| drains(alike(link), link)).collect();
    for (section, link) in sections.iter().zip(links) {
        let Some(link) = link else { continue };
        // What is of one asset becomes none of another on its way.
        let is_in = |ring: &[&TierLink]| {
            let ring: Vec<&TierLink> =
                ring.iter().copied().filter(|other| other.asset == link.asset).collect();
            ring.iter().any(|other| other.name == link.name) && leads_back(&ring, link.from, link.to)
        };
        if is_in(&swept) {
            let what = "begins a ring of sweeps, which ends where it begins";
            section.wrong("to", what, "the same money would go round; take one of them out");
        }
        if is_in(&drains) {
            let what = "begins a ring of refills, which takes from each account what that is filled up with";
            let advice =
                "the same money would go round; write a `source_floor` of at least the floor of its source";
            section.wrong("to", what, advice);
        }
    }
}

/// Whether it fills an account out of one that others fill, below what they fill it up from.
fn drains<'a>(links: impl Iterator<Item = &'a TierLink> + Clone, link: &TierLink) -> bool {
    // The highest of its floors as a source holds for every link out of it.
    let kept = links.clone().filter(|other| other.from == link.from).map(|other| other.source_floor);
    let mut filled = links.filter(|other| other.to == link.from).filter_map(|other| match other.keeps {
        Keeps::Filled { floor, .. } => Some(floor),
        Keeps::Swept { .. } => None,
    });
    let kept = kept.fold(link.source_floor, |most, kept| if kept > most { kept } else { most });
    matches!(link.keeps, Keeps::Filled { .. }) && filled.any(|floor| kept < floor)
}

/// Whether what comes to `to` goes on along these links until it is back at `from`.
fn leads_back(links: &[&TierLink], from: AccountId, to: AccountId) -> bool {
    let (mut seen, mut next) = (BTreeSet::new(), vec![to]);
    while let Some(account) = next.pop() {
        if account == from {
            return true;
        }
        if seen.insert(account) {
            next.extend(links.iter().filter(|link| link.from == account).map(|link| link.to));
        }
    }
    false
}

/// Which account a link keeps within bounds: a floor says that it fills `to`, a ceiling that it sweeps `from`.
fn keeps(section: &Section<'_>) -> Option<Keeps> {
    let target = section.required("target", value::some_payable);
    let asset = target.as_ref().map(|target| target.value.issue());
    if !section.has("ceiling") {
        let floor = section.required("floor", value::some_payable);
        of_one_asset(section, asset, floor.as_ref());
        if let (Some(floor), Some(target)) = (&floor, &target)
            && floor.value > target.value
        {
            let advice = "a move fills up to the target; make it at least the floor";
            section.blame(target, "is below the floor", advice);
        }
        return Some(Keeps::Filled { floor: floor?.value, target: target?.value });
    }
    let ceiling = section.required("ceiling", value::some_payable);
    of_one_asset(section, asset, ceiling.as_ref());
    if section.has("floor") {
        let advice = "a link fills one account or sweeps the other; write two links";
        section.wrong("floor", "stands beside a ceiling", advice);
    }
    if let (Some(ceiling), Some(target)) = (&ceiling, &target)
        && target.value > ceiling.value
    {
        let advice = "a sweep goes down to the target; make it at most the ceiling";
        section.blame(target, "is above the ceiling", advice);
    }
    Some(Keeps::Swept { ceiling: ceiling?.value, target: target?.value })
}

/// Blames an amount that is of another asset than the link's target.
fn of_one_asset(section: &Section<'_>, asset: Option<Asset>, amount: Option<&At<Amount>>) {
    if let (Some(asset), Some(amount)) = (asset, amount)
        && amount.value.issue() != asset
    {
        let what = format!("is of {}, and the target of {asset}", amount.value.issue());
        section.blame(
            amount,
            what,
            "all amounts of one link are of one asset; write another link for the other",
        );
    }
}

/// What a link may carry within other periods.
fn limits(section: &Section<'_>, asset: Option<Asset>) -> Vec<LinkLimit> {
    let entries = section.entries("limits", &["max", "period"]).unwrap_or_default();
    let read = entries.iter().filter_map(|entry| match entry {
        Entry::Text(text) => {
            let advice = "write { max = \"500 XRP\", period = \"1h\" }";
            section.blame(text, "is a text", advice);
            None
        }
        Entry::Table(inner) => {
            let most = inner.required("max", value::some_payable);
            of_one_asset(inner, asset, most.as_ref());
            let period = inner.required("period", matchers::period);
            Some(LinkLimit { most: most?.value, period_seconds: period?.value })
        }
    });
    read.collect()
}

fn link(section: &Section<'_>, parties: &Parties) -> Option<TierLink> {
    let name = section.required("name", value::name);
    let from = section.required("from", |text| parties.resolve_account(text));
    let to = section.required("to", |text| parties.resolve_account(text));
    let keeps = keeps(section);
    let asset = keeps.map(|keeps| match keeps {
        Keeps::Filled { target, .. } | Keeps::Swept { target, .. } => target.issue(),
    });
    let source_floor = section.text("source_floor", value::payable);
    let move_min = section.text("move_min", value::some_payable);
    let move_max = section.required("move_max", value::some_payable);
    let period_max = section.required("period_max", value::some_payable);
    for amount in [&source_floor, &move_min, &move_max, &period_max] {
        of_one_asset(section, asset, amount.as_ref());
    }
    let limits = limits(section, asset);
    if let Some(Asset::Issued { issuer, .. }) = asset {
        if let Some(from) = from.as_ref().filter(|from| from.value == issuer) {
            section.blame(from, "issues what the link moves", "the daemon issues nothing; name another");
        }
        if let Some(to) = to.as_ref().filter(|to| to.value == issuer && !section.has("ceiling")) {
            section.blame(
                to,
                "issues what the link moves, and never has any of it",
                "write a ceiling to redeem what is above it",
            );
        }
    }
    let period = section.text("period", matchers::period);
    if let (Some(from), Some(to)) = (&from, &to)
        && from.value == to.value
    {
        section.blame(to, "is the account that the money comes from", "name another");
    }
    if let Some(from) = &from
        && Some(from.value) == parties.runner()
    {
        section.blame(from, "is the runner", "it pays fees only; name an account that people sign for");
    }
    if let (Some(least), Some(most)) = (&move_min, &move_max)
        && least.value > most.value
    {
        section.blame(least, "is more than move_max", "nothing would ever be moved; lower it");
    }
    if let (Some(one), Some(all)) = (&move_max, &period_max)
        && one.value > all.value
    {
        section.blame(one, "is more than period_max", "one move could never carry so much; lower it");
    }
    Some(TierLink {
        name: name?.value,
        from: from?.value,
        to: to?.value,
        asset: asset?,
        keeps: keeps?,
        source_floor: source_floor.map_or(asset?.nothing(), |amount| amount.value),
        move_min: move_min.map_or(asset?.nothing(), |amount| amount.value),
        move_max: move_max?.value,
        period_max: period_max?.value,
        period_seconds: period.map_or(86_400, |period| period.value),
        limits,
        hours: section
            .inner("hours", &["zone", "hours", "weekdays"])
            .and_then(|inner| matchers::times_of(&inner)),
    })
}

/// Reads the limits on fees.
pub(super) fn fees(root: &Section<'_>) -> FeeConfig {
    let mut fees = FeeConfig::default();
    let Some(section) = root.section("fees") else { return fees };
    if let Some(most) = section.text("fee_max", value::some_amount) {
        fees.fee_max = most.value;
    }
    if let Some(multiples) = section.integers("multiples", &(2..=1_000_000)) {
        if multiples.len() > MULTIPLES_MAX {
            let what = format!("has {} entries", multiples.len());
            section.wrong("multiples", what, "at most 6: each is one more signature for every approver");
        }
        for (before, multiple) in multiples.iter().zip(multiples.iter().skip(1)) {
            if multiple.value <= before.value {
                section.blame(multiple, "is not above the one before", "write them ascending");
            }
        }
        fees.multiples = multiples.iter().map(|multiple| u64::from(multiple.value)).collect();
    }
    fees
}

/// Reads the Ticket pools' limits.
pub(super) fn tickets(root: &Section<'_>) -> TicketConfig {
    let mut tickets = TicketConfig::default();
    let Some(section) = root.section("tickets") else { return tickets };
    // The ledger keeps at most 250 Tickets for an account.
    if let Some(low_water) = section.integer("low_water", 0..=250) {
        tickets.low_water = low_water.value;
    }
    if let Some(target) = section.integer("target", 1..=250) {
        tickets.target = target.value;
    }
    if tickets.low_water > tickets.target {
        let what = format!("{} is above the target of {}", tickets.low_water, tickets.target);
        section.wrong("low_water", what, "a refill would never reach it");
    }
    tickets
}

/// A ledger rounds its close time to as much as 30 s, and takes some seconds to come.
const LEDGER_AGE_LEAST_SECONDS: u32 = 40;

/// What `ledger_age_max` says of a ledger that keeps a time of its own.
const ANY_AGE: &str = "any";

/// A duration, or [`ANY_AGE`].
fn ledger_age(text: &str) -> Result<Option<u32>, String> {
    if text == ANY_AGE { Ok(None) } else { value::duration(text).map(Some) }
}

/// Reads deadlines and clocks.
pub(super) fn timing(root: &Section<'_>) -> Timing {
    let mut timing = Timing::default();
    let Some(section) = root.section("timing") else { return timing };
    for (name, seconds) in [
        ("deadline", &mut timing.deadline_seconds),
        ("deadline_max", &mut timing.deadline_max_seconds),
        ("delayed_deadline_max", &mut timing.delayed_deadline_max_seconds),
        ("close_interval", &mut timing.close_interval_seconds),
        ("silence_max", &mut timing.silence_max_seconds),
        ("retry", &mut timing.retry_seconds),
    ] {
        if let Some(read) = section.text(name, value::duration) {
            *seconds = read.value;
        }
    }
    if let Some(read) = section.text("ledger_age_max", ledger_age) {
        timing.ledger_age_max_seconds = read.value;
    }
    if timing.ledger_age_max_seconds.is_some_and(|seconds| seconds < LEDGER_AGE_LEAST_SECONDS) {
        section.wrong("ledger_age_max", "is shorter than a ledger's own rounding", "write at least \"40s\"");
    }
    if let Some(ledgers) = section.integer("agent_ledgers", 2..=10_000) {
        timing.agent_ledgers = ledgers.value;
    }
    if let Some(failures) = section.integer("breaker_failures", 1..=10_000) {
        timing.breaker_failures = failures.value;
    }
    for (name, seconds) in
        [("deadline", timing.deadline_seconds), ("delayed_deadline_max", timing.delayed_deadline_max_seconds)]
    {
        if seconds < DEADLINE_LEAST_SECONDS {
            section.wrong(name, "is too short to approve in", "write at least \"60s\"");
        }
        if seconds > timing.deadline_max_seconds {
            section.wrong(name, "is longer than deadline_max", "lower it, or raise deadline_max");
        }
    }
    if timing.deadline_max_seconds > DEADLINE_LIMIT_SECONDS {
        section.wrong("deadline_max", "is too long", "write at most \"28d\"");
    }
    timing
}

/// Reads what follows from findings, and where that stands.
pub(super) fn severities(
    root: &Section<'_>,
) -> (BTreeMap<FindingKind, Severity>, BTreeMap<FindingKind, Place>) {
    let Some(section) = root.section("severity") else { return Default::default() };
    let read = |kind: &FindingKind| {
        let severity = section.text(kind.word(), |text| {
            let known = keys::SEVERITIES.iter().find(|(word, _)| *word == text);
            known
                .map(|(_, severity)| *severity)
                .ok_or_else(|| format!("\"{text}\" is not a severity; one of log, alert, hold, freeze"))
        })?;
        if *kind == FindingKind::RuleSilenced && severity.value == Severity::Log {
            section.wrong(kind.word(), "cannot be told to nobody", "write \"alert\", or leave it out");
        }
        Some(((*kind, severity.value), (*kind, severity.place())))
    };
    FindingKind::ALL.iter().filter_map(read).unzip()
}
