//! Recorded streams of real services, through the library: exactly the texts and calls that they hold.

use super::super::item::Call;
use super::*;
use crate::wire::sse::Decoder;

/// Recorded streams of real services lie beside the repository where its makers work; elsewhere nothing is checked.
#[test]
fn recorded_streams_give_their_texts_and_calls() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/fixtures");
    let Ok(index) = std::fs::read_to_string(folder.join("index.jsonl")) else {
        let words = "skipped: there are no recorded streams beside the repository\n";
        let _ = std::io::Write::write_all(&mut std::io::stderr(), words.as_bytes());
        return;
    };
    for row in index.lines() {
        let row: serde_json::Value = serde_json::from_str(row).expect("JSON");
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
            Show::MessageEnd => String::new(),
            Show::Skipped => panic!("{file} has an event that cannot be read"),
        };
        assert_eq!(
            show.iter().map(text).collect::<String>(),
            row["expected_text"],
            "{file}"
        );
        let calls: Vec<serde_json::Value> = answer
            .items()
            .filter_map(|item| match &item.kind {
                Kind::Call(Call {
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
        assert_eq!(
            serde_json::Value::from(calls),
            row["expected_calls"],
            "{file}"
        );
    }
}
