//! Unbuffered standard output; whether a stream is writable, and the width of its terminal.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::os::fd::AsFd;
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
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
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

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
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
