//! The console in a real browser, on a whole daemon with a ledger of its own. `.ci/browser` runs it: it needs Chromium, its
//! driver and axe-core.
//!
//! Goal: a treasurer's and a security person's day by mouse and keyboard, once with JavaScript and once without. Danger: a
//! form that works for a test's client and not for a browser, with its own idea of origins, cookies, uploads and
//! policies; and a page that somebody who does not see it, or holds it in one hand, cannot use.

mod driver;
mod login;
mod passkeys;

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use driver::{Browser, Driver};
use login::Provider;
use treasuryd::client::Client;
use treasuryd::daemon::Daemon;
use treasuryd::dev::{Options, Sandbox, profile_path, xrp};

const PAGES: [&str; 10] = [
    "",
    "/proposals",
    "/escrows",
    "/findings",
    "/accounts",
    "/history",
    "/audit",
    "/policy",
    "/deliveries",
    "/system",
];

/// What axe-core has against the page, each fault in a line.
const LOOK: &str = "const done = arguments[arguments.length - 1]; \
                    axe.run().then(found => done(found.violations.flatMap(one => one.nodes.map(node => \
                    one.impact + ' ' + one.id + ' ' + node.target + ' ' + node.failureSummary))))";

struct World {
    dir: tempfile::TempDir,
    sandbox: Sandbox,
    daemon: Option<Daemon>,
    driver: Driver,
    provider: Provider,
    /// What people type into their browser.
    origin: String,
}

impl World {
    async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let dir = tempfile::tempdir().unwrap();
        // Nobody waits for ledgers while a browser is at work, and without them the daemon sees nothing.
        let close_every = Some(Duration::from_secs(1));
        let options = Options { close_every, close_step_seconds: 1, ..Options::default() };
        let sandbox = Sandbox::start(dir.path(), options).await.unwrap();
        let provider = Provider::start();
        let port = sandbox.daemon_config().unwrap().listen.port();
        let origin = format!("http://localhost:{port}");
        let config = provider.knows(&std::fs::read_to_string(sandbox.config_path()).unwrap());
        let table = format!("\n[console]\norigin = \"{origin}\"\n{}", provider.table());
        std::fs::write(sandbox.config_path(), config + &table).unwrap();
        let mut secret = std::fs::OpenOptions::new();
        let mut secret =
            secret.write(true).create_new(true).mode(0o600).open(sandbox.dir().join("oidc.secret"));
        secret.as_mut().unwrap().write_all(b"the provider takes any\n").unwrap();
        let daemon = Daemon::start(sandbox.daemon_config().unwrap()).await.unwrap();
        sandbox.daemon_has_seen(sandbox.begun_at()).await.unwrap();
        sandbox.let_pass(1).await.unwrap();
        Self { dir, sandbox, daemon: Some(daemon), driver: Driver::start(), provider, origin }
    }

    fn daemon(&self) -> &Daemon {
        self.daemon.as_ref().unwrap()
    }

    /// With the configuration as it stands by now.
    async fn restart(&mut self) {
        self.daemon.take().unwrap().shutdown().await;
        self.daemon = Some(Daemon::start(self.sandbox.daemon_config().unwrap()).await.unwrap());
        self.sandbox.daemon_has_seen(self.sandbox.begun_at()).await.unwrap();
        self.sandbox.let_pass(1).await.unwrap();
    }

    fn client(&self, person: &str) -> &Client {
        self.sandbox.people().get(person).unwrap().client()
    }

    /// A payment that alice asks for.
    async fn payment(&self, to: &str, whole: u32, note: &str) -> String {
        let alice = self.sandbox.people().get("alice").unwrap();
        let id = alice.propose("warm", to, xrp(whole), note).await.unwrap();
        let collecting = || async {
            let status = self.client("alice").proposal(&id).await.unwrap().status;
            if status == "collecting" { Ok(()) } else { Err(status) }
        };
        self.sandbox.until_told("it waits for people", collecting).await.unwrap();
        id
    }

    /// A person's own browser, logged in.
    async fn browser(&self, person: &str, scripts: bool) -> Browser {
        let browser = self.driver.browser(scripts).await;
        browser.open(&format!("{}/", self.origin)).await;
        assert!(browser.url().await.contains("/console/login?next="), "{}", browser.url().await);
        let token = profile_path(self.sandbox.dir(), person).with_extension("token");
        browser.types("input[name=token]", std::fs::read_to_string(token).unwrap().trim()).await;
        browser.follow("main button").await;
        assert!(browser.has("nav").await);
        assert_eq!(browser.url().await, self.page(""));
        browser
    }

    fn page(&self, path: &str) -> String {
        format!("{}/console{path}", self.origin)
    }

    /// A file of what a person signed, as `treasuryctl sign` writes it.
    async fn signed(&self, person: &str, id: &str) -> PathBuf {
        let person = self.sandbox.people().get(person).unwrap();
        let view = person.client().proposal(id).await.unwrap();
        let request = treasury_verify::check(&view).unwrap().sign(person.signer(), person.key()).unwrap();
        let path = self.dir.path().join(format!("{id}.signed.json"));
        std::fs::write(&path, serde_json::to_string_pretty(&request).unwrap()).unwrap();
        path
    }
}

/// Opens the act's form, says why, and presses its button; then what the next page says.
async fn act(browser: &Browser, action: &str, fields: &[(&str, &str)]) -> String {
    let form = format!("form[action='{action}']");
    browser.click(&format!("details:has(> {form}) > summary")).await;
    for (name, value) in fields {
        browser.types(&format!("{form} [name={name}]"), value).await;
    }
    browser.follow(&format!("{form} button")).await;
    browser.text("[role=status]").await
}

async fn a_day(world: &World, scripts: bool) {
    let wrong = world.driver.browser(scripts).await;
    wrong.open(&world.page("/login")).await;
    wrong.types("input[name=token]", "whatever").await;
    wrong.follow("main button").await;
    assert!(wrong.text("main").await.contains("This token is nobody's."));
    wrong.close().await;

    // Bob approves by upload what waits for him.
    let paid = world.payment("supplier", 300, "rent for May").await;
    let bob = world.browser("bob", scripts).await;
    bob.follow(&format!("a[href='/console/proposals/{paid}']")).await;
    let shown = bob.text("main").await;
    for part in [
        "warm pays 300 XRP to supplier",
        "rent for May",
        "Checked: the bytes",
        "Can still sign: alice, bob, carol",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let file = world.signed("bob", &paid).await;
    bob.types("input[type=file]", &file.display().to_string()).await;
    bob.follow(&format!("form[action='/console/proposals/{paid}/approve'] button")).await;
    assert_eq!(bob.text("[role=status]").await, format!("{paid}: approved"));
    assert!(bob.text("main").await.contains("weight 1 of 2"));
    bob.close().await;

    // Carol rejects another one.
    let bad = world.payment("supplier", 301, "a second rent for May").await;
    let carol = world.browser("carol", scripts).await;
    carol.open(&world.page(&format!("/proposals/{bad}"))).await;
    let said = act(&carol, &format!("/console/proposals/{bad}/reject"), &[("reason", "paid already")]).await;
    assert!(said.starts_with(&format!("{bad}: spoken against; it goes on")), "{said}");

    // Dave flags one, and then whatever pays that destination.
    let odd = world.payment("supplier", 302, "who asked for this?").await;
    let dave = world.browser("dave", scripts).await;
    dave.open(&world.page(&format!("/proposals/{odd}"))).await;
    let said = act(&dave, &format!("/console/proposals/{odd}/flag"), &[("reason", "looks odd")]).await;
    assert!(said.starts_with(&format!("{odd}: held: S")), "{said}");
    dave.open(&world.page("/escrows")).await;
    let fields = [("destination", "supplier"), ("reason", "their mailbox was stolen")];
    let said = act(&dave, "/console/do/flag_destination", &fields).await;
    assert!(said.starts_with("supplier: held: S"), "{said}");
    dave.open(&world.page(&format!("/proposals/{paid}"))).await;
    assert!(dave.text("main").await.contains("their mailbox was stolen"), "it binds what was there before");
    for stop in world.client("dave").stops().await.unwrap().standing {
        world.client("dave").lift(&[stop.id], "a drill").await.unwrap();
    }

    // He freezes, from whatever page he is on, and somebody else lifts it.
    let said = act(&dave, "/console/do/freeze", &[("account", "hot"), ("reason", "a drill")]).await;
    assert!(said.starts_with("hot: frozen: S"), "{said}");
    assert!(dave.text(".alarm").await.contains("Frozen: hot."));
    carol.open(&world.page("/")).await;
    carol.open(&world.page("/system")).await;
    carol.click("#stops ~ form input[name=stop]").await;
    carol.types("#stops ~ form input[name=reason]", "it was a drill").await;
    carol.follow("#stops ~ form button").await;
    assert!(carol.text("[role=status]").await.starts_with("lifted: S"));
    assert!(!carol.has(".alarm").await);

    // What was it about?
    dave.open(&world.page("/history")).await;
    dave.types("input[name=text]", "second rent").await;
    dave.follow(".filter button").await;
    let found = dave.text("tbody").await;
    assert!(found.contains(&bad) && !found.contains(&odd), "{found}");
    dave.follow("header form[action='/console/logout'] button").await;
    assert!(dave.has("input[name=token]").await && dave.url().await.ends_with("/console/login"));
    dave.close().await;
    carol.close().await;
    for id in [&paid, &odd] {
        world.client("alice").withdraw(id).await.unwrap();
    }
}

/// A picture of the page that is open, where BROWSER_PICTURES says where to.
async fn picture(browser: &Browser, name: &str) {
    if let Ok(folder) = std::env::var("BROWSER_PICTURES") {
        browser.picture(&Path::new(&folder).join(format!("{name}.png"))).await;
    }
}

/// What axe-core has against the page that is open.
async fn faults(browser: &Browser) -> Vec<String> {
    let axe = std::env::var("AXE").expect("AXE names axe.min.js; .ci/browser says where it is");
    browser.runs(&std::fs::read_to_string(axe).unwrap()).await;
    browser.told(LOOK).await.as_array().unwrap().iter().map(ToString::to_string).collect()
}

/// Every page, in light and dark, wide and narrow: nothing that axe-core calls serious, nothing wider than a phone, and,
/// where BROWSER_PICTURES says so, a picture.
async fn every_page(world: &World) {
    world.payment("supplier", 300, "rent for May").await;
    let stranger = world.sandbox.cast().stranger.id().to_string();
    let delayed = world.payment(&stranger, 4_000, "a new machine").await;
    for person in ["alice", "bob"] {
        world.sandbox.people().get(person).unwrap().approve(&delayed).await.unwrap();
    }
    let made = || async {
        let standing = world.client("dave").escrows().await.unwrap();
        if standing.is_empty() { Err("none".to_owned()) } else { Ok(()) }
    };
    world.sandbox.until_told("the escrow stands", made).await.unwrap();
    let collecting = world.payment("supplier", 305, "paper").await;
    world.client("dave").flag(&collecting, "who are they?").await.unwrap();
    let browser = world.browser("dave", true).await;
    let one = [format!("/proposals/{collecting}"), format!("/proposals/{delayed}")];
    let explained = "/policy?account=warm&destination=supplier&amount=300&asker=alice".to_owned();
    let paths = PAGES.iter().map(|path| (*path).to_owned()).chain(one).chain([
        explained,
        "/login".to_owned(),
        "/passkeys".to_owned(),
    ]);
    let mut found = Vec::new();
    for path in paths {
        for (width, scheme) in [(1_280, "light"), (1_280, "dark"), (390, "light"), (390, "dark")] {
            browser.resize(width, 900).await;
            browser.scheme(scheme).await;
            browser.open(&world.page(&path)).await;
            let name = format!(
                "{}-{width}-{scheme}",
                path.trim_start_matches('/').replace(['/', '?', '&', '='], "_")
            );
            let wide = browser.runs("return document.documentElement.scrollWidth").await.as_u64().unwrap();
            if wide > u64::from(width) {
                found.push(format!("{name}: {wide} px wide"));
            }
            picture(&browser, &name).await;
            // Colours are those of a scheme, and places those of a width: each is looked at once.
            if (width == 390) != (scheme == "dark") {
                continue;
            }
            found.extend(faults(&browser).await.iter().map(|fault| format!("{name}: {fault}")));
        }
    }
    // Whoever finds nothing may not have looked.
    browser.runs("document.querySelector('main').append(document.createElement('img'))").await;
    let planted = browser.told(LOOK).await.to_string();
    assert!(planted.contains("image-alt"), "{planted}");
    browser.close().await;
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_with_the_console_in_a_browser() {
    let mut world = World::start().await;
    a_day(&world, true).await;
    a_day(&world, false).await;
    for scripts in [true, false] {
        login::at_a_provider(&world, scripts).await;
    }
    passkeys::a_gesture(&mut world).await;
    every_page(&world).await;
    world.daemon.take().unwrap().shutdown().await;
}
