//! A websocket and a JSON-RPC client, as small as tests need them.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use xrpl_harness::{EmbeddedConfig, EmbeddedServer};
use xrpl_wire::{AccountId, Drops, KeyPair, KeyType, Seed};

/// Longer than anything here takes, shorter than anybody waits.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) async fn start() -> EmbeddedServer {
    EmbeddedServer::start(EmbeddedConfig::default()).await.unwrap()
}

/// A test's own account.
pub(crate) fn account(name: &str) -> (KeyPair, AccountId) {
    let mut entropy = [7; 16];
    name.bytes().zip(entropy.iter_mut()).for_each(|(from, to)| *to = from);
    let keys = KeyPair::from_seed(&Seed::from_entropy(entropy, KeyType::Ed25519));
    let account = keys.account_id();
    (keys, account)
}

pub(crate) fn xrp(amount: u64) -> Drops {
    Drops::new(amount * 1_000_000).unwrap()
}

/// A websocket that keeps what comes between request and reply.
pub(crate) struct Ws {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub(crate) frames: VecDeque<Value>,
    next_id: u64,
}

impl Ws {
    pub(crate) async fn connect(url: &str) -> Ws {
        let (socket, _) = connect_async(url).await.unwrap();
        Ws { socket, frames: VecDeque::new(), next_id: 1 }
    }

    pub(crate) async fn send_text(&mut self, text: &str) {
        self.socket.send(Message::text(text.to_owned())).await.unwrap();
    }

    /// Sends, and says whether the socket still took it.
    pub(crate) async fn try_send_text(&mut self, text: &str) -> bool {
        self.socket.send(Message::text(text.to_owned())).await.is_ok()
    }

    /// The next frame from the socket; none when it is closed.
    pub(crate) async fn receive(&mut self) -> Option<Value> {
        let text = self.receive_text().await?;
        Some(serde_json::from_str(&text).unwrap())
    }

    pub(crate) async fn receive_text(&mut self) -> Option<String> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("a frame in time");
            match message {
                Some(Ok(Message::Text(text))) => return Some(text.to_string()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// Asks, and returns the reply; frames that come before it are kept.
    pub(crate) async fn request(&mut self, command: &str, mut params: Value) -> Value {
        let id = self.next_id;
        self.next_id += 1;
        let fields = params.as_object_mut().unwrap();
        fields.insert("id".to_owned(), json!(id));
        fields.insert("command".to_owned(), json!(command));
        self.send_text(&params.to_string()).await;
        loop {
            let frame = self.receive().await.expect("a reply");
            if frame["id"] == json!(id) {
                return frame;
            }
            self.frames.push_back(frame);
        }
    }

    /// Asks in version 2, and returns the result of a success.
    pub(crate) async fn ask(&mut self, command: &str, mut params: Value) -> Value {
        params["api_version"] = json!(2);
        let mut reply = self.request(command, params).await;
        assert_eq!(reply["status"], "success", "{command}: {reply}");
        assert_eq!((&reply["type"], &reply["api_version"]), (&json!("response"), &json!(2)));
        reply["result"].take()
    }

    /// The next frame that is not a reply.
    pub(crate) async fn frame(&mut self) -> Value {
        match self.frames.pop_front() {
            Some(frame) => frame,
            None => self.receive().await.expect("a frame"),
        }
    }
}

/// Posts a body and returns the HTTP status and the body of the answer.
pub(crate) async fn post(url: &str, body: &str) -> (u16, String) {
    let address = url.trim_start_matches("http://");
    let request = format!(
        "POST / HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    );
    http(address, &request).await
}

/// Sends a raw HTTP request and returns status and body.
pub(crate) async fn http(address: &str, request: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

/// Calls a method over JSON-RPC and returns the result.
pub(crate) async fn call(url: &str, method: &str, params: Value) -> Value {
    let (status, body) = post(url, &json!({"method": method, "params": [params]}).to_string()).await;
    assert_eq!(status, 200, "{body}");
    let mut reply: Value = serde_json::from_str(&body).unwrap();
    reply["result"].take()
}
