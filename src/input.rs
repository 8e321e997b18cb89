//! Reads a file descriptor to its end, with limits on size and silence. It polls, so no thread blocks and every wait
//! ends: a parent that never closes its pipe must not hang the program.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;

/// How long a pipe that the user did not name may stay silent before it is ignored, and how long any wait may last
/// before it is reported.
pub const NOTICE_AFTER: Duration = Duration::from_secs(3);

/// Idle timeout for input that the user asked for, or that has started to arrive.
pub const IDLE_LIMIT: Duration = Duration::from_secs(300);

/// The result of reading.
#[derive(Debug, PartialEq, Eq)]
pub enum InputText {
    /// The whole input.
    Whole(Vec<u8>),
    /// Nothing arrived, and the user did not ask for this input.
    GivenUp,
    /// Stopped through `ReadLimits::end`.
    Ended,
}

/// Why there is no input.
#[derive(Debug)]
pub enum Error {
    /// It cannot be read.
    Unreadable(io::Error),
    /// It was silent for this long before its end.
    Silent(Duration),
    /// It exceeds this many bytes.
    TooLarge(usize),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => error.fmt(f),
            Self::Silent(time) => write!(f, "no data and no end of input for {} s", time.as_secs()),
            Self::TooLarge(most) => write!(f, "it is larger than {}", size(*most)),
        }
    }
}

impl StdError for Error {}

/// A size in words: whole MiB or KiB.
fn size(bytes: usize) -> String {
    match bytes {
        large if large >= 1 << 20 => format!("{} MiB", large >> 20),
        small => format!("{} KiB", small >> 10),
    }
}

/// The limits on reading.
#[derive(Clone, Copy, Debug)]
pub struct ReadLimits<'a> {
    /// The maximum size in bytes.
    pub most: usize,
    /// Whether the user named the input. If not, silence from the start means no input.
    pub asked: bool,
    /// Stops the wait as soon as this descriptor is readable.
    pub end: Option<BorrowedFd<'a>>,
}

/// Reads to the end. `waiting` is called once if the wait is long.
///
/// # Errors
/// When the input cannot be read to its end.
pub fn read(
    from: impl AsFd,
    limits: ReadLimits<'_>,
    mut waiting: impl FnMut(),
) -> Result<InputText, Error> {
    let mut input = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    let mut silent_since = Instant::now();
    let mut reported = false;
    loop {
        let silent = silent_since.elapsed();
        if silent >= NOTICE_AFTER && !limits.asked && input.is_empty() {
            return Ok(InputText::GivenUp);
        }
        if silent >= IDLE_LIMIT {
            return Err(Error::Silent(IDLE_LIMIT));
        }
        if silent >= NOTICE_AFTER && !reported {
            reported = true;
            waiting();
        }
        let next = if reported { IDLE_LIMIT } else { NOTICE_AFTER };
        match wait(from.as_fd(), next.saturating_sub(silent), limits.end)
            .map_err(Error::Unreadable)?
        {
            WaitEvent::Timeout => continue,
            WaitEvent::End => return Ok(InputText::Ended),
            WaitEvent::Input => {}
        }
        match rustix::io::read(&from, &mut buffer) {
            Ok(0) => return Ok(InputText::Whole(input)),
            Ok(count) => input.extend_from_slice(&buffer[..count]),
            // A spurious wake-up, which does not count as activity.
            Err(Errno::INTR | Errno::AGAIN) => continue,
            Err(error) => return Err(Error::Unreadable(error.into())),
        }
        if input.len() > limits.most {
            return Err(Error::TooLarge(limits.most));
        }
        silent_since = Instant::now();
    }
}

/// The first event of a wait.
#[derive(Debug, PartialEq, Eq)]
pub enum WaitEvent {
    /// Timeout.
    Timeout,
    /// The descriptor is readable, or at its end.
    Input,
    /// The `end` descriptor is readable.
    End,
}

/// Waits for the first event, at most `time`.
///
/// # Errors
/// When polling fails.
pub fn wait(
    from: BorrowedFd<'_>,
    time: Duration,
    end: Option<BorrowedFd<'_>>,
) -> io::Result<WaitEvent> {
    let mut fds = vec![PollFd::from_borrowed_fd(from, PollFlags::IN)];
    fds.extend(end.map(|end| PollFd::from_borrowed_fd(end, PollFlags::IN)));
    // Rounded up, so that a wait never ends just before its time.
    let time = time + Duration::from_millis(1);
    let time = Timespec::try_from(time).unwrap_or(Timespec {
        tv_sec: 1,
        tv_nsec: 0,
    });
    match rustix::event::poll(&mut fds, Some(&time)) {
        Ok(0) | Err(Errno::INTR) => Ok(WaitEvent::Timeout),
        Ok(_) if fds[1..].iter().any(|fd| !fd.revents().is_empty()) => Ok(WaitEvent::End),
        Ok(_) => Ok(WaitEvent::Input),
        Err(error) => Err(error.into()),
    }
}

/// The text without a leading byte order mark.
#[must_use]
pub fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    use super::*;

    fn limits(most: usize) -> ReadLimits<'static> {
        ReadLimits {
            most,
            asked: true,
            end: None,
        }
    }

    #[test]
    fn input_is_read_to_its_end_within_its_limit() {
        let read_of = |bytes: &[u8], most: usize| {
            let (from, mut to) = UnixStream::pair().expect("a pair");
            to.write_all(bytes).expect("there is room");
            drop(to);
            read(from, limits(most), || {}).map_err(|error| error.to_string())
        };
        assert_eq!(read_of(b"abc", 3), Ok(InputText::Whole(b"abc".to_vec())));
        assert_eq!(read_of(b"", 3), Ok(InputText::Whole(Vec::new())));
        let ended = read_of(&vec![0; 4096], 1024);
        assert_eq!(ended, Err("it is larger than 1 KiB".to_owned()));
        let without_end = std::fs::File::open("/dev/zero").expect("a device");
        let ended = read(without_end, limits(5 << 20), || {}).map_err(|e| e.to_string());
        assert_eq!(ended, Err("it is larger than 5 MiB".to_owned()));
    }

    #[test]
    fn the_wait_can_be_stopped() {
        let (from, _open) = UnixStream::pair().expect("a pair");
        let (end, ends) = UnixStream::pair().expect("a pair");
        drop(ends);
        let limits = ReadLimits {
            end: Some(end.as_fd()),
            ..limits(1)
        };
        let ended = read(from, limits, || {}).map_err(|error| error.to_string());
        assert_eq!(ended, Ok(InputText::Ended));
    }

    #[test]
    fn a_byte_order_mark_is_dropped_only_at_the_beginning() {
        let check = |text: &str, expected: &str| assert_eq!(without_mark(text), expected);
        check("\u{feff}a\u{feff}", "a\u{feff}");
        check("\u{feff}\u{feff}a", "\u{feff}a");
        check("\u{feff}", "");
        check("a", "a");
    }
}
