//! `codex exec`, with what scripts and the official SDK pass.

use std::io::Write;

use serde_json::{Value, json};

use crate::home::{CommandOutput, Home, finish, until};
use crate::sessions::{file, files, id};
use crate::standin::{Item, Reply, Server};
use crate::stops::TERM;
use crate::tools::bash;

/// An image of one pixel.
const GIF: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";

fn exec(home: &Home, server: &Server, args: &[&str]) -> CommandOutput {
    let mut cmd = home.codex(server).args(["exec"]);
    cmd.command.args(args);
    cmd.run()
}

/// The body of the last request.
fn last(server: &Server) -> Value {
    server.requests().last().expect("a request").json()
}

fn said(body: &Value) -> String {
    let items = body["input"].as_array().expect("items");
    let text = &items[items.len() - 1]["content"][0]["text"];
    text.as_str().expect("a text").to_owned()
}

#[test]
fn the_prompt_is_an_argument_or_standard_input() {
    for args in [
        vec!["exec"],
        vec!["exec", "-"],
        vec!["exec", "--experimental-json"],
    ] {
        let server = Server::start([Reply::text("hello")]);
        let mut cmd = Home::with_key().codex(&server);
        cmd.command.args(&args);
        cmd.input("from a pipe").run().exits(0);
        assert_eq!(said(&last(&server)), "from a pipe", "{args:?}");
    }
    let server = Server::start([Reply::text("hello")]);
    exec(&Home::with_key(), &server, &["two", "words"])
        .exits(0)
        .stdout("hello\n");
    assert_eq!(said(&last(&server)), "two words");
}

#[test]
fn flags_may_precede_and_follow_resume() {
    let home = Home::with_key();
    let server = Server::start([Reply::text("first")]);
    exec(&home, &server, &["begin"]).exits(0);
    let id = id(&file(&home));
    let image = home.file("p.gif", GIF).display().to_string();
    for args in [
        vec!["resume", &id, "go on"],
        vec!["resume", "--last", "go on"],
        vec!["resume", "go on", "--last"],
        vec!["--last", "resume", "go on"],
        vec!["--json", "-s", "read-only", "resume", &id, "go on"],
        vec!["resume", "--json", &id, "--skip-git-repo-check", "go on"],
        vec![
            "--experimental-json",
            "-m",
            "gpt-5.5",
            "resume",
            &id,
            "go on",
        ],
        vec!["resume", &id, "--image", &image, "go on"],
        vec!["resume", &id, "go on", "--image", &image],
        vec!["--image", &image, "resume", &id, "go on"],
    ] {
        server.push(Reply::text("more"));
        let ran = exec(&home, &server, &args);
        ran.exits(0);
        let body = last(&server);
        assert_eq!(body["prompt_cache_key"], id, "{args:?}");
        assert_eq!(said(&body), "go on", "{args:?}");
        let items = body["input"].as_array().expect("items").clone();
        let parts = items[items.len() - 1]["content"]
            .as_array()
            .expect("parts")
            .clone();
        let pictures = parts.iter().filter(|part| part["type"] == "input_image");
        assert_eq!(
            pictures.count(),
            usize::from(args.contains(&"--image")),
            "{args:?}"
        );
        assert_eq!(files(&home).len(), 1);
    }
    server.push(Reply::text("more"));
    let cmd = home
        .codex(&server)
        .args(["exec", "--experimental-json", "resume", &id]);
    cmd.input("from a pipe").run().exits(0);
    assert_eq!(said(&last(&server)), "from a pipe");
    for args in [
        vec!["resume"],
        vec!["resume", "nonsense", "x"],
        vec!["--last", "x"],
    ] {
        exec(&home, &server, &args).exits(2).stdout("");
    }
}

#[test]
fn each_setting_of_the_official_client_does_what_its_flag_does() {
    // A setting, its place in the request, and its value there.
    let table = [
        ("model=\"gpt-5.5\"", "/model", json!("gpt-5.5")),
        ("model=gpt-5.5", "/model", json!("gpt-5.5")),
        (
            "model_reasoning_effort=\"high\"",
            "/reasoning/effort",
            json!("high"),
        ),
        (
            "model_reasoning_summary='detailed'",
            "/reasoning/summary",
            json!("detailed"),
        ),
        ("model_verbosity=\"low\"", "/text/verbosity", json!("low")),
    ];
    for (setting, place, value) in table {
        for flag in ["-c", "--config"] {
            let server = Server::start([Reply::text("hello")]);
            let args = [flag, setting, "x"];
            exec(&Home::with_key(), &server, &args).exits(0).stderr("");
            assert_eq!(last(&server).pointer(place), Some(&value), "{setting}");
        }
    }
    let server = Server::start([Reply::text("a"), Reply::text("b")]);
    let setting = format!("openai_base_url=\"{}\"", server.api_url());
    let cmd = Home::with_key().offline();
    cmd.args(["exec", "-c", &setting, "x"])
        .run()
        .exits(0)
        .stdout("a\n");
    // A flag overrides a setting.
    let args = ["-c", "model=\"gpt-5.4\"", "-m", "gpt-5.5", "x"];
    exec(&Home::with_key(), &server, &args).exits(0);
    assert_eq!(last(&server)["model"], "gpt-5.5");
    for (setting, searches) in [("live", true), ("cached", true), ("disabled", false)] {
        let server = Server::start([Reply::text("hello")]);
        let setting = format!("web_search=\"{setting}\"");
        let args = ["-m", "gpt-5.5", "-c", &setting, "x"];
        exec(&Home::with_key(), &server, &args).exits(0);
        let tools = last(&server)["tools"].to_string();
        assert_eq!(tools.contains("\"web_search\""), searches, "{tools}");
    }
}

#[test]
fn flags_without_effect_are_reported_on_standard_error() {
    let server = Server::start([Reply::text("hello"), Reply::text("hello")]);
    for form in ["--json", "--experimental-json"] {
        let args = [
            form,
            "--skip-git-repo-check",
            "--thread-source",
            "x",
            "--cyber-access-program",
            "y",
            "--ignore-user-config",
            "--ignore-rules",
            "-c",
            "hide_agent_reasoning=true",
            "-c",
            "approval_policy=\"on-request\"",
            "go",
        ];
        let ran = exec(&Home::with_key(), &server, &args);
        ran.exits(0)
            .says("--skip-git-repo-check")
            .says("hide_agent_reasoning");
        let events = ran.events();
        assert_eq!(events[0]["type"], "thread.started");
        assert!(
            events.iter().all(|event| event["item"]["type"] != "error"),
            "{events:#?}"
        );
    }
}

#[test]
fn settings_cannot_weaken_the_sandbox() {
    let server = Server::start([]);
    let home = Home::with_key();
    for setting in [
        "sandbox_mode=\"danger-full-access\"",
        "sandbox_workspace_write.writable_roots=[\"/\"]",
        "sandbox_workspace_write={network_access=true}",
        "sandbox_permissions=[\"disk-full-read-access\"]",
        "permissions.default=\"x\"",
        "default_permissions=\"x\"",
        "shell_environment_policy.inherit=\"all\"",
        "mcp_servers.x.command=\"sh\"",
        "notify=[\"sh\"]",
        "hooks.x=\"sh\"",
        "sandbox_workspace_write.network_access=1",
        "model_reasoning_effort=\"extreme\"",
        "web_search=\"always\"",
        "novalue",
    ] {
        let ran = exec(&home, &server, &["-c", setting, "x"]);
        let key = setting.split('=').next().unwrap_or_default();
        ran.exits(2).stdout("").says(key);
        if key.starts_with("mcp_servers") {
            ran.says(
                "codex: hint: declare the server in mcp.json, or use `codex run --mcp COMMAND`",
            );
        }
    }
    for flag in ["--nonsense", "--full-autoo", "--oss", "-p"] {
        exec(&home, &server, &[flag, "x"])
            .exits(2)
            .stdout("")
            .says(flag);
    }
    assert_eq!(server.requests().len(), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn full_auto_writes_only_to_the_working_directory() {
    let command = "echo in > inside; echo out > ../outside; echo done";
    for (flag, inside, outside) in [
        ("--full-auto", true, false),
        ("--approve-for-me", true, false),
        ("--json", false, false),
        ("--dangerously-bypass-approvals-and-sandbox", true, true),
    ] {
        let home = Home::with_key();
        let server = Server::start([Reply::items([bash(command)]), Reply::text("done")]);
        exec(&home, &server, &[flag, "x"]).exits(0);
        assert_eq!(home.work().join("inside").exists(), inside, "{flag}");
        assert_eq!(home.root().join("outside").exists(), outside, "{flag}");
    }
}

fn file_of(home: &Home, id: &str) -> std::path::PathBuf {
    let found = files(home).into_iter().find(|file| self::id(file) == id);
    found.expect("a conversation")
}

#[test]
fn fork_continues_a_copy() {
    let home = Home::with_key();
    let server = Server::start([Reply::text("first"), Reply::text("second")]);
    exec(&home, &server, &["begin"]).exits(0);
    let original = id(&file(&home));
    exec(&home, &server, &["fork", &original, "--json", "go", "on"]).exits(0);
    let body = last(&server);
    assert_ne!(body["prompt_cache_key"], original);
    assert_eq!(said(&body), "go on");
    assert!(body["input"].to_string().contains("begin"));
    assert_eq!(files(&home).len(), 2);
    // With --ephemeral, nothing is stored.
    let before = std::fs::read(file_of(&home, &original)).expect("a file");
    for args in [
        ["resume", &original],
        ["resume", "--last"],
        ["fork", &original],
    ] {
        server.push(Reply::text("third"));
        exec(&home, &server, &[&args[..], &["--ephemeral", "x"]].concat()).exits(0);
        assert!(
            last(&server)["input"].to_string().contains("begin"),
            "{args:?}"
        );
    }
    assert_eq!(files(&home).len(), 2);
    assert_eq!(
        std::fs::read(file_of(&home, &original)).expect("a file"),
        before
    );
    exec(&home, &server, &["fork"]).exits(2).says("needs an id");
    exec(&home, &server, &["review"])
        .exits(2)
        .says("`codex exec review` is not supported");
}

#[test]
fn what_has_no_meaning_here_is_noted_or_refused_by_name() {
    let server = Server::start([Reply::text("hello")]);
    let home = Home::with_key();
    let flags = [
        "--strict-config",
        "--trust",
        "--dangerously-bypass-hook-trust",
    ];
    let values = ["--enable", "a", "--enable", "b", "--disable", "c", "hi"];
    let ran = exec(&home, &server, &[&flags[..], &values].concat());
    ran.exits(0).stdout("hello\n");
    for flag in flags.into_iter().chain(["--enable", "--disable"]) {
        ran.says(flag);
    }
    for flag in [
        "--oss",
        "--profile",
        "-p",
        "--remote",
        "--worktree",
        "--all",
    ] {
        let ran = exec(&home, &server, &[flag, "x"]);
        ran.exits(2)
            .stdout("")
            .says(&format!("codex: {flag} is not supported: "));
        assert!(ran.stderr.contains("codex: hint: "), "{}", ran.stderr);
    }
    let version = exec(&home, &server, &["--version"]).exits(0).text();
    assert!(version.starts_with("codex-run "), "{version}");
    let help = exec(&home, &server, &["help"]).exits(0).text();
    assert!(help.contains("--skip-git-repo-check"), "{help}");
    assert_eq!(server.requests().len(), 1);
}

/// The SDK ends a run by SIGTERM and would take a last line for the cause of a stop that it requested itself.
#[test]
fn a_run_stopped_by_the_sdk_has_no_last_line() {
    for stall in [0, 1200] {
        let server = Server::start([Reply::text("partial answer").stall_at(stall)]);
        let args = ["exec", "--experimental-json", "x"];
        let child = Home::with_key().codex(&server).args(args).start();
        until("a request comes", || !server.requests().is_empty());
        child.signal(TERM);
        let ran = finish(child, "codex exec --experimental-json x".to_owned());
        let events = ran.ends_by(TERM).events();
        let kinds: Vec<&Value> = events.iter().map(|event| &event["type"]).collect();
        assert_eq!(kinds[..2], ["thread.started", "turn.started"]);
        let is_end = |kind: &&Value| **kind == "error" || **kind == "turn.failed";
        assert!(!kinds.iter().any(is_end), "{kinds:?}");
    }
}

#[test]
fn a_usage_error_does_not_break_the_pipe_of_the_prompt() {
    let prompt = "word ".repeat(400_000);
    for flags in [
        vec!["--nonsense"],
        vec!["-c", "sandbox_mode=\"danger-full-access\""],
        vec!["--model", "gpt-5.5", "--cd", "none"],
        vec!["resume", "nonsense"],
    ] {
        let server = Server::start([]);
        let mut cmd = Home::with_key()
            .codex(&server)
            .args(["exec", "--experimental-json"]);
        cmd.command.args(&flags);
        let mut child = cmd.piped().start();
        let mut stdin = child.stdin.take().expect("a pipe");
        let written = stdin.write_all(prompt.as_bytes());
        drop(stdin);
        assert!(written.is_ok(), "{flags:?}: {written:?}");
        let ran = finish(child, "codex exec --experimental-json".to_owned());
        let events = ran.exits(2).events();
        assert_eq!(events[events.len() - 1]["error"]["code"], "usage");
        assert_eq!(server.requests().len(), 0);
    }
}

#[test]
fn the_format_of_the_sdk_is_the_format_of_json() {
    let kinds = |form: &str| {
        let replies = [
            Reply::items([Item::reasoning("x"), bash("true")]),
            Reply::text("done"),
        ];
        let server = Server::start(replies);
        let args = [form, "--dangerously-bypass-approvals-and-sandbox", "x"];
        let ran = exec(&Home::with_key(), &server, &args);
        let events = ran.exits(0).events();
        events.iter().map(crate::reader::short).collect::<Vec<_>>()
    };
    assert_eq!(kinds("--json"), kinds("--experimental-json"));
}
