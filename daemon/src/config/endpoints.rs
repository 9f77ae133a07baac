//! Reads `network.endpoints`: addresses, or tables whose secret parts are in files.

use std::path::Path;

use secrecy::{ExposeSecret, SecretString};

use super::endpoint::{Address, Endpoint};
use super::reader::{At, Entry, Section};
use super::value;
use crate::private::{self, ReadError};
use crate::trust::{self, Trust};

/// The keys of an endpoint that is written as a table.
const KEYS: [&str; 6] = ["url", "name", "path_file", "user", "password_file", "ca_file"];

/// The servers, or `None` after a problem with one of them was reported.
pub(super) fn read(section: &Section<'_>, base_dir: &Path) -> Option<Vec<Endpoint>> {
    if !section.has("endpoints") {
        section.missing("endpoints");
    }
    let entries = section.entries("endpoints", &KEYS)?;
    if entries.is_empty() {
        section.wrong("endpoints", "names no server", "write at least one, such as \"ws://127.0.0.1:6006\"");
        return None;
    }
    let count = entries.len();
    let mut found: Vec<(usize, At<Endpoint>)> = Vec::new();
    for (entry, number) in entries.into_iter().zip(1..) {
        let Some(endpoint) = one(section, entry, base_dir) else { continue };
        if endpoint.value.has_tls()
            && endpoint.value.trust().is_none()
            && let Err(what) = trust::check_environment()
        {
            section.blame(&endpoint, what, "correct the variable or take it away; or write `ca_file`");
        }
        let same = found.iter().find(|(_, other)| other.value.voice() == endpoint.value.voice());
        if let Some((other, _)) = same {
            section.blame(
                &endpoint,
                format!("is on the same host as endpoints[{other}]"),
                "a host is one witness, whatever its ports and paths (on loopback, each port is one); name it once",
            );
        }
        found.push((number, endpoint));
    }
    (found.len() == count).then(|| found.into_iter().map(|(_, endpoint)| endpoint.value).collect())
}

fn one(section: &Section<'_>, entry: Entry<'_>, base_dir: &Path) -> Option<At<Endpoint>> {
    match entry {
        Entry::Text(text) => match Endpoint::parse(&text.value) {
            Ok(endpoint) => Some(text.with(endpoint)),
            Err(what) => {
                section.blame(&text, what, "");
                None
            }
        },
        Entry::Table(table) => from_table(&table, base_dir),
    }
}

fn from_table(table: &Section<'_>, base_dir: &Path) -> Option<At<Endpoint>> {
    let secret = |text: &str| first_line(&base_dir.join(text));
    let url = table.required("url", Address::parse);
    let name = table.text("name", value::name);
    let path = table.text("path_file", secret);
    let user = table.text("user", |text| match text {
        "" => Err("is empty".to_owned()),
        text => Ok(text.to_owned()),
    });
    let password = table.text("password_file", secret);
    let trust = table.text("ca_file", |text| Trust::read(&base_dir.join(text)));
    for (one, other) in [("user", "password_file"), ("password_file", "user")] {
        if table.has(one) && !table.has(other) {
            table.missing(other);
        }
    }
    let right = ["name", "path_file", "user", "password_file", "ca_file"].map(|key| table.has(key))
        == [name.is_some(), path.is_some(), user.is_some(), password.is_some(), trust.is_some()];
    let url = url.filter(|_| right && user.is_some() == password.is_some())?;
    let place = url.with(());
    let refuse = |what: String| {
        table.blame(&place, what, "");
        None
    };
    let mut address = url.value;
    if let (Some(user), Some(password)) = (user, password) {
        if address.has_login() {
            return refuse("says by itself whom to log in as, and so does `user`".to_owned());
        }
        address = address.with_login(user.value, password.value);
    }
    if trust.is_some() && !address.has_tls() {
        return refuse("has no certificate to look at, and `ca_file` asks for one; write wss://".to_owned());
    }
    if let Some(path) = path {
        if address.is_in_the_clear() {
            return refuse("would send the secret of path_file in the clear; write wss://".to_owned());
        }
        match address.with_path(path.value.expose_secret()) {
            Ok(whole) => address = whole,
            Err(what) => {
                table.blame(&path, what, "write what follows the host, such as /v1/key, on its first line");
                return None;
            }
        }
    }
    match address.endpoint(name.as_ref().map(|name| name.value.as_str())) {
        Ok(endpoint) => Some(place.with(match trust {
            Some(trust) => endpoint.trusting(trust.value),
            None => endpoint,
        })),
        Err(what) => refuse(what),
    }
}

/// The first line of a file that only its owner may read.
fn first_line(path: &Path) -> Result<SecretString, String> {
    let shown = path.display();
    let text = private::read_file(path).map_err(|error| match error {
        ReadError::Exposed => {
            format!("{shown} can be read by others than its owner; make it yours alone: chmod 600 {shown}")
        }
        ReadError::Io(error) => format!("{shown} cannot be read: {error}"),
    })?;
    match text.lines().next() {
        None | Some("") => Err(format!("{shown} has nothing on its first line")),
        Some(line) => Ok(SecretString::from(line)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::config::DaemonConfig;

    fn parse(network: &str, base_dir: &Path) -> Result<DaemonConfig, Vec<String>> {
        let text = format!(
            "[network]\n{network}\n[daemon]\ndata_dir = \"d\"\nkeystore = \"k\"\n[[account]]\nname = \"warm\"\n\
             tier = \"warm\"\naddress = \"rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh\"\n"
        );
        DaemonConfig::parse(&text, base_dir)
            .map_err(|error| error.problems().iter().map(ToString::to_string).collect())
    }

    fn problems(network: &str, base_dir: &Path) -> String {
        parse(network, base_dir).map(|_| ()).unwrap_err().join("\n")
    }

    #[test]
    fn the_same_server_twice_is_no_second_witness() {
        let none = Path::new("");
        for (one, other) in [
            ("wss://a.example", "wss://a.example"),
            ("wss://a.example", "wss://A.EXAMPLE:443/other"),
            ("wss://a.example", "ws://a.example:6006"),
            ("wss://u:p@a.example", "wss://v:q@a.example./x?y"),
            ("ws://127.0.0.1:6006", "ws://localhost:6006"),
        ] {
            let network = format!("read_quorum = 2\nendpoints = [\n  \"{one}\",\n  \"{other}\",\n]");
            let found = problems(&network, none);
            assert!(
                found.starts_with(
                    "line 5, column 3: network.endpoints[2]: is on the same host as endpoints[1]"
                ),
                "{found}"
            );
        }
        let apart = "read_quorum = 2\nendpoints = [\"ws://127.0.0.1:6006\", \"ws://127.0.0.1:6007\"]";
        assert_eq!(parse(apart, none).unwrap().network.read_quorum, 2, "test servers stand side by side");
    }

    #[test]
    fn an_address_that_is_none_is_refused_by_key_and_line() {
        for address in ["ws://host:70000", "ws://my host:1", "wss://", "ftp://host", "wss://u:KEY99@:1/KEY99"]
        {
            let network = format!("endpoints = [\n  \"ws://127.0.0.1:6006\",\n  \"{address}\",\n]");
            let found = problems(&network, Path::new(""));
            assert!(
                found.starts_with("line 4, column 3: network.endpoints[2]: is not a websocket address"),
                "{found}"
            );
            assert!(!found.contains("KEY99"), "{found}");
        }
        let found = problems("endpoints = [1]", Path::new(""));
        assert!(found.contains("network.endpoints[1]: must be a text or a table"), "{found}");
    }

    #[test]
    fn secret_parts_of_an_address_come_from_files() {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in [("password", "PASSWORD99\n"), ("path", "/v1/KEY99?k=KEY99\n"), ("empty", "\n")] {
            fs::write(dir.path().join(name), text).unwrap();
            fs::set_permissions(dir.path().join(name), fs::Permissions::from_mode(0o600)).unwrap();
        }
        let key = rcgen::KeyPair::generate().unwrap();
        let authority = rcgen::CertificateParams::default().self_signed(&key).unwrap();
        fs::write(dir.path().join("ca"), authority.pem()).unwrap();
        let table = "endpoints = [{ url = \"wss://a.example:1\", name = \"own\", user = \"op\", \
                     password_file = \"password\", path_file = \"path\", ca_file = \"ca\" }]";
        let config = parse(table, dir.path()).unwrap();
        let [endpoint] = config.network.endpoints.as_slice() else { panic!("one endpoint") };
        assert_eq!(endpoint.label(), "own (wss://a.example:1/…)");
        assert!(endpoint.trust().is_some());
        assert_eq!(endpoint.url(), "wss://a.example:1/v1/KEY99?k=KEY99");
        // Basic authentication: base64 of `op:PASSWORD99`.
        assert_eq!(endpoint.login(), Some("Basic b3A6UEFTU1dPUkQ5OQ=="));
        let debug = format!("{config:?}");
        assert!(
            !debug.contains("KEY99") && !debug.contains("PASSWORD99") && !debug.contains("b3A6"),
            "{debug}"
        );

        fs::set_permissions(dir.path().join("password"), fs::Permissions::from_mode(0o644)).unwrap();
        let exposed = problems(table, dir.path());
        assert!(exposed.contains("password_file") && exposed.contains("chmod 600"), "{exposed}");
        for (keys, wanted) in [
            ("url = \"wss://a\", path_file = \"none\"", "network.endpoints[1].path_file: "),
            ("url = \"wss://a\", path_file = \"empty\"", "nothing on its first line"),
            ("url = \"wss://a/x\", path_file = \"path\"", "has a path, and so has the address"),
            ("url = \"ws://a\", path_file = \"path\"", "in the clear"),
            ("url = \"wss://a\", user = \"op\"", "network.endpoints[1].password_file: is missing"),
            ("url = \"wss://a\", password_file = \"path\"", "network.endpoints[1].user: is missing"),
            ("url = \"wss://u:p@a\", user = \"op\", password_file = \"path\"", "says by itself"),
            ("url = \"wss://a\", ca_file = \"password\"", "no certificate in PEM"),
            ("url = \"wss://a\", ca_file = \"none\"", "cannot be read as certificates"),
            ("url = \"ws://127.0.0.1:1\", ca_file = \"ca\"", "has no certificate to look at"),
            ("name = \"own\"", "network.endpoints[1].url: is missing"),
            ("url = \"wss://a\", pasword_file = \"x\"", "did you mean `password_file`?"),
        ] {
            let found = problems(&format!("endpoints = [{{ {keys} }}]"), dir.path());
            assert!(found.contains(wanted), "{keys}: {found}");
            assert!(!found.contains("KEY99"), "{found}");
        }
    }
}
