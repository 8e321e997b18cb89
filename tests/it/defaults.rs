//! A default model that the service does not have: the next one is used, once. A model that was named, or that belongs
//! to a conversation, is never replaced.

use std::fs;

use serde_json::{Value, json};

use crate::home::{CommandOutput, Home};
use crate::models::{LIST, list};
use crate::sessions::file;
use crate::standin::{Reply, Script, Server};
use crate::tools::bash;

/// Models that the stand-in does not have, by their suffix.
const GONE: &str = "gpt-one-missing";

/// The models of the requests, in order.
fn asked(server: &Server) -> Vec<String> {
    let model = |body: Value| body["model"].as_str().expect("a model").to_owned();
    let requests = server.requests();
    requests
        .iter()
        .map(|request| model(request.json()))
        .collect()
}

/// The service's reply for a model that it does not have, in words that may also be about the shape.
fn not_found() -> Reply {
    let message = "Model not found gpt-one-free-1p";
    Reply::json(
        404,
        &json!({"error": {"message": message, "type": "invalid_request_error"}}),
    )
}

/// A service with these models, and a home that has cached its list.
fn served(replies: Vec<Reply>, slugs: &[&str]) -> (Server, Home) {
    let slugs: Vec<(&str, &str)> = slugs.iter().map(|slug| (*slug, "list")).collect();
    let server = Server::start(Script::replies(replies).models(list(&slugs)));
    let home = Home::with_cache_directory();
    home.models(&server);
    (server, home)
}

fn run(server: &Server, home: &Home, args: &[&str]) -> CommandOutput {
    let mut cmd = home.codex(server);
    cmd.command.args(["run", "--no-tools", "hi"]).args(args);
    cmd.run()
}

fn text() -> Reply {
    Reply::text("done")
}

#[test]
fn an_unavailable_default_model_falls_back_to_the_next_with_a_warning() {
    let (server, home) = served(vec![text(), text()], &[GONE, "gpt-two", "gpt-three"]);
    let ran = run(&server, &home, &["-e", "high"]);
    ran.exits(0)
        .stdout("done\n")
        .says("is not supported when using Codex")
        .says("; asking gpt-two instead\n");
    assert_eq!(asked(&server), [GONE, "gpt-two"]);
    let bodies: Vec<Value> = server.requests().iter().map(|r| r.json()).collect();
    assert_eq!(bodies[1]["reasoning"]["effort"], "high");
    assert_eq!(bodies[0]["input"], bodies[1]["input"]);
    assert_eq!(bodies[0]["prompt_cache_key"], bodies[1]["prompt_cache_key"]);

    // The conversation belongs to the model that answered.
    let stored = fs::read_to_string(file(&home)).expect("it is stored");
    assert!(stored.contains(r#""model":"gpt-two""#), "{stored}");
    let ran = run(&server, &home, &["--last"]);
    ran.exits(0).stderr("");
    assert_eq!(asked(&server)[2..], ["gpt-two"]);
    let shown = home.offline().args(["sessions", "--json"]).run();
    let shown: Value = serde_json::from_str(&shown.exits(0).text()).expect("JSON");
    let one = &shown
        .as_array()
        .or(shown["sessions"].as_array())
        .expect("a list")[0];
    assert_eq!(
        (&one["model"], &one["turns"]),
        (&json!("gpt-two"), &json!(2))
    );
}

#[test]
fn json_lines_report_the_fallback_like_a_retry() {
    let (server, home) = served(vec![text()], &[GONE, "gpt-two"]);
    let ran = run(&server, &home, &["--json"]);
    ran.exits(0).says("; asking gpt-two instead\n");
    let lines = ran.text();
    let lines = lines.lines().map(serde_json::from_str::<Value>);
    let lines: Vec<Value> = lines.map(|line| line.expect("JSON")).collect();
    let retries: Vec<&Value> = lines
        .iter()
        .filter(|line| line["type"] == "retry")
        .collect();
    assert_eq!(retries.len(), 1, "{lines:#?}");
    assert_eq!(
        (&retries[0]["model"], &retries[0]["delay_ms"]),
        (&json!("gpt-two"), &json!(0))
    );
    assert_eq!(lines[0]["model"], GONE);
}

#[test]
fn all_request_shapes_are_tried_before_the_fallback() {
    // The list says that both use the classic shape, which is wrong about the second.
    let model = |slug| json!({"slug": slug, "visibility": "list", "use_responses_lite": false});
    let models = json!({"models": [model("gpt-one"), model("gpt-6.2-sol")]});
    let script = Script::replies([not_found(), text()]);
    let server = Server::start(script.fix("GET", LIST, Reply::json(200, &models)));
    let home = Home::with_cache_directory();
    home.models(&server);
    let cmd = home
        .codex(&server)
        .args(["run", "-s", "danger-full-access"]);
    let ran = cmd.args(["hi"]).run();
    ran.exits(0).says("; asking gpt-6.2-sol instead\n");
    let models = asked(&server);
    assert_eq!(models[..3], ["gpt-one"; 3]);
    assert_eq!(models[3..], ["gpt-6.2-sol"; 2]);
    // What was learned is about the second model.
    let shapes = &home.cached()["shapes"];
    let shapes: Vec<&String> = shapes.as_object().expect("shapes").keys().collect();
    assert!(
        shapes.len() == 1 && shapes[0].ends_with(" gpt-6.2-sol"),
        "{shapes:?}"
    );
}

#[test]
fn there_is_only_one_fallback() {
    let slugs = [GONE, "gpt-two-missing", "gpt-three"];
    let (server, home) = served(vec![], &slugs);
    let ran = run(&server, &home, &[]);
    ran.exits(5).stdout("").says("-m");
    assert_eq!(asked(&server), slugs[..2]);
}

#[test]
fn a_named_model_is_not_replaced() {
    let (server, home) = served(vec![], &[GONE, "gpt-two"]);
    let check = |ran: CommandOutput| {
        ran.exits(5).stdout("").says("-m");
        assert!(!ran.stderr.contains("instead"), "{}", ran.stderr);
    };
    check(run(&server, &home, &["-m", GONE]));
    let cmd = home.codex(&server).args(["run", "--no-tools", "hi"]);
    check(cmd.env("CODEX_MODEL", GONE).run());
    fs::write(
        home.own().join("config.json"),
        json!({"model": GONE}).to_string(),
    )
    .expect("a file");
    check(run(&server, &home, &[]));
    assert_eq!(asked(&server), [GONE; 3]);
}

#[test]
fn a_conversation_keeps_its_model() {
    let (server, home) = served(vec![text()], &["gpt-one", "gpt-two"]);
    let run = |more: &[&str]| {
        let mut cmd = home.codex(&server);
        let args = ["run", "-s", "danger-full-access", "hi"];
        cmd.command.args(args).args(more);
        cmd.run()
    };
    run(&[]).exits(0);
    server.push(not_found());
    let ran = run(&["--last"]);
    // Other shapes are tried; that they are wrong is not what is reported.
    ran.exits(5).stdout("").says("Model not found").says("-m");
    assert_eq!(asked(&server), ["gpt-one"; 4]);
}

#[test]
fn the_model_is_not_replaced_after_the_first_answer() {
    let replies = vec![Reply::items([bash("echo out")]), not_found()];
    let (server, home) = served(replies, &["gpt-one", "gpt-two"]);
    let args = ["run", "-s", "danger-full-access", "hi"];
    home.codex(&server).args(args).run().exits(5);
    assert_eq!(asked(&server), ["gpt-one"; 4]);
}

#[test]
fn models_of_other_servers_are_not_replaced() {
    let reply = json!({"error": {"message": "no", "code": "model_not_found"}});
    let server = Server::start([Reply::json(404, &reply)]);
    let home = Home::with_key();
    run(&server, &home, &[]).exits(5).says("-m");
    assert_eq!(asked(&server), ["gpt-6.2-sol"]);
}

#[test]
fn each_plan_has_its_own_default() {
    let server = Server::start([text(), text()]);
    server.issuer().plan("free");
    let (home, _) = Home::signed_in(&server);
    // According to the built-in list, and then to the service's.
    run(&server, &home, &[]).exits(0);
    home.models(&server);
    run(&server, &home, &[]).exits(0);
    assert_eq!(asked(&server), ["gpt-6.1-terra"; 2]);
    let table = home.codex(&server).args(["models", "--all"]).run();
    let table = table.exits(0).text();
    let row = |id: &str| {
        let row = table.lines().find(|row| row.split(' ').next() == Some(id));
        row.expect("a row").to_owned()
    };
    assert!(
        row("gpt-6.2-sol").ends_with("chatgpt api other-plan"),
        "{table}"
    );
    assert!(!row("gpt-6.2-sol").contains("usable"), "{table}");
    assert!(row("gpt-6.1-terra").contains("usable"), "{table}");
    let table = home.codex(&server).args(["models"]).run().exits(0).text();
    assert!(!table.contains("gpt-6.2"), "{table}");
}
