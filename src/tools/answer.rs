//! What a tool answers, and how its own process hands that to the run: one JSON object on its standard output.

use serde::{Deserialize, Serialize};

/// What a tool answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The words for the model.
    pub text: String,
    /// How it went, in a word or two.
    pub result: String,
    /// It did what was asked.
    pub ok: bool,
    /// A picture for the model, as a data URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
}

impl Answer {
    /// It did what was asked.
    #[must_use]
    pub fn ok(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            result: "ok".to_owned(),
            ok: true,
            image: None,
        }
    }

    /// It did not, for the reason in the text.
    #[must_use]
    pub fn failed(text: impl Into<String>) -> Self {
        Self::not(text, "failed")
    }

    /// It did not, which this word tells.
    #[must_use]
    pub fn not(text: impl Into<String>, result: impl Into<String>) -> Self {
        Self {
            result: result.into(),
            ok: false,
            ..Self::ok(text)
        }
    }
}
