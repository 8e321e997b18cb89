//! A streaming response.

use std::fmt;
use std::time::Instant;

use super::error::Break;
use crate::clock::seconds;
use crate::http::{self, Interrupt, KEEP_ALIVE};
use crate::wire::answer::{Answer, Show};
use crate::wire::fault::{FaultHead, RateWindow};
use crate::wire::sse::Decoder;

/// A streaming response.
pub struct Stream {
    pub(super) answer: http::HttpResponse,
    pub(super) decoder: Decoder,
    pub(super) head: FaultHead,
    /// When its last bytes arrived.
    pub(super) last_read: Instant,
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stream(..)")
    }
}

/// How a wait for the next bytes of a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Bytes arrived.
    Read,
    /// The wait was ended before.
    Woken,
    /// The body has ended.
    Ended,
}

impl Stream {
    /// Waits for the next bytes and feeds them to `answer`. `interrupt` and `until` end the wait.
    ///
    /// # Errors
    /// When the connection is lost or stays silent, or an event exceeds the size limit.
    pub fn next(
        &mut self,
        answer: &mut Answer,
        show: &mut Vec<Show>,
        interrupt: &Interrupt,
        until: Option<Instant>,
    ) -> Result<Progress, Break> {
        let read = self.answer.read_until(interrupt, until);
        let Some(mut piece) = read.map_err(Break::Connection)? else {
            return Ok(Progress::Woken);
        };
        let is_end = piece.is_empty();
        loop {
            self.decoder
                .feed(piece, |frame| answer.take(frame, show))
                .map_err(Break::TooLong)?;
            // What arrived together is reported together.
            match self.answer.buffered() {
                Some(more) if !answer.ended() => piece = more,
                _ => break,
            }
        }
        if is_end {
            self.decoder
                .left(|frame| answer.take_remainder(frame, show));
        }
        if answer.ended() {
            answer.set_head(&self.head, seconds());
            self.last_read = Instant::now();
            // The stream stays open until the end of the body. The buffers of the answer are not needed any more.
            self.decoder = Decoder::default();
        }
        Ok(if is_end {
            Progress::Ended
        } else {
            Progress::Read
        })
    }

    /// The plan's usage windows, if the service sent them.
    #[must_use]
    pub fn limits(&self) -> Vec<RateWindow> {
        self.head.limits(seconds())
    }

    /// Whether the connection of a stream whose answer has ended was idle for too long to be used again.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.last_read.elapsed() >= KEEP_ALIVE
    }

    /// Reads to the end of the body, so that the connection can serve the next request. `interrupt` and `until` end the wait.
    /// Returns whether the body has ended, or the connection is lost.
    pub fn drain(&mut self, interrupt: &Interrupt, until: Instant) -> bool {
        loop {
            match self.answer.read_until(interrupt, Some(until)) {
                Ok(None) => return false,
                Ok(Some([])) | Err(_) => return true,
                // A body that never ends.
                Ok(Some(_)) if Instant::now() >= until => return false,
                Ok(Some(_)) => {}
            }
        }
    }
}
