//! man/ and completions/ match the output of the binary, and the man pages are clean.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::home::Home;
use crate::needs::{Need, lacks};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn printed(what: &str) -> String {
    let printed = Home::new().offline().args(["--generate", what]).run();
    printed.exits(0).text().clone()
}

fn check(name: &str, printed: &str) {
    let committed = fs::read_to_string(file(name)).unwrap_or_default();
    assert!(
        printed == committed,
        "{name} is out of date: run `make generate`"
    );
}

#[test]
fn the_committed_files_match_the_flag_table() {
    for (shell, name) in [
        ("bash", "completions/codex.bash"),
        ("zsh", "completions/_codex"),
        ("fish", "completions/codex.fish"),
    ] {
        let script = printed(shell);
        check(name, &script);
        let completion = Home::new().offline().args(["completion", shell]).run();
        completion.exits(0).stdout(&script);
    }
}

#[test]
fn the_committed_man_pages_match_their_texts() {
    let pages = printed("pages");
    for page in pages.lines() {
        check(&format!("man/{page}"), &printed(page));
    }
    let files = fs::read_dir(file("man")).expect("man").count();
    assert_eq!(files, pages.lines().count(), "a page that is not generated");
}

/// Neither of the two programs that show man pages finds anything to warn about.
#[test]
fn the_man_pages_are_clean() {
    for (need, arguments) in [
        (Need::MANDOC, &["-Tlint", "-Wwarning"][..]),
        (Need::GROFF, &["-ww", "-man", "-Tutf8", "-z"]),
    ] {
        if lacks(&need) {
            continue;
        }
        for page in printed("pages").lines() {
            let program = need.name();
            let checked = Command::new(program)
                .args(arguments)
                .arg(file("man").join(page))
                .output()
                .expect("a process");
            let warnings = String::from_utf8_lossy(&checked.stderr).into_owned()
                + &String::from_utf8_lossy(&checked.stdout);
            assert_eq!(warnings, "", "{program} about {page}");
        }
    }
}
