//! Standard error as it is, for what goes beside an answer: nobody who reads it slowly, or not at all, holds the answer
//! up for long.

use std::io::{self, Write};
use std::time::Duration;

use super::stdout::takes;

/// How long a reader of standard error may stand still before what is meant for it is dropped, until it reads again.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// What a pipe that takes anything takes at once, in bytes (`PIPE_BUF`, POSIX `limits.h`, on Linux).
const CHUNK_BYTES: usize = 4096;

/// Standard error, a piece at a time.
#[derive(Debug, Default)]
pub(super) struct Stderr {
    /// Its reader stands still.
    stuck: bool,
}

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let patience = if self.stuck {
            Duration::ZERO
        } else {
            WRITE_TIMEOUT
        };
        let was_stuck = self.stuck;
        self.stuck = !takes(&io::stderr(), patience);
        if self.stuck {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        if was_stuck {
            // What was dropped may have begun a line.
            io::stderr().write_all(b"\n")?;
        }
        io::stderr().write(&bytes[..bytes.len().min(CHUNK_BYTES)])
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
