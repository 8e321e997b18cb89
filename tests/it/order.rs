//! The order in which the calls of one answer take effect, and the last output of a command.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::home::Home;
use crate::standin::{Item, Reply, Server};
use crate::tools::{bash, call, called};

fn edit(path: &str, old: &str, new: &str) -> Item {
    Item::call(
        "edit",
        json!({"path": path, "edits": [{"old_text": old, "new_text": new}]}),
    )
}

/// The beginning of each of these outputs.
fn first_lines(outputs: &[String]) -> Vec<&str> {
    outputs
        .iter()
        .map(|output| output.lines().next().unwrap_or_default())
        .collect()
}

/// Work that takes a while.
const WORK: &str = "seq 1 400000 | tail -n 1 > seen";

#[test]
fn an_edit_waits_for_earlier_calls_and_later_calls_wait_for_it() {
    let home = Home::with_key();
    home.file("x", "old\n");
    let mut calls = vec![
        bash(&format!("{WORK}; cat x")),
        edit("x", "old", "new"),
        bash("cat x"),
        Item::call("read", json!({"path": "x"})),
        Item::call("write", json!({"path": "x", "content": "newest\n"})),
    ];
    calls.extend((0..4).map(|_| bash("cat x")));
    let (_, outputs) = call(&home, calls);
    assert_eq!(
        first_lines(&outputs),
        [
            "old",
            "changed x in 1 place",
            "new",
            "new",
            "wrote 7 bytes to x",
            "newest",
            "newest",
            "newest",
            "newest",
        ]
    );
}

/// A user-defined tool with this command, and the flags that offer it.
fn own(home: &Home, write: bool, script: &str) -> String {
    let program = home.root().join("own.sh");
    fs::write(&program, format!("#!/bin/sh\n{script}\n")).expect("a file");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let manifest = json!({"name": "own", "description": "d", "parameters": {"type": "object"},
        "command": ["./own.sh"], "write": write});
    let path = home.root().join("own.json");
    fs::write(&path, manifest.to_string()).expect("a file");
    path.display().to_string()
}

#[test]
fn a_tool_that_declares_writes_waits_and_is_waited_for() {
    let home = Home::with_key();
    let path = own(&home, true, &format!("cat x; {WORK}; echo new > x"));
    home.file("x", "old\n");
    let calls = vec![
        bash(&format!("{WORK}; echo older > x")),
        Item::call("own", json!({})),
        bash("cat x"),
    ];
    let flags = ["-s", "workspace-write", "--tool", &path];
    let (_, outputs) = called(&home, &flags, calls);
    assert_eq!(first_lines(&outputs)[1..], ["older", "new"]);

    // A tool without writes runs concurrently: it waits for the call after it.
    let path = own(&home, false, "until [ -e made ]; do sleep 0.01; done");
    let calls = vec![Item::call("own", json!({})), bash("touch made")];
    called(&home, &["-s", "danger-full-access", "--tool", &path], calls);
}

#[test]
fn the_bash_description_says_what_runs_concurrently() {
    let home = Home::with_key();
    let server = Server::start([Reply::text("done")]);
    home.codex(&server).args(["run", "hi"]).run().exits(0);
    let request = &server.requests()[0];
    let bash = &request.json()["tools"][0];
    let words = "Other calls of the same answer run at the same time, except edit and write.";
    assert!(
        bash["description"]
            .as_str()
            .is_some_and(|d| d.contains(words)),
        "{bash}"
    );
    assert!(request.body.len() < 3000, "{}", request.body.len());
}

#[test]
fn output_through_another_process_is_complete_to_the_last_line() {
    let home = Home::with_key();
    // A process left running writes after the shell has exited, like the `tee` of `exec > >(tee log)`.
    let late = "(while [ -d /proc/$$ ]; do :; done; echo last words) & echo first; exit 3";
    let calls = vec![
        bash(late),
        bash("exec > >(tee log) 2>&1; seq 1 20000; echo boom; exit 1"),
        bash("echo out; (echo err >&2) 2> >(sed 's/^/E: /' >&2)"),
    ];
    let (_, outputs) = call(&home, calls);
    assert!(
        outputs[0].starts_with("first\nlast words\n[exit code 3]"),
        "{}",
        outputs[0]
    );
    assert!(
        outputs[1].contains("\n20000\nboom\n[exit code 1]"),
        "{}",
        outputs[1]
    );
    assert!(
        outputs[2].contains("out\n") && outputs[2].contains("E: err\n"),
        "{}",
        outputs[2]
    );
}

#[test]
fn endless_output_after_a_command_exits_is_not_waited_for() {
    // A process that falls silent with the pipe open, one that never does, and both pipes of a user-defined tool.
    let home = Home::with_key();
    let path = own(&home, false, "sleep 600 & (sleep 600 >&2) & echo own");
    let calls = vec![
        bash("sleep 600 & echo started"),
        bash("yes & echo started > begun"),
        Item::call("own", json!({})),
    ];
    let flags = ["-s", "danger-full-access", "--tool", &path];
    let (_, outputs) = called(&home, &flags, calls);
    assert!(
        outputs[0].starts_with("started\n[exit code 0]"),
        "{}",
        outputs[0]
    );
    assert!(outputs[1].contains("\n[exit code 0]"), "{}", outputs[1]);
    assert_eq!(outputs[2], "own\n");
}

#[test]
fn an_edit_without_effect_is_an_error() {
    let home = Home::with_key();
    let path = home.file("x", "a\r\nb\r\n");
    let written_at = || {
        let found = fs::metadata(&path).expect("it is there");
        found.modified().expect("a time")
    };
    let before = written_at();
    let server = Server::start([
        Reply::items([
            edit("x", "a\nb", "a\r\nb"),
            Item::call(
                "edit",
                json!({"path": "x", "edits": [{"old_text": "a", "new_text": "c"}, {"old_text": "c", "new_text": "a"}]}),
            ),
        ]),
        Reply::text("done"),
    ]);
    let args = ["run", "-s", "workspace-write", "--json", "go"];
    let ran = home.codex(&server).args(args).run();
    let events = ran.exits(0).events();
    let of = |event: &&Value| {
        event["type"] == "item.completed" && event["item"]["type"] == "file_change"
    };
    let changes: Vec<&Value> = events.iter().filter(of).collect();
    assert!(
        changes.len() == 2 && changes.iter().all(|c| c["item"]["status"] == "failed"),
        "{changes:?}"
    );
    let outputs = crate::tools::outputs(&server);
    for (output, words) in outputs.iter().zip([
        "x is unchanged: edit 1 changes nothing: old_text and new_text differ in their line ends only",
        "x is unchanged: together the edits change nothing",
    ]) {
        assert!(output.starts_with(words), "{output}");
    }
    assert_eq!((&*home.read("x"), written_at()), ("a\r\nb\r\n", before));
}
