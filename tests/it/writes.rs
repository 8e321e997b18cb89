//! Files that codex writes itself while tools run: they go to the directories of the beginning of the run, whatever tools
//! put in their place, and the run reports if the given path leads elsewhere by then.

use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::escapes::give;
use crate::home::{CommandOutput, Home, finish, names};
use crate::models::LIST;
use crate::needs::{Need, lacks};
use crate::standin::{Reply, Script, Server};
use crate::tools::bash;

/// A run in `workspace-write` whose tool runs this command, and which writes its last message to `out`.
fn swapped(home: &Home, out: &str, command: &str, flags: &[&str]) -> CommandOutput {
    let server = Server::start([Reply::items([bash(command)]), Reply::text("message")]);
    let args = ["run", "-s", "workspace-write", "-o", out];
    let mut cmd = home.codex(&server).args(args);
    cmd.command.args(flags).arg("go");
    cmd.run()
}

/// A directory out of reach of tools, with a file in it.
fn victim(home: &Home) -> PathBuf {
    let victim = home.root().join("victim");
    fs::create_dir(&victim).expect("a directory");
    fs::write(victim.join("note.md"), "kept\n").expect("a file");
    victim
}

fn text(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).expect("a file")
}

#[test]
fn a_directory_swapped_by_tools_is_not_written_to() {
    // The tool's command, and where the message is afterwards, if anywhere.
    let table = [
        ("mv out moved; ln -s VICTIM out", Some("moved/note.md")),
        ("mv out moved; mkdir out", Some("moved/note.md")),
        (
            "mv out moved; cp -r moved out; touch out/note.md",
            Some("moved/note.md"),
        ),
        ("mv out moved; ln -s moved out", Some("out/note.md")),
        ("rm -r out", None),
        ("rm -r out; ln -s VICTIM out", None),
        ("rm -r out; mkdir out", None),
    ];
    for (command, found) in table {
        for json in [false, true] {
            let home = Home::with_key();
            let victim = victim(&home);
            fs::create_dir(home.work().join("out")).expect("a directory");
            let command = command.replace("VICTIM", &victim.display().to_string());
            let flags: &[&str] = if json { &["--json"] } else { &[] };
            let ran = swapped(&home, "out/note.md", &command, flags);
            assert_eq!(text(victim.join("note.md")), "kept\n", "{command}");
            assert_eq!(names(&victim), ["note.md"], "{command}");
            let in_place = found == Some("out/note.md");
            ran.exits(if in_place { 0 } else { 74 });
            if let Some(found) = found {
                assert_eq!(home.read(found), "message\n", "{command}");
                let place = home.work().join(found).canonicalize().expect("it is there");
                if !in_place {
                    ran.says(&place.display().to_string());
                }
            }
            if !in_place {
                ran.says("out/note.md, named by --output-last-message")
                    .says("codex: hint: ");
            }
            if json {
                let events = ran.events();
                let last = &events[events.len() - 1];
                let kind = if in_place {
                    "turn.completed"
                } else {
                    "turn.failed"
                };
                assert_eq!(last["type"], kind, "{command}");
                assert!(in_place || last["error"]["exit_code"] == 74, "{last}");
            }
        }
    }
}

#[test]
fn a_file_at_the_path_is_replaced_and_a_link_not_followed() {
    // Before: nothing, or a file. Then what the tool puts there.
    for before in [false, true] {
        for command in [
            "rm -f note.md; ln -s VICTIM/note.md note.md",
            "rm -f note.md; ln -s VICTIM/new note.md",
            "rm -f note.md; mkfifo note.md",
            "rm -f note.md; echo x > note.md; chmod 4777 note.md",
        ] {
            let home = Home::with_key();
            let victim = victim(&home);
            if before {
                let note = home.file("note.md", "before");
                fs::set_permissions(note, PermissionsExt::from_mode(0o640)).expect("a mode");
            }
            let command = command.replace("VICTIM", &victim.display().to_string());
            swapped(&home, "note.md", &command, &[]).exits(0);
            assert_eq!(home.read("note.md"), "message\n", "{command}");
            assert_eq!(text(victim.join("note.md")), "kept\n", "{command}");
            assert_eq!(names(&victim), ["note.md"], "{command}");
            let found = fs::symlink_metadata(home.work().join("note.md")).expect("it is there");
            assert!(found.is_file() && !found.file_type().is_fifo(), "{command}");
            let mode = found.permissions().mode() & 0o7777;
            // The mode from the beginning of the run, or that of a new file; not one that a tool has set.
            assert!(
                if before {
                    mode == 0o640
                } else {
                    mode & 0o7133 == 0
                },
                "{mode:o}"
            );
        }
        // A directory cannot be replaced by a file.
        let home = Home::with_key();
        if before {
            home.file("note.md", "before");
        }
        let ran = swapped(&home, "note.md", "rm -f note.md; mkdir note.md", &[]);
        ran.exits(74)
            .says("cannot write note.md, named by --output-last-message");
        assert_eq!(names(&home.work()), ["note.md"]);
    }
}

#[test]
fn a_link_is_kept_and_leads_to_the_message_or_the_run_fails() {
    // The link exists before the run, with its target, or without.
    for target in ["target.md", "sub/target.md", "later.md"] {
        let linked = |command: &str| {
            let home = Home::with_key();
            let victim = victim(&home);
            fs::create_dir(home.work().join("sub")).expect("a directory");
            if target != "later.md" {
                fs::write(home.work().join(target), "before").expect("a file");
            }
            symlink(target, home.work().join("note.md")).expect("a link");
            let command = command.replace("VICTIM", &victim.display().to_string());
            let ran = swapped(&home, "note.md", &command, &[]);
            assert_eq!(names(&victim), ["note.md"], "{command}");
            assert_eq!(text(victim.join("note.md")), "kept\n", "{command}");
            assert_eq!(home.read(target), "message\n", "{target} {command}");
            let is_link = fs::symlink_metadata(home.work().join("note.md"));
            (ran, is_link.is_ok_and(|found| found.is_symlink()), home)
        };
        let (ran, is_link, _home) = linked("true");
        ran.exits(0);
        assert!(is_link, "{target}");
        for command in [
            "rm note.md",
            "rm note.md; echo forged > note.md",
            "rm note.md; ln -s VICTIM/note.md note.md",
        ] {
            let (ran, _, home) = linked(command);
            let place = home
                .work()
                .join(target)
                .canonicalize()
                .expect("it is there");
            ran.exits(74)
                .says(&place.display().to_string())
                .says("and note.md, named by --output-last-message");
        }
    }
}

#[test]
fn a_link_that_tools_could_have_left_is_not_followed_out_of_their_reach() {
    // A link of an earlier run in the working directory, and the named file. The last one leads to a device.
    for (link, target, out) in [
        ("note.md", "VICTIM/note.md", "note.md"),
        ("note.md", "VICTIM/new.md", "note.md"),
        ("sub", "VICTIM", "sub/note.md"),
        ("sub", "../victim", "./sub/new.md"),
        ("note.md", "/dev/null", "note.md"),
    ] {
        let home = Home::with_key();
        let victim = victim(&home);
        let victim_shown = victim.display().to_string();
        let target = target.replace("VICTIM", &victim_shown);
        symlink(&target, home.work().join(link)).expect("a link");
        let run = |flags: &[&str], out: &str| {
            let server = Server::start([Reply::text("message")]);
            let mut cmd = home.codex(&server).args(["run", "-o", out]);
            cmd.command.args(flags).arg("go");
            (cmd.run(), server.requests().len())
        };
        let (ran, requests) = run(&["-s", "workspace-write"], out);
        ran.exits(2)
            .says(&format!(
                "cannot write {out}, named by --output-last-message: it resolves to "
            ))
            .says("through a directory that tools can change")
            .says("codex: hint: if that is what you want, name /");
        assert_eq!(requests, 0);
        assert_eq!(names(&victim), ["note.md"], "{target}");
        assert_eq!(text(victim.join("note.md")), "kept\n", "{target}");
        // If tools can write there too, or nowhere, and under its real name, it is written.
        run(&[], out).0.exits(0);
        if target != "/dev/null" {
            let flags = ["-s", "workspace-write", "--add-dir", &victim_shown];
            run(&flags, out).0.exits(0);
            run(&flags[..2], "../victim/note.md").0.exits(0);
            assert_eq!(text(victim.join("note.md")), "message\n", "{target}");
        }
    }
}

#[test]
fn a_path_through_a_parent_directory_is_held_open_too() {
    let home = Home::with_key();
    for name in ["a", "b"] {
        fs::create_dir(home.work().join(name)).expect("a directory");
    }
    let server = Server::start([
        // A different directory in place of the parent leads elsewhere.
        Reply::items([bash("mkdir ../x ../x/b && mv ../a ../x/")]),
        Reply::text("message"),
    ]);
    let args = ["run", "-s", "danger-full-access"];
    let mut cmd = home
        .codex(&server)
        .args(args)
        .args(["-o", "../b/note.md", "go"]);
    cmd.command.current_dir(home.work().join("a"));
    let ran = cmd.run();
    ran.exits(74)
        .says("../b/note.md")
        .says(&home.work().join("b/note.md").display().to_string());
    assert_eq!(home.read("b/note.md"), "message\n");
    assert!(names(&home.work().join("x/b")).is_empty());
}

#[test]
fn a_directory_that_became_unwritable_fails_the_run_and_keeps_the_file() {
    if lacks(&Need::OTHER_USER) {
        return;
    }
    let home = Home::with_key();
    let out = home.work().join("out");
    fs::create_dir(&out).expect("a directory");
    fs::write(out.join("note.md"), "before").expect("a file");
    let nobody = 65534;
    give(home.root(), nobody);
    let server = Server::start([
        Reply::items([bash("chmod 500 out")]),
        Reply::text("message"),
    ]);
    let ids = [format!("--reuid={nobody}"), format!("--regid={nobody}")];
    let args = ["run", "-s", "danger-full-access", "-o", "out/note.md", "go"];
    let cmd = home.codex(&server).args(args);
    let cmd = cmd.within("setpriv", [&*ids[0], &*ids[1], "--clear-groups"]);
    let ran = finish(cmd.start(), "codex run -o out/note.md".to_owned());
    ran.exits(74).says("cannot write out/note.md");
    assert_eq!(text(out.join("note.md")), "before");
    assert_eq!(names(&out), ["note.md"]);
}

#[test]
fn the_last_message_is_never_written_to_files_that_runs_trust() {
    // A link that tools of an earlier run have left, to the directory or to the file.
    for (link, target, out) in [
        ("out", ".codex-run", "out/config.json"),
        ("note.md", ".codex-run/config.json", "note.md"),
        ("note.md", ".codex-run/tools/new", "note.md"),
    ] {
        for flags in [["--no-tools", "-v"], ["-s", "danger-full-access"]] {
            let home = Home::with_key();
            fs::create_dir_all(home.own().join("tools")).expect("a directory");
            symlink(home.root().join(target), home.work().join(link)).expect("a link");
            let server = Server::start([]);
            let ran = home
                .codex(&server)
                .args(["run", "-o", out, "go"])
                .args(flags)
                .run();
            ran.exits(2)
                .says(out)
                .says("codex-run's own files")
                .says("codex: hint: ");
            assert_eq!(server.requests().len(), 0);
            assert_eq!(names(&home.own()), ["tools"]);
        }
    }
}

#[test]
fn stored_models_and_conversations_stay_in_the_original_home() {
    // The tool replaces the home, or the link that leads to it.
    for command in [
        "rm ../link && ln -s other ../link",
        "mv ../home ../moved && ln -s other ../home",
    ] {
        let home = Home::with_token();
        let (own, other) = (home.root().join("home"), home.root().join("other"));
        for place in [&own, &other] {
            fs::create_dir(place).expect("a directory");
        }
        symlink("home", home.root().join("link")).expect("a link");
        // The list is wrong about the shape, which is found out and stored at the end, after the tool has run.
        let model = json!({"slug": "gpt-5.5", "priority": 0, "visibility": "list", "use_responses_lite": true});
        let list = Reply::json(200, &json!({"models": [model]})).header("etag", "\"lie-1\"");
        let replies = [Reply::items([bash(command)]), Reply::text("one")];
        let server = Server::start(Script::replies(replies).fix("GET", LIST, list));
        let home = home.env("CODEX_RUN_HOME", &home_link(&own));
        home.codex(&server).args(["models"]).run().exits(0);
        let args = ["run", "-s", "danger-full-access", "hi"];
        let ran = home.codex(&server).args(args).run();
        ran.exits(0).stdout("one\n");
        assert!(names(&other).is_empty(), "{command}: {:?}", names(&other));
        let held = if own.join("sessions").is_dir() {
            own
        } else {
            home.root().join("moved")
        };
        let cached: Value =
            serde_json::from_str(&text(held.join("models_cache.json"))).expect("JSON");
        assert_eq!(
            cached["shapes"].as_object().map(serde_json::Map::len),
            Some(1),
            "{cached}"
        );
        assert!(held.join("sessions").is_dir());
        // It is not found there: `--resume` would look elsewhere.
        ran.says("the conversation cannot be resumed");
    }
}

/// The link next to the directory.
fn home_link(own: &Path) -> String {
    own.with_file_name("link").display().to_string()
}
