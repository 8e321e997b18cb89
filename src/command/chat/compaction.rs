//! `/compact`: the conversation is shortened at once, as a turn without a question.

use super::engine::Engine;
use crate::agent::Stop;
use crate::chat::event::{ChatEvent, NoticeLevel, TurnEnd};
use crate::failure::{Failure, of_stop};

impl Engine {
    /// Compacts the conversation, and reports how that ended.
    pub(super) fn compact(&mut self) {
        let end = match self.compacted() {
            Ok(true) => TurnEnd::Completed,
            Ok(false) => {
                let text = "there is nothing to compact yet".to_owned();
                self.report(ChatEvent::Notice(NoticeLevel::Note, text));
                TurnEnd::Completed
            }
            Err(Some(failure)) => self.failed(&failure),
            Err(None) => TurnEnd::Interrupted,
        };
        self.control.withdraw_turn();
        self.report(ChatEvent::TurnEnded(end));
    }

    /// Whether anything was removed. The error is nothing if the user has stopped it.
    fn compacted(&mut self) -> Result<bool, Option<Failure>> {
        if self.open.is_none() && self.waits_for_opening() {
            let opened = self.open_conversation()?;
            self.report(ChatEvent::Opened(opened));
        }
        let Some(open) = &mut self.open else {
            return Ok(false);
        };
        let ended = open.conversation.compact(&mut self.sink);
        ended.map_err(|stop| match stop {
            Stop::Interrupted | Stop::Ordered(_) => None,
            stop => {
                let other = open.service_asked_last(&self.settings);
                let used = other.map_or(&self.used, |other| &other.used);
                Some(of_stop(&stop, used.as_ref()))
            }
        })
    }
}
