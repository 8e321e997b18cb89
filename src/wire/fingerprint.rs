//! A fingerprint of a string that is too long to store.

use std::hash::{DefaultHasher, Hash, Hasher};

/// A fingerprint: equal for equal texts, and the same in every run.
pub(super) fn fingerprint(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
