//! What each notice becomes.

use super::*;

/// The lines that these notices make.
fn told(deltas: bool, notices: &[Notice<'_>]) -> Vec<Value> {
    let mut out = Vec::new();
    let mut lines = Lines::new(&mut out, deltas, false);
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
    assert_eq!(told(false, notices), expected);
}

#[test]
fn a_message_is_one_item_and_its_pieces_are_told_on_request() {
    let notices = [
        Notice::Text("hel"),
        Notice::Text("lo"),
        Notice::MessageEnd,
        Notice::Text("b"),
        Notice::MessageEnd,
    ];
    let message = |id: &str, text: &str| json!({"type": "item.completed", "item": {"id": id, "type": "agent_message", "text": text}});
    check(
        &notices,
        &[message("item_0", "hello"), message("item_1", "b")],
    );
    let with_deltas = told(true, &notices);
    assert_eq!(
        with_deltas[0],
        json!({"type": "item.delta", "item_id": "item_0", "delta": "hel"})
    );
    assert_eq!(with_deltas.len(), 5);
}

#[test]
fn calls_keep_their_items_whatever_ends_first() {
    let arguments = json!({"id": "7"});
    let call = |id: &'static str, subject| Call {
        id,
        name: "lookup",
        subject,
    };
    let ended = |call, result, ok| Notice::ToolEnded {
        call,
        brief: "",
        result,
        ok,
        took: Duration::ZERO,
        output: "out",
        printed: "out",
        truncated: false,
    };
    let (command, other) = (
        call("a", Subject::Command("ls")),
        call("b", Subject::Other(&arguments)),
    );
    let changes = call("c", Subject::Changes(&[("x", true), ("y", false)]));
    let lines = told(
        false,
        &[
            Notice::ToolStarted(command),
            Notice::ToolStarted(other),
            ended(other, "ok", true),
            ended(command, "exit 3", false),
            Notice::ToolStarted(changes),
            ended(changes, "denied", false),
            Notice::ToolStarted(command),
            ended(command, "timeout", false),
        ],
    );
    let items: Vec<&Value> = lines.iter().map(|line| &line["item"]).collect();
    assert_eq!(
        items[0],
        &json!({"id": "item_0", "type": "command_execution", "command": "ls", "aggregated_output": "",
            "exit_code": null, "status": "in_progress"})
    );
    assert_eq!(
        items[2],
        &json!({"id": "item_1", "type": "tool_call", "name": "lookup", "arguments": {"id": "7"}, "output": "out",
            "truncated": false, "status": "completed"})
    );
    assert_eq!(
        (&items[3]["exit_code"], &items[3]["status"]),
        (&json!(3), &json!("failed"))
    );
    assert_eq!(
        items[5],
        &json!({"id": "item_2", "type": "file_change", "changes": [{"path": "x", "kind": "update"},
            {"path": "y", "kind": "add"}], "status": "failed"})
    );
    assert_eq!(items[7]["exit_code"], Value::Null);
}

#[test]
fn the_last_line_says_how_it_ended() {
    let mut out = Vec::new();
    let mut lines = Lines::new(&mut out, false, false);
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
    lines.completed(Duration::from_millis(7)).expect("a vector");
    let line: Value = serde_json::from_slice(&out).expect("JSON");
    assert_eq!(line["usage"]["cache_write_input_tokens"], 1);
    assert_eq!(
        (&line["cost_usd"], &line["requests"]),
        (&json!(0.5), &json!(2))
    );
    let failed = failed(&Failed {
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
fn the_schema_names_every_type_that_is_written() {
    let schema: Value = serde_json::from_str(EVENTS).expect("JSON");
    let source = include_str!("../lines.rs");
    let written = source.split("#[cfg(test)]").next().unwrap_or_default();
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
        SCHEMA
    );
}
