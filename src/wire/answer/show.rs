//! Output of an answer as it arrives.

use crate::wire::item::SearchCall;

/// Something to show, in this order.
#[derive(Debug, PartialEq, Eq)]
pub enum Show {
    /// More text of the current message.
    Text(String),
    /// The current message has ended; further text belongs to another one.
    MessageEnd,
    /// A summary of the model's reasoning.
    Summary(String),
    /// The service searched the web.
    Searched(SearchCall),
    /// An event could not be parsed and was skipped. Emitted once; [`Answer::skipped`](super::Answer::skipped) returns
    /// the count.
    Skipped,
}

impl Show {
    /// Whether it is the end of a message.
    #[must_use]
    pub fn is_end(&self) -> bool {
        matches!(self, Self::MessageEnd)
    }

    /// Whether it is text of a message.
    #[must_use]
    pub fn is_text(&self) -> bool {
        matches!(self, Self::Text(_))
    }
}
