//! Files that another user could have planted are not trusted: repositories, instructions and manifests in world-writable
//! directories; and for root, those of users unrelated to the working directory.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;

use serde_json::{Value, json};

use crate::home::{CommandOutput, Home};
use crate::needs::{Need, lacks};
use crate::standin::{Reply, Server};

/// An unrelated user.
const SOMEBODY: u32 = 4_000_000;

/// A run in this directory, and the instructions that it sends.
fn instructed(home: &Home, directory: &Path) -> (CommandOutput, String) {
    let directory = directory.display().to_string();
    let server = Server::start([Reply::text("done")]);
    let ran = home
        .codex(&server)
        .args(["run", "-C", &directory, "hi"])
        .run();
    ran.exits(0);
    let sent = server.requests().pop().expect("a request").json();
    // A dry run shows the same.
    let dry = home
        .offline()
        .args(["run", "--dry-run", "-C", &directory, "hi"])
        .run();
    let shown: Value = serde_json::from_str(&dry.exits(0).text()).expect("JSON");
    assert_eq!(shown["body"]["instructions"], sent["instructions"]);
    assert_eq!(dry.stderr, ran.stderr);
    let text = sent["instructions"].as_str().expect("a text").to_owned();
    (ran, text)
}

fn open_to_all(directory: &Path, mode: u32) {
    fs::create_dir_all(directory).expect("a directory");
    fs::set_permissions(directory, fs::Permissions::from_mode(mode)).expect("it is ours");
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
    fs::write(path, text).expect("a file");
}

#[test]
fn nothing_is_read_from_a_world_writable_directory() {
    let home = Home::with_key();
    let open = home.work().join("open");
    let inner = open.join("mine/deep");
    for mode in [0o777, 0o1777, 0o2] {
        // The write bit of others is enough.
        open_to_all(&open, mode | 0o700);
        fs::create_dir_all(open.join(".git")).expect("a directory");
        write(&open.join("AGENTS.md"), "planted");
        write(&open.join("mine/AGENTS.md"), "of mine");
        write(&inner.join("AGENTS.md"), "of deep");
        let not_taken = |name: &str| {
            let open = open.display();
            format!("codex: {open}/{name} is ignored: {open} is world-writable\n")
        };
        let (ran, text) = instructed(&home, &open);
        assert!(!text.contains("planted"), "{text}");
        ran.stderr(&format!("{}{}", not_taken(".git"), not_taken("AGENTS.md")));
        // Below it there is no repository, so only the directory itself counts.
        let (ran, text) = instructed(&home, &inner);
        assert!(
            text.contains("of deep") && !text.contains("planted") && !text.contains("of mine"),
            "{text}"
        );
        ran.says(&not_taken(".git"));
        // A repository below it is like any other.
        fs::create_dir_all(open.join("mine/.git")).expect("a directory");
        let (ran, text) = instructed(&home, &inner);
        assert!(
            text.contains("of mine") && !text.contains("planted"),
            "{text}"
        );
        ran.stderr("");
        fs::remove_dir_all(&open).expect("it is ours");
    }
}

#[test]
fn no_repository_is_searched_for_above_a_world_writable_directory() {
    let home = Home::with_key();
    let root = home.work().join("project");
    fs::create_dir_all(root.join(".git")).expect("a directory");
    write(&root.join("AGENTS.md"), "of the root");
    let inner = root.join("open/mine");
    write(&inner.join("AGENTS.md"), "of mine");
    let (_, text) = instructed(&home, &inner);
    assert!(text.contains("of the root"), "{text}");
    open_to_all(&root.join("open"), 0o1777);
    let (ran, text) = instructed(&home, &inner);
    assert!(
        text.contains("of mine") && !text.contains("of the root"),
        "{text}"
    );
    ran.says(&format!(
        "{}/.git is ignored: {} is world-writable",
        root.display(),
        root.join("open").display()
    ));
    // A link leads there as well.
    open_to_all(&root.join("open"), 0o755);
    open_to_all(&root.join("shared"), 0o777);
    write(&root.join("shared/words.md"), "planted");
    fs::remove_file(root.join("AGENTS.md")).expect("it is ours");
    symlink("shared/words.md", root.join("AGENTS.md")).expect("a link");
    let (ran, text) = instructed(&home, &root);
    assert!(!text.contains("planted"), "{text}");
    ran.says("/AGENTS.md is ignored: it resolves to ")
        .says("/shared");
}

#[test]
fn files_directly_in_tmp_are_never_read() {
    if lacks(&Need::MOUNTS) {
        return;
    }
    let home = Home::with_key();
    // A private /tmp, so that no other program sees the planted files.
    let script = "mount -t tmpfs -o mode=1777 planted /tmp && mkdir -p /tmp/.git /tmp/mine && echo planted > /tmp/AGENTS.md \
                  && echo of mine > /tmp/mine/AGENTS.md && exec \"$0\" \"$@\" || exit 99";
    for (directory, taken, noted) in [("/tmp", false, "AGENTS.md"), ("/tmp/mine", true, ".git")] {
        let cmd = home
            .offline()
            .args(["run", "--dry-run", "-C", directory, "hi"]);
        let ran = cmd.within("unshare", ["-m", "sh", "-c", script]).run();
        let text = ran.exits(0).text();
        assert!(!text.contains("planted"), "{text}");
        assert_eq!(text.contains("of mine"), taken, "{text}");
        ran.says(&format!("/tmp/{noted} is ignored: /tmp is world-writable"));
    }
}

fn manifest(path: &Path, name: &str) -> String {
    let text = json!({"name": name, "description": "d", "parameters": {"type": "object"}, "command": ["true"]});
    write(path, &text.to_string());
    path.display().to_string()
}

/// The names of the tools that a run offers.
fn offered(home: &Home, flags: &[&str]) -> (CommandOutput, String) {
    let mut cmd = home.offline().args(["run", "--dry-run", "x"]);
    cmd.command.args(flags);
    let ran = cmd.run();
    let shown: Value = serde_json::from_str(&ran.exits(0).text()).expect("JSON");
    let tools = shown["body"]["tools"].to_string();
    (ran, tools)
}

#[test]
fn a_manifest_in_a_world_writable_directory_is_refused() {
    let home = Home::with_key();
    let open = home.root().join("open");
    open_to_all(&open, 0o1777);
    let planted = manifest(&open.join("planted.json"), "planted");
    let link = home.root().join("link.json");
    symlink(&planted, &link).expect("a link");
    let through = open.join("through");
    manifest(&home.root().join("safe/fine.json"), "fine");
    symlink(home.root().join("safe"), &through).expect("a link");
    for path in [
        &open.join("planted.json"),
        &link,
        &through.join("fine.json"),
    ] {
        let path = path.display().to_string();
        let ran = home.offline().args(["run", "--tool", &path, "x"]).run();
        ran.exits(2)
            .stdout("")
            .says(&format!("cannot use {path}, named by --tool: "))
            .says(&format!("{} is world-writable", open.display()))
            .says("hint: move it to a directory");
    }
    let below = manifest(&open.join("mine/below.json"), "below");
    assert!(offered(&home, &["--tool", &below]).1.contains("\"below\""));
    // In the home it is skipped.
    let folder = home.root().join(".codex-run/tools");
    manifest(&folder.join("kept.json"), "kept");
    symlink(&planted, folder.join("planted.json")).expect("a link");
    let (ran, tools) = offered(&home, &[]);
    assert!(
        tools.contains("\"kept\"") && !tools.contains("\"planted\""),
        "{tools}"
    );
    ran.says("the manifest ")
        .says("/tools/planted.json is ignored: ")
        .says(" is world-writable\n");
    open_to_all(&folder, 0o777);
    let (ran, tools) = offered(&home, &[]);
    assert!(!tools.contains("\"kept\""), "{tools}");
    ran.says("/tools/kept.json is ignored: ")
        .says(" is world-writable\n");
}

#[test]
fn root_trusts_only_the_owner_of_the_working_directory() {
    if lacks(&Need::ROOT) {
        return;
    }
    let home = Home::with_key();
    let root = home.work().join("project");
    let inner = root.join("inner");
    fs::create_dir_all(root.join(".git")).expect("a directory");
    write(&root.join("AGENTS.md"), "of the root");
    write(&inner.join("AGENTS.md"), "of the inner");
    let path = manifest(&inner.join("lookup.json"), "lookup");
    let give = |path: &Path, owner: u32| chown(path, Some(owner), Some(owner)).expect("we may");
    let reported = || {
        let (ran, text) = instructed(&home, &inner);
        let found = (text.contains("of the root"), text.contains("of the inner"));
        (found, ran)
    };
    let tool = || {
        let inner = inner.display().to_string();
        let cmd = home
            .offline()
            .args(["run", "--dry-run", "-C", &inner, "--tool", &path, "x"]);
        cmd.run()
    };
    assert_eq!(reported().0, (true, true));
    tool().exits(0);
    give(&inner.join("AGENTS.md"), SOMEBODY);
    give(Path::new(&path), SOMEBODY);
    let (found, ran) = reported();
    assert_eq!(found, (true, false));
    ran.says("/inner/AGENTS.md is ignored: it belongs to another user");
    tool().exits(2).says(&format!(
        "it belongs to user {SOMEBODY}, who is neither root nor the owner of the working directory"
    ));
    // Everything belongs to one user, as in a container.
    give(&inner, SOMEBODY);
    assert_eq!(reported().0, (true, true));
    tool().exits(0);
    for place in [&root, &root.join(".git"), &root.join("AGENTS.md")] {
        give(place, SOMEBODY);
    }
    assert_eq!(reported().0, (true, true));
    // Or to a different one.
    give(&root.join("AGENTS.md"), SOMEBODY + 1);
    assert_eq!(reported().0, (false, true));
    give(&root.join("AGENTS.md"), SOMEBODY);
    give(&root.join(".git"), SOMEBODY + 1);
    let (found, ran) = reported();
    assert_eq!(found, (false, true));
    ran.says("/project/.git belongs to another user and is not treated as a repository");
    // In the tools directory of the home it is skipped.
    let kept = home.root().join(".codex-run/tools/kept.json");
    manifest(&kept, "kept");
    give(&kept, SOMEBODY + 1);
    let (ran, tools) = offered(&home, &[]);
    assert!(!tools.contains("\"kept\""), "{tools}");
    ran.says("/tools/kept.json is ignored: it belongs to user ");
}

#[test]
fn a_link_does_not_put_a_hidden_file_into_the_prompt() {
    let home = Home::with_key();
    let kept = home.own().join("auth.json.kept");
    fs::create_dir_all(home.own()).expect("a directory");
    fs::write(&kept, "rt-kept-at-home").expect("a file");
    fs::create_dir(home.work().join("sub")).expect("a directory");
    symlink(&kept, home.work().join("notes.md")).expect("a link");
    symlink(home.own(), home.work().join("sub/notes")).expect("a link");
    let sent = |flags: &[&str]| {
        let mut cmd = home.offline().args(["run", "--dry-run"]);
        cmd.command.args(flags).arg("x");
        cmd.run()
    };
    let shown = kept.canonicalize().expect("it is there");
    for flag in ["-f", "--instructions"] {
        for path in ["notes.md", "sub/notes/auth.json.kept"] {
            for more in [&[][..], &["--no-tools"], &["-s", "workspace-write"]] {
                let ran = sent(&[&[flag, path], more].concat());
                ran.exits(2).stdout("").says(&format!(
                    "it resolves to {}, where credentials are kept",
                    shown.display()
                ));
            }
        }
        // A user may name such a file.
        let named = kept.display().to_string();
        let ran = sent(&[flag, &named]);
        assert!(ran.exits(0).text().contains("rt-kept-at-home"), "{flag}");
        // Other links are followed.
        fs::write(home.root().join("plain.md"), "plain words").expect("a file");
        let link = home.work().join("plain.md");
        let _ = symlink("../plain.md", &link);
        assert!(
            sent(&[flag, "plain.md"])
                .exits(0)
                .text()
                .contains("plain words")
        );
    }
}
