//! A tool call as an item of the JSON lines.

use serde_json::{Value, json};

use super::super::{CallNotice, Subject};
use crate::result::{CallResult, Cut, KeptOutput, Status};

/// A call as an item, running or ended.
pub(super) fn call_item(call: &CallNotice<'_>, result: Option<&CallResult>) -> Value {
    let status = result.map_or("in_progress", |result| word(result.status));
    let mut item = match call.subject {
        Subject::Command(command) => {
            // Anything other than program output is a message about the call.
            let (printed, message) = match result {
                Some(result) if result.footer.is_some() => (&*result.output, None),
                Some(result) => ("", Some(&result.output)),
                None => ("", None),
            };
            let mut item = json!({"type": "command_execution", "command": command, "aggregated_output": printed,
                "exit_code": null, "status": status, "truncated": false});
            if let Some(message) = message.filter(|message| !message.is_empty()) {
                item["message"] = message.as_str().into();
            }
            item
        }
        Subject::Changes(changes) => {
            let changes: Vec<Value> = changes
                .iter()
                .map(|(path, there)| {
                    let kind = if *there { "update" } else { "add" };
                    json!({"path": path, "kind": kind})
                })
                .collect();
            return json!({"type": "file_change", "changes": changes, "status": status});
        }
        Subject::ServerCall {
            server,
            tool,
            arguments,
        } => {
            let mut item = json!({"type": "mcp_tool_call", "server": server, "tool": tool,
                "arguments": arguments, "result": null, "error": null, "status": "in_progress"});
            if let Some(result) = result {
                end_server_call(&mut item, result);
            }
            return item;
        }
        Subject::Other(arguments) => {
            let output = result.map_or("", |result| &result.output);
            json!({"type": "tool_call", "name": call.name, "arguments": arguments, "output": output,
                "truncated": false, "status": status})
        }
    };
    let Some(result) = result else {
        return item;
    };
    match result.status {
        Status::Exited(code) => item["exit_code"] = code.into(),
        Status::Signalled(signal) => item["signal"] = signal.into(),
        _ => {}
    }
    if let Some(note) = &result.sandbox_note {
        item["sandbox_note"] = note.as_str().into();
    }
    if !result.cuts.is_empty() {
        item["truncated"] = true.into();
        item["cuts"] = result.cuts.iter().map(cut).collect();
    }
    item
}

/// Adds how the call of an MCP server ended, in the form of the official client.
fn end_server_call(item: &mut Value, result: &CallResult) {
    let is_ok = result.status.is_ok();
    item["status"] = if is_ok { "completed" } else { "failed" }.into();
    let Some(answer) = &result.server_content else {
        item["error"] = json!({"message": result.for_model()});
        return;
    };
    let content = answer.content.clone().unwrap_or_else(|| {
        // What is too large as it is, as the model gets it.
        let mut content = vec![json!({"type": "text", "text": result.for_model()})];
        for url in &result.images {
            let url = url.strip_prefix("data:");
            let parts = url.and_then(|url| url.split_once(";base64,"));
            let image = |(kind, data)| json!({"type": "image", "data": data, "mimeType": kind});
            content.extend(parts.map(image));
        }
        content.into()
    });
    item["result"] = json!({"content": content, "structured_content": answer.structured});
}

/// The status of a call that ended.
fn word(status: Status) -> &'static str {
    match status {
        Status::Done | Status::Exited(0) => "completed",
        Status::Exited(_) | Status::Signalled(_) | Status::Failed => "failed",
        Status::TimedOut { .. } => "timed_out",
        Status::Stopped => "stopped",
        Status::Denied => "denied",
        Status::BadArguments => "bad_arguments",
        Status::NotRun => "not_run",
        Status::UnknownTool => "unknown_tool",
    }
}

/// A cut: its position, the omitted and the total bytes, and the file with the full output.
fn cut(cut: &Cut) -> Value {
    let mut fields = json!({"at": cut.at, "bytes": cut.left_out, "of": cut.of});
    match &cut.kept {
        KeptOutput::Whole { file } => fields["file"] = KeptOutput::path(file).into(),
        KeptOutput::Beginning { file, bytes } => {
            fields["file"] = KeptOutput::path(file).into();
            fields["file_bytes"] = (*bytes).into();
        }
        KeptOutput::Nowhere { reason } => fields["error"] = reason.as_str().into(),
    }
    fields
}
