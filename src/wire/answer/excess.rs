//! How large an answer may become.

use std::fmt;

use super::super::output_items;
use super::super::sse::MAX_EVENT_BYTES;

/// The most that an answer's finished items may have together, in bytes.
pub(super) const MAX_ANSWER_BYTES: usize = 256 << 20;

/// In what an answer exceeds all measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    /// The number of its items.
    Items,
    /// A text that is longer than the event which would have to confirm it may be.
    Text,
    /// All its items together.
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
