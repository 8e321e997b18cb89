//! Many turns over standard input (`--input jsonl`): lines in, one terminal event for each turn out.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::ChildStdin;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::command_output::CommandOutput;
use crate::home::{Home, Running, finish, until};
use crate::reader::{read, short};
use crate::standin::{Reply, Server};
use crate::tools::bash;

/// A program that drives a run over its pipes.
pub(crate) struct Driver {
    pub(crate) running: Running,
    stdin: Option<ChildStdin>,
    lines: Receiver<Value>,
    /// The events so far.
    seen: Vec<Value>,
}

impl Driver {
    pub(crate) fn start(home: &Home, server: &Server, flags: &[&str]) -> Self {
        let mut cmd = home
            .codex(server)
            .args(["run", "--input", "jsonl", "--json"])
            .piped();
        cmd.command.args(flags);
        let mut running = cmd.start();
        let stdout = running.stdout.take().expect("a pipe");
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let line = serde_json::from_str(&line).expect("a line of JSON");
                let _ = sender.send(line);
            }
        });
        Self {
            stdin: running.stdin.take(),
            running,
            lines,
            seen: Vec::new(),
        }
    }

    pub(crate) fn raw(&mut self, line: &[u8]) {
        let stdin = self.stdin.as_mut().expect("it is open");
        stdin.write_all(line).expect("it reads its input");
    }

    pub(crate) fn send(&mut self, line: &Value) {
        self.raw(format!("{line}\n").as_bytes());
    }

    pub(crate) fn user(&mut self, text: &str) {
        self.send(&json!({"type": "user", "text": text}));
    }

    /// The next event.
    #[track_caller]
    fn next(&mut self) -> Value {
        let next = self.lines.recv_timeout(Duration::from_secs(60));
        let next = next.unwrap_or_else(|_| panic!("no more events after {:#?}", self.seen));
        read(&next);
        self.seen.push(next.clone());
        next
    }

    /// The next event of this type; others before it are skipped.
    #[track_caller]
    pub(crate) fn next_of(&mut self, kind: &str) -> Value {
        loop {
            let next = self.next();
            if next["type"] == kind {
                return next;
            }
        }
    }

    /// Closes standard input and waits for the end; all events.
    #[track_caller]
    pub(crate) fn end(mut self) -> (CommandOutput, Vec<Value>) {
        drop(self.stdin.take());
        while let Ok(line) = self.lines.recv_timeout(Duration::from_secs(60)) {
            read(&line);
            self.seen.push(line);
        }
        let ran = finish(self.running, "codex run --input jsonl".to_owned());
        (ran, self.seen)
    }
}

/// The events in short, without the usage of requests.
pub(crate) fn in_short(events: &[Value]) -> Vec<String> {
    let short = events.iter().map(short);
    short.filter(|event| event != "usage").collect()
}

/// The input of a request, as texts.
pub(crate) fn texts(server: &Server, request: usize) -> Vec<String> {
    let body = server.requests()[request].json();
    let items = body["input"].as_array().expect("items").iter();
    let messages = items.filter(|item| item["role"] == "user" || item["role"] == "assistant");
    messages
        .map(|item| match &item["content"] {
            Value::String(text) => text.clone(),
            parts => parts[0]["text"].as_str().unwrap_or_default().to_owned(),
        })
        .collect()
}

/// The id of the conversation.
pub(crate) fn thread_of(events: &[Value]) -> &str {
    events[0]["thread_id"].as_str().expect("an id")
}

/// Resumes the conversation against the checks of the stand-in, which refuses an invalid input.
pub(crate) fn resumes(home: &Home, server: &Server, id: &str) {
    server.push(Reply::text("still here"));
    let ran = home
        .codex(server)
        .args(["run", "--resume", id, "are you there?"])
        .run();
    ran.exits(0).stdout("still here\n");
}

#[test]
fn turns_run_one_after_the_other_on_one_connection_and_are_stored() {
    let home = Home::with_key();
    let server = Server::start([Reply::text("one"), Reply::text("two")]);
    let mut driver = Driver::start(&home, &server, &["--no-tools", "-o", "last.txt"]);
    // The conversation is announced before a line is sent.
    driver.next_of("thread.started");
    driver.user("first");
    driver.next_of("turn.completed");
    driver.send(&json!({"type": "user", "message": {"role": "user", "content": "second"}}));
    let (ran, events) = driver.end();
    ran.exits(0);
    let turn = [
        "turn.started",
        "item.completed agent_message",
        "turn.completed",
    ];
    let expected = [&["thread.started"][..], &turn, &turn].concat();
    assert_eq!(in_short(&events), expected);
    assert_eq!(texts(&server, 1), ["first", "one", "second"]);
    assert_eq!(server.connections(), 1);
    let last = fs::read_to_string(home.work().join("last.txt"));
    assert_eq!(last.expect("it is written"), "two\n");
    let sessions = home.offline().args(["sessions", "--json"]).run().text();
    let sessions: Value = serde_json::from_str(&sessions).expect("JSON");
    assert_eq!(
        (&sessions[0]["turns"], &sessions[0]["prompt"]),
        (&json!(2), &json!("first"))
    );
    resumes(&home, &server, thread_of(&events));
    assert_eq!(
        texts(&server, 2),
        ["first", "one", "second", "two", "are you there?"]
    );
}

#[test]
fn an_interrupt_ends_the_turn_and_keeps_what_was_said() {
    let home = Home::with_key();
    let server = Server::start([
        Reply::deltas(400, "word ").event_pause(Duration::from_millis(20)),
        Reply::text("four"),
    ]);
    let mut driver = Driver::start(&home, &server, &["--no-tools", "--deltas"]);
    driver.user("count");
    driver.next_of("item.delta");
    driver.send(&json!({"type": "interrupt"}));
    let failed = driver.next_of("turn.failed");
    assert_eq!(failed["error"]["code"], "interrupted");
    // Without a running turn it has no effect.
    driver.send(&json!({"type": "interrupt"}));
    driver.user("go on");
    let (ran, events) = driver.end();
    ran.exits(0);
    let message = events
        .iter()
        .find(|event| event["item"]["partial"] == true)
        .expect("the message that was begun");
    let said = message["item"]["text"].as_str().expect("text");
    let deltas = events
        .iter()
        .take_while(|event| event["type"] != "turn.failed");
    let deltas: String = deltas.filter_map(|event| event["delta"].as_str()).collect();
    assert_eq!(said, deltas);
    assert_eq!(texts(&server, 1), ["count", said, "go on"]);
    resumes(&home, &server, thread_of(&events));
    assert_eq!(texts(&server, 2)[..3], ["count", said, "go on"]);
}

#[test]
fn an_interrupt_reaches_a_turn_that_has_not_begun() {
    let home = Home::with_key();
    // The first turn may have sent its request before it is interrupted.
    let server = Server::start([Reply::text("two"), Reply::text("two")]);
    let mut driver = Driver::start(&home, &server, &["--no-tools"]);
    let lines = [
        r#"{"type":"user","text":"first"}"#,
        r#"{"type":"interrupt"}"#,
        r#"{"type":"user","text":"second"}"#,
    ];
    driver.raw((lines.join("\n") + "\n").as_bytes());
    let (ran, events) = driver.end();
    ran.exits(0);
    let ends: Vec<String> = in_short(&events)
        .into_iter()
        .filter(|event| event.starts_with("turn."))
        .collect();
    assert_eq!(
        ends,
        [
            "turn.started",
            "turn.failed",
            "turn.started",
            "turn.completed"
        ]
    );
    // A request of the first turn may arrive late, on a connection of its own.
    let mut requests = 0..server.requests().len();
    assert!(requests.any(|n| texts(&server, n) == ["first", "second"]));
}

#[test]
fn an_interrupt_ends_the_tools_of_the_turn() {
    let home = Home::with_key();
    let server = Server::start([
        Reply::items([bash("touch begun; sleep 100")]),
        Reply::text("ok"),
    ]);
    let mut driver = Driver::start(&home, &server, &["-s", "danger-full-access"]);
    driver.user("wait");
    until("the tool runs", || home.work().join("begun").exists());
    driver.send(&json!({"type": "interrupt"}));
    driver.next_of("turn.failed");
    driver.user("go on");
    let (ran, events) = driver.end();
    ran.exits(0);
    resumes(&home, &server, thread_of(&events));
}

#[test]
fn steering_joins_the_running_turn_or_is_a_turn_of_its_own() {
    let home = Home::with_key();
    let server = Server::start([
        Reply::items([bash("touch begun; until [ -e go ]; do sleep 0.01; done")]),
        Reply::text("one"),
        Reply::text("two"),
    ]);
    let mut driver = Driver::start(&home, &server, &["-s", "danger-full-access"]);
    driver.user("first");
    until("the tool runs", || home.work().join("begun").exists());
    driver.send(&json!({"type": "steer", "text": "and this"}));
    // A line that cannot be used is reported after those before it were taken.
    driver.raw(b"?\n");
    driver.next_of("input_error");
    fs::write(home.work().join("go"), "").expect("it is written");
    driver.next_of("turn.completed");
    assert_eq!(texts(&server, 1), ["first", "and this"]);
    driver.send(&json!({"type": "steer", "text": "more"}));
    driver.next_of("turn.completed");
    assert_eq!(texts(&server, 2), ["first", "and this", "one", "more"]);
    let (ran, events) = driver.end();
    ran.exits(2);
    let turns = events
        .iter()
        .filter(|event| event["type"] == "turn.started");
    assert_eq!(turns.count(), 2);
    resumes(&home, &server, thread_of(&events));
}

#[test]
fn images_are_sent_with_their_message() {
    let home = Home::with_key();
    let image = b"\x89PNG\r\n\x1a\nrest";
    fs::write(home.work().join("a.png"), image).expect("it is written");
    let server = Server::start([Reply::text("one"), Reply::text("two")]);
    let mut driver = Driver::start(&home, &server, &["--no-tools", "-m", "gpt-5.5"]);
    driver.send(&json!({"type": "user", "text": "look", "images": ["a.png"]}));
    let source = json!({"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgpyZXN0"});
    let content = json!([{"type": "text", "text": "again"}, {"type": "image", "source": source}]);
    driver.send(&json!({"type": "user", "message": {"role": "user", "content": content}}));
    let (ran, _) = driver.end();
    ran.exits(0);
    for request in server.requests() {
        let body = request.json();
        let last = body["input"]
            .as_array()
            .and_then(|items| items.last().cloned());
        let image = &last.expect("a message")["content"][1]["image_url"];
        assert_eq!(image, "data:image/png;base64,iVBORw0KGgpyZXN0");
    }
}

#[test]
fn the_schema_holds_for_each_turn() {
    let home = Home::with_key();
    let schema = r#"{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"],"additionalProperties":false}"#;
    let schema = home.file("schema.json", schema);
    let flags = [
        "--no-tools",
        "-o",
        "last.txt",
        "--output-schema",
        schema.to_str().expect("UTF-8"),
    ];
    let server = Server::start([
        Reply::text(r#"{"n":1}"#),
        Reply::text("no"),
        Reply::text(r#"{"n":3}"#),
    ]);
    let mut driver = Driver::start(&home, &server, &flags);
    driver.user("first");
    driver.user("second");
    driver.user("third");
    let (ran, events) = driver.end();
    ran.exits(10);
    let failed = events.iter().find(|event| event["type"] == "turn.failed");
    assert_eq!(failed.expect("the second")["error"]["code"], "schema");
    // A run that fails leaves the file unchanged.
    assert!(!home.work().join("last.txt").exists());
    let server = Server::start([Reply::text(r#"{"n":1}"#), Reply::text(r#"{"n":2}"#)]);
    let mut driver = Driver::start(&home, &server, &flags);
    driver.user("first");
    driver.user("second");
    driver.end().0.exits(0);
    let last = fs::read_to_string(home.work().join("last.txt"));
    assert_eq!(last.expect("it is written"), "{\"n\":2}\n");
}

#[test]
fn settings_change_the_model_and_the_effort_from_the_next_turn_on() {
    let home = Home::with_token();
    let server = Server::start([Reply::text("one"), Reply::text("two"), Reply::text("three")]);
    let mut driver = Driver::start(
        &home,
        &server,
        &["--no-tools", "-m", "gpt-6.2-sol", "-e", "low"],
    );
    driver.user("first");
    driver.send(&json!({"type": "settings", "effort": "high"}));
    driver.user("second");
    driver.send(&json!({"type": "settings", "model": "gpt-5.5"}));
    driver.user("third");
    let (ran, events) = driver.end();
    ran.exits(0);
    let bodies: Vec<Value> = server
        .requests()
        .iter()
        .map(|request| request.json())
        .collect();
    let models: Vec<&Value> = bodies.iter().map(|body| &body["model"]).collect();
    assert_eq!(models, ["gpt-6.2-sol", "gpt-6.2-sol", "gpt-5.5"]);
    // The effort of one model changes by an item, which keeps the service's cache.
    assert_eq!(bodies[1]["reasoning"]["effort"], "low");
    let input = bodies[1]["input"].to_string();
    assert!(
        input.contains(r#"{"reasoning":{"effort":"high"},"type":"configuration_update"}"#),
        "{input}"
    );
    assert_eq!(bodies[2]["reasoning"]["effort"], "high");
    assert!(
        !bodies[2]["input"]
            .to_string()
            .contains("configuration_update")
    );
    assert_eq!(
        texts(&server, 2),
        ["first", "one", "second", "two", "third"]
    );
    resumes(&home, &server, thread_of(&events));
    let body = server.requests()[3].json();
    assert_eq!(
        (&body["model"], &body["reasoning"]["effort"]),
        (&json!("gpt-5.5"), &json!("high"))
    );
}
