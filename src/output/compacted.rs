//! A compaction, as it is reported.

use std::fmt;

use serde_json::{Value, json};

use crate::failure::grouped;
use crate::wire::compaction::CompactedBy;

/// The conversation was compacted: calls, results and reasoning have been replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompactedNotice {
    /// Its length before, in tokens.
    pub before: u64,
    /// Its estimated length now, in tokens.
    pub after: u64,
    /// Who wrote the item that replaces them.
    pub how: CompactedBy,
}

impl CompactedNotice {
    /// The fields of the JSON line.
    pub(super) fn fields(&self) -> Value {
        json!({"tokens_before": self.before, "tokens_after": self.after, "how": self.how.name()})
    }
}

impl fmt::Display for CompactedNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = match self.how {
            CompactedBy::Service => "by the service",
            CompactedBy::Summary => "with a summary by the model",
        };
        let (before, after) = (grouped(self.before), grouped(self.after));
        write!(
            f,
            "the conversation was compacted {by}: {before} tokens before, about {after} now"
        )
    }
}
