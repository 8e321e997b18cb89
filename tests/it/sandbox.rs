//! The sandbox of the tools, and what users and models are told about it.

use std::collections::BTreeMap;
use std::fs;
use std::thread;

use serde_json::json;

use crate::command_output::CommandOutput;
use crate::home::{Cmd, Home, KEY};
use crate::needs::{Need, lacks};
use crate::standin::{Item, Reply, Server};
use crate::tools::{bash, called};

/// The command on a kernel without Landlock.
fn without_landlock(cmd: Cmd) -> CommandOutput {
    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
    // landlock_create_ruleset(2) fails as not implemented: for this thread, and what it starts.
    let rules = BTreeMap::from([(444, Vec::new())]);
    let arch = std::env::consts::ARCH.try_into().expect("a known one");
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(38), arch);
    let program: BpfProgram = filter.expect("a filter").try_into().expect("a program");
    let run = move || {
        seccompiler::apply_filter(&program).expect("seccomp");
        cmd.run()
    };
    thread::spawn(run).join().expect("it does not panic")
}

#[test]
fn without_a_sandbox_nothing_is_requested_and_both_alternatives_are_named() {
    let home = Home::with_key();
    let server = Server::start([Reply::text("hello"), Reply::text("hello")]);
    let cmd = |args: [&str; 3]| home.codex(&server).args(["run"]).args(args);
    for args in [
        ["x", "y", "z"],
        ["-s", "workspace-write", "x"],
        ["--tools", "read", "x"],
    ] {
        let ran = without_landlock(cmd(args));
        ran.exits(2)
            .stdout("")
            .says("codex: cannot confine tools: this system has no Landlock")
            .says("hint: --no-tools runs without tools; -s danger-full-access runs them without a sandbox");
        assert_eq!(server.requests().len(), 0);
    }
    without_landlock(cmd(["--no-tools", "x", "y"]))
        .exits(0)
        .stdout("hello\n");
    without_landlock(cmd(["-s", "danger-full-access", "x"]))
        .exits(0)
        .stdout("hello\n");
    let tool = home
        .offline()
        .args(["tool", "bash"])
        .input(r#"{"command":"echo ran"}"#);
    without_landlock(tool)
        .exits(2)
        .stdout("")
        .says("codex: cannot confine the tool: this system has no Landlock")
        .says("hint: -s danger-full-access runs it without a sandbox");
}

#[test]
fn directories_with_credentials_cannot_be_made_writable() {
    let home = Home::with_key();
    let root = home.root().display().to_string();
    fs::create_dir_all(home.root().join(".codex-run/tools")).expect("a directory");
    fs::create_dir_all(home.root().join(".pi")).expect("a directory");
    let key = home.file("key", KEY);
    let write = ["run", "-s", "workspace-write"];
    let check = |cmd: Cmd, root: &str, hidden: &str, hint: &str| {
        cmd.run()
            .exits(2)
            .stdout("")
            .says(&format!(
                "cannot let tools write to {root}: {hidden} contains credentials"
            ))
            .says(hint);
    };
    let cmd = || home.offline().args(write);
    let (own, pi) = (format!("{root}/.codex-run"), format!("{root}/.pi"));
    let (move_it, keep_it) = (
        "or move CODEX_RUN_HOME",
        "use a project directory instead (-C, --add-dir)",
    );
    check(cmd().args(["-C", &root, "x"]), &root, &own, move_it);
    check(cmd().args(["-C", "/", "x"]), "/", &own, move_it);
    check(cmd().args(["-C", &own, "x"]), &own, &own, move_it);
    let inside = format!("{own}/tools");
    check(
        cmd().args(["--add-dir", &inside, "x"]),
        &inside,
        &own,
        move_it,
    );
    check(cmd().args(["--add-dir", &pi, "x"]), &pi, &pi, keep_it);
    let work = home.work().display().to_string();
    let key = key.display().to_string();
    check(
        cmd().args(["--api-key-file", &key, "x"]),
        &work,
        &key,
        keep_it,
    );
    check(
        cmd()
            .args(["--auth-file", "x.json", "x"])
            .env("CODEX_API_KEY", KEY)
            .env("CODEX_RUN_HOME", &format!("{work}/h")),
        &work,
        &format!("{work}/h"),
        move_it,
    );
    // A missing directory of another program contains nothing.
    let server = Server::start([Reply::text("done")]);
    let cmd = home.codex(&server).args(write).args(["x"]);
    cmd.env("HOME", &work)
        .env("CODEX_RUN_HOME", &own)
        .run()
        .exits(0);
    // If no private directory can be created, only TMPDIR is left.
    if !lacks(&Need::NO_RUN_USER) {
        fs::write(home.root().join(".cache"), "").expect("a file");
        let cmd = home.offline().args(["run", "x"]);
        cmd.env("TMPDIR", &own)
            .env("HOME", &home.root().join("gone").display().to_string())
            .env("CODEX_RUN_HOME", &own)
            .run()
            .exits(2)
            .says("hint: set TMPDIR to a different directory");
    }
    for (flag, dir) in [("--add-dir", "gone"), ("-C", "key")] {
        let ran = home.offline().args(["run", flag, dir, "x"]).run();
        ran.exits(2)
            .says(&format!("hint: {flag} must name an existing directory"));
    }
}

#[test]
fn only_capabilities_that_builds_need_are_kept() {
    let (_, outputs) = called(
        &Home::with_key(),
        &[],
        vec![bash("grep -E 'Cap|NoNewPrivs' /proc/self/status")],
    );
    let masks = outputs[0].lines().filter(|line| line.starts_with("Cap"));
    let masks: Vec<u64> = masks
        .filter_map(|line| u64::from_str_radix(line.split_whitespace().nth(1)?, 16).ok())
        .collect();
    assert_eq!(masks.len(), 5, "{}", outputs[0]);
    // CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID and SETUID: bits 0, 1, 3 to 7 (capability.h).
    let kept = 0b1111_1011;
    assert!(outputs[0].contains("NoNewPrivs:\t1"), "{}", outputs[0]);
    if rustix::process::geteuid().is_root() {
        assert_eq!(masks, [0, kept, kept, kept, 0], "{}", outputs[0]);
    } else {
        assert!(
            masks[1] & !kept == 0 && masks[2] & !kept == 0,
            "{}",
            outputs[0]
        );
    }
}

#[test]
fn refusals_by_the_sandbox_are_reported_as_such() {
    let home = Home::with_key();
    fs::create_dir_all(home.root().join(".codex-run")).expect("a directory");
    fs::write(home.root().join(".codex-run/auth.json"), "{}").expect("a file");
    let hidden = home
        .root()
        .join(".codex-run/auth.json")
        .display()
        .to_string();
    let old = home.file("old", "a\n").display().to_string();
    let edit = json!({"path": old, "edits": [{"old_text": "a", "new_text": "b"}]});
    let calls = || {
        vec![
            Item::call("write", json!({"path": "../new/x", "content": "x"})),
            Item::call("edit", edit.clone()),
            Item::call("read", json!({"path": hidden})),
            Item::call("write", json!({"path": hidden, "content": "x"})),
            bash("echo x > ../new"),
            bash("chmod 600 old"),
            bash("echo 'x: Could not resolve host'; exit 6"),
        ]
    };
    let (ran, outputs) = called(&home, &[], calls());
    let rule = "the sandbox (read-only) lets tools write only under ";
    for (n, words) in [
        (0, rule),
        (1, rule),
        (2, "hides "),
        (3, "hides "),
        (
            4,
            "[this may come from the sandbox (read-only), not from the command or the disk: it lets commands write only under ",
        ),
        (5, "it refuses to change the mode, owner or times of files"),
        (6, "it has no network"),
    ] {
        assert!(outputs[n].contains(words), "{n}: {}", outputs[n]);
        assert!(
            n > 3 || outputs[n].ends_with("This is the sandbox, not the disk"),
            "{n}: {}",
            outputs[n]
        );
    }
    ran.says("codex: write: ../new/x (denied, ")
        .says("codex: edit: ")
        .says("codex: bash: echo x > ../new (exit 1, ");
    assert_eq!(home.read("old"), "a\n");
    let (_, outputs) = called(&home, &["-s", "workspace-write"], calls());
    assert!(
        outputs[0].contains("the sandbox (workspace-write) lets tools write only under "),
        "{}",
        outputs[0]
    );
    assert!(
        outputs[0].contains(&format!("{} and ", home.work().display())),
        "{}",
        outputs[0]
    );
    assert_eq!(outputs[1], format!("changed {old} in 1 place"));
    assert_eq!(home.read("old"), "b\n");
}

#[test]
fn added_directories_are_writable_and_new_files_next_to_credentials_are_readable_from_the_next_call()
 {
    let home = Home::with_key();
    let more = home.root().join("more");
    fs::create_dir_all(&more).expect("a directory");
    let more = more.display().to_string();
    let flags = ["-s", "workspace-write", "--add-dir", &more];
    let (ran, outputs) = called(&home, &flags, vec![bash("echo x > ../more/x && echo done")]);
    assert!(outputs[0].starts_with("done\n"), "{}", outputs[0]);
    ran.says("(ok, ");
    let ran = called(&home, &["--add-dir", &more], vec![bash("true")]).0;
    ran.says("codex: --add-dir has no effect without -s workspace-write");
    // The home contains the credentials, so its other entries are made readable one by one before each call.
    let late = home.root().join("late");
    let wait = format!(
        "touch started; until [ -e {} ]; do sleep 0.01; done; cat ../late || echo not yet",
        late.display()
    );
    let server = Server::start([
        Reply::items([bash(&wait)]),
        Reply::items([bash("cat ../late")]),
        Reply::text("done"),
    ]);
    let cmd = home
        .codex(&server)
        .args(["run", "-s", "workspace-write", "go"]);
    let running = cmd.start();
    crate::home::until("it has started", || home.work().join("started").exists());
    fs::write(&late, "made meanwhile\n").expect("a file");
    crate::home::finish(running, "codex run go".to_owned()).exits(0);
    let outputs = crate::tools::outputs(&server);
    assert!(outputs[0].contains("not yet"), "{}", outputs[0]);
    assert!(outputs[1].starts_with("made meanwhile\n"), "{}", outputs[1]);
}

#[test]
fn the_instructions_describe_the_sandbox() {
    let home = Home::with_key();
    let check = |flags: &[&str], words: Option<&str>| {
        let mut cmd = home.offline().args(["run", "--dry-run"]);
        cmd.command.args(flags).arg("x");
        let ran = cmd.run();
        let shown: serde_json::Value = serde_json::from_str(&ran.exits(0).text()).expect("JSON");
        let instructions = shown["body"]["instructions"].as_str().expect("a text");
        match words {
            Some(words) => assert!(instructions.ends_with(words), "{instructions}"),
            None => assert!(!instructions.contains("sandbox"), "{instructions}"),
        }
        assert!(shown["body"].to_string().len() < 3000, "promised in CLI.md");
    };
    check(
        &[],
        Some("write only under $TMPDIR, and there is no network."),
    );
    check(
        &["--network", "-s", "workspace-write"],
        Some("write only under the working directory, /tmp, /var/tmp, /dev/shm, $TMPDIR."),
    );
    check(&["-s", "danger-full-access"], None);
    check(&["--no-tools"], None);
}
