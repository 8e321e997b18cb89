//! What a resumed conversation keeps: its model and its reasoning effort; and what the requests of one turn keep: the
//! routing that the service asked for.

use std::fs;

use serde_json::{Value, json};

use crate::home::{CommandOutput, Home};
use crate::providers::{home_of, server as any_server};
use crate::sessions::{ask, file, files, id};
use crate::shapes::write_models;
use crate::standin::{Item, Reply, Script, Server};
use crate::tools::bash;

fn answers(count: usize) -> Vec<Reply> {
    (0..count).map(|_| Reply::text("ok")).collect()
}

fn field(server: &Server, name: &str) -> Vec<Value> {
    let requests = server.requests();
    requests.iter().map(|r| r.json()[name].take()).collect()
}

#[test]
fn a_conversation_keeps_its_model_unless_a_different_one_is_named() {
    for home in [Home::with_key(), Home::with_token()] {
        let server = Server::start(answers(7));
        let run = |home: &Home, flags: &[&str]| {
            ask(home, &server, &[&["--no-tools"], flags].concat(), "go").exits(0);
        };
        run(&home, &["-m", "gpt-6-sol"]);
        let id = id(&file(&home));
        fs::write(home.own().join("config.json"), r#"{"model": "gpt-6-luna"}"#).expect("a file");
        run(&home, &["--last"]);
        run(&home, &["--resume", &id]);
        run(&home, &["--fork", &id]);
        let with_variable = home.codex(&server).env("CODEX_MODEL", "gpt-5.6-sol").args([
            "run",
            "--no-tools",
            "--resume",
            &id,
            "go",
        ]);
        with_variable.run().exits(0);
        run(&home, &["--resume", &id, "-m", "gpt-5.5"]);
        // The last model used is its model from then on.
        run(&home, &["--resume", &id]);
        let sol = "gpt-6-sol";
        let expected = [sol, sol, sol, sol, sol, "gpt-5.5", "gpt-5.5"];
        assert_eq!(field(&server, "model"), expected);
    }
}

#[test]
fn exec_resume_keeps_and_changes_the_model_too() {
    let home = Home::with_key();
    let server = Server::start(answers(3));
    ask(&home, &server, &["-m", "gpt-6-sol"], "go").exits(0);
    let exec = |flags: &[&str]| {
        let mut cmd = home.codex(&server).args(["exec"]);
        cmd.command.args(flags).args(["resume", "--last", "go"]);
        cmd.run().exits(0);
    };
    exec(&[]);
    exec(&["-c", "model=\"gpt-5.5\""]);
    let expected = ["gpt-6-sol", "gpt-6-sol", "gpt-5.5"];
    assert_eq!(field(&server, "model"), expected);
}

/// Checks that the model of the conversation is reported as unavailable, with a hint.
fn check_unavailable(ran: &CommandOutput, model: &str, why: &str) {
    ran.exits(5)
        .stdout("")
        .says(&format!(
            "codex: cannot continue with {model}, the model of this conversation: {why}\n"
        ))
        .says("choose another model with -m");
}

#[test]
fn a_model_that_is_no_longer_available_is_not_replaced_silently() {
    let home = Home::with_token();
    // The list of this service is of no use, so that of the program counts, however long a run lasts.
    let server = Server::start(Script::replies(answers(3)).models(json!({})));
    let spark = "gpt-5.3-codex-spark";
    ask(&home, &server, &["-m", spark], "go").exits(0);
    let ran = ask(&home, &server, &["--last"], "more");
    check_unavailable(&ran, spark, "it has been retired");
    let with_key = home
        .codex(&server)
        .without("CODEX_ACCESS_TOKEN")
        .env("OPENAI_API_KEY", crate::home::KEY);
    let ran = with_key.args(["run", "--last", "more"]).run();
    check_unavailable(&ran, spark, "it is not available to this credential");
    assert_eq!(server.requests().len(), 1);
    // If it is named again, it is used: the service decides.
    ask(&home, &server, &["--last", "-m", spark], "more").exits(0);
    ask(&home, &server, &["--last", "-m", "gpt-6-sol"], "more").exits(0);
    // With a key the older ones are models like any other.
    let home = Home::with_key();
    let server = Server::start(answers(2));
    ask(&home, &server, &["-m", "gpt-5.4"], "go").exits(0);
    ask(&home, &server, &["--last"], "more").exits(0);
}

#[test]
fn a_refused_model_gets_a_hint_about_the_flag() {
    let home = Home::with_token();
    let server = Server::start(answers(1));
    ask(&home, &server, &["-m", "gpt-x"], "go").exits(0);
    let file = file(&home);
    let stored = fs::read_to_string(&file).expect("a file");
    let missing = stored.replace("\"model\":\"gpt-x\"", "\"model\":\"gpt-missing\"");
    fs::write(&file, missing).expect("a file");
    let ran = ask(&home, &server, &["--last"], "more");
    ran.exits(5)
        .says("'gpt-missing' model is not supported")
        .says("(-m)");
}

#[test]
fn a_conversation_with_a_user_defined_server_continues_only_there() {
    let server = any_server(answers(3));
    let home = home_of(&server, &json!({"models": [{"id": "small"}]}));
    let run = |flags: &[&str]| {
        let mut cmd = home.offline().args(["run", "--no-tools", "hi"]);
        cmd.command.args(flags);
        cmd.run()
    };
    run(&["-m", "box/small"]).exits(0);
    run(&["--last"]).exits(0);
    assert_eq!(field(&server, "model"), ["small", "small"]);
    let shown = home.offline().args(["sessions", "--json"]).run();
    assert!(shown.exits(0).text().contains("\"box/small\""));
    write_models(&home, &json!({"providers": {}}));
    let ran = run(&["--last"]);
    check_unavailable(
        &ran,
        "box/small",
        "models.json no longer has a provider box",
    );
    assert_eq!(server.requests().len(), 2);
}

/// The effort in the head of each request, and those that its items change it to.
fn efforts(server: &Server) -> Vec<(String, Vec<String>)> {
    let requests = server.requests();
    let of_request = |body: Value| {
        let text = |value: &Value| {
            value["reasoning"]["effort"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        let items = body["input"].as_array().into_iter().flatten();
        let changes = items.filter(|item| item["type"] == "configuration_update");
        (text(&body), changes.map(text).collect())
    };
    requests.iter().map(|r| of_request(r.json())).collect()
}

fn run_with_efforts(model: &str, runs: &[&[&str]], expected: &[(&str, &[&str])]) {
    let home = Home::with_token();
    let server = Server::start(answers(runs.len()));
    for (number, flags) in runs.iter().enumerate() {
        let go_on: &[&str] = if number == 0 {
            &["-m", model]
        } else {
            &["--last"]
        };
        let flags = [&["--no-tools"], go_on, flags].concat();
        ask(&home, &server, &flags, "go").exits(0);
    }
    let expected: Vec<(String, Vec<String>)> = expected
        .iter()
        .map(|(head, changes)| {
            let changes = changes.iter().map(|change| (*change).to_owned());
            ((*head).to_owned(), changes.collect())
        })
        .collect();
    assert_eq!(efforts(&server), expected, "{model} {runs:?}");
    // Items sent before stay unchanged, so that the service's cache applies.
    let bodies = field(&server, "input");
    for pair in bodies.windows(2).filter(|_| model == "gpt-6.1-sol") {
        let [before, after] = pair else { continue };
        let (before, after) = (before.as_array(), after.as_array());
        let (before, after) = (before.expect("a list"), after.expect("a list"));
        assert_eq!(before[..], after[..before.len()]);
    }
}

#[test]
fn an_effort_changes_by_an_item_if_the_model_accepts_it() {
    run_with_efforts(
        "gpt-6.1-sol",
        &[&[], &["-e", "high"], &[], &["-e", "low"], &["-e", "low"]],
        &[
            ("low", &[]),
            ("low", &["high"]),
            ("low", &["high"]),
            ("low", &["high", "low"]),
            ("low", &["high", "low"]),
        ],
    );
    run_with_efforts(
        "gpt-5.5",
        &[&[], &["-e", "high"], &[], &["-e", "max"]],
        &[
            ("medium", &[]),
            ("high", &[]),
            ("high", &[]),
            ("xhigh", &[]),
        ],
    );
}

#[test]
fn effort_changes_are_sent_only_to_the_model_that_accepted_them() {
    let home = Home::with_token();
    let server = Server::start(answers(5));
    let run = |flags: &[&str]| {
        ask(&home, &server, &[&["--no-tools"], flags].concat(), "go").exits(0);
    };
    run(&["-m", "gpt-6.1-sol", "-e", "low"]);
    run(&["--last", "-e", "high"]);
    // A different model begins with its own.
    run(&["--last", "-m", "gpt-5.5"]);
    run(&["--last", "-m", "gpt-6.1-sol"]);
    run(&["--last", "-e", "max"]);
    let reported = efforts(&server);
    let reported: Vec<(&str, Vec<&str>)> = reported
        .iter()
        .map(|(head, changes)| (&**head, changes.iter().map(String::as_str).collect()))
        .collect();
    let none: Vec<&str> = Vec::new();
    let expected = [
        ("low", none.clone()),
        ("low", vec!["high"]),
        ("medium", none.clone()),
        ("low", none),
        ("low", vec!["max"]),
    ];
    assert_eq!(reported, expected);
}

#[test]
fn a_fork_keeps_the_effort_changes_of_its_original() {
    let home = Home::with_token();
    let server = Server::start(answers(4));
    let run = |flags: &[&str]| {
        ask(&home, &server, &[&["--no-tools"], flags].concat(), "go").exits(0);
    };
    run(&["-m", "gpt-6.1-sol"]);
    let original = id(&file(&home));
    run(&["--last", "-e", "high"]);
    run(&["--fork", &original]);
    let copy = id(&files(&home)[1]);
    run(&["--resume", &copy]);
    for (head, changes) in &efforts(&server)[1..] {
        assert_eq!((&**head, &changes[..]), ("low", &["high".to_owned()][..]));
    }
}

#[test]
fn requests_of_one_turn_repeat_its_turn_state() {
    const STATE: &str = "x-codex-turn-state";
    let answers = || {
        let call = || Reply::items([Item::reasoning("so"), bash("true")]);
        [
            call().header(STATE, "ts-1"),
            call().header(STATE, "ts-2"),
            Reply::text("done"),
            Reply::text("more").header(STATE, "ts-3"),
        ]
    };
    let server = Server::start(answers());
    let home = Home::with_token();
    ask(&home, &server, &[], "go").exits(0);
    ask(&home, &server, &["--last"], "and?").exits(0);
    let states = |server: &Server| -> Vec<Option<String>> {
        let requests = server.requests();
        let state = |request: &std::sync::Arc<crate::standin::Recorded>| {
            request.header(STATE).map(str::to_owned)
        };
        requests.iter().map(state).collect()
    };
    let first = Some("ts-1".to_owned());
    // The first answer decides for the turn, and the next turn is separate.
    assert_eq!(states(&server), [None, first.clone(), first, None]);
    // A server that is not the subscription's does not get it back.
    let server = Server::start(answers());
    ask(&Home::with_key(), &server, &[], "go").exits(0);
    assert_eq!(states(&server), [None, None, None]);
}
