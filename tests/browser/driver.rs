//! A browser, by the WebDriver protocol over plain HTTP.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// The key under which the protocol names an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A click leads to another page within this, on a busy machine too.
const FOLLOWED_WITHIN: Duration = Duration::from_secs(60);

/// What starts browsers. Dropped, it ends, and they with it.
pub(crate) struct Driver {
    child: Child,
    url: String,
    http: reqwest::Client,
}

impl Driver {
    /// On a port that the system chooses.
    pub(crate) fn start() -> Self {
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("chromedriver is there; .ci/browser sees to it");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse::<u16>().ok()
        });
        let url = format!("http://127.0.0.1:{}", port.expect("chromedriver says its port"));
        Self { child, url, http: reqwest::Client::new() }
    }

    /// A browser of its own, with nothing from any other.
    pub(crate) async fn browser(&self, scripts: bool) -> Browser {
        let prefs = if scripts {
            json!({})
        } else {
            json!({"profile.managed_default_content_settings.javascript": 2})
        };
        let asked = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            // A page that comes after a form may take its time.
            "timeouts": {"implicit": 5_000},
            "goog:chromeOptions": {
                "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1280,900"],
                "prefs": prefs,
            },
        }}});
        let mut browser = Browser { session: format!("{}/session", self.url), http: self.http.clone() };
        let begun = browser.asks("", &asked).await.unwrap();
        browser.session = format!("{}/session/{}", self.url, begun["sessionId"].as_str().unwrap());
        browser
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One browser with one window.
pub(crate) struct Browser {
    session: String,
    http: reqwest::Client,
}

impl Browser {
    async fn asks(&self, path: &str, body: &Value) -> Result<Value, String> {
        let request = self.http.post(format!("{}{path}", self.session)).body(body.to_string());
        let response = request.send().await.map_err(|error| error.to_string())?;
        let is_done = response.status().is_success();
        let text = response.text().await.map_err(|error| error.to_string())?;
        let answer: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        if is_done { Ok(answer["value"].clone()) } else { Err(answer["value"]["message"].to_string()) }
    }

    async fn gets(&self, path: &str) -> Value {
        let text =
            self.http.get(format!("{}{path}", self.session)).send().await.unwrap().text().await.unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["value"].clone()
    }

    pub(crate) async fn open(&self, url: &str) {
        self.asks("/url", &json!({"url": url})).await.unwrap();
    }

    pub(crate) async fn url(&self) -> String {
        self.gets("/url").await.as_str().unwrap().to_owned()
    }

    /// The element's path in the protocol.
    async fn find(&self, css: &str) -> Result<String, String> {
        let found = self.asks("/element", &json!({"using": "css selector", "value": css})).await?;
        Ok(format!("/element/{}", found[ELEMENT].as_str().unwrap()))
    }

    pub(crate) async fn has(&self, css: &str) -> bool {
        self.find(css).await.is_ok()
    }

    pub(crate) async fn click(&self, css: &str) {
        let element = self.find(css).await.unwrap();
        let done = self.asks(&format!("{element}/click"), &json!({})).await;
        done.unwrap_or_else(|error| panic!("{css}: {error}"));
    }

    /// Clicks what leads to another page, and waits for that: it is there when what was clicked is on none any more. A click
    /// by itself may be answered before the browser has begun to go.
    pub(crate) async fn follow(&self, css: &str) {
        let element = self.find(css).await.unwrap();
        let done = self.asks(&format!("{element}/click"), &json!({})).await;
        done.unwrap_or_else(|error| panic!("{css}: {error}"));
        self.gone(css, &element).await;
    }

    /// Waits until the element is on no page any more.
    async fn gone(&self, css: &str, element: &str) {
        let began = Instant::now();
        loop {
            let name = self.http.get(format!("{}{element}/name", self.session)).send().await.unwrap();
            if !name.status().is_success() {
                return;
            }
            assert!(began.elapsed() < FOLLOWED_WITHIN, "{css} leads nowhere");
        }
    }

    /// Runs a script that leads to another page, and waits for that.
    pub(crate) async fn leave(&self, css: &str, script: &str) {
        let element = self.find(css).await.unwrap();
        self.runs(script).await;
        self.gone(css, &element).await;
    }

    /// Gives the browser a device for passkeys, with somebody in front of it whom it knows.
    pub(crate) async fn authenticator(&self) {
        let device = json!({"protocol": "ctap2", "transport": "internal", "hasResidentKey": true, "hasUserVerification": true,
            "isUserConsenting": true, "isUserVerified": true});
        self.asks("/webauthn/authenticator", &device).await.unwrap();
    }

    pub(crate) async fn types(&self, css: &str, text: &str) {
        let element = self.find(css).await.unwrap();
        let done = self.asks(&format!("{element}/value"), &json!({"text": text})).await;
        done.unwrap_or_else(|error| panic!("{css}: {error}"));
    }

    /// What the element shows.
    pub(crate) async fn text(&self, css: &str) -> String {
        let element = self.find(css).await.unwrap();
        self.gets(&format!("{element}/text")).await.as_str().unwrap().to_owned()
    }

    pub(crate) async fn resize(&self, width: u32, height: u32) {
        // A window is never as narrow as a phone.
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500});
        self.command("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    pub(crate) async fn scheme(&self, name: &str) {
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": name}]});
        self.command("Emulation.setEmulatedMedia", features).await;
    }

    async fn command(&self, name: &str, params: Value) -> Value {
        self.asks("/goog/cdp/execute", &json!({"cmd": name, "params": params})).await.unwrap()
    }

    /// What the script calls its last argument with.
    pub(crate) async fn told(&self, script: &str) -> Value {
        self.asks("/execute/async", &json!({"script": script, "args": []})).await.unwrap()
    }

    pub(crate) async fn runs(&self, script: &str) -> Value {
        self.asks("/execute/sync", &json!({"script": script, "args": []})).await.unwrap()
    }

    /// The whole page as a picture.
    pub(crate) async fn picture(&self, path: &Path) {
        let shot = self.command("Page.captureScreenshot", json!({"captureBeyondViewport": true})).await;
        let picture = decoded(shot["data"].as_str().unwrap());
        std::fs::write(path, picture).unwrap();
    }

    pub(crate) async fn close(self) {
        let _ = self.http.delete(&self.session).send().await;
    }
}

/// Base64, of which this is the only use here.
fn decoded(text: &str) -> Vec<u8> {
    let value = |letter: u8| -> u32 {
        let at = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
            .iter()
            .position(|one| *one == letter);
        u32::try_from(at.unwrap()).unwrap()
    };
    let letters: Vec<u8> = text.bytes().filter(|letter| *letter != b'=').collect();
    let mut bytes = Vec::new();
    for group in letters.chunks(4) {
        let bits =
            group.iter().fold(0_u32, |bits, letter| bits << 6 | value(*letter)) << (6 * (4 - group.len()));
        bytes.extend(&bits.to_be_bytes()[1..group.len()]);
    }
    bytes
}
