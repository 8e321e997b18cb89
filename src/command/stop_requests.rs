//! Sources of stop requests that can be polled: signals, each as a stream that receives a byte, a deadline, and the reader of
//! standard output closing its end.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::agent::StopRequest;

/// What stands in place of a signal for a stream that becomes readable when the work has ended.
pub(super) const ENDED: i32 = 0;

/// Adds a stream for this signal. A signal that was ignored when the process started stays ignored: `nohup`, background jobs.
pub(super) fn register(signal: i32, signals: &mut Vec<(i32, UnixStream)>) -> io::Result<()> {
    if ignored() & (1 << (signal - 1)) == 0 {
        let (reader, writer) = UnixStream::pair()?;
        signal_hook::low_level::pipe::register(signal, writer)?;
        signals.push((signal, reader));
    }
    Ok(())
}

/// Waits for the first stop request. `reader` also watches the reader of standard output.
pub(super) fn next(
    signals: &[(i32, UnixStream)],
    deadline: Option<Instant>,
    reader: bool,
) -> StopRequest {
    let stdout = io::stdout();
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return StopRequest::Timeout;
        }
        let mut fds: Vec<PollFd<'_>> = signals
            .iter()
            .map(|(_, stream)| PollFd::new(stream, PollFlags::IN))
            .collect();
        if reader {
            // Even with no requested events, poll reports a pipe without a reader.
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
                return StopRequest::Signal(*signal);
            }
        }
        if reader && events[signals.len()].intersects(PollFlags::ERR | PollFlags::HUP) {
            return StopRequest::Closed;
        }
    }
}

/// Waits until the stream of `ENDED` becomes readable, and calls `stop` for each stop request before that. Returns the first.
pub(super) fn until_ended(signals: &[(i32, UnixStream)], stop: impl Fn()) -> Option<StopRequest> {
    let mut stopped = None;
    loop {
        match next(signals, None, stopped.is_none()) {
            StopRequest::Signal(ENDED) => return stopped,
            request => {
                stopped.get_or_insert(request);
                stop();
            }
        }
    }
}

/// Bit mask of the signals that were ignored when the process started; empty where `/proc` is not available.
pub(super) fn ignored() -> u64 {
    static IGNORED: OnceLock<u64> = OnceLock::new();
    *IGNORED.get_or_init(read_ignored)
}

fn read_ignored() -> u64 {
    // The file fits, and the kernel returns it in one read.
    let mut status = [0; 8 << 10];
    let read = File::open("/proc/self/status").and_then(|mut file| file.read(&mut status));
    let status = String::from_utf8_lossy(&status[..read.unwrap_or_default()]);
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or_default()
}
