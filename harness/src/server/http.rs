//! JSON-RPC and the upgrade to a websocket, on every port.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use xrpl_wire::Drops;

use super::shared::Shared;
use super::{explorer, faucet, ws};
use crate::embedded::rpc::Request;
use crate::embedded::rpc::request::REQUEST_MAX_BYTES;

/// Frames may be a little longer than requests, so that a request too long is answered as such.
const MESSAGE_MAX_BYTES: usize = 2 * REQUEST_MAX_BYTES;

/// What a port gives its handlers.
#[derive(Clone)]
pub(super) struct Port {
    pub(super) shared: Arc<Shared>,
    pub(super) admin: bool,
    /// What the faucet pays, if there is one.
    pub(super) faucet: Option<Drops>,
}

/// The routes of one port. As on the server, the path does not matter.
pub(super) fn router(port: Port) -> Router {
    Router::new().fallback(serve).layer(DefaultBodyLimit::max(MESSAGE_MAX_BYTES)).with_state(port)
}

async fn serve(
    State(port): State<Port>,
    method: Method,
    uri: Uri,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    if let Ok(upgrade) = upgrade {
        return upgrade
            .max_message_size(MESSAGE_MAX_BYTES)
            .max_frame_size(MESSAGE_MAX_BYTES)
            .on_upgrade(move |socket| ws::serve(port.shared, port.admin, socket));
    }
    // An unreadable body, one too long among them, is an unreadable request.
    let body = body.unwrap_or_default();
    if matches!(method, Method::GET | Method::HEAD) && body.is_empty() {
        // A snapshot, so that nobody waits for a page.
        let ledger = port.shared.read().clone();
        return explorer::serve(&ledger, uri.path(), uri.query().unwrap_or_default());
    }
    let version = port.shared.read().rules().generation().version();
    if let Some(usual) = port.faucet.filter(|_| uri.path() == faucet::PATH) {
        return faucet_reply(&port.shared, &method, &body, usual).await;
    }
    match Request::from_json_rpc(&body, port.admin) {
        Err(refusal) => {
            let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
            reply(version, status, &refusal.body)
        }
        Ok(request) => match answered(&port.shared, &request) {
            Some(answer) => reply(version, StatusCode::OK, &answer.to_string()),
            None => {
                // Silent, as a fault asks: the connection stays open and nothing comes, until the server stops.
                port.shared.stopped().await;
                reply(version, StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
            }
        },
    }
}

/// The reply to a request. What it submitted is in a ledger before it leaves, if the server closes one for that.
fn answered(shared: &Shared, request: &Request) -> Option<Value> {
    let answer = shared.serve(request);
    shared.close_for_submitted();
    answer
}

/// The faucet's reply. Pages of any origin may ask it: it gives nothing that is worth anything.
async fn faucet_reply(shared: &Shared, method: &Method, body: &[u8], usual: Drops) -> Response {
    let mut response = match *method {
        Method::OPTIONS => StatusCode::NO_CONTENT.into_response(),
        _ if shared.is_silent() => {
            shared.stopped().await;
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
        _ => {
            let (status, answer) = faucet::serve(shared, body, usual);
            (status, axum::Json(answer)).into_response()
        }
    };
    let headers = response.headers_mut();
    for name in [
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        header::ACCESS_CONTROL_ALLOW_METHODS,
    ] {
        headers.insert(name, HeaderValue::from_static("*"));
    }
    response
}

/// `version` is that of the server whose answers these are.
fn reply(version: &str, status: StatusCode, body: &str) -> Response {
    let mut response = (status, format!("{body}\r\n")).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=UTF-8"));
    if let Ok(name) = HeaderValue::from_str(&format!("xrpl-standalone-{version}")) {
        headers.insert(header::SERVER, name);
    }
    response
}
