//! What the user says.

use crate::wire::request::RequestBody;

/// Something that the user says: text, and pictures that go along.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserMessage {
    /// The text.
    pub text: String,
    /// Pictures, as data URLs.
    pub pictures: Vec<String>,
}

impl UserMessage {
    /// Appends it to a conversation; the item.
    pub(super) fn push_to(&self, body: &mut RequestBody) -> Vec<u8> {
        body.push_message(&self.text, &self.pictures)
    }
}

impl From<&str> for UserMessage {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl From<String> for UserMessage {
    fn from(text: String) -> Self {
        Self {
            text,
            pictures: Vec::new(),
        }
    }
}
