//! JSON-RPC messages: what arrives, without a copy, and what is sent.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

/// Maximum number of messages in one line: a batch of the protocol of 2025-03-26.
const MAX_BATCH: usize = 1000;

/// Maximum length of the id of a server's request, in bytes. It goes back in the answer.
const MAX_ID_BYTES: usize = 256;

/// A message from a server.
#[derive(Debug)]
pub(super) enum Incoming<'a> {
    /// The answer to the request with this id.
    Answer(u64, Result<&'a RawValue, ErrorAnswer>),
    /// A request.
    Request {
        /// Its id as JSON: a number or a string.
        id: &'a str,
        method: Cow<'a, str>,
    },
    /// A notification, or anything unexpected.
    Other,
}

/// The error that a server answers with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorAnswer {
    /// The code.
    pub code: i64,
    /// The message.
    pub message: String,
    /// The versions that the server supports, if it names them.
    pub supported: Vec<String>,
}

impl fmt::Display for ErrorAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (code {})", self.message.trim(), self.code)
    }
}

/// The fields of a message. What arrives in another form than this is unexpected.
#[derive(Deserialize)]
struct RpcFields<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<ErrorFields<'a>>,
}

#[derive(Deserialize)]
struct ErrorFields<'a> {
    #[serde(default)]
    code: i64,
    #[serde(borrow, default)]
    message: Cow<'a, str>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct VersionData {
    supported: Vec<String>,
}

/// Parses a line: one message, or a batch of them.
pub(super) fn parse(line: &[u8]) -> Vec<Incoming<'_>> {
    let batch = line.trim_ascii_start().starts_with(b"[");
    if !batch {
        let fields = serde_json::from_slice(line);
        return fields.map_or_else(|_| Vec::new(), |fields| vec![message(fields)]);
    }
    let all: Vec<&RawValue> = serde_json::from_slice(line).unwrap_or_default();
    all.into_iter()
        .take(MAX_BATCH)
        .filter_map(|raw| serde_json::from_str(raw.get()).ok())
        .map(message)
        .collect()
}

fn message(fields: RpcFields<'_>) -> Incoming<'_> {
    let id = fields.id.map(RawValue::get);
    match (id, fields.method) {
        (Some(id), Some(method)) => {
            let is_id = id.starts_with(|c: char| c == '"' || c == '-' || c.is_ascii_digit());
            if is_id && id.len() <= MAX_ID_BYTES {
                Incoming::Request { id, method }
            } else {
                Incoming::Other
            }
        }
        (Some(id), None) => match (id.parse(), fields.result, fields.error) {
            (Ok(id), Some(result), None) => Incoming::Answer(id, Ok(result)),
            (Ok(id), None, Some(error)) => Incoming::Answer(id, Err(error.into())),
            _ => Incoming::Other,
        },
        (None, _) => Incoming::Other,
    }
}

impl From<ErrorFields<'_>> for ErrorAnswer {
    fn from(fields: ErrorFields<'_>) -> Self {
        let data = fields.data.map(RawValue::get).unwrap_or_default();
        let data = serde_json::from_str::<VersionData>(data);
        Self {
            code: fields.code,
            message: fields.message.into_owned(),
            supported: data.map(|data| data.supported).unwrap_or_default(),
        }
    }
}

/// A message to a server, as one line without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// The id of a request; `None` for a notification and for an answer to the server.
    pub id: Option<u64>,
    /// The method; empty for an answer to the server.
    pub method: &'static str,
    /// The tool that is called, as the server names it.
    pub tool: Option<String>,
    /// The message as JSON.
    pub json: String,
}

impl Outgoing {
    /// A request with these parameters, a JSON object.
    pub(super) fn request(id: u64, method: &'static str, params: &str) -> Self {
        let json =
            format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#);
        Self {
            id: Some(id),
            method,
            tool: None,
            json,
        }
    }

    /// A notification with these parameters, a JSON object.
    pub(super) fn notification(method: &'static str, params: Option<&str>) -> Self {
        let params = params.map(|params| format!(r#","params":{params}"#));
        let params = params.unwrap_or_default();
        Self {
            id: None,
            method,
            tool: None,
            json: format!(r#"{{"jsonrpc":"2.0","method":"{method}"{params}}}"#),
        }
    }

    /// The answer to a request of the server: an empty result, or "not supported".
    pub(super) fn answer(id: &str, supported: bool) -> Self {
        let answer = if supported {
            r#""result":{}"#
        } else {
            r#""error":{"code":-32601,"message":"not supported"}"#
        };
        Self {
            id: None,
            method: "",
            tool: None,
            json: format!(r#"{{"jsonrpc":"2.0","id":{id},{answer}}}"#),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str) -> Vec<String> {
        let messages = parse(line.as_bytes()).into_iter();
        let show = |message| match message {
            Incoming::Answer(id, Ok(result)) => format!("answer {id}: {result}"),
            Incoming::Answer(id, Err(error)) => {
                format!("error {id}: {error} {:?}", error.supported)
            }
            Incoming::Request { id, method } => format!("request {id}: {method}"),
            Incoming::Other => "other".to_owned(),
        };
        messages.map(show).collect()
    }

    #[test]
    fn a_line_is_a_message_or_a_batch_and_anything_else_is_skipped() {
        let check = |line: &str, expected: &[&str]| assert_eq!(shown(line), expected, "{line}");
        check(r#" {"id":1,"result":{"a":1}}"#, &[r#"answer 1: {"a":1}"#]);
        check(r#"{"id":1,"result":null,"error":null}"#, &["other"]);
        check(
            r#"{"id":7,"error":{"code":-32601,"message":" no\n","data":[1]}}"#,
            &["error 7: no (code -32601) []"],
        );
        check(
            r#"{"id":7,"error":{"code":-32022,"data":{"supported":["2026-07-28"]}}}"#,
            &[r#"error 7:  (code -32022) ["2026-07-28"]"#],
        );
        check(r#"{"id":"a","method":"ping"}"#, &[r#"request "a": ping"#]);
        check(r#"{"id":{},"method":"ping"}"#, &["other"]);
        check(r#"{"id":null,"method":"ping"}"#, &["other"]);
        check(r#"{"method":"notifications/x"}"#, &["other"]);
        check(r#"{"id":"1","result":{}}"#, &["other"]);
        check(r#"{"id":1,"result":{},"error":{}}"#, &["other"]);
        check(r#"{"id":1}"#, &["other"]);
        check(r#"{"id":1,"result":{}"#, &[]);
        check(r#"{"id":1,"id":2,"result":{}}"#, &[]);
        check("hello", &[]);
        check("", &[]);
        check("7", &[]);
        check(
            r#"[{"id":1,"result":1}, 7, {"id":2,"method":"m"}]"#,
            &["answer 1: 1", "request 2: m"],
        );
        let long = format!(r#"{{"id":"{}","method":"m"}}"#, "x".repeat(300));
        check(&long, &["other"]);
        let batch = format!("[{}{{}}]", r#"{"id":1,"method":"m"},"#.repeat(5000));
        assert_eq!(parse(batch.as_bytes()).len(), MAX_BATCH);
    }

    #[test]
    fn what_is_sent_is_one_line_of_json() {
        let check = |outgoing: Outgoing, expected: &str| assert_eq!(outgoing.json, expected);
        check(
            Outgoing::request(3, "tools/list", "{}"),
            r#"{"jsonrpc":"2.0","id":3,"method":"tools/list","params":{}}"#,
        );
        check(
            Outgoing::notification("notifications/initialized", None),
            r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        );
        check(
            Outgoing::notification("n", Some(r#"{"a":1}"#)),
            r#"{"jsonrpc":"2.0","method":"n","params":{"a":1}}"#,
        );
        check(
            Outgoing::answer("\"x\"", true),
            r#"{"jsonrpc":"2.0","id":"x","result":{}}"#,
        );
        check(
            Outgoing::answer("1", false),
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"not supported"}}"#,
        );
    }
}
