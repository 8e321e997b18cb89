//! MCP servers behind a URL (streamable HTTP), which the run asks itself: a POST for each message (`exchange`), answered
//! as JSON or as an event stream. The session id and the user's headers are secrets, and redirects are not followed. What
//! the messages mean is left to `mcp`, the connection to `http`.

mod error;
mod event_position;
mod exchange;
mod gate;
mod remote_url;
mod sessions;

use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use crate::exhausted::at_start;
use crate::http::HttpSetup;
use crate::tools::server::client::{CallEnd, START_TIMEOUT, ServerCall, ServerClient, ServerOffer};
use crate::tools::server::start_error::StartError;
pub use error::HeaderError;
use error::RemoteError;
use gate::lock;
pub use remote_url::{RemoteHeader, RemoteUrl};
use sessions::RemoteSessions;

/// A server behind a URL.
#[derive(Debug)]
pub struct RemoteServer {
    sessions: Arc<RemoteSessions>,
    host: String,
    /// Why the run may not ask it.
    unusable: Option<String>,
    work: Mutex<RemoteThreads>,
}

/// The start or the end of a server.
#[derive(Debug, Default)]
struct RemoteThreads {
    threads: Vec<JoinHandle<()>>,
    offer: Option<Receiver<Result<ServerOffer, RemoteError>>>,
}

impl RemoteServer {
    /// Creates a server, which is asked nothing yet.
    #[must_use]
    pub fn new(setup: &HttpSetup, url: RemoteUrl, headers: Vec<RemoteHeader>) -> Self {
        Self {
            host: url.host(),
            unusable: None,
            sessions: Arc::new(RemoteSessions::new(setup, url, headers)),
            work: Mutex::default(),
        }
    }

    /// The server, which does not start for this reason.
    #[must_use]
    pub fn unusable(self, why: String) -> Self {
        Self {
            unusable: Some(why),
            ..self
        }
    }

    fn start_error(&self, error: RemoteError) -> StartError {
        match error {
            RemoteError::Session(error) => StartError::Session(error),
            RemoteError::Interrupted => StartError::Stopped,
            late if late.is_late() => StartError::Silent(START_TIMEOUT.as_secs()),
            other => StartError::Unreachable(format!("{}: {other}", self.host)),
        }
    }

    fn spawn(&self, work: impl FnOnce(&RemoteSessions) + Send + 'static) -> std::io::Result<()> {
        let sessions = Arc::clone(&self.sessions);
        let thread = thread::Builder::new().spawn(move || work(&sessions));
        lock(&self.work).threads.push(thread.map_err(at_start)?);
        Ok(())
    }
}

impl ServerClient for RemoteServer {
    fn start(&self) {
        if self.unusable.is_some() {
            return;
        }
        let (sender, offer) = mpsc::channel();
        lock(&self.work).offer = Some(offer);
        let failed = sender.clone();
        let started = self.spawn(move |sessions| {
            let _ = sender.send(sessions.start(START_TIMEOUT));
        });
        if let Err(error) = started {
            let _ = failed.send(Err(crate::http::Error::Exhausted(error).into()));
        }
    }

    fn offer(&self, until: Instant) -> Option<Result<ServerOffer, StartError>> {
        if let Some(why) = &self.unusable {
            return Some(Err(StartError::Unreachable(why.clone())));
        }
        let mut work = lock(&self.work);
        let Some(offer) = &work.offer else {
            return Some(Err(StartError::Ended));
        };
        let left = until.saturating_duration_since(Instant::now());
        let offer = match offer.recv_timeout(left) {
            Ok(offer) => offer.map_err(|error| self.start_error(error)),
            Err(RecvTimeoutError::Disconnected) => Err(StartError::Ended),
            Err(RecvTimeoutError::Timeout) => return None,
        };
        work.offer = None;
        Some(offer)
    }

    fn call(&self, call: ServerCall<'_>) -> CallEnd {
        match self.sessions.call(call) {
            Ok(answer) => CallEnd::Answered(answer),
            Err(_) if self.sessions.is_interrupted() => CallEnd::Interrupted,
            Err(error) if error.is_late() => CallEnd::TimedOut,
            Err(error) => CallEnd::Lost(error.to_string()),
        }
    }

    fn interrupt(&self) {
        self.sessions.interrupt();
    }

    fn resume(&self) {
        self.sessions.resume();
    }

    fn close(&self, hurry: bool) {
        self.sessions.interrupt();
        if !hurry {
            // Without a thread to say it, the server is left to forget the session.
            let _ = self.spawn(RemoteSessions::close);
        }
    }

    fn wait(&self) {
        let threads = std::mem::take(&mut lock(&self.work).threads);
        for thread in threads {
            let _ = thread.join();
        }
    }
}
