//! How turns over standard input end: exit codes, budgets, time limits, and lines that cannot be used.

use std::fs;
use std::io::Write;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::home::{Home, until};
use crate::standin::{Ends, Reply, Scenarios, Script, Server};
use crate::tools::bash;
use crate::turns::{Driver, in_short, resumes, texts, thread_of};

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
    ran.exits(2).says("standard input contained no message");
    assert_eq!(in_short(&events), ["thread.started", "error"]);
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
        .says("the limit of 2 requests has been reached")
        .says("one waiting message was not sent");
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

#[test]
fn messages_that_the_service_refuses_are_not_in_the_conversation_that_is_resumed() {
    let home = Home::with_key();
    let error = json!({"error": {"message": "no", "type": "invalid_request_error", "code": "x"}});
    let refused = || Reply::json(400, &error);
    let server = Server::start([
        refused(),
        Reply::items([bash("touch begun; until [ -e go ]; do sleep 0.01; done")]),
        refused(),
        Reply::text("three"),
    ]);
    let mut driver = Driver::start(&home, &server, &["-s", "danger-full-access"]);
    driver.user("first");
    driver.next_of("turn.failed");
    driver.user("second");
    until("the tool runs", || home.work().join("begun").exists());
    driver.send(&json!({"type": "steer", "text": "refused"}));
    driver.raw(b"?\n");
    driver.next_of("input_error");
    fs::write(home.work().join("go"), "").expect("it is written");
    driver.next_of("turn.failed");
    driver.user("third");
    let (ran, events) = driver.end();
    ran.exits(1);
    let last = texts(&server, 3);
    assert_eq!(last, ["second", "third"]);
    resumes(&home, &server, thread_of(&events));
    let resumed = texts(&server, 4);
    assert_eq!(resumed, ["second", "third", "three", "are you there?"]);
}

#[test]
fn a_question_that_failed_for_another_reason_can_be_continued() {
    let home = Home::with_key();
    let busy = Reply::json(503, &json!({"error": {"message": "busy", "code": "x"}}));
    let server = Server::start([busy]);
    let flags = ["run", "--no-tools", "--retries", "0", "first"];
    home.codex(&server).args(flags).run().exits(7);
    server.push(Reply::text("yes"));
    home.codex(&server)
        .args(["run", "--last", "go on"])
        .run()
        .exits(0);
    assert_eq!(texts(&server, 1), ["first", "go on"]);
}
