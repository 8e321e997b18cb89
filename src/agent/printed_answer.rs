//! The part of an answer that is reported to the sink: new text as it arrives, or everything at the end.

use std::vec::Drain;

use super::repeated_text::{Differs, RepeatedText};
use crate::api::Unanswered;
use crate::failure::{RunWarning, Stop};
use crate::output::{Notice, Sink};
use crate::wire::answer::{Answer, Show, Trouble};
use crate::wire::item::Item;

/// The text reported for the current answer.
#[derive(Debug)]
pub(super) struct Printed {
    repeated: RepeatedText,
    /// Text is held back until the answer is complete.
    buffer: bool,
}

impl Printed {
    pub(super) fn new(buffer: bool) -> Self {
        Self {
            repeated: RepeatedText::default(),
            buffer,
        }
    }

    /// Reports what one read has added to the answer, and flushes it before the next read.
    pub(super) fn show(
        &mut self,
        shows: Drain<'_, Show>,
        answer: &Answer,
        sink: &mut dyn Sink,
    ) -> Result<(), Stop> {
        let ends = shows.as_slice().iter().filter(|show| show.is_end()).count();
        let ended = answer.messages().count();
        // The messages that this read has ended are the last ones.
        let mut messages = answer.messages().skip(ended - ends.min(ended));
        for show in shows {
            let message = if show.is_end() { messages.next() } else { None };
            match self.repeated.new_part(show) {
                Ok(Some(Show::Searched(search))) => sink.take(Notice::Searched(&search)),
                Ok(Some(Show::Summary(words))) => sink.take(Notice::Summary(&words)),
                Ok(Some(Show::Skipped)) => sink.take(Notice::Warning(&RunWarning::Skipped(1))),
                // `show_held` reports the items once the answer is complete.
                Ok(Some(_)) if self.buffer => Ok(()),
                Ok(Some(Show::Text(text))) => sink.take(Notice::Text(&text)),
                Ok(Some(Show::MessageEnd)) => {
                    let text = message.map(Item::raw_text).unwrap_or_default();
                    sink.take(Notice::MessageEnd(&text))
                }
                Ok(None) => Ok(()),
                Err(Differs) => {
                    let why = Unanswered::Unusable(Trouble::Another);
                    return Err(Stop::unanswered(why, true));
                }
            }
            .map_err(Stop::Output)?;
        }
        sink.flush().map_err(Stop::Output)
    }

    /// Reports the messages that `selects` selects, if they were held back.
    pub(super) fn show_held(
        &self,
        answer: &Answer,
        selects: impl Fn(&Item) -> bool,
        sink: &mut dyn Sink,
    ) -> Result<(), Stop> {
        if !self.buffer {
            return Ok(());
        }
        for item in answer.messages().filter(|item| selects(item)) {
            let raw = item.raw_text();
            sink.take(Notice::Text(&raw.text()))
                .and_then(|()| sink.take(Notice::MessageEnd(&raw)))
                .map_err(Stop::Output)?;
        }
        sink.flush().map_err(Stop::Output)
    }

    /// Whether the current answer has repeated all text reported for earlier attempts.
    pub(super) fn is_repeated(&self) -> bool {
        self.repeated.is_repeated()
    }

    /// Whether any text was reported that the answer has to repeat.
    pub(super) fn is_begun(&self) -> bool {
        self.repeated.is_begun()
    }

    /// The messages reported for an answer that broke off, whose retry has not begun.
    pub(super) fn partial_texts(&self) -> Vec<String> {
        self.repeated.texts()
    }

    /// Records that the current answer is complete.
    pub(super) fn complete(&mut self) {
        self.repeated = RepeatedText::default();
    }

    /// Records that the current answer broke off.
    pub(super) fn broke_off(&mut self, answer: &Answer) {
        if !self.buffer {
            self.repeated.broke_off(answer.shown());
        }
    }
}
