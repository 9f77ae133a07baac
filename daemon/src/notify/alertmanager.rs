//! The form of Prometheus's Alertmanager: an alert, and its end under the same labels.

use serde_json::{Value, json};
use treasury_api::notice::{Kind, Severity};
use treasury_api::types::Notice;
use url::Url;

use super::channel::{Channel, Form};
use super::post::PostError;

/// How long an alert stands whose end is told: as long as it may last. Without it an Alertmanager ends it after some minutes.
const LASTS_SECONDS: i64 = 30 * 86_400;

/// How long before it is told an alert ended, for the Alertmanager: one whose clock is behind by less takes it for over, and
/// does not keep the end of before that is far ahead.
const ENDED_BEFORE_SECONDS: i64 = 60;

/// What is told of an alert whose end is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// Of which one: the same for its begin and its end, whatever names the configuration has for what it is about.
    pub(super) of: String,
    /// Whether it is over with this.
    pub(super) is_end: bool,
}

impl Told {
    /// What a notice tells of one; `None`: it is of none whose end is told.
    pub(super) fn of(notice: &Notice) -> Option<Self> {
        let over = ended(notice);
        let kind = over.or_else(|| has_end(notice).then_some(notice.kind))?;
        let account = notice.account.as_ref().map_or("", |account| account.address.as_str());
        Some(Self { of: format!("{kind} {account}"), is_end: over.is_some() })
    }
}

impl Channel {
    /// Whether an Alertmanager gets what goes through it.
    pub(super) fn is_alertmanager(&self) -> bool {
        matches!(self.form, Form::Alertmanager { .. })
    }
}

/// Whether its end is told under the same labels: those are of what is critical.
fn has_end(notice: &Notice) -> bool {
    let is_told = matches!(notice.kind, Kind::SightLost | Kind::SignerUnable | Kind::BreakerOpened);
    is_told && notice.severity == Severity::Critical
}

/// The kind whose alert ends with this notice.
fn ended(notice: &Notice) -> Option<Kind> {
    match notice.kind {
        Kind::SightClear => Some(Kind::SightLost),
        Kind::SignerAble => Some(Kind::SignerUnable),
        Kind::BreakerClosed => Some(Kind::BreakerOpened),
        _ => None,
    }
}

/// What has begun that a notice tells the end of, as it is told: routes take it by that.
pub(super) fn begin_of(notice: &Notice) -> Option<Notice> {
    let kind = ended(notice)?;
    Some(Notice { kind, severity: Severity::Critical, ..notice.clone() })
}

/// A time so many seconds later. What is none stays as it is.
fn later(time: &str, seconds: i64) -> String {
    let parsed = time.parse::<jiff::Timestamp>().ok();
    let later = parsed.and_then(|at| at.checked_add(jiff::SignedDuration::from_secs(seconds)).ok());
    later.map_or_else(|| time.to_owned(), |at| at.to_string())
}

/// One alert, under each of these labels. They say what it is about, so that the same comes as the same alert; it ends by what
/// says that it is over, or, where nothing will, when nobody has said it for as long as the Alertmanager is told to wait.
pub(super) fn body(notice: &Notice, known_by: &[Value]) -> Value {
    let annotations = json!({ "summary": notice.says, "description": notice.text() });
    let mut alert = json!({ "annotations": annotations });
    if ended(notice).is_some() {
        alert["endsAt"] = Value::String(later(&notice.timestamp, -ENDED_BEFORE_SECONDS));
    } else {
        alert["startsAt"] = Value::String(notice.timestamp.clone());
        if has_end(notice) {
            alert["endsAt"] = Value::String(later(&notice.timestamp, LASTS_SECONDS));
        }
    }
    if let Some(link) = &notice.link {
        alert["generatorURL"] = Value::String(link.clone());
    }
    let labelled = |labels: &Value| {
        let mut alert = alert.clone();
        alert["labels"] = labels.clone();
        alert
    };
    known_by.iter().map(labelled).collect()
}

/// What a notice is about, by what the configuration and the store name, never by what somebody wrote; and which daemon says
/// it, where that has a name: several may tell one Alertmanager.
pub(super) fn labels(notice: &Notice, instance: Option<&str>) -> Value {
    let over = ended(notice);
    let (kind, severity) = over.map_or((notice.kind, notice.severity), |over| (over, Severity::Critical));
    let mut labels = json!({ "alertname": format!("treasuryd_{kind}"), "severity": severity });
    // Those who can still sign a payment become fewer, and it stays the same.
    let signer = notice.signers.first().filter(|_| notice.kind == Kind::DrillAsked);
    for (name, value) in [
        ("instance", instance.map(str::to_owned)),
        ("account", notice.account.as_ref().map(|account| account.short().to_owned())),
        ("destination", notice.destination.as_ref().map(|destination| destination.short().to_owned())),
        ("proposal", notice.proposal.clone()),
        ("escrow", notice.escrow.clone()),
        ("finding", notice.finding.clone()),
        ("stop", notice.stop.clone()),
        ("channel", notice.channel.clone()),
        ("signer", signer.cloned()),
    ] {
        if let Some(value) = value {
            labels[name] = Value::String(value);
        }
    }
    labels
}

/// Where alerts are put.
pub(super) fn address(mut url: Url) -> Result<Url, PostError> {
    url.path_segments_mut()
        .map_err(|()| PostError::BadRequest)?
        .pop_if_empty()
        .extend(["api", "v2", "alerts"]);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use treasury_api::types::PartyView;

    use super::*;

    fn notice() -> Notice {
        let time = "2026-01-01T00:00:00Z".to_owned();
        Notice::new("n-1".to_owned(), Kind::Test, Severity::Info, time, "says".to_owned())
    }

    fn alertmanager(notice: &Notice) -> Value {
        body(notice, &[labels(notice, None)])
    }

    fn party(address: &str) -> Option<PartyView> {
        Some(PartyView { address: address.to_owned(), name: None })
    }

    /// Danger: what is over stays an alert, because its end has other labels than its begin.
    #[test]
    fn an_alertmanager_is_told_of_an_alert_and_of_its_end_under_the_same_labels() {
        let of = |kind, severity| {
            let mut notice = Notice { kind, severity, ..notice() };
            notice.finding = (kind == Kind::Finding).then(|| "F3".to_owned());
            alertmanager(&notice)[0].clone()
        };
        let (lost, clear) = (of(Kind::SightLost, Severity::Critical), of(Kind::SightClear, Severity::Info));
        assert_eq!(lost["labels"], json!({ "alertname": "treasuryd_sight_lost", "severity": "critical" }));
        assert_eq!(lost["labels"], clear["labels"]);
        assert_eq!(lost["startsAt"], "2026-01-01T00:00:00Z");
        assert!(clear.get("startsAt").is_none());
        let of_account = |kind| {
            let account =
                treasury_api::types::PartyView { address: "rHOT".to_owned(), name: Some("hot".to_owned()) };
            alertmanager(&Notice { kind, account: Some(account), ..notice() })[0].clone()
        };
        let (opened, closed) = (of_account(Kind::BreakerOpened), of_account(Kind::BreakerClosed));
        assert_eq!(opened["labels"]["account"], "hot");
        assert_eq!(closed["labels"]["alertname"], "treasuryd_breaker_opened");
        assert_eq!(closed["labels"]["account"], "hot");
        assert!(closed.get("endsAt").is_some());
        assert_eq!(of(Kind::Finding, Severity::Warning)["labels"]["finding"], "F3");
        let url = address(Url::parse("https://alerts.example/team/").unwrap()).unwrap();
        assert_eq!(url.as_str(), "https://alerts.example/team/api/v2/alerts");
    }

    /// Danger: the daemon is blind for a night, and after five minutes the Alertmanager says that it sees again.
    #[test]
    fn an_alert_whose_end_is_told_lasts_until_then_and_the_end_is_over_for_a_clock_that_is_behind() {
        let end = |kind, severity| alertmanager(&Notice { kind, severity, ..notice() })[0]["endsAt"].clone();
        for kind in [Kind::SightLost, Kind::SignerUnable, Kind::BreakerOpened] {
            assert_eq!(end(kind, Severity::Critical), "2026-01-31T00:00:00Z");
        }
        for kind in [Kind::SightClear, Kind::SignerAble, Kind::BreakerClosed] {
            assert_eq!(end(kind, Severity::Info), "2025-12-31T23:59:00Z");
        }
        for (kind, severity) in [(Kind::SightLost, Severity::Info), (Kind::Finding, Severity::Critical)] {
            assert_eq!(end(kind, severity), Value::Null, "nothing ends it under its labels");
        }
    }

    /// Danger: what is of two channels, people or destinations, or of two daemons, is one alert: of the second nobody hears, and
    /// one daemon ends what the other is still in.
    #[test]
    fn alerts_of_different_matters_and_of_different_daemons_have_different_labels() {
        let of = |change: &dyn Fn(&mut Notice), kind, instance| {
            let mut notice = Notice { kind, ..notice() };
            change(&mut notice);
            labels(&notice, instance)
        };
        type Change<'a> = &'a dyn Fn(&mut Notice);
        let pairs: [(Kind, Change<'_>, Change<'_>); 3] = [
            (Kind::ChannelGaveUp, &|notice| notice.channel = Some("pager".to_owned()), &|notice| {
                notice.channel = Some("mail".to_owned())
            }),
            (Kind::DrillAsked, &|notice| notice.signers = vec!["alice".to_owned()], &|notice| {
                notice.signers = vec!["bob".to_owned()]
            }),
            (Kind::DestinationWaits, &|notice| notice.destination = party("rA"), &|notice| {
                notice.destination = party("rB")
            }),
        ];
        for (kind, one, another) in pairs {
            assert_ne!(of(one, kind, None), of(another, kind, None), "{kind}");
            assert_eq!(of(one, kind, Some("a")), of(one, kind, Some("a")));
        }
        let whole: Change<'_> = &|_| ();
        assert_ne!(of(whole, Kind::SightClear, Some("a")), of(whole, Kind::SightClear, Some("b")));
        assert_eq!(of(whole, Kind::SightClear, Some("a"))["instance"], "a");
        let wanted = |signers: &[&str]| {
            let signers = signers.iter().map(|name| (*name).to_owned()).collect();
            labels(&Notice { kind: Kind::Reminder, signers, ..notice() }, None)
        };
        assert_eq!(wanted(&["alice", "bob"]), wanted(&["bob"]), "it is the same payment");
    }
}
