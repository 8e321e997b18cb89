//! An item of a stored conversation: its place in the file, and what the rules of a conversation need.

use std::ops::Range;

use crate::wire::input::EFFORT_CHANGE;

/// An item, which is in the file as the bytes sent to the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredItem {
    /// Its place in the file.
    pub range: Range<u64>,
    /// The model in use when it was added, as an index.
    pub(super) model: u32,
    pub(super) kind: StoredKind,
    /// The fingerprint of the id that links a call and its output. There may be very many items.
    pub(super) call_id: u64,
}

/// What an item is, as far as the rules of a conversation depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StoredKind {
    /// A call of one of the client's tools.
    FunctionCall,
    /// Another item with the id of a call.
    OtherCall,
    /// The output of a call.
    Output,
    Reasoning,
    EffortChange,
    UserMessage,
    Other,
}

impl StoredItem {
    /// Returns whether it changes the reasoning effort.
    #[must_use]
    pub fn is_effort_change(&self) -> bool {
        self.kind == StoredKind::EffortChange
    }

    /// Returns whether it is the output of a call.
    #[must_use]
    pub fn is_output(&self) -> bool {
        self.kind == StoredKind::Output
    }

    /// Returns whether it is a user message or an item that a run puts before one.
    pub(super) fn begins_turn(&self) -> bool {
        matches!(
            self.kind,
            StoredKind::EffortChange | StoredKind::UserMessage
        )
    }
}

impl StoredKind {
    /// Determines the kind of an item of this type and role.
    pub(super) fn of(kind: &str, has_call_id: bool, role: Option<&str>) -> Self {
        match kind {
            "function_call" => Self::FunctionCall,
            kind if kind.ends_with("_output") => Self::Output,
            _ if has_call_id => Self::OtherCall,
            "reasoning" => Self::Reasoning,
            EFFORT_CHANGE => Self::EffortChange,
            _ if role == Some("user") => Self::UserMessage,
            _ => Self::Other,
        }
    }
}
