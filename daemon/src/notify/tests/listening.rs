//! Programs that listen: what they cost, and what becomes of those that take nothing.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use treasury_api::client::{Client, Told as Heard};
use treasury_api::notice::START;

use super::story::Told;
use super::*;
use crate::http::{App, HEARTBEAT, Limits, Tokens};
use crate::store::MemoryStore;
use crate::testing;

struct Served {
    told: Told,
    url: String,
    metrics: Arc<Metrics>,
    _stop: watch::Sender<bool>,
}

async fn served(limits: Limits) -> Served {
    served_from(&Disk::default(), limits).await
}

async fn served_from(disk: &Disk, limits: Limits) -> Served {
    let told = Told::start_in(&MemoryStore::new(), world(disk, &["ops"])).await;
    let metrics = Arc::new(Metrics::new().unwrap());
    let app = App::new(told.handle.clone(), Arc::clone(&metrics), Tokens::new(&testing::tokens()), limits)
        .with_desk(Some(Arc::clone(&told.world.desk)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(crate::http::serve(listener, app, stopped));
    Served { told, url, metrics, _stop: stop }
}

impl Served {
    fn client(&self, person: &str) -> Client {
        Client::new(&self.url, Some(testing::token_of(person))).unwrap()
    }

    /// A stream of the person's as it goes over the wire.
    async fn raw(&self, person: &str, more: &str) -> TcpStream {
        let mut socket = TcpStream::connect(self.url.trim_start_matches("http://")).await.unwrap();
        let token = testing::token_of(person);
        let head = format!(
            "GET /v1/notices/stream?after=start HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n{more}\r\n"
        );
        socket.write_all(head.as_bytes()).await.unwrap();
        socket
    }

    fn streams(&self) -> String {
        let text = self.metrics.text().unwrap();
        text.lines().find(|line| line.starts_with("treasuryd_streams ")).unwrap().to_owned()
    }
}

/// What has come by the time that a text is in it.
async fn read_until(socket: &mut TcpStream, text: &str) -> String {
    let (mut all, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let read = socket.read(&mut piece).await.unwrap();
        assert!(read > 0, "it ended before {text:?}: {}", String::from_utf8_lossy(&all));
        all.extend_from_slice(&piece[..read]);
        if String::from_utf8_lossy(&all).contains(text) {
            return String::from_utf8(all).unwrap();
        }
    }
}

/// Danger: one notice that the disk has damaged ends the stream of every program, and again whenever it comes back.
#[tokio::test]
async fn a_notice_that_is_damaged_is_left_out_of_the_stream_which_says_so_and_goes_on() {
    let disk = Disk::default();
    let served = served_from(&disk, Limits::default()).await;
    served.told.world.tell("ops", 3);
    let last = served.told.world.desk.outbox().last();
    disk.damage(last - 1);
    let id_of = |number| served.told.world.desk.outbox().delivery("ops", number).unwrap().unwrap().0.id;
    let (before, after) = (id_of(last - 2), id_of(last));
    let mut socket = served.raw("bob", &format!("last-event-id: {before}\r\n")).await;
    let text = read_until(&mut socket, &after).await;
    assert!(text.contains("event: trimmed") && text.contains("\"missing\":1"), "{text}");
    served.told.world.tell("ops", 1);
    let newest = served.told.world.desk.list(u64::MAX, None, None, 1).unwrap()[0].notice.id.clone();
    read_until(&mut socket, &newest).await;
}

#[tokio::test]
async fn an_event_has_its_id_and_kind_beside_it_and_the_header_of_whoever_comes_again_goes_before_the_query()
{
    let served = served(Limits::default()).await;
    served.told.world.tell("ops", 3);
    let listed = served.told.world.desk.list(u64::MAX, None, None, 10).unwrap();
    let ids: Vec<&str> = listed.iter().rev().map(|delivery| delivery.notice.id.as_str()).collect();
    let mut socket = served.raw("bob", &format!("last-event-id: {}\r\n", ids[1])).await;
    let text = read_until(&mut socket, "\ndata: {").await;
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    for header in ["content-type: text/event-stream", "cache-control: no-store", "x-accel-buffering: no"] {
        assert!(head.contains(header), "{head}");
    }
    let document = listed[0].notice.document().unwrap();
    assert!(body.contains(&format!("id: {}\n\n", ids[1])), "{body}");
    assert!(body.contains(&format!("id: {}\nevent: test\ndata: {document}\n\n", ids[2])), "{body}");
    assert!(!body.contains(ids[0]), "{body}");
}

#[tokio::test(start_paused = true)]
async fn where_there_is_nothing_to_say_a_comment_says_that_the_stream_lives() {
    let served = served(Limits::default()).await;
    let mut socket = served.raw("bob", "").await;
    read_until(&mut socket, "id: start").await;
    let began = Instant::now();
    for _ in 0..3 {
        read_until(&mut socket, ":\n\n").await;
    }
    let took = began.elapsed();
    assert!(took >= HEARTBEAT * 2 && took <= HEARTBEAT * 4, "{took:?}");
}

/// Danger: whoever opens streams takes every place of the API, and nobody can freeze anything any more.
#[tokio::test]
async fn streams_have_places_of_their_own_and_nobody_takes_more_than_theirs() {
    let limits =
        Limits { connections: 32, requests: 4, stops: 2, probes: 2, streams: 8, ..Limits::default() };
    let served = served(limits).await;
    let mut open = Vec::new();
    for person in ["bob", "bob", "sue", "sue", "adam", "adam"] {
        open.push(served.client(person).watch(None).await.unwrap());
    }
    let refused = served.client("bob").watch(None).await.unwrap_err();
    assert_eq!(refused.code(), Some("RATE_LIMITED"));
    open.push(served.client("alice").watch(None).await.unwrap());
    open.push(served.client("alice").watch(None).await.unwrap());
    assert_eq!(served.streams(), "treasuryd_streams 8");
    assert!(served.client("sue").freeze(None, "a stranger called").await.unwrap().changed);
    assert!(Client::new(&served.url, None).unwrap().metrics().await.unwrap().contains("treasuryd_sight"));
    // Ten times as many silent connections as there is room for cut each other, and none of those who listen.
    let mut silent = Vec::new();
    for _ in 0..10 * limits.connections {
        silent.push(TcpStream::connect(served.url.trim_start_matches("http://")).await.unwrap());
    }
    for watch in &mut open {
        loop {
            match watch.next().await.unwrap() {
                Some(Heard::Notice(notice, _)) if notice.kind == Kind::Freeze => break,
                Some(_) => {}
                None => panic!("it was cut"),
            }
        }
    }
    drop((open, silent));
    while served.streams() != "treasuryd_streams 0" {
        tokio::task::yield_now().await;
    }
    served.client("bob").watch(None).await.unwrap();
}

/// Danger: a program takes nothing of what it hears, and what it does not take fills memory or keeps others waiting.
/// Method: more than the buffers of a socket hold, to one that never reads, beside one that does and a webhook.
#[tokio::test]
async fn a_program_that_takes_nothing_is_cut_and_keeps_nobody_waiting() {
    let limits = Limits { answer: Duration::from_millis(500), ..Limits::default() };
    let mut served = served(limits).await;
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut hung = socket.connect(served.url.trim_start_matches("http://").parse().unwrap()).await.unwrap();
    let token = testing::token_of("bob");
    let head = format!("GET /v1/notices/stream HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n");
    hung.write_all(head.as_bytes()).await.unwrap();
    while served.streams() != "treasuryd_streams 1" {
        tokio::task::yield_now().await;
    }
    let mut watch = served.client("sue").watch(Some(START)).await.unwrap();
    let (mut told, mut heard, mut posted) = (0, 0, 0);
    // The buffers of both sides hold some megabytes.
    while served.streams() != "treasuryd_streams 1" || told == 0 {
        served.told.world.tell("ops", 100);
        told += 100;
        assert!(told < 200_000, "it is still served");
        while heard < told {
            if let Some(Heard::Notice(notice, _)) = watch.next().await.unwrap()
                && notice.kind == Kind::Test
            {
                heard += 1;
            }
        }
        while posted < told {
            if served.told.world.got.recv().await.unwrap().notice.kind == Kind::Test {
                posted += 1;
            }
        }
    }
    assert!(served.client("sue").freeze(None, "meanwhile").await.unwrap().changed);
}

/// Danger: what was taken away while somebody was slow is passed over in silence.
#[tokio::test]
async fn what_is_kept_no_more_is_counted_for_whoever_had_not_heard_it() {
    let world = world(&Disk::default(), &[]);
    let notice = |number: u64| {
        let id = format!("n-s-{number}");
        let notice = Notice::new(id, Kind::Quorum, Severity::Info, String::new(), "x".to_owned());
        super::super::outbox::Addressed { notice, channels: Vec::new(), alerts: Vec::new() }
    };
    for number in 0..10_000 {
        world.desk.outbox().add(notice(number), None).unwrap();
    }
    let mut slow = Arc::clone(&world.desk).listen(Some("n-s-4"));
    let first = slow.next().unwrap();
    assert!(first.starts_with("id: n-s-5\n"), "{first}");
    let mut late = Arc::clone(&world.desk).listen(Some("n-s-2"));
    for number in 10_000..10_020 {
        world.desk.outbox().add(notice(number), None).unwrap();
    }
    let text = late.next().unwrap();
    assert!(text.starts_with("event: trimmed\ndata: {"), "{text}");
    assert!(text.contains("\"after\":\"n-s-2\",\"missing\":17,"), "{text}");
    assert!(text.contains("id: n-s-20\n") && !text.contains("id: n-s-19\n"), "{text}");
    let gone = Arc::clone(&world.desk).listen(Some("n-s-2")).greeting();
    assert!(gone.starts_with("event: trimmed\n") && !gone.contains("missing"), "{gone}");
    assert_eq!(Arc::clone(&world.desk).listen(Some(START)).greeting(), "id: start\n\n");
    assert_eq!(Arc::clone(&world.desk).listen(None).greeting(), "id: n-s-10019\n\n");
}
