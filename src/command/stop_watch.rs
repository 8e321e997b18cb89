//! What ends a run from outside: signals, the clock, and a reader of standard output that goes away. One
//! thread polls for all of them, from before standard input is read, and reports to the loop; whoever waits
//! for something else meanwhile is woken by a descriptor. Should nobody hear, because the run is stuck writing
//! to a reader that stands still, the thread ends the process itself.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant};

use super::screen::erase;
use super::signal_shield::end_renewals;
use super::signals::take_over;
use super::stdout::takes;
use super::stop_requests::next;
use crate::agent::{Control, StopRequest};
use crate::auth::critical_section::{Critical, MAX_DELAY};
use crate::exhausted::at_start;
use crate::output::paint::Paint;

/// How long standard output or standard error may stand still once an end was ordered.
const STUCK_TIMEOUT: Duration = Duration::from_secs(1);

/// How long an ordered end may take: a moment for tools to end by themselves, then their being killed.
const WIND_UP_TIMEOUT: Duration = Duration::from_secs(6);

/// How long it may take after a second order.
const HURRIED_TIMEOUT: Duration = Duration::from_millis(500);

/// What is to be watched beside the signals and standard output.
pub(super) struct StopWatch {
    /// When the run's time is over.
    pub(super) deadline: Option<Instant>,
    /// Stops the run, and says that it is ending its tools, so that it is not taken to be stuck.
    pub(super) control: Control,
    /// Puts off every end while a refresh token is being spent.
    pub(super) critical: Critical,
    /// Whether a spinner stands on standard error, which is erased before the process is ended.
    pub(super) shown: Arc<AtomicBool>,
    /// Ends the process without asking anybody, and tells so in these colours.
    pub(super) force: fn(StopRequest, Paint),
    /// The colours.
    pub(super) paint: Paint,
}

impl StopWatch {
    /// Starts watching, on a thread that ends with the process. Once an end was ordered there is something to
    /// read from what is returned.
    pub(super) fn start(self) -> io::Result<UnixStream> {
        let signals = take_over()?;
        let (woken, wake) = UnixStream::pair()?;
        let watching = thread::Builder::new().spawn(move || self.watch(&signals, wake));
        watching.map_err(at_start)?;
        Ok(woken)
    }

    fn watch(self, signals: &[(i32, UnixStream)], wake: UnixStream) {
        let first = next(signals, self.deadline, true);
        let ordered = Instant::now();
        self.control.stop_run(first);
        // Its end is something to read, too.
        drop(wake);
        let mut limit = WIND_UP_TIMEOUT;
        let mut stuck_since = None;
        while ordered.elapsed() < limit {
            let pause = Some(Instant::now() + Duration::from_millis(50));
            if let StopRequest::Signal(signal) = next(signals, pause, false) {
                self.control.stop_run(StopRequest::Signal(signal));
                limit = limit.min(ordered.elapsed() + HURRIED_TIMEOUT);
            }
            if self.control.is_winding_up() || writable() {
                stuck_since = None;
            } else if stuck_since.get_or_insert_with(Instant::now).elapsed() >= STUCK_TIMEOUT {
                break;
            }
        }
        let waited = Instant::now();
        end_renewals(&self.critical, MAX_DELAY.saturating_sub(ordered.elapsed()));
        if waited.elapsed() > STUCK_TIMEOUT / 10 {
            // The loop has waited too, and still has to clean up.
            thread::sleep(STUCK_TIMEOUT);
        }
        erase(&self.shown);
        (self.force)(first, self.paint);
    }
}

/// Whether neither stream holds up the loop.
fn writable() -> bool {
    takes(&io::stdout(), Duration::ZERO) && takes(&io::stderr(), Duration::ZERO)
}
