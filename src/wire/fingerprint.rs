//! A number that stands for a text, where the text itself is too long to keep beside it.

use std::hash::{DefaultHasher, Hash, Hasher};

/// A number that stands for a text: equal for equal ones. It is made the same way in every run.
pub(super) fn mark(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
