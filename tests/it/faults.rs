//! Error responses, and streams that break off. Exit 0 means success, so none of these exits with 0.

use std::time::Duration;

use crate::home::{CommandOutput, Home};
use crate::standin::{Ends, Framing, Item, Reply, Server};

fn ask(reply: Reply) -> CommandOutput {
    let server = Server::start([reply]);
    let run = Home::with_key()
        .codex(&server)
        .args(["run", "--no-tools", "--retries", "0", "x"])
        .run();
    assert_eq!(server.requests().len(), 1);
    run
}

#[test]
fn error_responses() {
    let check = |status: u16, body: &str, code: i32, words: &str| {
        let run = ask(Reply::status(
            status,
            &[("content-type", "application/json")],
            body,
        ));
        run.exits(code)
            .stdout("")
            .says(words)
            .says(&format!("[HTTP {status}, request req_standin_"))
            .says("codex: hint: ");
    };
    let limit = r#"{"error":{"type":"usage_limit_reached","message":"The usage limit has been reached","resets_at":4000000000}}"#;
    check(
        400,
        r#"{"detail":"Unsupported parameter: x"}"#,
        1,
        "Unsupported parameter: x",
    );
    check(
        401,
        r#"{"error":{"message":"Expired.","code":"token_expired"}}"#,
        4,
        "Expired. (token_expired)",
    );
    check(
        402,
        r#"{"detail":{"code":"deactivated_workspace"}}"#,
        5,
        "deactivated_workspace",
    );
    check(403, "", 5, "no reason given");
    check(
        404,
        r#"{"error":{"message":"No model.","code":"model_not_found"}}"#,
        5,
        "No model.",
    );
    check(413, "", 1, "no reason given");
    check(
        429,
        limit,
        6,
        "the usage limit has been reached: The usage limit has been reached (usage_limit_reached)",
    );
    check(
        429,
        r#"{"error":{"message":"slower","code":"rate_limit_exceeded"}}"#,
        7,
        "slower",
    );
    check(
        500,
        "<html><body>oops</body></html>",
        7,
        "a web page instead of an answer",
    );
    check(
        503,
        r#"{"error":{"code":"server_is_overloaded"}}"#,
        7,
        "server_is_overloaded",
    );
}

#[test]
fn a_page_instead_of_a_stream_is_not_an_answer() {
    let page = Reply::status(
        200,
        &[("content-type", "text/html")],
        "<!doctype html><p>Please sign in</p>",
    );
    ask(page)
        .exits(7)
        .stdout("")
        .says("a web page instead of an answer");
}

#[test]
fn an_answer_without_a_content_type_is_read() {
    ask(Reply::text("hello").without_content_type())
        .exits(0)
        .stdout("hello\n");
}

#[test]
fn endings_other_than_completed() {
    let ends = |ends: Ends| ask(Reply::text("part").ends(ends));
    let failed = |code: &str| Ends::Failed {
        code: code.to_owned(),
        message: "Something.".to_owned(),
    };
    let run = ends(Ends::Incomplete("max_output_tokens".to_owned()));
    run.exits(8)
        .stdout("part\n")
        .says("it reached the model's output limit");
    ends(Ends::Incomplete("content_filter".to_owned()))
        .exits(8)
        .says("the content filter stopped it");
    ends(failed("server_error"))
        .exits(7)
        .stdout("part\n")
        .says("Something. (server_error)");
    ends(failed("cyber_policy"))
        .exits(1)
        .says("Something. (cyber_policy)");
    ends(failed("insufficient_quota")).exits(6);
    let error = Ends::Error {
        code: "context_length_exceeded".to_owned(),
        message: "Too long.".to_owned(),
    };
    ends(error).exits(1).says("Too long.");
    ends(Ends::None)
        .exits(8)
        .says("the stream ended before the service reported it complete");
}

/// The body ends properly, and only the last blank line is missing.
#[test]
fn a_last_event_without_a_blank_line_counts() {
    let delta = r#"{"type":"response.output_text.delta","output_index":0,"delta":"hello"}"#;
    let item = r#"{"type":"response.output_item.done","output_index":0,"item":{"type":"message","content":[{"type":"output_text","text":"hello"}]}}"#;
    let completed = r#"{"type":"response.completed","response":{"status":"completed"}}"#;
    let whole = format!("data: {delta}\n\ndata: {item}\n\ndata: {completed}");
    for end in ["", "\n"] {
        let stream = format!("{whole}{end}");
        ask(Reply::sse(stream.clone())).exits(0).stdout("hello\n");
        // Without the proper end of the body the event may be incomplete.
        let cut = Reply::sse(format!("{stream}\n\n")).cut_at(stream.len());
        ask(cut).exits(8).stdout("hello\n");
    }
    // An event that ends nothing does not count.
    ask(Reply::sse(format!("data: {delta}\n\ndata: {item}"))).exits(8);
}

#[test]
fn an_empty_answer_is_a_failure() {
    ask(Reply::items([Item::reasoning("hm")]))
        .exits(8)
        .stdout("")
        .says("it contains no text");
    ask(Reply::sse(""))
        .exits(8)
        .stdout("")
        .says("the stream ended before");
}

#[test]
fn a_broken_connection_is_never_a_success() {
    let whole = "hello world ".repeat(20);
    for framing in [Framing::Chunked, Framing::Length, Framing::Close] {
        for at in [0, 1, 100, 500, 2000, 3000] {
            let run = ask(Reply::text(&whole).framing(framing).cut_at(at));
            run.exits(8);
            assert!(
                whole.starts_with(run.text().trim_end_matches('\n')),
                "a part of it, in order"
            );
        }
    }
    ask(Reply::raw(""))
        .exits(7)
        .says("cannot reach the service");
    ask(Reply::raw("HTTP/1.1 200")).exits(7);
    ask(Reply::raw("no HTTP at all\r\n\r\n")).exits(7);
}

/// The printed message is compared with the final one: a missing tail is printed,
/// any other difference is reported.
#[test]
fn the_printed_text_matches_the_final_message() {
    let stream = |delta: &str, text: &str| {
        let events = [
            format!(
                r#"{{"type":"response.output_text.delta","output_index":0,"delta":"{delta}"}}"#
            ),
            "{malformed".to_owned(),
            format!(
                r#"{{"type":"response.output_item.done","output_index":0,"item":{{"type":"message","content":[{{"type":"output_text","text":"{text}"}}]}}}}"#
            ),
            r#"{"type":"response.completed","response":{}}"#.to_owned(),
        ];
        ask(Reply::sse(
            events.map(|event| format!("data: {event}\n\n")).concat(),
        ))
    };
    let skipped = "codex: one event in the response could not be read and was skipped\n";
    stream("hel", "hello")
        .exits(0)
        .stdout("hello\n")
        .stderr(skipped);
    stream("hello", "hello")
        .exits(0)
        .stdout("hello\n")
        .stderr(skipped);
    stream("help", "hello")
        .exits(8)
        .stdout("help\n")
        .says("the service's final message differs from what was printed");
    stream("hello!", "hello").exits(8).stdout("hello!\n");
}

#[test]
fn a_slow_server_is_not_a_failure() {
    let reply = Reply::text("hello").pause_before_headers(Duration::from_millis(300));
    ask(reply).exits(0).stdout("hello\n").stderr("");
}
