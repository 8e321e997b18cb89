//! What of an answer there is to show as it arrives.

use crate::wire::item::SearchCall;

/// Something to show, in this order.
#[derive(Debug, PartialEq, Eq)]
pub enum Show {
    /// More of the message in hand.
    Text(String),
    /// The message in hand has ended; what follows belongs to another one.
    MessageEnd,
    /// What the model says of what it thought.
    Summary(String),
    /// The service has searched the web.
    Searched(SearchCall),
    /// An event could not be read and was skipped. Told of the first one only; how many there were is told by
    /// [`Answer::skipped`](super::Answer::skipped).
    Skipped,
}
