//! The reasoning effort of a conversation: in the head of its requests, and changed by items.

/// The reasoning effort of a conversation.
#[derive(Debug)]
pub(super) struct TurnEffort {
    /// The effort in the head of the requests.
    pub(super) head: Option<String>,
    /// The effort in effect.
    pub(super) current: Option<String>,
    /// The effort that an item is to set before the next message.
    pub(super) change: Option<String>,
}

impl TurnEffort {
    /// The effort of a new head.
    pub(super) fn of(effort: Option<String>) -> Self {
        Self {
            head: effort.clone(),
            current: effort,
            change: None,
        }
    }
}
