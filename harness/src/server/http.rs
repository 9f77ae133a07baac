//! JSON-RPC and the upgrade to a websocket, on every port.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::shared::Shared;
use super::ws;
use crate::embedded::rpc::Request;
use crate::embedded::rpc::request::REQUEST_MAX_BYTES;

/// Frames may be a little longer than requests, so that a request too long is answered as such.
const MESSAGE_MAX_BYTES: usize = 2 * REQUEST_MAX_BYTES;

const HEALTH_PAGE: &str = "<!DOCTYPE html><html><head><title>xrpl-standalone</title></head><body>\
    <h1>xrpl-standalone</h1><p>The ledger is up: JSON-RPC by POST, websocket by upgrade.</p></body></html>\r\n";

/// What a port gives its handlers.
#[derive(Clone)]
struct Port {
    shared: Arc<Shared>,
    admin: bool,
}

/// The routes of one port. As on the server, the path does not matter.
pub(super) fn router(shared: Arc<Shared>, admin: bool) -> Router {
    Router::new()
        .fallback(serve)
        .layer(DefaultBodyLimit::max(MESSAGE_MAX_BYTES))
        .with_state(Port { shared, admin })
}

async fn serve(
    State(port): State<Port>,
    method: Method,
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
    if method == Method::GET && body.is_empty() {
        let mut response = HEALTH_PAGE.into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
        return response;
    }
    let version = port.shared.read().rules().generation().version();
    match Request::from_json_rpc(&body, port.admin) {
        Err(refusal) => {
            let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
            reply(version, status, &refusal.body)
        }
        Ok(request) => match port.shared.serve(&request) {
            Some(answer) => reply(version, StatusCode::OK, &answer.to_string()),
            None => {
                // Silent, as a fault asks: the connection stays open and nothing comes, until the server stops.
                port.shared.stopped().await;
                reply(version, StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
            }
        },
    }
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
