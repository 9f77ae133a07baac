//! What dev mode writes into its directory: a configuration to read and copy, the keystore, and what each person
//! needs.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use sha2::{Digest, Sha256};
use treasury_core::config::Tier;

use super::DevError;
use super::cast::{Cast, PersonKeys};
use super::sandbox::HOUR_SECONDS;
use crate::private;
use crate::signer::{Keystore, WorkFactor};
use treasuryctl::ProfileFile;

/// The configuration's name in the directory.
pub const CONFIG: &str = "treasuryd.toml";

const KEYSTORE: &str = "keystore.age";
const PASSPHRASE: &str = "passphrase";

/// Where the daemon and its ledger are, and how long things take there.
#[derive(Clone, Debug)]
pub(super) struct Places {
    /// The ledger's websocket.
    pub(super) ws_url: String,
    /// The daemon's API.
    pub(super) listen: SocketAddr,
    /// The ledger time, in seconds, that stands for an hour of an escrow's delay: an hour, except where time is dear.
    pub(super) hour_seconds: u32,
    /// Whether the ledger's time is UTC.
    pub(super) of_now: bool,
}

/// Writes everything. The directory must not hold a dev treasury yet.
///
/// # Errors
/// [`DevError::File`], [`DevError::Keystore`].
pub(super) fn write(dir: &Path, cast: &Cast, places: &Places) -> Result<(), DevError> {
    let passphrase = hex::encode(rand::random::<[u8; 24]>());
    secret(&dir.join(PASSPHRASE), &passphrase)?;
    let mut keystore =
        Keystore::create(&dir.join(KEYSTORE), &SecretString::from(passphrase), WorkFactor::Quick)?;
    for agent in &cast.agents {
        keystore.add(agent.seed().clone())?;
    }
    for runner in cast.accounts.iter().filter(|account| account.tier == Tier::Runner) {
        keystore.add(runner.identity.seed().clone())?;
    }
    for person in &cast.people {
        write_person(dir, person, places)?;
    }
    plain(&dir.join(CONFIG), &config(cast, places))
}

/// The profile file of a person.
#[must_use]
pub fn profile_path(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}.toml"))
}

fn write_person(dir: &Path, person: &PersonKeys, places: &Places) -> Result<(), DevError> {
    let name = person.identity.name();
    let (token_file, seed_file) =
        (PathBuf::from(format!("{name}.token")), PathBuf::from(format!("{name}.seed")));
    secret(&dir.join(&token_file), &person.token)?;
    secret(&dir.join(&seed_file), &person.signing().seed().to_base58())?;
    let profile = ProfileFile {
        url: Some(format!("http://{}", places.listen)),
        token_file: Some(token_file),
        signer: Some(person.identity.id()),
        seed_file: Some(seed_file),
        ..ProfileFile::default()
    };
    let text = toml::to_string(&profile).map_err(|error| DevError::Profile(error.to_string()))?;
    plain(
        &profile_path(dir, name),
        &format!("# {name}'s profile: treasuryctl --profile {name}.toml …\n{text}"),
    )
}

fn plain(path: &Path, text: &str) -> Result<(), DevError> {
    fs::write(path, text).map_err(|source| DevError::File { path: path.to_path_buf(), source })
}

/// Writes a file that nobody else may read, from its first byte on.
fn secret(path: &Path, text: &str) -> Result<(), DevError> {
    private::create_new(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|source| DevError::File { path: path.to_path_buf(), source })
}

/// The configuration as a person would write it.
fn config(cast: &Cast, places: &Places) -> String {
    let mut text = format!(
        r#"# A treasury with three tiers, as `treasuryd dev` made it. Copy it, put in your own accounts, people and
# limits, and see what you have with `treasuryd config check`. Every key: docs/reference/config.md.

[network]
# Several servers may be named; the daemon goes to the next one when one falls silent.
endpoints = ["{ws}"]

[daemon]
data_dir = "data"
listen = "{listen}"
# Holds the agents' and the runner's seeds, and the release key that escrows' secrets are derived from. Back it up.
keystore = "{KEYSTORE}"
passphrase_file = "{PASSPHRASE}"
"#,
        ws = places.ws_url,
        listen = places.listen,
    );
    accounts(&mut text, cast);
    parties(&mut text, cast);
    text.push_str(&rules(places.hour_seconds));
    if !places.of_now {
        // RULES ends in the table that this belongs to.
        text.push_str(OWN_TIME);
    }
    text
}

/// For a ledger that keeps a time of its own.
const OWN_TIME: &str = "# This test ledger keeps a time of its own, which is not UTC, so its age says nothing. A network's does: leave this\n\
                        # line out there.\nledger_age_max = \"any\"\n";

/// The rules, with the delays that escrows have where an hour takes so long.
fn rules(hour_seconds: u32) -> String {
    if hour_seconds == HOUR_SECONDS {
        return RULES.to_owned();
    }
    let in_seconds = |hours: u32| format!("\"{}s\"", hours.saturating_mul(hour_seconds));
    let deadline = format!("delayed_deadline_max = \"{SHORT_DEADLINE_SECONDS}s\"");
    RULES
        .replace("delay = \"48h\"", &format!("delay = {}", in_seconds(48)))
        .replace("window = \"24h\"", &format!("window = {}", in_seconds(24)))
        .replace("delayed_deadline_max = \"1h\"", &deadline)
}

fn accounts(text: &mut String, cast: &Cast) {
    text.push_str(
        "\n# The treasury's own accounts. `signers` is the SignerList that each should have on the ledger; the daemon\n\
         # raises a finding when the ledger says otherwise. People alone sign for cold; for warm and hot two agents,\n\
         # whose keys the daemon holds, reach the quorum together, where a rule lets them.\n",
    );
    for account in &cast.accounts {
        let tier = tier_word(account.tier);
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "\n[[account]]\nname = \"{}\"\naddress = \"{}\"\ntier = \"{tier}\"\n",
            account.identity.name(),
            account.identity.id()
        );
        if let Some(signers) = &account.signers {
            let entries: Vec<String> =
                signers.names.iter().map(|name| format!("{} = 1", toml_key(name))).collect();
            let _ = write!(text, "quorum = {}\nsigners = {{ {} }}\n", signers.quorum, entries.join(", "));
        }
        match account.tier {
            Tier::Runner => text.push_str(
                "# Pays for EscrowFinish and EscrowCancel, which anyone may send; has no say over the treasury.\n\
                 signing = \"single\"\n",
            ),
            Tier::Board => text.push_str("# Strangers cannot pay it: DepositAuth is on, the members are preauthorized.\n"),
            Tier::Cold | Tier::Warm | Tier::Hot => {}
        }
    }
}

fn parties(text: &mut String, cast: &Cast) {
    text.push_str("\n# People. A token is what they speak to the API with; only its SHA-256 is here.\n");
    for person in &cast.people {
        let roles: Vec<String> = person.roles.iter().map(|role| format!("\"{}\"", role.word())).collect();
        let _ = write!(
            text,
            "\n[[person]]\nname = \"{}\"\nsigner = \"{}\"\nroles = [{}]\ntoken_sha256 = \"{}\"\n",
            person.identity.name(),
            person.identity.id(),
            roles.join(", "),
            hex::encode(Sha256::digest(person.token.as_bytes()))
        );
    }
    text.push_str("\n# Signers whose keys are in the keystore.\n");
    for agent in &cast.agents {
        let _ = write!(text, "\n[[agent]]\nname = \"{}\"\nsigner = \"{}\"\n", agent.name(), agent.id());
    }
    text.push_str("\n# The address book: who is a *known* destination.\n");
    for destination in &cast.destinations {
        let _ = write!(
            text,
            "\n[[destination]]\nname = \"{}\"\naddress = \"{}\"\n",
            destination.name(),
            destination.id()
        );
    }
}

fn toml_key(name: &str) -> String {
    if name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        name.to_owned()
    } else {
        format!("\"{name}\"")
    }
}

fn tier_word(tier: Tier) -> &'static str {
    match tier {
        Tier::Cold => "cold",
        Tier::Warm => "warm",
        Tier::Hot => "hot",
        Tier::Board => "board",
        Tier::Runner => "runner",
    }
}

/// The deadline of a delayed payment where time is dear. People and daemons that are killed get on with fewer ledgers
/// than it has, and every second of it is a ledger that somebody has to close.
const SHORT_DEADLINE_SECONDS: u32 = 600;

/// What is the same in every dev treasury, but for the delays where time is dear.
const RULES: &str = r#"
# Below 500 XRP the hot account is filled up to 1000 XRP from warm.
[[link]]
name = "warm-to-hot"
from = "warm"
to = "hot"
floor = "500 XRP"
target = "1000 XRP"
source_floor = "100 XRP"
move_max = "1000 XRP"
period_max = "5000 XRP"
period = "24h"

# And what hot has above 3000 XRP goes back to warm.
[[link]]
name = "hot-to-warm"
from = "hot"
to = "warm"
ceiling = "3000 XRP"
target = "1500 XRP"
move_min = "100 XRP"
move_max = "5000 XRP"
period_max = "20000 XRP"
period = "24h"

# The policy: what every rule that matches asks for holds, and what none matches is denied.

# The daemon's own refills and sweeps. "treasuryd" is the daemon itself.
[[rule]]
name = "refill"
askers = ["treasuryd"]
kinds = ["move"]
accounts = ["warm"]
destination = "treasury"
amount_max = "1000 XRP"
action = "allow"

[[rule]]
name = "sweep"
askers = ["treasuryd"]
kinds = ["move"]
accounts = ["hot"]
destination = "treasury"
amount_max = "5000 XRP"
action = "allow"

# Small payments from hot to known destinations go straight through, up to 500 XRP a day.
[[rule]]
name = "small"
accounts = ["hot"]
kinds = ["pay"]
destination = "known"
amount_max = "100 XRP"
rolling = { period = "24h", amount_max = "500 XRP" }
action = "allow"

# Others from hot, up to 1000 XRP, wait for two people: larger ones, those to somebody new, and what is beyond 500 a day.
# In the tour whoever asks is one of the two. Where you leave exclude_asker out, the two are others than the asker.
[[rule]]
name = "larger"
accounts = ["hot"]
kinds = ["pay"]
amount_above = "100 XRP"
amount_max = "1000 XRP"
action = "approve"
weight = 2
roles = ["approver"]
exclude_asker = false

[[rule]]
name = "new"
accounts = ["hot"]
kinds = ["pay"]
destination = "new"
amount_max = "1000 XRP"
action = "approve"
weight = 2
roles = ["approver"]
exclude_asker = false

[[rule]]
name = "busy"
accounts = ["hot"]
kinds = ["pay"]
amount_max = "1000 XRP"
rolling = { period = "24h", amount_above = "500 XRP" }
action = "approve"
weight = 2
roles = ["approver"]
exclude_asker = false

# What leaves warm always waits for two people. They sign a void with it: `treasuryctl void` makes worthless what is
# signed already.
[[rule]]
name = "from-warm"
accounts = ["warm"]
kinds = ["pay"]
amount_max = "10000 XRP"
action = "approve"
weight = 2
roles = ["approver"]
exclude_asker = false
void = true

# And what is large two days in an escrow as well. Until then security can stop it.
[[rule]]
name = "large"
accounts = ["warm"]
kinds = ["pay"]
amount_above = "1000 XRP"
amount_max = "10000 XRP"
action = "delay"
delay = "48h"
window = "24h"
weight = 2
roles = ["approver"]
exclude_asker = false

# So does everything from cold, where the ledger itself asks for three of the four people.
[[rule]]
name = "from-cold"
accounts = ["cold"]
kinds = ["pay"]
amount_max = "50000 XRP"
action = "delay"
delay = "48h"
window = "24h"
weight = 2
roles = ["approver"]
exclude_asker = false

# More XRP than that nobody gets from the daemon, whatever is added to these rules later.
[[rule]]
name = "more"
amount_above = "50000 XRP"
action = "deny"

[timing]
# FinishAfter of an escrow is counted from the deadline of its approvals, so delayed payments have a short one.
delayed_deadline_max = "1h"
# Ledgers of dev mode follow one another much faster than a network's, so transactions that the daemon signs by
# itself stay valid for more of them. Leave this line out on a real network.
agent_ledgers = 100
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_those_of_the_tour_unless_time_is_dear() {
        assert_eq!(rules(HOUR_SECONDS), RULES);
        let short = rules(30);
        assert_eq!(short.matches("delay = \"1440s\"\nwindow = \"720s\"").count(), 2, "{short}");
        assert!(short.contains("\ndelayed_deadline_max = \"600s\"\n"), "{short}");
        // Only those: sums over a day are still over a day.
        assert!(!short.contains("48h") && short.contains("period = \"24h\""), "{short}");
    }
}
