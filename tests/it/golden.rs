//! The JSON lines of one run with everything in it, as this version prints them.

use serde_json::{Value, json};

use crate::home::Home;
use crate::jsonl::{events_of, user_tool};
use crate::lines::EVENTS;
use crate::reader::read;
use crate::spec::mistakes_by;
use crate::standin::{Item, Reply};
use crate::tools::bash;

/// Normalises what is different in every run.
fn normal(line: &Value, home: &Home) -> String {
    let mut line = line.clone();
    for (field, normal) in [
        ("thread_id", json!("THREAD")),
        ("version", json!("VERSION")),
        ("duration_ms", json!(1)),
        ("cost_usd", json!(0.5)),
        ("input_tokens", json!(100)),
        ("cached_input_tokens", json!(50)),
    ] {
        for object in ["", "/usage"] {
            let place = line.pointer_mut(&format!("{object}/{field}"));
            if let Some(place) = place {
                *place = normal;
                break;
            }
        }
    }
    line.to_string()
        .replace(&home.root().display().to_string(), "/home/ada")
}

/// A run with everything, as this version prints it. Existing readers of it must continue to work.
#[test]
fn the_json_lines_match_the_golden_files() {
    let home = Home::with_key();
    user_tool(&home);
    let replies = [
        Reply::status(503, &[], ""),
        Reply::items([
            Item::reasoning("I think."),
            Item::commentary("I look."),
            bash("echo out; exit 3"),
        ]),
        Reply::items([Item::call("write", json!({"path": "new", "content": "x"}))]),
        Reply::items([Item::call("lookup", json!({"id": "7"}))]),
        Reply::items([Item::call("nonsense", json!({}))]),
        Reply::text("All done."),
    ];
    let flags = [
        "-s",
        "danger-full-access",
        "--deltas",
        "--summary",
        "auto",
        "-m",
        "gpt-5.5",
    ];
    let events = events_of(&home, replies, &flags);
    let now: String = events
        .iter()
        .map(|event| normal(event, &home) + "\n")
        .collect();
    let kept = include_str!("data/golden-1.jsonl");
    assert_eq!(now, kept, "the lines have changed: is it a new `schema`?");
    for line in kept.lines() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(mistakes_by(&EVENTS, &line), [""; 0], "{line}");
        read(&line);
    }
}
