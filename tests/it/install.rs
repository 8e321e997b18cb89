//! `make install` and `make uninstall`: what they put where and report, and that they touch nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
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
