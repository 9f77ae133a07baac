mod acts;
mod audited;
mod doors;
mod oidc;
mod passkeys;
mod policies;
mod provider;
mod shown;
mod stops;

use std::collections::BTreeMap;

use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use tokio::net::TcpListener;
use tokio::sync::watch;
use treasury_api::types::{ApproveRequest, ProposalView, ProposeRequest};

use super::*;
use crate::audit::Audit;
use crate::client::Client;
use crate::engine::{Engine, EngineHandle};
use crate::http::{App, Limits, Tokens, serve};
use crate::store::MemoryStore;
use crate::testing::{self, token_of};

/// The whole page in kilobytes, with its style and its script.
const PAGE_MAX_BYTES: usize = 100_000;

const PAGES: [&str; 10] = [
    "/console",
    "/console/proposals",
    "/console/escrows",
    "/console/findings",
    "/console/accounts",
    "/console/history",
    "/console/audit",
    "/console/policy",
    "/console/deliveries",
    "/console/system",
];

/// A served console on a treasury that has sight of ledger 101.
struct Served {
    url: String,
    store: MemoryStore,
    handle: EngineHandle,
    tokens: Tokens,
    _stop: watch::Sender<bool>,
}

impl Served {
    async fn new() -> Self {
        Self::with(Some(ConsoleConfig::default())).await
    }

    async fn with(config: Option<ConsoleConfig>) -> Self {
        Self::on(config, Limits::default()).await
    }

    /// The same with an audit log.
    async fn audited(dir: &std::path::Path) -> (Self, std::sync::Arc<Audit>) {
        Self::audited_with(dir, ConsoleConfig::default()).await
    }

    async fn audited_with(dir: &std::path::Path, config: ConsoleConfig) -> (Self, std::sync::Arc<Audit>) {
        let store = MemoryStore::new();
        let (mut engine, metrics, _) = testing::engine(store.clone());
        testing::carry_nothing_out(&mut engine);
        let Engine { handle, .. } = engine;
        testing::look(&handle).await;
        let opened = Audit::open(dir, crate::clock::Clock::system(), std::sync::Arc::clone(&metrics));
        let audit = std::sync::Arc::new(opened.unwrap());
        audit.begin(&handle, 0).await.unwrap();
        let app = App::new(handle.clone(), metrics, Tokens::new(&testing::tokens()), Limits::default());
        let app = app.with_audit(Some(std::sync::Arc::clone(&audit)));
        (Self::of(handle, store, app.with_console(Some(config))).await, audit)
    }

    async fn within(limits: Limits) -> Self {
        Self::on(Some(ConsoleConfig::default()), limits).await
    }

    async fn on(config: Option<ConsoleConfig>, limits: Limits) -> Self {
        let store = MemoryStore::new();
        let (mut engine, metrics, _) = testing::engine(store.clone());
        testing::carry_nothing_out(&mut engine);
        let Engine { handle, .. } = engine;
        testing::look(&handle).await;
        let app = App::new(handle.clone(), metrics, Tokens::new(&testing::tokens()), limits);
        Self::of(handle, store, app.with_console(config)).await
    }

    async fn of(handle: EngineHandle, store: MemoryStore, app: App) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::at(listener, handle, store, app)
    }

    fn at(listener: TcpListener, handle: EngineHandle, store: MemoryStore, app: App) -> Self {
        let tokens = app.tokens();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(serve(listener, app, stopped));
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { url, store, handle, tokens, _stop: stop }
    }

    /// The API for a program.
    fn client(&self, person: &str) -> Client {
        Client::new(&self.url, Some(token_of(person))).unwrap()
    }

    /// A browser that nobody has logged in with.
    fn browser(&self) -> Browser {
        let http = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
        Browser { url: self.url.clone(), origin: self.url.clone(), http, cookie: String::new() }
    }

    async fn login(&self, person: &str) -> Browser {
        let mut browser = self.browser();
        let token = token_of(person);
        let page = browser.send("/console/login", &[("token", &token)], &[]).await;
        assert_eq!((page.status, page.header("location")), (303, "/console"), "{}", page.text);
        let cookie = page.header("set-cookie").split(';').next().unwrap().to_owned();
        browser.cookie = cookie;
        browser
    }

    /// A proposal of alice's.
    async fn proposal(&self, note: &str) -> ProposalView {
        let alice = self.client("alice");
        let asked = ProposeRequest {
            account: "warm".to_owned(),
            destination: "exchange".to_owned(),
            amount: treasury_api::types::AmountView { asset: "XRP".to_owned(), value: "5000000".to_owned() },
            note: note.to_owned(),
            ..ProposeRequest::default()
        };
        let id = alice.propose(&asked).await.unwrap().proposal;
        alice.proposal(&id).await.unwrap()
    }
}

/// What somebody signed, as the API takes it.
fn signed(n: u8, proposal: &ProposalView) -> ApproveRequest {
    let rungs: Vec<_> = proposal.rungs.iter().map(|rung| rung.blob.parse().unwrap()).collect();
    let signed = testing::signatures(n, &rungs);
    ApproveRequest {
        signer: signed.signer.to_string(),
        signing_pub_key: signed.signing_pub_key.to_string(),
        signatures: signed.signatures.iter().map(ToString::to_string).collect(),
        void_signatures: Vec::new(),
    }
}

/// The same as signed transactions in hex, as a wallet writes them.
fn blobs(n: u8, proposal: &ProposalView) -> String {
    let key = testing::key(n);
    let blob = |rung: &treasury_api::types::RungView| {
        let tx = xrpl_wire::Transaction::decode(&hex::decode(&rung.blob).unwrap()).unwrap();
        let signer = xrpl_wire::sign::sign_for(&tx, key.account_id(), &key).unwrap();
        hex::encode_upper(xrpl_wire::sign::assemble(&tx, vec![signer]).unwrap().encode())
    };
    proposal.rungs.iter().map(blob).collect::<Vec<_>>().join("\n")
}

struct Browser {
    url: String,
    /// Where its forms come from.
    origin: String,
    http: reqwest::Client,
    cookie: String,
}

struct Page {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Page {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The value of the form's field.
    fn field(&self, name: &str) -> String {
        let begin = format!("name=\"{name}\" value=\"");
        let (_, rest) = self.text.split_once(&begin).unwrap_or_else(|| panic!("no {name} in {}", self.text));
        rest.split('"').next().unwrap().to_owned()
    }
}

impl Browser {
    async fn page_of(response: reqwest::Response) -> Page {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Page { status, headers, text: response.text().await.unwrap() }
    }

    async fn get(&self, path: &str) -> Page {
        let request = self.http.get(format!("{}{path}", self.url)).header("cookie", &self.cookie);
        Self::page_of(request.send().await.unwrap()).await
    }

    /// A page that is there.
    async fn shows(&self, path: &str) -> String {
        let page = self.get(path).await;
        assert_eq!(page.status, 200, "{path}: {}", page.text);
        page.text
    }

    /// A form as it is given, from our own origin unless the headers say otherwise.
    async fn send(&self, path: &str, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> Page {
        let request = self.http.post(format!("{}{path}", self.url)).header("cookie", &self.cookie);
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        let body = body.extend_pairs(fields).finish();
        let mut request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        let own = [("origin", self.origin.as_str()), ("sec-fetch-site", "same-origin")];
        let given: BTreeMap<&str, &str> = own.into_iter().chain(headers.iter().copied()).collect();
        for (name, value) in given.into_iter().filter(|(_, value)| !value.is_empty()) {
            request = request.header(name, value);
        }
        Self::page_of(request.send().await.unwrap()).await
    }

    /// What its forms carry.
    async fn csrf(&self) -> String {
        self.get("/console").await.field("csrf")
    }

    /// The form of a page, with what makes it ours.
    async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let csrf = self.csrf().await;
        let all: Vec<(&str, &str)> =
            [("csrf", csrf.as_str())].into_iter().chain(fields.iter().copied()).collect();
        self.send(path, &all, &[]).await
    }

    /// A form that is taken, and what the page after it says was done.
    async fn does(&self, path: &str, fields: &[(&str, &str)]) -> String {
        let page = self.submit(path, fields).await;
        assert_eq!(page.status, 303, "{path}: {}", page.text);
        self.said(page.header("location")).await
    }

    async fn said(&self, path: &str) -> String {
        let text = self.shows(path).await;
        let (_, rest) = text.split_once("role=\"status\">").unwrap_or_else(|| panic!("nothing said: {text}"));
        rest.split("</p>").next().unwrap().to_owned()
    }

    /// A form that is refused: the status, and the code that the page shows.
    async fn refused(&self, path: &str, fields: &[(&str, &str)]) -> (u16, String) {
        code_of(&self.submit(path, fields).await)
    }
}

/// The status, and the code that the page shows.
fn code_of(page: &Page) -> (u16, String) {
    let (_, rest) = page.text.split_once("<p class=\"hint\">").unwrap_or_else(|| panic!("{}", page.text));
    (page.status, rest.split(',').next().unwrap().to_owned())
}

/// One page after another, of everybody: all that the console shows, and the files that it gives.
async fn everything(served: &Served, ids: &[&str]) -> (String, String) {
    let (mut pages, mut files) = (String::new(), String::new());
    for person in ["alice", "bob", "sue", "adam"] {
        let browser = served.login(person).await;
        let one =
            |id: &&str| [format!("/console/proposals/{id}"), format!("/console/proposals/{id}/package.json")];
        let paths = PAGES.iter().map(|path| (*path).to_owned()).chain(ids.iter().flat_map(one));
        for path in
            paths.chain(["/console/proposals?which=all".to_owned(), "/console/history.csv".to_owned()])
        {
            let page = browser.get(&path).await;
            assert_eq!(page.status, 200, "{path}");
            let is_page = page.header("content-type").starts_with("text/html");
            if is_page { &mut pages } else { &mut files }.push_str(&page.text);
        }
    }
    (pages, files)
}
