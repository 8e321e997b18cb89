//! The last lines of a turn, or of a run, that failed.

use serde_json::{Map, Value, json};

use super::event_line::line;

/// Contents of the last lines of a turn that failed.
#[derive(Clone, Copy, Debug)]
pub struct TurnFailed<'a> {
    /// What happened and why.
    pub message: &'a str,
    /// The outcome's name.
    pub code: &'a str,
    /// The exit code of the process.
    pub exit_code: u8,
    /// When the usage limit resets, in Unix seconds.
    pub retry_at: Option<u64>,
    /// The service's id for the request.
    pub request_id: Option<&'a str>,
}

/// The last lines of a turn that failed: the error, in the official form, and the end of the turn.
#[must_use]
pub fn turn_failed(failed: &TurnFailed<'_>) -> String {
    let error_line = line("error", json!({"message": failed.message}));
    error_line + &line("turn.failed", json!({"error": fields_of(failed)}))
}

/// The last line of a run that failed between two turns.
#[must_use]
pub fn run_failed(failed: &TurnFailed<'_>) -> String {
    line("error", Value::Object(fields_of(failed)))
}

fn fields_of(failed: &TurnFailed<'_>) -> Map<String, Value> {
    let mut error = Map::new();
    error.insert("message".to_owned(), failed.message.into());
    error.insert("code".to_owned(), failed.code.into());
    error.insert("exit_code".to_owned(), failed.exit_code.into());
    if let Some(at) = failed.retry_at {
        error.insert("retry_at".to_owned(), at.into());
    }
    if let Some(id) = failed.request_id {
        error.insert("request_id".to_owned(), id.into());
    }
    error
}
