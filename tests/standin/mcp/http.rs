//! The stand-in MCP server behind a URL: streamable HTTP at `/mcp`, as strict as a real server. What is odd about it is
//! in the words of its behaviour.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::behaviour::Behaviour;
use super::session::{MODERN, Say, Session};
use crate::standin::http::Recorded;
use crate::standin::lock;
use crate::standin::reply::Reply;

/// The path of the server.
pub(crate) const PATH: &str = "/mcp";

/// Every session id begins so.
const ID: &str = "standin-session-0123456789-";

/// A server with its sessions.
pub(crate) struct Remote {
    behaviour: Behaviour,
    sessions: Mutex<Sessions>,
}

#[derive(Default)]
struct Sessions {
    begun: usize,
    live: HashMap<String, Live>,
    /// What the client has not heard yet of a stream that was closed.
    polled: String,
}

#[derive(Clone)]
struct Live {
    session: Arc<Session>,
    calls: usize,
}

/// Collects messages.
#[derive(Default)]
struct Collected(Mutex<Vec<Value>>);

impl Say for Collected {
    fn say(&self, message: &Value) {
        lock(&self.0).push(message.clone());
    }

    fn long_line(&self, _: u64) {}

    fn waits(&self) -> bool {
        false
    }
}

impl Remote {
    /// The error is a sentence.
    pub(crate) fn new(words: &str) -> Result<Self, String> {
        Ok(Self {
            behaviour: Behaviour::parse(words)?,
            sessions: Mutex::default(),
        })
    }

    /// The reply to a request for [`PATH`].
    pub(crate) fn answer(&self, request: &Recorded) -> Reply {
        self.reply(request)
            .unwrap_or_else(|(status, text)| Reply::status(status, &[], text))
    }

    fn reply(&self, request: &Recorded) -> Result<Reply, (u16, &'static str)> {
        let odd = &self.behaviour;
        let id = request.header("mcp-session-id").unwrap_or_default();
        match &*request.method {
            "POST" => {}
            "DELETE" => {
                let known = lock(&self.sessions).live.remove(id).is_some();
                return if known {
                    Ok(Reply::status(200, &[], ""))
                } else {
                    Err((404, "no such session"))
                };
            }
            "GET" if odd.polls && request.header("last-event-id") == Some("event-1") => {
                return Ok(Reply::sse(std::mem::take(&mut lock(&self.sessions).polled)));
            }
            _ => return Err((405, "use POST")),
        }
        let accept = request.header("accept").unwrap_or_default();
        if !accept.contains("application/json") || !accept.contains("text/event-stream") {
            return Err((406, "both content types must be acceptable"));
        }
        let message: Value = serde_json::from_slice(&request.body).map_err(|_| (400, "no JSON"))?;
        let method = message["method"].as_str().unwrap_or_default();
        if let Some(status) = odd.status {
            let location = [("location", "http://127.0.0.1:9/elsewhere")];
            let key = request.header("authorization").unwrap_or_default();
            return Ok(Reply::status(
                status,
                &location,
                format!("refused {key} {id} {}\u{1b}[2J", request.path),
            ));
        }
        self.check_version(request, &message, method)?;
        let session = self.session(method, id)?;
        let collected = Collected::default();
        session.1.hear(&message, &collected);
        let messages = lock(&collected.0).clone();
        Ok(self.send(method, &session.0, &message, messages))
    }

    fn check_version(
        &self,
        request: &Recorded,
        message: &Value,
        method: &str,
    ) -> Result<(), (u16, &'static str)> {
        let version = request.header("mcp-protocol-version");
        if self.behaviour.modern.is_some() && method != "initialize" {
            if version != Some(MODERN) || request.header("mcp-method") != Some(method) {
                return Err((400, "the headers differ from the message"));
            }
            if request.header("mcp-name") != message["params"]["name"].as_str() {
                return Err((400, "the header differs from the name"));
            }
        } else if (method == "initialize") != version.is_none() {
            return Err((400, "the version of the protocol is missing, or too early"));
        }
        Ok(())
    }

    /// The session of a request, with its id; a new one for its first.
    fn session(
        &self,
        method: &str,
        id: &str,
    ) -> Result<(String, Arc<Session>), (u16, &'static str)> {
        let odd = &self.behaviour;
        let mut sessions = lock(&self.sessions);
        if method == "initialize" {
            sessions.begun += 1;
        }
        let key = match (odd.session.as_deref(), method) {
            (None, _) => String::new(),
            (Some(""), "initialize") => format!("{ID}{}", sessions.begun),
            (Some(given), "initialize") => given.to_owned(),
            _ if id.is_empty() => return Err((400, "the session id is missing")),
            _ => id.to_owned(),
        };
        if method == "initialize" || (odd.session.is_none() && !sessions.live.contains_key(&key)) {
            let session = Arc::new(Session::new(odd.clone()));
            sessions
                .live
                .insert(key.clone(), Live { session, calls: 0 });
        }
        let live = sessions
            .live
            .get_mut(&key)
            .ok_or((404, "no such session"))?;
        live.calls += usize::from(method == "tools/call");
        let (session, calls) = (Arc::clone(&live.session), live.calls);
        if odd.expires.is_some_and(|most| calls > most) {
            sessions.live.remove(&key);
            return Err((404, "no such session"));
        }
        Ok((key, session))
    }

    fn send(&self, method: &str, key: &str, message: &Value, messages: Vec<Value>) -> Reply {
        let odd = &self.behaviour;
        let is_request = !method.is_empty() && message.get("id").is_some();
        if !is_request {
            return Reply::status(202, &[], "");
        }
        let events = messages.iter().fold(String::new(), |mut events, message| {
            let _ = write!(events, "event: message\ndata: {message}\n\n");
            events
        });
        let is_call = method == "tools/call";
        let mut reply = match (&*messages, &odd.kind) {
            _ if odd.polls && is_call => {
                lock(&self.sessions).polled = events;
                Reply::sse("id: event-1\nretry: 20\ndata:\n\n")
            }
            ([], _) => Reply::sse(": nothing yet\n\n").hold_open(),
            (_, Some(kind)) => Reply::status(200, &[("content-type", kind)], events),
            _ if is_call && odd.bulk => {
                let line = format!("data: {}\n\n", "x".repeat(1 << 20));
                Reply::flood("", &line, 1 << 10, &events)
            }
            ([message], _) if !odd.sse => Reply::json(200, message),
            _ => Reply::sse(events),
        };
        if odd.modern.is_some()
            && messages
                .iter()
                .any(|message| message.get("error").is_some())
        {
            reply = Reply::json(400, &messages[messages.len() - 1]);
        }
        match (odd.session.is_some(), method) {
            (true, "initialize") => reply.header("mcp-session-id", key),
            _ => reply,
        }
    }
}
