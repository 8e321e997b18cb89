//! Every model of the built-in list, with both kinds of credentials: the request matches the specification and what the
//! model accepts, and a whole task with an image and a tool succeeds. The list is read as data.

use serde_json::{Value, json};

use crate::home::{Home, each};
use crate::spec;
use crate::standin::{Reply, Server};
use crate::tools::bash;

/// The header of Responses Lite.
const LITE: &str = "x-openai-internal-codex-responses-lite";

/// As much of an image as it takes to be recognised.
pub(crate) const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and the rest";

/// The models of the built-in list that can be used with this backend: `chatgpt` or `api`.
pub(crate) fn models(way: &str) -> Vec<Value> {
    let list = include_str!("../../src/models/catalogue.json");
    let list: Vec<Value> = serde_json::from_str(list).expect("the catalogue is JSON");
    let used = |model: &Value| model.get(way).is_some();
    let models: Vec<Value> = list.into_iter().filter(used).collect();
    assert!(models.len() > 15, "there are models for {way}");
    models
}

fn listed(list: &Value, word: &str) -> bool {
    list.as_array()
        .is_some_and(|list| list.contains(&json!(word)))
}

/// The two backends, as the list calls them.
pub(crate) const WAYS: [&str; 2] = ["chatgpt", "api"];

/// A home for one of them.
pub(crate) fn home_for(way: &str) -> Home {
    match way {
        "chatgpt" => Home::with_token(),
        _ => Home::with_key(),
    }
}

/// The request of a dry run.
fn shown(home: &Home, args: &[&str]) -> Value {
    // Without a configured address a key is sent to the public API, the only one that lists what it accepts.
    let mut cmd = home.offline().without("OPENAI_BASE_URL");
    cmd.command.args(["run", "--dry-run"]).args(args);
    let ran = cmd.run();
    serde_json::from_str(&ran.exits(0).text()).expect("JSON")
}

/// The items of this type in the input of a body.
fn items<'a>(body: &'a Value, kind: &str) -> Vec<&'a Value> {
    let items = body["input"].as_array().into_iter().flatten();
    items.filter(|item| item["type"] == kind).collect()
}

/// The images in the user's messages.
fn pictures(body: &Value) -> Vec<&Value> {
    let messages = items(body, "message").into_iter();
    let parts = messages.flat_map(|item| item["content"].as_array().into_iter().flatten());
    parts.filter(|part| part["type"] == "input_image").collect()
}

/// The tools that a body offers, wherever they are.
fn tools(body: &Value) -> Vec<&str> {
    let lists = items(body, "additional_tools").into_iter();
    let lists = lists.map(|item| &item["tools"]).chain([&body["tools"]]);
    let tools = lists.filter_map(Value::as_array).flatten();
    tools.filter_map(|tool| tool["name"].as_str()).collect()
}

#[test]
fn every_request_matches_the_specification() {
    let all = [
        "-e",
        "high",
        "--verbosity",
        "high",
        "--summary",
        "auto",
        "-i",
        "a.png",
    ];
    for way in WAYS {
        let home = home_for(way);
        home.file("a.png", PNG);
        each(models(way), 4, |model| {
            let id = model["id"].as_str().expect("an id");
            for (with_tools, with_all) in
                [(true, false), (false, false), (true, true), (false, true)]
            {
                let mut args = vec!["-m", id, "hi"];
                args.extend((!with_tools).then_some("--no-tools"));
                args.extend(all.iter().filter(|_| with_all));
                let shown = shown(&home, &args);
                let (body, label) = (&shown["body"], format!("{way}: {args:?}: {shown:#}"));
                let mistakes = spec::mistakes(&spec::without_exceptions(body));
                assert_eq!(mistakes, [""; 0], "{label}");
                assert_eq!(body["model"], id, "{label}");
                assert_eq!(shown["headers"].get(LITE), None, "{label}");
                // Both backends are OpenAI's, which cache developer messages at the head of the input.
                assert_eq!(body.get("instructions"), None, "{label}");
                let in_input = way == "chatgpt" && model["lite"] == true;
                let head = usize::from(in_input && with_tools);
                assert_eq!(body["input"][head]["role"], "developer", "{label}");
                assert_eq!(items(body, "additional_tools").len(), head, "{label}");
                let parallel = with_tools.then_some(true);
                assert_eq!(body["parallel_tool_calls"].as_bool(), parallel, "{label}");
                assert_eq!(body["reasoning"].get("context"), None, "{label}");
                let offered = ["bash", "read", "edit", "write"];
                let offered = if with_tools { &offered[..] } else { &[] };
                assert_eq!(tools(body), offered, "{label}");

                let said = |part: &str, name: &str| body[part][name].as_str().map(str::to_owned);
                let own = |name: &str| model[name].as_str().map(str::to_owned);
                let set = |word: &str| with_all.then(|| word.to_owned());
                let effort = set("high").or_else(|| own("effort"));
                assert_eq!(said("reasoning", "effort"), effort, "{label}");
                assert_eq!(said("reasoning", "summary"), set("auto"), "{label}");
                let verbosity = set("high").or_else(|| own("verbosity"));
                assert_eq!(said("text", "verbosity"), verbosity, "{label}");
                let pictures = pictures(body);
                let takes = with_all && listed(&model["inputs"], "image");
                assert_eq!(pictures.len(), usize::from(takes), "{label}");
                let detail = Some(model["detail"].as_str().unwrap_or("auto"));
                for picture in pictures {
                    assert_eq!(
                        picture.get("detail").and_then(Value::as_str),
                        detail,
                        "{label}"
                    );
                }
            }
        });
    }
}

#[test]
fn every_model_completes_a_task_with_an_image_and_a_tool() {
    for way in WAYS {
        each(models(way), 4, |model| {
            let id = model["id"].as_str().expect("an id");
            let server = Server::start([Reply::items([bash("echo out")]), Reply::text("done")]);
            let home = home_for(way);
            home.file("a.png", PNG);
            let args = ["run", "-s", "danger-full-access", "-e", "high"];
            let cmd = home.codex(&server).args(args);
            let ran = cmd.args(["-i", "a.png", "-m", id, "look"]).run();
            ran.exits(0).stdout("done\n");

            let requests = server.requests();
            assert_eq!(requests.len(), 2, "{way} {id}: {}", server.log());
            for request in &requests {
                let body = request.json();
                let mistakes = spec::mistakes(&spec::without_exceptions(&body));
                assert_eq!(mistakes, [""; 0], "{way} {id}: {body:#}");
                assert_eq!(request.header(LITE), None, "{way} {id}");
                assert_eq!(body["reasoning"]["effort"], "high", "{way} {id}");
                let takes = listed(&model["inputs"], "image");
                assert_eq!(pictures(&body).len(), usize::from(takes), "{way} {id}");
            }
            let body = requests[1].json();
            let outputs = items(&body, "function_call_output");
            let said = outputs.iter().map(|item| item["output"].as_str());
            let said: Vec<&str> = said.flatten().collect();
            assert!(
                said.len() == 1 && said[0].starts_with("out\n"),
                "{way} {id}: {said:?}"
            );
        });
    }
}

#[test]
fn requests_are_small_for_every_model() {
    let size = |home: &Home, args: &[&str]| {
        let mut cmd = home.offline();
        cmd.command.args(["run", "--dry-run"]).args(args).arg("hi");
        let text = cmd.run().exits(0).text();
        let mut lines = text.lines();
        let body = lines.find_map(|line| line.strip_prefix("  \"body\": "));
        body.expect("the body on its own line").len()
    };
    for (home, name) in [
        (Home::with_token(), "a token"),
        (Home::with_key(), "a key"),
        (Home::new(), "nothing"),
    ] {
        // Each sandbox mode has its own text in the instructions.
        for mode in ["read-only", "workspace-write", "danger-full-access"] {
            let bytes = size(&home, &["-s", mode]);
            assert!((1000..3000).contains(&bytes), "{name}, {mode}: {bytes}");
        }
        let bytes = size(&home, &[]);
        assert!((1000..3000).contains(&bytes), "{name}: {bytes}");
        let bytes = size(&home, &["--no-tools"]);
        assert!((100..600).contains(&bytes), "{name}: {bytes}");
    }
}
