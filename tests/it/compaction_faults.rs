//! Faults, cuts and signals while a conversation is compacted: the exit code is right, the conversation can be resumed, and no
//! call runs twice.

use serde_json::json;

use crate::compaction::{kinds, long_call, run};
use crate::home::{Home, each, finish, until};
use crate::standin::{Ends, Item, Reply, Script, Server};
use crate::stops::TERM;

const INT: i32 = 2;

/// Resumes the conversation of this home, which a compaction has left as it was.
fn resume(home: &Home, server: &Server, what: &str) {
    server.push(Reply::text("on"));
    let ran = run(home, server)
        .args(["--last", "--compact", "off", "go on"])
        .run();
    ran.exits(0).stdout("on\n");
    let requests = server.requests();
    let kinds = kinds(requests.last().expect("a request"));
    assert_eq!(
        kinds,
        [
            "user",
            "reasoning",
            "function_call",
            "function_call_output",
            "user"
        ],
        "{what}"
    );
    assert_eq!(home.read("ran"), "ran\n", "{what}");
}

#[test]
fn a_fault_of_the_compaction_has_the_exit_code_of_any_request() {
    let error = |status: u16, code: &str| {
        Reply::json(
            status,
            &json!({"error": {"message": "Words.", "code": code, "type": "x", "param": null}}),
        )
    };
    let limit = json!({"error": {"type": "usage_limit_reached", "message": "No more.", "resets_at": 4_000_000_000_u64}});
    let failed = |code: &str| {
        let (code, message) = (code.to_owned(), "Words.".to_owned());
        Reply::items([]).ends(Ends::Failed { code, message })
    };
    let faults = vec![
        ("401", error(401, "invalid_token"), 4),
        (
            "402",
            Reply::json(402, &json!({"detail": {"code": "deactivated_workspace"}})),
            5,
        ),
        ("403", error(403, ""), 5),
        ("404 model", error(404, "model_not_found"), 5),
        ("407", error(407, ""), 7),
        ("usage limit", Reply::json(429, &limit), 6),
        ("quota", error(429, "insufficient_quota"), 6),
        ("rate", error(429, "rate_limit_exceeded"), 7),
        ("500", error(500, ""), 7),
        ("503", error(503, ""), 7),
        ("a page", Reply::status(403, &[], "<html>no</html>"), 5),
        ("policy", error(400, "cyber_policy"), 1),
        ("overloaded", failed("server_is_overloaded"), 7),
        ("failed", failed("server_error"), 7),
        (
            "no end",
            Reply::items([Item::Compaction]).ends(Ends::None),
            8,
        ),
        ("reset", Reply::raw(Vec::new()), 7),
    ];
    each(faults, 2, |(name, reply, code)| {
        let script = Script::from(long_call()).compactions([reply]);
        let server = Server::start(script);
        let home = Home::with_token();
        let ran = run(&home, &server).args(["--retries", "0", "do it"]).run();
        assert_eq!(ran.status.code(), Some(code), "{name}: {}", ran.stderr);
        assert_eq!(server.requests().len(), 2, "{name}: {}", ran.stderr);
        resume(&home, &server, name);
    });
}

#[test]
fn a_fault_of_the_compaction_is_retried() {
    let busy = || Reply::status(503, &[("retry-after", "0")], "");
    let cut = Reply::items([Item::Compaction]).cut_at(900);
    let script = Script::replies([long_call(), Reply::text("end")]).compactions([busy(), cut]);
    let server = Server::start(script);
    let home = Home::with_token();
    let ran = run(&home, &server)
        .args(["--max-turns", "3", "do it"])
        .run();
    ran.exits(0)
        .stdout("end\n")
        .says("trying again in")
        .says("was compacted");
    assert_eq!(server.requests().len(), 5);
    assert_eq!(home.read("ran"), "ran\n");
}

/// The stream of the compaction, cut at some positions; `CODEX_TESTS_CUTS=all` cuts after every byte.
#[test]
fn a_cut_compaction_is_none_and_is_asked_for_again() {
    let all = std::env::var("CODEX_TESTS_CUTS").is_ok_and(|asked| asked == "all");
    let cuts: Vec<usize> = (0..2400).step_by(if all { 1 } else { 397 }).collect();
    each(cuts, 2, |cut| {
        let reply = Reply::items([Item::Compaction]).cut_at(cut);
        let script = Script::replies([long_call(), Reply::text("end")]).compactions([reply]);
        let server = Server::start(script);
        let home = Home::with_token();
        let ran = run(&home, &server).args(["--retries", "0", "do it"]).run();
        match ran.status.code() {
            // The last event was complete.
            Some(0) => assert_eq!(ran.text(), "end\n", "cut at {cut}"),
            code => {
                assert!(matches!(code, Some(7 | 8)), "cut at {cut}: {}", ran.stderr);
                resume_after_cut(&home, &server, cut);
            }
        }
        assert_eq!(home.read("ran"), "ran\n", "cut at {cut}");
    });
}

/// The reply of the cut run is still there.
fn resume_after_cut(home: &Home, server: &Server, cut: usize) {
    let ran = run(home, server).args(["--last", "go on"]).run();
    assert_eq!(
        (ran.status.code(), &*ran.text()),
        (Some(0), "end\n"),
        "cut at {cut}: {}",
        ran.stderr
    );
    let requests = server.requests();
    assert_eq!(
        kinds(requests.last().expect("a request")),
        ["user", "compaction", "user"],
        "cut at {cut}"
    );
}

#[test]
fn a_signal_during_a_compaction_ends_the_run_by_it() {
    for signal in [INT, TERM] {
        let slow = Reply::items([Item::Compaction]).stall_at(700);
        let script = Script::from(long_call()).compactions([slow]);
        let server = Server::start(script);
        let home = Home::with_token();
        let running = run(&home, &server).args(["do it"]).start();
        until("it is compacted", || server.requests().len() == 2);
        running.signal(signal);
        finish(running, "codex run".to_owned()).ends_by(signal);
        resume(&home, &server, "signal");
    }
}

#[test]
fn a_silent_compaction_ends_by_its_clocks() {
    let silent = || Reply::items([Item::Compaction]).stall_at(700);
    for (flags, code) in [
        (["--idle-timeout", "300ms", "--retries", "0"], 7),
        (["--timeout", "2s", "--retries", "0"], 124),
    ] {
        let script = Script::from(long_call()).compactions([silent()]);
        let server = Server::start(script);
        let home = Home::with_token();
        let ran = run(&home, &server).args(flags).args(["do it"]).run();
        let found = ran.status.code();
        assert!(
            found == Some(code) || (code == 7 && found == Some(8)),
            "{}",
            ran.stderr
        );
        resume(&home, &server, flags[0]);
    }
}

#[test]
fn a_substitute_gets_the_older_items() {
    let busy = || {
        Reply::json(
            429,
            &json!({"error": {"message": "Words.", "code": "rate_limit_exceeded"}}),
        )
    };
    let server = Server::start([long_call(), Reply::text("done"), busy(), Reply::text("end")]);
    let home = Home::with_token();
    run(&home, &server).args(["one"]).run().exits(0);
    let flags = [
        "--last",
        "--retries",
        "0",
        "--fallback-model",
        "gpt-5.4",
        "--compact",
        "off",
        "two",
    ];
    run(&home, &server)
        .args(flags)
        .run()
        .exits(0)
        .stdout("end\n");
    let requests = server.requests();
    let (before, last) = (&requests[requests.len() - 2], &requests[requests.len() - 1]);
    assert_eq!(kinds(before), ["user", "compaction", "assistant", "user"]);
    assert_eq!(
        kinds(last),
        [
            "user",
            "function_call",
            "function_call_output",
            "assistant",
            "user"
        ]
    );
}
