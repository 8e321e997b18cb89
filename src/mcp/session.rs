//! A session with one server, as a state machine: lines of the server in, messages to it and events out. It knows
//! neither clock nor pipe; its caller gives up on a server that stays silent. Messages that are unsolicited, repeated or
//! malformed are skipped.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::answer_fields::{Capabilities, Discovered, Info, Initialized, ToolPage};
use super::call_answer::CallAnswer;
use super::listed_tool::ListedTool;
use super::message::{self, Incoming};
use crate::text::{one_line, shortened};

pub use super::message::{ErrorAnswer, Outgoing};

/// The versions of the protocol with an `initialize` request, newest first.
const WITH_HANDSHAKE: &[&str] = &["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];

/// The version without it, in which every request names its version.
const WITHOUT_HANDSHAKE: &str = "2026-07-28";

/// The error code for a version that a server does not support.
const UNSUPPORTED_VERSION: i64 = -32022;

/// Maximum number of tools of a server.
pub const MAX_TOOLS: usize = 500;

/// Maximum number of pages of its list.
const MAX_PAGES: usize = 100;

/// Maximum length of the place where a page begins, in bytes.
const MAX_CURSOR_BYTES: usize = 4 << 10;

/// Maximum length of a server's name and version, in bytes.
const MAX_WORD_BYTES: usize = 200;

/// A session.
#[derive(Debug)]
pub struct ServerSession {
    phase: Phase,
    next_id: u64,
    server: ServerIdentity,
    tools: Vec<ListedTool>,
    /// Number of listed tools that are not offered: too many, too large, or malformed.
    left_out: usize,
    /// Ids of the calls that have no answer yet.
    calls: HashSet<u64>,
}

/// What the session waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    /// The answer to `initialize` with this id.
    Initializing(u64),
    /// The answer to `server/discover`, and why `initialize` failed.
    Discovering(u64, SessionError),
    /// A page of the list of tools.
    Listing { id: u64, pages: usize },
    /// Calls.
    Ready,
    /// Nothing; the session has ended.
    Failed,
}

/// What a server says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerIdentity {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The version of the protocol.
    pub protocol: String,
}

/// Why a session cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionError {
    /// The server refused this request.
    Refused {
        /// The method.
        method: &'static str,
        /// What it answered.
        answer: ErrorAnswer,
    },
    /// It speaks only these versions of the protocol.
    Version(String),
    /// Its answer to this request is not what the protocol says.
    Malformed(&'static str),
}

/// What a step of the session asks for or has found.
#[derive(Clone, Debug, PartialEq)]
pub enum SessionEvent {
    /// Send this to the server.
    Send(Outgoing),
    /// The tools are known. Calls can be made.
    Ready,
    /// The call with this id has ended.
    Answered(u64, CallAnswer),
    /// The session cannot be used.
    Failed(SessionError),
}

impl ServerSession {
    /// Begins a session. Returns it with its first message.
    #[must_use]
    pub fn begin() -> (Self, Outgoing) {
        let session = Self {
            phase: Phase::Initializing(0),
            next_id: 1,
            server: ServerIdentity::default(),
            tools: Vec::new(),
            left_out: 0,
            calls: HashSet::new(),
        };
        let version = WITH_HANDSHAKE[0];
        let params = format!(
            r#"{{"protocolVersion":"{version}","capabilities":{{}},"clientInfo":{}}}"#,
            client_info()
        );
        (session, Outgoing::request(0, "initialize", &params))
    }

    /// Handles a line of the server.
    pub fn receive(&mut self, line: &[u8]) -> Vec<SessionEvent> {
        let mut events = Vec::new();
        for message in message::parse(line) {
            match message {
                Incoming::Request { id, method } => {
                    let outgoing = Outgoing::answer(id, method == "ping");
                    events.push(SessionEvent::Send(outgoing));
                }
                Incoming::Answer(id, answer) => self.answered(id, answer, &mut events),
                Incoming::Other => {}
            }
        }
        events
    }

    /// A call of a tool, with its arguments, a JSON object. Its id is that of the message.
    pub fn call(&mut self, tool: &str, arguments: &RawValue) -> Outgoing {
        let id = self.take_id();
        self.calls.insert(id);
        let name = serde_json::Value::from(tool);
        // Arguments may have line ends between their values, which are blanks in JSON.
        let arguments = arguments.get().replace(['\n', '\r'], " ");
        let params = self.params(&format!(r#""name":{name},"arguments":{arguments}"#));
        Outgoing {
            tool: Some(tool.to_owned()),
            ..Outgoing::request(id, "tools/call", &params)
        }
    }

    /// Gives up the call with this id: a later answer is skipped. Returns what to send; `None` if it has ended.
    pub fn cancel(&mut self, id: u64) -> Option<Outgoing> {
        self.calls.remove(&id).then(|| {
            let params = format!(r#"{{"requestId":{id},"reason":"the call was given up"}}"#);
            Outgoing::notification("notifications/cancelled", Some(&params))
        })
    }

    /// What the server says about itself.
    #[must_use]
    pub fn server(&self) -> &ServerIdentity {
        &self.server
    }

    /// The tools that it has listed, in its order.
    #[must_use]
    pub fn tools(&self) -> &[ListedTool] {
        &self.tools
    }

    /// The number of tools that were left out: beyond the limit, too large or malformed.
    #[must_use]
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// Whether calls can be made.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.phase == Phase::Ready
    }

    /// The version of the protocol that was agreed on; before that, the one that was proposed.
    #[must_use]
    pub fn protocol(&self) -> &str {
        match &*self.server.protocol {
            "" if matches!(self.phase, Phase::Discovering(..)) => WITHOUT_HANDSHAKE,
            "" => WITH_HANDSHAKE[0],
            version => version,
        }
    }

    /// Whether every request is complete by itself: there was no handshake.
    #[must_use]
    pub fn is_stateless(&self) -> bool {
        self.protocol() == WITHOUT_HANDSHAKE
    }

    fn take_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    /// The parameters of a request: these fields, and what its version requires.
    fn params(&self, fields: &str) -> String {
        if !self.is_stateless() {
            return format!("{{{fields}}}");
        }
        let comma = if fields.is_empty() { "" } else { "," };
        format!(
            r#"{{{fields}{comma}"_meta":{{"io.modelcontextprotocol/protocolVersion":"{WITHOUT_HANDSHAKE}","io.modelcontextprotocol/clientCapabilities":{{}},"io.modelcontextprotocol/clientInfo":{}}}}}"#,
            client_info()
        )
    }

    fn answered(
        &mut self,
        id: u64,
        answer: Result<&RawValue, ErrorAnswer>,
        events: &mut Vec<SessionEvent>,
    ) {
        let next = match self.phase.clone() {
            Phase::Initializing(awaited) if id == awaited => self.initialized(answer, events),
            Phase::Discovering(awaited, earlier) if id == awaited => {
                self.discovered(answer, earlier, events)
            }
            Phase::Listing { id: awaited, pages } if id == awaited => {
                self.listed(answer, pages, events)
            }
            _ => {
                if self.calls.remove(&id) {
                    let answer = match answer {
                        Ok(result) => CallAnswer::parse(result),
                        Err(error) => {
                            CallAnswer::failed(format!("the server refused the call: {error}"))
                        }
                    };
                    events.push(SessionEvent::Answered(id, answer));
                }
                return;
            }
        };
        if let Err(error) = next {
            self.phase = Phase::Failed;
            events.push(SessionEvent::Failed(error));
        }
    }

    fn initialized(
        &mut self,
        answer: Result<&RawValue, ErrorAnswer>,
        events: &mut Vec<SessionEvent>,
    ) -> Result<(), SessionError> {
        let method = "initialize";
        let result = match answer {
            Ok(result) => result,
            Err(answer) => {
                self.discover(SessionError::Refused { method, answer }, events);
                return Ok(());
            }
        };
        let result: Initialized<'_> = parse(result, method)?;
        if !WITH_HANDSHAKE.contains(&&*result.version) {
            let is_later = *result.version > *WITH_HANDSHAKE[0];
            let error = SessionError::Version(word(&result.version));
            if !is_later {
                return Err(error);
            }
            self.discover(error, events);
            return Ok(());
        }
        self.server = identity(result.info(), result.version);
        let initialized = Outgoing::notification("notifications/initialized", None);
        events.push(SessionEvent::Send(initialized));
        self.list(result.capabilities, events);
        Ok(())
    }

    /// Asks in the way of the version without a handshake, after `earlier`.
    fn discover(&mut self, earlier: SessionError, events: &mut Vec<SessionEvent>) {
        let id = self.take_id();
        self.phase = Phase::Discovering(id, earlier);
        let params = self.params("");
        let request = Outgoing::request(id, "server/discover", &params);
        events.push(SessionEvent::Send(request));
    }

    fn discovered(
        &mut self,
        answer: Result<&RawValue, ErrorAnswer>,
        earlier: SessionError,
        events: &mut Vec<SessionEvent>,
    ) -> Result<(), SessionError> {
        let result = match answer {
            Ok(result) => result,
            Err(error) if error.code == UNSUPPORTED_VERSION => {
                return Err(SessionError::Version(word(&error.supported.join(", "))));
            }
            // The first refusal says more than that of a method that the server may not know.
            Err(_) => return Err(earlier),
        };
        let result: Discovered<'_> = parse(result, "server/discover")?;
        if !result
            .versions
            .iter()
            .any(|version| version == WITHOUT_HANDSHAKE)
        {
            return Err(SessionError::Version(word(&result.versions.join(", "))));
        }
        self.server = identity(result.info(), WITHOUT_HANDSHAKE.to_owned());
        self.list(result.capabilities, events);
        Ok(())
    }

    /// Asks for the tools, if the server has any.
    fn list(&mut self, capabilities: Option<&RawValue>, events: &mut Vec<SessionEvent>) {
        let capabilities = capabilities.map_or("{}", RawValue::get);
        let capabilities = serde_json::from_str::<Capabilities<'_>>(capabilities);
        if capabilities.is_ok_and(|capabilities| capabilities.tools.is_some()) {
            self.ask_for_page(None, 1, events);
        } else {
            self.phase = Phase::Ready;
            events.push(SessionEvent::Ready);
        }
    }

    fn ask_for_page(&mut self, cursor: Option<&str>, pages: usize, events: &mut Vec<SessionEvent>) {
        let id = self.take_id();
        self.phase = Phase::Listing { id, pages };
        let cursor =
            cursor.map(|cursor| format!(r#""cursor":{}"#, serde_json::Value::from(cursor)));
        let params = self.params(&cursor.unwrap_or_default());
        let request = Outgoing::request(id, "tools/list", &params);
        events.push(SessionEvent::Send(request));
    }

    fn listed(
        &mut self,
        answer: Result<&RawValue, ErrorAnswer>,
        pages: usize,
        events: &mut Vec<SessionEvent>,
    ) -> Result<(), SessionError> {
        let method = "tools/list";
        let result = answer.map_err(|answer| SessionError::Refused { method, answer })?;
        let page: ToolPage<'_> = parse(result, method)?;
        for raw in page.tools {
            let room = self.tools.len() < MAX_TOOLS;
            let is_new = |tool: &ListedTool| self.tools.iter().all(|known| known.name != tool.name);
            let tool = room
                .then(|| ListedTool::parse(raw).filter(is_new))
                .flatten();
            self.left_out += usize::from(tool.is_none());
            self.tools.extend(tool);
        }
        let next = page.next.filter(|cursor| {
            let fits = cursor.len() <= MAX_CURSOR_BYTES && pages < MAX_PAGES;
            self.left_out += usize::from(!fits);
            fits && self.tools.len() < MAX_TOOLS
        });
        if let Some(cursor) = next {
            self.ask_for_page(Some(&cursor), pages + 1, events);
        } else {
            self.phase = Phase::Ready;
            events.push(SessionEvent::Ready);
        }
        Ok(())
    }
}

fn parse<'a, T: Deserialize<'a>>(
    raw: &'a RawValue,
    method: &'static str,
) -> Result<T, SessionError> {
    serde_json::from_str(raw.get()).map_err(|_| SessionError::Malformed(method))
}

/// A server's name or version, on one line and cut.
fn word(text: &str) -> String {
    shortened(&one_line(text), MAX_WORD_BYTES).into_owned()
}

fn identity(info: Info, protocol: String) -> ServerIdentity {
    ServerIdentity {
        name: word(&info.name),
        version: word(&info.version),
        protocol,
    }
}

/// What this client says about itself.
fn client_info() -> &'static str {
    concat!(
        r#"{"name":"codex-run","version":""#,
        env!("CARGO_PKG_VERSION"),
        r#""}"#
    )
}

#[cfg(test)]
mod tests;
