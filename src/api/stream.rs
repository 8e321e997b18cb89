//! A streaming response.

use super::error::Break;
use crate::clock::seconds;
use crate::http;
use crate::wire::answer::{Answer, Show};
use crate::wire::fault::{FaultHead, RateWindow};
use crate::wire::sse::Decoder;

/// A streaming response.
pub struct Stream {
    pub(super) answer: http::HttpResponse,
    pub(super) decoder: Decoder,
    pub(super) head: FaultHead,
}

impl Stream {
    /// Waits for the next bytes and feeds them to `answer`; false at the end of the body.
    ///
    /// # Errors
    /// When the connection is lost or stays silent, or an event exceeds the size limit.
    pub fn next(&mut self, answer: &mut Answer, show: &mut Vec<Show>) -> Result<bool, Break> {
        let piece = self.answer.read().map_err(Break::Connection)?;
        self.decoder
            .feed(piece, |frame| answer.take(frame, show))
            .map_err(Break::TooLong)?;
        if piece.is_empty() {
            self.decoder
                .left(|frame| answer.take_remainder(frame, show));
        }
        if answer.ended() {
            answer.set_head(&self.head, seconds());
        }
        Ok(!piece.is_empty())
    }

    /// The plan's usage windows, if the service sent them.
    #[must_use]
    pub fn limits(&self) -> Vec<RateWindow> {
        self.head.limits(seconds())
    }

    /// Reads to the end of the body, so that the connection can serve the next request.
    pub fn drain(mut self) {
        while self.answer.read().is_ok_and(|piece| !piece.is_empty()) {}
    }
}
