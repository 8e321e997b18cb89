//! JSON lines of failed runs: the last line says how they ended, in the words of the exit codes. That it is the last, and
//! agrees with the exit code, is checked for every run.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;

use serde_json::{Value, json};

use crate::home::{CommandOutput, Home, finish, processes, until};
use crate::needs::{Need, lacks};
use crate::reader::{Event, Failure, read, short};
use crate::sessions::files;
use crate::standin::{Ends, Reply, Server, now_unix};
use crate::stops::{INT, TERM, ignored, is_blocked_in_write};
use crate::tools::bash;

const HUP: i32 = 1;

/// The contents of the last line, and the kinds of all lines.
#[track_caller]
fn failure(ran: &CommandOutput) -> (Failure, Vec<String>) {
    let events = ran.events();
    let kinds: Vec<String> = events.iter().map(short).collect();
    let [.., before, last] = &events[..] else {
        panic!("there are no lines: {}", ran.stderr);
    };
    let Event::TurnFailed { error } = read(last) else {
        panic!("{last}");
    };
    assert_eq!(before["type"], "error");
    assert_eq!(before["message"], error.message.as_str());
    assert!(ran.stderr.contains(&error.message), "{}", ran.stderr);
    (error, kinds)
}

#[test]
fn the_last_line_gives_the_reason() {
    let check = |reply: Reply, flags: &[&str], code: i32, word: &str| {
        let server = Server::start([reply]);
        let mut cmd = Home::with_key().codex(&server).args(["run", "--json"]);
        let always = ["-s", "danger-full-access", "--retries", "0"];
        cmd.command.args(always).args(flags).arg("go");
        let ran = cmd.run();
        let (error, kinds) = failure(ran.exits(code));
        assert_eq!((&*error.code, i32::from(error.exit_code)), (word, code));
        assert_eq!(kinds[..2], ["thread.started", "turn.started"]);
        error
    };
    let refused = check(Reply::status(401, &[], ""), &[], 4, "sign_in");
    let id = refused.request_id.expect("an id");
    assert!(id.starts_with("req_standin_"), "{id}");
    let resets_at = now_unix() + 5000;
    let limit = json!({"error": {"type": "usage_limit_reached", "plan_type": "plus", "resets_at": resets_at}});
    let limited = check(Reply::json(429, &limit), &[], 6, "usage_limit");
    assert_eq!(limited.retry_at, Some(resets_at));
    check(Reply::status(400, &[], ""), &[], 1, "failed");
    check(Reply::status(403, &[], ""), &[], 5, "forbidden");
    check(Reply::status(500, &[], ""), &[], 7, "unreachable");
    check(Reply::text("Hel").ends(Ends::None), &[], 8, "incomplete");
    let capped = Ends::Incomplete("max_output_tokens".to_owned());
    check(Reply::text("Hel").ends(capped), &[], 8, "incomplete");
    check(
        Reply::text("Hel").cut_at(700),
        &["--deltas"],
        8,
        "incomplete",
    );
    check(Reply::items([]), &[], 8, "incomplete");
    let calls = || Reply::items([bash("true")]);
    check(calls(), &["--max-turns", "1"], 9, "budget");
    check(
        Reply::text("x").stall_at(900),
        &["--timeout", "500ms"],
        124,
        "timeout",
    );
    let slow = Reply::items([bash("sleep 60")]);
    check(slow, &["--timeout", "900ms"], 124, "timeout");
}

#[test]
fn a_run_that_never_starts_has_a_last_line_too() {
    let server = Server::start([]);
    let check = |home: &Home, flags: &[&str], code: i32, word: &str| {
        let mut cmd = home.codex(&server);
        cmd.command.args(flags);
        let ran = cmd.run();
        let (error, kinds) = failure(ran.exits(code));
        assert_eq!(error.code, word, "{flags:?}");
        assert_eq!(kinds, ["error", "turn.failed"], "{flags:?}");
    };
    check(
        &Home::new(),
        &["run", "--json", "--no-tools", "x"],
        4,
        "sign_in",
    );
    let home = Home::with_key();
    let schema = home.file("schema.json", "{").display().to_string();
    for flags in [
        &["run", "--json", "--nonsense", "x"][..],
        &["run", "--json", "--retries", "many", "x"],
        &["run", "--json", "-C", "none", "x"],
        &["run", "--json", "--output-schema", &schema, "x"],
        &["run", "--json", "--resume", "nonsense", "x"],
        &["run", "--json", "-i", "none.png", "x"],
        &["run", "--json", ""],
        &["exec", "--json", "--nonsense", "x"],
    ] {
        check(&home, flags, 2, "usage");
    }
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn a_usage_error_before_the_json_flag_is_reported_as_json() {
    let ran = Home::with_key()
        .offline()
        .args(["run", "--nonsense", "--json", "x"])
        .run();
    let (error, kinds) = failure(ran.exits(2));
    assert_eq!((&*error.code, kinds.len()), ("usage", 2));
}

#[test]
fn a_call_is_reported_before_it_ends() {
    let home = Home::with_key();
    let server = Server::start([Reply::items([bash("sleep 61.5")])]);
    let args = ["run", "--json", "-s", "danger-full-access", "go"];
    let mut child = home.codex(&server).args(args).start();
    let mut reported = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let started = reported.find_map(|line| line.ok().filter(|line| line.contains("item.started")));
    assert!(started.is_some_and(|line| line.contains("sleep 61.5")));
    child.signal(TERM);
    child.wait().expect("a child");
}

#[test]
fn a_signal_produces_a_last_line_and_ends_the_run_with_that_signal() {
    for (signal, word) in [(HUP, "hangup"), (INT, "interrupted"), (TERM, "terminated")] {
        if ignored(signal) {
            continue; // ignored when the tests were started, so the run ignores it too
        }
        for in_command in [false, true] {
            let home = Home::with_key();
            let reply = if in_command {
                Reply::items([bash("touch begun; sleep 61.25")])
            } else {
                Reply::text("partial answer").stall_at(1200)
            };
            let server = Server::start([reply]);
            let args = ["run", "--json", "-s", "danger-full-access", "go"];
            let child = home.codex(&server).args(args).start();
            let begun = home.work().join("begun");
            until("it is on its way", || {
                if in_command {
                    begun.exists()
                } else {
                    !server.requests().is_empty()
                }
            });
            child.signal(signal);
            let ran = finish(child, format!("codex run --json go, signal {signal}"));
            let (error, kinds) = failure(ran.ends_by(signal));
            assert_eq!(error.code, word);
            assert_eq!(i32::from(error.exit_code), 128 + signal);
            let started = kinds.iter().filter(|kind| kind.starts_with("item.started"));
            assert_eq!(started.count(), usize::from(in_command), "{kinds:?}");
            let root = home.root().display().to_string();
            until("nothing is left", || processes(&root).is_empty());
        }
    }
}

#[test]
fn a_closed_standard_output_is_detected_before_any_request() {
    let server = Server::start([Reply::text("hello")]);
    for form in ["--json", "--deltas"] {
        let args = ["run", "--json", "--no-tools", "x", form];
        let cmd = Home::with_key().codex(&server).args(args);
        cmd.redirected(">&-").run().exits(74).stdout("");
    }
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn a_stalled_reader_of_json_lines_does_not_delay_a_requested_stop() {
    if lacks(&Need::SYSTEM_CALLS) {
        return;
    }
    for flags in [vec!["--no-tools"], vec!["--no-tools", "--deltas"]] {
        let server = Server::start([Reply::deltas(50_000, "word ")]);
        let mut cmd = Home::with_key().codex(&server).args(["run", "--json", "x"]);
        cmd.command.args(&flags);
        let mut child = cmd.start();
        until("it is stuck", || is_blocked_in_write(child.id()));
        child.signal(TERM);
        let mut status = None;
        until("it ends", || {
            status = child.try_wait().expect("a child");
            status.is_some()
        });
        assert_eq!(
            status.and_then(|status| status.signal()),
            Some(TERM),
            "{flags:?}"
        );
    }
}

#[test]
fn nothing_is_written_after_the_reader_closes() {
    let server = Server::start([Reply::deltas(20_000, "word ")]);
    let args = ["run", "--json", "--deltas", "--no-tools", "x"];
    let mut child = Home::with_key().codex(&server).args(args).start();
    drop(child.stdout.take());
    let ran = finish(child, "codex run --json x".to_owned());
    ran.exits(141).stdout("").stderr("");
}

#[test]
fn a_failed_tool_fails_the_run_on_request() {
    let server = Server::start([Reply::items([bash("exit 3")]), Reply::text("done")]);
    let args = [
        "run",
        "--json",
        "-s",
        "danger-full-access",
        "--fail-on",
        "tool-error",
        "x",
    ];
    let ran = Home::with_key().codex(&server).args(args).run();
    let (error, _) = failure(ran.exits(1));
    assert_eq!(error.code, "failed");
    let text: Vec<Value> = ran.events();
    assert!(text.iter().any(|event| event["item"]["text"] == "done"));
}

#[test]
fn a_run_without_a_turn_leaves_no_conversation() {
    let (home, server) = (Home::with_key(), Server::start([]));
    let cmd = home
        .codex(&server)
        .args(["run", "--json", "--input", "jsonl"]);
    let ran = cmd.input("not a line\n").run();
    assert_eq!(ran.status.code(), Some(2));
    let id = ran.events()[0]["thread_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    assert!(files(&home).is_empty());
    let resumed = home
        .codex(&server)
        .args(["run", "--resume", &id, "hi"])
        .run();
    resumed.exits(2).says("no stored conversation has the id");
}
