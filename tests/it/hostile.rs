//! Answers of extreme size or depth: endless, huge, deep, and malformed in every place. Each is a clear failure, and none
//! uses more than a fixed amount of memory beyond the answer itself.

use crate::home::{Cmd, CommandOutput, Home};
use crate::standin::{Reply, Server};

/// Arguments of every run here, in addition to its own.
const FLAGS: [&str; 2] = ["--retries", "0"];

/// Memory that a run may use beyond the answer itself, in MiB.
const BEYOND: usize = 64;

/// Close to the maximum size of a text, in bytes.
const LARGE: usize = 15 << 20;

const COMPLETED: &str = r#"{"type":"response.completed","response":{"status":"completed"}}"#;

/// The command, which fails if it requests more than this memory for its data, in MiB. The kernel counts what was
/// requested, not what was used, so the result does not depend on timing.
fn within(cmd: Cmd, most: usize) -> Cmd {
    let data = (most << 10).to_string();
    let words = format!(r#"ulimit -d {data} && exec "$0" "$@""#);
    cmd.within("sh", ["-c", &words])
}

/// Sends this reply, whose answer has this many bytes.
fn ask_for(reply: Reply, answer: usize) -> CommandOutput {
    let server = Server::start([reply]);
    let cmd = Home::with_key()
        .codex(&server)
        .args(["run", "--no-tools", "--timeout", "170", "x"])
        .args(FLAGS);
    let ran = within(cmd, BEYOND + answer.div_ceil(1 << 20)).run();
    assert_eq!(server.requests().len(), 1, "nothing is tried again");
    ran
}

fn ask(reply: Reply) -> CommandOutput {
    ask_for(reply, 0)
}

fn event(data: &str) -> String {
    format!("data: {data}\n\n")
}

fn delta(place: &str, text: &str) -> String {
    event(&format!(
        r#"{{"type":"response.output_text.delta",{place},"delta":"{text}"}}"#
    ))
}

fn done(index: usize, content: &str) -> String {
    event(&format!(
        r#"{{"type":"response.output_item.done","output_index":{index},"item":{}}}"#,
        message(content)
    ))
}

fn message(content: &str) -> String {
    format!(r#"{{"type":"message","content":{content}}}"#)
}

fn part(text: &str) -> String {
    format!(r#"[{{"type":"output_text","text":"{text}"}}]"#)
}

/// A complete answer.
fn hello() -> String {
    done(0, &part("hello")) + &event(COMPLETED)
}

const TOO_LONG: &str = "cannot read the answer: an event in the stream is longer than 16 MiB";
const TOO_MANY: &str = "cannot read the answer: it has more than 10000 items";
const CUT: &str = "the stream ended before the service reported it complete";

#[test]
fn a_gibibyte_in_one_line_or_event_is_not_read_to_the_end() {
    let line = "x".repeat(1 << 16);
    ask(Reply::flood("data: ", &line, 1 << 14, ""))
        .exits(8)
        .stdout("")
        .says(TOO_LONG);
    let lines = format!("data: {line}\n");
    ask(Reply::flood("", &lines, 1 << 14, ""))
        .exits(8)
        .stdout("")
        .says(TOO_LONG);
    // An unknown line is ignored, however long it is.
    ask(Reply::flood(
        ": ",
        &line,
        1 << 12,
        &format!("\n\n{}", hello()),
    ))
    .exits(0)
    .stdout("hello\n")
    .stderr("");
}

#[test]
fn a_stream_of_comments_uses_little_memory() {
    let ping = ": ping\n\n";
    ask(Reply::flood("", ping, 2_000_000, &hello()))
        .exits(0)
        .stdout("hello\n")
        .stderr("");
    ask(Reply::flood("", ping, 2_000_000, ""))
        .exits(8)
        .stdout("")
        .says(CUT);
}

#[test]
fn a_million_events_without_an_ending() {
    let text = delta(r#""output_index":0"#, "a");
    let ran = ask(Reply::flood("", &text, 1_000_000, ""));
    ran.exits(8).says(CUT);
    assert_eq!(ran.stdout.len(), 1_000_001);
    ask(Reply::flood("", &event(r#"{"type":"x"}"#), 1_000_000, ""))
        .exits(8)
        .stdout("")
        .says(CUT);
    // An unreadable event is reported when it arrives, and counted.
    ask(Reply::flood("", &event("{"), 1_000_000, &hello()))
        .exits(0)
        .stdout("hello\n")
        .stderr(concat!(
            "codex: one event in the response could not be read and was skipped\n",
            "codex: 1000000 events in the response could not be read and were skipped\n"
        ));
}

#[test]
fn too_much_unfinished_text_is_exit_8() {
    let text = delta(r#""output_index":0"#, &"x".repeat(1 << 16));
    let ran = ask_for(Reply::flood("", &text, 1000, ""), 16 << 20);
    ran.exits(8)
        .says("cannot read the answer: its unfinished text is longer than 16 MiB");
    assert_eq!(ran.stdout.len(), (16 << 20) + 1);
}

#[test]
fn an_answer_with_too_many_items_fails() {
    let many = |each: &dyn Fn(usize) -> String| -> String { (0..20_000).map(each).collect() };
    for stream in [
        many(&|n| delta(&format!(r#""output_index":{n}"#), "")),
        many(&|n| delta(&format!(r#""item_id":"msg_{n}""#), "")),
        many(&|n| done(n, "[]")),
        many(&|n| {
            event(&format!(
                r#"{{"type":"response.output_item.added","output_index":{n},"item":{{"type":"reasoning"}}}}"#
            ))
        }),
    ] {
        ask(Reply::sse(stream)).exits(8).stdout("").says(TOO_MANY);
    }
    let items = "{},".repeat(5_000_000);
    let last = format!(r#"{{"type":"response.completed","response":{{"output":[{items}{{}}]}}}}"#);
    ask(Reply::sse(event(&last))).exits(8).says(TOO_MANY);
    // Ids are long, and change from event to event.
    let id = "i".repeat(1 << 20);
    let long: String = (0..100)
        .map(|n| delta(&format!(r#""item_id":"{n}{id}""#), "a"))
        .collect();
    ask(Reply::sse(long)).exits(8).says(CUT);
    let parts = format!("[{}{{}}]", "{},".repeat(5_000_000));
    ask(Reply::sse(done(0, &parts) + &event(COMPLETED)))
        .exits(8)
        .says("it contains no text");
}

#[test]
fn unused_json_trees_are_not_built() {
    let tree = format!("[{}0]", r#"{"a":1},"#.repeat(1_500_000));
    let with = |fields: &str| event(&fields.replace('@', &tree));
    let said = done(0, &part("hello"));
    let usage = with(r#"{"type":"response.completed","response":{"usage":@,"metadata":@}}"#);
    ask(Reply::sse(
        said.clone() + &usage.replace(&format!(r#","metadata":{tree}"#), ""),
    ))
    .exits(0)
    .stdout("hello\n");
    let details = r#"{"type":"response.incomplete","response":{"incomplete_details":@}}"#;
    ask(Reply::sse(said + &with(details)))
        .exits(8)
        .says("the service stopped it");
    for failed in [
        r#"{"type":"error","message":"no","x":@}"#,
        r#"{"type":"response.failed","response":{"error":{"message":"no"},"x":@}}"#,
    ] {
        ask(Reply::sse(with(failed)))
            .exits(1)
            .says("the service could not complete this request: no");
    }
}

#[test]
fn json_nested_200_000_levels_deep_does_no_harm() {
    let array = "[".repeat(200_000) + &"]".repeat(200_000);
    let object = r#"{"a":"#.repeat(200_000) + "1" + &"}".repeat(200_000);
    ask(Reply::sse(event(&array) + &hello()))
        .exits(0)
        .stdout("hello\n")
        .says("one event in the response could not be read and was skipped");
    for deep in [&array, &object] {
        let other = event(&format!(r#"{{"type":"x","a":{deep}}}"#));
        ask(Reply::sse(other + &hello())).exits(0).stderr("");
        ask(Reply::sse(done(0, deep) + &event(COMPLETED))).exits(8);
        let usage = format!(r#"{{"type":"response.completed","response":{{"usage":{deep}}}}}"#);
        ask(Reply::sse(done(0, &part("hello")) + &event(&usage)))
            .exits(0)
            .stdout("hello\n");
        ask(Reply::sse(event(&format!(
            r#"{{"type":"error","error":{deep}}}"#
        ))))
        .exits(1)
        .says("no reason given");
    }
}

#[test]
fn texts_of_the_maximum_size_are_not_copied_repeatedly() {
    let text = "x".repeat(LARGE);
    let all = done(0, &part(&text));
    let last = |status: &str| {
        let item = message(&part(&text)).replacen('{', &format!(r#"{{"status":"{status}","#), 1);
        event(&format!(
            r#"{{"type":"response.completed","response":{{"output":[{item}]}}}}"#
        ))
    };
    let (begun, end) = (delta(r#""output_index":0"#, &text), event(COMPLETED));
    for stream in [
        all.clone() + &end,
        begun.clone() + &all + &end,
        begun + &all + &last("completed"),
        last("completed"),
    ] {
        let ran = ask_for(Reply::sse(stream), LARGE);
        ran.exits(0).stderr("");
        assert_eq!(ran.stdout.len(), LARGE + 1);
    }
    // Text of the service and the model in a message is truncated.
    let refusal = format!(r#"[{{"type":"refusal","refusal":"{text}"}}]"#);
    let ran = ask(Reply::sse(done(0, &refusal) + &end));
    ran.exits(1).says("the model declined: xxx");
    assert!(ran.stderr.len() < 20_000);
    for incomplete in [
        format!(r#"{{"incomplete_details":{{"reason":"{text}"}}}}"#),
        format!(r#"{{"status":"{text}"}}"#),
    ] {
        let ended = format!(r#"{{"type":"response.completed","response":{incomplete}}}"#);
        let ran = ask(Reply::sse(event(&ended)));
        ran.exits(8).says("the service stopped it (xxx");
        assert!(ran.stderr.len() < 2000);
    }
}

#[test]
fn invalid_utf8_is_replaced_or_skipped() {
    let stream = |bytes: &[u8]| {
        let text = delta(r#""output_index":0"#, "@");
        let (before, after) = text.split_once('@').expect("it is there");
        [before.as_bytes(), bytes, after.as_bytes()].concat()
    };
    ask(Reply::sse(stream(&[0xff; 1000])))
        .exits(8)
        .stdout(&format!("{}\n", "\u{fffd}".repeat(1000)))
        .says(CUT);
    ask(Reply::sse(stream(&vec![0xff; LARGE])))
        .exits(8)
        .stdout("")
        .says("could not be read and was skipped");
    let halves = r"\ud800".repeat(2 << 20);
    ask_for(Reply::sse(stream(halves.as_bytes())), 6 << 20)
        .exits(8)
        .says(CUT);
}

#[test]
fn huge_headers_fail() {
    let head = |more: &str| format!("HTTP/1.1 200 OK\r\n{more}\r\n\r\n{}", hello());
    let one = head(&format!("x-a: {}", "a".repeat(1 << 20)));
    let many = head(&"x: y\r\n".repeat(100_000));
    for reply in [one, many] {
        ask(Reply::raw(reply))
            .exits(7)
            .stdout("")
            .says(": unexpected HTTP response");
    }
}
