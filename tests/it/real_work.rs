//! Work of real programs that the sandbox allows: moving files between directories, using the usual temporary directories,
//! talking to each other through sockets, and committing in worktrees and submodules. And similar work that it refuses.

use std::fs;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::home::Home;
use crate::needs::{Need, lacks};
use crate::standin::Item;
use crate::tools::{bash, called, called_in_sequence};

pub(crate) const WRITE: [&str; 2] = ["-s", "workspace-write"];

/// The output of a command in `workspace-write` with these additional flags.
pub(crate) fn answered(home: &Home, flags: &[&str], command: &str) -> String {
    let flags = [&WRITE, flags].concat();
    called(home, &flags, vec![bash(command)]).1.remove(0)
}

/// A unique name in a shared directory.
fn shared(directory: &str, name: &str) -> String {
    format!("{directory}/codex-run-test-{}-{name}", std::process::id())
}

#[test]
fn files_can_be_moved_and_linked_between_writable_directories() {
    let home = Home::with_key();
    let more = home.root().join("more");
    fs::create_dir_all(&more).expect("a directory");
    let more = more.display().to_string();
    let command = format!(
        "set -e; mkdir -p a/b c; echo x > a/b/f; ln a/b/f c/g; mv a/b/f c/f; mv c/f {more}/f; ln {more}/f c/h; \
         mv {more}/f $TMPDIR/f; mv $TMPDIR/f c/f; cat c/f c/g c/h; mv a c/a; echo done"
    );
    let outputs = answered(&home, &["--add-dir", &more], &command);
    assert!(outputs.starts_with("x\nx\nx\ndone\n"), "{outputs}");
    // Nothing can be moved or linked out of the sandbox or into it.
    let outside = home.root().join("outside");
    fs::create_dir_all(&outside).expect("a directory");
    fs::write(outside.join("victim"), "kept").expect("a file");
    let outputs = answered(
        &home,
        &[],
        "echo y > f; mv f ../outside/f; ln f ../outside/g; mv ../outside/victim v; ln ../outside/victim w; ls",
    );
    let left: Vec<_> = fs::read_dir(&outside).expect("a directory").collect();
    assert_eq!(left.len(), 1, "{outputs}");
    assert!(!home.work().join("v").exists() && !home.work().join("w").exists());
}

#[test]
fn directories_for_temporary_files_are_writable() {
    let home = Home::with_key();
    for (directory, need) in [
        ("/tmp", None),
        ("/var/tmp", Some(Need::VAR_TMP)),
        ("/dev/shm", Some(Need::DEV_SHM)),
    ] {
        if need.as_ref().is_some_and(lacks) {
            continue;
        }
        let name = shared(directory, "open");
        let command = format!("echo x > {name} && mv {name} {name}.2 && rm {name}.2 && echo done");
        let outputs = answered(&home, &[], &command);
        assert!(outputs.starts_with("done\n"), "{outputs}");
        let outputs = answered(&home, &["--network"], &command);
        assert!(outputs.starts_with("done\n"), "{outputs}");
        let outputs = answered(&home, &["--no-tmp"], &command);
        assert!(!outputs.starts_with("done\n"), "{outputs}");
        let outputs = answered(&home, &["--no-tmp", "--add-dir", directory], &command);
        assert!(outputs.starts_with("done\n"), "{outputs}");
        let outputs = called(&home, &[], vec![bash(&command)]).1.remove(0);
        assert!(!outputs.starts_with("done\n"), "{outputs}");
        let _ = fs::remove_file(&name);
    }
}

#[test]
fn only_the_affected_shared_directory_is_closed_and_a_refusal_says_why() {
    if lacks(&Need::VAR_TMP) {
        return;
    }
    let kept = shared("/tmp", "kept");
    let touch = |name: &str| {
        let path = shared("/tmp", name);
        format!("touch {path} && rm {path} && echo done")
    };
    let write = json!({"path": shared("/tmp", "written"), "content": "x"});
    for (variable, value, why) in [
        ("CODEX_RUN_HOME", kept.clone(), "credentials are kept in "),
        ("CODEX_HOME", kept.clone(), "credentials are kept in "),
        (
            "BASH_ENV",
            format!("{kept}.sh"),
            "BASH_ENV names a file there",
        ),
        (
            "GITHUB_ENV",
            format!("{kept}.sh"),
            "GITHUB_ENV names a file there",
        ),
        (
            "KRB5CCNAME",
            format!("FILE:{kept}"),
            "KRB5CCNAME names a file there",
        ),
        (
            "SSH_AUTH_SOCK",
            format!("{kept}/agent"),
            "SSH_AUTH_SOCK names a file there",
        ),
    ] {
        let home = Home::with_key().env(variable, &value);
        let calls = vec![bash(&touch("refused")), Item::call("write", write.clone())];
        let outputs = called(&home, &WRITE, calls).1;
        for outputs in &outputs {
            assert!(
                outputs.contains("/tmp is closed because"),
                "{variable}: {outputs}"
            );
            assert!(outputs.contains(why), "{variable}: {outputs}");
        }
        let other = shared("/var/tmp", "other");
        let outputs = answered(
            &home,
            &[],
            &format!("touch {other} && rm {other} && echo done"),
        );
        assert!(outputs.starts_with("done\n"), "{variable}: {outputs}");
    }
    // A link that leads to the credentials matters too.
    let home = Home::with_key();
    fs::create_dir_all(home.root().join("real")).expect("a directory");
    let link = shared("/tmp", "link");
    std::os::unix::fs::symlink(home.root().join("real"), &link).expect("a link");
    let home = home.env("CODEX_RUN_HOME", &link);
    let outputs = answered(&home, &[], &touch("link"));
    let _ = fs::remove_file(&link);
    assert!(outputs.contains("/tmp is closed because"), "{outputs}");
}

#[test]
fn the_temporary_directory_of_another_run_is_inaccessible() {
    let home = Home::with_key();
    let others = home
        .root()
        .join(".cache/codex-run/codex-run-0011223344556677");
    fs::create_dir_all(&others).expect("a directory");
    fs::write(others.join("secret"), "of another run\n").expect("a file");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    fs::set_permissions(home.root().join(".cache/codex-run"), mode).expect("it is ours");
    for flags in [&[][..], &WRITE, &["-s", "workspace-write", "--network"]] {
        let command = "cd $TMPDIR/../..; pwd; cat *77/secret; echo x > codex-run-0011223344556677/new; \
                       mv codex-run-0011223344556677 $TMPDIR/mine; echo x > $TMPDIR/own && cat $TMPDIR/own";
        let outputs = called(&home, flags, vec![bash(command)]).1.remove(0);
        assert!(
            outputs.contains("/codex-run\n")
                && !outputs.contains("of another run")
                && outputs.contains("\nx\n"),
            "{outputs}"
        );
        assert_eq!(
            fs::read_dir(&others).expect("it is there").count(),
            1,
            "{outputs}"
        );
    }
}

const TALKS: &str = r"
import os, socket, sys
where = sys.argv[1]
listening = socket.socket(socket.AF_UNIX)
listening.bind(where)
listening.listen()
if os.fork() == 0:
    client = socket.socket(socket.AF_UNIX)
    client.connect(where)
    client.send(b'hello')
    os._exit(0)
peer, _ = listening.accept()
print(peer.recv(9).decode(), os.wait()[1])
";

const REACHES: &str = r"
import socket, sys
for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET, socket.SOCK_DGRAM):
    for where in sys.argv[1:]:
        try:
            client = socket.socket(socket.AF_UNIX, kind)
            client.connect(where.replace('@', '\0', 1) if where[0] == '@' else where)
            print('REACHED', where)
        except OSError as error:
            print(error.errno)
";

#[test]
fn programs_reach_only_sockets_of_their_own_sandbox() {
    if lacks(&Need::PYTHON) {
        return;
    }
    let home = Home::with_key();
    home.file("talks.py", TALKS);
    home.file("reaches.py", REACHES);
    let foreign = shared("/tmp", "foreign.sock");
    let _listening = UnixListener::bind(&foreign).expect("a socket");
    let inside = home.work().join("foreign.sock");
    let _other = UnixListener::bind(&inside).expect("a socket");
    let link = home.work().join("link.sock");
    std::os::unix::fs::symlink(&foreign, &link).expect("a link");
    for flags in [&[][..], &["--network"]] {
        let command = format!(
            "python3 talks.py s1 && python3 talks.py $TMPDIR/s2 && python3 talks.py {} && rm s1",
            shared("/tmp", "own.sock")
        );
        let outputs = answered(&home, flags, &command);
        let _ = fs::remove_file(shared("/tmp", "own.sock"));
        assert!(
            outputs.starts_with("hello 0\nhello 0\nhello 0\n"),
            "{outputs}"
        );
        let command = format!(
            "python3 reaches.py {foreign} {} link.sock foreign.sock /proc/self/cwd/foreign.sock",
            inside.display()
        );
        let outputs = answered(&home, flags, &command);
        assert!(
            outputs.starts_with("1\n") && !outputs.contains("REACHED"),
            "{outputs}"
        );
    }
    let _ = fs::remove_file(&foreign);
}

#[test]
fn a_socket_left_by_a_call_is_dead_in_the_next() {
    if lacks(&Need::PYTHON) {
        return;
    }
    let home = Home::with_key();
    home.file("talks.py", TALKS);
    home.file("reaches.py", REACHES);
    let commands = [
        "python3 talks.py s && ls -l s | cut -c1".to_owned(),
        "python3 reaches.py s".to_owned(),
    ];
    let outputs = called_in_sequence(&home, &WRITE, &commands);
    assert!(outputs[0].starts_with("hello 0\ns\n"), "{}", outputs[0]);
    assert!(outputs[1].starts_with("1\n1\n"), "{}", outputs[1]);
}

#[test]
fn commits_work_in_worktrees_and_submodules() {
    if lacks(&Need::GIT) {
        return;
    }
    let home = Home::with_key();
    let root = home.root().display().to_string();
    let git = |directory: &str, words: &[&str]| {
        let ran = Command::new("git")
            .args(["-c", "user.name=a", "-c", "user.email=a@example.test"])
            .args(["-c", "protocol.file.allow=always"])
            .args(words)
            .current_dir(format!("{root}/{directory}"))
            .env("HOME", &root)
            .output()
            .expect("git");
        assert!(ran.status.success(), "git {words:?}: {ran:?}");
    };
    fs::create_dir_all(format!("{root}/main")).expect("a directory");
    fs::create_dir_all(format!("{root}/lib")).expect("a directory");
    for directory in ["main", "lib"] {
        git(directory, &["init", "-q", "."]);
        fs::write(format!("{root}/{directory}/f"), "1").expect("a file");
        git(directory, &["add", "."]);
        git(directory, &["commit", "-qm", "1"]);
    }
    git("main", &["submodule", "add", "-q", "../lib", "sub"]);
    git("main", &["worktree", "add", "-q", "../link"]);
    fs::write(
        format!("{root}/.gitconfig"),
        "[user]\nname = a\nemail = a@example.test\n",
    )
    .expect("a file");
    for directory in ["link", "main/sub"] {
        let place = format!("{root}/{directory}");
        let flags = ["-C", &place];
        let commit = "echo 2 > f && git commit -qam two && git log --format=%s | head -1";
        let (ran, outputs) = called(&home, &[&WRITE[..], &flags].concat(), vec![bash(commit)]);
        assert!(outputs[0].starts_with("two\n"), "{}", outputs[0]);
        ran.says(&format!("codex: tools may write to {root}/main/.git"));
        // Not in read-only.
        let outputs = called(
            &home,
            &flags,
            vec![bash("git commit -q --allow-empty -m no")],
        )
        .1;
        assert!(!outputs[0].contains("[exit code 0"), "{}", outputs[0]);
        // Files that git executes are watched there, too.
        let hooks = "echo x > $(git rev-parse --git-common-dir)/hooks/pre-commit";
        let (ran, _) = called(&home, &[&WRITE[..], &flags].concat(), vec![bash(hooks)]);
        ran.says("hooks");
    }
    // A file that names a foreign repository makes nothing writable.
    fs::create_dir_all(format!("{root}/evil")).expect("a directory");
    fs::write(
        format!("{root}/evil/.git"),
        format!("gitdir: {root}/main/.git\n"),
    )
    .expect("a file");
    let place = format!("{root}/evil");
    let command = format!("touch {root}/main/.git/new");
    let (ran, _) = called(
        &home,
        &[&WRITE[..], &["-C", &place]].concat(),
        vec![bash(&command)],
    );
    ran.says("codex: tools cannot write to ")
        .says(", although ");
    assert!(!Path::new(&format!("{root}/main/.git/new")).exists());
}
