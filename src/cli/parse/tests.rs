//! Tests of the parser.

use super::*;

fn run(line: &str) -> Result<Invocation, String> {
    parse(
        line.split(' ')
            .filter(|word| !word.is_empty())
            .map(OsString::from),
        &ReportingFlags::default(),
    )
    .map_err(|f| f.words())
}

fn words(line: &str) -> Vec<String> {
    match run(line) {
        Ok(Invocation::Run(args)) => args
            .words
            .iter()
            .map(|w| w.to_string_lossy().into_owned())
            .collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn words_and_flags_may_be_in_any_order() {
    assert_eq!(words("run a -m x b --no-tools -"), ["a", "b", "-"]);
    assert_eq!(words("run -qmx a"), ["a"]);
    assert_eq!(
        words("run --model=x -- --not-a-flag -h"),
        ["--not-a-flag", "-h"]
    );
    assert!(
        matches!(run("run -m x -m y"), Ok(Invocation::Run(args)) if args.model == Some("y".into()))
    );
}

#[test]
fn an_unknown_word_comes_with_the_nearest_one() {
    let check = |line: &str, expected: &str| match run(line) {
        Err(words) => assert!(words.contains(expected), "{line}: {words}"),
        Ok(other) => panic!("{other:?}"),
    };
    check(
        "run --modle x",
        "unknown flag \"--modle\"; did you mean --model?",
    );
    check("run --zzzzzz", "`codex run --help` explains its flags");
    check("rnu", "did you mean run?");
    check("tool bahs", "did you mean bash?");
    check("tool", "needs an argument: bash, read, edit, write");
    check(
        "help exit-cods",
        "topic \"exit-cods\"; did you mean exit-codes?",
    );
    check("help zzzzzz", "unknown topic \"zzzzzz\"; `codex help`");
    let prompt = |words: &str, expected: &str| {
        let failed = parse([OsString::from(words)], &ReportingFlags::default());
        let failed = failed
            .map_err(|failure| failure.words())
            .expect_err("no command");
        assert!(failed.contains(expected), "{failed}");
    };
    prompt("fix the build", "did you mean codex run \"fix the build\"?");
    prompt("cost in $?", "did you mean codex run PROMPT?");
    check("tool bash read", "unexpected read");
    check("run --model", "--model needs a value");
    check("run --quiet=sk-secret", "--quiet takes no value");
    check("", "no command given");
    check("--model", "unknown flag");
    // A flag of a different command is unknown.
    check("tool bash --model x", "unknown flag");
}

#[test]
fn a_chat_refuses_what_only_a_run_can_do() {
    for line in [
        "--json",
        "-o x",
        "--buffer",
        "-q",
        "--dry-run",
        "--no-stdin",
        "a -",
    ] {
        let failed = run(&format!("chat {line}")).expect_err("it is refused");
        assert!(
            failed.contains("cannot be used in a chat"),
            "{line}: {failed}"
        );
        assert!(failed.contains("`codex run`"), "{line}: {failed}");
    }
    assert!(matches!(
        run("chat -m x --models a,b:high hello"),
        Ok(Invocation::Chat(_))
    ));
    assert!(run("run --models a x").is_err());
}

#[test]
fn help_may_be_requested_in_any_position() {
    assert!(matches!(run("-h"), Ok(Invocation::Help(None, false))));
    assert!(matches!(
        run("run a -h"),
        Ok(Invocation::Help(Some("run"), false))
    ));
    assert!(matches!(
        run("help run"),
        Ok(Invocation::Help(Some("run"), true))
    ));
    assert!(matches!(run("help"), Ok(Invocation::Help(None, true))));
    assert!(matches!(run("help models"), Ok(Invocation::Topic(topic)) if topic.name == "models"));
    for line in ["--version", "-V", "version"] {
        assert!(matches!(run(line), Ok(Invocation::Version)), "{line}");
    }
}
