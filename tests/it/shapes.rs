//! The shape of a request, if the list is wrong about it or the service refuses it: the others are tried once, in order,
//! and the accepted one is remembered, unless the user has set the shape.

use std::fs;

use serde_json::{Value, json};

use crate::catalogue::PNG;
use crate::home::Home;
use crate::models::LIST;
use crate::standin::{Recorded, Reply, Script, Server};
use crate::tools::bash;

/// The header of Responses Lite.
const LITE: &str = "x-openai-internal-codex-responses-lite";

/// A list that says this about one model. It is a fixed reply, so that the stand-in does not follow it.
fn wrong_list(slug: &str, lite: bool) -> Reply {
    let model =
        json!({"slug": slug, "priority": 0, "visibility": "list", "use_responses_lite": lite});
    Reply::json(200, &json!({"models": [model]})).header("etag", "\"lie-1\"")
}

/// The shape of a request. Without tools two of them are the same, which counts as classic.
fn shape(request: &Recorded) -> &'static str {
    let body = request.json();
    match body["input"][0]["type"].as_str() {
        _ if request.header(LITE) == Some("true") => "lite",
        Some("additional_tools") => "additional",
        _ => "classic",
    }
}

/// The shapes of the requests.
pub(crate) fn shapes(server: &Server) -> Vec<&'static str> {
    let requests = server.requests();
    requests.iter().map(|request| shape(request)).collect()
}

/// Writes these user-defined models to the home.
pub(crate) fn write_models(home: &Home, file: &Value) {
    fs::create_dir_all(home.own()).expect("a directory");
    fs::write(home.own().join("models.json"), file.to_string()).expect("a file");
}

pub(crate) fn overrides(provider: &str, model: &str, fields: &Value) -> Value {
    json!({"providers": {provider: {"modelOverrides": {model: fields}}}})
}

/// The remembered shapes.
fn remembered(home: &Home) -> Vec<(String, Value)> {
    let cached = home.cached();
    let shapes = cached["shapes"].as_object().expect("shapes").iter();
    let model = |key: &String| key.split(' ').next_back().unwrap_or_default().to_owned();
    shapes
        .map(|(key, shape)| (model(key), shape.clone()))
        .collect()
}

/// A service that requires a different shape for models of this list than the list says.
#[test]
fn other_shapes_are_tried_once_and_the_accepted_one_is_remembered() {
    for (slug, lite, tried) in [
        ("gpt-5.5", true, &["additional", "lite", "classic"][..]),
        ("gpt-6.1-sol", false, &["classic", "additional"]),
        ("gpt-5.6-terra", false, &["classic", "additional"]),
        // Luna is reported as not found in the wrong shape.
        ("gpt-6-luna", false, &["classic", "additional"]),
        ("gpt-5.6-luna", false, &["classic", "additional"]),
    ] {
        let right = tried[tried.len() - 1];
        let answers = [
            Reply::items([bash("true")]),
            Reply::text("one"),
            Reply::items([bash("true")]),
            Reply::text("two"),
        ];
        let server =
            Server::start(Script::replies(answers).fix("GET", LIST, wrong_list(slug, lite)));
        let home = Home::with_cache_directory();
        home.file("a.png", PNG);
        home.models(&server);
        let args = ["run", "-s", "danger-full-access", "-i", "a.png", "hi"];
        let ran = home.codex(&server).args(args).run();
        ran.exits(0).stdout("one\n");
        for shape in &tried[1..] {
            ran.says(&format!(
                "the service requires the {shape} request shape for this model; retrying with it\n"
            ));
        }
        assert_eq!(ran.stderr.matches("shape").count(), tried.len() - 1);
        let first = [tried, &[right]].concat();
        assert_eq!(shapes(&server), first, "{slug}");
        assert_eq!(remembered(&home), [(slug.to_owned(), json!(right))]);

        let args = ["run", "-s", "danger-full-access", "hi"];
        let ran = home.codex(&server).args(args).run();
        ran.exits(0).stdout("two\n");
        assert!(!ran.stderr.contains("shape"), "{slug}: {}", ran.stderr);
        assert_eq!(shapes(&server)[first.len()..], [right, right], "{slug}");
        for request in server.requests() {
            assert_eq!(request.json()["model"], slug);
        }

        // The user's setting has precedence.
        for (said, header) in [("classic", false), ("additional", false), ("lite", true)] {
            let other = overrides("openai-codex", slug, &json!({"shape": said}));
            write_models(&home, &other);
            let dry = home.codex(&server).args(["run", "--dry-run", "hi"]).run();
            let dry: Value = serde_json::from_str(&dry.exits(0).text()).expect("JSON");
            assert_eq!(dry["headers"].get(LITE).is_some(), header, "{slug}");
            let in_input = dry["body"]["input"][0]["type"] == "additional_tools";
            assert_eq!(in_input, said != "classic", "{slug} {said}");
        }
    }
}

/// Messages with which a service may refuse the first shape.
#[test]
fn refused_tools_in_the_input_lead_to_lite_and_then_to_the_classic_shape() {
    let no = |message: &str| {
        let error = json!({"message": message, "type": "invalid_request_error", "param": null});
        Reply::json(400, &json!({ "error": error }))
    };
    for words in [
        "X-OpenAI-Internal-Codex-Responses-Lite requires `parallel_tool_calls` to be false.",
        "`reasoning.context` must be `all_turns` for this model.",
        "Invalid value: 'additional_tools'. Supported values are: 'message' and 'reasoning'.",
        "Unknown parameter: 'input[0]'.",
        "Invalid type for 'input[0].role'.",
    ] {
        let server = Server::start([no(words), Reply::text("one"), Reply::text("two")]);
        let home = Home::with_cache_directory();
        home.models(&server);
        let run = |answer: &str| {
            let args = ["run", "-s", "danger-full-access", "-m", "gpt-6.1-sol", "hi"];
            home.codex(&server).args(args).run().exits(0).stdout(answer);
        };
        run("one\n");
        run("two\n");
        assert_eq!(shapes(&server), ["additional", "lite", "lite"], "{words}");
        let lite = server.requests()[1].json();
        assert_eq!(lite["parallel_tool_calls"], false);
        assert_eq!(lite["reasoning"]["context"], "all_turns");
    }
    // An error in the conversation is not about the shape.
    let server = Server::start([no("Invalid 'input[0].content[0].text': string too long.")]);
    let args = ["run", "-s", "danger-full-access", "-m", "gpt-6.1-sol", "hi"];
    let ran = Home::with_token().codex(&server).args(args).run();
    ran.exits(1).stdout("");
    assert_eq!(shapes(&server), ["additional"]);
}

#[test]
fn a_shape_set_by_the_user_is_used_without_fallbacks() {
    for (slug, shape) in [("gpt-5.5", "lite"), ("gpt-6.1-sol", "classic")] {
        let server = Server::start([Reply::text("never")]);
        let home = Home::with_cache_directory();
        write_models(
            &home,
            &overrides("openai-codex", slug, &json!({"shape": shape})),
        );
        let ran = home
            .codex(&server)
            .args(["run", "-s", "danger-full-access", "-m", slug, "hi"])
            .run();
        assert!(!ran.status.success(), "{slug}: {}", ran.stderr);
        ran.stdout("");
        assert!(!ran.stderr.contains("asking again"), "{}", ran.stderr);
        assert_eq!(shapes(&server), [shape], "{slug}");
    }
    // And it helps if the list is wrong.
    for shape in ["lite", "additional"] {
        let server = Server::start(Script::replies([Reply::text("one")]).fix(
            "GET",
            LIST,
            wrong_list("gpt-6.1-sol", false),
        ));
        let home = Home::with_cache_directory();
        home.models(&server);
        write_models(
            &home,
            &overrides("openai-codex", "gpt-6.1-sol", &json!({ "shape": shape })),
        );
        let args = ["run", "-s", "danger-full-access", "hi"];
        let ran = home.codex(&server).args(args).run();
        ran.exits(0).stdout("one\n").stderr("");
        assert_eq!(shapes(&server), [shape]);
    }
}

#[test]
fn errors_unrelated_to_the_shape_are_not_retried() {
    let refused = |model: &str, home: Home, replies: Vec<Reply>, code: i32, requests: usize| {
        let server = Server::start(replies);
        let ran = home
            .codex(&server)
            .args(["run", "-s", "danger-full-access", "-m", model, "hi"])
            .run();
        ran.exits(code).stdout("");
        assert_eq!(server.requests().len(), requests, "{model}: {}", ran.stderr);
        ran.stderr
    };
    let reported = refused("x-missing", Home::with_token(), vec![], 5, 1);
    assert!(
        reported.contains("not supported when using Codex with a ChatGPT account"),
        "{reported}"
    );
    let reported = refused("x-missing", Home::with_key(), vec![], 5, 1);
    assert!(
        reported.contains("does not exist or you do not have access to it"),
        "{reported}"
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
    // With a key there is only one shape.
    refused(
        "gpt-6-luna",
        Home::with_key(),
        vec![no(404, "Model not found gpt-6-luna")],
        5,
        1,
    );
    // It is not found in any shape.
    let not_found = || no(404, "Model not found gpt-6-luna");
    let reported = refused(
        "gpt-6-luna",
        Home::with_token(),
        vec![not_found(), not_found(), not_found()],
        5,
        3,
    );
    assert!(
        reported.contains("retrying with it") && reported.contains("Model not found"),
        "{reported}"
    );
}

#[test]
fn a_refused_shape_is_not_remembered() {
    let no = || {
        let error = json!({"message": "Model not found gpt-6-luna"});
        Reply::json(404, &json!({ "error": error }))
    };
    let server = Server::start([no(), no(), no()]);
    let home = Home::with_cache_directory();
    home.models(&server);
    home.codex(&server)
        .args(["run", "-s", "danger-full-access", "-m", "gpt-6-luna", "hi"])
        .run()
        .exits(5);
    assert_eq!(shapes(&server), ["additional", "lite", "classic"]);
    assert_eq!(remembered(&home), []);
}
