//! How large an answer may become.

use std::fmt;

use super::super::slots;
use super::super::sse::LONGEST;

/// The most that an answer's finished items may have together, in bytes.
pub(super) const WHOLE: usize = 256 << 20;

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
            Self::Items => write!(f, "it has more than {} items", slots::MOST),
            Self::Text => write!(
                f,
                "its unfinished text is longer than {} MiB",
                LONGEST >> 20
            ),
            Self::Whole => write!(f, "it is larger than {} MiB", WHOLE >> 20),
        }
    }
}
