//! User-defined servers, from `models.json`: each receives its own key and nothing else, and its models have the properties
//! given in the file.

use std::fs;

use serde_json::{Value, json};

use crate::clamping::without_host;
use crate::home::{CommandOutput, Home, KEY};
use crate::shapes::write_models;
use crate::standin::{Recorded, Reply, Script, Server, jwt, now_unix};

/// The key of the server. Like all keys, it must not be printed anywhere.
const BOX: &str = "box-invented-9876543210";

/// A server that answers any client.
pub(crate) fn server(replies: impl IntoIterator<Item = Reply>) -> Server {
    Server::start(Script::replies(replies).unchecked())
}

/// A home whose `box` is this server, with these fields besides its address.
pub(crate) fn home_of(server: &Server, fields: &Value) -> Home {
    let (signed_in, _) = Home::signed_in(server);
    let token = jwt("acct-test", now_unix() + 864_000);
    let home = signed_in
        .env("OPENAI_API_KEY", KEY)
        .env("CODEX_API_KEY", KEY);
    let home = home.env("CODEX_ACCESS_TOKEN", &token).env("BOX_KEY", BOX);
    write_box(&home, &server.api_url(), fields);
    home
}

pub(crate) fn write_box(home: &Home, address: &str, fields: &Value) {
    let mut provider = json!({"baseUrl": address, "models": [{"id": "small"}]});
    for (name, value) in fields.as_object().expect("fields") {
        provider[name] = value.clone();
    }
    write_models(home, &json!({"providers": {"box": provider}}));
}

/// Sends a prompt to a model while all other addresses are unreachable.
pub(crate) fn ask(home: &Home, model: &str, more: &[&str]) -> CommandOutput {
    let mut cmd = home
        .offline()
        .args(["run", "--no-tools", "-m", model, "hi"]);
    cmd.command.args(more);
    let ran = cmd.run();
    for text in [ran.text(), ran.stderr.clone()] {
        assert!(!text.contains(BOX), "a key is shown: {text}");
    }
    ran
}

/// The only request.
pub(crate) fn only(server: &Server) -> std::sync::Arc<Recorded> {
    let mut requests = server.requests();
    assert_eq!(
        (requests.len(), server.lists().len()),
        (1, 0),
        "{}",
        server.log()
    );
    requests.pop().expect("one")
}

#[test]
fn a_server_receives_only_its_own_key() {
    let bearer = format!("Bearer {BOX}");
    let printed = format!("!echo '  {BOX} '");
    let keys = [
        BOX,
        "$BOX_KEY",
        "${BOX_KEY}",
        "BOX_KEY",
        "!echo $BOX_KEY",
        // Processes that a key command leaves behind are not waited for.
        "!sleep 20 & echo $BOX_KEY",
        &printed,
    ];
    for key in keys.map(Some).into_iter().chain([None]) {
        let server = server([Reply::text("ok")]);
        let fields = key.map_or(json!({}), |key| json!({"apiKey": key}));
        let home = home_of(&server, &fields);
        ask(&home, "box/small", &[])
            .exits(0)
            .stdout("ok\n")
            .stderr("");
        let request = only(&server);
        assert_eq!(request.path, "/v1/responses");
        assert_eq!(request.json()["model"], "small");
        assert_eq!(
            request.header("authorization"),
            key.map(|_| &*bearer),
            "{key:?}"
        );
        assert_eq!(request.header("chatgpt-account-id"), None);
        let all = format!(
            "{:?} {}",
            request.headers,
            String::from_utf8_lossy(&request.body)
        );
        for secret in [KEY, "eyJ", "rt_"] {
            assert!(!all.contains(secret), "{key:?}: {all}");
        }
    }
}

#[test]
fn an_unavailable_key_is_exit_2() {
    let check = |key: &str, words: &str| {
        let server = server([Reply::text("never")]);
        let home = home_of(&server, &json!({"apiKey": key}));
        let ran = ask(&home, "box/small", &[]);
        ran.exits(2)
            .stdout("")
            .says("the key of box in models.json")
            .says(words);
        assert!(!ran.stderr.contains("printed-by-it"), "{}", ran.stderr);
        assert_eq!(server.connections(), 0, "{key}");
    };
    check("$NO_SUCH_KEY", "the variable NO_SUCH_KEY is not set");
    check("${NO_SUCH_KEY}", "the variable NO_SUCH_KEY is not set");
    check("!false", "its command failed");
    check("!echo printed-by-it; exit 3", "its command failed");
    check("!kill $$", "its command failed");
    check(
        "!no-such-command-anywhere 2> /dev/null",
        "its command failed",
    );
    check("!true", "its command printed no key");
    check("!echo '  '", "its command printed no key");
    // It has no input to wait for.
    check("!cat", "its command printed no key");
    // It may have been ended for that already.
    check("!head -c 100000 /dev/zero | tr '\\0' x", "its command ");
}

#[test]
fn a_key_command_gets_no_other_secret() {
    let server = server([Reply::text("ok")]);
    let home = home_of(
        &server,
        &json!({"apiKey": format!("!env > seen; echo {BOX}")}),
    );
    ask(&home, "box/small", &[]).exits(0);
    let seen = home.read("seen");
    for name in ["CODEX_ACCESS_TOKEN", "CODEX_API_KEY", "OPENAI_API_KEY"] {
        assert!(!seen.contains(name), "{seen}");
    }
    assert!(
        !seen.contains(KEY) && seen.contains(&format!("BOX_KEY={BOX}")),
        "{seen}"
    );
}

#[test]
fn a_dry_run_runs_no_key_command_and_shows_a_placeholder() {
    let server = server([]);
    for (key, signed) in [
        (None, false),
        (Some("!touch ran; echo key"), true),
        (Some(BOX), true),
        (Some("$BOX_KEY"), true),
    ] {
        let fields = key.map_or(json!({}), |key| json!({"apiKey": key}));
        let home = home_of(&server, &fields);
        let ran = ask(&home, "box/small", &["--dry-run"]);
        let shown: Value = serde_json::from_str(&ran.exits(0).text()).expect("JSON");
        assert_eq!(shown["url"], format!("{}/responses", server.api_url()));
        assert!(!home.work().join("ran").exists(), "the command was run");
        let expected = if signed {
            json!("Bearer ***")
        } else {
            json!(null)
        };
        assert_eq!(
            shown["headers"]["authorization"], expected,
            "{key:?}: {shown:#}"
        );
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_server_with_an_unsupported_api_is_refused() {
    for (api, code) in [
        ("openai-completions", 2),
        ("anthropic-messages", 2),
        ("openai-responses", 0),
    ] {
        let server = server([Reply::text("ok")]);
        let home = home_of(&server, &json!({"api": api}));
        let ran = ask(&home, "box/small", &[]);
        ran.exits(code);
        if code == 2 {
            ran.stdout("")
                .says(&format!("box: its protocol is {api}"))
                .says("codex: hint: ");
        }
        assert_eq!(server.requests().len(), usize::from(code == 0), "{api}");
    }
}

#[test]
fn an_unusable_address_is_reported_with_its_position() {
    let home = Home::with_key();
    for (address, why) in [
        ("http://example.com/v1", "would send the secret unencrypted"),
        ("http://10.0.0.1/v1", "would send the secret unencrypted"),
        ("ftp://127.0.0.1/v1", "it is not an https:// address"),
        ("box", "it is not an https:// address"),
        ("", "it is not an https:// address"),
        (
            "https://me:hidden-word@example.com",
            "it contains a user name or a password",
        ),
        ("https://example.com/v1?x=y", "it contains a ? or a #"),
    ] {
        fs::create_dir_all(home.own()).expect("a directory");
        let text = format!(
            "{{ // mine\n  \"providers\": {{\n    \"box\": {{\"baseUrl\": \"{address}\"}},\n  }},\n}}\n"
        );
        let file = home.own().join("models.json");
        fs::write(&file, text).expect("a file");
        let place = format!("\"baseUrl\" in {}:3:24: ", file.display());
        let ran = ask(&home, "box/small", &[]);
        ran.exits(2)
            .stdout("")
            .says(&place)
            .says(why)
            .says("codex: hint: ");
        assert!(!ran.stderr.contains("hidden-word"), "{}", ran.stderr);
        // Runs with other models are not affected.
        home.offline()
            .args(["run", "--dry-run", "hi"])
            .run()
            .exits(0)
            .stderr("");
    }
}

#[test]
fn only_the_part_before_the_first_slash_names_a_server() {
    let one = server(vec![Reply::text("one"); 4]);
    let service = Server::start(vec![Reply::text("service"); 4]);
    let home = Home::with_key();
    write_models(
        &home,
        &json!({"providers": {
            "router": {"baseUrl": one.api_url(), "models": [{"id": "a/b"}, {"id": "ab"}]},
            "bare": {"baseUrl": one.api_url()},
            "openai": {"modelOverrides": {"gpt-5.5": {"contextWindow": 5000}}},
        }}),
    );
    let check = |model: &str, answer: &str, sent: &str, note: &str| {
        let ran = home
            .codex(&service)
            .args(["run", "--no-tools", "-m", model, "hi"])
            .run();
        ran.exits(0).stdout(answer);
        let asked = if answer == "one\n" { &one } else { &service };
        assert_eq!(without_host(&ran, asked), note, "{model}");
        assert_eq!(
            asked.requests().pop().expect("a request").json()["model"],
            sent
        );
    };
    check("router/a/b", "one\n", "a/b", "");
    let note =
        "codex: a/c is not among the models of router; it is sent unchanged; the nearest is a/b\n";
    check("router/a/c", "one\n", "a/c", note);
    check("bare/a/b", "one\n", "a/b", "");
    // The name of a server may be misspelt.
    let note = "codex: other/a is not in the list of models; it is sent unchanged\n";
    check("other/a", "service\n", "other/a", note);
    check("openai/gpt-5.5", "service\n", "gpt-5.5", "");
    // Wherever the model is named.
    let ran = home
        .codex(&service)
        .env("CODEX_MODEL", "router/a/b")
        .args(["run", "--no-tools", "hi"])
        .run();
    ran.exits(0).stdout("one\n");
    fs::write(home.own().join("config.json"), r#"{"model": "router/ab"}"#).expect("a file");
    let ran = home.codex(&service).args(["run", "--dry-run", "hi"]).run();
    assert!(
        ran.exits(0).text().contains(&one.api_url()),
        "{}",
        ran.text()
    );
}

#[test]
fn a_key_echoed_in_a_refusal_is_not_shown() {
    for status in [400, 401, 403] {
        let body = json!({"error": {"message": format!("what is {BOX}?"), "code": "no"}});
        let server = server([Reply::json(status, &body)]);
        let home = home_of(
            &server,
            &json!({"apiKey": "$BOX_KEY", "headers": {"x-a": "b"}}),
        );
        let ran = ask(&home, "box/small", &[]);
        assert!(
            !ran.status.success() && ran.stderr.contains("what is "),
            "{}",
            ran.stderr
        );
        ran.stdout("")
            .says("the \"headers\" of box in models.json are not sent");
        assert_eq!(only(&server).header("x-a"), None);
    }
}
