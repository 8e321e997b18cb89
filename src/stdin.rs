//! Standard input with its clock. It is polled, so no thread waits on it and every wait has an end: a
//! parent that never closes its pipe must not hang us.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::FileType;
use rustix::io::Errno;

/// How long an unasked-for pipe may say nothing before the run goes on without it, and how long any
/// wait lasts before somebody is told of it.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long input that was asked for, or has begun, may stay silent.
const SILENCE: Duration = Duration::from_secs(300);

/// The most input that is taken, in bytes: many times what the largest model can read.
const MOST: usize = 64 << 20;

/// What standard input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Somebody who types.
    Terminal,
    /// A file, a pipe or a socket: something that may hold input.
    Data,
    /// The null device or another device: nothing to look at unasked.
    Other,
}

/// What reading brought.
#[derive(Debug, PartialEq, Eq)]
pub enum Input {
    /// All of it.
    Whole(Vec<u8>),
    /// It said nothing, and nobody had asked for it.
    GivenUp,
    /// The waiting was ended from outside.
    Ended,
}

/// Why there is no input.
#[derive(Debug)]
pub enum Error {
    /// It cannot be read.
    Unreadable(io::Error),
    /// It stayed silent for this long before its end.
    Silent(Duration),
    /// It is larger than this many bytes.
    TooLarge(usize),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => error.fmt(f),
            Self::Silent(time) => write!(
                f,
                "it stayed silent for {} s without ending",
                time.as_secs()
            ),
            Self::TooLarge(most) => write!(f, "it is larger than {} MiB", most >> 20),
        }
    }
}

impl StdError for Error {}

/// What standard input is. One that was closed has become the null device before `main`.
#[must_use]
pub fn source() -> Source {
    match rustix::fs::fstat(io::stdin()) {
        Ok(stat) => match FileType::from_raw_mode(stat.st_mode) {
            FileType::Fifo | FileType::Socket | FileType::RegularFile | FileType::Directory => {
                Source::Data
            }
            _ if io::IsTerminal::is_terminal(&io::stdin()) => Source::Terminal,
            _ => Source::Other,
        },
        Err(_) => Source::Other,
    }
}

/// Reads to the end. `asked` says that the user named standard input; otherwise silence at its very start
/// means that it has nothing to say. `waiting` is called once when the wait gets long. As soon as there is something
/// to read from `end`, the waiting ends.
///
/// # Errors
/// When it cannot be read to its end.
pub fn read(
    asked: bool,
    end: Option<BorrowedFd<'_>>,
    mut waiting: impl FnMut(),
) -> Result<Input, Error> {
    let mut input = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    let mut silent_since = Instant::now();
    let mut told = false;
    loop {
        let silent = silent_since.elapsed();
        if silent >= PATIENCE && !asked && input.is_empty() {
            return Ok(Input::GivenUp);
        }
        if silent >= SILENCE {
            return Err(Error::Silent(SILENCE));
        }
        if silent >= PATIENCE && !told {
            told = true;
            waiting();
        }
        let next = if told { SILENCE } else { PATIENCE };
        match wait(next.saturating_sub(silent), end).map_err(Error::Unreadable)? {
            Came::Nothing => continue,
            Came::End => return Ok(Input::Ended),
            Came::Input => {}
        }
        match rustix::io::read(io::stdin(), &mut buffer) {
            Ok(0) => return Ok(Input::Whole(input)),
            Ok(count) => input.extend_from_slice(&buffer[..count]),
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(error) => return Err(Error::Unreadable(error.into())),
        }
        if input.len() > MOST {
            return Err(Error::TooLarge(MOST));
        }
        silent_since = Instant::now();
    }
}

/// How long after its last byte something pasted counts as whole: line breaks may be in it.
const PASTED: Duration = Duration::from_millis(150);

/// How long between two looks at whether anybody still wants to know.
const GLANCE: Duration = Duration::from_millis(50);

/// Reads what a person types or pastes, up to a line end that nothing follows at once; nothing when input has
/// ended or `over` is set.
#[must_use]
pub fn burst(over: &AtomicBool) -> Option<String> {
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let pause = if text.ends_with(b"\n") {
            PASTED
        } else {
            GLANCE
        };
        if over.load(Ordering::Relaxed) {
            return None;
        }
        let came = wait(pause, None).ok()? == Came::Input;
        if !came && text.ends_with(b"\n") {
            return Some(String::from_utf8_lossy(&text).into_owned());
        }
        if !came {
            continue;
        }
        match rustix::io::read(io::stdin(), &mut buffer) {
            Ok(0) if text.trim_ascii().is_empty() => return None,
            Ok(0) => return Some(String::from_utf8_lossy(&text).into_owned()),
            Ok(count) => text.extend_from_slice(&buffer[..count]),
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(_) => return None,
        }
        if text.trim_ascii().is_empty() {
            text.clear();
        }
        if text.len() > MOST {
            return None;
        }
    }
}

/// Whether something has come since reading was given up. Its mere end is nothing.
#[must_use]
pub fn came_late() -> bool {
    wait(Duration::ZERO, None).is_ok_and(|came| came == Came::Input)
        && matches!(rustix::io::read(io::stdin(), &mut [0; 1]), Ok(1))
}

/// What came first.
#[derive(PartialEq, Eq)]
enum Came {
    Nothing,
    /// There is something to read on standard input, be it its end.
    Input,
    /// There is something to read where the end of the waiting is told.
    End,
}

/// Takes what standard input still holds and throws it away, so that whoever writes there is not ended by a pipe without
/// a reader. It is given up once it says nothing for this long.
pub fn drain(patience: Duration) {
    if source() != Source::Data {
        return;
    }
    let mut taken = 0;
    let mut piece = [0; 1 << 13];
    while taken < MOST && matches!(wait(patience, None), Ok(Came::Input)) {
        match rustix::io::read(io::stdin(), &mut piece) {
            Ok(count @ 1..) => taken += count,
            Ok(0) | Err(_) => return,
        }
    }
}

/// Waits until something comes, but no longer than this.
fn wait(time: Duration, end: Option<BorrowedFd<'_>>) -> io::Result<Came> {
    let stdin = io::stdin();
    let mut fds = vec![PollFd::new(&stdin, PollFlags::IN)];
    fds.extend(end.map(|end| PollFd::from_borrowed_fd(end, PollFlags::IN)));
    // Rounded up, so that a wait never ends just before its time.
    let time = time + Duration::from_millis(1);
    let time = Timespec::try_from(time).unwrap_or(Timespec {
        tv_sec: 1,
        tv_nsec: 0,
    });
    match rustix::event::poll(&mut fds, Some(&time)) {
        Ok(0) | Err(Errno::INTR) => Ok(Came::Nothing),
        Ok(_) if fds[1..].iter().any(|fd| !fd.revents().is_empty()) => Ok(Came::End),
        Ok(_) => Ok(Came::Input),
        Err(error) => Err(error.into()),
    }
}
