//! A reader of the JSON lines with its own types, which refuse unknown fields: a change to the lines is a change to this
//! file. What was read is written again and must be the same.

use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", deny_unknown_fields)]
pub(crate) enum Event {
    #[serde(rename = "thread.started")]
    ThreadStarted {
        thread_id: String,
        schema: u32,
        version: String,
        model: String,
        cwd: String,
    },
    #[serde(rename = "turn.started")]
    TurnStarted {},
    #[serde(rename = "item.started")]
    ItemStarted { item: Item },
    #[serde(rename = "item.completed")]
    ItemCompleted { item: Item },
    #[serde(rename = "item.delta")]
    ItemDelta { item_id: String, delta: String },
    #[serde(rename = "usage")]
    Usage {
        request: u64,
        input_tokens: u64,
        cached_input_tokens: u64,
        cache_write_input_tokens: u64,
        output_tokens: u64,
        reasoning_output_tokens: u64,
    },
    #[serde(rename = "limits")]
    Limits { windows: Vec<Window> },
    #[serde(rename = "retry")]
    Retry {
        attempt: u64,
        delay_ms: u64,
        reason: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_at: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        model: Option<String>,
    },
    #[serde(rename = "error")]
    Error {
        message: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        exit_code: Option<u8>,
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_at: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        request_id: Option<String>,
    },
    #[serde(rename = "compacted")]
    Compacted {
        tokens_before: u64,
        tokens_after: u64,
        how: String,
    },
    #[serde(rename = "input_error")]
    InputError {
        line: u64,
        lines: u64,
        message: String,
    },
    #[serde(rename = "turn.completed")]
    TurnCompleted {
        usage: Tokens,
        model: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        cost_usd: Option<f64>,
        duration_ms: u64,
        requests: u64,
        final_message: String,
        #[serde(
            default,
            deserialize_with = "present",
            skip_serializing_if = "Option::is_none"
        )]
        final_json: Option<Value>,
    },
    #[serde(rename = "turn.failed")]
    TurnFailed { error: Failure },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Item {
    AgentMessage {
        id: String,
        text: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        partial: Option<bool>,
    },
    Reasoning {
        id: String,
        text: String,
    },
    CommandExecution {
        id: String,
        command: String,
        aggregated_output: String,
        exit_code: Option<i64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signal: Option<i64>,
        truncated: bool,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        cuts: Vec<Cut>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sandbox_note: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
        status: Status,
    },
    FileChange {
        id: String,
        changes: Vec<Change>,
        status: Status,
    },
    ToolCall {
        id: String,
        name: String,
        arguments: Value,
        output: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exit_code: Option<i64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signal: Option<i64>,
        truncated: bool,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        cuts: Vec<Cut>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sandbox_note: Option<String>,
        status: Status,
    },
    McpToolCall {
        id: String,
        server: String,
        tool: String,
        arguments: Value,
        result: Option<ServerResult>,
        error: Option<ServerError>,
        status: Status,
    },
    WebSearch {
        id: String,
        query: String,
    },
    Error {
        id: String,
        message: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    InProgress,
    Completed,
    Failed,
    TimedOut,
    Stopped,
    Denied,
    BadArguments,
    NotRun,
    UnknownTool,
}

/// The answer of an MCP server.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServerResult {
    content: Vec<Value>,
    structured_content: Value,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServerError {
    message: String,
}

/// The part of an output that is omitted.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cut {
    at: usize,
    bytes: u64,
    of: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file_bytes: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    path: String,
    kind: Kind,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Add,
    Update,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::struct_field_names, reason = "they are the names of the lines")]
pub(crate) struct Window {
    name: String,
    used_percent: f64,
    window_minutes: Option<u64>,
    resets_at: Option<u64>,
}

#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::struct_field_names, reason = "they are the names of the lines")]
pub(crate) struct Tokens {
    pub(crate) input_tokens: u64,
    pub(crate) cached_input_tokens: u64,
    pub(crate) cache_write_input_tokens: u64,
    pub(crate) output_tokens: u64,
    pub(crate) reasoning_output_tokens: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Failure {
    pub(crate) message: String,
    pub(crate) code: String,
    pub(crate) exit_code: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retry_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request_id: Option<String>,
}

/// A value that is there, even if it is `null`.
fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

/// Reads one line.
#[track_caller]
pub(crate) fn read(line: &Value) -> Event {
    let event: Event =
        serde_json::from_value(line.clone()).unwrap_or_else(|error| panic!("{error}: {line}"));
    let again = serde_json::to_value(&event).expect("JSON");
    assert_eq!(again, *line, "what was read");
    event
}

/// A line in short form: its type, and the type and status of its item.
pub(crate) fn short(line: &Value) -> String {
    read(line);
    let words = [
        &line["type"],
        &line["item"]["type"],
        &line["item"]["status"],
    ];
    let words: Vec<&str> = words.iter().filter_map(|word| word.as_str()).collect();
    words.join(" ")
}

#[test]
fn unknown_fields_are_refused() {
    for line in [
        r#"{"type": "turn.started", "more": 1}"#,
        r#"{"type": "turn.paused"}"#,
        r#"{"type": "error"}"#,
        r#"{"type": "item.completed", "item": {"type": "reasoning", "id": "i", "text": "", "more": 1}}"#,
        r#"{"type": "item.completed", "item": {"type": "todo_list", "id": "i"}}"#,
        r#"{"type": "turn.failed", "error": {"message": "", "code": "c", "exit_code": 1, "more": 1}}"#,
    ] {
        assert!(serde_json::from_str::<Event>(line).is_err(), "{line}");
    }
}
