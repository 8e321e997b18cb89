//! Ways out of the sandbox that take more than one call, or a special setup. Each was found by an attack.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::escapes::{give, intruder};
use crate::home::{Home, processes, until};
use crate::needs::{Need, lacks};
use crate::standin::{Item, Reply, Server};
use crate::tools::{bash, called, called_in_sequence, outputs};

#[test]
fn libraries_are_not_preloaded_before_the_sandbox_is_applied() {
    let home = Home::with_key().env("LD_LIBRARY_PATH", "/nowhere:");
    let (_, outputs) = called(&home, &[], vec![bash("echo $LD_LIBRARY_PATH")]);
    assert!(outputs[0].starts_with("/nowhere:\n"), "{}", outputs[0]);
    // What the process that applies the sandbox finds, if that can be inspected.
    if !lacks(&Need::ROOT) {
        let flags = ["-s", "danger-full-access"];
        let (_, outputs) = called(
            &home,
            &flags,
            vec![bash("tr '\\0' '\\n' < /proc/$PPID/environ")],
        );
        let names = outputs[0].lines().filter(|line| line.contains('='));
        let odd = |line: &&str| !line.starts_with("CODEX_TOOL_") && !line.starts_with("TMPDIR=");
        assert!(
            outputs[0].contains("CODEX_TOOL_LD_LIBRARY_PATH=/nowhere:\n"),
            "{}",
            outputs[0]
        );
        assert_eq!(names.filter(odd).collect::<Vec<_>>(), Vec::<&str>::new());
    }
}

#[test]
fn a_swapped_directory_is_not_writable() {
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
    let outputs = called_in_sequence(&home, &flags, &commands);
    assert!(outputs[0].starts_with("swapped\n"), "{}", outputs[0]);
    assert!(
        outputs[1].contains("it has changed since the run began"),
        "{}",
        outputs[1]
    );
    assert_eq!(
        fs::read_to_string(victim.join("bin/f")).expect("a file"),
        "as it was"
    );
}

#[test]
fn a_process_whose_first_thread_exited_is_ended_too() {
    let home = Home::with_key();
    // A process whose first thread has exited no longer has a command line, but it has a name.
    let name = format!("hl-{}", std::process::id());
    fs::copy(intruder(), home.root().join(&name)).expect("a program");
    let called_so = |entry: fs::DirEntry| {
        fs::read_to_string(entry.path().join("comm")).is_ok_and(|comm| comm.trim() == name)
    };
    let goes_on = || {
        fs::read_dir("/proc")
            .expect("/proc")
            .flatten()
            .any(called_so)
    };
    for flags in [
        &["-s", "workspace-write"][..],
        &["-s", "danger-full-access"],
    ] {
        let (_, outputs) = called(
            &home,
            flags,
            vec![bash(&format!(
                "../{name} headless alive; until [ -s alive ]; do sleep 0.01; done; \
                 grep -qx {name} /proc/[0-9]*/comm && echo alive"
            ))],
        );
        assert!(
            outputs[0].contains("alive\n[exit code 0"),
            "{flags:?}: {}",
            outputs[0]
        );
        until("it is ended", || !goes_on());
    }
}

#[test]
fn a_command_cannot_signal_its_supervisor() {
    if lacks(&Need::SIGNAL_SCOPES) {
        return;
    }
    let home = Home::with_key();
    let seconds = format!("88{}", std::process::id());
    let command = format!(
        "kill -9 $PPID; kill -STOP $PPID; kill -9 -1; (setsid sleep {seconds} &) ; echo still here"
    );
    let (_, outputs) = called(&home, &[], vec![bash(&command)]);
    assert!(
        outputs[0].contains("Operation not permitted"),
        "{}",
        outputs[0]
    );
    assert!(
        outputs[0].contains("[exit code ") || outputs[0].contains("[killed by signal 9"),
        "{}",
        outputs[0]
    );
    assert_eq!(processes(&format!("sleep {seconds}")), Vec::<u32>::new());
    // Without a sandbox it can; what it leaves is ended by the run and by `codex tool`.
    let arguments = json!({"command": format!("(setsid sleep {seconds} &) ; sleep 0.1; kill -9 $PPID; sleep {seconds}")});
    let cmd = home
        .offline()
        .args(["tool", "bash", "-s", "danger-full-access"]);
    cmd.input(arguments.to_string())
        .run()
        .exits(1)
        .stdout("the tool was killed by signal 9 before it returned a result\n");
    assert_eq!(processes(&format!("sleep {seconds}")), Vec::<u32>::new());
}

#[test]
fn a_fork_tree_that_ignores_term_is_ended() {
    let home = Home::with_key();
    let seconds = format!("87{}", std::process::id());
    // 128 processes, in as many sessions, that ignore TERM.
    let command = format!(
        "trap '' TERM; f() {{ [ $1 = 0 ] && exec sleep {seconds}; (setsid bash -c \"$(declare -f f); f $(($1 - 1))\" &); (setsid bash -c \"$(declare -f f); f $(($1 - 1))\" &); }}; export -f f; f 7; sleep 0.5; echo done"
    );
    for flags in [&[][..], &["-s", "danger-full-access"]] {
        let (_, outputs) = called(&home, flags, vec![bash(&command)]);
        assert!(outputs[0].contains("done\n"), "{}", outputs[0]);
        assert_eq!(
            processes(&format!("sleep {seconds}")),
            Vec::<u32>::new(),
            "{flags:?}"
        );
    }
}

#[test]
fn pipes_and_huge_files_as_git_files_or_gitignore_do_not_block() {
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
    let (_, outputs) = called(&home, &flags, calls);
    assert!(
        outputs[0].starts_with("ran\n") && outputs[1].contains(".gitignore\n"),
        "{outputs:?}"
    );
    for n in [2, 3, 4] {
        assert!(
            outputs[n].contains("is not a regular file"),
            "{}",
            outputs[n]
        );
    }
    fs::remove_file(home.work().join(".git")).expect("it is ours");
    let huge = fs::File::create(home.work().join(".git")).expect("a file");
    huge.set_len(3 << 30).expect("a hole");
    called(&home, &["-s", "workspace-write"], vec![bash("true")]);
}

#[test]
fn the_temporary_directory_is_removed_whatever_its_contents() {
    let home = Home::with_key();
    let command = "cd $TMPDIR; mkdir -p a/b; echo x > a/b/f; chmod 0 a/b a; d=; for n in $(seq 300); do mkdir d && cd d; done; chmod 0 $TMPDIR";
    called(&home, &["-s", "workspace-write"], vec![bash(command)]);
    assert_eq!(fs::read_dir(home.tmp()).expect("a directory").count(), 0);
    assert!(!home.root().join(".cache/codex-run").exists());
    assert!(Path::new(&home.work()).exists());
}

#[test]
fn a_replacement_of_the_temporary_directory_is_not_removed() {
    let home = Home::with_key();
    let nobody = 65534;
    if lacks(&Need::OTHER_USER) {
        return;
    }
    let (victim, tmp) = (home.root().join("victim"), home.work().join("tmp"));
    for place in [&victim, &tmp] {
        fs::create_dir_all(place).expect("a directory");
    }
    fs::write(victim.join("f"), "kept").expect("a file");
    // No private directory can be created, so the temporary one is at a path that tools can change.
    fs::write(home.root().join(".cache"), "").expect("a file");
    give(home.root(), nobody);
    let command = format!(
        "mv $TMPDIR x && ln -s {} $TMPDIR && chmod 555 tmp && echo swapped",
        victim.display()
    );
    let server = Server::start([Reply::items([bash(&command)]), Reply::text("done")]);
    let cmd = home
        .codex(&server)
        .args(["run", "-s", "workspace-write", "go"]);
    let cmd = cmd.env("TMPDIR", &tmp.display().to_string());
    let ids = [format!("--reuid={nobody}"), format!("--regid={nobody}")];
    let ran = cmd
        .within("setpriv", [&ids[0], &ids[1], "--clear-groups"])
        .run();
    ran.exits(0)
        .says("cannot remove the tools' temporary directory ");
    assert!(
        outputs(&server)[0].starts_with("swapped\n"),
        "{}",
        outputs(&server)[0]
    );
    assert_eq!(
        fs::read_to_string(victim.join("f")).expect("a file"),
        "kept"
    );
}

#[test]
fn the_output_of_a_failed_program_is_limited_too() {
    let home = Home::with_key();
    let manifest = json!({"name": "loud", "description": "d", "parameters": {"type": "object"},
        "command": ["sh", "-c", "head -c 70000 /dev/zero | tr '\\0' a; head -c 70000 /dev/zero | tr '\\0' b >&2; exit 1"]});
    let path = home.root().join("loud.json");
    fs::write(&path, manifest.to_string()).expect("a file");
    let path = path.display().to_string();
    let (_, outputs) = called(
        &home,
        &["--tool", &path],
        vec![Item::call("loud", json!({}))],
    );
    assert!(
        outputs[0].len() < 66_500 && outputs[0].contains("aaa") && outputs[0].contains("bbb"),
        "{}",
        outputs[0].len()
    );
}

#[test]
fn an_inherited_ignored_sigchld_does_not_matter() {
    let home = Home::new();
    let cmd = home.offline().args(["tool", "bash"]);
    let cmd = cmd.within("sh", ["-c", "trap '' CHLD; exec \"$0\" \"$@\""]);
    let ran = cmd.input(r#"{"command":"echo ran"}"#).run();
    assert!(ran.exits(0).text().starts_with("ran\n"));
}

/// Not attempted without a sandbox, where it would affect every process of this user.
#[test]
fn the_priority_of_other_processes_cannot_be_changed() {
    let home = Home::with_key();
    fs::copy(intruder(), home.root().join("intruder")).expect("a program");
    let (_, outputs) = called(&home, &[], vec![bash("../intruder priority-of-all")]);
    assert!(
        outputs[0].starts_with("refused: Operation not permitted\n"),
        "{}",
        outputs[0]
    );
}
