//! `make install` and `make uninstall`: what they put where and report, and that they touch nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::command_output::CommandOutput;
use crate::home::{BINARY, Home};
use crate::needs::{Need, lacks};

/// Calls `make` in the checkout, with the program that is built already. `first` is where PATH begins.
fn make<const N: usize>(home: &Home, first: &str, words: [&str; N]) -> CommandOutput {
    let mut make = Command::new("make");
    let path = std::env::var("PATH").unwrap_or_default();
    make.arg("-s")
        .args(words)
        .arg(format!("PROGRAM={}", *BINARY))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_clear()
        .env("HOME", home.root())
        .env("PATH", format!("{first}:{path}"))
        .stdin(Stdio::null());
    let mut cmd = home.offline();
    cmd.command = make;
    cmd.run()
}

/// Every file and directory below this one.
fn tree(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).expect("a directory").flatten() {
        found.insert(entry.path().display().to_string());
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(tree(&entry.path()));
        }
    }
    found
}

/// A caller of the script, as `within` other programs.
struct Script<'a> {
    home: &'a Home,
    within: &'a [&'a str],
    temporary: &'a Path,
}

impl Script<'_> {
    /// Calls the script in the working directory, with a small program. It ends within ten seconds.
    fn run(&self, words: &[String]) -> CommandOutput {
        let program = self.home.root().join("program");
        write(&program, "#!/bin/sh\necho codex-run 1\n");
        let mut script = Command::new("timeout");
        script
            .arg("10")
            .args(self.within)
            .arg("sh")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/src/dist/install.sh"))
            .args(words)
            .arg(format!("PROGRAM={}", program.display()))
            .current_dir(self.home.work())
            .env_clear()
            .env("HOME", self.home.root())
            .env("PATH", std::env::var("PATH").unwrap_or_default())
            .env("TMPDIR", self.temporary)
            .stdin(Stdio::null());
        let mut cmd = self.home.offline();
        cmd.command = script;
        cmd.run()
    }

    fn install(&self, prefix: &Path) -> CommandOutput {
        self.run(&["install".into(), format!("PREFIX={}", prefix.display())])
    }

    fn uninstall(&self, prefix: &Path) -> CommandOutput {
        self.run(&["uninstall".into(), format!("PREFIX={}", prefix.display())])
    }
}

/// Writes a file, and makes its directory.
fn write(file: &Path, text: &str) {
    fs::create_dir_all(file.parent().expect("a directory")).expect("a directory");
    fs::write(file, text).expect("a file");
}

/// Makes a link, and its directory.
fn link(target: &Path, file: &Path) {
    fs::create_dir_all(file.parent().expect("a directory")).expect("a directory");
    symlink(target, file).expect("a link");
}

/// A program that calls itself the official client.
fn official(file: &Path) {
    fs::create_dir_all(file.parent().expect("a directory")).expect("a directory");
    fs::write(file, "#!/bin/sh\n# @openai/codex\necho codex-cli 1.0.0\n").expect("a file");
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).expect("a mode");
}

#[test]
fn what_is_installed_under_any_name_is_removed_and_nothing_else() {
    if lacks(&Need::MAKE) {
        return;
    }
    let home = Home::new();
    let prefix = home.work().join("pre fix");
    fs::create_dir_all(prefix.join("share/man/man1")).expect("a directory");
    fs::write(prefix.join("share/man/man1/other.1"), "").expect("a file");
    let before = tree(&home.work());
    let place = format!("PREFIX={}", prefix.display());
    for name in ["codex", "my-codex"] {
        let words = ["install", &place, &format!("NAME={name}")];
        let text = make(&home, "", words).exits(0).stderr("").text();
        let installed = format!(
            "installed codex-run {} as `{name}`",
            env!("CARGO_PKG_VERSION")
        );
        assert!(text.contains(&installed), "{text}");
        assert!(text.contains("/bin is not on it"), "{text}");
        let page = fs::read_to_string(prefix.join(format!("share/man/man1/{name}.1")));
        let heading = format!(".TH {} 1", name.to_uppercase());
        assert!(page.expect("the manual page").starts_with(&heading));
        let file = prefix.join(format!("share/bash-completion/completions/{name}"));
        let script = fs::read_to_string(file).expect("the completion");
        let end = format!(" _{} {name}", name.replace('-', "_"));
        let mut lines = script.lines();
        assert!(lines.any(|line| line.starts_with("complete ") && line.ends_with(&end)));
    }
    for name in ["my-codex", "codex"] {
        let words = ["uninstall", &place, &format!("NAME={name}")];
        let text = make(&home, "", words).exits(0).stderr("").text();
        assert!(text.contains("What stays: CODEX_RUN_HOME"), "{text}");
    }
    assert_eq!(tree(&home.work()), before);

    let stage = home.work().join("stage");
    let below = format!("DESTDIR={}", stage.display());
    make(&home, "", ["install", "PREFIX=/usr", &below]).exits(0);
    assert!(stage.join("usr/share/man/man1/codex.1").exists());
    make(&home, "", ["uninstall", "PREFIX=/usr", &below]).exits(0);
    assert_eq!(tree(&stage), BTreeSet::new());
}

#[test]
fn another_program_of_that_name_is_reported_and_stays() {
    if lacks(&Need::MAKE) {
        return;
    }
    let home = Home::new();
    let (ours, other) = (home.work().join("ours"), home.work().join("other"));
    official(&other.join("codex"));
    let place = format!("PREFIX={}", ours.display());
    let (bin, other) = (ours.join("bin").display().to_string(), other.display());
    for (path, report) in [
        (format!("{other}:{bin}"), "which hides"),
        (format!("{bin}:{other}"), "It hides"),
        (other.to_string(), "is not on it"),
    ] {
        let text = make(&home, &path, ["install", &place]).exits(0).text();
        assert!(text.contains(report), "{text}");
        let named = format!("{other}/codex (OpenAI's Codex CLI)");
        assert!(text.contains(&named), "{text}");
    }
    // The official client takes the place of the installed program.
    let program = ours.join("bin/codex");
    fs::remove_file(&program).expect("the program");
    official(&program);
    let before = tree(&ours);
    make(&home, "", ["install", &place])
        .exits(2)
        .says("belongs to another program: nothing was installed");
    assert_eq!(tree(&ours), before);
    let text = make(&home, "", ["uninstall", &place]).exits(0).text();
    assert!(text.contains("bin/codex stays"), "{text}");
    assert_eq!(tree(&ours).len(), 2, "the program and its directory");
}

#[test]
fn any_directory_is_possible_except_with_a_line_break() {
    let home = Home::new();
    for name in ["-d", " a  b\t*[x]?'\"$(touch x)` "] {
        let temporary = home.work().join(name);
        fs::create_dir_all(&temporary).expect("a directory");
        let before = tree(&home.work());
        let script = Script {
            home: &home,
            within: &[],
            temporary: Path::new(name),
        };
        // Relative ones, which begin as they are written here.
        for destination in ["", name] {
            for (action, there) in [("install", true), ("uninstall", false)] {
                let mut words = vec![action.to_owned(), format!("DESTDIR={destination}")];
                words.push(format!("PREFIX={name}/./x/../new"));
                script.run(&words).exits(0).stderr("");
                let prefix = home.work().join(name).join("new");
                let below = home.work().join(destination);
                let below = below.join(prefix.strip_prefix("/").expect("absolute"));
                let prefix = if destination.is_empty() {
                    prefix
                } else {
                    below
                };
                assert_eq!(prefix.join("bin/codex").exists(), there, "{name}");
            }
        }
        assert_eq!(tree(&home.work()), before);
    }
    let script = Script {
        home: &home,
        within: &[],
        temporary: &home.work(),
    };
    for word in ["PREFIX=a\nb", "PREFIX=/a\n", "DESTDIR=a\n", "NAME=a\n"] {
        let ran = script.run(&["install".into(), "PREFIX=/x".into(), word.into()]);
        ran.exits(1).stdout("").says("install: ");
    }
}

#[test]
fn what_is_in_the_way_is_reported_before_anything_is_changed() {
    type Prepare = fn(&Path, &Path);
    let rows: [(&str, Prepare); 11] = [
        ("belongs to another program", |prefix, _| {
            let words = "#!/bin/sh\n# independent client, not OpenAI's Codex CLI\n";
            write(&prefix.join("bin/codex"), words);
        }),
        ("is a codex-run that came in another way", |prefix, _| {
            let words = "\x7fELF independent client, not OpenAI's Codex CLI";
            write(&prefix.join("bin/codex"), words);
        }),
        ("share/man/man5/codex-config.5 is there", |prefix, _| {
            write(&prefix.join("share/man/man5/codex-config.5"), "another");
        }),
        ("bin/codex: it is a directory", |prefix, _| {
            fs::create_dir_all(prefix.join("bin/codex")).expect("a directory");
        }),
        ("a file has this name", |prefix, _| {
            write(&prefix.join("bin"), "");
        }),
        ("a file has this name", |prefix, _| {
            write(&prefix.join("share/fish"), "");
        }),
        ("a file has this name", |prefix, _| write(prefix, "")),
        ("a link that leads nowhere has this name", |prefix, _| {
            link(&prefix.join("absent"), &prefix.join("share"));
        }),
        (
            "codex.installed is not a regular file",
            |prefix, outside| {
                let record = prefix.join("share/codex-run/codex.installed");
                link(&outside.join("victim"), &record);
            },
        ),
        ("directories is not a regular file", |prefix, outside| {
            let list = prefix.join("share/codex-run/directories");
            link(&outside.join("victim"), &list);
        }),
        ("is a link that leads out of", |prefix, outside| {
            link(outside, &prefix.join("share/codex-run"));
        }),
    ];
    for (words, prepare) in rows {
        let home = Home::new();
        let (prefix, outside) = (home.work().join("prefix"), home.work().join("outside"));
        write(&outside.join("victim"), "");
        prepare(&prefix, &outside);
        let before = tree(&home.work());
        let script = Script {
            home: &home,
            within: &[],
            temporary: &home.root().join("tmp"),
        };
        let ran = script.install(&prefix);
        ran.exits(1).stdout("");
        ran.says(words).says("install: hint: ");
        assert_eq!(tree(&home.work()), before, "{words}");
        assert_eq!(fs::read(outside.join("victim")).expect("a file"), b"");
    }
}

#[test]
fn a_planted_record_reaches_nothing_outside_the_prefix() {
    let home = Home::new();
    let (prefix, outside) = (home.work().join("prefix"), home.work().join("outside"));
    write(&outside.join("victim"), "");
    fs::create_dir(outside.join("empty")).expect("a directory");
    let (below, out) = (prefix.display(), outside.display());
    // The checksum of an empty file.
    let record = format!(
        "4294967295 0 {out}/victim\n4294967295 0 {below}/../outside/victim\n\
         4294967295 0 {below}/./../outside/victim\nno path\n"
    );
    let list =
        format!("{out}/empty\n{below}/../outside/empty\n{below}/bin/../../outside/empty\n\n");
    let folder = prefix.join("share/codex-run");
    let script = Script {
        home: &home,
        within: &[],
        temporary: &home.root().join("tmp"),
    };
    for install in [true, false] {
        write(&folder.join("codex.installed"), &record);
        write(&folder.join("directories"), &list);
        if install {
            link(&outside.join("victim"), &folder.join("codex.installed.new"));
            let ran = script.install(&prefix);
            ran.exits(0);
            ran.says(&format!("is not below {below}: {out}/victim"));
            fs::remove_file(folder.join("codex.installed.new")).expect("it stays");
        } else {
            let ran = script.uninstall(&prefix);
            ran.exits(0);
            ran.says(&format!("is not below {below}: {out}/empty"));
        }
        assert_eq!(fs::read(outside.join("victim")).expect("it stays"), b"");
        assert!(outside.join("empty").exists());
    }
}

#[test]
fn permissions_and_owners_are_checked() {
    if lacks(&Need::OTHER_USER) {
        return;
    }
    let home = Home::new();
    let prefix = home.work().join("prefix");
    let pages = prefix.join("share/man/man5");
    fs::create_dir_all(&pages).expect("a directory");
    let temporary = home.root().join("tmp");
    for folder in [&temporary, &prefix, &prefix.join("share"), &pages] {
        chown(folder, Some(65534), Some(65534)).expect("another owner");
    }
    let ids = [
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
    ];
    let (user, root) = (
        Script {
            home: &home,
            within: &ids,
            temporary: &temporary,
        },
        Script {
            home: &home,
            within: &[],
            temporary: &temporary,
        },
    );
    let before = tree(&prefix);
    user.install(&prefix)
        .exits(1)
        .stdout("")
        .says("share/man cannot be written");
    assert_eq!(tree(&prefix), before);
    chown(prefix.join("share/man"), Some(65534), None).expect("another owner");
    user.install(&prefix).exits(0).stderr("");

    for action in [Script::install, Script::uninstall] {
        let ran = action(&root, &prefix);
        ran.exits(1).stdout("");
        ran.says("belongs to another user, and root does not follow it");
    }
    // A link of the caller's own is followed, one of another user is not.
    let linked = home.work().join("linked");
    let elsewhere = home.work().join("elsewhere");
    fs::create_dir(&elsewhere).expect("a directory");
    link(&elsewhere, &linked.join("bin"));
    root.install(&linked).exits(0);
    rustix::fs::chownat(
        rustix::fs::CWD,
        linked.join("bin"),
        Some(rustix::fs::Uid::from_raw(65534)),
        None,
        rustix::fs::AtFlags::SYMLINK_NOFOLLOW,
    )
    .expect("another owner");
    for action in [Script::install, Script::uninstall] {
        let ran = action(&root, &linked);
        ran.exits(1).says("is a link that belongs to another user");
    }
    assert!(elsewhere.join("codex").exists());

    // One directory becomes read-only: what is in it stays, and the rest is removed.
    fs::set_permissions(&pages, fs::Permissions::from_mode(0o555)).expect("a mode");
    let ran = user.uninstall(&prefix);
    ran.exits(1);
    ran.says("man5/codex-config.5: Permission denied");
    assert!(!prefix.join("bin/codex").exists());
    assert!(!ran.text().contains("\nremoved."));
    fs::set_permissions(&pages, fs::Permissions::from_mode(0o755)).expect("a mode");
    user.uninstall(&prefix).exits(0).stderr("");
    assert_eq!(tree(&home.work().join("prefix")), before);
}
