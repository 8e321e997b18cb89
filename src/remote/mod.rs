//! MCP servers behind a URL (streamable HTTP), which the run asks itself: a POST for each message, answered as JSON or
//! as an event stream. The session id and the user's headers are secrets, and redirects are not followed. What the
//! messages mean is left to `mcp`, the connection to `http`.

mod error;
mod event_position;
mod exchange;
mod gate;
mod remote_url;

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::value::RawValue;

use crate::http::{Http, HttpSetup};
use crate::mcp::call_answer::CallAnswer;
use crate::mcp::listed_tool::ListedTool;
use crate::mcp::session::{Outgoing, ServerIdentity, Session, SessionEvent};
use crate::secret::Secret;

pub use error::{HeaderError, RemoteError};
use exchange::Exchange;
use gate::Gate;
pub use remote_url::{RemoteHeader, RemoteUrl};

/// Time limit for a message that needs no answer: a cancellation, or the end of the session.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(2);

/// A server.
#[derive(Debug)]
pub struct RemoteServer {
    url: RemoteUrl,
    headers: Vec<RemoteHeader>,
    /// Replaced when the exchanges under way are ended.
    http: Mutex<Http>,
    /// Replaced when the server has forgotten the session.
    dialogue: Mutex<Arc<Dialogue>>,
    /// Held while a session begins.
    beginning: Mutex<()>,
    gate: Gate,
}

/// A session, and the id that the server gave to it.
#[derive(Debug)]
struct Dialogue {
    session: Mutex<Session>,
    id: Mutex<Option<Secret>>,
}

/// What a server offers.
#[derive(Clone, Debug)]
pub struct RemoteOffer {
    /// What it says about itself.
    pub identity: ServerIdentity,
    /// Its tools, in its order.
    pub tools: Vec<ListedTool>,
    /// Number of tools that were left out.
    pub left_out: usize,
}

impl RemoteServer {
    /// Creates a server, which is asked nothing yet. `silence` is the longest time without a byte, and at least the
    /// longest time limit of a call.
    #[must_use]
    pub fn new(
        setup: &HttpSetup,
        silence: Duration,
        url: RemoteUrl,
        headers: Vec<RemoteHeader>,
    ) -> Self {
        let (dialogue, _) = Dialogue::begin();
        Self {
            url,
            headers,
            http: Mutex::new(Http::new(setup, silence)),
            dialogue: Mutex::new(Arc::new(dialogue)),
            beginning: Mutex::default(),
            gate: Gate::default(),
        }
    }

    /// Host and port of the server.
    #[must_use]
    pub fn host(&self) -> String {
        self.url.host()
    }

    /// Begins a session within this time and returns what the server offers.
    ///
    /// # Errors
    /// If it cannot be reached, refuses, or does not speak the protocol.
    pub fn start(&self, limit: Duration) -> Result<RemoteOffer, RemoteError> {
        let _alone = lock(&self.beginning);
        let dialogue = self.begin(Instant::now() + limit)?;
        let session = lock(&dialogue.session);
        Ok(RemoteOffer {
            identity: session.server().clone(),
            tools: session.tools().to_vec(),
            left_out: session.left_out(),
        })
    }

    /// Calls a tool and waits for the answer, at most for this time; then the call is cancelled.
    ///
    /// # Errors
    /// If there is no answer.
    pub fn call(
        &self,
        tool: &str,
        arguments: &RawValue,
        limit: Duration,
    ) -> Result<CallAnswer, RemoteError> {
        let deadline = Instant::now() + limit;
        let dialogue = self.dialogue();
        match self.call_in(&dialogue, tool, arguments, deadline) {
            Err(RemoteError::Expired) => {
                let dialogue = self.begin_after(&dialogue, deadline)?;
                self.call_in(&dialogue, tool, arguments, deadline)
            }
            ended => ended,
        }
    }

    /// Ends every exchange under way. None begins until [`RemoteServer::resume`].
    pub fn interrupt(&self) {
        self.gate.set_closed(true);
        let mut http = lock(&self.http);
        let renewed = http.renewed();
        mem::replace(&mut *http, renewed).shutdown();
    }

    /// Allows exchanges again.
    pub fn resume(&self) {
        self.gate.set_closed(false);
    }

    /// Ends the session.
    pub fn close(&self) {
        let dialogue = self.dialogue();
        if lock(&dialogue.id).is_some() {
            let deadline = Instant::now() + FAREWELL_TIMEOUT;
            // A server may refuse this, and nothing follows from it.
            let _ = self.exchange(&dialogue, deadline).delete();
        }
    }

    fn dialogue(&self) -> Arc<Dialogue> {
        Arc::clone(&lock(&self.dialogue))
    }

    fn exchange<'a>(&'a self, dialogue: &'a Dialogue, deadline: Instant) -> Exchange<'a> {
        Exchange {
            http: lock(&self.http).clone(),
            url: &self.url,
            headers: &self.headers,
            dialogue,
            gate: &self.gate,
            deadline,
        }
    }

    /// Begins a session, unless another thread did since `expired` was used.
    fn begin_after(
        &self,
        expired: &Arc<Dialogue>,
        deadline: Instant,
    ) -> Result<Arc<Dialogue>, RemoteError> {
        let _alone = lock(&self.beginning);
        let current = self.dialogue();
        match Arc::ptr_eq(&current, expired) {
            true => self.begin(deadline),
            false => Ok(current),
        }
    }

    fn begin(&self, deadline: Instant) -> Result<Arc<Dialogue>, RemoteError> {
        let (dialogue, first) = Dialogue::begin();
        let mut waiting = VecDeque::from([first]);
        let exchange = self.exchange(&dialogue, deadline);
        while let Some(message) = waiting.pop_front() {
            for event in exchange.post(&message)? {
                match event {
                    SessionEvent::Send(next) => waiting.push_back(next),
                    SessionEvent::Failed(error) => {
                        return Err(RemoteError::Session(exchange.redacted(error)));
                    }
                    SessionEvent::Ready | SessionEvent::Answered(..) => {}
                }
            }
        }
        if !lock(&dialogue.session).is_ready() {
            return Err(RemoteError::NoAnswer);
        }
        drop(exchange);
        let dialogue = Arc::new(dialogue);
        *lock(&self.dialogue) = Arc::clone(&dialogue);
        Ok(dialogue)
    }

    fn call_in(
        &self,
        dialogue: &Dialogue,
        tool: &str,
        arguments: &RawValue,
        deadline: Instant,
    ) -> Result<CallAnswer, RemoteError> {
        let message = lock(&dialogue.session).call(tool, arguments);
        let ended = self.exchange(dialogue, deadline).post(&message);
        let called = message.id.unwrap_or_default();
        for event in ended.as_deref().unwrap_or_default() {
            if let SessionEvent::Answered(id, answer) = event
                && *id == called
            {
                return Ok(answer.clone());
            }
        }
        let cancelled = lock(&dialogue.session).cancel(called);
        let error = ended.err().unwrap_or(RemoteError::NoAnswer);
        // Without a session, the end of the connection is the cancellation.
        let has_session = !lock(&dialogue.session).is_stateless();
        if let (true, true, Some(cancelled)) = (error.is_late(), has_session, cancelled) {
            let deadline = Instant::now() + FAREWELL_TIMEOUT;
            let _ = self.exchange(dialogue, deadline).post(&cancelled);
        }
        Err(error)
    }
}

impl Dialogue {
    fn begin() -> (Self, Outgoing) {
        let (session, first) = Session::begin();
        let dialogue = Self {
            session: Mutex::new(session),
            id: Mutex::default(),
        };
        (dialogue, first)
    }
}

/// Locks. A thread that panicked has left nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
