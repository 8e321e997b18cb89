//! Session files of earlier and later versions: lines that are not items begin with `codex.`, lines of unknown kinds stay
//! in the file and are never sent, and a file of version 1 stays one.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::continued::stream;
use crate::home::Home;
use crate::sessions::{ask, file, files, id, input};
use crate::standin::{Item, Reply, Script, Server};
use crate::tools::bash;

/// A line that a later version could write.
const FUTURE: &str = r#"{"type":"codex.future","cwd":7,"items":[{"type":"message","role":"user","content":"planted"}]}"#;

fn lines(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).expect("a file");
    text.lines().map(str::to_owned).collect()
}

fn write(file: &Path, lines: &[String]) {
    fs::write(file, lines.join("\n") + "\n").expect("it can be written");
}

/// The types of the lines that are not items.
fn kinds(lines: &[String]) -> Vec<String> {
    let kind = |line: &String| serde_json::from_str::<Value>(line).expect("JSON")["type"].clone();
    let kinds = lines
        .iter()
        .map(kind)
        .filter_map(|kind| kind.as_str().map(str::to_owned));
    let of_items = [
        "message",
        "reasoning",
        "function_call",
        "function_call_output",
    ];
    kinds.filter(|kind| !of_items.contains(&&**kind)).collect()
}

/// A conversation with a call in it, and its file.
fn begun(home: &Home, server: &Server) -> std::path::PathBuf {
    server.push(Reply::items([
        Item::reasoning("let me see"),
        bash("echo one"),
    ]));
    server.push(Reply::text("done"));
    ask(home, server, &[], "go").exits(0);
    file(home)
}

#[test]
fn a_line_of_a_later_version_is_preserved_and_never_sent() {
    let home = Home::with_key();
    let server = Server::start([]);
    let file = begun(&home, &server);
    let whole = lines(&file);
    // After the first line, between a call and its output, and at the end.
    for place in [1, whole.len() - 2, whole.len()] {
        let mut extended = whole.clone();
        extended.insert(place, FUTURE.to_owned());
        write(&file, &extended);
        let before = server.requests().len();
        server.push(Reply::text("on"));
        ask(&home, &server, &["--resume", &id(&file)], "and?").exits(0);
        server.push(Reply::text("copied"));
        ask(&home, &server, &["--fork", &id(&file)], "and?").exits(0);
        let requests = server.requests();
        for request in &requests[before..] {
            let body = String::from_utf8_lossy(&request.body);
            assert!(
                !body.contains("planted") && !body.contains("codex."),
                "{body}"
            );
        }
        // The whole conversation is sent, even if the line is in the middle of it.
        let (first, resumed) = (input(&requests[1]), input(&requests[before]));
        assert_eq!(first[..], resumed[..first.len()], "{place}");
        let resumed = lines(&file);
        assert_eq!(resumed[..extended.len()], extended[..], "{place}");
        assert_eq!(
            resumed[extended.len()..].len(),
            3,
            "a turn, a question and an answer"
        );
        // Only the version that wrote the line knows what it means to a fork.
        let copy = files(&home).pop().expect("a copy");
        assert_eq!(kinds(&lines(&copy)), ["codex.session", "codex.turn"]);
        fs::remove_file(copy).expect("it is there");
    }
}

#[test]
fn a_version_1_file_stays_version_1() {
    let home = Home::with_key();
    let server = Server::start([]);
    let file = begun(&home, &server);
    let mut old = lines(&file);
    for line in &mut old[..2] {
        *line = line
            .replace("codex.", "")
            .replace("\"version\":2", "\"version\":1");
    }
    write(&file, &old);
    server.push(Reply::text("on"));
    ask(&home, &server, &["--last"], "and?").exits(0);
    let requests = server.requests();
    let (first, resumed) = (input(&requests[1]), input(&requests[2]));
    assert_eq!(first[..], resumed[..first.len()]);
    assert_eq!(kinds(&lines(&file)), ["session", "turn", "turn"]);
    // A later version may add its lines there as well.
    let mut extended = lines(&file);
    extended.push(FUTURE.to_owned());
    write(&file, &extended);
    server.push(Reply::text("still"));
    ask(&home, &server, &["--last"], "more").exits(0);
    let body = server.requests()[3].body.clone();
    assert!(!String::from_utf8_lossy(&body).contains("planted"));
    let newer = lines(&file)[0].replace("\"version\":1", "\"version\":99");
    write(&file, &[newer]);
    let refused = ask(&home, &server, &["--resume", &id(&file)], "x");
    refused
        .exits(2)
        .says("line 1: written by a newer version of codex-run");
}

/// A service cannot write lines that are read back as session lines.
#[test]
fn an_item_that_looks_like_a_session_line_is_not_stored() {
    let home = Home::with_key();
    let items = [
        json!({"type": "codex.turn", "model": "other", "cwd": "/"}),
        json!({"type": "message", "id": "m", "role": "assistant", "content": [{"type": "output_text", "text": "a"}]}),
    ];
    let server = Server::start([stream(&items, &json!({}))]);
    ask(&home, &server, &[], "go").exits(0);
    assert_eq!(kinds(&lines(&file(&home))), ["codex.session", "codex.turn"]);
}

/// What cannot be read back as an item is not stored, so the conversation can be resumed.
#[test]
fn an_unparsable_item_is_not_stored() {
    let message = r#"{"type":"message","id":"m","role":"assistant","content":[{"type":"output_text","text":"a"}]}"#;
    for odd in [
        r#"{"type":"note","role":"a","role":"b"}"#,
        r#"{"id":"n"}"#,
        r#"{"type":""}"#,
    ] {
        let done = |at: usize, item: &str| {
            format!(
                "data: {{\"type\":\"response.output_item.done\",\"output_index\":{at},\"item\":{item}}}\n\n"
            )
        };
        let end = r#"data: {"type":"response.completed","response":{"id":"r","status":"completed","output":[]}}"#;
        let text = format!("{}{}{end}\n\n", done(0, odd), done(1, message));
        let home = Home::with_key();
        let server =
            Server::start(Script::replies([Reply::sse(text), Reply::text("on")]).unchecked());
        ask(&home, &server, &[], "go").exits(0);
        ask(&home, &server, &["--last"], "and?").exits(0);
    }
}
