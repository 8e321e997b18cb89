//! Errors on the command line: each has a message that says what, why and what to do, the right exit code, and no
//! request.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::home::Home;

/// Runs with these arguments, a key and an unreachable service; checks the exit code and the message.
#[track_caller]
fn check(args: &[&str], code: i32, words: &[&str]) {
    let mut cmd = Home::with_key().offline();
    cmd.command.args(args);
    let run = cmd.run();
    run.exits(code).stdout("");
    for words in words {
        run.says(words);
    }
}

#[test]
fn unknown_words_get_a_suggestion() {
    check(
        &["run", "--modle", "x"],
        2,
        &["codex: unknown flag \"--modle\"; did you mean --model?\n"],
    );
    check(
        &["run", "--frobnicate"],
        2,
        &["unknown flag \"--frobnicate\"", "`codex run --help`"],
    );
    check(
        &["rnu", "x"],
        2,
        &["unknown command \"rnu\"", "did you mean run?"],
    );
    check(
        &["run", "-e", "hihg", "--no-tools", "x"],
        2,
        &["unknown value for --effort: \"hihg\"", "did you mean high?"],
    );
    check(
        &["run", "--tools", "bash,raed", "x"],
        2,
        &["\"raed\"", "did you mean read?"],
    );
    check(
        &["run", "-s", "readonly", "x"],
        2,
        &["did you mean read-only?"],
    );
    check(&["completion", "bsh"], 2, &["did you mean bash?"]);
    check(&[], 2, &["no command given"]);
}

#[test]
fn invalid_values_are_refused() {
    check(
        &["run", "--no-tools", "--timeout", "soon", "x"],
        2,
        &["invalid value for --timeout: \"soon\"", "300ms, 90s"],
    );
    check(
        &["run", "--no-tools", "--timeout", "0", "x"],
        2,
        &["a duration greater than 0"],
    );
    check(
        &["run", "--no-tools", "--max-turns", "0", "x"],
        2,
        &["a whole number, 1 or greater"],
    );
    check(
        &["run", "--no-tools", "-m", "gpt 5", "x"],
        2,
        &["the model id of --model", "byte 3"],
    );
    check(&["run", "--no-tools", "-m"], 2, &["needs a value"]);
    // A flag that swallowed the next one is reported before what is missing because of it.
    for (flag, value) in [
        ("--wait-for-reset", "--no-tools"),
        ("--idle-timeout", "--no-tools"),
        ("--retries", "-1"),
    ] {
        let words = format!("invalid value for {flag}: \"{value}\"");
        check(&["run", flag, value, "x"], 2, &[&words]);
    }
    check(
        &["run", "--no-tools", "--tools", "bash", "x"],
        2,
        &["are mutually exclusive"],
    );
    check(
        &["run", "--no-tools", "-q", "-v", "x"],
        2,
        &["are mutually exclusive"],
    );
    check(
        &["run", "--no-tools", "--no-stdin", "-"],
        2,
        &["--no-stdin leaves no prompt"],
    );
    check(
        &["run", "--no-tools", "a", "-", "-"],
        2,
        &["more than once"],
    );
}

#[test]
fn an_empty_prompt_is_exit_2() {
    check(
        &["run", "--no-tools", ""],
        2,
        &[
            "cannot use the prompt: it is empty",
            "hint: pass it as arguments",
        ],
    );
    check(&["run", "--no-tools"], 2, &["it is empty"]);
    Home::with_key()
        .offline()
        .args(["run", "--no-tools", "-"])
        .input(" \n")
        .run()
        .exits(2)
        .says("it is empty");
}

#[test]
fn input_that_is_not_utf8_is_exit_2_and_names_the_byte() {
    let run = Home::with_key()
        .offline()
        .args(["run", "--no-tools", "why?"])
        .input(b"abc\xffdef")
        .run();
    run.exits(2)
        .says("invalid UTF-8 in standard input at byte 3");
    let mut cmd = Home::with_key().offline().args(["run", "--no-tools", "ok"]);
    cmd.command.arg(OsStr::from_bytes(b"a\xff"));
    cmd.run()
        .exits(2)
        .says("invalid UTF-8 in argument 2 of the prompt at byte 1");
    let home = Home::with_key();
    home.file("who", b"\xfe");
    let run = home
        .offline()
        .args(["run", "--no-tools", "x", "--instructions", "who"])
        .run();
    run.exits(2)
        .says("cannot use who, named by --instructions: it is not UTF-8 at byte 0");
}

#[test]
fn missing_files_and_directories_are_exit_2() {
    check(
        &["run", "--no-tools", "--instructions", "gone", "x"],
        2,
        &["cannot read gone, named by --instructions"],
    );
    check(
        &["run", "--no-tools", "-C", "gone", "x"],
        2,
        &["cannot work in gone", "No such file or directory"],
    );
    let home = Home::with_key();
    home.file("file", "");
    home.offline()
        .args(["run", "--no-tools", "-C", "file", "x"])
        .run()
        .exits(2)
        .says("it is not a directory");
    let run = home
        .offline()
        .args(["run", "--no-tools"])
        .stdin(std::fs::File::open(home.work()).expect("it is there"));
    run.run().exits(2).says("cannot read standard input");
}

#[test]
fn an_unreachable_service_is_exit_7() {
    check(
        &["run", "--no-tools", "x"],
        7,
        &[
            "cannot reach the service",
            "refused",
            "hint: check the network",
        ],
    );
}

#[test]
fn help_works_when_everything_else_is_broken() {
    let run = Home::new()
        .offline()
        .env("OPENAI_BASE_URL", "nonsense")
        .args(["run", "-C", "gone", "--help"])
        .run();
    assert!(
        run.exits(0)
            .stderr("")
            .text()
            .contains("--append-instructions TEXT")
    );
    let run = Home::new().offline().args(["help", "exit-codes"]).run();
    // A row for each code that can occur, with one signal at most.
    let rows = run.exits(0).text().clone();
    let codes: Vec<u8> = rows
        .lines()
        .filter_map(|row| row.split_whitespace().next()?.parse().ok())
        .collect();
    let expected = [
        0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 70, 74, 124, 129, 130, 141, 143,
    ];
    assert_eq!(codes, expected);
    assert!(rows.lines().all(|row| row.matches("SIG").count() <= 1));
    let version = Home::new().offline().args(["--version"]).run();
    let promised = format!(
        "codex-run {} (independent client, not OpenAI's Codex CLI)\ncommit ",
        env!("CARGO_PKG_VERSION")
    );
    let text = version.exits(0).stderr("").text();
    let built = text.strip_prefix(&promised).expect("the promised line");
    let (commit, target) = built.split_once(", ").expect("a commit and a target");
    let digits = commit.trim_end_matches(" with changes");
    let is_commit = digits.len() == 10 && digits.chars().all(|c| c.is_ascii_hexdigit());
    assert!(is_commit || commit == "unknown", "{commit}");
    assert!(target.starts_with(std::env::consts::ARCH), "{target}");
    assert!(target.ends_with('\n') && text.lines().count() == 2);
}
