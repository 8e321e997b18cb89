//! Unbuffered standard error for diagnostics of a run. A slow or stuck reader does not hold up the answer for long.

use std::io::{self, Write};
use std::time::Duration;

use super::stdout::takes;

/// How long a write waits for a reader of standard error. After that, output is dropped until it reads again.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes that a writable pipe accepts in one write (`PIPE_BUF`, POSIX `limits.h`; the value on Linux).
const CHUNK_BYTES: usize = 4096;

/// Standard error, written in chunks.
#[derive(Debug, Default)]
pub(super) struct Stderr {
    /// The reader has stopped reading.
    stuck: bool,
}

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let timeout = if self.stuck {
            Duration::ZERO
        } else {
            WRITE_TIMEOUT
        };
        let was_stuck = self.stuck;
        self.stuck = !takes(&io::stderr(), timeout);
        if self.stuck {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        if was_stuck {
            // The dropped output may have ended in the middle of a line.
            io::stderr().write_all(b"\n")?;
        }
        io::stderr().write(&bytes[..bytes.len().min(CHUNK_BYTES)])
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
