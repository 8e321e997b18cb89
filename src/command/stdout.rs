//! Unbuffered standard output, which one thread at a time writes to; whether a stream is writable, and the width of its terminal.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::mem;
use std::os::fd::AsFd;
use std::sync::{Mutex, PoisonError, TryLockError};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::termios::tcgetwinsize;

use super::stdout_at_start::stdout_was_open;
use crate::output::visible::visible;

/// The columns of a terminal that does not know them, such as a serial line.
pub const UNKNOWN_COLUMNS: usize = 80;

/// The columns that text is fitted into on a terminal that has fewer, which wraps it by itself.
const MIN_COLUMNS: usize = 20;

/// How often the last line of the process tries to begin.
const RETRY_INTERVAL: Duration = Duration::from_millis(5);

/// Whether standard output is at the beginning of a line. It is locked while something is written, and for good by the thread
/// that writes the last line.
static AT_LINE_START: Mutex<bool> = Mutex::new(true);

/// Unbuffered standard output.
#[derive(Debug)]
pub struct Stdout(File);

impl Stdout {
    /// Duplicates the descriptor of standard output. A command does this before anything else, so no request is sent whose
    /// answer cannot be printed.
    ///
    /// # Errors
    /// `EBADF` if standard output was closed or read-only when the process started. Another error if the process cannot open
    /// more files.
    pub fn open() -> io::Result<Self> {
        if !stdout_was_open() {
            return Err(Errno::BADF.into());
        }
        Ok(Self(File::from(io::stdout().as_fd().try_clone_to_owned()?)))
    }

    /// Whether it is a terminal.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.0.is_terminal()
    }

    /// The columns of the terminal, if it is one.
    #[must_use]
    pub fn columns(&self) -> Option<usize> {
        columns(&self.0)
    }

    /// Prints text. On a terminal, control characters are made visible.
    ///
    /// # Errors
    /// If the text cannot be written.
    pub fn print(&mut self, text: &str) -> io::Result<()> {
        let text = if self.is_terminal() {
            visible(text)
        } else {
            Cow::Borrowed(text)
        };
        self.write_all(text.as_bytes())
    }

    /// Reads what its other end sends, if it is a socket.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(super) fn read_to_end(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(4 << 10);
        self.0.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn write_locked(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.0.write(bytes) {
                // Another process that shares the pipe may have made it non-blocking; no text may be lost.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    match poll(&mut [PollFd::new(&self.0, PollFlags::OUT)], None) {
                        Ok(_) | Err(Errno::INTR) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
                other => return other,
            }
        }
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut at_line_start = AT_LINE_START.lock().unwrap_or_else(PoisonError::into_inner);
        let count = self.write_locked(bytes)?;
        if let Some(last) = bytes[..count].last() {
            *at_line_start = *last == b'\n';
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes the last lines of this process, if any, on lines of their own; nothing is written after them. A write that waits for its
/// reader gets up to `timeout`, and so does a line that another thread is writing, if this one `awaits` it.
pub fn write_last(lines: &str, timeout: Duration, awaits: bool) {
    // The clock may be what failed.
    let mut left = timeout;
    let at_line_start = loop {
        let is_late = left.is_zero();
        match AT_LINE_START.try_lock() {
            Ok(start) if *start || !awaits || is_late => break start,
            Err(TryLockError::Poisoned(start)) => break start.into_inner(),
            _ if is_late => return,
            _ => thread::sleep(RETRY_INTERVAL),
        }
        left = left.saturating_sub(RETRY_INTERVAL);
    };
    let begin = if *at_line_start { "" } else { "\n" };
    mem::forget(at_line_start);
    let text = format!("{begin}{lines}");
    if !text.is_empty()
        && takes(&io::stdout(), left)
        && let Ok(Stdout(mut stdout)) = Stdout::open()
    {
        let _ = stdout.write_all(text.as_bytes());
    }
}

/// The columns of the terminal that this stream is; `None` if it is not a terminal.
pub fn columns(stream: &(impl AsFd + IsTerminal)) -> Option<usize> {
    if !stream.is_terminal() {
        return None;
    }
    Some(match tcgetwinsize(stream) {
        Ok(size) if size.ws_col > 0 => usize::from(size.ws_col).max(MIN_COLUMNS),
        _ => UNKNOWN_COLUMNS,
    })
}

/// Whether this stream accepts a write without blocking, within `time`. An error counts as writable: the write reports
/// it.
pub fn takes(stream: &impl AsFd, time: Duration) -> bool {
    let time = Timespec::try_from(time).unwrap_or(Timespec {
        tv_sec: 1,
        tv_nsec: 0,
    });
    !matches!(
        poll(&mut [PollFd::new(stream, PollFlags::OUT)], Some(&time)),
        Ok(0)
    )
}
