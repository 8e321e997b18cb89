//! Repeated requests: how often, when, and that nothing is done or printed twice.

use std::time::Duration;

use serde_json::{Value, json};

use crate::home::{CommandOutput, Home};
use crate::standin::{Ends, Item, Reply, Script, Server, now_unix};

/// Sends a prompt with these flags; returns the output of the command and the bodies of the requests.
fn ask<const N: usize>(
    replies: impl Into<Script>,
    flags: [&str; N],
) -> (CommandOutput, Vec<Value>) {
    let server = Server::start(replies);
    let home = Home::with_key();
    let mut cmd = home.codex(&server).args(["run", "x"]).args(flags);
    if !flags.contains(&"-s") {
        cmd = cmd.args(["--no-tools"]);
    }
    let ran = cmd.run();
    let bodies = server.requests().iter().map(|r| r.json()).collect();
    (ran, bodies)
}

/// An answer that breaks off after these items, without an ending.
fn broken<const N: usize>(items: [Item; N]) -> Reply {
    Reply::items(items).ends(Ends::None)
}

/// A stream of exactly these events.
fn events<const N: usize>(events: [&str; N]) -> Reply {
    Reply::sse(events.map(|event| format!("data: {event}\n\n")).concat())
}

fn delta(text: &str) -> String {
    json!({"type": "response.output_text.delta", "output_index": 0, "delta": text}).to_string()
}

fn status(code: u16) -> Reply {
    Reply::status(code, &[], "")
}

#[test]
fn a_failing_service_is_asked_once_plus_once_per_retry() {
    for retries in [0, 1, 2] {
        let replies: Vec<Reply> = (0..4).map(|_| status(500)).collect();
        let (ran, bodies) = ask(replies, ["--retries", &retries.to_string()]);
        ran.exits(7).stdout("");
        assert_eq!(bodies.len(), 1 + retries);
        assert!(
            bodies.iter().all(|body| body == &bodies[0]),
            "the same each time"
        );
        let reported = ran.stderr.matches("trying again in").count();
        assert_eq!(reported, retries, "{}", ran.stderr);
    }
}

#[test]
fn retries_are_reported_with_growing_delays() {
    let server = Server::start([status(503), status(502), Reply::text("hello")]);
    let ran = Home::with_key()
        .codex(&server)
        .args(["run", "--no-tools", "x"])
        .run();
    ran.exits(0)
        .stdout("hello\n")
        .says("[HTTP 503, request req_standin_")
        .says("; trying again in 0.5 s (1 of 5)\n")
        .says("; trying again in 1 s (2 of 5)\n");
    let at: Vec<Duration> = server.requests().iter().map(|r| r.at).collect();
    assert!(at[1] >= at[0] + Duration::from_millis(500), "{at:?}");
    assert!(at[2] >= at[1] + Duration::from_secs(1), "{at:?}");
}

#[test]
fn quiet_suppresses_retry_messages_too() {
    let (ran, _) = ask([status(500), Reply::text("hello")], ["-q"]);
    ran.exits(0).stdout("hello\n").stderr("");
}

#[test]
fn the_delay_requested_by_the_service_is_respected() {
    let busy = Reply::status(429, &[("retry-after", "2")], "");
    let server = Server::start([busy, Reply::text("hello")]);
    let ran = Home::with_key()
        .codex(&server)
        .args(["run", "--no-tools", "x"])
        .run();
    ran.exits(0).says("trying again in 2 s (1 of 5)");
    let requests = server.requests();
    assert!(requests[1].at >= requests[0].at + Duration::from_secs(2));
}

#[test]
fn a_requested_delay_of_more_than_two_minutes_is_not_waited_for() {
    let busy = Reply::status(429, &[("retry-after", "7200")], "");
    let (ran, bodies) = ask([busy], []);
    ran.exits(7).says("2 h").says(" UTC");
    assert_eq!(bodies.len(), 1);
}

#[test]
fn an_unreachable_host_is_named() {
    let ran = Home::with_key()
        .offline()
        .args(["run", "--no-tools", "--retries", "1", "x"])
        .run();
    ran.exits(7)
        .stdout("")
        .says("cannot reach the service at 127.0.0.1:9: ")
        .says("trying again in 0.5 s (1 of 1)");
}

/// The tool appends a line; its stream ends right after the call.
#[test]
fn a_call_from_a_broken_answer_runs_once() {
    let append = json!({"command": "echo line >> lines"});
    for tail in [
        Vec::new(),
        vec![Item::reasoning("and then")],
        vec![Item::text("I have ")],
    ] {
        let shown = tail.len() == 1 && matches!(tail[0], Item::Text { .. });
        let mut items = vec![
            Item::reasoning("let me see"),
            Item::call("bash", append.clone()),
        ];
        items.extend(tail);
        let answer = if shown { "I have done it" } else { "done" };
        let server = Server::start([Reply::items(items).ends(Ends::None), Reply::text(answer)]);
        let home = Home::with_key();
        let ran = home
            .codex(&server)
            .args(["run", "-s", "danger-full-access", "x"])
            .run();
        assert_eq!(home.read("lines"), "line\n");
        let requests = server.requests();
        assert_eq!(requests.len(), 2);
        let kinds: Vec<Value> = requests[1].json()["input"]
            .as_array()
            .expect("items")
            .iter()
            .map(|item| item["type"].clone())
            .collect();
        assert_eq!(
            kinds,
            [
                "message",
                "reasoning",
                "function_call",
                "function_call_output"
            ]
        );
        // A message was complete and shown, and then had more text: that makes it a different message.
        if shown {
            ran.exits(8).stdout("I have \n");
        } else {
            ran.exits(0).stdout("done\n");
        }
    }
}

#[test]
fn of_two_calls_the_complete_one_runs_and_the_other_is_requested_again() {
    let call = |index: usize, name: &str, done: bool| {
        let arguments = json!({"command": format!("echo {name} >> lines")}).to_string();
        let item = json!({"type": "function_call", "id": format!("fc_{name}"), "call_id": format!("call_{name}"),
            "name": "bash", "arguments": if done { &*arguments } else { "" }});
        let kind = if done { "done" } else { "added" };
        json!({"type": format!("response.output_item.{kind}"), "output_index": index, "item": item})
            .to_string()
    };
    let cut = events([
        &call(0, "one", false),
        &call(0, "one", true),
        &call(1, "two", false),
    ]);
    let second = events([
        &call(0, "three", true),
        r#"{"type":"response.completed","response":{"status":"completed"}}"#,
    ]);
    let replies = [cut, second, Reply::text("done")];
    let server = Server::start(Script::replies(replies).unchecked());
    let home = Home::with_key();
    let ran = home
        .codex(&server)
        .args(["run", "-s", "danger-full-access", "x"])
        .run();
    ran.exits(0).stdout("done\n");
    assert_eq!(home.read("lines"), "one\nthree\n");
}

#[test]
fn printed_text_is_not_repeated() {
    let check = |first: &str, second: &str, code: i32, stdout: &str| {
        let (ran, bodies) = ask([events([&delta(first)]), Reply::text(second)], []);
        ran.exits(code).stdout(stdout);
        assert_eq!(bodies.len(), 2);
        assert_eq!(bodies[0], bodies[1], "a message is asked for again");
    };
    check("Hello wor", "Hello world, again", 0, "Hello world, again\n");
    check("Hello", "Hello", 0, "Hello\n");
    check("Hel", "Help", 0, "Help\n");
    check("Hello wor", "Hello there", 8, "Hello wor\n");
    check("Hello wor", "Hello", 8, "Hello wor\n");
    check("Caf\u{e9} a", "Caf\u{e9} au lait", 0, "Caf\u{e9} au lait\n");
    // A complete message counts like an incomplete one if nothing follows it.
    let (ran, _) = ask(
        [
            broken([Item::text("one")]),
            Reply::items([Item::text("one"), Item::text("two")]),
        ],
        [],
    );
    ran.exits(0).stdout("one\n\ntwo\n");
    let (ran, _) = ask(
        [broken([Item::text("one")]), Reply::text("one and more")],
        [],
    );
    ran.exits(8).stdout("one\n");
}

#[test]
fn a_message_before_a_kept_call_is_not_requested_again() {
    let call = Item::call("bash", json!({"command": "true"}));
    let first = broken([Item::commentary("Let me look."), call]);
    let (ran, bodies) = ask(
        [first, Reply::text("All good.")],
        ["-s", "danger-full-access"],
    );
    ran.exits(0).stdout("Let me look.\n\nAll good.\n");
    assert_eq!(bodies[1]["input"].as_array().expect("items").len(), 4);
}

#[test]
fn buffered_output_hides_every_retry() {
    let first = || events([&delta("Hello wor")]);
    let (ran, _) = ask(
        [first(), first(), Reply::text("Something else")],
        ["--buffer"],
    );
    ran.exits(0).stdout("Something else\n");
    let (ran, _) = ask([first(), first()], ["--buffer", "--retries", "1"]);
    ran.exits(8).stdout("");
    // Text before a kept call is final, and shown once.
    let call = Item::call("bash", json!({"command": "true"}));
    let replies = [
        broken([Item::commentary("Let me look."), call, Item::text("Al")]),
        Reply::text("All good."),
    ];
    let (ran, _) = ask(replies, ["--buffer", "-s", "danger-full-access"]);
    ran.exits(0).stdout("Let me look.\n\nAll good.\n");
    let capped = Reply::text("part").ends(Ends::Incomplete("max_output_tokens".to_owned()));
    let (ran, _) = ask([capped], ["--buffer"]);
    ran.exits(8).stdout("");
}

#[test]
fn retries_and_turns_are_counted_separately() {
    let call = || Item::call("bash", json!({"command": "true"}));
    let replies = [
        status(500),
        Reply::items([call()]),
        status(500),
        Reply::text("done"),
    ];
    let (ran, bodies) = ask(
        replies,
        [
            "--max-turns",
            "2",
            "--retries",
            "1",
            "-s",
            "danger-full-access",
        ],
    );
    ran.exits(0).stdout("done\n");
    assert_eq!(bodies.len(), 4);
}

/// An answer that broke off after a call is a turn like any other: the budget applies, and the next answer has all its
/// retries.
#[test]
fn a_kept_call_counts_as_a_turn() {
    let call = || {
        let append = json!({"command": "echo line >> lines"});
        broken([Item::call("bash", append)])
    };
    let check = |flags: [&str; 4], code: i32, calls: usize, requests: usize| {
        let replies = [call(), call(), Reply::text("done")];
        let server = Server::start(replies);
        let home = Home::with_key();
        let ran = home
            .codex(&server)
            .args(["run", "-s", "danger-full-access", "x"])
            .args(flags)
            .run();
        ran.exits(code);
        let lines = std::fs::read_to_string(home.work().join("lines")).unwrap_or_default();
        assert_eq!(lines, "line\n".repeat(calls), "{flags:?}");
        assert_eq!(server.requests().len(), requests, "{flags:?}");
        ran
    };
    check(["--max-turns", "1", "--retries", "5"], 9, 0, 1);
    check(["--max-turns", "2", "--retries", "5"], 9, 1, 2);
    check(["--max-turns", "3", "--retries", "1"], 0, 2, 3)
        .says("; resuming after its last completed tool call\n");
    check(["--max-turns", "3", "--retries", "0"], 8, 0, 1);
}

#[test]
fn a_partially_printed_answer_is_always_reported() {
    let part = || events([&delta("Hel")]);
    let (ran, _) = ask([part(), status(503)], ["--retries", "1"]);
    ran.exits(8)
        .stdout("Hel\n")
        .says("; what was printed is only part of the answer\n");
    let (ran, _) = ask([part(), status(403)], []);
    ran.exits(5)
        .says("; what was printed is only part of the answer\n");
    let failed = Ends::Failed {
        code: "server_error".to_owned(),
        message: "Something.".to_owned(),
    };
    let (ran, _) = ask([Reply::text("Hel").ends(failed)], ["--retries", "0"]);
    ran.exits(7)
        .says("; what was printed is only part of the answer\n");
    let (ran, _) = ask([part(), status(503)], ["--retries", "1", "--buffer"]);
    ran.exits(7).stdout("");
    assert!(!ran.stderr.contains("was printed"), "{}", ran.stderr);
}

#[test]
fn the_end_of_a_usage_limit_is_waited_for_on_request() {
    let limit = |seconds: u64| {
        Reply::json(
            429,
            &json!({"error": {"type": "usage_limit_reached", "message": "The usage limit has been reached",
                "plan_type": "plus", "resets_at": now_unix() + seconds}}),
        )
    };
    // The end must not have passed when the answer is read, even on a slow machine.
    let (ran, bodies) = ask([limit(4), Reply::text("hello")], ["--wait-for-reset", "1m"]);
    ran.exits(0).stdout("hello\n").says("UTC");
    assert_eq!(bodies.len(), 2);
    let (ran, bodies) = ask([limit(100)], ["--wait-for-reset", "1m"]);
    ran.exits(6).stdout("");
    assert_eq!(bodies.len(), 1);
    let (ran, bodies) = ask([limit(1)], []);
    ran.exits(6).stdout("");
    assert_eq!(bodies.len(), 1);
    // A limit that outlasts its stated end is not retried forever.
    let past = || {
        let error = json!({"type": "usage_limit_reached", "resets_at": now_unix() - 100});
        Reply::json(429, &json!({ "error": error }))
    };
    let (ran, bodies) = ask(
        [past(), past(), past()],
        ["--wait-for-reset", "6h", "--retries", "1"],
    );
    ran.exits(6)
        .stdout("")
        .says("trying again in 0.5 s (1 of 1)");
    assert_eq!(bodies.len(), 2);
}

#[test]
fn a_stop_ends_the_wait_for_a_retry() {
    let busy = Reply::status(429, &[("retry-after", "60")], "");
    let (ran, _) = ask([busy], ["--timeout", "1s"]);
    ran.exits(124).stdout("").says("trying again in 60 s");
}

/// A gateway that repeats the broken answer, although it has received the output of its call.
#[test]
fn a_repeated_call_does_not_run_again() {
    let item = json!({"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "bash",
        "arguments": json!({"command": "echo line >> lines"}).to_string()});
    let done =
        json!({"type": "response.output_item.done", "output_index": 0, "item": item}).to_string();
    let completed = r#"{"type":"response.completed","response":{}}"#;
    let replies = [events([&done]), events([&done, completed])];
    let server = Server::start(Script::replies(replies).unchecked());
    let home = Home::with_key();
    let ran = home
        .codex(&server)
        .args(["run", "-s", "danger-full-access", "x"])
        .run();
    ran.exits(8)
        .stdout("")
        .says("the service repeated a call of the tool bash that has already run");
    assert_eq!(home.read("lines"), "line\n");
}
