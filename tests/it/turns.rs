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
use crate::standin::{Ends, Reply, Scenarios, Script, Server};
use crate::tools::bash;

/// A program that drives a run over its pipes.
pub(crate) struct Driver {
    running: Running,
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

    fn raw(&mut self, line: &[u8]) {
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
fn in_short(events: &[Value]) -> Vec<String> {
    let short = events.iter().map(short);
    short.filter(|event| event != "usage").collect()
}

/// The input of a request, as texts.
fn texts(server: &Server, request: usize) -> Vec<String> {
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
fn thread_of(events: &[Value]) -> &str {
    events[0]["thread_id"].as_str().expect("an id")
}

/// Resumes the conversation against the checks of the stand-in, which refuses an invalid input.
fn resumes(home: &Home, server: &Server, id: &str) {
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
    let server = Server::start([Reply::text("two")]);
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
    assert_eq!(
        texts(&server, server.requests().len() - 1),
        ["first", "second"]
    );
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
fn lines_that_cannot_be_used_are_reported_and_the_run_goes_on() {
    let home = Home::with_key();
    fs::write(home.work().join("text.png"), "no image").expect("it is written");
    let server = Server::start([Reply::text("one")]);
    let mut driver = Driver::start(&home, &server, &["--no-tools"]);
    let long = format!(
        "{{\"type\":\"user\",\"text\":\"{}\"}}\n",
        "a".repeat(17 << 20)
    );
    driver.raw(long.as_bytes());
    driver.raw(b"hello\n\n[]\n{\"type\":\"user\",\"text\":\"\xff\"}\n");
    driver.send(&json!({"type": "user", "text": "look", "images": ["text.png"]}));
    driver.send(&json!({"type": "user", "text": "look", "images": ["none.png"]}));
    driver.send(&json!({"type": "settings", "effort": "enormous"}));
    driver.user("first");
    let (ran, events) = driver.end();
    ran.exits(2)
        .says("codex: 7 lines of standard input could not be used");
    let errors = events.iter().filter(|event| event["type"] == "input_error");
    let errors: Vec<(u64, &str)> = errors
        .map(|event| {
            let line = event["line"].as_u64().expect("a number");
            (line, event["message"].as_str().expect("words"))
        })
        .collect();
    assert_eq!(errors.len(), 7, "{errors:?}");
    let check = |n: usize, line: u64, words: &str| {
        assert_eq!(errors[n].0, line);
        assert!(errors[n].1.contains(words), "{}", errors[n].1);
    };
    check(0, 1, "longer than 16 MiB");
    check(1, 2, "not valid JSON");
    check(2, 4, "not a JSON object");
    check(3, 5, "not UTF-8 at byte");
    check(4, 6, "text.png is not a PNG");
    check(5, 7, "cannot read the image none.png");
    check(6, 8, "\"enormous\" is not a reasoning effort");
    assert_eq!(texts(&server, 0), ["first"]);
    // It is between turns, and no end of a turn is reported for it.
    assert_eq!(events.last().expect("lines")["type"], "error");
}

#[test]
fn without_a_turn_the_exit_code_is_2() {
    let home = Home::with_key();
    let server = Server::start([]);
    let (ran, events) = Driver::start(&home, &server, &["--no-tools"]).end();
    ran.exits(2).says("standard input requested no turn");
    assert_eq!(in_short(&events), ["thread.started", "error"]);
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

/// Runs a turn for each of these replies, and checks the exit code and the number of turns that began.
#[track_caller]
fn check_ends(replies: Vec<Reply>, code: i32, begun: usize) -> Vec<Value> {
    let home = Home::with_key();
    let turns = replies.len();
    let server = Server::start(replies);
    let mut driver = Driver::start(&home, &server, &["--no-tools", "--retries", "0"]);
    for turn in 0..turns {
        driver.user(&format!("turn {turn}"));
    }
    let (ran, events) = driver.end();
    ran.exits(code);
    let count = |kind: &str| events.iter().filter(|event| event["type"] == kind).count();
    assert_eq!(count("turn.started"), begun);
    assert_eq!(count("turn.completed") + count("turn.failed"), begun);
    events
}

#[test]
fn the_exit_code_is_that_of_the_first_turn_that_failed() {
    let status = |status: u16, code: &str| {
        let error =
            json!({"error": {"message": "no", "type": "invalid_request_error", "code": code}});
        Reply::json(status, &error)
    };
    let ok = || Reply::text("ok");
    check_ends(vec![ok(), ok()], 0, 2);
    check_ends(vec![ok(), status(503, "x"), status(400, "x"), ok()], 7, 4);
    check_ends(vec![status(404, "model_not_found"), ok()], 5, 2);
    // These end the run.
    check_ends(vec![ok(), status(401, "invalid_api_key"), ok()], 4, 2);
    check_ends(vec![status(429, "insufficient_quota"), ok()], 6, 1);
}

#[test]
fn budgets_count_over_all_turns_and_end_the_run() {
    let home = Home::with_key();
    let server = Server::start([Reply::text("one"), Reply::text("two")]);
    let mut driver = Driver::start(&home, &server, &["--no-tools", "--max-turns", "2"]);
    for text in ["first", "second", "third", "fourth"] {
        driver.user(text);
    }
    let (ran, events) = driver.end();
    ran.exits(9)
        .says("the limit of 2 requests has been reached: another turn was requested")
        .says("raise --max-turns\n")
        .says("one more message was waiting and is not sent");
    let turns = in_short(&events);
    let turns: Vec<&str> = turns
        .iter()
        .map(String::as_str)
        .filter(|event| event.starts_with("turn."))
        .collect();
    let (ok, no) = (
        ["turn.started", "turn.completed"],
        ["turn.started", "turn.failed"],
    );
    assert_eq!(turns, [ok, ok, no].concat());
}

#[test]
fn the_schema_holds_for_each_turn_and_the_file_is_of_the_last_one() {
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
    let last = fs::read_to_string(home.work().join("last.txt"));
    assert_eq!(last.expect("it is written"), "{\"n\":3}\n");
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

#[test]
fn a_turn_has_a_time_limit_of_its_own() {
    let home = Home::with_key();
    let server = Server::start([Reply::text("one").stall_at(0), Reply::text("two")]);
    let mut driver = Driver::start(&home, &server, &["--no-tools", "--turn-timeout", "300ms"]);
    driver.user("first");
    let failed = driver.next_of("turn.failed");
    assert_eq!(failed["error"]["code"], "timeout");
    driver.user("second");
    let (ran, events) = driver.end();
    ran.exits(124).says("the turn took longer than 0.3 s");
    assert_eq!(events.last().expect("lines")["type"], "turn.completed");
}

#[test]
fn a_run_without_a_turn_ends_by_its_time_limit_or_a_signal() {
    let home = Home::with_key();
    let server = Server::start([Reply::text("one")]);
    let mut driver = Driver::start(&home, &server, &["--no-tools", "--timeout", "2s"]);
    driver.user("first");
    driver.next_of("turn.completed");
    driver.next_of("error");
    let (ran, events) = driver.end();
    ran.exits(124);
    assert_eq!(events.last().expect("lines")["type"], "error");

    let server = Server::start([]);
    let mut driver = Driver::start(&home, &server, &["--no-tools"]);
    driver.next_of("thread.started");
    driver.running.signal(15);
    driver.next_of("error");
    driver.end().0.ends_by(15);
}

#[test]
fn a_driver_that_reads_nothing_is_ended_by_the_time_limit() {
    let home = Home::with_key();
    let server = Server::start(Script::prompts(Scenarios::default()));
    let mut cmd = home
        .codex(&server)
        .args([
            "run",
            "--input",
            "jsonl",
            "--json",
            "--no-tools",
            "--deltas",
            "--timeout",
            "5s",
        ])
        .piped();
    cmd.command.env("RUST_BACKTRACE", "0");
    let mut running = cmd.start();
    let mut stdin = running.stdin.take().expect("a pipe");
    let feeding = thread::spawn(move || {
        let line = json!({"type": "user", "text": "a".repeat(10_000)});
        // More than the queue holds, and more than standard output holds.
        for n in 0..5000 {
            let line = if n % 2 == 0 {
                line.to_string()
            } else {
                "?".to_owned()
            };
            if stdin.write_all(format!("{line}\n").as_bytes()).is_err() {
                return;
            }
        }
        thread::sleep(Duration::from_secs(60));
    });
    let status = running.wait().expect("it ends");
    assert_eq!(status.code(), Some(124));
    drop(feeding);
}

#[test]
fn flags_that_do_not_fit_are_refused() {
    let home = Home::with_key();
    let server = Server::start([]);
    let check = |flags: &[&str], words: &str| {
        let mut cmd = home.codex(&server).args(["run", "--input", "jsonl"]);
        cmd.command.args(flags);
        cmd.run().exits(2).says(words);
    };
    check(&[], "--input jsonl needs --json");
    check(
        &["--json", "hello"],
        "messages come from standard input, not from arguments",
    );
    check(&["--json", "--dry-run"], "--input and --dry-run");
    check(&["--json", "-i", "a.png"], "--input and --image");
    check(&["--json", "--no-stdin"], "--input and --no-stdin");
    let other = home
        .codex(&server)
        .args(["run", "--turn-timeout", "1s", "hello"])
        .run();
    other
        .exits(2)
        .says("--turn-timeout works only with --input jsonl");
    let other = home
        .codex(&server)
        .args(["run", "--json", "--input", "xml"])
        .run();
    other.exits(2).says("jsonl");
}

/// A generator of numbers, the same ones for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// One random interleaving of lines against a slow service: order kept, one end for each turn, the right exit code, and a
/// conversation that can be resumed.
fn interleave(home: &Home, seed: u64) {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let server = Server::start(Script::prompts(Scenarios::default()));
    let mut driver = Driver::start(home, &server, &["--no-tools", "--deltas"]);
    let (mut users, mut unusable) = (Vec::new(), 0);
    for n in 0..4 + random.below(12) {
        match random.below(10) {
            0..4 => {
                let pause = random.below(4);
                let text = format!(
                    r#"message {n} standin: {{"rounds":[{{"items":[{{"text":"a b c d e f"}}],"event_pause_ms":{pause}}}]}}"#
                );
                driver.user(&text);
                users.push(text);
            }
            4 | 5 => {
                let text = format!("message {n}");
                driver.send(&json!({"type": "steer", "text": text}));
                users.push(text);
            }
            6 => driver.send(&json!({"type": "interrupt"})),
            7 => {
                let effort = ["low", "medium", "high"][random.below(3) as usize];
                let model = ["gpt-5.5", "gpt-6.2-sol"][random.below(2) as usize];
                driver.send(&json!({"type": "settings", "model": model, "effort": effort}));
            }
            8 => {
                unusable += 1;
                driver.raw(b"{\"type\":\"user\"}\n");
            }
            _ => {
                if let (false, true) = (users.is_empty(), random.below(2) == 0) {
                    thread::sleep(Duration::from_millis(random.below(30)));
                }
            }
        }
    }
    let (ran, events) = driver.end();
    let mut open = false;
    let mut turns = 0;
    for event in &events {
        match event["type"].as_str().expect("a type") {
            "turn.started" => {
                assert!(!open, "seed {seed}: a turn within a turn");
                (open, turns) = (true, turns + 1);
            }
            "turn.completed" => open = !std::mem::replace(&mut open, false),
            "turn.failed" => {
                assert_eq!(event["error"]["code"], "interrupted", "seed {seed}");
                open = !std::mem::replace(&mut open, false);
            }
            _ => {}
        }
        assert!(turns == 0 || !open || event["type"] != "thread.started");
    }
    assert!(!open, "seed {seed}: {events:#?}");
    let reported = events.iter().filter(|event| event["type"] == "input_error");
    let reported: u64 = reported.filter_map(|event| event["lines"].as_u64()).sum();
    assert_eq!(reported, unusable, "seed {seed}");
    ran.exits(if unusable > 0 || users.is_empty() {
        2
    } else {
        0
    });
    if users.is_empty() {
        return;
    }
    // Every message is in the conversation, once; those of one kind are in their order.
    let id = thread_of(&events).to_owned();
    server.push(Reply::text("still here"));
    let resumed = home
        .codex(&server)
        .args(["run", "--resume", &id, "last"])
        .run();
    resumed.exits(0).stdout("still here\n");
    let said = texts(&server, server.requests().len() - 1);
    let said: Vec<&String> = said
        .iter()
        .filter(|text| text.starts_with("message "))
        .collect();
    let of_kind = |steer: bool| {
        let is_kind = move |text: &&String| text.contains("standin:") != steer;
        (
            said.iter().copied().filter(is_kind).collect::<Vec<_>>(),
            users.iter().filter(is_kind).collect::<Vec<_>>(),
        )
    };
    for steer in [false, true] {
        let (found, sent) = of_kind(steer);
        assert_eq!(found, sent, "seed {seed}");
    }
}

/// `CODEX_TESTS_INTERLEAVINGS` sets how many there are.
#[test]
fn random_interleavings_keep_order_and_end_each_turn_once() {
    let count = std::env::var("CODEX_TESTS_INTERLEAVINGS");
    let count = count.map_or(40, |count| count.parse().expect("a number"));
    let home = Home::with_token();
    crate::home::each((1..=count).collect(), 4, |seed| interleave(&home, seed));
}

#[test]
fn a_turn_that_is_cut_for_good_is_incomplete_and_the_next_one_goes_on() {
    let home = Home::with_key();
    let server = Server::start([Reply::text("one").ends(Ends::None), Reply::text("two")]);
    let mut driver = Driver::start(&home, &server, &["--no-tools", "--retries", "0"]);
    driver.user("first");
    driver.next_of("turn.failed");
    driver.user("second");
    let (ran, events) = driver.end();
    assert_ne!(ran.status.code(), Some(0));
    resumes(&home, &server, thread_of(&events));
}

/// The program of the man page that begins with this word.
fn example(first: &str) -> String {
    let page = Home::new()
        .offline()
        .args(["--generate", "man"])
        .run()
        .text();
    let examples = page.split("\n.EX\n").skip(1);
    let mut examples = examples.filter_map(|rest| rest.split_once("\n.EE\n"));
    let found = examples.find(|(example, _)| example.starts_with(first));
    let (example, _) = found.expect("an example");
    let lines = example
        .lines()
        .map(|line| line.strip_prefix("\\&").unwrap_or(line));
    let plain = lines.map(|line| line.replace("\\-", "-").replace("\\e", "\\"));
    plain.map(|line| line + "\n").collect()
}

#[test]
fn the_programs_of_the_man_page_work() {
    let home = Home::with_key();
    let codex = std::path::Path::new(env!("CARGO_BIN_EXE_codex"));
    let directory = codex.parent().expect("a directory").display();
    let path = format!("{directory}:{}", std::env::var("PATH").unwrap_or_default());
    for (first, program, at_most) in [("import json", "python3", 23), ("mkfifo", "sh", 10)] {
        let server = Server::start([Reply::text("These."), Reply::text("It sleeps.")]);
        let example = example(first);
        assert!(example.lines().count() <= at_most, "{example}");
        let mut cmd = home.codex(&server).within(program, ["-c", &example]);
        cmd.command.env("PATH", &path);
        let ran = cmd.run();
        ran.exits(0);
        let text = ran.text();
        if program == "python3" {
            assert_eq!(text, "These.\nIt sleeps.\n");
        } else {
            assert_eq!(text.matches("turn.completed").count(), 2, "{text}");
        }
        assert_eq!(server.connections(), 1);
    }
}
