//! The lines that each notice produces.

use super::*;
use crate::output::Subject;
use crate::result::Footer;
use crate::result::{Cut, KeptOutput, Status};
use crate::wire::item::Item;

/// Returns the lines that these notices produce.
fn lines_of(deltas: bool, notices: &[Notice<'_>]) -> Vec<Value> {
    let mut out = Vec::new();
    let mut lines = JsonLines::new(&mut out, deltas, false);
    for notice in notices {
        lines.take(*notice).expect("a vector");
    }
    lines.flush().expect("a vector");
    let text = String::from_utf8(out).expect("UTF-8");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

fn check(notices: &[Notice<'_>], expected: &[Value]) {
    assert_eq!(lines_of(false, notices), expected);
}

fn raw(string: &'static str) -> RawText<'static> {
    let mut text = RawText::default();
    text.push(string).expect("a string");
    text
}

#[test]
fn a_message_is_one_item_with_deltas_on_request() {
    let texts = [r#""hel\nlo""#, r#""b""#].map(raw);
    let notices = [
        Notice::Text("hel"),
        Notice::Text("\nlo"),
        Notice::MessageEnd(&texts[0]),
        Notice::Text("b"),
        Notice::MessageEnd(&texts[1]),
    ];
    let message = |id: &str, text: &str| json!({"type": "item.completed", "item": {"id": id, "type": "agent_message", "text": text}});
    check(
        &notices,
        &[message("item_0", "hel\nlo"), message("item_1", "b")],
    );
    let with_deltas = lines_of(true, &notices);
    assert_eq!(
        with_deltas[0],
        json!({"type": "item.delta", "item_id": "item_0", "delta": "hel"})
    );
    assert_eq!(with_deltas.len(), 5);
}

#[test]
fn calls_keep_their_items_whatever_ends_first() {
    let arguments = json!({"id": "7"});
    let call = |id: &'static str, subject| CallNotice {
        id,
        name: "lookup",
        arguments: "",
        subject,
    };
    let ended = |call, result| Notice::ToolEnded {
        call,
        brief: "",
        took: Duration::ZERO,
        result,
    };
    let printed = CallResult {
        footer: Some(Footer {
            took: Duration::ZERO,
        }),
        ..CallResult::new(Status::Exited(3), "[exit code 7, 9.9 s]")
    };
    let limit = Duration::from_secs(1);
    let late = CallResult {
        status: Status::TimedOut { limit },
        ..printed.clone()
    };
    let wrong = CallResult::new(Status::BadArguments, "no");
    let (done, denied) = (
        CallResult::done("[12 of 3456 bytes omitted; x]"),
        CallResult::new(Status::Denied, "no"),
    );
    let (command, other) = (
        call("a", Subject::Command("ls")),
        call("b", Subject::Other(&arguments)),
    );
    let changes = call("c", Subject::Changes(&[("x", true), ("y", false)]));
    let lines = lines_of(
        false,
        &[
            Notice::ToolStarted(command),
            Notice::ToolStarted(other),
            ended(other, &done),
            ended(command, &printed),
            Notice::ToolStarted(changes),
            ended(changes, &denied),
            Notice::ToolStarted(command),
            ended(command, &late),
            Notice::ToolStarted(command),
            ended(command, &wrong),
        ],
    );
    let items: Vec<&Value> = lines.iter().map(|line| &line["item"]).collect();
    assert_eq!(
        items[0],
        &json!({"id": "item_0", "type": "command_execution", "command": "ls", "aggregated_output": "",
            "exit_code": null, "status": "in_progress", "truncated": false})
    );
    assert_eq!(
        items[2],
        &json!({"id": "item_1", "type": "tool_call", "name": "lookup", "arguments": {"id": "7"},
            "output": "[12 of 3456 bytes omitted; x]", "truncated": false, "status": "completed"})
    );
    assert_eq!(
        items[3],
        &json!({"id": "item_0", "type": "command_execution", "command": "ls",
            "aggregated_output": "[exit code 7, 9.9 s]", "exit_code": 3, "status": "failed", "truncated": false})
    );
    assert_eq!(
        items[5],
        &json!({"id": "item_2", "type": "file_change", "changes": [{"path": "x", "kind": "update"},
            {"path": "y", "kind": "add"}], "status": "denied"})
    );
    assert_eq!(
        (&items[7]["exit_code"], &items[7]["status"]),
        (&Value::Null, &json!("timed_out"))
    );
    assert_eq!(
        items[9],
        &json!({"id": "item_4", "type": "command_execution", "command": "ls", "aggregated_output": "",
            "exit_code": null, "status": "bad_arguments", "truncated": false, "message": "no"})
    );
}

#[test]
fn cuts_are_reported_as_fields() {
    let result = CallResult {
        cuts: vec![
            Cut {
                at: 1,
                left_out: 7,
                of: 9,
                kept: KeptOutput::Beginning {
                    file: "output-2.txt".to_owned(),
                    bytes: 8,
                },
            },
            Cut {
                at: 2,
                left_out: 1,
                of: 2,
                kept: KeptOutput::Nowhere {
                    reason: "no space".to_owned(),
                },
            },
        ],
        sandbox_note: Some("this may be the sandbox".to_owned()),
        ..CallResult::new(Status::Signalled(9), "ab")
    };
    let call = CallNotice {
        id: "a",
        name: "lookup",
        arguments: "",
        subject: Subject::Other(&Value::Null),
    };
    let ended = Notice::ToolEnded {
        call,
        brief: "",
        took: Duration::ZERO,
        result: &result,
    };
    let item = json!({"id": "item_0", "type": "tool_call", "name": "lookup", "arguments": null, "output": "ab",
        "truncated": true, "signal": 9, "status": "failed", "sandbox_note": "this may be the sandbox", "cuts": [
            {"at": 1, "bytes": 7, "of": 9, "file": "$TMPDIR/output-2.txt", "file_bytes": 8},
            {"at": 2, "bytes": 1, "of": 2, "error": "no space"}]});
    check(&[ended], &[json!({"type": "item.completed", "item": item})]);
}

#[test]
fn the_last_line_reports_the_outcome() {
    let mut out = Vec::new();
    let mut lines = JsonLines::new(&mut out, false, false);
    let usage = Usage {
        input: 5,
        cached: 4,
        written: 1,
        output: 3,
        reasoning: 2,
    };
    let notice = Notice::Usage {
        usage,
        requests: 2,
        cost: Some(0.5),
    };
    lines.take(notice).expect("a vector");
    let item = json!({"type": "message", "role": "assistant", "content": [
        {"type": "output_text", "text": "{\"a\": \"\u{e9}\\n\",\n"}, {"type": "output_text", "text": "\t\"b\": 1}"}]});
    let item = serde_json::value::to_raw_value(&item).expect("JSON");
    let item = Item::parse(&item).expect("a message");
    let completed = TurnCompleted {
        model: "m",
        took: Duration::from_millis(7),
        message: item.raw_text(),
        is_json: true,
    };
    lines.completed(&completed).expect("a vector");
    assert_eq!(String::from_utf8_lossy(&out).lines().count(), 1);
    let line: Value = serde_json::from_slice(&out).expect("JSON");
    assert_eq!(line["final_message"], *item.text());
    assert_eq!(line["final_json"], json!({"a": "\u{e9}\n", "b": 1}));
    assert_eq!(
        (&line["model"], &line["duration_ms"]),
        (&json!("m"), &json!(7))
    );
    assert_eq!(line["usage"]["cache_write_input_tokens"], 1);
    assert_eq!(
        (&line["cost_usd"], &line["requests"]),
        (&json!(0.5), &json!(2))
    );
    let failed = turn_failed(&TurnFailed {
        message: "no",
        code: "budget",
        exit_code: 9,
        retry_at: Some(7),
        request_id: None,
    });
    assert_eq!(
        failed,
        "{\"type\":\"error\",\"message\":\"no\"}\n{\"type\":\"turn.failed\",\"error\":{\"code\":\"budget\",\"exit_code\":9,\"message\":\"no\",\"retry_at\":7}}\n"
    );
}

#[test]
fn the_schema_lists_every_event_type() {
    let schema: Value = serde_json::from_str(EVENTS).expect("JSON");
    let written = concat!(
        include_str!("../json_lines.rs"),
        include_str!("failed_turn.rs")
    );
    for name in [
        "thread.started",
        "item.delta",
        "usage",
        "limits",
        "retry",
        "turn.failed",
    ] {
        assert!(written.contains(&format!("\"{name}\"")), "{name}");
        assert!(schema["$defs"].get(name).is_some(), "{name}");
    }
    assert_eq!(
        schema["$defs"]["thread.started"]["properties"]["schema"]["const"],
        SCHEMA_VERSION
    );
}
