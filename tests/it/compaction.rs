//! Conversations that are compacted: what is sent, what is reported and stored, and how they continue.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::home::{Cmd, CommandOutput, Home};
use crate::standin::{Item, Recorded, Reply, Script, Server};

/// The limit in these tests, in tokens.
const LIMIT: &str = "2000";

/// A call whose result is longer than the limit.
pub(crate) fn long_call() -> Reply {
    let command = "echo ran >> ran; head -c 12000 /dev/zero | tr '\\0' x";
    Reply::items([
        Item::reasoning("hm"),
        Item::call("bash", json!({"command": command})),
    ])
}

pub(crate) fn run(home: &Home, server: &Server) -> Cmd {
    let flags = ["run", "-m", "gpt-5.5", "--compact", LIMIT, "-s"];
    home.codex(server).args(flags).args(["workspace-write"])
}

/// The kinds of the items of a request, after the instructions.
pub(crate) fn kinds(request: &Recorded) -> Vec<String> {
    let body = request.json();
    let items = body["input"].as_array().expect("items").iter();
    let kind = |item: &Value| {
        let word = |name: &str| item[name].as_str().map(str::to_owned);
        word("role").or_else(|| word("type")).expect("a kind")
    };
    items.map(kind).filter(|kind| kind != "developer").collect()
}

/// The text of the last message of a request.
pub(crate) fn last_text(request: &Recorded) -> String {
    let body = request.json();
    let items = body["input"].as_array().expect("items");
    items[items.len() - 1]["content"][0]["text"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// The id of the newest conversation.
pub(crate) fn stored(home: &Home) -> String {
    let listed = home.offline().args(["sessions", "--json"]).run();
    let listed: Value = serde_json::from_str(&listed.text()).expect("JSON");
    listed[0]["id"].as_str().expect("an id").to_owned()
}

/// Checks that a run has compacted its conversation once, in this way.
#[track_caller]
pub(crate) fn compacted(ran: &CommandOutput, how: &str) {
    let events = ran.events();
    let found: Vec<&Value> = events
        .iter()
        .filter(|event| event["type"] == "compacted")
        .collect();
    assert_eq!(found.len(), 1, "{}", ran.text());
    assert_eq!(found[0]["how"], how);
    let tokens = |name: &str| found[0][name].as_u64().expect("a number");
    assert!(
        tokens("tokens_before") > 2000 && tokens("tokens_after") < 2000,
        "{}",
        found[0]
    );
}

#[test]
fn the_service_compacts_behind_the_same_head_and_items() {
    let server = Server::start([long_call(), Reply::text("done")]);
    let home = Home::with_token();
    let ran = run(&home, &server).args(["do it"]).run();
    ran.exits(0).stdout("done\n");
    ran.says("codex: the conversation was compacted by the service: 3,");
    assert_eq!(home.read("ran"), "ran\n");
    let requests = server.requests();
    let [first, trigger, last] = &requests[..] else {
        panic!("{} requests", requests.len());
    };
    assert_eq!(
        kinds(trigger),
        [
            "user",
            "reasoning",
            "function_call",
            "function_call_output",
            "compaction_trigger"
        ]
    );
    assert_eq!(kinds(last), ["user", "compaction"]);
    // The cache of the service stays valid: each begins with the bytes of the one before.
    let common = |a: &Recorded, b: &Recorded| {
        let same = a.body.iter().zip(&b.body).take_while(|(a, b)| a == b);
        same.count()
    };
    assert!(common(first, trigger) >= first.body.len() - 2);
    let user = first.body.len() - 2;
    assert!(common(trigger, last) >= user, "the question is as it was");
    assert!(
        requests
            .iter()
            .all(|request| request.header("session-id") == first.header("session-id"))
    );
}

#[test]
fn a_compacted_conversation_is_resumed_forked_and_given_to_another_model() {
    let server = Server::start([long_call(), Reply::text("done")]);
    let home = Home::with_token();
    let ran = run(&home, &server).args(["--json", "one"]).run();
    ran.exits(0);
    compacted(&ran, "service");
    let id = stored(&home);
    let shown = home.offline().args(["sessions", "show", &id]).run();
    shown.exits(0);
    assert!(
        shown
            .text()
            .contains("\n(the conversation was compacted here)\n"),
        "{}",
        shown.text()
    );
    let next = |flags: &[&str], answer: &str| -> Arc<Recorded> {
        server.push(Reply::text(answer));
        let mut cmd = run(&home, &server);
        cmd.command.args(flags);
        cmd.run().exits(0).stdout(&format!("{answer}\n"));
        Arc::clone(server.requests().last().expect("a request"))
    };
    let whole = [
        "user",
        "reasoning",
        "function_call",
        "function_call_output",
        "assistant",
        "user",
    ];
    let off = ["--compact", "off"];
    let fork = next(&[&["--fork", &id, "copy"], &off[..]].concat(), "A copy.");
    assert_eq!(kinds(&fork), whole);
    let other = next(
        &[&["--fork", &id, "-m", "gpt-5.4", "other"], &off[..]].concat(),
        "Another.",
    );
    let plain: Vec<&str> = whole
        .into_iter()
        .filter(|kind| *kind != "reasoning")
        .collect();
    assert_eq!(kinds(&other), plain);
    let resumed = next(&["--resume", &id, "two"], "Two.");
    assert_eq!(kinds(&resumed), ["user", "compaction", "assistant", "user"]);
    // Compacted once more, before the question.
    server.push(long_call());
    server.push(Reply::text("Three."));
    run(&home, &server)
        .args(["--resume", &id, "three"])
        .run()
        .exits(0)
        .stdout("Three.\n");
    let requests = server.requests();
    let last = requests.last().expect("a request");
    assert_eq!(
        kinds(last),
        ["user", "user", "assistant", "user", "compaction"]
    );
    assert_eq!(home.read("ran"), "ran\nran\n");
    let other = next(
        &[&["--resume", &id, "-m", "gpt-5.4", "four"], &off[..]].concat(),
        "Four.",
    );
    assert_eq!(
        kinds(&other).len(),
        11,
        "without reasoning: {:?}",
        kinds(&other)
    );
    // The newest one that belongs to the model.
    let own = next(&["--resume", &id, "five"], "Five.");
    assert_eq!(
        kinds(&own),
        [
            &kinds(last)[..],
            &["assistant", "user", "assistant", "user"].map(str::to_owned)
        ]
        .concat()
    );
    // Another account cannot read it.
    let token = crate::standin::jwt("acct-other", crate::standin::now_unix() + 1000);
    server.push(Reply::text("Six."));
    let cmd = run(&home, &server).env("CODEX_ACCESS_TOKEN", &token);
    cmd.args(["--resume", &id, "--compact", "off", "-m", "gpt-5.5", "six"])
        .run()
        .exits(0);
    let requests = server.requests();
    let kinds = kinds(requests.last().expect("a request"));
    assert!(!kinds.contains(&"compaction".to_owned()), "{kinds:?}");
}

#[test]
fn the_length_of_a_compacted_conversation_is_not_that_of_all_its_items() {
    // The length is stored: it is more than half of the limit.
    let server = Server::start([long_call(), Reply::text("done ".repeat(1200))]);
    let home = Home::with_token();
    run(&home, &server).args(["one"]).run().exits(0);
    let id = stored(&home);
    let token = crate::standin::jwt("acct-other", crate::standin::now_unix() + 1000);
    for (choice, env) in [
        ("--fork", None),
        ("--resume", Some(("CODEX_ACCESS_TOKEN", &*token))),
    ] {
        server.push(Reply::text("ok"));
        let mut cmd = run(&home, &server);
        if let Some((name, value)) = env {
            cmd = cmd.env(name, value);
        }
        let ran = cmd.args([choice, &id, "two"]).run();
        ran.exits(0);
        ran.says("codex: the conversation was compacted by the service: ");
    }
}

#[test]
fn a_resumed_conversation_is_compacted_before_its_question() {
    let server = Server::start([long_call(), Reply::text("one"), Reply::text("ok")]);
    let home = Home::with_token();
    run(&home, &server)
        .args(["--compact", "off", "one"])
        .run()
        .exits(0);
    let dry = run(&home, &server)
        .args(["--last", "--dry-run", "two"])
        .run();
    dry.exits(0)
        .says("tokens: this request compacts it, and the next one asks the question");
    let preview: Value = serde_json::from_str(&dry.text()).expect("JSON");
    let ran = run(&home, &server).args(["--last", "--json", "two"]).run();
    ran.exits(0);
    compacted(&ran, "service");
    let requests = server.requests();
    assert_eq!(requests[2].json(), preview["body"]);
    assert_eq!(
        kinds(&requests[2])[3..],
        ["function_call_output", "assistant", "compaction_trigger"]
    );
    assert_eq!(
        kinds(&requests[3]),
        ["user", "assistant", "compaction", "user"]
    );
    let dry = run(&home, &server)
        .args(["--last", "--dry-run", "three"])
        .run();
    let preview: Value = serde_json::from_str(&dry.exits(0).text()).expect("JSON");
    assert!(
        preview["body"]
            .to_string()
            .contains(r#""type":"compaction""#)
    );
}

#[test]
fn the_answer_matches_its_schema_after_a_compaction() {
    let server = Server::start([long_call(), Reply::text(r#"{"n":1}"#)]);
    let home = Home::with_token();
    home.file("schema.json", r#"{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"],"additionalProperties":false}"#);
    let ran = run(&home, &server)
        .args(["--output-schema", "schema.json", "do it"])
        .run();
    ran.exits(0).stdout("{\"n\":1}\n");
    let requests = server.requests();
    assert!(
        requests
            .iter()
            .all(|request| request.json()["text"]["format"].is_object())
    );
}

#[test]
fn a_service_that_keeps_reporting_a_full_window_ends_the_run() {
    let calls: Vec<Reply> = (0..20).map(|_| long_call()).collect();
    let server = Server::start(Script::replies(calls).reporting(400_000));
    let home = Home::with_token();
    let ran = home
        .codex(&server)
        .args(["run", "-m", "gpt-5.5", "-s", "workspace-write", "do it"])
        .run();
    ran.exits(1).stdout("");
    ran.says("codex: the conversation is too long even after it was compacted: 400,");
    ran.says("codex: hint: resume it with --compact off, or with a model that accepts more (-m)");
    assert_eq!(server.requests().len(), 3);
    assert_eq!(
        home.read("ran"),
        "ran\n",
        "the call of the last answer does not run"
    );
}

#[test]
fn a_budget_without_room_for_a_compaction_ends_the_run_before_it() {
    for (budget, requests) in [
        (["--max-turns", "2"], 1),
        (["--max-tokens", "10"], 1),
        (["--max-turns", "3"], 3),
    ] {
        let server = Server::start([long_call(), Reply::text("end")]);
        let home = Home::with_token();
        let ran = run(&home, &server).args(budget).args(["do it"]).run();
        if requests == 1 {
            ran.exits(9);
        } else {
            ran.exits(0).stdout("end\n");
        }
        assert_eq!(server.requests().len(), requests, "{budget:?}");
    }
}

#[test]
fn a_conversation_that_the_service_finds_too_long_is_compacted_once() {
    let too_long = || {
        Reply::json(
            400,
            &json!({"error": {"message": "Too long.", "code": "context_length_exceeded"}}),
        )
    };
    let server = Server::start([long_call(), too_long(), Reply::text("end")]);
    let home = Home::with_token();
    let auto = ["run", "-s", "workspace-write", "do it"];
    home.codex(&server)
        .args(auto)
        .run()
        .exits(0)
        .stdout("end\n");
    let requests = server.requests();
    assert_eq!(requests.len(), 4);
    assert_eq!(kinds(&requests[3]), ["user", "compaction"]);
    for (flags, count) in [(["--compact", "auto"], 4), (["--compact", "off"], 2)] {
        let server = Server::start([long_call(), too_long(), too_long()]);
        let home = Home::with_token();
        let ran = home.codex(&server).args(auto).args(flags).run();
        ran.exits(1).says("Too long. (context_length_exceeded)");
        assert_eq!(server.requests().len(), count, "{flags:?}");
    }
}

#[test]
fn the_flag_the_file_and_the_setting_of_the_official_client_are_checked() {
    let home = Home::with_key();
    for value in ["0", "often", "-1", "1k"] {
        let ran = home
            .offline()
            .args(["run", "--dry-run", "--compact", value, "x"])
            .run();
        ran.exits(2)
            .says("invalid value for --compact")
            .says("use auto, off, or a number of tokens");
    }
    for given in ["auto", "off", "5"] {
        let dry = ["run", "--dry-run", "--compact", given, "x"];
        home.offline().args(dry).run().exits(0);
    }
    std::fs::create_dir_all(home.own()).expect("a directory");
    for (content, code) in [("5", 0), (r#""off""#, 0), (r#""often""#, 2), ("0", 2)] {
        let content = format!(r#"{{"compact": {content}}}"#);
        std::fs::write(home.own().join("config.json"), &content).expect("a file");
        let dry = ["run", "--dry-run", "x"];
        home.offline().args(dry).run().exits(code);
    }
    let server = Server::start([long_call(), Reply::text("one"), Reply::text("ok")]);
    let home = Home::with_token();
    run(&home, &server)
        .args(["--compact", "off", "one"])
        .run()
        .exits(0);
    let exec = [
        "exec",
        "-c",
        "model_auto_compact_token_limit=2000",
        "resume",
        "--last",
        "two",
    ];
    home.codex(&server)
        .args(exec)
        .run()
        .exits(0)
        .says("was compacted");
}

#[test]
fn what_the_service_cannot_read_is_replaced_by_the_older_items() {
    let refused = Reply::json(
        400,
        &json!({"error": {"message": "The encrypted content could not be verified.", "type": "invalid_request_error",
            "param": "input", "code": "invalid_encrypted_content"}}),
    );
    let server = Server::start([long_call(), Reply::text("done"), refused, Reply::text("on")]);
    let home = Home::with_token();
    run(&home, &server).args(["one"]).run().exits(0);
    let ran = run(&home, &server)
        .args(["--last", "--compact", "off", "two"])
        .run();
    ran.exits(0).stdout("on\n");
    ran.says("the service cannot read the reasoning from earlier answers");
    let requests = server.requests();
    let last = requests.last().expect("a request");
    let whole = ["user", "function_call", "function_call_output"];
    assert_eq!(kinds(last)[..3], whole);
}
