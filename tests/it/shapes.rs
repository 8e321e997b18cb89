//! The shape of a request, where the list is wrong about it: the other one is tried once and remembered, unless the
//! user has said which it is.

use std::fs;

use serde_json::{Value, json};

use crate::catalogue::PNG;
use crate::home::Home;
use crate::models::LIST;
use crate::standin::{Reply, Script, Server};
use crate::tools::bash;

/// The header of Responses Lite.
const LITE: &str = "x-openai-internal-codex-responses-lite";

/// A list that says this of one model. It is fixed to its path, so that the stand-in does not believe it.
fn lie(slug: &str, lite: bool) -> Reply {
    let model =
        json!({"slug": slug, "priority": 0, "visibility": "list", "use_responses_lite": lite});
    Reply::json(200, &json!({"models": [model]})).header("etag", "\"lie-1\"")
}

/// The shapes that the requests have.
fn shapes(server: &Server) -> Vec<&'static str> {
    let requests = server.requests();
    let lite = requests
        .iter()
        .map(|request| request.header(LITE) == Some("true"));
    lite.map(|lite| if lite { "lite" } else { "classic" })
        .collect()
}

/// The home has these models of its own.
pub(crate) fn write_models(home: &Home, file: &Value) {
    fs::create_dir_all(home.own()).expect("a directory");
    fs::write(home.own().join("models.json"), file.to_string()).expect("a file");
}

pub(crate) fn overrides(provider: &str, model: &str, fields: &Value) -> Value {
    json!({"providers": {provider: {"modelOverrides": {model: fields}}}})
}

/// What is remembered of shapes.
fn remembered(home: &Home) -> Vec<(String, Value)> {
    let cached = home.cached();
    let shapes = cached["shapes"].as_object().expect("shapes").iter();
    let model = |key: &String| key.split(' ').next_back().unwrap_or_default().to_owned();
    shapes
        .map(|(key, shape)| (model(key), shape.clone()))
        .collect()
}

#[test]
fn the_other_shape_is_tried_once_and_remembered() {
    for (slug, lite) in [
        ("gpt-5.5", true),
        ("gpt-6.1-sol", false),
        ("gpt-5.6-terra", false),
        // Luna is not found at all in the wrong shape.
        ("gpt-6-luna", false),
        ("gpt-5.6-luna", false),
    ] {
        let (said, right) = if lite {
            ("lite", "classic")
        } else {
            ("classic", "lite")
        };
        let answers = [
            Reply::items([bash("true")]),
            Reply::text("one"),
            Reply::text("two"),
        ];
        let server = Server::start(Script::replies(answers).fix("GET", LIST, lie(slug, lite)));
        let home = Home::keeping();
        home.file("a.png", PNG);
        home.models(&server);
        let args = ["run", "-s", "danger-full-access", "-i", "a.png", "hi"];
        let ran = home.codex(&server).args(args).run();
        ran.exits(0).stdout("one\n");
        let note =
            format!("the service wants this model asked in its {right} shape; asking again so\n");
        assert_eq!(
            ran.says(&note).stderr.matches("shape").count(),
            1,
            "{slug}: {}",
            ran.stderr
        );
        assert_eq!(shapes(&server), [said, right, right], "{slug}");
        assert_eq!(remembered(&home), [(slug.to_owned(), json!(right))]);

        let args = ["run", "--no-tools", "hi"];
        let ran = home.codex(&server).args(args).run();
        ran.exits(0).stdout("two\n").stderr("");
        assert_eq!(shapes(&server), [said, right, right, right], "{slug}");
        for request in server.requests() {
            assert_eq!(request.json()["model"], slug);
        }

        // The user has the last word.
        let other = overrides("openai-codex", slug, &json!({"shape": said}));
        write_models(&home, &other);
        let dry = home.codex(&server).args(["run", "--dry-run", "hi"]).run();
        let dry: Value = serde_json::from_str(&dry.exits(0).text()).expect("JSON");
        assert_eq!(dry["headers"].get(LITE).is_some(), lite, "{slug}");
    }
}

#[test]
fn a_shape_that_the_user_names_is_followed_and_not_tried_again() {
    for (slug, shape) in [("gpt-5.5", "lite"), ("gpt-6.1-sol", "classic")] {
        let server = Server::start([Reply::text("never")]);
        let home = Home::keeping();
        write_models(
            &home,
            &overrides("openai-codex", slug, &json!({"shape": shape})),
        );
        let ran = home
            .codex(&server)
            .args(["run", "--no-tools", "-m", slug, "hi"])
            .run();
        assert!(!ran.status.success(), "{slug}: {}", ran.stderr);
        ran.stdout("");
        assert!(!ran.stderr.contains("asking again"), "{}", ran.stderr);
        assert_eq!(shapes(&server), [shape], "{slug}");
    }
    // And it helps where the list is wrong.
    let server = Server::start(Script::replies([Reply::text("one")]).fix(
        "GET",
        LIST,
        lie("gpt-6.1-sol", false),
    ));
    let home = Home::keeping();
    home.models(&server);
    write_models(
        &home,
        &overrides("openai-codex", "gpt-6.1-sol", &json!({"shape": "lite"})),
    );
    let ran = home.codex(&server).args(["run", "--no-tools", "hi"]).run();
    ran.exits(0).stdout("one\n").stderr("");
    assert_eq!(shapes(&server), ["lite"]);
}

#[test]
fn what_has_nothing_to_do_with_the_shape_is_asked_once() {
    let refused = |model: &str, home: Home, replies: Vec<Reply>, code: i32, requests: usize| {
        let server = Server::start(replies);
        let ran = home
            .codex(&server)
            .args(["run", "--no-tools", "-m", model, "hi"])
            .run();
        ran.exits(code).stdout("");
        assert_eq!(server.requests().len(), requests, "{model}: {}", ran.stderr);
        ran.stderr
    };
    let told = refused("x-missing", Home::with_token(), vec![], 5, 1);
    assert!(
        told.contains("not supported when using Codex with a ChatGPT account"),
        "{told}"
    );
    let told = refused("x-missing", Home::with_key(), vec![], 5, 1);
    assert!(
        told.contains("does not exist or you do not have access to it"),
        "{told}"
    );
    let no = |status: u16, message: &str| {
        Reply::json(
            status,
            &json!({"error": {"message": message, "type": "invalid_request_error"}}),
        )
    };
    refused("gpt-6-luna", Home::with_token(), vec![no(400, "No.")], 1, 1);
    refused(
        "gpt-6-luna",
        Home::with_token(),
        vec![no(403, "Model not found")],
        5,
        1,
    );
    // With a key there is one shape only.
    refused(
        "gpt-6-luna",
        Home::with_key(),
        vec![no(404, "Model not found gpt-6-luna")],
        5,
        1,
    );
    // It is not found in either shape.
    let told = refused(
        "gpt-6-luna",
        Home::with_token(),
        vec![no(404, "Model not found gpt-6-luna")],
        5,
        2,
    );
    assert!(
        told.contains("asking again so") && told.contains("Model not found"),
        "{told}"
    );
}

#[test]
fn a_shape_that_does_not_help_is_not_remembered() {
    let server = Server::start([Reply::json(
        404,
        &json!({"error": {"message": "Model not found gpt-6-luna"}}),
    )]);
    let home = Home::keeping();
    home.models(&server);
    home.codex(&server)
        .args(["run", "--no-tools", "-m", "gpt-6-luna", "hi"])
        .run()
        .exits(5);
    assert_eq!(shapes(&server), ["lite", "classic"]);
    assert_eq!(remembered(&home), []);
}
