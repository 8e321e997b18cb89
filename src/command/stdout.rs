//! Standard output as it is: every write goes out at once. And whether a stream takes anything at all.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Standard output without a buffer of its own. What is written together goes out together.
#[derive(Debug)]
pub struct Stdout(File);

impl Stdout {
    /// A second way to the same place.
    ///
    /// # Errors
    /// When the process may open no more files.
    pub fn open() -> io::Result<Self> {
        Ok(Self(File::from(io::stdout().as_fd().try_clone_to_owned()?)))
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.0.write(bytes) {
                // Whoever shares the pipe with us may have made it non-blocking; that is no reason to lose text.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    match poll(&mut [PollFd::new(&self.0, PollFlags::OUT)], None) {
                        Ok(_) | Err(rustix::io::Errno::INTR) => {}
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
