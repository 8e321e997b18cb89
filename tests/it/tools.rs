//! The calls of a model: how they run, and what is sent back.

use serde_json::{Value, json};

use crate::home::{CommandOutput, Home, KEY};
use crate::standin::{Item, Reply, Server};

pub(crate) const RUN: [&str; 4] = ["run", "-s", "danger-full-access", "go"];

/// The output of each call in the last request.
pub(crate) fn outputs(server: &Server) -> Vec<String> {
    let body = server.requests().pop().expect("a request").json();
    let items = body["input"].as_array().expect("items").clone();
    let outputs = items
        .iter()
        .filter(|item| item["type"] == "function_call_output");
    outputs
        .map(|item| item["output"].as_str().expect("a text").to_owned())
        .collect()
}

/// Lets the model make these calls in one answer, and then say `done`.
pub(crate) fn call(home: &Home, calls: Vec<Item>) -> (CommandOutput, Vec<String>) {
    let server = Server::start([Reply::items(calls), Reply::text("done")]);
    let ran = home.codex(&server).args(RUN).run();
    ran.exits(0).stdout("done\n");
    (ran, outputs(&server))
}

/// Lets the model make these calls with these flags; returns the output of the command, and those of the calls.
pub(crate) fn called(
    home: &Home,
    flags: &[&str],
    calls: Vec<Item>,
) -> (CommandOutput, Vec<String>) {
    let server = Server::start([Reply::items(calls), Reply::text("done")]);
    let mut cmd = home.codex(&server).args(["run"]);
    cmd.command.args(flags).arg("go");
    let ran = cmd.run();
    ran.exits(0).stdout("done\n");
    (ran, outputs(&server))
}

/// Lets the model make these calls one after another; returns their outputs.
pub(crate) fn called_in_sequence(home: &Home, flags: &[&str], commands: &[String]) -> Vec<String> {
    let mut replies: Vec<Reply> = commands
        .iter()
        .map(|command| Reply::items([bash(command)]))
        .collect();
    replies.push(Reply::text("done"));
    let server = Server::start(replies);
    let mut cmd = home.codex(&server).args(["run"]);
    cmd.command.args(flags).arg("go");
    cmd.run().exits(0).stdout("done\n");
    outputs(&server)
}

pub(crate) fn bash(command: &str) -> Item {
    Item::call("bash", json!({"command": command}))
}

#[test]
fn a_tool_runs_and_its_output_is_sent_back() {
    let home = Home::with_token();
    let server = Server::start([
        Reply::items([
            Item::reasoning("hm"),
            Item::commentary("Looking."),
            bash("echo out; echo err >&2; exit 3"),
        ]),
        Reply::text("done"),
    ]);
    let ran = home.codex(&server).args(RUN).run();
    ran.exits(0)
        .stdout("Looking.\n\ndone\n")
        .says("codex: bash: echo out; echo err >&2; exit 3 (exit 3, ");
    let output = &outputs(&server)[0];
    assert!(output.starts_with("out\nerr\n[exit code 3]"), "{output}");

    // Items are sent back byte for byte, encrypted reasoning before the item that it produced.
    let requests = server.requests();
    let [first, second] = [&requests[0].body, &requests[1].body]
        .map(|body| String::from_utf8_lossy(body).into_owned());
    let before = first.strip_suffix("]}").expect("input is the last field");
    let added = second
        .strip_prefix(before)
        .expect("the second request begins as the first");
    let log = server.log();
    for item in [
        "\"type\":\"reasoning\"",
        "\"encrypted_content\"",
        "\"phase\":\"commentary\"",
        "\"type\":\"function_call\"",
    ] {
        assert!(added.contains(item), "{item} is not in {added}\n{log}");
    }
}

#[test]
fn twenty_rounds_use_one_connection() {
    for reply in [
        || Reply::items([bash("true")]),
        || Reply::items([bash("true")]).pieces(1),
    ] {
        let mut replies: Vec<Reply> = (0..20).map(|_| reply()).collect();
        replies.push(Reply::text("done"));
        let server = Server::start(replies);
        Home::with_key()
            .codex(&server)
            .args(RUN)
            .run()
            .exits(0)
            .stdout("done\n");
        assert_eq!((server.requests().len(), server.connections()), (21, 1));
    }
}

#[test]
fn a_response_body_that_never_ends_does_not_fail_the_run() {
    let server = Server::start([
        Reply::items([bash("true")]).hold_open(),
        Reply::text("done"),
    ]);
    Home::with_key()
        .codex(&server)
        .args(RUN)
        .run()
        .exits(0)
        .stdout("done\n");
    assert_eq!(server.connections(), 2);
}

#[test]
fn calls_run_concurrently_and_outputs_are_sent_in_order() {
    let home = Home::with_key();
    // Each waits for the one after it, so they must all run concurrently.
    let calls = (0..4).map(|n| {
        let wait = if n == 3 {
            "true".to_owned()
        } else {
            format!("until [ -e f{} ]; do sleep 0.01; done", n + 1)
        };
        bash(&format!("{wait}; echo {n}; touch f{n}"))
    });
    let (_, outputs) = call(&home, calls.collect());
    let first: Vec<&str> = outputs
        .iter()
        .map(|output| output.lines().next().unwrap_or_default())
        .collect();
    assert_eq!(first, ["0", "1", "2", "3"]);
}

#[test]
fn bad_calls_are_results_for_the_model() {
    let home = Home::with_key();
    let calls = vec![
        Item::call("rm", json!({})),
        Item::call("bash", "{\"command\":"),
        Item::call("read", json!({"file": "x"})),
        Item::call("read", json!({"path": "gone"})),
        Item::call("edit", json!({"path": "gone", "edits": []})),
        Item::call("bash", json!({"command": "true", "workdir": "gone"})),
    ];
    let (_, outputs) = call(&home, calls);
    let words = [
        "there is no tool \"rm\"; the tools are: bash, read, edit, write",
        "the arguments are not JSON",
        "unknown field `file`",
        "cannot read gone: No such file",
        "cannot read gone: No such file",
        "workdir gone is not a directory",
    ];
    for (output, words) in outputs.iter().zip(words) {
        assert!(output.contains(words), "{output} does not say {words}");
    }
    assert_eq!(outputs.len(), words.len());
}

#[test]
fn files_are_read_changed_and_written() {
    let home = Home::with_key();
    let path = home.file("a.txt", "one\r\ntwo\r\nthree");
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o751))
        .expect("it is ours");
    std::os::unix::fs::symlink("a.txt", home.work().join("link")).expect("a link");
    let edit = |path: &str, old: &str, new: &str| {
        Item::call(
            "edit",
            json!({"path": path, "edits": [{"old_text": old, "new_text": new}]}),
        )
    };
    let (ran, outputs) = call(
        &home,
        vec![
            edit("link", "two\nthree", "2\n3"),
            Item::call("write", json!({"path": "deep/er/b", "content": "new\n"})),
        ],
    );
    ran.says("codex: edit: link (ok, ")
        .says("codex: write: deep/er/b (ok, ");
    assert_eq!(
        outputs,
        ["changed link in 1 place", "wrote 4 bytes to deep/er/b"]
    );
    assert_eq!(
        (&*home.read("a.txt"), &*home.read("deep/er/b")),
        ("one\r\n2\r\n3", "new\n")
    );
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(&path).expect("it is there").permissions(),
    );
    assert_eq!(mode & 0o777, 0o751);
    assert!(home.work().join("link").is_symlink());
    let (_, outputs) = call(
        &home,
        vec![Item::call(
            "read",
            json!({"path": "a.txt", "offset": 2, "limit": 1}),
        )],
    );
    assert_eq!(
        outputs,
        ["2\r\n[lines 2 to 2 of 3; continue with offset 3]"]
    );
}

#[test]
fn many_edits_of_one_file_in_one_answer_all_take_effect() {
    let home = Home::with_key();
    let names: Vec<String> = (0..24).map(|n| format!("<{n}>")).collect();
    home.file("list", names.join("\n"));
    let edits = names.iter().map(|name| {
        Item::call(
            "edit",
            json!({"path": "list", "edits": [{"old_text": name, "new_text": "done"}]}),
        )
    });
    call(&home, edits.collect());
    assert_eq!(home.read("list"), ["done"; 24].join("\n"));
}

#[test]
fn calls_that_change_files_take_effect_in_order() {
    for _ in 0..5 {
        let home = Home::with_key();
        let edit = |old: &str, new: &str| {
            Item::call(
                "edit",
                json!({"path": "x", "edits": [{"old_text": old, "new_text": new}]}),
            )
        };
        let first = Item::call("write", json!({"path": "x", "content": "a"}));
        call(
            &home,
            vec![first, edit("a", "b"), edit("b", "c"), edit("c", "d")],
        );
        assert_eq!(home.read("x"), "d");
    }
}

#[test]
fn a_tool_has_no_credential_no_terminal_and_no_inherited_descriptor() {
    let home = Home::with_token()
        .env("OPENAI_API_KEY", KEY)
        .env("CODEX_API_KEY", KEY)
        .env("GITHUB_TOKEN", KEY)
        .env("MY_TOKEN", KEY);
    let (_, outputs) = call(
        &home,
        vec![bash(
            "env; ls /proc/self/fd; echo \"[$(cat <&0)]\"; (: < /dev/tty) 2>&1; echo done",
        )],
    );
    let output = &outputs[0];
    assert!(
        !output.contains(KEY) && !output.contains("TOKEN") && !output.contains("eyJ"),
        "{output}"
    );
    assert!(
        output.contains("PATH=") && output.contains("HOME="),
        "{output}"
    );
    assert!(output.contains("[]"), "its input is empty: {output}");
    assert!(output.contains("/dev/tty: No such device"), "{output}");
    // 0, 1 and 2, and the one that ls reads the directory with; nothing that was left open when the tests were started.
    let listed: Vec<&str> = output
        .lines()
        .filter(|line| line.parse::<u32>().is_ok_and(|fd| fd < 1000))
        .collect();
    assert_eq!(listed, ["0", "1", "2", "3"], "{output}");
}

#[test]
fn a_tool_runs_in_the_requested_directory() {
    let home = Home::with_key();
    std::fs::create_dir_all(home.work().join("sub/deep")).expect("a directory");
    let server = Server::start([
        Reply::items([
            bash("pwd"),
            Item::call("bash", json!({"command": "pwd", "workdir": "deep"})),
        ]),
        Reply::text("done"),
    ]);
    home.codex(&server)
        .args(RUN)
        .args(["-C", "sub"])
        .run()
        .exits(0);
    let outputs = outputs(&server);
    assert!(
        outputs[0].starts_with(&format!("{}/sub\n", home.work().display())),
        "{}",
        outputs[0]
    );
    assert!(
        outputs[1].starts_with(&format!("{}/sub/deep\n", home.work().display())),
        "{}",
        outputs[1]
    );
}

#[test]
fn long_output_is_truncated_in_the_middle_and_kept_in_a_file() {
    let home = Home::with_key();
    let server = Server::start([
        Reply::items([bash("seq 1 100000")]),
        Reply::items([bash(
            "wc -c $TMPDIR/output-*.txt; ls -ld $TMPDIR; yes | head -c 100000000",
        )]),
        Reply::text("done"),
    ]);
    home.codex(&server).args(RUN).run().exits(0);
    let outputs = outputs(&server);
    assert!(
        outputs[0].starts_with("1\n2\n") && outputs[0].contains("\n99999\n100000\n[exit code 0"),
        "head and tail"
    );
    assert!(
        outputs[0].contains("of 588895 bytes omitted; the full output is in $TMPDIR/output-1.txt]")
            && outputs[0].len() < 66_000
    );
    assert!(
        outputs[1].starts_with("588895 ") && outputs[1].contains("drwx------"),
        "{}",
        &outputs[1][..200]
    );
    assert!(outputs[1].contains("the first 64 MiB are in $TMPDIR/output-2.txt]"));
    assert_eq!(
        std::fs::read_dir(home.tmp()).expect("a directory").count(),
        0,
        "nothing is left behind"
    );
}

#[test]
fn a_very_long_command_runs() {
    let command = format!(
        "{}\necho \"$#\"; echo end",
        "# 0123456789abcdef\n".repeat(20_000)
    );
    let (_, outputs) = call(&Home::with_key(), vec![bash(&command)]);
    assert!(
        outputs[0].starts_with("0\nend\n[exit code 0"),
        "{}",
        outputs[0]
    );
}

#[test]
fn invalid_utf8_reaches_the_model_as_replacement_characters() {
    let (_, outputs) = call(&Home::with_key(), vec![bash("printf 'a\\0b\\377c'")]);
    assert!(
        outputs[0].starts_with("a\u{fffd}b\u{fffd}c\n[exit code 0"),
        "{}",
        outputs[0]
    );
}

#[test]
fn only_the_named_tools_are_offered() {
    let home = Home::with_key();
    let server = Server::start([Reply::items([bash("true")]), Reply::text("done")]);
    home.codex(&server)
        .args(RUN)
        .args(["--tools", "read, write"])
        .run()
        .exits(0);
    let sent = server.requests()[0].json();
    let names: Vec<&Value> = sent["tools"]
        .as_array()
        .expect("tools")
        .iter()
        .map(|tool| &tool["name"])
        .collect();
    assert_eq!(names, ["read", "write"]);
    assert!(outputs(&server)[0].contains("the tools are: read, write"));
}

#[test]
fn a_tool_can_be_run_by_hand() {
    let home = Home::new();
    let tool = |name: &str, arguments: &str| {
        let cmd = home.offline().args(["tool", name, "-s", "workspace-write"]);
        cmd.input(arguments).run()
    };
    tool("write", r#"{"path":"x","content":"hello\n"}"#)
        .exits(0)
        .stdout("wrote 6 bytes to x\n");
    tool("read", r#"{"path":"x"}"#)
        .exits(0)
        .stdout("hello\n")
        .stderr("");
    tool("read", r#"{"path":"gone"}"#).exits(1).says("");
    let run = tool("bash", r#"{"command":"echo hi; exit 7"}"#);
    assert!(run.exits(1).text().starts_with("hi\n[exit code 7, "));
    tool("bahs", "{}").exits(2).says("did you mean bash?");
}
