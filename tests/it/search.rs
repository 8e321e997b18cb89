//! `grep`, `find` and `ls`: with `rg`, if installed, and without.

use std::fs;

use serde_json::{Value, json};

use crate::home::Home;
use crate::needs::{Need, lacks};

/// A directory with every kind of entry.
fn tree() -> Home {
    let home = Home::new();
    for (path, text) in [
        (".gitignore", "target/\n*.log\n!keep.log\n/only-here\n"),
        (
            "src/main.rs",
            "fn main() {\n    one();\n    two();\n    three();\n}\n",
        ),
        ("src/lib.rs", "pub fn one() {}\npub fn TWO() {}\n"),
        ("src/only-here", "one\n"),
        ("only-here", "one\n"),
        ("src/deep/.gitignore", "secret.rs\n"),
        ("src/deep/secret.rs", "one\n"),
        ("src/deep/open.rs", "none\n"),
        ("target/debug/out.rs", "one\n"),
        ("a.log", "one\n"),
        ("keep.log", "one\n"),
        (".hidden/x.rs", "one\n"),
        (".git/config", "one\n"),
        ("binary", "one\0\n"),
    ] {
        let path = home.work().join(path);
        fs::create_dir_all(path.parent().expect("it has one")).expect("a directory");
        fs::write(path, text).expect("a file");
    }
    home
}

/// The output of a tool, with `rg` and without, if both are available.
fn both(home: &Home, name: &str, arguments: Value, expected: &str, code: i32) {
    let rg = std::env::var("PATH").unwrap_or_default();
    let mut paths = vec![String::from("/nowhere")];
    if !lacks(&Need::RG) {
        paths.push(rg);
    }
    for path in paths {
        let cmd = home.offline().env("PATH", &path).args(["tool", name]);
        let ran = cmd.input(arguments.to_string()).run();
        ran.exits(code);
        assert!(
            ran.text().contains(expected),
            "PATH={path} {arguments}: {}\nis not\n{expected}",
            ran.text()
        );
        if code == 0 {
            assert_eq!(ran.text(), expected, "PATH={path} {arguments}");
        }
    }
}

#[test]
fn grep_skips_ignored_files() {
    let home = tree();
    let check = |arguments: Value, expected: &str| both(&home, "grep", arguments, expected, 0);
    check(
        json!({"pattern": "one"}),
        ".hidden/x.rs:1:one\nkeep.log:1:one\nsrc/deep/open.rs:1:none\nsrc/lib.rs:1:pub fn one() {}\n\
         src/main.rs:2:    one();\nsrc/only-here:1:one\n",
    );
    check(
        json!({"pattern": "^fn \\w+\\("}),
        "src/main.rs:1:fn main() {\n",
    );
    check(
        json!({"pattern": "two", "ignore_case": true, "glob": "lib.*"}),
        "src/lib.rs:2:pub fn TWO() {}\n",
    );
    check(
        json!({"pattern": "t.*\\(\\)", "path": "src/main.rs", "context": 1}),
        "src/main.rs-2-    one();\nsrc/main.rs:3:    two();\nsrc/main.rs:4:    three();\nsrc/main.rs-5-}\n",
    );
    check(
        json!({"pattern": "one\\(\\)|^\\}", "path": "src/main.rs", "context": 0, "limit": 1}),
        "src/main.rs:2:    one();\n[there is more; narrow it down, or raise limit]\n",
    );
    check(json!({"pattern": "nowhere"}), "[nothing found]\n");
    both(&home, "grep", json!({"pattern": "("}), "(", 1);
    both(
        &home,
        "grep",
        json!({"pattern": "x", "path": "gone"}),
        "cannot search gone: No such file",
        1,
    );
}

#[test]
fn find_and_ls_skip_ignored_files() {
    let home = tree();
    let check = |arguments: Value, expected: &str| both(&home, "find", arguments, expected, 0);
    check(
        json!({"pattern": "*.rs"}),
        ".hidden/x.rs\nsrc/deep/open.rs\nsrc/lib.rs\nsrc/main.rs\n",
    );
    check(json!({"pattern": "*.log"}), "keep.log\n");
    check(
        json!({"pattern": "*.rs", "path": "src"}),
        "src/deep/open.rs\nsrc/lib.rs\nsrc/main.rs\n",
    );
    check(
        json!({"pattern": "src/**/*.rs"}),
        "src/deep/open.rs\nsrc/lib.rs\nsrc/main.rs\n",
    );
    check(
        json!({"pattern": "*.rs", "limit": 1}),
        ".hidden/x.rs\n[there is more; narrow it down, or raise limit]\n",
    );
    check(json!({"pattern": "*.py"}), "[nothing found]\n");
    both(
        &home,
        "find",
        json!({"pattern": "*", "path": "gone"}),
        "cannot search gone: No such file",
        1,
    );
    std::os::unix::fs::symlink("src", home.work().join("link")).expect("a link");
    both(
        &home,
        "ls",
        json!({}),
        ".gitignore\n.hidden/\nbinary\nkeep.log\nlink -> src\nsrc/\n\
         [4 more: .git, or ignored by .gitignore; bash shows them]\n",
        0,
    );
    both(
        &home,
        "ls",
        json!({"path": "src/deep"}),
        ".gitignore\nopen.rs\n[1 more: .git, or ignored by .gitignore; bash shows them]\n",
        0,
    );
    both(
        &home,
        "ls",
        json!({"path": "binary"}),
        "binary is a file\n",
        0,
    );
}

/// A file with the maximum number of patterns uses little more memory than its text.
#[test]
fn a_large_gitignore_uses_little_memory() {
    let home = Home::new();
    home.file(".gitignore", "z*\n".repeat((1 << 20) / 3));
    home.file("zebra.rs", "one\n");
    home.file("ant.rs", "one\n");
    for (name, arguments, expected) in [
        ("grep", json!({"pattern": "one"}), "ant.rs:1:one\n"),
        ("find", json!({"pattern": "*.rs"}), "ant.rs\n"),
    ] {
        let cmd = home.offline().env("PATH", "/nowhere").args(["tool", name]);
        // In KiB. The program itself needs a few tens of thousands.
        let limited = r#"ulimit -v 80000; exec "$0" "$@""#;
        let ran = cmd.within("/bin/sh", ["-c", limited]);
        ran.input(arguments.to_string())
            .run()
            .exits(0)
            .stdout(expected);
    }
}
