//! Structured output: the JSON Schema that the last message must match, as the service is told of it and as it is checked
//! here.

use std::fmt;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::schema::strict::{Schema, Unfit};
use crate::schema::unique;

/// The name under which the service knows the schema.
const NAME: &str = "codex_output_schema";

/// A schema for the last message.
#[derive(Clone, Debug)]
pub struct Format {
    json: String,
    schema: Arc<Schema>,
}

/// Why a message does not match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmatched {
    /// The first place that does not fit, as a JSON pointer; empty for the message itself.
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

impl Format {
    /// Takes a schema that strict mode can take.
    ///
    /// # Errors
    /// When it cannot.
    pub fn new(schema: &Value) -> Result<Self, Unfit> {
        let parsed = Schema::parse(schema)?;
        let json = json!({"type": "json_schema", "name": NAME, "strict": true, "schema": schema});
        Ok(Self {
            json: json.to_string(),
            schema: Arc::new(parsed),
        })
    }

    /// The field `text.format` of a request.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.json
    }

    /// Why this message does not match, if it does not.
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
