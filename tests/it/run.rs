//! A prompt in, an answer out.

use std::time::Duration;

use serde_json::Value;

use crate::home::Home;
use crate::standin::{Framing, Item, Newline, Reply, Server};

#[test]
fn only_assistant_text_reaches_stdout() {
    let server = Server::start([Reply::text("hello")]);
    let run = Home::with_key()
        .codex(&server)
        .args(["run", "--no-tools", "say hello"])
        .run();
    run.exits(0).stdout("hello\n").stderr("");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn the_text_is_the_same_however_the_stream_is_split() {
    let text = "caf\u{e9} \u{1f980}\r\nline\n\nend";
    for newline in [Newline::Lf, Newline::Crlf, Newline::Cr] {
        for pieces in [1, 2, 3, 7, 1000, 1_000_000] {
            for framing in [Framing::Chunked, Framing::Length, Framing::Close] {
                let server = Server::start([Reply::text(text)
                    .newline(newline)
                    .pieces(pieces)
                    .framing(framing)]);
                let run = Home::with_key()
                    .codex(&server)
                    .args(["run", "--no-tools", "x"])
                    .run();
                run.exits(0)
                    .stdout("caf\u{e9} \u{1f980}\r\nline\n\nend\n")
                    .stderr("");
            }
        }
    }
}

#[test]
fn messages_are_separated() {
    let reply = Reply::items([
        Item::commentary("one"),
        Item::reasoning("hm"),
        Item::text("two\n"),
    ]);
    let server = Server::start([reply]);
    let run = Home::with_token()
        .codex(&server)
        .args(["run", "--no-tools", "x"])
        .run();
    run.exits(0).stdout("one\n\ntwo\n").stderr("");
}

#[test]
fn text_is_written_before_the_next_read() {
    let stall = 5000;
    let server = Server::start([Reply::text("word ".repeat(100)).stall_at(stall)]);
    let home = Home::with_key();
    let mut child = home.codex(&server).args(["run", "--no-tools", "x"]).start();
    let mut first = [0; 5];
    std::io::Read::read_exact(child.stdout.as_mut().expect("a pipe"), &mut first)
        .expect("the first word");
    assert_eq!(&first, b"word ");
    child.kill().expect("it still waits");
    child.wait().expect("a child");
}

#[test]
fn the_run_ends_with_the_answer_even_if_the_server_keeps_the_connection_open() {
    for framing in [Framing::Chunked, Framing::Length, Framing::Close] {
        let server = Server::start([Reply::text("done").hold_open().framing(framing)]);
        let run = Home::with_key()
            .codex(&server)
            .args(["run", "--no-tools", "x"])
            .run();
        run.exits(0).stdout("done\n").stderr("");
    }
}

/// Both backends get what PROTOCOL says, and nothing else.
#[test]
fn a_dry_run_shows_the_request_that_is_sent() {
    for (home, path) in [
        (Home::with_key(), "/v1/responses"),
        (Home::with_token(), "/backend-api/codex/responses"),
    ] {
        let server = Server::start([Reply::text("hello")]);
        let args = ["run", "--no-tools", "-e", "high", "hi"];
        home.codex(&server).args(args).run().exits(0);
        let request = server.requests().pop().expect("a request");
        assert_eq!((&*request.method, request.bare_path()), ("POST", path));
        let mut sent = request.json();
        let thread = sent["prompt_cache_key"].take();
        assert_eq!(request.header("session-id"), thread.as_str());
        assert_eq!(thread.as_str().map(str::len), Some(36));
        assert!(
            request.header("content-length").is_some()
                && request.header("accept-encoding").is_none()
        );

        let dry = home.codex(&server).args(args).args(["--dry-run"]).run();
        let again = home.codex(&server).args(args).args(["--dry-run"]).run();
        assert_eq!(
            dry.exits(0).stderr("").text(),
            again.text(),
            "the same bytes each time"
        );
        let mut shown: Value = serde_json::from_str(&dry.text()).expect("JSON");
        assert_eq!(shown["url"], format!("{}{path}", server.url()));
        assert_eq!(shown["headers"]["authorization"], "Bearer ***");
        shown["body"]["prompt_cache_key"].take();
        assert_eq!(shown["body"], sent);
        assert_eq!(sent["reasoning"]["effort"], "high");
        assert_eq!(server.requests().len(), 1, "a dry run sends nothing");
        for (name, value) in shown["headers"].as_object().expect("an object") {
            let sent = request.header(name);
            assert!(
                value.as_str().is_some_and(|v| v.contains("***"))
                    || name.ends_with("-id")
                    || sent == value.as_str()
            );
        }
    }
}

#[test]
fn the_request_adds_little_to_the_prompt() {
    let size = |args: &[&str]| {
        let mut cmd = Home::new().offline();
        cmd.command.args(["run", "--dry-run"]).args(args);
        let shown = cmd.run();
        let text = shown.exits(0).text();
        let body = text
            .lines()
            .find_map(|line| line.strip_prefix("  \"body\": "))
            .map(str::to_owned);
        body.expect("the body on its own line").len()
    };
    assert!(
        size(&["--no-tools", "hi"]) < 600,
        "{}",
        size(&["--no-tools", "hi"])
    );
    let tools = size(&["-s", "danger-full-access", "hi"]);
    assert!(tools < 3000, "{tools}");
}

#[test]
fn instructions_can_be_replaced_and_extended() {
    let home = Home::with_key();
    home.file("who.txt", "You are terse.\n");
    let server = Server::start([Reply::text("a"), Reply::text("b")]);
    let args = [
        "run",
        "--no-tools",
        "x",
        "--instructions",
        "who.txt",
        "--append-instructions",
        "And kind.",
    ];
    home.codex(&server).args(args).run().exits(0);
    home.codex(&server)
        .args([
            "run",
            "--no-tools",
            "x",
            "--append-instructions",
            "And kind.",
        ])
        .run()
        .exits(0);
    let sent: Vec<Value> = server
        .requests()
        .iter()
        .map(|r| r.json()["instructions"].take())
        .collect();
    assert_eq!(sent[0], "You are terse.\n\nAnd kind.");
    assert!(
        sent[1]
            .as_str()
            .is_some_and(|text| text.starts_with("You answer") && text.ends_with("\n\nAnd kind."))
    );
}

#[test]
fn the_model_is_set_by_flag_then_variable_then_default() {
    let server = Server::start([Reply::text("a"), Reply::text("b"), Reply::text("c")]);
    let home = Home::with_key();
    home.codex(&server)
        .args(["run", "--no-tools", "x", "-m", "one"])
        .env("CODEX_MODEL", "two")
        .run()
        .exits(0);
    home.codex(&server)
        .args(["run", "--no-tools", "x"])
        .env("CODEX_MODEL", "two")
        .run()
        .exits(0);
    home.codex(&server)
        .args(["run", "--no-tools", "x"])
        .env("CODEX_MODEL", "")
        .run()
        .exits(0);
    let models: Vec<Value> = server
        .requests()
        .iter()
        .map(|r| r.json()["model"].take())
        .collect();
    assert_eq!(models, ["one", "two", "gpt-6.2-sol"]);
}

#[test]
fn a_long_answer_is_printed_completely() {
    let server = Server::start([Reply::deltas(200_000, "word ")]);
    let run = Home::with_key()
        .codex(&server)
        .args(["run", "--no-tools", "x"])
        .run();
    assert_eq!(run.exits(0).stdout.len(), 1_000_001);
}

#[test]
fn a_slow_answer_is_not_an_error() {
    let server = Server::start([Reply::text("a b c").event_pause(Duration::from_millis(5))]);
    let run = Home::with_key()
        .codex(&server)
        .args(["run", "--no-tools", "x"])
        .run();
    run.exits(0).stdout("a b c\n").stderr("");
}
