//! Standard input: its type, its whole content, and lines typed by a user.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::fs::FileType;
use rustix::io::Errno;

use crate::input::{self, ReadLimits, WaitEvent};
pub use crate::input::{Error, InputText};

/// Size limit for the input in bytes: many times what the largest model can read.
const MAX_STDIN_BYTES: usize = 64 << 20;

/// The type of standard input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StdinKind {
    /// A terminal.
    Terminal,
    /// A file, a pipe or a socket: something that may hold input.
    Data,
    /// The null device or another device, which is read only on request.
    Other,
}

/// The type of standard input. A closed one was replaced by the null device before `main`.
#[must_use]
pub fn source() -> StdinKind {
    match rustix::fs::fstat(io::stdin()) {
        Ok(stat) => match FileType::from_raw_mode(stat.st_mode) {
            FileType::Fifo | FileType::Socket | FileType::RegularFile | FileType::Directory => {
                StdinKind::Data
            }
            _ if io::IsTerminal::is_terminal(&io::stdin()) => StdinKind::Terminal,
            _ => StdinKind::Other,
        },
        Err(_) => StdinKind::Other,
    }
}

/// Reads to the end. `asked`: the user named standard input; if not, silence from the start means no input.
/// `waiting` is called once if the wait is long. The wait stops as soon as `end` is readable.
///
/// # Errors
/// When standard input cannot be read to its end.
pub fn read(
    asked: bool,
    end: Option<BorrowedFd<'_>>,
    waiting: impl FnMut(),
) -> Result<InputText, Error> {
    let limits = ReadLimits {
        most: MAX_STDIN_BYTES,
        asked,
        end,
    };
    input::read(io::stdin(), limits, waiting)
}

/// Pause after which pasted text counts as complete: it may contain line breaks.
const PASTE_PAUSE: Duration = Duration::from_millis(150);

/// Interval between two checks of `over`.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Reads what a user types or pastes, up to a line end that is followed by a pause; `None` at the end of input, or
/// when `over` is set.
#[must_use]
pub fn burst(over: &AtomicBool) -> Option<String> {
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let pause = if text.ends_with(b"\n") {
            PASTE_PAUSE
        } else {
            POLL_INTERVAL
        };
        if over.load(Ordering::Relaxed) {
            return None;
        }
        let came = wait(pause).ok()? == WaitEvent::Input;
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
        if text.len() > MAX_STDIN_BYTES {
            return None;
        }
    }
}

/// Whether input has arrived since reading stopped; the end of input alone does not count.
#[must_use]
pub fn came_late() -> bool {
    wait(Duration::ZERO).is_ok_and(|came| came == WaitEvent::Input)
        && matches!(rustix::io::read(io::stdin(), &mut [0; 1]), Ok(1))
}

/// Reads and discards the rest of standard input, so that the writer is not killed by a broken pipe. Stops after
/// this long without data.
pub fn drain(silence: Duration) {
    if source() != StdinKind::Data {
        return;
    }
    let mut taken = 0;
    let mut piece = [0; 1 << 13];
    while taken < MAX_STDIN_BYTES && matches!(wait(silence), Ok(WaitEvent::Input)) {
        match rustix::io::read(io::stdin(), &mut piece) {
            Ok(count @ 1..) => taken += count,
            Ok(0) | Err(_) => return,
        }
    }
}

/// Waits for standard input, at most `time`.
fn wait(time: Duration) -> io::Result<WaitEvent> {
    input::wait(io::stdin().as_fd(), time, None)
}
