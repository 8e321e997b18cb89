//! Files that decide about a later run, or about what a tool with additional variables does, are out of reach of tools.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use serde_json::{Value, json};

use crate::home::{CommandOutput, Home};
use crate::needs::{Need, lacks};
use crate::standin::{Item, Reply, Server};
use crate::tools::outputs;

const WRITE: [&str; 2] = ["-s", "workspace-write"];

/// A value that only one tool should have.
const TICKET: &str = "ticket-invented";

fn program(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
    fs::write(path, text).expect("a file");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("it is ours");
}

fn manifest(home: &Home, at: &str, command: &Value, env: &Value) -> String {
    let manifest = json!({"name": "lookup", "description": "d", "parameters": {"type": "object"},
        "command": command, "env": env});
    let path = home.root().join(at);
    fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
    fs::write(&path, manifest.to_string()).expect("a file");
    path.display().to_string()
}

fn run(home: &Home, flags: &[&str], path: &str) -> CommandOutput {
    let server = Server::start([Reply::text("done")]);
    let mut cmd = home.codex(&server).args(["run", "--tool", path]);
    cmd.command.args(flags).arg("x");
    cmd.run()
}

#[test]
fn a_manifest_that_tools_could_change_is_refused() {
    let home = Home::with_key();
    let check = |path: &str, flags: &[&str]| {
        let flags = [&WRITE, flags].concat();
        let ran = run(&home, &flags, path);
        ran.exits(2)
            .stdout("")
            .says("cannot let tools write to ")
            .says("which is a manifest, named by --tool")
            .says("hint: move it to where tools cannot write")
            .says("use -s read-only");
        run(&home, &[], path).exits(0);
    };
    let none = json!([]);
    let command = json!(["true"]);
    let safe = manifest(&home, "safe/lookup.json", &command, &none);
    run(&home, &WRITE, &safe).exits(0);
    let inside = manifest(&home, "work/sub/lookup.json", &command, &none);
    check(&inside, &[]);
    check("sub/lookup.json", &[]);
    check("sub/lookup.json", &["--dry-run"]);
    // Additional directories count too, and links on either side.
    let more = home.root().join("safe").display().to_string();
    check(&safe, &["--add-dir", &more]);
    symlink(&inside, home.root().join("out.json")).expect("a link");
    check(&home.root().join("out.json").display().to_string(), &[]);
    symlink(&safe, home.work().join("in.json")).expect("a link");
    check("in.json", &[]);
    symlink(home.root().join("safe"), home.work().join("through")).expect("a link");
    check("through/lookup.json", &[]);
    check("sub/../../safe/lookup.json", &[]);
    // A manifest in the home is found by itself.
    let folder = home.root().join(".codex-run/tools");
    fs::create_dir_all(&folder).expect("a directory");
    symlink(&inside, folder.join("lookup.json")).expect("a link");
    let ran = home.offline().args(["run", WRITE[0], WRITE[1], "x"]).run();
    ran.exits(2)
        .says("/.codex-run/tools/lookup.json, which is a manifest");
}

#[test]
fn a_changeable_program_with_additional_variables_is_refused() {
    let home = Home::with_key().env("TICKETS", TICKET);
    for place in ["work", "safe", "work/sub"] {
        program(&home.root().join(place).join("lookup.sh"), "echo fine\n");
    }
    let env = json!(["TICKETS"]);
    let check = |command: Value, refused: bool| {
        let path = manifest(&home, "safe/lookup.json", &command, &env);
        let ran = run(&home, &WRITE, &path);
        if refused {
            ran.exits(2)
                .says("which is part of the command of the tool lookup, which receives TICKETS")
                .says("hint: move it to where tools cannot write")
                .says("use -s read-only, or remove \"env\" from the manifest");
        } else {
            ran.exits(0);
        }
        // Without additional variables it is given nothing that other tools do not have.
        let path = manifest(&home, "safe/lookup.json", &command, &json!([]));
        run(&home, &WRITE, &path).exits(0);
    };
    let work = home.work().display().to_string();
    let safe = home.root().join("safe").display().to_string();
    check(json!(["./lookup.sh"]), false);
    check(json!(["sh", format!("{safe}/lookup.sh"), "test"]), false);
    check(json!([format!("{work}/lookup.sh")]), true);
    check(json!(["../work/sub/lookup.sh"]), true);
    check(json!(["sh", "lookup.sh"]), true);
    check(json!(["sh", "./lookup.sh"]), true);
    check(json!(["sh", "./not-there-yet.sh"]), true);
    check(json!(["sh", "sub/lookup.sh"]), true);
    check(
        json!(["sh", format!("{work}/sub/../../safe/lookup.sh")]),
        true,
    );
    check(json!(["sh", "-c", "exec sh 'lookup.sh'"]), true);
    check(json!(["env", "--chdir=./sub/lookup.sh"]), true);
    // Interpreters, and links in either direction.
    program(&home.work().join("python"), "#!/bin/sh\n");
    program(
        &home.root().join("safe/scripted"),
        &format!("#!{work}/python -E\n"),
    );
    check(json!(["./scripted"]), true);
    symlink(home.work().join("lookup.sh"), home.root().join("safe/link")).expect("a link");
    check(json!(["./link"]), true);
    symlink(&safe, home.work().join("through")).expect("a link");
    check(json!(["sh", "through/lookup.sh"]), true);
    check(json!(["../work/through/lookup.sh"]), true);
}

#[test]
fn a_trusted_file_with_two_hard_links_is_reported() {
    let home = Home::with_key();
    let path = manifest(&home, "safe/lookup.json", &json!(["true"]), &json!([]));
    let words = "lookup.json has 2 hard links, and tools can change it";
    assert!(!run(&home, &WRITE, &path).stderr.contains(words));
    fs::hard_link(&path, home.work().join("copy")).expect("a link");
    run(&home, &WRITE, &path).exits(0).says(words);
    assert!(!run(&home, &[], &path).stderr.contains(words));
}

#[test]
fn a_second_mount_of_a_writable_directory_is_within_reach() {
    if lacks(&Need::MOUNTS) {
        return;
    }
    let home = Home::with_key();
    let path = manifest(&home, "work/sub/lookup.json", &json!(["true"]), &json!([]));
    let alias = home.root().join("alias");
    fs::create_dir_all(&alias).expect("a directory");
    let by_alias = alias.join("lookup.json").display().to_string();
    let script = "mount --bind sub ../alias && exec \"$0\" \"$@\" || exit 99";
    let cmd = home
        .offline()
        .args(["run", WRITE[0], WRITE[1], "--tool", &by_alias, "x"]);
    let ran = cmd.within("unshare", ["-m", "sh", "-c", script]).run();
    ran.exits(2).says("which is a manifest, named by --tool");
    assert!(Path::new(&path).exists());
}

#[test]
fn files_below_a_shared_directory_are_within_reach() {
    let home = Home::with_key();
    let folder = format!("/tmp/codex-run-test-{}-decisive", std::process::id());
    fs::create_dir_all(&folder).expect("a directory");
    let path = format!("{folder}/lookup.json");
    let made = manifest(&home, "safe/lookup.json", &json!(["true"]), &json!([]));
    fs::copy(made, &path).expect("a file");
    let ran = run(&home, &WRITE, &path);
    let closed = run(&home, &[&WRITE[..], &["--no-tmp"]].concat(), &path);
    let read_only = run(&home, &[], &path);
    let _ = fs::remove_dir_all(&folder);
    ran.exits(2)
        .says("cannot let tools write to /tmp: ")
        .says("close this directory with --no-tmp");
    closed.exits(0);
    read_only.exits(0);
}

#[test]
fn a_program_with_additional_variables_runs_no_code_of_other_tools() {
    let home = Home::with_key().env("TICKETS", TICKET);
    let bin = home.work().join("bin").display().to_string();
    let path = format!("{bin}:{}", std::env::var("PATH").unwrap_or_default());
    let home = home
        .env("PATH", &path)
        .env("PYTHONPATH", "bin")
        .env("NODE_PATH", "/nowhere");
    fs::create_dir_all(&bin).expect("a directory");
    program(
        &home.root().join("safe/lookup.sh"),
        "#!/usr/bin/env sh\necho \"$PATH|$PYTHONPATH|$NODE_PATH|$TICKETS\"; helper\n",
    );
    let plant = json!({"command": "printf '#!/bin/sh\\necho stolen $TICKETS\\n' | tee bin/sh bin/helper; chmod +x bin/*"});
    let go = |env: Value| {
        let path = manifest(&home, "safe/lookup.json", &json!(["./lookup.sh"]), &env);
        let server = Server::start([
            Reply::items([Item::call("bash", plant.clone())]),
            Reply::items([Item::call("lookup", json!({}))]),
            Reply::text("done"),
        ]);
        let cmd = home.codex(&server);
        let ran = cmd
            .args(["run", WRITE[0], WRITE[1], "--tool", &path, "go"])
            .run();
        ran.exits(0);
        let _ = fs::remove_dir_all(&bin);
        fs::create_dir_all(&bin).expect("a directory");
        (outputs(&server).pop().expect("an answer"), ran)
    };
    let (reported, ran) = go(json!(["TICKETS"]));
    assert!(
        !reported.contains("stolen")
            && !reported.contains(&bin)
            && reported.contains("||/nowhere|"),
        "{reported}"
    );
    ran.says("the PATH of the tool lookup omits directories that tools can write to");
    // Every other tool finds what the user does.
    let (reported, ran) = go(json!([]));
    assert!(reported.contains("stolen"), "{reported}");
    assert!(
        !ran.stderr.contains("the PATH of the tool"),
        "{}",
        ran.stderr
    );
    // A program that is found there now is refused.
    program(&home.work().join("bin/finder"), "#!/bin/sh\n");
    let path = manifest(
        &home,
        "safe/lookup.json",
        &json!(["finder"]),
        &json!(["TICKETS"]),
    );
    run(&home, &WRITE, &path)
        .exits(2)
        .says("/bin/finder, which is part of the command of the tool lookup");
    run(&home, &[], &path).exits(0);
}

#[test]
fn a_link_that_tools_could_have_left_makes_no_directory_writable() {
    let home = Home::with_key();
    let victim = home.root().join("victim");
    fs::create_dir(&victim).expect("a directory");
    fs::create_dir_all(home.work().join("sub/inner")).expect("a directory");
    symlink(&victim, home.work().join("link")).expect("a link");
    symlink("sub", home.work().join("within")).expect("a link");
    symlink(&victim, home.root().join("outside")).expect("a link");
    let [work, root, victim] =
        [&home.work(), home.root(), &victim].map(|path| path.display().to_string());
    let go = |flags: &[&str], code: i32| {
        let server = Server::start([Reply::text("done")]);
        let mut cmd = home.codex(&server).args(["run"]);
        cmd.command.args(flags).arg("x");
        let ran = cmd.run();
        ran.exits(code);
        assert_eq!(server.requests().len(), usize::from(code == 0), "{flags:?}");
        ran
    };
    let link = format!("{work}/link");
    for path in ["link", "./link/../victim", &link] {
        go(&["-s", "workspace-write", "--add-dir", path], 2)
            .says(&format!(
                "cannot let tools write to {path}, named by --add-dir: it resolves to {victim}, through a directory that tools"
            ))
            .says(&format!("codex: hint: if that is what you want, name {victim} itself"));
    }
    let other = format!("{root}/other");
    fs::create_dir(&other).expect("a directory");
    go(
        &["-s", "workspace-write", "-C", &link, "--add-dir", &work],
        2,
    )
    .says(&format!("cannot let tools write to {link}, named by -C"));
    // If nothing that tools can change leads there, or it leads to where they can write anyway.
    for path in [
        &*victim,
        "../victim",
        "../outside",
        "within",
        "within/inner",
    ] {
        go(&["-s", "workspace-write", "--add-dir", path], 0);
    }
    go(&["-s", "workspace-write", "-C", &link], 0);
    go(&["-C", &link], 0);
}

#[test]
fn files_of_other_tools_are_not_run_with_additional_variables() {
    let home = Home::with_key().env("TICKETS", TICKET);
    let called = |command: Value, env: Value, plant: &str| {
        let path = manifest(&home, "safe/lookup.json", &command, &env);
        let server = Server::start([
            Reply::items([Item::call("bash", json!({"command": plant}))]),
            Reply::items([Item::call("lookup", json!({}))]),
            Reply::text("done"),
        ]);
        let cmd = home.codex(&server);
        let ran = cmd
            .args(["run", WRITE[0], WRITE[1], "--tool", &path, "go"])
            .run();
        ran.exits(0);
        for made in ["late.sh", "sub", "json.py", "late.py"] {
            let made = home.work().join(made);
            let _ = fs::remove_file(&made).or_else(|_| fs::remove_dir_all(&made));
        }
        outputs(&server).pop().expect("an answer")
    };
    // A file that did not exist when the run began.
    let shell = "mkdir -p sub; echo 'echo stolen $TICKETS' | tee late.sh sub/late.sh";
    for name in ["late.sh", "sub/late.sh"] {
        let reported = called(json!(["sh", name]), json!(["TICKETS"]), shell);
        assert!(
            reported.contains("the tool could not be run: ")
                && reported.contains("late.sh is part of"),
            "{reported}"
        );
        let reported = called(json!(["sh", name]), json!([]), shell);
        assert!(reported.contains("stolen"), "{reported}");
    }
    // A module that Python would find before its own.
    if lacks(&Need::PYTHON_SAFE_PATH) {
        return;
    }
    let module =
        "echo 'import os; print(\"stolen\", os.environ.get(\"TICKETS\"))' | tee json.py late.py";
    for command in [
        json!(["python3", "-c", "import json; print('looked')"]),
        json!(["python3", "-W", "ignore", "-um", "late"]),
    ] {
        let reported = called(command.clone(), json!(["TICKETS"]), module);
        assert!(!reported.contains("stolen"), "{reported}");
        let reported = called(command, json!([]), module);
        assert!(reported.contains("stolen"), "{reported}");
    }
    // A script finds modules next to it.
    fs::write(home.root().join("safe/beside.py"), "words = 'found'\n").expect("a file");
    let script = home.root().join("safe/look.py");
    fs::write(&script, "import beside; print(beside.words)\n").expect("a file");
    let script = script.display().to_string();
    let reported = called(json!(["python3", script]), json!(["TICKETS"]), "true");
    assert!(reported.contains("found"), "{reported}");
}
