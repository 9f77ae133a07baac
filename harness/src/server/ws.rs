//! One websocket: requests are answered in their order, stream frames come between.

use std::pin::pin;
use std::sync::Arc;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::sync::Notify;

use super::outbox::{Outbox, Outgoing, outbox};
use super::shared::Shared;
use crate::embedded::rpc::{self, Request};

/// Serves a websocket until the client leaves, the server stops or the hub hangs up.
pub(super) async fn serve(shared: Arc<Shared>, admin: bool, socket: WebSocket) {
    let (frames, queue) = outbox(shared.send_queue_frames());
    let hang_up = Arc::new(Notify::new());
    let Some(id) = shared.hub().add(frames.clone(), Arc::clone(&hang_up)) else {
        tracing::warn!("too many websockets; one more is refused");
        return;
    };
    let (sink, stream) = socket.split();
    // The writer is its own task: a client that does not read must not keep its requests from being seen to
    // have stopped, nor the server from stopping.
    let writer = tokio::spawn(write(sink, queue, Arc::clone(&hang_up), Arc::clone(&shared)));
    read(&shared, admin, id, stream, &frames, &hang_up).await;
    shared.hub().remove(id);
    drop(frames);
    hang_up.notify_one();
    if let Err(error) = writer.await {
        tracing::debug!(%error, "a websocket's writer ended early");
    }
}

async fn read(
    shared: &Arc<Shared>,
    admin: bool,
    id: u64,
    mut stream: SplitStream<WebSocket>,
    frames: &Outbox,
    hang_up: &Notify,
) {
    let mut stopped = pin!(shared.stopped());
    let mut gone = pin!(frames.closed());
    loop {
        let asked = async {
            frames.asks_for_more().await;
            stream.next().await
        };
        let message = tokio::select! {
            message = asked => message,
            () = &mut gone => return,
            () = &mut stopped => {
                hang_up.notify_one();
                return;
            }
        };
        let reply = match message {
            Some(Ok(Message::Text(text))) => answer(shared, admin, id, &text),
            Some(Ok(Message::Binary(bytes))) => answer(shared, admin, id, &String::from_utf8_lossy(&bytes)),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
            Some(Ok(Message::Close(_)) | Err(_)) | None => return,
        };
        // Waiting here is what slows down a client that asks faster than it reads.
        if let Some(reply) = reply
            && !frames.send(reply).await
        {
            return;
        }
        // The reply comes before the ledger.
        shared.close_for_submitted();
    }
}

/// The reply to a frame; none where it was queued already, or where the server is silent.
fn answer(shared: &Arc<Shared>, admin: bool, id: u64, text: &str) -> Option<Utf8Bytes> {
    match Request::from_ws(text, admin) {
        Err(reply) => (!shared.is_silent()).then(|| reply.to_string().into()),
        Ok(request) if rpc::subscribes(&request.method) => {
            shared.serve_subscription(id, &request);
            None
        }
        Ok(request) => shared.serve(&request).map(|reply| reply.to_string().into()),
    }
}

async fn write(
    mut sink: SplitSink<WebSocket, Message>,
    mut queue: Outgoing,
    hang_up: Arc<Notify>,
    shared: Arc<Shared>,
) {
    let reason = loop {
        let frame = tokio::select! {
            biased;
            () = hang_up.notified() => break "the server hangs up",
            frame = queue.next() => frame,
        };
        let Some(frame) = frame else { break "" };
        let delay = shared.faults().delay;
        if !delay.is_zero() {
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                () = hang_up.notified() => break "the server hangs up",
            }
        }
        // All that waits goes out in one write.
        let batch = async {
            sink.feed(Message::Text(frame)).await?;
            while let Some(frame) = queue.at_hand() {
                sink.feed(Message::Text(frame)).await?;
            }
            sink.flush().await
        };
        tokio::select! {
            sent = batch => if sent.is_err() { return },
            () = hang_up.notified() => break "the server hangs up",
        }
    };
    queue.close();
    let close = CloseFrame { code: close_code::AWAY, reason: reason.into() };
    // A client that does not read will not read this either, and must not hold up the end.
    let goodbye = async {
        let said = sink.send(Message::Close(Some(close))).await;
        drop(said);
        drop(sink.close().await);
    };
    if tokio::time::timeout(super::GOODBYE, goodbye).await.is_err() {
        tracing::debug!("a websocket was closed without goodbye");
    }
}
