//! User-defined programs as tools.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::home::{Home, KEY};
use crate::standin::{Item, Reply, Server};
use crate::tools::called;

const LOOKUP: &str = r#"#!/bin/sh
arguments=$(cat)
echo "got $arguments in $(basename "$PWD")"
echo "looking" >&2
case $arguments in *fail*) exit 3 ;; *write*) echo x > "$PWD/written" && echo wrote ;; *env*) env ;; esac
"#;

fn manifest() -> Value {
    json!({
        "name": "lookup",
        "description": "Look a ticket up",
        "parameters": {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]},
        "command": ["./lookup.sh"],
        "env": ["TICKETS_URL"],
    })
}

/// Puts the tool into this directory.
fn put(directory: &Path, manifest: &Value) -> PathBuf {
    fs::create_dir_all(directory).expect("a directory");
    let program = directory.join("lookup.sh");
    fs::write(&program, LOOKUP).expect("a file");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let path = directory.join("lookup.json");
    fs::write(&path, manifest.to_string()).expect("a file");
    path
}

fn lookup(arguments: Value) -> Item {
    Item::call("lookup", arguments)
}

#[test]
fn a_program_is_a_tool_wherever_its_manifest_is() {
    let home = Home::with_key()
        .env("TICKETS_URL", "http://tickets")
        .env("MY_TOKEN", KEY);
    let folder = home.root().join(".codex-run/tools");
    put(&folder, &manifest());
    fs::write(home.root().join(".codex-run/auth.json"), "{}\n").expect("a file");
    let calls = || {
        vec![
            lookup(json!({"id": "7"})),
            lookup(json!({"id": "fail"})),
            lookup(json!({"id": "env"})),
        ]
    };
    let check = |flags: &[&str]| {
        let (ran, outputs) = called(&home, flags, calls());
        assert_eq!(outputs[0], "got {\"id\":\"7\"} in work\n");
        assert!(
            outputs[1].starts_with("got {\"id\":\"fail\"} in work\nlooking\n[exit code 3]"),
            "{}",
            outputs[1]
        );
        assert!(
            outputs[2].contains("TICKETS_URL=http://tickets") && !outputs[2].contains(KEY),
            "{}",
            outputs[2]
        );
        ran.says("codex: lookup: {\"id\":\"7\"} (ok, ")
            .says("(exit 3, ");
    };
    check(&[]);
    fs::remove_dir_all(&folder).expect("it is ours");
    let path = put(&home.root().join("mine"), &manifest())
        .display()
        .to_string();
    check(&["--tool", &path]);
    check(&["--tools", "read", "--tool", &path]);
    check(&["-s", "danger-full-access", "--tool", &path]);
}

#[test]
fn a_tool_is_offered_with_the_description_in_its_manifest() {
    let home = Home::with_key();
    let path = put(&home.root().join("mine"), &manifest())
        .display()
        .to_string();
    let names = |flags: &[&str]| {
        let mut cmd = home.offline().args(["run", "--dry-run", "--tool", &path]);
        cmd.command.args(flags).arg("x");
        let shown: Value = serde_json::from_str(&cmd.run().exits(0).text()).expect("JSON");
        let tools = shown["body"]["tools"].as_array().expect("tools").clone();
        assert_eq!(
            tools.last().map(|tool| &tool["parameters"]),
            Some(&manifest()["parameters"])
        );
        let names = tools
            .iter()
            .map(|tool| tool["name"].as_str().expect("a name").to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(names(&[]), ["bash", "read", "edit", "write", "lookup"]);
    assert_eq!(names(&["--tools", "lookup"]), ["lookup"]);
    assert_eq!(names(&["--tools", "ls,read"]), ["ls", "read", "lookup"]);
}

#[test]
fn a_tool_has_no_more_permissions_than_the_run() {
    let home = Home::with_key();
    let mut greedy = manifest();
    greedy["write"] = json!(true);
    let modest = put(&home.root().join("modest"), &manifest())
        .display()
        .to_string();
    let greedy = put(&home.root().join("greedy"), &greedy)
        .display()
        .to_string();
    let written = home.work().join("written");
    let check = |flags: &[&str], path: &str, expected: bool| {
        let _ = fs::remove_file(&written);
        let flags = [flags, &["--tool", path]].concat();
        let outputs = called(&home, &flags, vec![lookup(json!({"id": "write"}))]).1;
        assert_eq!(written.exists(), expected, "{flags:?}: {}", outputs[0]);
        assert_eq!(outputs[0].contains("wrote"), expected);
    };
    check(&[], &modest, false);
    check(&[], &greedy, false);
    check(&["-s", "workspace-write"], &modest, false);
    check(&["-s", "workspace-write"], &greedy, true);
}

#[test]
fn arguments_are_validated_before_the_program_starts() {
    let home = Home::with_key();
    let path = put(&home.root().join("mine"), &manifest())
        .display()
        .to_string();
    let calls = vec![
        lookup(json!({})),
        lookup(json!({"id": 7})),
        Item::call("lookup", "{\"id\":"),
        lookup(json!([])),
    ];
    let (ran, outputs) = called(&home, &["--tool", &path], calls);
    for (outputs, words) in outputs.iter().zip([
        "the arguments do not match: \"id\" is missing.",
        "the arguments do not match at /id: it is a number, not string.",
        "the arguments are not JSON: EOF while parsing a value at line 1 column 6.",
        "the arguments do not match: it is an array, not object.",
    ]) {
        assert!(outputs.starts_with(words), "{outputs}");
    }
    ran.says("codex: lookup: {} (bad arguments, 0 ms)");
}

#[test]
fn a_tool_ends_at_its_time_limit() {
    let home = Home::with_key();
    let mut slow = manifest();
    slow["command"] = json!(["sh", "-c", "echo begun; sleep 60"]);
    slow["timeout"] = json!("2s");
    let path = put(&home.root().join("mine"), &slow).display().to_string();
    let (ran, outputs) = called(&home, &["--tool", &path], vec![lookup(json!({"id": "7"}))]);
    assert!(
        outputs[0].starts_with("begun\n[timed out after 2 s"),
        "{}",
        outputs[0]
    );
    ran.says("(timeout, ");
}

#[test]
fn an_invalid_manifest_is_exit_2_with_its_position() {
    let home = Home::with_key();
    let folder = home.root().join("mine");
    let check = |from: &str, to: &str, words: &str| {
        let path = put(&folder, &manifest());
        let text = serde_json::to_string_pretty(&manifest()).expect("JSON");
        assert!(text.contains(from), "{text}");
        fs::write(&path, text.replacen(from, to, 1)).expect("a file");
        let path = path.display().to_string();
        let ran = home.offline().args(["run", "--tool", &path, "x"]).run();
        ran.exits(2).stdout("").says(&words.replace("FILE", &path));
    };
    check(
        "\"lookup\"",
        "\"look up\"",
        "cannot use the tool in FILE:9:11: a name must be 1 to 64 letters, digits, - or _",
    );
    check(
        "\"lookup\"",
        "\"bash\"",
        "FILE:9:11: there is already a tool named bash",
    );
    check(
        "./lookup.sh",
        "./gone.sh",
        "FILE:2:14: there is no program ",
    );
    check(
        "./lookup.sh",
        "no-such-program",
        "FILE:2:14: there is no program no-such-program",
    );
    check(
        "\"env\"",
        "\"evn\"",
        "unknown field in FILE:6:3: \"evn\"; did you mean env?",
    );
    check(
        "TICKETS_URL",
        "CODEX_API_KEY",
        "FILE:6:10: CODEX_API_KEY is reserved for codex-run and never passed to tools",
    );
    check(
        "\"name\": \"lookup\",",
        "",
        "FILE:1:1: the field \"name\" is missing",
    );
    check(
        "\"description\"",
        "description",
        "FILE:5:3: key must be a string",
    );
    home.offline()
        .args(["run", "--tool", "gone.json", "x"])
        .run()
        .exits(2)
        .says("cannot read gone.json, named by --tool");
    let ran = home
        .offline()
        .args(["run", "--no-tools", "--tool", "x.json", "x"])
        .run();
    ran.exits(2)
        .says("--tool and --no-tools are mutually exclusive");
    // An invalid manifest in the home stops every run that offers tools.
    put(&home.root().join(".codex-run/tools"), &json!({"name": "x"}));
    home.offline()
        .args(["run", "x"])
        .run()
        .exits(2)
        .says("/.codex-run/tools/lookup.json:1:");
    let server = Server::start([Reply::text("done")]);
    home.codex(&server)
        .args(["run", "--no-tools", "x"])
        .run()
        .exits(0);
}

#[test]
fn a_failed_call_can_fail_the_run() {
    let home = Home::with_key();
    let run = |call: Item| {
        let server = Server::start([Reply::items([call]), Reply::text("done")]);
        home.codex(&server)
            .args(["run", "--fail-on", "tool-error", "go"])
            .run()
    };
    let bash = |command: &str| Item::call("bash", json!({"command": command}));
    run(bash("true")).exits(0).stdout("done\n");
    let words = "codex: a tool call failed, and --fail-on tool-error is set";
    for call in [
        bash("exit 3"),
        Item::call("rm", json!({})),
        Item::call("read", "{"),
        Item::call("write", json!({"path": "/x", "content": ""})),
    ] {
        run(call).exits(1).stdout("done\n").says(words);
    }
    home.offline()
        .args(["run", "--fail-on", "nothing", "go"])
        .run()
        .exits(2)
        .says("unknown value for --fail-on: \"nothing\"; use tool-error");
}
