//! Keys in wrong hands, or in nobody's.

use treasuryd::client::Client;
use treasuryd::dev::xrp;
use xrpl_harness::network::Network;
use xrpl_wire::{AccountId, KeyPair, KeyType, Seed, TransactionType, TxResult};

use crate::incident::Incident;

/// A key that somebody makes in the incident.
pub(crate) struct Fresh {
    seed: Seed,
    pub(crate) key: KeyPair,
}

impl Fresh {
    pub(crate) fn new(n: u8) -> Self {
        let seed = Seed::from_entropy([n; 16], KeyType::Ed25519);
        Self { key: KeyPair::from_seed(&seed), seed }
    }

    pub(crate) fn id(&self) -> AccountId {
        self.key.account_id()
    }

    /// As a file on the machine where the runbook wants it.
    pub(crate) fn write(&self, at: &Incident, file: &str) {
        std::fs::write(at.sandbox.dir().join(file), self.seed.to_base58()).unwrap();
    }

    /// As this person's own from now on.
    fn give(&self, at: &Incident, person: &str) {
        self.write(at, &format!("{person}.seed"));
        let profile = at.sandbox.dir().join(format!("{person}.toml"));
        let text = std::fs::read_to_string(&profile).unwrap();
        let old = at.person(person).0.to_string();
        std::fs::write(&profile, text.replace(&old, &self.id().to_string())).unwrap();
    }
}

/// Everybody's addresses, as the pages name them.
pub(crate) fn name_everybody(at: &mut Incident) {
    for person in ["alice", "bob", "carol", "dave"] {
        let id = at.person(person).0;
        at.say(&format!("r{}", person.to_uppercase()), id);
    }
    for (n, agent) in ["agent-1", "agent-2"].into_iter().enumerate() {
        let id = at.account(agent);
        at.say(&format!("rAGENT{}", n + 1), id);
    }
}

/// The steps that change an account's list, as they stand on the page; `ask` where it begins with asking for the Sequence.
pub(crate) async fn change_list(at: &mut Incident, account: &str, quorum: u32, ask: bool, signers: &[&str]) {
    let id = at.account(account);
    let sequence = at.world().sequence(id).await.unwrap();
    at.say("rWARM", id);
    at.say("SEQUENCE", sequence);
    at.say("\"SignerQuorum\":2", format!("\"SignerQuorum\":{quorum}"));
    if ask {
        let told = at.step_by("").await;
        assert!(told.contains(&format!("\"Sequence\":{sequence}")), "{told}");
    }
    at.step_by("").await;
    for (n, signer) in signers.iter().enumerate() {
        if n > 0 {
            at.again(1);
        }
        let shown = at.step_by(signer).await;
        assert!(shown.contains(&format!("quorum {quorum}")), "{shown}");
    }
    let answered = at.step_by("").await;
    assert!(answered.contains("tesSUCCESS"), "{answered}");
    at.world().close_ledger().await.unwrap();
}

/// How many steps [`change_list`] is.
const CHANGE: usize = 4;

/// On every list, with the steps of the page.
async fn put_in_the_place_of_bob(at: &mut Incident, fresh: &Fresh) {
    let old = at.person("bob").0;
    for (account, quorum, signers) in [
        ("warm", 2, &["alice", "carol"][..]),
        ("hot", 2, &["alice", "carol"]),
        ("cold", 3, &["alice", "carol", "dave"]),
    ] {
        if account != "warm" {
            at.again(CHANGE);
        }
        if account == "cold" {
            at.say(",\n  {\"SignerEntry\":{\"Account\":\"rAGENT1\",\"SignerWeight\":1}}", "");
            at.say(",\n  {\"SignerEntry\":{\"Account\":\"rAGENT2\",\"SignerWeight\":1}}", "");
        }
        change_list(at, account, quorum, true, signers).await;
        let (stands, who) = at.signer_list(account).await;
        assert_eq!(stands, quorum, "{account}");
        assert!(who.contains(&fresh.id()) && !who.contains(&old), "{account}: {who:?}");
    }
}

/// What stands, for whoever lifts it: the holds.
pub(crate) async fn name_what_stands(at: &mut Incident) {
    let stops = at.client("dave").stops().await.unwrap();
    let holds: Vec<String> =
        stops.standing.iter().filter(|stop| stop.kind == "hold").map(|stop| stop.id.clone()).collect();
    assert!(!holds.is_empty(), "{stops:?}");
    at.say("S4 S5", holds.join(" "));
    let freezes = stops.standing.iter().filter(|stop| stop.kind == "freeze").map(|stop| stop.id.clone());
    at.say("S1 S2", freezes.collect::<Vec<_>>().join(" "));
    let findings = at.client("dave").findings().await.unwrap();
    assert!(!findings.is_empty());
    let ids: Vec<String> = findings.into_iter().map(|finding| finding.id).collect();
    at.say("F3", ids.join(" "));
}

/// The standing freezes on everything or an account are lifted without a page: what was set to make the incident.
async fn lift_freeze(at: &Incident, account: &str) {
    at.client("carol").unfreeze(Some(account), "the incident is made").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_signer_key_weighs_nothing_any_more() {
    let mut at = Incident::of("stolen-signer-key").await;
    name_everybody(&mut at);
    // Signed by enough, and a freeze keeps it here.
    at.client("dave").freeze(Some("warm"), "to look").await.unwrap();
    let whole = at.signed("warm", "supplier", 300, &["alice", "bob"]).await;
    let open = at.signed("warm", "supplier", 250, &["bob"]).await;
    at.sandbox.let_pass(2).await.unwrap();
    at.say("P7", &whole);
    at.say("P8", &open);

    let frozen = at.step().await;
    assert!(frozen.contains("frozen"), "{frozen}");
    let shown = at.step().await;
    assert!(shown.contains("bob"), "{shown}");
    let voided = at.step().await;
    assert!(voided.contains("whichever gets into a ledger first"), "{voided}");
    assert!(at.step().await.contains("withdrawn"));
    at.sandbox.let_pass(3).await.unwrap();
    at.until_status(&whole, "voided").await;
    at.until_status(&open, "withdrawn").await;

    let digest = at.step().await;
    at.say("DIGEST", digest.split_whitespace().next().unwrap());
    let lines = at.toml();
    at.configure("[[person]]", "bob", &lines);
    at.client("bob").status().await.unwrap();
    at.step().await;
    let refused = at.client("bob").status().await.unwrap_err().to_string();
    assert!(refused.contains("oken"), "{refused}");
    let token = std::fs::read_to_string(at.sandbox.dir().join("bob.new-token")).unwrap();
    Client::new(at.sandbox.url(), Some(token.clone())).unwrap().status().await.unwrap();
    std::fs::write(at.sandbox.dir().join("bob.token"), &token).unwrap();

    let fresh = Fresh::new(77);
    at.say("rBOB2", fresh.id());
    put_in_the_place_of_bob(&mut at, &fresh).await;
    // Beside another one, it would have been a quorum.
    let said = at.theft("warm", &[at.person("alice"), at.person("bob")]).await;
    assert_eq!(said, TxResult::tefBAD_SIGNATURE);
    at.sandbox.let_pass(1).await.unwrap();
    let lines = at.toml();
    at.configure("[[person]]", "bob", &lines);
    at.step().await;
    let declared = at.step().await;
    assert!(!declared.contains("NOT AS DECLARED"), "{declared}");
    name_what_stands(&mut at).await;
    let lifted = at.step().await;
    assert!(lifted.contains("lifted: S"), "{lifted}");
    let opened = at.step().await;
    assert!(opened.contains("lifted: S"), "{opened}");
    lift_freeze(&at, "warm").await;

    fresh.give(&at, "bob");
    let before = at.balance("supplier").await;
    let id = at.signed("warm", "supplier", 200, &["alice"]).await;
    at.types("bob", &format!("treasuryctl approve {id}"));
    at.until_status(&id, "validated").await;
    assert_eq!(at.balance("supplier").await, before.checked_add(xrp(200)).unwrap());
    at.done().await;
}

/// New agents' seeds where the page wants them, and their names on the page.
pub(crate) fn new_agents(at: &mut Incident) -> [Fresh; 2] {
    let agents = [Fresh::new(81), Fresh::new(82)];
    for (n, agent) in agents.iter().enumerate() {
        agent.write(at, &format!("agent-{}.seed", n + 1));
        at.say(&format!("rNEW{}", n + 1), agent.id());
    }
    agents
}

#[tokio::test(flavor = "multi_thread")]
async fn stolen_hot_keys_are_worth_nothing_and_new_ones_do_their_work() {
    let mut at = Incident::of("stolen-hot-key").await;
    name_everybody(&mut at);
    assert_eq!(at.theft("hot", &at.agents()).await, TxResult::tesSUCCESS);
    at.sandbox.let_pass(2).await.unwrap();
    assert!(at.balance("hot").await < xrp(511), "it is gone");

    let found = at.step().await;
    assert!(found.contains("frozen: S") && found.contains("keys_elsewhere"), "{found}");
    let old = at.agents().iter().map(|(agent, _)| *agent).collect::<Vec<_>>();
    for account in ["warm", "hot"] {
        if account == "hot" {
            at.again(CHANGE);
            // The thief goes on while people sign.
            assert_eq!(at.theft("hot", &at.agents()).await, TxResult::tesSUCCESS);
        }
        change_list(&mut at, account, 2, true, &["alice", "bob"]).await;
        let (quorum, who) = at.signer_list(account).await;
        assert_eq!((quorum, who.len()), (2, 4), "{account}");
        assert!(!old.iter().any(|agent| who.contains(agent)), "{account}: {who:?}");
        assert_eq!(at.theft(account, &at.agents()).await, TxResult::tefBAD_SIGNATURE, "{account}");
    }

    let agents = new_agents(&mut at);
    let added = at.step().await;
    assert!(agents.iter().all(|agent| added.contains(&agent.id().to_string())), "{added}");
    for account in ["warm", "hot"] {
        if account == "hot" {
            at.again(CHANGE - 1);
        }
        change_list(&mut at, account, 2, false, &["alice", "bob"]).await;
        assert_eq!(at.signer_list(account).await.1.len(), 6);
    }
    for agent in ["agent-1", "agent-2"] {
        let lines = at.toml();
        at.configure("[[agent]]", agent, &lines);
    }
    at.step().await;
    name_what_stands(&mut at).await;
    let lifted = at.step().await;
    assert!(lifted.contains("lifted: S") && !lifted.contains("NOT AS DECLARED"), "{lifted}");
    let since = at.world().validated().await.unwrap().index;
    assert!(at.step().await.contains("lifted: S"));
    // Hot is below its floor: what fills it is signed by the new agents alone.
    let refill = at.sent("warm", since, TransactionType::Payment).await;
    let mut signers = agents.iter().map(Fresh::id).collect::<Vec<_>>();
    signers.sort();
    assert_eq!(refill.signers().unwrap(), signers);
    at.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signer_who_lost_the_key_signs_with_another() {
    let mut at = Incident::of("locked-out").await;
    name_everybody(&mut at);
    let fresh = Fresh::new(91);
    at.say("rBOB2", fresh.id());
    let looked = at.step().await;
    assert!(looked.contains("2 of alice bob carol dave"), "{looked}");
    put_in_the_place_of_bob(&mut at, &fresh).await;
    at.sandbox.let_pass(1).await.unwrap();
    let lines = at.toml();
    at.configure("[[person]]", "bob", &lines);
    at.step().await;
    name_what_stands(&mut at).await;
    let lifted = at.step().await;
    assert!(lifted.contains("lifted: S") && !lifted.contains("NOT AS DECLARED"), "{lifted}");
    fresh.give(&at, "bob");
    let id = at.signed("cold", "supplier", 200, &["alice"]).await;
    let id_two = at.signed("warm", "supplier", 200, &["alice"]).await;
    at.say("P7", &id);
    assert!(at.step().await.contains("approved"));
    at.types("dave", "treasuryctl status");
    at.say("P7", &id_two);
    at.again(1);
    at.step().await;
    at.until_status(&id_two, "validated").await;
    at.done().await;
}
