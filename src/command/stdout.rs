//! Standard output as it is: every write goes out at once. And whether a stream takes anything at all.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::stdout_at_start::stdout_was_open;
use crate::output::visible::visible;

/// Standard output without a buffer of its own. What is written together goes out together.
#[derive(Debug)]
pub struct Stdout(File);

impl Stdout {
    /// A second way to the same place. Whatever prints asks for it before it does anything else, so that no
    /// request is made whose answer has nowhere to go.
    ///
    /// # Errors
    /// `EBADF` when standard output was closed, or open for reading only, as the process began. Another one when
    /// the process may open no more files.
    pub fn open() -> io::Result<Self> {
        if !stdout_was_open() {
            return Err(Errno::BADF.into());
        }
        Ok(Self(File::from(io::stdout().as_fd().try_clone_to_owned()?)))
    }

    /// Whether a person looks at it.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.0.is_terminal()
    }

    /// Prints this. On a terminal its control characters are made visible.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn print(&mut self, text: &str) -> io::Result<()> {
        let text = if self.is_terminal() {
            visible(text)
        } else {
            Cow::Borrowed(text)
        };
        self.write_all(text.as_bytes())
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.0.write(bytes) {
                // Whoever shares the pipe with us may have made it non-blocking; that is no reason to lose text.
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

/// Whether this stream takes something within this time, or would at least say why not.
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
