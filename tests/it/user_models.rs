//! User-defined models, from `models.json`: each has the properties given in the file, and they are listed with those of
//! the service.

use serde_json::{Value, json};

use crate::catalogue::PNG;
use crate::home::Home;
use crate::providers::{ask, home_of, only, server, write_box};
use crate::shapes::write_models;
use crate::standin::{Reply, Server};

#[test]
fn a_model_has_the_properties_given_in_models_json() {
    let check = |model: &Value, flags: &[&str], note: &str, sent: &[(&str, Value)]| {
        let server = server([Reply::text("ok")]);
        let home = home_of(&server, &json!({"models": [model]}));
        home.file("a.png", PNG);
        ask(&home, "box/small", flags)
            .exits(0)
            .stdout("ok\n")
            .stderr(note);
        let body = only(&server).json();
        for (place, value) in sent {
            let found = body.pointer(place).unwrap_or(&Value::Null);
            assert_eq!(found, value, "{model} {flags:?} {place}: {body:#}");
        }
    };
    let (none, image) = (|| json!(null), ["-i", "a.png"]);
    let picture = "/input/0/content/1/type";
    let reported =
        |words: &str| format!("codex: small does not support all requested settings: {words}\n");
    // Nothing is taken for granted.
    check(
        &json!({"id": "small"}),
        &["-e", "high"],
        &reported("effort high is omitted"),
        &[
            ("/max_output_tokens", none()),
            ("/reasoning", none()),
            ("/include", none()),
        ],
    );
    check(
        &json!({"id": "small"}),
        &image,
        &reported("the image is omitted"),
        &[(picture, none())],
    );
    check(
        &json!({"id": "small", "input": ["text", "image"]}),
        &image,
        "",
        &[
            (picture, json!("input_image")),
            ("/input/0/content/1/detail", json!("auto")),
        ],
    );
    check(
        &json!({"id": "small", "maxTokens": 2048}),
        &[],
        "",
        &[("/max_output_tokens", json!(2048))],
    );
    let thinks = json!({"id": "small", "reasoning": true, "efforts": ["low", "medium"]});
    check(
        &thinks,
        &["-e", "high"],
        &reported("effort high is replaced by medium (it supports effort low, medium)"),
        &[
            ("/reasoning/effort", json!("medium")),
            ("/include/0", json!("reasoning.encrypted_content")),
        ],
    );
    check(
        &thinks,
        &["-e", "low"],
        "",
        &[("/reasoning/effort", json!("low"))],
    );
    check(
        &json!({"id": "small", "shape": "lite"}),
        &[],
        "",
        &[
            ("/instructions", none()),
            ("/input/0/role", json!("developer")),
        ],
    );
}

#[test]
fn the_cost_is_reported_and_the_context_window_enforced() {
    let server = server([Reply::text("ok")]);
    let model = json!({"id": "small", "contextWindow": 1000, "cost": {"input": 1_000_000, "output": 2_000_000}});
    let home = home_of(&server, &json!({"models": [model]}));
    let ran = ask(&home, "box/small", &["-v"]);
    let words: Vec<&str> = ran.exits(0).stderr.split_whitespace().collect();
    let count = |what: &str| -> u32 {
        let place = words.iter().position(|word| *word == what);
        let number = words[place.expect("it is reported") - 1];
        number.parse().expect("a number")
    };
    let dollars = count("tokens") + 2 * count("out");
    ran.says(&format!("${dollars}.00"));

    let ran = ask(&home, "box/small", &[&"word ".repeat(1000)]);
    ran.exits(1)
        .stdout("")
        .says("the request is too long")
        .says("but the model accepts 1,000");
    assert_eq!(server.connections(), 1, "nothing more was sent");
}

#[test]
fn user_defined_models_are_listed_without_a_sign_in() {
    let server = server([]);
    let home = Home::new();
    write_box(
        &home,
        &server.api_url(),
        &json!({"apiKey": "!touch ran", "models": [{"id": "small"}, {"id": "a/b"}]}),
    );
    let ran = home.offline().args(["models", "--json"]).run();
    ran.says("you are not signed in");
    let printed: Value = serde_json::from_str(&ran.exits(0).text()).expect("JSON");
    let models = printed["models"].as_array().expect("models");
    let ids: Vec<&Value> = models.iter().map(|model| &model["id"]).collect();
    assert_eq!(ids, ["box/small", "box/a/b"]);
    assert!(
        models
            .iter()
            .all(|model| model["usable"] == true && model["default"] == false)
    );
    assert!(!home.work().join("ran").exists(), "the command was run");
    assert_eq!(server.connections(), 0);
}

#[test]
fn overrides_of_a_service_model_are_not_sent_to_the_subscription_backend() {
    let server = Server::start([Reply::text("ok")]);
    let home = Home::with_cache_directory();
    let changed = json!({"maxTokens": 2048, "contextWindow": 9000, "name": "Mine"});
    write_models(
        &home,
        &json!({"providers": {"openai-codex": {"modelOverrides": {"gpt-5.5": changed}}}}),
    );
    let run = |prompt: &str| {
        home.codex(&server)
            .args(["run", "--no-tools", "-m", "gpt-5.5", prompt])
            .run()
    };
    run("hi").exits(0).stdout("ok\n").stderr("");
    run(&"word ".repeat(9000)).exits(1).says("accepts 9,000");
    assert_eq!(server.requests().len(), 1);
    let listed = home.models(&server);
    let models = listed["models"].as_array().expect("models").iter();
    let found: Vec<&Value> = models.filter(|model| model["id"] == "gpt-5.5").collect();
    assert_eq!(
        (&found[0]["name"], &found[0]["max_context_window"]),
        (&json!("Mine"), &json!(9000))
    );
}
