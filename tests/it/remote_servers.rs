//! MCP servers behind a URL: what is sent to them, what they may answer, and what stays secret.

use std::fs;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::home::{CommandOutput, Home, KEY};
use crate::standin::{Item, Recorded, Reply, Script, Server};
use crate::tools::outputs;

/// A key of the server's own.
const SERVER_KEY: &str = "Bearer invented-server-key-0123456789";

/// A run with a server of this behaviour, and its calls one after another.
struct Run {
    ran: CommandOutput,
    outputs: Vec<String>,
    /// What the MCP server received.
    received: Vec<Arc<Recorded>>,
}

impl Run {
    fn of(words: &str, flags: &[&str], calls: &[(&str, Value)]) -> Self {
        let remote = Server::start(Script::default().mcp(words));
        let url = format!("{}/mcp?key=in-the-query", remote.url());
        let mut run = Self::at(&url, &json!({}), flags, calls);
        run.received = remote.requests();
        run
    }

    /// With a server at this URL, whose entry has these further fields.
    fn at(url: &str, fields: &Value, flags: &[&str], calls: &[(&str, Value)]) -> Self {
        let home = Home::with_key();
        let call = |(tool, arguments): &(&str, Value)| {
            Reply::items([Item::call(&format!("mcp__s__{tool}"), arguments)])
        };
        let mut replies: Vec<Reply> = calls.iter().map(call).collect();
        replies.push(Reply::text("done"));
        let service = Server::start(replies);
        let mut server =
            json!({"url": url, "network": true, "headers": {"Authorization": "$SERVER_KEY"}});
        for (name, value) in fields.as_object().expect("an object") {
            server[name] = value.clone();
        }
        let file = home.root().join("servers.json");
        fs::write(&file, json!({"mcpServers": {"s": server}}).to_string()).expect("a file");
        let file = file.to_str().expect("UTF-8");
        let mut cmd = home.codex(&service).env("SERVER_KEY", SERVER_KEY);
        cmd = cmd.args(["run", "--mcp", file]);
        cmd.command.args(flags).arg("go");
        let ran = cmd.run();
        for text in [&ran.text(), &ran.stderr] {
            assert!(!text.contains(&SERVER_KEY[7..]), "{text}");
            assert!(
                !text.contains("standin-session") && !text.contains("in-the-query"),
                "{text}"
            );
        }
        let outputs = match service.requests().len() {
            0 => Vec::new(),
            _ => outputs(&service),
        };
        Self {
            ran,
            outputs,
            received: Vec::new(),
        }
    }

    /// The methods of the messages and of other requests, in order.
    fn methods(&self) -> Vec<String> {
        let method = |request: &Arc<Recorded>| match &*request.method {
            "POST" => request.json()["method"]
                .as_str()
                .unwrap_or("answer")
                .to_owned(),
            other => other.to_owned(),
        };
        self.received.iter().map(method).collect()
    }
}

fn echo(text: &str) -> (&'static str, Value) {
    ("echo", json!({"text": text}))
}

#[test]
fn a_server_is_asked_by_the_run_in_every_form_of_the_transport() {
    let begin = ["initialize", "notifications/initialized", "tools/list"];
    for words in [
        "honest",
        "sse",
        "session",
        "sse,session,notify:3,wrong-id,twice",
    ] {
        let run = Run::of(words, &["--network"], &[echo("one"), echo("two")]);
        run.ran.exits(0).stdout("done\n");
        assert_eq!(run.outputs, ["one", "two"], "{words}");
        let mut expected = [&begin[..], &["tools/call", "tools/call"]].concat();
        expected.extend(words.contains("session").then_some("DELETE"));
        assert_eq!(run.methods(), expected, "{words}");
        for request in &run.received {
            assert_eq!(request.header("authorization"), Some(SERVER_KEY));
            assert_eq!(request.path, "/mcp?key=in-the-query");
            let is_first = request.method == "POST" && request.json()["method"] == "initialize";
            let version = request.header("mcp-protocol-version");
            assert_eq!(version, (!is_first).then_some("2025-11-25"));
            let has_id = request.header("mcp-session-id").is_some();
            assert_eq!(has_id, words.contains("session") && !is_first);
        }
    }
    // A server without sessions and handshake.
    let run = Run::of("modern", &["--network"], &[echo("one")]);
    run.ran.exits(0);
    assert_eq!(run.outputs, ["one"]);
    assert_eq!(
        run.methods(),
        ["initialize", "server/discover", "tools/list", "tools/call"]
    );
    assert_eq!(run.received[3].header("mcp-name"), Some("echo"));
}

#[test]
fn requests_of_a_server_are_answered() {
    let run = Run::of("sse,session,asks", &["--network"], &[echo("one")]);
    run.ran.exits(0);
    assert_eq!(run.outputs, ["one"]);
    let answers: Vec<Value> = run
        .received
        .iter()
        .filter(|request| request.method == "POST")
        .map(|request| request.json())
        .collect();
    let answer = |id: &str| {
        answers
            .iter()
            .find(|answer| answer["id"] == id)
            .expect("an answer")
    };
    assert_eq!(answer("ask ping")["result"], json!({}));
    assert_eq!(answer("ask roots/list")["error"]["code"], -32601);
}

#[test]
fn a_stream_that_is_closed_early_is_continued() {
    let run = Run::of("sse,session,polls", &["--network"], &[echo("one")]);
    run.ran.exits(0);
    assert_eq!(run.outputs, ["one"]);
    let get = run
        .received
        .iter()
        .find(|request| request.method == "GET")
        .expect("a continuation");
    assert_eq!(get.header("last-event-id"), Some("event-1"));
}

#[test]
fn a_session_that_the_server_has_forgotten_is_begun_once_more() {
    let run = Run::of(
        "session,expires:1",
        &["--network"],
        &[echo("one"), echo("two")],
    );
    run.ran.exits(0);
    assert_eq!(run.outputs, ["one", "two"]);
    assert_eq!(
        run.methods()
            .iter()
            .filter(|method| *method == "initialize")
            .count(),
        2
    );
    // One that never keeps it fails its calls, and the run goes on.
    let run = Run::of("session,expires:0", &["--network"], &[echo("one")]);
    run.ran.exits(0);
    assert!(
        run.outputs[0].contains("does not keep the session"),
        "{:?}",
        run.outputs
    );
}

#[test]
fn a_call_without_an_answer_ends_at_its_time_limit() {
    let flags = ["--network", "--tool-timeout", "1s"];
    let run = Run::of("sse,session", &flags, &[("hang", json!({})), echo("two")]);
    run.ran.exits(0);
    assert!(run.outputs[0].contains("timed out"), "{:?}", run.outputs);
    assert_eq!(run.outputs[1], "two");
    assert!(
        run.methods()
            .contains(&"notifications/cancelled".to_owned())
    );
    let run = Run::of(
        "sse,silent:initialize",
        &["--network", "--timeout", "1s"],
        &[],
    );
    run.ran.exits(124);
    // A call that runs does not keep a run that is stopped.
    let run = Run::of(
        "sse,session",
        &["--network", "--timeout", "2s"],
        &[("hang", json!({}))],
    );
    run.ran.exits(124);
}

#[test]
fn a_response_that_cannot_be_used_is_named_without_secrets() {
    for (words, why) in [
        ("status:401", "HTTP 401: refused *** /mcp?key=***^[[2J"),
        (
            "status:302",
            "HTTP 302: it leads to another URL, which is not followed",
        ),
        ("status:500", "HTTP 500: refused *** /mcp?key=***^[[2J"),
        (
            "kind:text/html",
            "the response is neither JSON nor an event stream but \"text/html\"",
        ),
        ("version:1999-01-01", "1999-01-01"),
        ("silent:tools/list,session,status:404", "HTTP 404"),
    ] {
        let run = Run::of(words, &["--network"], &[]);
        run.ran
            .exits(2)
            .says("codex: cannot start the MCP server s: ")
            .says(why);
    }
    let run = Run::of(
        "bulk,sse",
        &["--network"],
        &[echo("one"), ("add", json!({"a": 1, "b": 2}))],
    );
    run.ran.exits(0);
    assert!(
        run.outputs
            .iter()
            .all(|output| output.contains("the response is longer than")),
        "{:?}",
        run.outputs
    );
}

#[test]
fn a_server_needs_the_network_twice_and_gets_no_credential() {
    let check = |url: &str, fields: Value, flags: &[&str], why: &str| {
        let run = Run::at(url, &fields, flags, &[]);
        run.ran.exits(2).says(why);
    };
    let remote = Server::start(Script::default().mcp("honest"));
    let url = format!("{}/mcp", remote.url());
    let needs = "a server behind a URL needs \"network\": true and --network";
    check(
        &url,
        json!({}),
        &[],
        "a server behind a URL needs --network",
    );
    check(&url, json!({"network": false}), &["--network"], needs);
    let network = &["--network"];
    check(
        &url,
        json!({"headers": {"x-key": "$NOWHERE"}}),
        network,
        "NOWHERE, for the header x-key, is not set",
    );
    check(
        &url,
        json!({"headers": {"x-key": "$OPENAI_API_KEY"}}),
        network,
        "OPENAI_API_KEY is reserved for codex-run",
    );
    check(
        &url,
        json!({"headers": {"x-key": KEY}}),
        network,
        "it holds a credential of codex-run",
    );
    check(
        &url,
        json!({"headers": {"Host": "a"}}),
        network,
        "this header cannot be set",
    );
    check(
        "http://mcp.example/mcp",
        json!({}),
        network,
        "http:// is accepted only for this machine",
    );
    check(
        "https://me:word@mcp.example/",
        json!({}),
        network,
        "it contains a user name or a password",
    );
    assert_eq!(remote.requests().len(), 0);
    // One that is not required is left out.
    let run = Run::at(&url, &json!({"required": false}), &[], &[]);
    run.ran
        .exits(0)
        .stdout("done\n")
        .says("a server behind a URL needs --network; it is left out");
}

#[test]
fn the_key_of_a_server_reaches_no_tool() {
    let remote = Server::start(Script::default().mcp("honest"));
    let url = format!("{}/mcp", remote.url());
    let run = Run::at(&url, &json!({}), &["--network", "--env", "SERVER_KEY"], &[]);
    run.ran
        .exits(2)
        .says("cannot pass SERVER_KEY to tools: an MCP server uses it as a key");
}
