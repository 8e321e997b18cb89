//! The answer to a message.

use std::borrow::Cow;
use std::sync::Arc;

use crate::wire::answer::Answer;
use crate::wire::item::Item;
use crate::wire::raw_text::RawText;
use crate::wire::response::Usage;

/// The answer to a message.
#[derive(Clone, Debug)]
pub struct Reply {
    pub(super) answer: Arc<Answer>,
    /// The id of the model that answered.
    pub model: String,
    /// Tokens of all requests of the turn.
    pub usage: Usage,
    /// Their cost in US dollars, if the price of the model is known.
    pub cost: Option<f64>,
    /// Number of requests, including retries.
    pub requests: usize,
    /// Number of tool calls that failed.
    pub failed_calls: usize,
}

impl Reply {
    /// The last message of the model.
    #[must_use]
    pub fn message(&self) -> Cow<'_, str> {
        let message = self.answer.messages().last();
        message.map(Item::text).unwrap_or_default()
    }

    /// The same as it was received.
    #[must_use]
    pub(crate) fn raw_message(&self) -> RawText<'_> {
        let message = self.answer.messages().last();
        message.map(Item::raw_text).unwrap_or_default()
    }
}
