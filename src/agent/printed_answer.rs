//! What is shown of an answer through the sink: all of it at once, or what is new in it while it arrives.

use super::repeated_text::{Differs, RepeatedText};
use crate::api::Unanswered;
use crate::failure::{RunWarning, Stop};
use crate::output::{Notice, Sink};
use crate::wire::answer::{Answer, Show, Trouble};
use crate::wire::item::Item;

/// What was shown of the answer in hand.
#[derive(Debug)]
pub(super) struct Printed {
    said: RepeatedText,
    /// Nothing of an answer is shown before all of it has come.
    buffer: bool,
}

impl Printed {
    pub(super) fn new(buffer: bool) -> Self {
        Self {
            said: RepeatedText::default(),
            buffer,
        }
    }

    /// Shows what one read brought. It goes out together, before the next one is waited for.
    pub(super) fn show(&mut self, shows: Vec<Show>, sink: &mut dyn Sink) -> Result<(), Stop> {
        for show in shows {
            match self.said.new_of(show) {
                Ok(Some(Show::Searched(search))) => sink.take(Notice::Searched(&search)),
                Ok(Some(Show::Summary(words))) => sink.take(Notice::Summary(&words)),
                Ok(Some(Show::Skipped)) => sink.take(Notice::Warning(&RunWarning::Skipped(1))),
                // With all of the answer in hand, its items are shown.
                Ok(Some(_)) if self.buffer => Ok(()),
                Ok(Some(Show::Text(text))) => sink.take(Notice::Text(&text)),
                Ok(Some(Show::MessageEnd)) => sink.take(Notice::MessageEnd),
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

    /// Shows the messages of an answer that are meant, where they were held back until now.
    pub(super) fn show_held(
        &self,
        answer: &Answer,
        meant: impl Fn(&Item) -> bool,
        sink: &mut dyn Sink,
    ) -> Result<(), Stop> {
        if !self.buffer {
            return Ok(());
        }
        for item in answer.messages().filter(|item| meant(item)) {
            sink.take(Notice::Text(&item.text()))
                .and_then(|()| sink.take(Notice::MessageEnd))
                .map_err(Stop::Output)?;
        }
        sink.flush().map_err(Stop::Output)
    }

    /// Whether the answer in hand has repeated all that was shown of those before it, which broke off.
    pub(super) fn is_repeated(&self) -> bool {
        self.said.is_repeated()
    }

    /// Whether anything was shown that is to be repeated.
    pub(super) fn is_begun(&self) -> bool {
        self.said.is_begun()
    }

    /// Notes that the answer in hand is complete.
    pub(super) fn complete(&mut self) {
        self.said = RepeatedText::default();
    }

    /// Notes that the answer in hand broke off.
    pub(super) fn broke_off(&mut self, answer: &Answer) {
        if !self.buffer {
            self.said.broke_off(answer.shown());
        }
    }
}
