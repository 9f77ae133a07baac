//! Requests as they arrive and replies as they leave, on both transports.

use serde_json::{Map, Value};

use super::error::{Failure, RpcResult};
use super::params::Params;
use super::{Call, Outcome, ServerFacts};

/// The longest request the server reads, in bytes.
pub const REQUEST_MAX_BYTES: usize = 1_000_000;

/// How a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// `POST /` with `{"method", "params": [{…}]}`.
    JsonRpc,
    /// A websocket frame `{"id", "command", …}`.
    Ws,
}

/// One request.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The parameters: over a websocket the whole frame, over JSON-RPC the one entry of `params` and
    /// the method as `command`. Errors echo them.
    pub params: Map<String, Value>,
    /// 1 or 2.
    pub api_version: u32,
    /// How it came.
    pub transport: Transport,
    /// Whether it came on an administrator's port.
    pub admin: bool,
}

/// A request refused before any method saw it, in HTTP's terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRefusal {
    /// The HTTP status.
    pub status: u16,
    /// The body, without the line end that the server appends.
    pub body: String,
}

impl HttpRefusal {
    fn bad_request(body: impl Into<String>) -> Self {
        Self { status: 400, body: body.into() }
    }
}

impl Request {
    /// A request over JSON-RPC, as tests and the replayer make it.
    #[must_use]
    pub fn json_rpc(method: &str, mut params: Map<String, Value>, admin: bool) -> Option<Self> {
        let api_version = api_version(&params)?;
        params.insert("command".to_owned(), method.into());
        Some(Self { method: method.to_owned(), params, api_version, transport: Transport::JsonRpc, admin })
    }

    /// Reads the body of a JSON-RPC request.
    ///
    /// # Errors
    /// What the server refuses with an HTTP status instead of a reply.
    pub fn from_json_rpc(body: &[u8], admin: bool) -> Result<Self, HttpRefusal> {
        if body.len() > REQUEST_MAX_BYTES {
            return Err(HttpRefusal::bad_request("Unable to parse request: "));
        }
        let mut envelope: Map<String, Value> = match serde_json::from_slice(body) {
            Ok(Value::Object(envelope)) if !envelope.is_empty() => envelope,
            _ => return Err(HttpRefusal::bad_request("Unable to parse request: ")),
        };
        let method = match envelope.get("method") {
            None | Some(Value::Null) => Err("Null method"),
            Some(Value::String(method)) if method.is_empty() => Err("method is empty"),
            Some(Value::String(method)) => Ok(method.clone()),
            Some(_) => Err("method is not string"),
        };
        let params = match envelope.remove("params") {
            // Whatever is empty stands for no parameters.
            None | Some(Value::Null) => Ok(Map::new()),
            Some(Value::Array(list)) if list.is_empty() => Ok(Map::new()),
            Some(Value::Object(none)) if none.is_empty() => Ok(none),
            Some(Value::String(none)) if none.is_empty() => Ok(Map::new()),
            Some(Value::Array(mut list)) if list.len() == 1 => match list.pop() {
                Some(Value::Object(params)) => Ok(params),
                None | Some(Value::Null) => Ok(Map::new()),
                Some(_) => Err("params unparsable"),
            },
            Some(_) => Err("params unparsable"),
        };
        // The version is looked at first: a wrong one is refused whatever else is wrong.
        if let Ok(params) = &params
            && api_version(params).is_none()
        {
            return Err(HttpRefusal::bad_request("invalid_API_version"));
        }
        let method = method.map_err(HttpRefusal::bad_request)?;
        if super::is_admin(&method) && !admin {
            return Err(HttpRefusal { status: 403, body: "Forbidden".to_owned() });
        }
        let params = params.map_err(HttpRefusal::bad_request)?;
        if params.get("ripplerpc").is_some_and(|version| !version.is_string()) {
            return Err(HttpRefusal::bad_request("ripplerpc is not a string"));
        }
        Self::json_rpc(&method, params, admin).ok_or_else(|| HttpRefusal::bad_request("invalid_API_version"))
    }

    /// Reads a websocket frame.
    ///
    /// # Errors
    /// The frame to answer instead.
    pub fn from_ws(frame: &str, admin: bool) -> Result<Self, Value> {
        let parsed = if frame.len() > REQUEST_MAX_BYTES { None } else { serde_json::from_str(frame).ok() };
        match parsed {
            Some(Value::Object(params)) => Self::from_ws_object(params, admin),
            _ => Err(Value::Object(super::fields([
                ("type", "error".into()),
                ("error", "jsonInvalid".into()),
                ("value", frame.into()),
            ]))),
        }
    }

    /// Reads a websocket frame that is already an object.
    ///
    /// # Errors
    /// The frame to answer instead.
    pub fn from_ws_object(params: Map<String, Value>, admin: bool) -> Result<Self, Value> {
        let version = api_version(&params);
        let method = match (params.get("command"), params.get("method")) {
            (Some(Value::String(command)), None) => Some(command.clone()),
            (None, Some(Value::String(method))) => Some(method.clone()),
            (Some(Value::String(command)), Some(Value::String(method))) if command == method => {
                Some(command.clone())
            }
            _ => None,
        };
        match (version, method) {
            (Some(api_version), Some(method)) => {
                Ok(Self { method, params, api_version, transport: Transport::Ws, admin })
            }
            (version, _) => {
                let error = if version.is_none() { "invalid_API_version" } else { "missingCommand" };
                let mut reply = super::fields([
                    ("type", "response".into()),
                    ("status", "error".into()),
                    ("error", error.into()),
                ]);
                copy_envelope(&params, &mut reply);
                reply.insert("request".to_owned(), Value::Object(params));
                Err(Value::Object(reply))
            }
        }
    }

    /// The reply to an outcome, in the envelope of the request's transport.
    #[must_use]
    pub fn reply(&self, outcome: Outcome) -> Value {
        match self.transport {
            Transport::JsonRpc => {
                let mut envelope = match (self.reports_apart(), outcome.result) {
                    (true, Err(failure)) => super::fields([("error", Value::Object(reported(failure)))]),
                    (_, result) => super::fields([("result", Value::Object(self.result(result)))]),
                };
                for name in ["jsonrpc", "ripplerpc", "id"] {
                    if let Some(value) = self.params.get(name) {
                        envelope.insert(name.to_owned(), value.clone());
                    }
                }
                Value::Object(envelope)
            }
            Transport::Ws => {
                let mut reply = match outcome.result {
                    Ok(result) => {
                        super::fields([("result", Value::Object(result)), ("status", "success".into())])
                    }
                    failure => self.result(failure),
                };
                copy_envelope(&self.params, &mut reply);
                reply.insert("type".to_owned(), "response".into());
                Value::Object(reply)
            }
        }
    }

    /// The `result` of a JSON-RPC reply: the fields, the status, and on an error the request.
    #[must_use]
    pub fn result(&self, result: RpcResult) -> Map<String, Value> {
        match result {
            Ok(mut fields) => {
                fields.insert("status".to_owned(), "success".into());
                fields
            }
            Err(failure) => {
                let mut fields = failure.0;
                fields.insert("status".to_owned(), "error".into());
                fields.insert("request".to_owned(), Value::Object(masked(self.params.clone())));
                fields
            }
        }
    }

    /// Whether errors stand apart from results, as they do since version 2.0 of the envelope, and do not echo.
    fn reports_apart(&self) -> bool {
        self.params.get("ripplerpc").and_then(Value::as_str).is_some_and(|version| version >= "2.0")
    }

    pub(crate) fn call<'a>(&'a self, facts: &'a ServerFacts) -> Call<'a> {
        Call {
            params: Params(&self.params),
            api_version: self.api_version,
            admin: self.admin,
            ws: self.transport == Transport::Ws,
            facts,
        }
    }
}

/// An error as version 2.0 of the envelope has it: by two names more, and one less.
fn reported(failure: Failure) -> Map<String, Value> {
    let mut fields = failure.0;
    let code = fields.entry("error_code").or_insert(Value::Null).clone();
    let message = fields.remove("error_message").unwrap_or_default();
    fields.extend(super::fields([("code", code), ("message", message), ("status", "error".into())]));
    fields
}

/// The version asked for: 1 where none is named, none where the server has no such version.
fn api_version(params: &Map<String, Value>) -> Option<u32> {
    match params.get("api_version") {
        None => Some(1),
        Some(value) => match value.as_u64() {
            Some(1) => Some(1),
            Some(2) => Some(2),
            _ => None,
        },
    }
}

fn copy_envelope(params: &Map<String, Value>, reply: &mut Map<String, Value>) {
    for name in ["id", "jsonrpc", "ripplerpc", "api_version"] {
        if let Some(value) = params.get(name) {
            reply.insert(name.to_owned(), value.clone());
        }
    }
}

/// Errors echo the request; secrets in it must not come back.
fn masked(mut params: Map<String, Value>) -> Map<String, Value> {
    for name in ["passphrase", "secret", "seed", "seed_hex"] {
        if let Some(value) = params.get_mut(name) {
            *value = "<masked>".into();
        }
    }
    params
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_request_is_refused_in_the_servers_words() {
        for (body, status, text) in [
            ("", 400, "Unable to parse request: "),
            ("[]", 400, "Unable to parse request: "),
            ("{", 400, "Unable to parse request: "),
            ("{}", 400, "Unable to parse request: "),
            (r#"{"params":[]}"#, 400, "Null method"),
            (r#"{"method":null}"#, 400, "Null method"),
            (r#"{"method":""}"#, 400, "method is empty"),
            (r#"{"method":7}"#, 400, "method is not string"),
            (r#"{"method":"ping","params":7}"#, 400, "params unparsable"),
            (r#"{"method":"ping","params":"x"}"#, 400, "params unparsable"),
            (r#"{"method":"ping","params":{"id":1}}"#, 400, "params unparsable"),
            (r#"{"method":"ping","params":[7]}"#, 400, "params unparsable"),
            (r#"{"method":"ping","params":[{"ripplerpc":2.0}]}"#, 400, "ripplerpc is not a string"),
            (r#"{"method":"ping","params":[{"ripplerpc":null}]}"#, 400, "ripplerpc is not a string"),
            (r#"{"method":"ping","params":[{},{}]}"#, 400, "params unparsable"),
            (r#"{"method":"ping","params":[{"api_version":3}]}"#, 400, "invalid_API_version"),
            (r#"{"method":"ping","params":[{"api_version":"1"}]}"#, 400, "invalid_API_version"),
            (r#"{"method":"ledger_accept"}"#, 403, "Forbidden"),
        ] {
            let refusal = Request::from_json_rpc(body.as_bytes(), false).unwrap_err();
            assert_eq!((refusal.status, refusal.body.as_str()), (status, text), "{body}");
        }
    }

    #[test]
    fn errors_stand_apart_from_results_in_version_2_of_the_envelope() {
        let reply = |version: &str, result| {
            let body = format!(r#"{{"method":"ping","params":[{{"ripplerpc":"{version}"}}]}}"#);
            let request = Request::from_json_rpc(body.as_bytes(), false).unwrap();
            request.reply(Outcome { result, effects: Default::default() })
        };
        let failure = || Err(super::super::error::RpcError::ActNotFound.into());
        let old = reply("1.0", failure());
        assert_eq!((&old["result"]["error"], &old["error"]), (&"actNotFound".into(), &Value::Null));
        for version in ["2.0", "3.0"] {
            assert_eq!(
                reply(version, failure()),
                serde_json::json!({"error": {"error": "actNotFound", "error_code": 19, "code": 19,
                    "message": "Account not found.", "status": "error"}, "ripplerpc": version})
            );
            let good = reply(version, Ok(Map::new()));
            assert_eq!(good["result"], serde_json::json!({"status": "success"}));
        }
    }

    #[test]
    fn parameters_that_are_empty_are_none() {
        for body in [
            "",
            r#","params":null"#,
            r#","params":[]"#,
            r#","params":[null]"#,
            r#","params":{}"#,
            r#","params":"""#,
        ] {
            let request = Request::from_json_rpc(format!(r#"{{"method":"ping"{body}}}"#).as_bytes(), false);
            let params = request.unwrap().params;
            assert_eq!(Value::Object(params), serde_json::json!({"command": "ping"}), "{body}");
        }
    }

    #[test]
    fn frames_that_are_not_requests_are_answered() {
        for (frame, error) in [
            ("", "jsonInvalid"),
            ("nonsense", "jsonInvalid"),
            ("[1]", "jsonInvalid"),
            ("{}", "missingCommand"),
            (r#"{"command":1}"#, "missingCommand"),
            (r#"{"command":"ping","method":"fee"}"#, "missingCommand"),
            (r#"{"command":"ping","api_version":0}"#, "invalid_API_version"),
        ] {
            let reply = Request::from_ws(frame, false).unwrap_err();
            assert_eq!(reply["error"], error, "{frame}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(Request::from_ws(&deep, false).unwrap_err()["error"], "jsonInvalid");
    }

    #[test]
    fn secrets_are_masked_when_an_error_echoes_the_request() {
        let request = Request::from_ws(r#"{"command":"sign","secret":"s","seed":"t","id":4}"#, true).unwrap();
        let failure = super::super::error::RpcError::BadSeed.into();
        let reply = request.reply(Outcome { result: Err(failure), effects: Default::default() });
        assert_eq!(reply["request"]["secret"], "<masked>");
        assert_eq!(reply["request"]["seed"], "<masked>");
        assert_eq!((&reply["id"], &reply["status"]), (&4.into(), &"error".into()));
    }
}
