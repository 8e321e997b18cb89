//! What is held back until the lines are flushed, within a limit: a long line is written in parts.

use std::io::{self, Write};

/// How much is held back, in bytes.
const MAX_HELD_BYTES: usize = 64 << 10;

/// A writer that holds bytes back.
pub(super) struct HeldBack<'a, W> {
    bytes: &'a mut Vec<u8>,
    out: &'a mut W,
}

impl<'a, W: Write> HeldBack<'a, W> {
    /// Adds to these bytes, which are written to `out`.
    pub(super) fn new(bytes: &'a mut Vec<u8>, out: &'a mut W) -> Self {
        Self { bytes, out }
    }

    /// Writes what is held back. After an error, it is dropped.
    fn write_held(&mut self) -> io::Result<()> {
        let written = self.out.write_all(self.bytes);
        self.bytes.clear();
        written
    }
}

impl<W: Write> Write for HeldBack<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > MAX_HELD_BYTES {
            self.write_held()?;
        }
        if bytes.len() > MAX_HELD_BYTES {
            return self.out.write(bytes);
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write_held()?;
        self.out.flush()
    }
}
