//! A fingerprint of a string that is too long to store.

use std::hash::{DefaultHasher, Hasher};

/// A fingerprint: equal for equal texts, and the same in every run.
#[must_use]
pub fn fingerprint(text: &str) -> u64 {
    let mut all = Fingerprint::default();
    all.add(text);
    all.value()
}

/// The fingerprint of a text that comes in pieces.
#[derive(Default)]
pub(super) struct Fingerprint(DefaultHasher);

impl Fingerprint {
    /// Adds the next piece.
    pub(super) fn add(&mut self, text: &str) {
        self.0.write(text.as_bytes());
    }

    /// The fingerprint of the pieces so far. It does not depend on where one ends and the next one begins.
    pub(super) fn value(&self) -> u64 {
        self.0.finish()
    }
}
