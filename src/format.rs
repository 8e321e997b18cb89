//! Structured output: the JSON Schema that the last message must match, as sent to the service and as checked locally.

use std::fmt;
use std::sync::Arc;

use crate::schema::strict::{Schema, Unfit};
use crate::schema::unique;

/// The schema's name in requests.
const NAME: &str = "codex_output_schema";

/// A schema for the last message.
#[derive(Clone, Debug)]
pub struct OutputSchema {
    json: String,
    schema: Arc<Schema>,
}

/// Why a message does not match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmatched {
    /// The first mismatching location, as a JSON pointer; empty for the message itself.
    pub at: String,
    /// What is wrong there.
    pub why: String,
}

impl fmt::Display for Unmatched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.at {
            "" => f.write_str(&self.why),
            at => write!(f, "{at}: {}", self.why),
        }
    }
}

impl OutputSchema {
    /// Parses a schema for strict mode. It is sent as written: the model generates its fields in that order.
    ///
    /// # Errors
    /// When it is not JSON, or strict mode does not support it.
    pub fn new(text: &str) -> Result<Self, Unfit> {
        let value = unique::parse(text).map_err(|malformed| Unfit {
            at: malformed.at,
            why: malformed.why,
        })?;
        let parsed = Schema::parse(&value)?;
        let text = text.trim();
        Ok(Self {
            json: format!(
                r#"{{"type":"json_schema","name":"{NAME}","strict":true,"schema":{text}}}"#
            ),
            schema: Arc::new(parsed),
        })
    }

    /// The `text.format` field of a request.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.json
    }

    /// The first mismatch in this message, if any.
    #[must_use]
    pub fn check(&self, message: &str) -> Option<Unmatched> {
        let value = match unique::parse(message) {
            Ok(value) => value,
            Err(malformed) => {
                return Some(Unmatched {
                    at: malformed.at,
                    why: malformed.why,
                });
            }
        };
        let mismatch = self.schema.check(&value).err()?;
        Some(Unmatched {
            at: mismatch.at,
            why: mismatch.why,
        })
    }
}
