//! `--fallback-model`: which model is asked next, and the one that answers. A default model that the service does not have is
//! in `defaults`.

use std::sync::Mutex;

use serde_json::{Value, json};

use crate::home::{CommandOutput, Home, KEY, each};
use crate::sessions::{file, id};
use crate::shapes::write_models;
use crate::standin::{Ends, Item, Reply, Script, Server};
use crate::tools::bash;

const FIRST: &str = "gpt-5.5";
const NEXT: &str = "gpt-5.4";
const FALLBACK: [&str; 4] = ["-m", FIRST, "--fallback-model", NEXT];

/// The models of the requests, in order.
fn asked(server: &Server) -> Vec<String> {
    let requests = server.requests();
    let model = |body: Value| body["model"].as_str().expect("a model").to_owned();
    requests.iter().map(|one| model(one.json())).collect()
}

fn refusal(status: u16, message: &str, code: &str) -> Reply {
    Reply::json(
        status,
        &json!({"error": {"message": message, "code": code}}),
    )
}

fn busy() -> Reply {
    Reply::status(503, &[], "")
}

/// A failure of the service.
type Failure = (&'static str, fn() -> Reply);

/// The failures, by name. A service that cannot be reached at all is `DNS`.
const FAILURES: [Failure; 6] = [
    ("model missing", || {
        refusal(404, "The model does not exist", "model_not_found")
    }),
    ("not on plan", || {
        let words = "The 'gpt' model is not supported when using Codex with a ChatGPT account.";
        Reply::json(400, &json!({"detail": words}))
    }),
    ("503", busy),
    ("429", || {
        refusal(429, "Rate limit reached", "rate_limit_exceeded")
    }),
    ("region", || {
        let code = "unsupported_country_region_territory";
        refusal(403, "Country, region, or territory not supported", code)
    }),
    ("DNS", || Reply::raw(Vec::new())),
];

/// When the failure comes, with the answers before it and the flags.
fn moments() -> [(&'static str, Vec<Reply>, [&'static str; 2]); 3] {
    let text = Reply::items([Item::text("partial")]).ends(Ends::None);
    [
        ("before text", vec![], ["--retries", "0"]),
        ("after text", vec![text], ["--retries", "1"]),
        (
            "after a tool",
            vec![Reply::items([bash("true")])],
            ["--retries", "0"],
        ),
    ]
}

/// The models that are asked, the exit code, and the model of the last line.
const TABLE: &str = "\
model missing | before text | gpt-5.5, gpt-5.4 | 0 | gpt-5.4
model missing | after text | gpt-5.5, gpt-5.5 | 5 | none
model missing | after a tool | gpt-5.5, gpt-5.5 | 5 | none
not on plan | before text | gpt-5.5, gpt-5.4 | 0 | gpt-5.4
not on plan | after text | gpt-5.5, gpt-5.5 | 5 | none
not on plan | after a tool | gpt-5.5, gpt-5.5 | 5 | none
503 | before text | gpt-5.5, gpt-5.4 | 0 | gpt-5.4
503 | after text | gpt-5.5, gpt-5.5 | 8 | none
503 | after a tool | gpt-5.5, gpt-5.5 | 7 | none
429 | before text | gpt-5.5, gpt-5.4 | 0 | gpt-5.4
429 | after text | gpt-5.5, gpt-5.5 | 8 | none
429 | after a tool | gpt-5.5, gpt-5.5 | 7 | none
region | before text | gpt-5.5 | 5 | none
region | after text | gpt-5.5, gpt-5.5 | 5 | none
region | after a tool | gpt-5.5, gpt-5.5 | 5 | none
DNS | before text | (no connection) | 7 | none
DNS | after text | gpt-5.5, gpt-5.5 | 8 | none
DNS | after a tool | gpt-5.5, gpt-5.5 | 7 | none
";

#[test]
fn another_model_is_asked_only_before_text_and_tools_and_only_where_it_may_help() {
    let mut cases = Vec::new();
    for (n, (name, failure)) in FAILURES.iter().enumerate() {
        for (m, (moment, mut replies, flags)) in moments().into_iter().enumerate() {
            replies.extend([failure(), Reply::text("answered")]);
            cases.push((n * 3 + m, *name, moment, replies, flags));
        }
    }
    let rows = Mutex::new(Vec::new());
    each(cases, 6, |(n, name, moment, replies, flags)| {
        let server = Server::start(replies);
        let home = Home::with_key();
        let mut cmd = home.codex(&server).args(["run", "--json", "hi"]);
        cmd.command.args(["-s", "danger-full-access"]);
        cmd.command.args(FALLBACK).args(flags);
        if (name, moment) == ("DNS", "before text") {
            cmd = cmd.env("OPENAI_BASE_URL", "https://service.invalid/v1");
        }
        let ran = cmd.run();
        let events = ran.events();
        let last = &events[events.len() - 1];
        let models = asked(&server).join(", ");
        let row = format!(
            "{name} | {moment} | {} | {} | {}\n",
            Some(&*models)
                .filter(|list| !list.is_empty())
                .unwrap_or("(no connection)"),
            ran.status.code().expect("a code"),
            last["model"].as_str().unwrap_or("none"),
        );
        rows.lock().expect("no panic").push((n, row));
    });
    let mut rows = rows.into_inner().expect("no panic");
    rows.sort();
    let table: String = rows.into_iter().map(|(_, row)| row).collect();
    assert_eq!(table, TABLE);
}

fn run(home: &Home, server: &Server, flags: &[&str]) -> CommandOutput {
    let mut cmd = home.codex(server).args(["run", "--no-tools", "hi"]);
    cmd.command.args(flags);
    cmd.run()
}

#[test]
fn the_model_that_answered_is_reported_stored_and_resumed() {
    let home = Home::with_key();
    let overloaded =
        json!({"type": "error", "error": {"code": "server_is_overloaded", "message": "busy"}});
    let server = Server::start([
        busy(),
        busy(),
        Reply::sse(format!("data: {overloaded}\n\n")),
        Reply::text("answered"),
        Reply::text("more"),
    ]);
    let models_of_flag = format!("{NEXT}, gpt-5.4-mini ,gpt-5.3-codex");
    let flags = [
        "--json",
        "--retries",
        "1",
        "-m",
        FIRST,
        "--fallback-model",
        &models_of_flag,
    ];
    // The retries of the next model do not wait for those of the first one.
    let flags = [&flags[..], &["-e", "xhigh"]].concat();
    let ran = run(&home, &server, &flags);
    ran.exits(0)
        .says(&format!("; asking {NEXT} instead\n"))
        .says("trying again in 0.5 s (1 of 1)\n");
    assert_eq!(asked(&server), [FIRST, FIRST, NEXT, NEXT]);
    let events = ran.events();
    let retries = events.iter().filter(|event| event["type"] == "retry");
    let models: Vec<&Value> = retries.map(|retry| &retry["model"]).collect();
    assert_eq!(models, [&Value::Null, &json!(NEXT), &Value::Null]);
    assert_eq!(events[0]["model"], FIRST);
    let last = &events[events.len() - 1];
    assert_eq!(
        (&last["model"], &last["requests"]),
        (&json!(NEXT), &json!(4))
    );
    let bodies: Vec<Value> = server.requests().iter().map(|one| one.json()).collect();
    assert_eq!(bodies[0]["input"], bodies[3]["input"]);

    // Without the flag, the conversation goes on with that model.
    run(&home, &server, &["--resume", &id(&file(&home))])
        .exits(0)
        .stderr("");
    assert_eq!(asked(&server)[4..], [NEXT]);
}

#[test]
fn a_conversation_stays_with_the_first_model_if_no_substitute_answers() {
    let thought = Reply::items([Item::reasoning("hm"), Item::text("one")]);
    let server = Server::start([thought, busy(), Reply::text("three")]);
    let of_box = Server::start(Script::replies([busy(), busy()]).unchecked());
    let home = home_with_box(&of_box, "$BOX_KEY");
    let flags = ["--retries", "0", "--fallback-model", "box/small"];
    run(&home, &server, &["-m", FIRST]).exits(0);
    run(&home, &server, &[&["--last"], &flags[..]].concat()).exits(7);
    run(&home, &server, &["--last"]).exits(0).stdout("three\n");

    // The turns of one run do as well, and the next one may ask the substitute again.
    server.push(busy());
    server.push(Reply::text("two"));
    let line = json!({"type": "user", "text": "again"});
    let cmd = home.codex(&server).args(["run", "--no-tools", "--last"]);
    let cmd = cmd.args(flags).args(["--json", "--input", "jsonl"]);
    let ran = cmd.input(format!("{line}\n{line}\n")).run();
    assert_eq!(ran.status.code(), Some(7));
    let events = ran.events();
    assert_eq!(events[events.len() - 1]["final_message"], "two");
    assert_eq!(asked(&server), [FIRST; 5]);
    assert_eq!(asked(&of_box), ["small"; 2]);
    let inputs = server.requests();
    let last = inputs[4].json()["input"].to_string();
    assert!(last.contains("encrypted_content"), "{last}");
    assert_eq!(last.matches("again").count(), 1, "{last}");
}

#[test]
fn a_model_that_is_named_twice_is_asked_once() {
    let (server, of_box) = (Server::start([Reply::text("answered")]), busy());
    let of_box = Server::start(Script::replies([of_box]).unchecked());
    let home = home_with_box(&of_box, "$BOX_KEY");
    let list = format!("box/small,box/small,{FIRST}");
    let flags = ["--retries", "0", "-m", "box/small", "--fallback-model"];
    run(&home, &server, &[&flags[..], &[&list]].concat()).exits(0);
    assert_eq!(asked(&of_box), ["small"]);
    assert_eq!(asked(&server), [FIRST]);
}

#[test]
fn reasoning_of_the_first_model_is_not_sent_to_the_next_one() {
    let home = Home::with_key();
    let thought = || Reply::items([Item::reasoning("hm"), Item::text("one")]);
    let server = Server::start([thought(), busy(), Reply::text("two")]);
    run(&home, &server, &["-m", FIRST]).exits(0);
    let flags = ["--last", "--retries", "0", "--fallback-model", NEXT];
    run(&home, &server, &flags).exits(0).stdout("two\n");
    let inputs = server.requests();
    let inputs: Vec<String> = inputs
        .iter()
        .map(|one| one.json()["input"].to_string())
        .collect();
    assert!(inputs[1].contains("encrypted_content"), "{}", inputs[1]);
    assert!(!inputs[2].contains("encrypted_content"), "{}", inputs[2]);
    assert!(
        inputs[2].contains("\"one\"") && !inputs[2].contains("msg_"),
        "{}",
        inputs[2]
    );
}

/// A home with the key of the service and a server `box` in `models.json`.
fn home_with_box(of_box: &Server, key: &str) -> Home {
    let home = Home::with_key().env("BOX_KEY", "box-invented-9876543210");
    let cost = json!({"input": 1, "output": 1});
    write_models(
        &home,
        &json!({"providers": {"box": {"baseUrl": of_box.api_url(), "apiKey": key,
            "models": [{"id": "small", "cost": cost}, {"id": "free"}]}}}),
    );
    home
}

#[test]
fn the_next_model_may_be_that_of_another_server_and_back() {
    let server = Server::start([busy(), busy(), Reply::text("back"), busy()]);
    let of_box = Server::start(
        Script::replies([busy(), Reply::text("of box"), Reply::text("on")]).unchecked(),
    );
    let home = home_with_box(&of_box, "$BOX_KEY");
    let flags = ["--json", "--retries", "0", "-m", FIRST, "--fallback-model"];
    let models_of_flag = format!("{NEXT},box/small,gpt-5.4-mini");
    let ran = run(&home, &server, &[&flags[..], &[&models_of_flag]].concat());
    ran.exits(0);
    assert_eq!(asked(&server), [FIRST, NEXT, "gpt-5.4-mini"]);
    assert_eq!(asked(&of_box), ["small"]);
    let bearer = |server: &Server, n: usize| {
        let requests = server.requests();
        requests[n]
            .header("authorization")
            .unwrap_or_default()
            .to_owned()
    };
    assert_eq!(bearer(&of_box, 0), "Bearer box-invented-9876543210");
    assert_eq!(bearer(&server, 2), format!("Bearer {KEY}"));

    let ran = run(&home, &server, &[&flags[..], &["box/small"]].concat());
    let events = ran.exits(0).events();
    let last = &events[events.len() - 1];
    assert_eq!(
        (&last["model"], &last["final_message"]),
        (&json!("small"), &json!("of box"))
    );
    // The conversation stays with that server.
    run(&home, &server, &["--last"]).exits(0).stdout("on\n");
    assert_eq!(asked(&of_box), ["small"; 3]);
}

#[test]
fn every_model_is_looked_up_before_anything_is_sent() {
    let server = Server::start([]);
    let of_box = Server::start([]);
    let check = |key: &str, list: &str, more: &[&str], words: &str| {
        let home = home_with_box(&of_box, key);
        let flags = ["-m", FIRST, "--fallback-model", list];
        let ran = run(&home, &server, &[&flags, more].concat());
        ran.exits(2).stdout("").says(words);
        assert!(ran.stderr.contains("hint: "), "{}", ran.stderr);
    };
    check("$BOX_KEY", "", &[], "--fallback-model has an empty entry");
    check(
        "$BOX_KEY",
        "gpt-5.4,,gpt-5.2",
        &[],
        "--fallback-model has an empty entry",
    );
    check(
        "$BOX_KEY",
        "gpt 5",
        &[],
        "cannot use the model id \"gpt 5\" of --fallback-model",
    );
    check(
        "$NO_SUCH_KEY",
        "box/small",
        &[],
        "the variable NO_SUCH_KEY is not set",
    );
    let cost = ["--max-cost", "1"];
    check(
        "$BOX_KEY",
        "box/small,box/free",
        &cost,
        "the price of box/free is not known",
    );
    check(
        "$BOX_KEY",
        "gpt-99",
        &cost,
        "the price of gpt-99 is not known",
    );

    let home = home_with_box(&of_box, "$BOX_KEY").env("OPENAI_API_KEY", "");
    let flags = ["-m", "box/small", "--fallback-model", FIRST];
    run(&home, &server, &flags)
        .exits(2)
        .says("cannot use the model gpt-5.5 of --fallback-model");
    assert!(server.requests().is_empty() && of_box.requests().is_empty());
}

#[test]
fn later_turns_keep_the_model_that_answered() {
    let server = Server::start([busy()]);
    let replies = [Reply::text("one"), Reply::text("two"), busy()];
    let of_box = Server::start(Script::replies(replies).unchecked());
    let home = home_with_box(&of_box, "$BOX_KEY");
    let lines = ["one", "two"].map(|text| json!({"type": "user", "text": text}).to_string());
    let effort = json!({"type": "settings", "effort": "low"}).to_string();
    let of_first = json!({"type": "settings", "model": NEXT}).to_string();
    let input = [&lines[0], &effort, &of_first, &lines[1], &lines[0]]
        .map(|line| format!("{line}\n"))
        .concat();
    let cmd = home
        .codex(&server)
        .args(["run", "--no-tools", "--json", "--input", "jsonl"]);
    let cmd = cmd.args([
        "--retries",
        "0",
        "-m",
        FIRST,
        "--fallback-model",
        "box/small,gpt-5.4",
    ]);
    let ran = cmd.input(input).run();
    // The last turn fails: the run has printed something.
    assert_eq!(ran.status.code(), Some(7));
    let events = ran.events();
    assert_eq!(asked(&of_box), ["small"; 3]);
    assert_eq!(asked(&server), [FIRST]);
    let ended = events
        .iter()
        .filter(|event| event["type"] == "turn.completed");
    let models: Vec<&Value> = ended.map(|event| &event["model"]).collect();
    assert_eq!(models, ["small"; 2]);
    let refused = events.iter().filter(|event| event["type"] == "input_error");
    let refused: Vec<(&Value, &str)> = refused
        .map(|event| (&event["line"], event["message"].as_str().expect("a text")))
        .collect();
    assert!(
        matches!(refused[..], [(line, why)] if *line == 3 && why.contains("has moved to another service")),
        "{refused:?}"
    );
}
