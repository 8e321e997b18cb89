//! Recorded refusals of real services, which are stored outside the repository on its developers' machines. If they are
//! absent, this test says so and checks nothing.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::fault_table::{ask, assert_no_controls, reply};
use crate::needs::{Need, lacks};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/fixtures/errors");

/// The exit codes of the recorded refusals, by prefix of their names; all others end with 1.
const CODES: &[(i32, &[&str])] = &[
    (
        4,
        &[
            "008", "009", "017", "019", "023", "074", "079", "i03", "i04", "i05", "i09",
        ],
    ),
    (
        5,
        &[
            "001", "012", "014", "018", "024", "027", "029", "053", "057", "060", "063", "066",
            "069",
        ],
    ),
    (5, &["i01", "i07", "i08", "i24"]),
    (6, &["i11", "i16"]),
    (7, &["082", "i21"]),
];

#[test]
fn every_recorded_refusal_has_its_exit_code_and_message() {
    if lacks(&Need::RECORDED_REFUSALS) {
        return;
    }
    let folder = fs::read_dir(Path::new(FIXTURES)).expect("a folder");
    let mut count = 0;
    for entry in folder.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let text = fs::read_to_string(entry.path()).expect("a recording");
        let record: Value = serde_json::from_str(&text).expect("JSON");
        recorded(&name, &record);
        count += 1;
    }
    assert!(count >= 60, "{count} recordings");
}

/// A recording whose message is changed to contain control characters.
fn recorded(name: &str, record: &Value) {
    let status = record["status"]
        .as_u64()
        .and_then(|status| u16::try_from(status).ok());
    let status = status.expect("a status");
    let mut body = record["body"].clone();
    if body.is_null() {
        body = json!({"error": {"message": record["body_message_only"], "code": record["body_code_only"]}});
    }
    let mut message = None;
    for place in ["/error/message", "/detail", "/error"] {
        if let Some(Value::String(text)) = body.pointer_mut(place) {
            message.get_or_insert_with(|| text.clone());
            text.push_str("\u{1b}[2J\u{7}\r\u{85}");
        }
    }
    let body = match &record["body_text"] {
        Value::String(text) if record["body"].is_null() => text.clone(),
        _ => body.to_string(),
    };
    let framing = [
        "content-length",
        "connection",
        "transfer-encoding",
        "content-encoding",
    ];
    let recorded = record["headers"].as_object().cloned().unwrap_or_default();
    let headers: Vec<(&str, &str)> = recorded
        .iter()
        .filter(|(name, _)| !framing.contains(&&***name))
        .filter_map(|(name, value)| Some((&**name, value.as_str()?)))
        .collect();
    let expected = CODES
        .iter()
        .find(|(_, names)| names.iter().any(|known| name.starts_with(known)))
        .map_or(1, |(code, _)| *code);
    let ran = ask(reply((status, &headers, &body)), ["--retries", "0"]);
    assert_eq!(ran.status.code(), Some(expected), "{name}: {}", ran.stderr);
    ran.exits(expected).stdout("").says("codex: hint: ");
    if let Some(message) = message {
        ran.says(&message);
    }
    assert_no_controls(&ran);
}
