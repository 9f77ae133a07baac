//! Flags, Domain, TransferRate and trust lines that are not as they are declared.

use std::collections::BTreeMap;

use treasury_core::Event;
use treasury_core::config::{DeclaredSettings, FindingKind, Severity};
use treasury_core::findings::settings_drift;
use treasury_core::observe::{AccountSnapshot, Change, LedgerObservation, SettingsView, TrustLineView};
use treasury_core::settings::FLAGS;
use treasury_core::state::Finding;
use treasury_core::stops::Subject;
use treasury_core::units::{AccountId, Asset, FindingId, HexBytes, LedgerIndex};
use xrpl_wire::flags::{
    lsfDefaultRipple, lsfDepositAuth, lsfDisableMaster, lsfPasswordSpent, lsfRequireDestTag,
};

use crate::world::{World, id};

fn asset(text: &str) -> Asset {
    format!("{text}.{}", id("bank")).parse().unwrap()
}

fn line(limit: &str) -> TrustLineView {
    TrustLineView {
        balance: "3".parse().unwrap(),
        limit: limit.parse().unwrap(),
        frozen: false,
        deep_frozen: false,
        no_ripple: Some(false),
    }
}

fn set(account: &str, domain: &[u8], transfer_rate: u32) -> Change {
    let settings = SettingsView { domain: HexBytes(domain.to_vec()), transfer_rate };
    Change::Settings { account: id(account), settings }
}

fn trusts(account: &str, currency: &str, limit: Option<&str>) -> Change {
    Change::TrustLine { account: id(account), asset: asset(currency), line: limit.map(line) }
}

/// An account comes to have these flags.
fn flagged(w: &World, account: &str, flags: u32) -> Change {
    let mut root = w.state.accounts[&id(account)].root.unwrap();
    root.flags = flags | lsfDisableMaster;
    Change::Root { account: id(account), root: Some(root) }
}

fn declared() -> DeclaredSettings {
    DeclaredSettings {
        domain: Some("acme.example".to_owned()),
        transfer_rate: Some(0),
        flags: Some(lsfRequireDestTag | lsfDepositAuth),
        trust_lines: Some(BTreeMap::from([(asset("USD"), "1000".parse().unwrap())])),
    }
}

/// Warm stands as it is declared to.
fn as_declared() -> World {
    let mut w = World::new();
    let flags = flagged(&w, "warm", lsfRequireDestTag | lsfDepositAuth);
    w.change(vec![flags, set("warm", b"acme.example", 0), trusts("warm", "USD", Some("1000"))]);
    w.config.accounts.get_mut(&id("warm")).unwrap().settings = declared();
    w
}

fn found(w: &World) -> Vec<String> {
    let findings = w.state.findings.values().filter(|finding| finding.kind == FindingKind::SettingsDrift);
    findings.map(|finding| finding.evidence.clone()).collect()
}

fn drift(w: &World) -> Option<String> {
    settings_drift(&w.config, &w.state, &id("warm"))
}

fn held(w: &World, account: &str) -> bool {
    w.state.stops.on(&Subject::Account(id(account))).next().is_some()
}

/// Danger: with a stolen key an account stops being payable, or payments are taxed, and nothing is said of it.
#[test]
fn each_setting_that_differs_is_told_with_what_is_and_what_should_be_and_its_account_is_held() {
    let w = as_declared();
    assert_eq!((drift(&w), found(&w), held(&w, "warm")), (None, Vec::new(), false));
    let bank = id("bank");
    let both = lsfRequireDestTag | lsfDepositAuth;
    for (change, expected) in [
        (set("warm", b"evil.example", 0), "Domain is evil.example, declared acme.example".to_owned()),
        (set("warm", b"acme.exampl", 0), "Domain is acme.exampl, declared acme.example".to_owned()),
        (set("warm", b"ACME.example", 0), "Domain is ACME.example, declared acme.example".to_owned()),
        (set("warm", b"", 0), "Domain is not set, declared acme.example".to_owned()),
        (
            set("warm", b"a\x1b[2J", 0),
            "Domain is no host's name, in hexadecimal 611B5B324A, declared acme.example".to_owned(),
        ),
        (
            set("warm", "acme.exämple".as_bytes(), 0),
            "Domain is no host's name, in hexadecimal 61636D652E6578C3A46D706C65, declared acme.example"
                .to_owned(),
        ),
        (
            set("warm", b"\xFF", 0),
            "Domain is no host's name, in hexadecimal FF, declared acme.example".to_owned(),
        ),
        (set("warm", b"acme.example", 1_000_000_001), "TransferRate is 1000000001, declared 0".to_owned()),
        (flagged(&w, "warm", lsfDepositAuth), "RequireDestTag is not set, declared".to_owned()),
        (flagged(&w, "warm", both | lsfDefaultRipple), "DefaultRipple is set, not declared".to_owned()),
        (
            flagged(&w, "warm", lsfDefaultRipple),
            "RequireDestTag is not set, declared; DefaultRipple is set, not declared; DepositAuth is not set, declared"
                .to_owned(),
        ),
        (
            trusts("warm", "USD", Some("1000.000000000001")),
            format!("the limit of USD.{bank} is 1000.000000000001, declared 1000"),
        ),
        (trusts("warm", "USD", Some("0")), format!("the limit of USD.{bank} is 0, declared 1000")),
        (
            trusts("warm", "USD", None),
            format!("there is no trust line of USD.{bank}, declared with the limit 1000"),
        ),
        (
            trusts("warm", "EUR", Some("0.1")),
            format!("a trust line of EUR.{bank} has the limit 0.1, not declared"),
        ),
    ] {
        let mut w = as_declared();
        w.change(vec![change]);
        assert_eq!(drift(&w).as_deref(), Some(expected.as_str()));
        assert_eq!(found(&w), [expected.as_str()]);
        assert!(held(&w, "warm") && !held(&w, "hot"), "{expected}");
        // With nothing that differs further it is not found again.
        w.change_balance("warm", 90_000);
        w.reconcile();
        w.restart();
        w.reconcile();
        w.close(&[]);
        assert_eq!(found(&w), [expected]);
    }
}

#[test]
fn what_says_nothing_of_who_may_be_paid_or_pays_is_no_drift() {
    let mut w = as_declared();
    let both = lsfRequireDestTag | lsfDepositAuth;
    // Bits that nobody declares, a line that a trade made, and what is on a line.
    let spent = flagged(&w, "warm", both | lsfPasswordSpent | 0x0200_0000 | 0x0000_0001);
    let mut paid = line("1000");
    paid.balance = "17".parse().unwrap();
    paid.frozen = true;
    let paid = Change::TrustLine { account: id("warm"), asset: asset("USD"), line: Some(paid) };
    w.change(vec![spent, paid, trusts("warm", "EUR", Some("0"))]);
    w.change(vec![trusts("warm", "EUR", None)]);
    // Of others nothing is declared.
    let odd = flagged(&w, "hot", lsfDefaultRipple);
    w.change(vec![odd, set("hot", b"evil.example", 2_000_000_000), trusts("hot", "EUR", Some("9"))]);
    assert_eq!((drift(&w), found(&w)), (None, Vec::new()));
    assert!(!held(&w, "hot"));
}

#[test]
fn each_flag_that_is_declared_is_looked_at_and_the_master_key_is_none_of_them() {
    for (name, flag) in FLAGS {
        assert_eq!(flag & (lsfDisableMaster | lsfPasswordSpent), 0, "{name}");
        for should in [0, flag] {
            let mut w = World::new();
            w.config.accounts.get_mut(&id("warm")).unwrap().settings =
                DeclaredSettings { flags: Some(should), ..Default::default() };
            let change = flagged(&w, "warm", flag ^ should);
            w.change(vec![change]);
            let expected = if should == 0 {
                format!("{name} is set, not declared")
            } else {
                format!("{name} is not set, declared")
            };
            assert_eq!(drift(&w), Some(expected));
            let change = flagged(&w, "warm", should);
            w.change(vec![change]);
            assert_eq!(drift(&w), None, "{name}");
        }
    }
    let all = FLAGS.iter().fold(0, |all, (_, flag)| all | flag);
    assert_eq!(all.count_ones(), 13, "each is another");
}

#[test]
fn a_setting_that_drifts_further_or_again_is_found_again_and_one_that_is_put_right_is_not() {
    let mut w = as_declared();
    w.change(vec![set("warm", b"evil.example", 0)]);
    w.change(vec![set("warm", b"evil.example", 1_500_000_000)]);
    assert_eq!(
        found(&w)[1],
        "Domain is evil.example, declared acme.example; TransferRate is 1500000000, declared 0"
    );
    w.lift_all();
    w.change(vec![set("warm", b"acme.example", 0)]);
    assert_eq!((found(&w).len(), held(&w, "warm")), (2, false));
    w.change(vec![set("warm", b"evil.example", 0)]);
    assert_eq!((found(&w).len(), held(&w, "warm")), (3, true), "the same as once before is news");
}

#[test]
fn what_follows_is_what_the_configuration_says_of_it() {
    assert_eq!(FindingKind::SettingsDrift.default_severity(), Severity::Hold);
    let mut w = as_declared();
    w.config.severities.insert(FindingKind::SettingsDrift, Severity::Alert);
    w.change(vec![set("warm", b"", 0)]);
    assert_eq!((found(&w).len(), held(&w, "warm")), (1, false));
}

#[test]
fn a_changed_configuration_is_held_against_the_accounts_before_anything_else_is_decided_by_it() {
    let mut w = World::new();
    w.change(vec![set("warm", b"acme.example", 0)]);
    assert_eq!(found(&w), Vec::<String>::new(), "nothing is declared");
    w.config.accounts.get_mut(&id("warm")).unwrap().settings.domain = Some("bank.example".to_owned());
    let entries = &mut w.config.accounts.get_mut(&id("hot")).unwrap().signers.as_mut().unwrap().entries;
    entries.remove(&id("dave"));
    w.runtime.declared_anew();
    // Small payments need nobody; the one that is asked for next waits all the same.
    let proposal = w.propose("warm", 50);
    assert_eq!(found(&w), ["Domain is acme.example, declared bank.example"]);
    assert!(held(&w, "warm") && w.submitted.is_empty());
    assert!(w.waits(proposal).iter().any(|wait| wait.contains("hold")), "{:?}", w.waits(proposal));
    let lists = w.state.findings.values().filter(|finding| finding.kind == FindingKind::SignerListDrift);
    assert_eq!(lists.map(|finding| finding.account).collect::<Vec<_>>(), [Some(id("hot"))]);
    w.runtime.declared_anew();
    w.close(&[]);
    assert_eq!(found(&w).len(), 1, "said once");
}

#[test]
fn a_process_that_starts_with_another_configuration_finds_what_differs_when_it_has_read_the_accounts() {
    let mut w = as_declared();
    w.config.accounts.get_mut(&id("warm")).unwrap().settings.transfer_rate = Some(1_002_000_000);
    w.restart();
    assert_eq!(found(&w), Vec::<String>::new(), "nothing is seen yet");
    w.reconcile();
    assert_eq!(found(&w), ["TransferRate is 0, declared 1002000000"]);
}

/// Danger: a wrong file is corrected, and by the same wrong file, or the same change by whoever has a key, nobody hears of it and
/// nothing is held, because it was found once and somebody looked at it then.
#[test]
fn what_was_found_is_over_when_it_is_so_no_longer_and_is_found_again_when_it_is() {
    let over = |w: &World| {
        let findings = w.state.findings.values().filter(|finding| finding.kind == FindingKind::SettingsDrift);
        findings.map(|finding| finding.over.is_some()).collect::<Vec<_>>()
    };
    for starts_anew in [true, false] {
        let declare = |w: &mut World, rate| {
            w.config.accounts.get_mut(&id("warm")).unwrap().settings.transfer_rate = Some(rate);
            if starts_anew {
                w.restart();
                w.reconcile();
            } else {
                w.runtime.declared_anew();
                w.close(&[]);
            }
        };
        let mut w = as_declared();
        for times in 1..=3 {
            declare(&mut w, 7);
            assert_eq!((over(&w).len(), over(&w).last()), (times, Some(&false)), "{starts_anew}");
            declare(&mut w, 7);
            assert_eq!(over(&w).len(), times, "it is the same");
            assert!(held(&w, "warm"));
            declare(&mut w, 0);
            assert_eq!(over(&w), vec![true; times], "{starts_anew}");
            assert!(held(&w, "warm"), "what it stopped stays stopped");
        }
        // By the ledger, too, and once.
        w.change(vec![set("warm", b"acme.example", 9)]);
        assert_eq!(over(&w), [true, true, true, false]);
        w.change(vec![set("warm", b"acme.example", 0)]);
        assert_eq!(over(&w), [true; 4]);
        let events = w.events.len();
        w.reconcile();
        let since = &w.events[events..];
        assert!(!since.iter().any(|event| matches!(event, Event::FindingOver { .. })));
        // Of what is declared no longer nothing differs.
        w.change(vec![set("warm", b"acme.example", 9)]);
        w.config.accounts.get_mut(&id("warm")).unwrap().settings = DeclaredSettings::default();
        w.restart();
        w.reconcile();
        assert_eq!(over(&w), [true; 5]);
    }
}

/// Danger: an account is taken out of the configuration with what differed of it, is put back years later as it was, and nobody hears
/// of it; or what somebody took from it is said to be undone.
#[test]
fn of_an_account_that_is_not_declared_nothing_differs_and_what_happened_to_it_has_happened() {
    let mut w = World::new();
    for kind in [FindingKind::SettingsDrift, FindingKind::SignerListDrift, FindingKind::SpendWithoutProposal]
    {
        let finding = Finding {
            id: FindingId(w.state.last_finding + 1),
            kind,
            severity: Severity::Log,
            account: Some(AccountId([99; 20])),
            evidence: "it was ours then".to_owned(),
            at: w.state.ledger.unwrap(),
            acknowledged: None,
            over: None,
            about: None,
        };
        w.record(Event::Found { finding });
    }
    w.reconcile();
    let over = w.state.findings.values().map(|finding| (finding.kind, finding.over.is_some()));
    let expected = [
        (FindingKind::SettingsDrift, true),
        (FindingKind::SignerListDrift, true),
        (FindingKind::SpendWithoutProposal, false),
    ];
    assert_eq!(over.collect::<Vec<_>>(), expected);
}

/// Danger: what is stored of an account has no Domain, and the next reading of it is taken for a lie.
#[test]
fn settings_are_read_again_as_they_were_stored() {
    for (domain, transfer_rate) in
        [(b"acme.example".to_vec(), 0), (Vec::new(), 7), (Vec::new(), 0), (vec![0xFF], 9)]
    {
        let settings = SettingsView { domain: HexBytes(domain), transfer_rate };
        let stored = serde_json::to_string(&settings).unwrap();
        assert_eq!(serde_json::from_str::<SettingsView>(&stored).unwrap(), settings, "{stored}");
    }
    let none = SettingsView { domain: HexBytes(Vec::new()), transfer_rate: 0 };
    assert_eq!(serde_json::to_string(&none).unwrap(), "{}");
    assert!(DeclaredSettings::default().is_empty() && !declared().is_empty());
}

/// Danger: it is said that a SignerList is as declared again, because nobody knows how it is.
#[test]
fn nothing_is_over_of_an_account_that_has_not_been_read_and_a_list_that_is_put_right_is() {
    let mut w = World::new();
    let over = |w: &World| {
        let findings =
            w.state.findings.values().filter(|finding| finding.kind == FindingKind::SignerListDrift);
        findings.map(|finding| finding.over.is_some()).collect::<Vec<_>>()
    };
    let right = w.state.accounts[&id("warm")].signer_list.clone().unwrap();
    let mut list = right.clone();
    list.entries.pop_last();
    let set = |list| vec![Change::SignerList { account: id("warm"), list: Some(list) }];
    w.change(set(list.clone()));
    assert_eq!(over(&w), [false]);
    // It is another's for a while: that it differs is over, and it is read anew before anything is said of it again.
    let declared = w.config.accounts.remove(&id("warm")).unwrap();
    w.restart();
    w.reconcile();
    assert_eq!(over(&w), [true]);
    w.config.accounts.insert(id("warm"), declared);
    w.restart();
    assert_eq!(over(&w), [true]);
    w.reconcile();
    assert_eq!(over(&w), [true, false]);
    w.restart();
    w.reconcile();
    assert_eq!(over(&w), [true, false], "it is the same");
    w.change(set(right));
    assert_eq!(over(&w), [true, true]);
}

/// Warm as a store of an earlier version has it, which knows nothing of these.
fn of_before(w: &mut World, account: &str) {
    let view = w.state.accounts[&id(account)].clone();
    let text = serde_json::to_string(&Event::AccountsRead {
        at: w.state.ledger.unwrap(),
        accounts: vec![AccountSnapshot {
            account: id(account),
            root: view.root,
            signer_list: view.signer_list,
            tickets: view.tickets,
            escrows: Vec::new(),
            trust_lines: None,
            settings: None,
        }],
        taken: None,
    });
    let text = text.unwrap();
    assert!(!text.contains("settings") && !text.contains("trust_lines"), "{text}");
    w.record(serde_json::from_str(&text).unwrap());
}

/// Danger: after an upgrade every account with a declared Domain is held, because no record tells of one; or what the ledger has
/// of it never becomes known.
#[test]
fn a_store_of_before_raises_no_alarm_and_what_it_does_not_know_is_read_at_the_start() {
    for (domain, expected) in [("acme.example", None), ("evil.example", Some("evil.example"))] {
        let mut w = World::new();
        w.mirror(&set("warm", domain.as_bytes(), 0));
        of_before(&mut w, "warm");
        w.config.accounts.get_mut(&id("warm")).unwrap().settings =
            DeclaredSettings { domain: Some("acme.example".to_owned()), ..Default::default() };
        w.runtime.declared_anew();
        w.change_balance("warm", 90_000);
        assert_eq!((drift(&w), found(&w)), (None, Vec::new()), "what was never read is not compared");
        w.restart();
        let known = w.events.len();
        w.reconcile();
        assert_eq!(w.state.accounts[&id("warm")].settings.as_ref().unwrap().domain.0, domain.as_bytes());
        let read = w.events[known..].iter().filter(|event| matches!(event, Event::AccountsRead { .. }));
        assert_eq!(read.count(), 1);
        let expected = expected.map(|domain| format!("Domain is {domain}, declared acme.example"));
        assert_eq!((found(&w), w.state.sees()), (expected.iter().cloned().collect(), true));
        assert_eq!(held(&w, "warm"), expected.is_some());
        // Known by now, it is not written down again.
        let known = w.events.len();
        w.restart();
        w.reconcile();
        w.close(&[]);
        let read = w.events[known..].iter().filter(|event| matches!(event, Event::AccountsRead { .. }));
        assert_eq!((read.count(), found(&w).len()), (0, expected.iter().count()));
    }
}

/// Danger: one server says that the Domain is another, and an account stops; or says that it is not, and a thief is not seen.
#[test]
fn a_reading_that_differs_from_the_proven_settings_changes_nothing_and_costs_sight() {
    for proven in [&b"acme.example"[..], b"evil.example"] {
        let mut w = as_declared();
        w.change(vec![set("warm", proven, 0)]);
        let before = found(&w);
        let lie: &[u8] = if proven == b"acme.example" { b"evil.example" } else { b"acme.example" };
        w.restart();
        w.misread(id("warm"), |read| read.settings.as_mut().unwrap().domain = HexBytes(lie.to_vec()));
        assert!(!w.state.sees());
        assert_eq!(w.state.accounts[&id("warm")].settings.as_ref().unwrap().domain.0, proven);
        assert_eq!(found(&w), before);
        let last = w.state.findings.values().next_back().unwrap();
        assert!(last.kind == FindingKind::ViewDiffers && last.evidence.contains("settings"), "{last:?}");
        w.reconcile();
        assert!(w.state.sees());
    }
}

#[test]
fn a_strangers_settings_are_nobodys_business_and_are_read_when_it_is_declared() {
    let mut w = World::new();
    let declared = w.config.accounts.remove(&id("warm")).unwrap();
    of_before(&mut w, "warm");
    w.restart();
    w.reconcile();
    w.change(vec![set("warm", b"bank.example", 0)]);
    assert_eq!(w.state.accounts[&id("warm")].settings, None);
    w.config.accounts.insert(id("warm"), declared);
    w.config.accounts.get_mut(&id("warm")).unwrap().settings.domain = Some("acme.example".to_owned());
    w.restart();
    w.reconcile();
    assert!(w.state.sees());
    assert_eq!(found(&w), ["Domain is bank.example, declared acme.example"]);
}

#[test]
fn an_account_that_is_gone_is_no_drift_and_one_that_comes_again_is_looked_at() {
    let mut w = as_declared();
    let root = w.state.accounts[&id("warm")].root;
    w.change(vec![Change::Root { account: id("warm"), root: None }]);
    assert_eq!((drift(&w), found(&w)), (None, Vec::new()));
    w.change(vec![Change::Root { account: id("warm"), root }, set("warm", b"", 0)]);
    assert_eq!(found(&w), ["Domain is not set, declared acme.example"]);
}

fn told(changes: Vec<Change>, known: &SettingsView) -> Vec<Change> {
    let w = World::new();
    let observation = LedgerObservation { changes, ..w.next_ledger(4) };
    observation.without_known(|account: &AccountId| (*account == id("warm")).then_some(known)).changes
}

#[test]
fn only_settings_that_change_are_written_down_and_what_goes_back_within_a_ledger_is_as_before() {
    let known = SettingsView { domain: HexBytes(b"a".to_vec()), transfer_rate: 0 };
    let (same, other) = (set("warm", b"a", 0), set("warm", b"b", 0));
    assert_eq!(told(vec![same.clone(), same.clone()], &known), []);
    let once = told(vec![same.clone(), other.clone(), other.clone()], &known);
    assert_eq!(once, std::slice::from_ref(&other));
    assert_eq!(
        told(vec![other.clone(), same.clone(), same.clone()], &known),
        [other.clone(), same],
        "the last one stands"
    );
    assert_eq!(told(vec![set("hot", b"a", 0)], &known), [set("hot", b"a", 0)], "of hot nothing is known");
    let mut w = as_declared();
    w.change(vec![set("warm", b"evil.example", 0), set("warm", b"acme.example", 0)]);
    assert_eq!((drift(&w), found(&w)), (None, Vec::new()));
}

/// Danger: whoever has the key opens trust lines by the thousand, and what is told of them fills the log and a phone.
#[test]
fn of_many_trust_lines_some_are_named_and_the_others_counted() {
    let mut w = as_declared();
    let currency = |number: u32| format!("A{number:02}");
    w.change((0..23).map(|number| trusts("warm", &currency(number), Some("1"))).collect());
    let said = drift(&w).unwrap();
    assert_eq!(said.matches("a trust line of").count(), 20, "{said}");
    assert!(said.ends_with("; and 3 trust lines more"), "{said}");
    assert!(w.state.ledger.unwrap().index > LedgerIndex(0) && found(&w) == [said]);
}
