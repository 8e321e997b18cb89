//! Settings that a model does not support are clamped, with a note: efforts, summaries, verbosity and images. An unknown
//! model is sent all of them.

use serde_json::json;

use crate::catalogue::PNG;
use crate::home::{CommandOutput, Home};
use crate::shapes::{overrides, write_models};
use crate::standin::{Item, Reply, Script, Server};
use crate::tools::outputs;

/// Each line: flags; the note, if there is one, where `T` stands for the efforts of gpt-5.5 and similar models; and the
/// effort that is sent, if any: without a flag the default in the list. Summaries and images are never accepted here, and
/// verbosity only by spark.
const NOTES: &str = "
    -m gpt-5.5 -e high                           |                                                    | high
    -m gpt-5.5 -e max                            | effort max is replaced by xhigh T                         | xhigh
    -m gpt-5.5 -e minimal                        | effort minimal is replaced by low T                       | low
    -m gpt-5.5 --verbosity high                  | verbosity high is omitted                          | medium
    -m gpt-5.5 --summary auto                    | the summary is omitted                             | medium
    -m gpt-5.5 --summary none                    |                                                    | medium
    -m plain -e high                             | effort high is omitted                             |
    -m gpt-5.3-codex-spark -i a.png              | the image is omitted                               | medium
    -m gpt-5.3-codex-spark -i a.png -i a.png     | the 2 images are omitted                           | medium
    -m gpt-5.3-codex-spark -e max -i a.png       | effort max is replaced by xhigh, the image is omitted T   | xhigh
    -m gpt-5.5 -e max --summary auto             | effort max is replaced by xhigh, the summary is omitted T | xhigh
    -m gpt-5.5 --summary auto --verbosity low    | the summary is omitted, verbosity low is omitted   | medium
";

#[test]
fn settings_that_a_model_does_not_support_are_clamped_with_one_note() {
    let listed = json!([{"slug": "gpt-5.5", "priority": 0, "visibility": "list",
        "supports_reasoning_summary_parameter": false}, {"slug": "plain", "visibility": "list", "priority": 1,
        "supported_reasoning_levels": []}]);
    for line in NOTES.lines().filter(|line| !line.is_empty()) {
        let parts: Vec<&str> = line.split('|').map(str::trim).collect();
        let flags: Vec<&str> = parts[0].split_whitespace().collect();
        let server = Server::start(Script::replies([Reply::text("ok")]).models(listed.clone()));
        let home = Home::with_cache_directory();
        home.file("a.png", PNG);
        home.models(&server);
        let refuses = overrides("openai-codex", "gpt-5.5", &json!({"verbosity": false}));
        write_models(&home, &refuses);
        let mut cmd = home.codex(&server).args(["run", "--no-tools"]);
        cmd.command.args(&flags).arg("hi");
        let ran = cmd.run();
        let note = parts[1].replace(" T", " (it supports effort low, medium, high, xhigh)");
        let expected = match &*note {
            "" => String::new(),
            note => format!(
                "codex: {} does not support all requested settings: {note}\n",
                flags[1]
            ),
        };
        ran.exits(0).stdout("ok\n").stderr(&expected);
        let body = server.requests()[0].json();
        let effort = body["reasoning"]["effort"].as_str().unwrap_or_default();
        assert_eq!(effort, parts[2], "{line}: {body:#}");
        assert!(body["reasoning"]["summary"].is_null(), "{line}: {body:#}");
        let verbosity = match flags[1] {
            "gpt-5.3-codex-spark" => json!("low"),
            _ => json!(null),
        };
        assert_eq!(body["text"]["verbosity"], verbosity, "{line}: {body:#}");
        assert!(
            !body.to_string().contains("input_image"),
            "{line}: {body:#}"
        );
    }
}

/// What the list says about a model is valid as long as the list is cached.
#[test]
fn a_setting_that_the_list_rules_out_is_clamped_by_the_cached_list() {
    for (said, note, sent) in [
        (true, "", json!("high")),
        (
            false,
            "codex: gpt-5.5 does not support all requested settings: verbosity high is omitted\n",
            json!(null),
        ),
    ] {
        let listed = json!([{"slug": "gpt-5.5", "priority": 0, "visibility": "list", "support_verbosity": said}]);
        let server = Server::start(Script::replies([Reply::text("ok")]).models(listed));
        let home = Home::with_cache_directory();
        home.models(&server);
        let args = ["run", "--no-tools", "--verbosity", "high", "hi"];
        home.codex(&server).args(args).run().exits(0).stderr(note);
        assert_eq!(server.requests()[0].json()["text"]["verbosity"], sent);
    }
}

#[test]
fn an_image_read_by_a_tool_becomes_text_for_a_model_without_image_input() {
    let read = || Reply::items([Item::call("read", json!({"path": "a.png"}))]);
    for (model, sees) in [("gpt-5.3-codex-spark", false), ("gpt-5.4", true)] {
        let server = Server::start([read(), Reply::text("done")]);
        let home = Home::with_cache_directory();
        home.file("a.png", PNG);
        let args = ["run", "-s", "danger-full-access", "-m", model, "look"];
        home.codex(&server)
            .args(args)
            .run()
            .exits(0)
            .stdout("done\n");
        let body = server.requests()[1].json().to_string();
        assert_eq!(body.contains("input_image"), sees, "{body}");
        if !sees {
            let notes = outputs(&server);
            assert!(
                notes[0].contains("a.png: image/png")
                    && notes[0].contains("this model accepts only text"),
                "{notes:?}"
            );
        }
    }
}

#[test]
fn ultra_is_refused_as_an_effort() {
    for (model, level) in [
        ("gpt-6.1-sol", "xhigh"),
        ("gpt-6-sol", "max"),
        ("gpt-5.5", "xhigh"),
        ("gpt-x", "max"),
    ] {
        for home in [Home::with_token(), Home::with_key()] {
            let server = Server::start([]);
            let ran = home
                .codex(&server)
                .args(["run", "-m", model, "-e", "ultra", "hi"])
                .run();
            ran.exits(2)
                .stdout("")
                .says("effort ultra is not supported")
                .says(&format!("use -e {level}\n"));
            assert_eq!(server.connections(), 0);
        }
    }
    // A word that is similar to none is reported with all valid ones.
    let ran = Home::with_token()
        .offline()
        .args(["run", "-e", "hihg", "hi"])
        .run();
    ran.exits(2).says("did you mean high?");
}

/// The message without its destination, which is only mentioned if there is a choice.
pub(crate) fn without_host(ran: &CommandOutput, server: &Server) -> String {
    let url = server.url();
    let host = format!(" to {}", url.trim_start_matches("http://"));
    ran.stderr.replace(&host, "")
}

#[test]
fn an_unknown_model_id_is_sent_unchanged() {
    let server = Server::start(vec![Reply::text("ok"); 5]);
    let run = |home: &Home, model: &str, more: &[&str]| {
        let mut cmd =
            home.codex(&server)
                .args(["run", "--no-tools", "-e", "max", "-m", model, "hi"]);
        cmd.command.args(more);
        let ran = cmd.run();
        ran.exits(0).stdout("ok\n");
        let body = server.requests().pop().expect("a request").json();
        assert_eq!(
            (&body["model"], &body["reasoning"]["effort"]),
            (&json!(model), &json!("max"))
        );
        without_host(&ran, &server)
    };
    let home = Home::with_cache_directory();
    assert_eq!(
        run(&home, "gpt-5.6-soll", &[]),
        "codex: gpt-5.6-soll is not in the list of models; it is sent unchanged; the nearest is gpt-5.6-sol\n"
    );
    let notes = "codex: brandnew is not in the list of models; it is sent unchanged\n";
    assert_eq!(run(&home, "brandnew", &[]), notes);
    assert_eq!(run(&home, "brandnew", &["-q"]), "");
    // There is no list for a server that replaces the API.
    assert_eq!(run(&Home::with_key(), "gpt-5.6-soll", &[]), "");
    // It is known, although it is no longer in the list.
    server.relist(json!([{"slug": "gpt-5.5", "priority": 0, "visibility": "list"}]));
    home.codex(&server).args(["models"]).run().exits(0);
    server.push(Reply::text("ok"));
    assert_eq!(run(&home, "gpt-5.6-sol", &[]), "");
}
