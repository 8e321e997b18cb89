//! What ends a run from outside: signals, the clock, and a reader of standard output that goes away. One
//! thread polls for all of them, from before standard input is read, and reports to the loop; whoever waits
//! for something else meanwhile is woken by a descriptor. Should nobody hear, because the run is stuck writing
//! to a reader that stands still, the thread ends the process itself.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::screen::erase;
use super::shield::end_renewals;
use super::signals::take_over;
use super::stdout::takes;
use crate::agent::{Control, Order};
use crate::auth::critical::{Critical, MAX_DELAY};
use crate::exhausted::at_start;
use crate::output::paint::Paint;

/// How long standard output or standard error may stand still once an end was ordered.
const STUCK: Duration = Duration::from_secs(1);

/// How long an ordered end may take: a moment for tools to end by themselves, then their being killed.
const WHOLE: Duration = Duration::from_secs(6);

/// How long it may take after a second order.
const HURRIED: Duration = Duration::from_millis(500);

/// What is to be watched beside the signals and standard output.
pub(super) struct Watch {
    /// When the run's time is over.
    pub(super) deadline: Option<Instant>,
    /// Stops the run, and says that it is ending its tools, so that it is not taken to be stuck.
    pub(super) control: Control,
    /// Puts off every end while a refresh token is being spent.
    pub(super) critical: Critical,
    /// Whether a spinner stands on standard error, which is erased before the process is ended.
    pub(super) shown: Arc<AtomicBool>,
    /// Ends the process without asking anybody, and tells so in these colours.
    pub(super) force: fn(Order, Paint),
    /// The colours.
    pub(super) paint: Paint,
}

impl Watch {
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
        let mut limit = WHOLE;
        let mut stuck_since = None;
        while ordered.elapsed() < limit {
            let pause = Some(Instant::now() + Duration::from_millis(50));
            if let Order::Signal(signal) = next(signals, pause, false) {
                self.control.stop_run(Order::Signal(signal));
                limit = limit.min(ordered.elapsed() + HURRIED);
            }
            if self.control.is_winding_up() || writable() {
                stuck_since = None;
            } else if stuck_since.get_or_insert_with(Instant::now).elapsed() >= STUCK {
                break;
            }
        }
        let waited = Instant::now();
        end_renewals(&self.critical, MAX_DELAY.saturating_sub(ordered.elapsed()));
        if waited.elapsed() > STUCK / 10 {
            // The loop has waited too, and still has to clean up.
            thread::sleep(STUCK);
        }
        erase(&self.shown);
        (self.force)(first, self.paint);
    }
}

/// Adds a stream for this signal. What was ignored when we started stays ignored: `nohup`, and jobs that a shell put in
/// the background.
pub(super) fn register(signal: i32, signals: &mut Vec<(i32, UnixStream)>) -> io::Result<()> {
    if ignored() & (1 << (signal - 1)) == 0 {
        let (reader, writer) = UnixStream::pair()?;
        signal_hook::low_level::pipe::register(signal, writer)?;
        signals.push((signal, reader));
    }
    Ok(())
}

/// Waits for what comes first.
pub(super) fn next(
    signals: &[(i32, UnixStream)],
    deadline: Option<Instant>,
    reader: bool,
) -> Order {
    let stdout = io::stdout();
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Order::Timeout;
        }
        let mut fds: Vec<PollFd<'_>> = signals
            .iter()
            .map(|(_, stream)| PollFd::new(stream, PollFlags::IN))
            .collect();
        if reader {
            // Asking for nothing still tells of a pipe without a reader.
            fds.push(PollFd::from_borrowed_fd(stdout.as_fd(), PollFlags::empty()));
        }
        let time = left.and_then(|left| Timespec::try_from(left + Duration::from_millis(1)).ok());
        if poll(&mut fds, time.as_ref()).is_err() {
            continue;
        }
        let events: Vec<PollFlags> = fds.iter().map(PollFd::revents).collect();
        for ((signal, stream), events) in signals.iter().zip(&events) {
            if !events.is_empty() {
                let _ = { stream }.read(&mut [0; 1]);
                return Order::Signal(*signal);
            }
        }
        if reader && events[signals.len()].intersects(PollFlags::ERR | PollFlags::HUP) {
            return Order::Closed;
        }
    }
}

/// Whether neither stream holds up the loop.
fn writable() -> bool {
    takes(&io::stdout(), Duration::ZERO) && takes(&io::stderr(), Duration::ZERO)
}

/// The signals that were ignored when the process began, a bit for each, as far as the system tells.
pub(super) fn ignored() -> u64 {
    static IGNORED: OnceLock<u64> = OnceLock::new();
    *IGNORED.get_or_init(read_ignored)
}

fn read_ignored() -> u64 {
    // It fits, and the kernel writes it in one piece.
    let mut status = [0; 8 << 10];
    let read = File::open("/proc/self/status").and_then(|mut file| file.read(&mut status));
    let status = String::from_utf8_lossy(&status[..read.unwrap_or_default()]);
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or_default()
}
