//! A user message.

use crate::wire::request::RequestBody;

/// A user message: text and images.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserMessage {
    /// The text.
    pub text: String,
    /// Images, as data URLs.
    pub images: Vec<String>,
}

impl UserMessage {
    /// Its size, in bytes.
    #[must_use]
    pub(crate) fn size(&self) -> usize {
        self.text.len() + self.images.iter().map(String::len).sum::<usize>()
    }

    /// Appends the message to a request body and returns its item.
    pub(super) fn push_to(&self, body: &mut RequestBody) -> Vec<u8> {
        body.push_message(&self.text, &self.images)
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
            images: Vec::new(),
        }
    }
}
