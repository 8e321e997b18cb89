//! One session: what is answered to each message, and what was received so far.

use std::io::{self, Write as _};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::behaviour::Behaviour;
use super::tools;
use crate::standin::lock;

/// Versions with a handshake, newest first.
const VERSIONS: [&str; 4] = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];

/// The version without a handshake, and the prefix of its keys in `_meta`.
pub(super) const MODERN: &str = "2026-07-28";
const META: &str = "io.modelcontextprotocol/";

/// How long an answer of the client is waited for.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Exit code of a server that ends by itself.
const EXITS: u8 = 7;

/// Where messages go.
pub(super) trait Say {
    fn say(&self, message: &Value);
    /// Sends this many bytes that are not JSON, as one line.
    fn long_line(&self, bytes: u64);
    /// Whether answers of the client can arrive before a message is answered.
    fn waits(&self) -> bool {
        true
    }
}

/// A session with one client.
pub(super) struct Session {
    pub(super) behaviour: Behaviour,
    /// Every message of the client, in order of arrival.
    seen: Mutex<Vec<Value>>,
    arrived: Condvar,
    lists: Mutex<usize>,
}

impl Session {
    pub(super) fn new(behaviour: Behaviour) -> Self {
        Self {
            behaviour,
            seen: Mutex::default(),
            arrived: Condvar::new(),
            lists: Mutex::new(0),
        }
    }

    /// Records a message and answers it. Returns the exit code if the server ends here.
    pub(super) fn hear(&self, message: &Value, out: &dyn Say) -> Option<u8> {
        let method = message["method"].as_str().unwrap_or_default();
        lock(&self.seen).push(message.clone());
        self.arrived.notify_all();
        let id = message.get("id").filter(|_| !method.is_empty())?;
        let odd = &self.behaviour;
        if odd.exits.as_deref() == Some(method) {
            let _ = writeln!(io::stderr(), "the database is locked");
            return Some(EXITS);
        }
        if (odd.silent.as_deref()).is_some_and(|silent| silent.is_empty() || silent == method) {
            return None;
        }
        if method == "initialize" && odd.asks {
            self.ask(out, "ping", &json!({}));
            self.ask(out, "roots/list", &json!({}));
        }
        if method == "initialize"
            && let Some(bytes) = odd.long_line
        {
            out.long_line(bytes);
            return None;
        }
        let answered = match self.answer(method, &message["params"], id, out) {
            Ok(answered) => answered,
            Err(Stop::Exit(code)) => return Some(code),
            Err(Stop::Silent) => return None,
        };
        for _ in 0..odd.notify {
            out.say(&tools::notice());
        }
        if odd.wrong_id {
            out.say(
                &json!({"jsonrpc": "2.0", "id": 1_000_000, "result": {"content": [], "tools": []}}),
            );
        }
        let (key, value) = match answered {
            Ok(result) => ("result", self.complete(result)),
            Err((code, text)) => ("error", json!({"code": code, "message": text})),
        };
        out.say(&json!({"jsonrpc": "2.0", "id": id, key: value}));
        if method == "tools/call" && odd.changes {
            out.say(&json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}));
        }
        None
    }

    fn answer(
        &self,
        method: &str,
        params: &Value,
        id: &Value,
        out: &dyn Say,
    ) -> Result<Answered, Stop> {
        let meta = |key: &str| params["_meta"].get(format!("{META}{key}"));
        let odd = &self.behaviour;
        if let Some(code) = odd.modern {
            if method == "initialize" || method == "ping" {
                return Ok(Err((code, format!("{method} is not supported"))));
            }
            if meta("protocolVersion") != Some(&MODERN.into())
                || meta("clientCapabilities").is_none()
            {
                return Ok(Err((
                    -32602,
                    "_meta lacks what a request must have".to_owned(),
                )));
            }
        }
        Ok(match method {
            "initialize" => Ok(self.initialize(params)),
            "server/discover" if odd.modern.is_some() => Ok(json!({
                "supportedVersions": [MODERN], "capabilities": {"tools": {}}, "ttlMs": 0, "cacheScope": "private",
            })),
            "ping" => Ok(json!({})),
            _ if odd.modern.is_none() && !self.has_seen("notifications/initialized") => {
                Err((-32600, "the session is not initialized".to_owned()))
            }
            "tools/list" => self.list(params),
            "tools/call" => return tools::call(self, params, id, out),
            _ => Err((-32601, "Method not found".to_owned())),
        })
    }

    fn initialize(&self, params: &Value) -> Value {
        let wanted = params["protocolVersion"].as_str().unwrap_or_default();
        let version = match &self.behaviour.version {
            Some(version) => version,
            None if VERSIONS.contains(&wanted) => wanted,
            None => VERSIONS[0],
        };
        json!({
            "protocolVersion": version, "capabilities": {"tools": {"listChanged": true}},
            "serverInfo": self.info(), "instructions": "Call echo with a text.",
        })
    }

    fn info(&self) -> Value {
        let name = self.behaviour.name.as_deref().unwrap_or("standin");
        let escapes = if self.behaviour.escapes {
            tools::ESCAPES
        } else {
            ""
        };
        json!({"name": format!("{name}{escapes}"), "version": format!("1.2.3{escapes}")})
    }

    fn list(&self, params: &Value) -> Answered {
        let mut lists = lock(&self.lists);
        let tools = tools::list(&self.behaviour, *lists);
        let from = match params.get("cursor") {
            None | Some(Value::Null) => 0,
            Some(Value::String(_)) if self.behaviour.endless_pages => 0,
            Some(cursor) => {
                let index = cursor
                    .as_str()
                    .and_then(|cursor| cursor.strip_prefix("page "));
                let index = index.and_then(|index| index.parse().ok());
                index
                    .filter(|index| *index < tools.len())
                    .ok_or((-32602, "no such cursor".to_owned()))?
            }
        };
        let page = self.behaviour.pages.unwrap_or(tools.len()).max(1);
        let end = tools.len().min(from + page);
        let mut result = json!({"tools": tools[from..end]});
        if self.behaviour.endless_pages {
            result["nextCursor"] = "again".into();
        } else if end < tools.len() {
            result["nextCursor"] = format!("page {end}").into();
        } else {
            *lists += 1;
        }
        Ok(result)
    }

    /// The result with what the version of 2026-07-28 adds.
    fn complete(&self, mut result: Value) -> Value {
        if self.behaviour.modern.is_some()
            && let Some(fields) = result.as_object_mut()
        {
            fields
                .entry("resultType")
                .or_insert_with(|| "complete".into());
            let info = Map::from_iter([(format!("{META}serverInfo"), self.info())]);
            fields.insert("_meta".to_owned(), info.into());
        }
        result
    }

    /// Asks the client, and returns its answer.
    pub(super) fn ask(&self, out: &dyn Say, method: &str, params: &Value) -> Value {
        let id = format!("ask {method}");
        out.say(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        if !out.waits() {
            return Value::Null;
        }
        let answers = |seen: &Vec<Value>| {
            let answer = seen
                .iter()
                .find(|message| message["id"] == *id && message.get("method").is_none());
            answer.cloned()
        };
        self.wait(ANSWER_TIMEOUT, answers).unwrap_or(Value::Null)
    }

    /// Waits for this long, or until the client cancels the request; returns whether it did.
    pub(super) fn sleep(&self, time: Duration, id: &Value) -> bool {
        let cancels = |message: &Value| {
            message["method"] == "notifications/cancelled" && message["params"]["requestId"] == *id
        };
        let cancelled = |seen: &Vec<Value>| seen.iter().any(cancels).then_some(());
        self.wait(time, cancelled).is_some()
    }

    fn has_seen(&self, method: &str) -> bool {
        lock(&self.seen)
            .iter()
            .any(|message| message["method"] == method)
    }

    /// Every message of the client.
    pub(super) fn seen(&self) -> Vec<Value> {
        lock(&self.seen).clone()
    }

    fn wait<T>(&self, time: Duration, found: impl Fn(&Vec<Value>) -> Option<T>) -> Option<T> {
        let seen = lock(&self.seen);
        let waited = self
            .arrived
            .wait_timeout_while(seen, time, |seen| found(seen).is_none());
        found(&waited.ok()?.0)
    }
}

/// A result, or a code and a message.
pub(super) type Answered = Result<Value, (i64, String)>;

/// Why there is no answer.
pub(super) enum Stop {
    Silent,
    Exit(u8),
}
