//! A sink for programs that need only the reply.

use std::io;

use crate::output::{Notice, Sink};

/// A sink that discards everything.
#[derive(Clone, Copy, Debug)]
pub struct Quiet;

impl Sink for Quiet {
    fn take(&mut self, _: Notice<'_>) -> io::Result<()> {
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
