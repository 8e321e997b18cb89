//! Standard input with its clock: what it is, all of it, and what a person types.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::fs::FileType;
use rustix::io::Errno;

use crate::input::{self, Came, ReadLimits};
pub use crate::input::{Error, InputText};

/// The most input that is taken, in bytes: many times what the largest model can read.
const MAX_STDIN_BYTES: usize = 64 << 20;

/// What standard input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StdinKind {
    /// Somebody who types.
    Terminal,
    /// A file, a pipe or a socket: something that may hold input.
    Data,
    /// The null device or another device: nothing to look at unasked.
    Other,
}

/// What standard input is. One that was closed has become the null device before `main`.
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

/// Reads to the end. `asked` says that the user named standard input; otherwise silence at its very start
/// means that it has nothing to say. `waiting` is called once when the wait gets long. As soon as there is something
/// to read from `end`, the waiting ends.
///
/// # Errors
/// When it cannot be read to its end.
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

/// How long after its last byte something pasted counts as whole: line breaks may be in it.
const PASTE_PAUSE: Duration = Duration::from_millis(150);

/// How long between two looks at whether anybody still wants to know.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Reads what a person types or pastes, up to a line end that nothing follows at once; nothing when input has
/// ended or `over` is set.
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
        let came = wait(pause).ok()? == Came::Input;
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

/// Whether something has come since reading was given up. Its mere end is nothing.
#[must_use]
pub fn came_late() -> bool {
    wait(Duration::ZERO).is_ok_and(|came| came == Came::Input)
        && matches!(rustix::io::read(io::stdin(), &mut [0; 1]), Ok(1))
}

/// Takes what standard input still holds and throws it away, so that whoever writes there is not ended by a pipe without
/// a reader. It is given up once it says nothing for this long.
pub fn drain(patience: Duration) {
    if source() != StdinKind::Data {
        return;
    }
    let mut taken = 0;
    let mut piece = [0; 1 << 13];
    while taken < MAX_STDIN_BYTES && matches!(wait(patience), Ok(Came::Input)) {
        match rustix::io::read(io::stdin(), &mut piece) {
            Ok(count @ 1..) => taken += count,
            Ok(0) | Err(_) => return,
        }
    }
}

/// Waits until something comes on standard input, but no longer than this.
fn wait(time: Duration) -> io::Result<Came> {
    input::wait(io::stdin().as_fd(), time, None)
}
