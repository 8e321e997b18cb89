//! Ways out of the sandbox that take more than one call, or a setup of their own. Each was found by an attack.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::home::{Home, KEY, processes, skipped};
use crate::sandbox::called;
use crate::standin::{Item, Reply, Server};
use crate::tools::{bash, outputs};
use crate::walls::intruder;

const SECRET: &str = "rt-kept-elsewhere";

fn login() -> String {
    format!(
        r#"{{"openai-codex":{{"type":"oauth","access":"x","refresh":"{SECRET}","expires":1}}}}"#
    )
}

/// Lets the model make these calls one after the other; the outputs.
fn one_after_the_other(home: &Home, flags: &[&str], commands: &[String]) -> Vec<String> {
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

#[test]
fn libraries_of_a_tool_are_not_loaded_before_the_walls_are_up() {
    let home = Home::with_key().env("LD_LIBRARY_PATH", "/nowhere:");
    let (_, told) = called(&home, &[], vec![bash("echo $LD_LIBRARY_PATH")]);
    assert!(told[0].starts_with("/nowhere:\n"), "{}", told[0]);
    // What the process that puts up the walls finds itself, where that can be looked at.
    if rustix::process::geteuid().is_root() {
        let flags = ["-s", "danger-full-access"];
        let (_, told) = called(
            &home,
            &flags,
            vec![bash("tr '\\0' '\\n' < /proc/$PPID/environ")],
        );
        let names = told[0].lines().filter(|line| line.contains('='));
        let odd = |line: &&str| !line.starts_with("CODEX_TOOL_") && !line.starts_with("TMPDIR=");
        assert!(
            told[0].contains("CODEX_TOOL_LD_LIBRARY_PATH=/nowhere:\n"),
            "{}",
            told[0]
        );
        assert_eq!(names.filter(odd).collect::<Vec<_>>(), Vec::<&str>::new());
    }
}

#[test]
fn a_directory_that_was_swapped_is_not_the_one_that_may_be_changed() {
    let home = Home::with_key();
    for path in ["work/sub/bin", "victim/bin"] {
        fs::create_dir_all(home.root().join(path)).expect("a directory");
    }
    fs::write(home.root().join("victim/bin/f"), "as it was").expect("a file");
    let (victim, work) = (
        home.root().join("victim"),
        home.work().display().to_string(),
    );
    let flags = ["-s", "workspace-write", "-C", "sub/bin", "--add-dir", &work];
    let commands = [
        format!(
            "cd {work} && mv sub moved && ln -s {} sub && echo swapped",
            victim.display()
        ),
        format!("echo x > {}/bin/f; echo got on", victim.display()),
    ];
    let told = one_after_the_other(&home, &flags, &commands);
    assert!(told[0].starts_with("swapped\n"), "{}", told[0]);
    assert!(
        told[1].contains("it is not what it was when the run began"),
        "{}",
        told[1]
    );
    assert_eq!(
        fs::read_to_string(victim.join("bin/f")).expect("a file"),
        "as it was"
    );
}

#[test]
fn a_credentials_place_that_is_not_there_leads_nowhere() {
    let home = Home::new().env("CODEX_API_KEY", KEY);
    let own = home.root().join(".codex-run");
    for path in [&own, &home.work().join("u")] {
        fs::create_dir_all(path).expect("a directory");
    }
    fs::write(own.join("auth.json"), login() + "\n").expect("a file");
    let official = home.work().join("u/.codex").display().to_string();
    let home = home.env("CODEX_HOME", &official);
    let own = own.display();
    let commands = [
        format!("mv u moved && ln -s {own} u && echo swapped"),
        format!("cat {own}/auth.json; cat u/auth.json"),
    ];
    let told = one_after_the_other(&home, &["-s", "workspace-write"], &commands);
    assert!(told[0].starts_with("swapped\n"), "{}", told[0]);
    assert!(!told[1].contains(SECRET), "{}", told[1]);
}

#[test]
fn credentials_are_hidden_where_links_and_mounts_lead_to_them() {
    let home = Home::new().env("CODEX_API_KEY", KEY);
    let root = home.root();
    for path in [".codex-run", "dot", "alias", "deep/er/alias"] {
        fs::create_dir_all(root.join(path)).expect("a directory");
    }
    fs::write(root.join("dot/auth.json"), login() + "\n").expect("a file");
    fs::write(root.join(".codex-run/other.json"), login() + "\n").expect("a file");
    symlink(
        root.join("dot/auth.json"),
        root.join(".codex-run/auth.json"),
    )
    .expect("a link");
    let (_, told) = called(
        &home,
        &[],
        vec![bash("cat ../dot/auth.json ../.codex-run/auth.json")],
    );
    assert!(!told[0].contains(SECRET), "{}", told[0]);
    // In a name space of its own, where the home is mounted twice more.
    let server = Server::start([
        Reply::items([bash("cat ../.codex-run/o* ../alias/o* ../deep/er/alias/o*")]),
        Reply::text("done"),
    ]);
    let script = "mount --bind ../.codex-run ../alias && mount --bind ../.codex-run ../deep/er/alias && exec \"$0\" \"$@\" || exit 99";
    let cmd = home.codex(&server).args(["run", "go"]);
    let ran = cmd.within("unshare", ["-m", "sh", "-c", script]).run();
    if ran.status.code() != Some(0) && server.requests().is_empty() {
        return skipped("nothing can be mounted here");
    }
    ran.exits(0);
    assert!(
        !outputs(&server)[0].contains(SECRET),
        "{}",
        outputs(&server)[0]
    );
}

#[test]
fn a_home_that_is_a_link_cannot_be_replaced() {
    let home = Home::with_key();
    fs::create_dir_all(home.root().join("data")).expect("a directory");
    symlink(home.root().join("data"), home.work().join(".codex-run")).expect("a link");
    let work = home.work().display().to_string();
    let cmd = home
        .offline()
        .env("HOME", &work)
        .args(["run", "-s", "workspace-write", "x"]);
    cmd.run().exits(2).says(&format!(
        "cannot let tools write in {work}: {work}/.codex-run is where credentials are kept"
    ));
}

#[test]
fn a_manifest_opens_nothing_but_the_folder_of_tools() {
    let home = Home::with_key();
    let pi = home.root().join(".pi/agent");
    fs::create_dir_all(&pi).expect("a directory");
    fs::write(pi.join("auth.json"), login() + "\n").expect("a file");
    let secret = pi.join("auth.json").display().to_string();
    let manifest = json!({"name": "peek", "description": "d", "parameters": {"type": "object"}, "command": ["cat", secret]});
    fs::write(pi.join("peek.json"), manifest.to_string()).expect("a file");
    let path = pi.join("peek.json").display().to_string();
    let (_, told) = called(
        &home,
        &["--tool", &path],
        vec![Item::call("peek", json!({}))],
    );
    assert!(
        !told[0].contains(SECRET) && told[0].contains("Permission denied"),
        "{}",
        told[0]
    );
    // A program in there is told of before the run.
    let program = pi.join("run.sh");
    fs::write(&program, "#!/bin/sh\n").expect("a file");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let manifest = json!({"name": "peek", "description": "d", "parameters": {"type": "object"}, "command": ["./run.sh"]});
    fs::write(pi.join("peek.json"), manifest.to_string()).expect("a file");
    let ran = home.offline().args(["run", "--tool", &path, "x"]).run();
    ran.exits(2)
        .says("/.pi/agent/run.sh is where credentials are kept, which tools cannot read");
}

#[test]
fn a_process_without_its_first_thread_is_ended_too() {
    let home = Home::with_key();
    fs::copy(intruder(), home.root().join("intruder")).expect("a program");
    for flags in [
        &["-s", "workspace-write"][..],
        &["-s", "danger-full-access"],
    ] {
        let (_, told) = called(
            &home,
            flags,
            vec![bash(
                "../intruder headless alive; until [ -s alive ]; do sleep 0.01; done; echo alive",
            )],
        );
        assert!(
            told[0].contains("alive\n[exit code 0"),
            "{flags:?}: {}",
            told[0]
        );
        let size = || {
            fs::metadata(home.work().join("alive"))
                .expect("it left a mark")
                .len()
        };
        let before = size();
        thread::sleep(Duration::from_millis(200));
        assert_eq!(size(), before, "{flags:?}: it goes on");
    }
}

#[test]
fn a_command_cannot_signal_its_keeper() {
    let home = Home::with_key();
    let seconds = format!("88{}", std::process::id());
    let command = format!(
        "kill -9 $PPID; kill -STOP $PPID; kill -9 -1; (setsid sleep {seconds} &) ; echo still here"
    );
    let (_, told) = called(&home, &[], vec![bash(&command)]);
    assert!(told[0].contains("Operation not permitted"), "{}", told[0]);
    assert!(
        told[0].contains("[exit code ") || told[0].contains("[killed by signal 9"),
        "{}",
        told[0]
    );
    assert_eq!(processes(&format!("sleep {seconds}")), Vec::<u32>::new());
    // Without walls it can, and what it leaves is ended by the run and by `codex tool`.
    let arguments = json!({"command": format!("(setsid sleep {seconds} &) ; sleep 0.1; kill -9 $PPID; sleep {seconds}")});
    let cmd = home
        .offline()
        .args(["tool", "bash", "-s", "danger-full-access"]);
    cmd.input(arguments.to_string())
        .run()
        .exits(1)
        .stdout("the tool was ended by signal 9 before it could answer\n");
    assert_eq!(processes(&format!("sleep {seconds}")), Vec::<u32>::new());
}

#[test]
fn what_multiplies_is_ended() {
    let home = Home::with_key();
    let seconds = format!("87{}", std::process::id());
    // 128 processes, in as many sessions, that do not hear TERM.
    let command = format!(
        "trap '' TERM; f() {{ [ $1 = 0 ] && exec sleep {seconds}; (setsid bash -c \"$(declare -f f); f $(($1 - 1))\" &); (setsid bash -c \"$(declare -f f); f $(($1 - 1))\" &); }}; export -f f; f 7; sleep 0.5; echo done"
    );
    for flags in [&[][..], &["-s", "danger-full-access"]] {
        let (_, told) = called(&home, flags, vec![bash(&command)]);
        assert!(told[0].contains("done\n"), "{}", told[0]);
        assert_eq!(
            processes(&format!("sleep {seconds}")),
            Vec::<u32>::new(),
            "{flags:?}"
        );
    }
}

#[test]
fn pipes_and_huge_files_in_the_way_of_git_and_gitignore_hold_up_nobody() {
    let home = Home::with_key();
    let pipe = |name: &str| {
        let made = Command::new("mkfifo").arg(home.work().join(name)).status();
        assert!(made.is_ok_and(|status| status.success()));
    };
    pipe(".git");
    pipe(".gitignore");
    let flags = [
        "-s",
        "workspace-write",
        "--tools",
        "bash,ls,grep,find,read,edit",
    ];
    let path = |name: &str| Item::call(name, json!({"path": ".gitignore"}));
    let calls = vec![
        bash("echo ran"),
        Item::call("ls", json!({})),
        path("read"),
        Item::call(
            "edit",
            json!({"path": ".gitignore", "edits": [{"old_text": "a", "new_text": "b"}]}),
        ),
        Item::call("grep", json!({"path": ".gitignore", "pattern": "x"})),
    ];
    let (_, told) = called(&home, &flags, calls);
    assert!(
        told[0].starts_with("ran\n") && told[1].contains(".gitignore\n"),
        "{told:?}"
    );
    for n in [2, 3, 4] {
        assert!(told[n].contains("is no regular file"), "{}", told[n]);
    }
    fs::remove_file(home.work().join(".git")).expect("it is ours");
    let huge = fs::File::create(home.work().join(".git")).expect("a file");
    huge.set_len(3 << 30).expect("a hole");
    called(&home, &["-s", "workspace-write"], vec![bash("true")]);
}

#[test]
fn the_temporary_directory_goes_whatever_is_left_in_it() {
    let home = Home::with_key();
    let command = "cd $TMPDIR; mkdir -p a/b; echo x > a/b/f; chmod 0 a/b a; d=; for n in $(seq 300); do mkdir d && cd d; done; chmod 0 $TMPDIR";
    called(&home, &["-s", "workspace-write"], vec![bash(command)]);
    assert_eq!(fs::read_dir(home.tmp()).expect("a directory").count(), 0);
    assert!(Path::new(&home.work()).exists());
}
