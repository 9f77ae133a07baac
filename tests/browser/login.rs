//! Logging in at a real provider of logins: oidc-provider-mock, from PyPI, as `.ci/browser` installs it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use super::{Browser, World};

/// Whom the provider knows, and the configuration as alice.
const ALICE: &str = "alice-at-acme";

/// The provider. Dropped, it ends.
pub(crate) struct Provider {
    child: Child,
    url: String,
}

impl Provider {
    /// On a port that the system chooses.
    pub(crate) fn start() -> Self {
        let exe =
            std::env::var("OIDC_PROVIDER").expect("OIDC_PROVIDER names it; .ci/browser says where it is");
        let mut command = Command::new(exe);
        command.args([
            "--port",
            "0",
            "--require-nonce",
            "true",
            "--user",
            ALICE,
            "--user",
            "mallory-at-acme",
        ]);
        let mut child = command.env("NO_COLOR", "1").stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let url = lines.find_map(|line| {
            let (_, rest) = line.split_once("http://127.0.0.1:")?;
            let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
            Some(format!("http://127.0.0.1:{port}"))
        });
        // Whatever else it says is read, so that it never waits for that.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url: url.expect("it says where it listens") }
    }

    /// The table of the configuration that names it.
    pub(crate) fn table(&self) -> String {
        format!(
            "[console.oidc]\nissuer = \"{}\"\nclient_id = \"treasuryd\"\nclient_secret_file = \"oidc.secret\"\nname = \"Acme\"\nallow_private = true\n",
            self.url
        )
    }

    /// The configuration with alice as it knows her.
    pub(crate) fn knows(&self, config: &str) -> String {
        let name = "[[person]]\nname = \"alice\"\n";
        assert!(config.contains(name), "{config}");
        config.replacen(name, &format!("{name}oidc = \"{ALICE}\"\n"), 1)
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// From the page of logins to the provider's, which is another site, and what is pressed there.
async fn at_the_provider(world: &World, path: &str, scripts: bool, button: &str) -> Browser {
    let browser = world.driver.browser(scripts).await;
    browser.open(&world.page(path)).await;
    browser.follow("main a.button").await;
    assert!(browser.url().await.starts_with(&world.provider.url), "{}", browser.url().await);
    browser.follow(button).await;
    browser
}

/// Who the configuration names gets in and to where they wanted to go; who is nobody in it, or is refused there, does not.
pub(crate) async fn at_a_provider(world: &World, scripts: bool) {
    let alice = at_the_provider(world, "/findings", scripts, &format!("button[value='{ALICE}']")).await;
    assert!(alice.has("nav").await, "{}", alice.text("main").await);
    assert_eq!(alice.url().await, world.page("/findings"));
    assert!(alice.text(".who").await.starts_with("alice"));
    // The session is one: an act of hers, and its end.
    alice.open(&world.page("")).await;
    alice.follow("header form[action='/console/logout'] button").await;
    assert!(alice.has("input[name=token]").await);
    alice.open(&world.page("/findings")).await;
    assert!(alice.url().await.contains("/console/login?next="), "{}", alice.url().await);
    alice.close().await;
    for (button, says) in [
        ("button[value=mallory-at-acme]", "The provider knows you, and the treasury does not."),
        // With a refusal this provider sends no state, which it should, and so it counts for nobody's.
        ("button[value=deny]", "This login did not begin in this browser"),
    ] {
        let nobody = at_the_provider(world, "", scripts, button).await;
        assert!(nobody.text("main").await.contains(says), "{}", nobody.text("main").await);
        nobody.open(&world.page("")).await;
        assert!(nobody.url().await.contains("/console/login?next="));
        nobody.close().await;
    }
}
