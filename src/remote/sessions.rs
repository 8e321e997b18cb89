//! The sessions with one server: one at a time, begun again when the server has forgotten it.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::error::RemoteError;
use super::exchange::{Dialogue, Exchange};
use super::gate::{Gate, lock};
use super::remote_url::{RemoteHeader, RemoteUrl};
use crate::http::{Http, HttpSetup};
use crate::mcp::call_answer::CallAnswer;
use crate::mcp::session::SessionEvent;
use crate::tools::server::client::{ServerCall, ServerOffer};

/// Time limit for a message that needs no answer: a cancellation, or the end of the session.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a connection may be silent: longer than any call, whose time limit ends it.
const SILENCE_LIMIT: Duration = Duration::from_secs(24 * 3600);

/// The sessions with a server.
#[derive(Debug)]
pub(super) struct RemoteSessions {
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

impl RemoteSessions {
    /// Creates them; the server is asked nothing yet.
    pub(super) fn new(setup: &HttpSetup, url: RemoteUrl, headers: Vec<RemoteHeader>) -> Self {
        let (dialogue, _) = Dialogue::begin();
        Self {
            url,
            headers,
            http: Mutex::new(Http::new(setup, SILENCE_LIMIT)),
            dialogue: Mutex::new(Arc::new(dialogue)),
            beginning: Mutex::default(),
            gate: Gate::default(),
        }
    }

    /// Begins a session within this time and returns what the server offers.
    ///
    /// # Errors
    /// If it cannot be reached, refuses, or does not speak the protocol.
    pub(super) fn start(&self, limit: Duration) -> Result<ServerOffer, RemoteError> {
        let _alone = lock(&self.beginning);
        let dialogue = self.begin(Instant::now() + limit)?;
        let session = lock(&dialogue.session);
        Ok(ServerOffer {
            server: session.server().clone(),
            tools: session.tools().to_vec(),
            left_out: session.left_out(),
        })
    }

    /// Runs a call until it ends. One that runs out of time is cancelled.
    ///
    /// # Errors
    /// If there is no answer.
    pub(super) fn call(&self, call: ServerCall<'_>) -> Result<CallAnswer, RemoteError> {
        let deadline = Instant::now() + call.limit;
        let dialogue = self.dialogue();
        match self.call_in(&dialogue, call, deadline) {
            Err(RemoteError::Expired) => {
                let dialogue = self.begin_after(&dialogue, deadline)?;
                self.call_in(&dialogue, call, deadline)
            }
            ended => ended,
        }
    }

    /// Ends every exchange under way. None begins until [`RemoteSessions::resume`].
    pub(super) fn interrupt(&self) {
        self.gate.set_closed(true);
        let mut http = lock(&self.http);
        let renewed = http.renewed();
        mem::replace(&mut *http, renewed).shutdown();
    }

    /// Allows exchanges again.
    pub(super) fn resume(&self) {
        self.gate.set_closed(false);
    }

    /// Whether exchanges are forbidden.
    pub(super) fn is_interrupted(&self) -> bool {
        self.gate.is_closed()
    }

    /// Ends the session.
    pub(super) fn close(&self) {
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
        if Arc::ptr_eq(&current, expired) {
            self.begin(deadline)
        } else {
            Ok(current)
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
        call: ServerCall<'_>,
        deadline: Instant,
    ) -> Result<CallAnswer, RemoteError> {
        let message = lock(&dialogue.session).call(call.tool, call.arguments);
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
