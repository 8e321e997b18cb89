//! Validates the arguments of a call against the tool's schema, before anything is started.

use serde_json::Value;

use crate::schema;

/// Parses and validates the arguments.
///
/// # Errors
///
/// If they are not JSON or do not match, with a message for the model.
pub(super) fn check(parameters: &Value, arguments: &str) -> Result<Value, String> {
    let value: Value = serde_json::from_str(arguments).map_err(|error| {
        format!(
            "the arguments are not JSON: {error}. Send one JSON object that matches the tool's schema."
        )
    })?;
    let Err(mismatch) = schema::check(parameters, &value) else {
        return Ok(value);
    };
    let place = match &*mismatch.place {
        "" => "the arguments do not match",
        place => &format!("the arguments do not match at {place}"),
    };
    Err(format!(
        "{place}: {}. Send arguments that match the tool's schema.",
        mismatch.what
    ))
}
