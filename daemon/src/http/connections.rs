//! Connections: as many as there is room for, each within its time, and the one that has kept the API waiting longest
//! gives way to the next.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::Sleep;

use super::limits::Limits;

/// The largest head of a request: a path, a token and what proxies add.
const HEAD_MAX_BYTES: usize = 32 * 1024;

/// After the system refused a connection for want of something, it is left alone for a moment.
const REFUSED: Duration = Duration::from_millis(20);

/// A connection's turn while its request is being answered: then it is not waited for, and not cut.
const ANSWERING: u64 = u64::MAX;

/// One connection, as the others see it.
#[derive(Debug)]
pub(crate) struct Connection {
    /// Where it comes from.
    peer: IpAddr,
    /// When it last began to keep the API waiting, counted in turns of all connections; [`ANSWERING`].
    since: AtomicU64,
    /// All that the client has sent so far was looked at. Before that it is not the client who is slow, and whoever has
    /// just come among many is not cut for it.
    is_heard_out: AtomicBool,
    turns: Arc<AtomicU64>,
    cut: Notify,
    /// Whether requests under way are to end.
    ends: watch::Receiver<bool>,
    /// Told when a connection can be cut that could not before.
    slow: Arc<Notify>,
}

impl Connection {
    pub(super) fn peer(&self) -> IpAddr {
        self.peer
    }

    /// Becomes true when the API ends, for what would go on for ever; its sender may be gone then.
    pub(super) fn ends(&self) -> watch::Receiver<bool> {
        self.ends.clone()
    }

    /// From now on the client waits for the API.
    pub(crate) fn answering(self: &Arc<Self>) -> Answering {
        self.since.store(ANSWERING, Ordering::Relaxed);
        Answering(Arc::clone(self))
    }

    fn waits_from_now(&self) {
        self.is_heard_out.store(false, Ordering::Relaxed);
        self.since.store(self.turns.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
    }

    fn heard_out(&self) {
        if !self.is_heard_out.swap(true, Ordering::Relaxed) {
            self.slow.notify_one();
        }
    }

    /// Since when the client has kept the API waiting; `None` while it does not.
    fn slow_since(&self) -> Option<u64> {
        let since = self.since.load(Ordering::Relaxed);
        (since != ANSWERING && self.is_heard_out.load(Ordering::Relaxed)).then_some(since)
    }
}

/// While it is there, the connection is not cut.
pub(crate) struct Answering(Arc<Connection>);

impl Drop for Answering {
    fn drop(&mut self) {
        // For the client to take its answer, and for its next request.
        self.0.waits_from_now();
    }
}

/// All connections.
struct Connections {
    open: Mutex<HashMap<u64, Arc<Connection>>>,
    room: Arc<Semaphore>,
    turns: Arc<AtomicU64>,
    slow: Arc<Notify>,
    ends: watch::Receiver<bool>,
}

impl Connections {
    fn new(limits: &Limits, ends: watch::Receiver<bool>) -> Arc<Self> {
        Arc::new(Self {
            open: Mutex::default(),
            room: Arc::new(Semaphore::new(limits.connections)),
            turns: Arc::default(),
            slow: Arc::default(),
            ends,
        })
    }

    fn open(&self) -> MutexGuard<'_, HashMap<u64, Arc<Connection>>> {
        // Insert and remove leave the map whole, whatever panics around them.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Room for one more; cut is who has kept the API waiting longest.
    async fn room(&self) -> Option<OwnedSemaphorePermit> {
        loop {
            if let Ok(room) = Arc::clone(&self.room).try_acquire_owned() {
                return Some(room);
            }
            let was_cut = self.cut_slowest();
            tokio::select! {
                // It is there when the one that was cut is gone, or another.
                room = Arc::clone(&self.room).acquire_owned() => return room.ok(),
                () = self.slow.notified(), if !was_cut => {}
            }
        }
    }

    /// Answers whether there was one.
    fn cut_slowest(&self) -> bool {
        let mut open = self.open();
        let slowest =
            open.iter().filter_map(|(number, connection)| Some((connection.slow_since()?, *number))).min();
        let cut = slowest.and_then(|(_, number)| open.remove(&number));
        cut.inspect(|cut| cut.cut.notify_one()).is_some()
    }

    fn enter(self: &Arc<Self>, room: OwnedSemaphorePermit, peer: IpAddr) -> Entered {
        let number = self.turns.fetch_add(1, Ordering::Relaxed);
        let connection = Arc::new(Connection {
            peer,
            since: AtomicU64::new(number),
            is_heard_out: AtomicBool::new(false),
            turns: Arc::clone(&self.turns),
            cut: Notify::new(),
            ends: self.ends.clone(),
            slow: Arc::clone(&self.slow),
        });
        self.open().insert(number, Arc::clone(&connection));
        Entered { number, connection, all: Arc::clone(self), _room: room }
    }
}

/// A connection's place among the others; given up when dropped.
struct Entered {
    number: u64,
    connection: Arc<Connection>,
    all: Arc<Connections>,
    _room: OwnedSemaphorePermit,
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.all.open().remove(&self.number);
    }
}

/// Serves plain HTTP until `stop` becomes true or its sender is gone; then lets requests under way end.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
) {
    let connections = Connections::new(&limits, stop.clone());
    let mut tasks = JoinSet::new();
    let stopping = stop.clone();
    loop {
        // Those that have ended are let go of here, not waited for below: whoever has been accepted and waits for room
        // would be dropped.
        while tasks.try_join_next().is_some() {}
        let accepted = tokio::select! {
            biased;
            // An error means that nobody is left to say stop.
            _ = stop.wait_for(|stop| *stop) => break,
            accepted = accept(&listener, &connections) => accepted,
        };
        let Some((stream, entered)) = accepted else { continue };
        tasks.spawn(attend(stream, entered, router.clone(), limits, stopping.clone()));
    }
    drop(listener);
    while tasks.join_next().await.is_some() {}
}

/// The next connection, when there is room for it.
async fn accept(listener: &TcpListener, connections: &Arc<Connections>) -> Option<(TcpStream, Entered)> {
    match listener.accept().await {
        Ok((stream, peer)) => {
            let room = connections.room().await?;
            Some((stream, connections.enter(room, peer.ip())))
        }
        Err(error) if is_the_clients(&error) => None,
        Err(error) => {
            // Most likely there are no descriptors left. What can be done is to make one free.
            tracing::warn!(%error, "a connection was not accepted");
            connections.cut_slowest();
            tokio::time::sleep(REFUSED).await;
            None
        }
    }
}

/// Whether the client was gone before it was accepted.
fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// One connection, to its end.
async fn attend(
    stream: TcpStream,
    entered: Entered,
    router: Router,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
) {
    // Answers are small and each goes out at once.
    let _ = stream.set_nodelay(true);
    let routes = TowerToHyperService::new(router);
    let connection = &entered.connection;
    let service = service_fn(|mut request: Request<Incoming>| {
        request.extensions_mut().insert(Arc::clone(connection));
        routes.call(request)
    });
    let stream =
        Patient { stream, connection: Arc::clone(connection), patience: limits.answer, stalled: None };
    let stream = TokioIo::new(stream);
    let mut served = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head)
            .max_buf_size(HEAD_MAX_BYTES)
            .serve_connection(stream, service)
    );
    let mut is_told = false;
    loop {
        tokio::select! {
            biased;
            () = connection.cut.notified() => return,
            _ = stop.wait_for(|stop| *stop), if !is_told => {
                is_told = true;
                served.as_mut().graceful_shutdown();
            }
            ended = served.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended");
                }
                return;
            }
        }
    }
}

/// A socket whose other side has to take something from time to time.
struct Patient {
    stream: TcpStream,
    connection: Arc<Connection>,
    patience: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Patient {
    fn within_patience<T>(
        &mut self,
        written: Poll<io::Result<T>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let patience = self.patience;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        stalled.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if read.is_pending() {
            self.connection.heard_out();
        }
        read
    }
}

impl AsyncWrite for Patient {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.within_patience(written, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, pieces);
        self.within_patience(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.within_patience(flushed, cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.within_patience(shut, cx)
    }
}
