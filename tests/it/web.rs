//! The service's own web search: its tool is in the request, or the run says why it is not.

use serde_json::{Value, json};

use crate::home::{CommandOutput, Home};
use crate::sessions::ask;
use crate::shapes::{overrides, shapes, write_models};
use crate::standin::{Reply, Server};

fn run(home: &Home, server: &Server, flags: &[&str]) -> CommandOutput {
    let mut cmd = home.codex(server).args(["run", "--no-tools"]);
    cmd.command.args(flags).arg("go");
    cmd.run()
}

/// The tools of the last request, wherever they are.
fn tools(server: &Server) -> Value {
    let requests = server.requests();
    let body = requests.last().expect("a request").json();
    match &body["tools"] {
        Value::Null => body["input"][0]["tools"].clone(),
        tools => tools.clone(),
    }
}

fn search(live: bool) -> Value {
    json!([{"type": "web_search", "external_web_access": live}])
}

#[test]
fn web_search_is_in_the_request_for_every_model_and_backend() {
    for (home, model) in [
        (Home::with_token(), "gpt-6.1-sol"),
        (Home::with_token(), "gpt-5.5"),
        (Home::with_key(), "gpt-6.1-sol"),
        (Home::with_key(), "gpt-5.5"),
    ] {
        for (flag, live) in [
            ("--search", true),
            ("--search=live", true),
            ("--search=cached", false),
        ] {
            let server = Server::start([Reply::text("found")]);
            let ran = run(&home, &server, &["-m", model, flag]);
            ran.exits(0).stdout("found\n").stderr("");
            assert_eq!(tools(&server), search(live), "{model} {flag}");
        }
        for (setting, live) in [("live", true), ("cached", false)] {
            let server = Server::start([Reply::text("found")]);
            let setting = format!("web_search={setting}");
            let args = [
                "exec",
                "--sandbox",
                "danger-full-access",
                "-m",
                model,
                "-c",
                &setting,
                "go",
            ];
            home.codex(&server).args(args).run().exits(0);
            let tools = tools(&server);
            let last = tools.as_array().and_then(|tools| tools.last());
            assert_eq!(last, search(live).get(0), "{model} {setting}");
        }
        let server = Server::start([Reply::text("found")]);
        run(&home, &server, &["-m", model]).exits(0);
        assert!(
            !server.requests()[0]
                .json()
                .to_string()
                .contains("web_search")
        );
    }
}

#[test]
fn an_invalid_search_mode_is_exit_2() {
    let home = Home::with_token();
    let server = Server::start([]);
    for flag in ["--search=always", "--search="] {
        let ran = run(&home, &server, &[flag]);
        ran.exits(2)
            .stdout("")
            .says("--search")
            .says("live, cached");
    }
    // A word after the flag without an equals sign is the prompt.
    let server = Server::start([Reply::text("ok")]);
    let args = ["run", "--no-tools", "--search", "cached"];
    home.codex(&server).args(args).run().exits(0);
    assert_eq!(tools(&server), search(true));
    assert!(
        server.requests()[0].json()["input"]
            .to_string()
            .contains("\"text\":\"cached\"")
    );
}

#[test]
fn a_configured_default_is_a_mode_or_a_boolean() {
    for (value, expected) in [
        ("true", search(true)),
        ("false", json!(null)),
        ("\"cached\"", search(false)),
    ] {
        let home = Home::with_cache_directory();
        let config = format!("{{\"search\": {value}}}");
        std::fs::write(home.own().join("config.json"), config).expect("a file");
        let server = Server::start([Reply::text("ok")]);
        run(&home, &server, &[]).exits(0);
        assert_eq!(tools(&server), expected, "{value}");
    }
}

/// Lite does not support the service's own tools.
#[test]
fn a_shape_without_web_search_is_not_used() {
    let lite = "X-OpenAI-Internal-Codex-Responses-Lite requires `parallel_tool_calls` to be false.";
    let no = |words: &str| Reply::json(400, &json!({"error": {"message": words}}));
    let home = Home::with_cache_directory();
    // The service requires Lite: its message, and why the run ends.
    let server = Server::start([no(lite)]);
    let ran = run(&home, &server, &["-m", "gpt-6.1-sol", "--search"]);
    ran.exits(1)
        .stdout("")
        .says("codex: cannot search the web: the service refused every request shape that supports web search: ")
        .says("requires `reasoning.context` to be `all_turns`");
    assert_eq!(shapes(&server), ["additional", "classic"]);
    // A shape that was accepted without a search is not used for one.
    let server = Server::start([no(lite), Reply::text("one"), Reply::text("two")]);
    ask(&home, &server, &["-m", "gpt-6-sol"], "go").exits(0);
    run(&home, &server, &["-m", "gpt-6-sol", "--search"]).exits(0);
    assert_eq!(shapes(&server), ["additional", "lite", "additional"]);
    // A missing model is missing with a search too.
    let missing = || {
        Reply::json(
            404,
            &json!({"error": {"message": "Model not found gpt-6-luna"}}),
        )
    };
    let server = Server::start([missing()]);
    run(&home, &server, &["-m", "gpt-6-luna", "--search"]).exits(5);
}

#[test]
fn a_configured_shape_without_web_search_is_reported_before_any_request() {
    let home = Home::with_cache_directory();
    let server = Server::start([Reply::text("ok")]);
    write_models(
        &home,
        &overrides("openai-codex", "gpt-6.1-sol", &json!({"shape": "lite"})),
    );
    for flags in [&["--search"][..], &["--search=cached", "--dry-run"]] {
        let ran = run(&home, &server, &[&["-m", "gpt-6.1-sol"], flags].concat());
        ran.exits(1).stdout("").says(
            "codex: cannot search the web: models.json sets the request shape of gpt-6.1-sol to \"lite\", which does not",
        );
    }
    assert_eq!(server.requests().len(), 0);
    run(&home, &server, &["-m", "gpt-6.1-sol"]).exits(0);
}
