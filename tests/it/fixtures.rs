//! Recorded streams of real services, which are stored outside the repository on its developers' machines. If they are
//! absent, this test says so and checks nothing.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::home::{Home, each};
use crate::needs::{Need, lacks};
use crate::standin::{Newline, Reply, Script, Server};

pub(crate) const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/fixtures");

/// The exit code for a recording whose calls are answered with an error and followed by another answer.
fn expected_code(row: &Value, calls: &[Value]) -> i32 {
    let text = |key: &str| row[key].as_str().unwrap_or_default();
    match text("terminal") {
        "completed" if !calls.is_empty() => 0, // the answer that follows is complete
        "completed" if !text("expected_refusal").is_empty() => 1,
        "completed" if text("expected_text").is_empty() => 1, // it waits for an approval or a patch
        "completed" => 0,
        "incomplete" => 8,
        "failed" => 1,
        other => panic!("{other} is no way to end"),
    }
}

/// The messages of a recording as they are printed.
fn expected_stdout(stream: &str, text: &str, again: bool) -> String {
    let mut messages: Vec<String> = finished_messages(stream);
    if messages.concat() != text {
        messages = vec![text.to_owned()];
    }
    if again {
        messages.push("and so it ends".to_owned());
    }
    let mut out = String::new();
    for message in messages.iter().filter(|message| !message.is_empty()) {
        while !out.is_empty() && !out.ends_with("\n\n") {
            out.push('\n');
        }
        out.push_str(message);
    }
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
    out
}

fn finished_messages(stream: &str) -> Vec<String> {
    let data = stream.lines().filter_map(|line| line.strip_prefix("data:"));
    let events = data.filter_map(|data| serde_json::from_str::<Value>(data).ok());
    events
        .filter(|event| {
            event["type"] == "response.output_item.done" && event["item"]["type"] == "message"
        })
        .map(|event| {
            let parts = event["item"]["content"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            let texts = parts.iter().filter(|part| part["type"] == "output_text");
            texts.filter_map(|part| part["text"].as_str()).collect()
        })
        .collect()
}

#[test]
fn every_recorded_stream_is_decoded_correctly() {
    let folder = Path::new(FOLDER);
    if lacks(&Need::RECORDED_STREAMS) {
        return;
    }
    let index = fs::read_to_string(folder.join("index.jsonl")).expect("the index");
    let rows: Vec<Value> = index
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert!(rows.len() >= 150, "{} recordings", rows.len());
    each(rows, 4, |row| {
        let file = row["file"].as_str().expect("a file");
        let stream = fs::read_to_string(folder.join(file)).expect("the recording");
        for shape in 0..4 {
            one(&row, file, &stream, shape);
        }
    });
}

/// A recording: in one piece, byte by byte, with CRLF, with CR.
fn one(row: &Value, file: &str, stream: &str, shape: usize) {
    let reply = Reply::sse(stream);
    let reply = match shape {
        0 => reply,
        1 => reply.pieces(1),
        2 => reply.newline(Newline::Crlf),
        _ => reply.newline(Newline::Cr),
    };
    // Truncated calls are not run.
    let calls = match row["terminal"].as_str() {
        Some("completed") => row["expected_calls"]
            .as_array()
            .cloned()
            .unwrap_or_default(),
        _ => Vec::new(),
    };
    // A later answer to a recorded conversation lacks the items that the stand-in expects.
    let server = Server::start(Script::replies([reply, Reply::text("and so it ends")]).unchecked());
    let ran = Home::with_key()
        .codex(&server)
        .args(["run", "--no-tools", "-q", "x"])
        .run();
    let code = expected_code(row, &calls);
    let text = row["expected_text"].as_str().unwrap_or_default();
    let expected = expected_stdout(stream, text, !calls.is_empty());
    assert_eq!(
        (ran.status.code(), &*ran.text()),
        (Some(code), &*expected),
        "{file}, shape {shape}: {}",
        ran.stderr
    );

    let requests = server.requests();
    assert_eq!(
        requests.len(),
        if calls.is_empty() { 1 } else { 2 },
        "{file}"
    );
    if let Some(request) = requests.get(1) {
        let sent = request.json();
        let items = sent["input"].as_array().expect("items");
        let of = |kind: &str, key: &str| -> Vec<Value> {
            items
                .iter()
                .filter(|item| item["type"] == kind)
                .map(|item| item[key].clone())
                .collect()
        };
        for (key, sent) in [
            ("name", "name"),
            ("arguments", "arguments"),
            ("call_id", "call_id"),
        ] {
            let expected: Vec<Value> = calls.iter().map(|call| call[key].clone()).collect();
            assert_eq!(of("function_call", sent), expected, "{file}: {key}");
        }
        assert_eq!(
            of("function_call_output", "call_id"),
            of("function_call", "call_id"),
            "{file}"
        );
    }
}
