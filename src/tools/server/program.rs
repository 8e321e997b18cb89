//! A server that is a program: its thread is started with it, and once more if it dies.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::client::{CallEnd, START_TIMEOUT, ServerCall, ServerClient, ServerOffer};
use super::conversation::{Mailbox, hold};
use super::launch::ServerLaunch;
use super::speaker::{Order, Speaker};
use super::start_error::StartError;
use crate::exhausted::at_start;
use crate::tools::launch::Launcher;
use crate::tools::lock::lock;

/// How often a server that has died is started again.
const MAX_RESTARTS: usize = 1;

/// How often a start looks whether the run was stopped.
const STOP_INTERVAL: Duration = Duration::from_millis(100);

/// A server that is a program.
#[derive(Debug)]
pub(super) struct ProgramServer {
    launcher: Arc<Launcher>,
    launch: ServerLaunch,
    state: Mutex<StartState>,
    /// The conversation that runs calls.
    current: Mutex<Option<Arc<Mailbox>>>,
    is_interrupted: AtomicBool,
    tickets: AtomicU64,
}

/// What is changed while the server starts.
#[derive(Debug, Default)]
struct StartState {
    thread: Option<JoinHandle<()>>,
    ready: Option<Ready>,
    restarts: usize,
    is_closed: bool,
}

impl ProgramServer {
    pub(super) fn new(launcher: Arc<Launcher>, launch: ServerLaunch) -> Self {
        Self {
            launcher,
            launch,
            state: Mutex::default(),
            current: Mutex::default(),
            is_interrupted: AtomicBool::new(false),
            tickets: AtomicU64::new(0),
        }
    }

    /// Starts the thread that starts the process.
    fn begin(&self, state: &mut StartState) -> io::Result<()> {
        let (mailbox, woken) = Mailbox::new()?;
        let (ready, result) = mpsc::channel();
        let (launcher, launch) = (Arc::clone(&self.launcher), self.launch.clone());
        let of_thread = Arc::clone(&mailbox);
        let work = move || {
            let speaker = Speaker::new(ready);
            match launcher.server(&launch) {
                Ok((command, sockets)) => {
                    hold(Ok(command), &of_thread, &woken, speaker);
                    launcher.put_back(sockets);
                }
                Err(error) => hold(Err(error), &of_thread, &woken, speaker),
            }
        };
        let thread = thread::Builder::new().spawn(work).map_err(at_start)?;
        state.thread = Some(thread);
        state.ready = Some(result);
        *lock(&self.current) = Some(mailbox);
        Ok(())
    }

    /// The conversation for a call, begun anew if the server has died.
    fn mailbox(&self) -> Result<Arc<Mailbox>, String> {
        let mut state = lock(&self.state);
        let current = || lock(&self.current).clone();
        if let Some(mailbox) = current().filter(|mailbox| mailbox.is_usable()) {
            return Ok(mailbox);
        }
        let words = |why: String| match &*self.quoted() {
            "" => why,
            words => format!("{why}: {words}"),
        };
        if state.is_closed || state.restarts >= MAX_RESTARTS {
            return Err(words("it has ended".to_owned()));
        }
        state.restarts += 1;
        if let Some(thread) = state.thread.take() {
            let _ = thread.join();
        }
        let began = self.begin(&mut state);
        let started = began.map_err(StartError::NotStarted);
        let ready = state.ready.take();
        let started = started.and_then(|()| self.await_restart(ready));
        if let Err(error) = started {
            current().map(|mailbox| mailbox.give(Order::Close { hurry: true }));
            return Err(words(format!(
                "it has ended and could not be started again: {error}"
            )));
        }
        current().ok_or_else(|| "it has ended".to_owned())
    }

    /// Waits until the server has started again. Its tools stay those of the first start.
    fn await_restart(&self, ready: Option<Ready>) -> Result<(), StartError> {
        let deadline = Instant::now() + START_TIMEOUT;
        let ready = ready.ok_or(StartError::Ended)?;
        loop {
            let now = Instant::now();
            if let Some(offer) = received(&ready, deadline.min(now + STOP_INTERVAL)) {
                return offer.map(drop);
            }
            if self.is_interrupted.load(Ordering::SeqCst) {
                return Err(StartError::Stopped);
            }
            if now >= deadline {
                return Err(StartError::Silent(START_TIMEOUT.as_secs()));
            }
        }
    }
}

/// Brings the result of a start.
type Ready = Receiver<Result<ServerOffer, StartError>>;

/// The result of a start, if it is there by then.
fn received(ready: &Ready, until: Instant) -> Option<Result<ServerOffer, StartError>> {
    let left = until.saturating_duration_since(Instant::now());
    match ready.recv_timeout(left) {
        Ok(result) => Some(result),
        Err(RecvTimeoutError::Disconnected) => Some(Err(StartError::Ended)),
        Err(RecvTimeoutError::Timeout) => None,
    }
}

impl ServerClient for ProgramServer {
    fn start(&self) {
        let mut state = lock(&self.state);
        if let Err(error) = self.begin(&mut state) {
            let (ready, result) = mpsc::channel();
            let _ = ready.send(Err(StartError::NotStarted(error)));
            state.ready = Some(result);
        }
    }

    fn offer(&self, until: Instant) -> Option<Result<ServerOffer, StartError>> {
        let state = lock(&self.state);
        match &state.ready {
            Some(ready) => received(ready, until),
            None => Some(Err(StartError::Ended)),
        }
    }

    fn call(&self, call: ServerCall<'_>) -> CallEnd {
        let interrupted = || self.is_interrupted.load(Ordering::SeqCst);
        let mailbox = match self.mailbox() {
            _ if interrupted() => return CallEnd::Interrupted,
            Ok(mailbox) => mailbox,
            Err(why) => return CallEnd::Lost(why),
        };
        let (end, ended) = mpsc::channel();
        let ticket = self.tickets.fetch_add(1, Ordering::SeqCst);
        let given = mailbox.give(Order::Call {
            ticket,
            tool: call.tool.to_owned(),
            arguments: call.arguments.to_owned(),
            end,
        });
        // A stop that came between is not missed: this ends the call too.
        if interrupted() {
            mailbox.give(Order::Interrupt);
        }
        let mut result = ended.recv_timeout(call.limit);
        if matches!(result, Err(RecvTimeoutError::Timeout)) && mailbox.give(Order::GiveUp(ticket)) {
            // Either the answer, which has just come, or the confirmation that it was given up.
            result = ended.recv_timeout(START_TIMEOUT);
        }
        match result {
            Ok(CallEnd::Lost(why)) => match &*self.quoted() {
                "" => CallEnd::Lost(why),
                words => CallEnd::Lost(format!("{why}: {words}")),
            },
            Ok(end) => end,
            Err(RecvTimeoutError::Timeout) => CallEnd::TimedOut,
            Err(RecvTimeoutError::Disconnected) if given => CallEnd::TimedOut,
            Err(RecvTimeoutError::Disconnected) => CallEnd::Lost("it has ended".to_owned()),
        }
    }

    fn interrupt(&self) {
        self.is_interrupted.store(true, Ordering::SeqCst);
        let current = lock(&self.current).clone();
        current.map(|mailbox| mailbox.give(Order::Interrupt));
    }

    fn resume(&self) {
        self.is_interrupted.store(false, Ordering::SeqCst);
    }

    fn close(&self, hurry: bool) {
        let current = lock(&self.current).clone();
        current.map(|mailbox| mailbox.give(Order::Close { hurry }));
    }

    fn wait(&self) {
        let mut state = lock(&self.state);
        state.is_closed = true;
        if let Some(thread) = state.thread.take() {
            let _ = thread.join();
        }
    }

    fn quoted(&self) -> String {
        let current = lock(&self.current).clone();
        current.map_or_else(String::new, |mailbox| lock(&mailbox.words).quoted())
    }

    fn last_words(&self) -> String {
        let current = lock(&self.current).clone();
        current.map_or_else(String::new, |mailbox| lock(&mailbox.words).text())
    }
}
