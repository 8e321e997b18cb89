//! Recorded streams of real services: the exact text and calls that they contain.

use std::collections::HashSet;

use serde_json::Value;

use super::super::item::Call;
use super::*;
use crate::wire::sse::Decoder;

/// The recordings are kept outside the repository; where they are absent, nothing is checked.
#[test]
fn recorded_streams_give_their_texts_and_calls() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/fixtures");
    let Ok(index) = std::fs::read_to_string(folder.join("index.jsonl")) else {
        let words = "skipped: there are no recorded streams next to the repository\n";
        let _ = std::io::Write::write_all(&mut std::io::stderr(), words.as_bytes());
        return;
    };
    for row in index.lines() {
        let row: Value = serde_json::from_str(row).expect("JSON");
        let file = row["file"].as_str().expect("a file");
        let stream = std::fs::read(folder.join(file)).expect("the recording");
        let (mut decoder, mut answer, mut show) =
            (Decoder::default(), Answer::default(), Vec::new());
        for piece in stream.chunks(1000) {
            decoder
                .feed(piece, |frame| answer.take(frame, &mut show))
                .expect("short");
        }
        let text = |show: &Show| match show {
            Show::Text(text) => text.clone(),
            Show::MessageEnd | Show::Summary(_) | Show::Searched(_) => String::new(),
            Show::Skipped => panic!("{file} has an event that cannot be read"),
        };
        assert_eq!(
            show.iter().map(text).collect::<String>(),
            row["expected_text"],
            "{file}"
        );
        let calls: Vec<Value> = answer
            .items()
            .filter_map(|item| match &item.kind {
                ItemKind::Call(Call {
                    call_id,
                    name,
                    arguments,
                    ..
                }) => Some(
                    serde_json::json!({"name": name, "arguments": arguments, "call_id": call_id}),
                ),
                _ => None,
            })
            .collect();
        assert_eq!(Value::from(calls), row["expected_calls"], "{file}");
        // Items from their own events go back to the service, and reasoning only once, however the final object lists
        // it.
        let text = String::from_utf8_lossy(&stream);
        let mut ids = HashSet::new();
        let done: Vec<Value> = text
            .lines()
            .filter_map(|line| line.strip_prefix("data:"))
            .filter_map(|data| serde_json::from_str::<Value>(data).ok())
            .filter(|event| event["type"] == "response.output_item.done")
            .map(|event| event["item"].clone())
            .filter(|item| ids.insert(item["id"].to_string()))
            .collect();
        let kept: Vec<Value> = answer
            .items()
            .filter_map(|item| serde_json::from_slice(item.raw()).ok())
            .collect();
        assert!(done.iter().all(|item| kept.contains(item)), "{file}");
        let thoughts = |items: &[Value]| items.iter().filter(|i| i["type"] == "reasoning").count();
        if !done.is_empty() {
            assert_eq!(thoughts(&kept), thoughts(&done), "{file}");
        }
    }
}
