//! Size limits for an answer.

use std::fmt;

use super::super::output_items;
use super::super::sse::MAX_EVENT_BYTES;

/// Size limit for all finished items of an answer, in bytes.
pub(super) const MAX_ANSWER_BYTES: usize = 256 << 20;

/// The limit that an answer exceeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    /// The number of items.
    Items,
    /// The length of a string, which no single event could confirm.
    Text,
    /// The total size of the items.
    Whole,
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Items => write!(f, "it has more than {} items", output_items::MAX_ITEMS),
            Self::Text => write!(
                f,
                "its unfinished text is longer than {} MiB",
                MAX_EVENT_BYTES >> 20
            ),
            Self::Whole => write!(f, "it is larger than {} MiB", MAX_ANSWER_BYTES >> 20),
        }
    }
}
