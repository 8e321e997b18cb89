//! `config.json` and `models.json` with errors in them: each is exit 2 before anything is sent, with file, line and
//! column, and a hint.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use crate::home::{Home, KEY};

/// Helpful parts of a message: the right word, all valid words, or a hint.
const WAYS_OUT: [&str; 4] = ["did you mean ", "codex: hint: ", "known fields: ", "; use "];

fn put(name: &str, content: &[u8]) -> (Home, PathBuf) {
    let home = Home::with_key();
    fs::create_dir_all(home.own()).expect("a directory");
    let file = home.own().join(name);
    fs::write(&file, content).expect("a file");
    (home, file)
}

/// In each line: parts of the message, separated by ` + `, and the file, in which `^` marks the error and `~`
/// the end of a line.
fn check(name: &str, lines: &str) {
    let lines: Vec<&str> = lines
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    assert!(lines.len() >= 10);
    for line in lines {
        let (words, text) = line.split_once(" | ").expect("two parts");
        let text = text.replace('~', "\n");
        let (before, behind) = text.split_once('^').expect("a place");
        let (home, file) = put(name, format!("{before}{behind}").as_bytes());
        let column = before
            .rsplit('\n')
            .next()
            .unwrap_or_default()
            .chars()
            .count()
            + 1;
        let row = before.matches('\n').count() + 1;
        let place = format!("{}:{row}:{column}", file.display());

        let ran = home.offline().args(["run", "--dry-run", "hi"]).run();
        ran.exits(2).stdout("");
        for part in words.split(" + ") {
            ran.says(part);
        }
        let mut reported = ran.stderr.split(&place).skip(1);
        let is_whole = reported.all(|rest| rest.starts_with([':', ' ']));
        assert!(
            is_whole && ran.stderr.contains(&place),
            "{line}: {}",
            ran.stderr
        );
        assert!(ran.stderr.starts_with("codex: "), "{}", ran.stderr);
        let helps = WAYS_OUT.iter().any(|way| ran.stderr.contains(way));
        assert!(helps, "{line}: {}", ran.stderr);
        assert!(ran.stderr.lines().count() <= 2, "{line}: {}", ran.stderr);
    }
}

#[test]
fn an_error_in_config_json_is_reported_with_its_position() {
    check(
        "config.json",
        r#"
        "modle"; did you mean model? | {^"modle": "x"}
        "effrot"; did you mean effort? | {"model": "x",~  ^"effrot": "high"}
        unknown field | {^"zzzzzzzzzz": 1}
        the file is empty | ^
        expected a JSON object | ^["model"]
        expected value | {"model": ^}
        expected `:` | {~"é": 5, "model" ^"x"}
        EOF | {"model": "x"~^
        "model" must be a string | {"model": ^5}
        "effort" must be a string, such as "none" | {"effort": ^true}
        "network" must be true or false | {"network": ^"yes"}
        "max-turns" must be a whole number | {"max-turns": ^[1]}
        "timeout" must be a duration, such as "90s" | {"timeout": ^null}
        "env" must be an array of strings | {"env": ^["A", 5]}
        duplicate field "model" | {"model": "a", "model": ^"b"}
        "#,
    );
}

#[test]
fn an_invalid_value_in_config_json_is_reported_with_its_position() {
    check(
        "config.json",
        r#"
        "hihg"; did you mean high? | {"effort": ^"hihg"}
        "hgih"; did you mean high? | {~"verbosity": ^"hgih"}
        "atuo"; did you mean auto? | {"summary": ^"atuo"}
        "workspace-wirte"; did you mean workspace-write? | {"sandbox": ^"workspace-wirte"}
        "nevre"; did you mean never? | {"color": ^"nevre"}
        "bahs"; did you mean bash? | {"tools": ^"bahs"}
        unknown value for "fail-on" in  + "x"; use tool-error | {"fail-on": ^"x"}
        invalid value for "max-turns" in  + : "0" | {"max-turns": ^0}
        invalid value for "max-turns" in  + : "-1" | {"max-turns": ^-1}
        invalid value for "retries" in  + : "1.5" | {"retries": ^1.5}
        invalid value for "timeout" in  + : "1d" | {"timeout": ^"1d"}
        invalid value for "idle-timeout" in  + : "0" | {"idle-timeout": ^0}
        white space or a control character | {"model": ^"a b"}
        cannot read | {"file": ^"gone.txt"}
        it is not a PNG, JPEG, GIF or WebP image | {"image": ^"config.json"}
        cannot read | {"instructions": ^"gone.txt"}
        cannot read | {"api-key-file": ^"gone.txt"}
        cannot work in | {"cd": ^"gone"}
        "#,
    );
}

#[test]
fn conflicting_defaults_are_reported_with_their_file() {
    for text in [
        r#"{"no-tools": true, "tools": "read"}"#,
        r#"{"quiet": true, "verbose": true}"#,
    ] {
        let (home, file) = put("config.json", text.as_bytes());
        let ran = home.offline().args(["run", "hi"]).run();
        ran.exits(2)
            .stdout("")
            .says("are mutually exclusive")
            .says(&format!("{}:1:", file.display()));
    }
}

#[test]
fn an_error_in_models_json_is_reported_with_its_position() {
    check(
        "models.json",
        r#"
        "provider"; did you mean providers? | {^"provider": {}}
        the file is empty | ^// nothing~
        expected a JSON object | // a list~^[]
        expected `:` | // "a": {~{~"providers" ^}
        "baseUlr"; did you mean baseUrl? | // one~{"providers": {"box": {  ^"baseUlr": "x"}}}
        must be a string | // "two"~{"providers": {"box": {"baseUrl":    ^5}}}
        must not contain a slash or white space | {"providers": {"a/b":  ^{}}}
        duplicate field "box" | {"providers": {~"box": {}, // first~ "box": ^{}}}
        the field "id" is missing | {"providers": {"box": {"models": [^{"name": "x"}]}}}
        a whole number of tokens | {"providers": {"box": {"models": [{"id": "x", // why~"contextWindow": ^"8k"}]}}}
        a shape must be "classic", "additional" or "lite" | {"providers": {"box": {"models": [{"id": "x", "shape": ^"lit"}]}}}
        an input must be "text" or "image" | {"providers": {"box": {"models": [{"id": "x", "input": ^["txt"]}]}}}
        a number of dollars | {"providers": {"box": {"models": [{"id": "x", "cost": {"input": ^-1}}]}}}
        "inptu"; did you mean input? | {"providers": {"box": {"models": [{"id": "x", "cost": {^"inptu": 1}}]}}}
        unknown effort "hihg" | {"providers": {"box": {"models": [{"id": "x", "efforts": ^["hihg"]}]}}}
        an id must not be empty or contain white space | {"providers": {"box": {"models": [{"id": "x"}, {"id": ^"x y"}]}}}
        "id" is not allowed here: the id is the key of this object | {"providers": {"box": {"modelOverrides": {"x": {"id": ^"y"}}}}}
        "#,
    );
}

#[test]
fn a_key_in_a_broken_file_is_not_shown() {
    for name in ["config.json", "models.json"] {
        let text = format!(r#"{{"providers": {{"box": {{"apiKey": "{KEY}" "x"}}}}}}"#);
        let (home, file) = put(name, text.as_bytes());
        let ran = home.offline().args(["run", "hi"]).run();
        ran.exits(2).says(&format!("{}:1:", file.display()));
    }
}

#[test]
fn an_unreadable_file_is_reported() {
    for name in ["config.json", "models.json"] {
        let (home, file) = put(name, b"{\"\xff\": 1}");
        let reported = format!("cannot read {}: ", file.display());
        let check = || {
            let ran = home.offline().args(["run", "--dry-run", "hi"]).run();
            ran.exits(2)
                .stdout("")
                .says(&reported)
                .says("codex: hint: ");
        };
        check();
        fs::remove_file(&file).expect("a file");
        fs::create_dir(&file).expect("a directory");
        check();
        fs::remove_dir(&file).expect("a directory");
        symlink(&file, &file).expect("a link");
        check();
    }
}

#[test]
fn help_works_with_broken_files() {
    let (home, file) = put("config.json", b"{");
    fs::write(file.with_file_name("models.json"), "{").expect("a file");
    for args in [
        &["--help"][..],
        &["help", "run"],
        &["run", "-h"],
        &["--version"],
        &["completion", "bash"],
        &["help", "exit-codes"],
        &["help", "models"],
    ] {
        let mut cmd = home.offline();
        cmd.command.args(args);
        cmd.run().exits(0).stderr("");
    }
    // A setting that a command does not use is not validated by it.
    home.configure(r#"{"effort": "hihg"}"#);
    home.offline().args(["status"]).run().exits(0).stderr("");
}
