//! Refreshing the service's list of models during a run: the run uses the cached list and never waits for a new one, and
//! the next run finds the new one.

use std::fs;
use std::time::Duration;

use serde_json::json;

use crate::home::{Home, each, finish, until};
use crate::models::{LIST, list};
use crate::standin::{Recorded, Reply, Script, Server, now_unix};
use crate::stops::TERM;
use crate::tools::bash;

/// A run that continues until the list has been requested this often, in a tool call of its first answer.
fn run_until_listed(home: &Home, server: &Server, lists: usize) {
    let flag = home.work().join("listed");
    let _ = fs::remove_file(&flag);
    server.push(Reply::items([bash(
        "until [ -e listed ]; do sleep 0.01; done",
    )]));
    server.push(Reply::text("done"));
    let args = ["run", "-q", "-s", "danger-full-access", "go"];
    let child = home.codex(server).args(args).start();
    until("the list is asked for", || server.lists().len() == lists);
    fs::write(flag, "").expect("a file");
    let ran = finish(child, "codex run go".to_owned());
    ran.exits(0).stdout("done\n").stderr("");
}

fn model_of(request: &Recorded) -> String {
    request.json()["model"]
        .as_str()
        .expect("a model")
        .to_owned()
}

#[test]
fn a_run_fetches_the_model_list_once_its_answer_has_begun() {
    // A refusal is not an answer.
    let server = Server::start([Reply::status(400, &[], r#"{"detail":"no"}"#)]);
    let home = Home::with_cache_directory();
    home.codex(&server)
        .args(["run", "--no-tools", "x"])
        .run()
        .exits(1);
    assert_eq!(server.lists().len(), 0);

    // Nor is silence.
    let server = Server::start([Reply::text("x").pause_before_headers(Duration::from_secs(3600))]);
    let child = home.codex(&server).args(["run", "--no-tools", "x"]).start();
    until("a request comes", || !server.requests().is_empty());
    child.signal(TERM);
    finish(child, "codex run x".to_owned()).ends_by(TERM);
    assert_eq!(server.lists().len(), 0);

    let server = Server::start([]);
    run_until_listed(&home, &server, 1);
    let (lists, requests) = (server.lists(), server.requests());
    assert!(lists[0].at > requests[0].at, "{}", server.log());
    assert_eq!(lists.len(), 1, "once for the run");
}

/// The protocol has a version of its own; ours is in the User-Agent.
#[test]
fn the_protocol_version_is_sent_only_to_the_subscription_backend() {
    let server = Server::start([Reply::text("ok"), Reply::text("ok")]);
    let home = Home::with_cache_directory();
    home.models(&server);
    let list = &server.lists()[0];
    assert!(
        list.path.ends_with("?client_version=0.171.0"),
        "{}",
        list.path
    );
    let run = |home: &Home| {
        let cmd = home.codex(&server).args(["run", "--no-tools", "hi"]);
        cmd.run().exits(0);
        server.requests().pop().expect("a request")
    };
    let (by_token, by_key) = (run(&home), run(&Home::with_key()));
    for (request, version) in [
        (list, Some("0.171.0")),
        (&by_token, Some("0.171.0")),
        (&by_key, None),
    ] {
        assert_eq!(request.header("version"), version, "{}", request.path);
        assert_eq!(request.header("originator"), Some("codex-run"));
        let agent = request.header("user-agent").expect("a name");
        let own = format!("codex-run/{} ", env!("CARGO_PKG_VERSION"));
        assert!(agent.starts_with(&own), "{agent}");
    }
}

#[test]
fn a_run_uses_the_cached_list_and_the_next_one_the_new_list() {
    let server = Server::start([]);
    let home = Home::with_cache_directory();
    home.models(&server);
    // The list is fresh, but the answer has a different ETag.
    server.relist(list(&[
        ("gpt-0", "hide"),
        ("gpt-5.5", "list"),
        ("gpt-6.1-sol", "list"),
    ]));
    run_until_listed(&home, &server, 2);
    run_without_request_for_list(&home, &server);
    let models: Vec<String> = server
        .requests()
        .iter()
        .map(|request| model_of(request))
        .collect();
    assert_eq!(models, ["gpt-6.2-sol", "gpt-6.2-sol", "gpt-5.5", "gpt-5.5"]);
    assert_eq!(
        server.lists()[1].header("if-none-match"),
        Some("\"standin-models-1\"")
    );
    assert_eq!(server.lists().len(), 2, "the mark is the same again");

    // Old, with the same ETag: it is requested and has not changed.
    home.edit_cached_list("fetched_at", &json!(1));
    home.edit_cached_list("asked_at", &json!(1));
    run_until_listed(&home, &server, 3);
    // Old, but another process is requesting it at the moment.
    home.edit_cached_list("fetched_at", &json!(1));
    home.edit_cached_list("asked_at", &json!(now_unix()));
    run_without_request_for_list(&home, &server);
    assert_eq!(server.lists().len(), 3);
}

/// A run with two answers, which has no reason to request the list.
fn run_without_request_for_list(home: &Home, server: &Server) {
    server.push(Reply::items([bash("true")]));
    server.push(Reply::text("done"));
    let args = ["run", "-q", "-s", "danger-full-access", "go"];
    home.codex(server)
        .args(args)
        .run()
        .exits(0)
        .stdout("done\n")
        .stderr("");
}

#[test]
fn a_run_does_not_wait_for_the_model_list() {
    for (name, reply) in [
        (
            "no head",
            Reply::text("x").pause_before_headers(Duration::from_secs(3600)),
        ),
        (
            "no body",
            Reply::json(200, &json!({"models": []})).stall_at(5),
        ),
        (
            "no end",
            Reply::json(200, &json!({"models": []})).hold_open(),
        ),
        ("no list", Reply::status(200, &[], "{}")),
        ("a refusal", Reply::status(401, &[], "")),
        ("a fault", Reply::status(500, &[], "")),
    ] {
        let script = Script::replies([Reply::text("one"), Reply::text("two")]);
        let server = Server::start(script.fix("GET", LIST, reply));
        let (home, tokens) = Home::signed_in(&server);
        for text in ["one\n", "two\n"] {
            let ran = home.codex(&server).args(["run", "--no-tools", "x"]).run();
            ran.exits(0).stdout(text).stderr("");
        }
        assert_eq!(
            home.refresh_token(),
            tokens.refresh,
            "{name}: nothing is renewed for it"
        );
        assert_eq!(server.issuer().refreshes(), 0, "{name}");
    }
}

#[test]
fn an_expired_sign_in_is_renewed_once_for_run_and_list() {
    let server = Server::start([]);
    let (home, _) = Home::expired(&server);
    run_until_listed(&home, &server, 1);
    assert_eq!(
        (server.issuer().refreshes(), server.issuer().refreshed()),
        (1, 1)
    );
    let (home, _) = Home::expired(&server);
    assert_eq!(home.models(&server)["source"], "service");
    assert_eq!(server.issuer().refreshes(), 2);
}

#[test]
fn thirty_concurrent_runs_leave_an_intact_cache() {
    let server = Server::start(vec![Reply::text("ok"); 30]);
    let (home, _) = Home::signed_in(&server);
    each((0..30).collect(), 30, |_| {
        let ran = home.codex(&server).args(["run", "--no-tools", "x"]).run();
        ran.exits(0).stdout("ok\n").stderr("");
        if home.cache().exists() {
            home.cached();
        }
    });
    assert_eq!(server.requests().len(), 30);
    let cached = home.cached();
    assert!(cached["lists"].is_object(), "{cached:#}");
    let left = home.left();
    let beside = left.iter().any(|name| name.starts_with("models_cache"));
    assert!(!beside, "nothing lies beside it: {left:?}");
}
