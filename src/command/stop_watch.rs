//! Stop requests to a run: signals, the deadline, and the reader of standard output closing its end. One thread polls for all
//! of them, starting before standard input is read, and reports to the loop; a descriptor wakes code that waits for something
//! else. If the run is blocked in a write to a reader that does not read, the thread ends the process itself.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGQUIT};

use super::lent_terminal::LentTerminal;
use super::screen::erase;
use super::signal_shield::end_renewals;
use super::signals::{ENDS_OF_SCREEN, take_over};
use super::stdout::takes;
use super::stop_requests::next;
use crate::agent::{Control, StopRequest};
use crate::auth::critical_section::{Critical, MAX_DELAY};
use crate::exhausted::at_start;
use crate::output::paint::Paint;

/// How long a write may block after a stop request.
const STUCK_TIMEOUT: Duration = Duration::from_secs(1);

/// How long a stop may take: the grace period of the tools, then killing them.
const WIND_UP_TIMEOUT: Duration = Duration::from_secs(6);

/// How long a stop may take after a second stop request.
const SECOND_STOP_TIMEOUT: Duration = Duration::from_millis(500);

/// The watch over stop requests of a run.
pub(super) struct StopWatch {
    /// The deadline of the run (`--timeout`).
    pub(super) deadline: Option<Instant>,
    /// Stops the run, and knows whether it is ending its tools, so that it is not considered stuck.
    pub(super) control: Control,
    /// Delays the exit while a refresh token is being used.
    pub(super) critical: Critical,
    /// Whether a spinner is drawn on standard error. It is erased before the process ends.
    pub(super) shown: Arc<AtomicBool>,
    /// Ends the process immediately and reports why, in these colours.
    pub(super) exit_now: fn(StopRequest, Paint),
    /// The colours.
    pub(super) paint: Paint,
}

/// The screen of a command that draws on its terminal.
pub(super) struct WatchedScreen {
    /// The terminal is lent to another program, for which Ctrl+C and Ctrl+\ are meant.
    pub(super) lent: Arc<LentTerminal>,
    /// Makes the terminal what it was, at the first stop request.
    pub(super) restore: Box<dyn Fn() + Send>,
}

impl StopWatch {
    /// Starts a thread that watches until the process ends. The returned stream becomes readable on the first stop request.
    pub(super) fn start(self) -> io::Result<UnixStream> {
        self.start_for(None)
    }

    /// The same for a command that draws on its terminal and leaves standard output alone.
    pub(super) fn start_on_screen(self, screen: WatchedScreen) -> io::Result<UnixStream> {
        self.start_for(Some(screen))
    }

    fn start_for(self, screen: Option<WatchedScreen>) -> io::Result<UnixStream> {
        let further: &[i32] = match screen {
            Some(_) => &ENDS_OF_SCREEN,
            None => &[],
        };
        let signals = take_over(further)?;
        let (woken, wake) = UnixStream::pair()?;
        let watching = thread::Builder::new().spawn(move || self.watch(&signals, wake, screen));
        watching.map_err(at_start)?;
        Ok(woken)
    }

    fn watch(self, signals: &[(i32, UnixStream)], wake: UnixStream, screen: Option<WatchedScreen>) {
        let first = loop {
            let request = next(signals, self.deadline, screen.is_none());
            let is_lent = screen
                .as_ref()
                .is_some_and(|screen| screen.lent.has_signals(Instant::now()));
            // Both come from the keyboard, and to every process that has the terminal.
            let is_typed = matches!(request, StopRequest::Signal(SIGINT | SIGQUIT));
            if !(is_typed && is_lent) {
                break request;
            }
        };
        let requested = Instant::now();
        self.control.stop_run(first);
        if let Some(screen) = &screen {
            (screen.restore)();
        }
        // Closing it makes the other end readable.
        drop(wake);
        let mut limit = WIND_UP_TIMEOUT;
        let mut stuck_since = None;
        while requested.elapsed() < limit {
            let pause = Some(Instant::now() + Duration::from_millis(50));
            if let StopRequest::Signal(signal) = next(signals, pause, false) {
                self.control.stop_run(StopRequest::Signal(signal));
                limit = limit.min(requested.elapsed() + SECOND_STOP_TIMEOUT);
            }
            if screen.is_some() || self.control.is_winding_up() || writable() {
                stuck_since = None;
            } else if stuck_since.get_or_insert_with(Instant::now).elapsed() >= STUCK_TIMEOUT {
                break;
            }
        }
        let waited = Instant::now();
        end_renewals(
            &self.critical,
            MAX_DELAY.saturating_sub(requested.elapsed()),
        );
        if waited.elapsed() > STUCK_TIMEOUT / 10 {
            // The loop has waited as well, and still has to clean up.
            thread::sleep(STUCK_TIMEOUT);
        }
        erase(&self.shown);
        (self.exit_now)(first, self.paint);
    }
}

/// Whether neither stream blocks the loop.
fn writable() -> bool {
    takes(&io::stdout(), Duration::ZERO) && takes(&io::stderr(), Duration::ZERO)
}
