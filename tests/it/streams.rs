//! The three standard descriptors of a command, if one of them is closed or unusual.

use crate::home::{Home, KEY};
use crate::standin::{Reply, Server};
use crate::stops::calls;

const CLOSED: &str = "codex: standard output is closed\ncodex: hint: it must be open for writing: \
                      `> FILE` keeps the output, `> /dev/null` discards it\n";

#[test]
fn a_closed_standard_output_is_exit_74_before_any_request() {
    let server = Server::start([Reply::text("ok")]);
    let (home, tokens) = Home::expired(&server);
    for closed in [">&-", "1< /dev/null"] {
        for line in [
            "run --no-tools hello",
            "run --no-tools --dry-run hello",
            "run -s danger-full-access hello",
            "status",
            "status --limits",
            "token",
            "help",
            "--version",
            "completion bash",
            "tool bash",
        ] {
            let mut cmd = home.codex(&server);
            cmd.command.args(line.split(' '));
            cmd.redirected(closed).run().exits(74).stderr(CLOSED);
        }
    }
    assert_eq!(server.connections(), 0);
    assert_eq!(home.refresh_token(), tokens.refresh);

    // Not even a tool that changes files has run.
    let cmd = home.codex(&server).args(["tool", "write"]);
    let input = r#"{"path": "new", "content": "x"}"#;
    cmd.redirected(">&-").input(input).run().exits(74);
    assert!(!home.work().join("new").exists());
}

#[test]
fn the_null_device_counts_as_open() {
    let home = Home::with_key();
    let server = Server::start([Reply::text("ok"), Reply::text("ok"), Reply::text("ok")]);
    let run = || home.codex(&server).args(["run", "--no-tools", "hello"]);
    // Python's DEVNULL, Node's `ignore` and daemon(3) open it for reading and writing, as the runtime of std does.
    for open in ["1<> /dev/null", "> /dev/null", ">> /dev/null"] {
        run().redirected(open).run().exits(0).stderr("");
    }
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn commands_that_print_nothing_ignore_a_closed_standard_output() {
    let server = Server::start([]);
    let (home, _) = Home::signed_in(&server);
    let logout = home.codex(&server).args(["logout"]);
    logout.redirected(">&-").run().exits(0).says("Signed out");
    let login = home.codex(&server).args(["login", "--with-api-key"]);
    login.redirected(">&-").input(KEY).run().exits(0);
    assert!(home.auth_text().is_some_and(|text| text.contains(KEY)));
}

#[test]
fn a_closed_standard_input_counts_as_empty() {
    let home = Home::with_key();
    let server = Server::start([Reply::text("ok"), Reply::text("ok")]);
    let run = |words: &str| {
        let mut cmd = home.codex(&server).args(["run", "--no-tools"]);
        cmd.command.args(words.split_terminator(' '));
        cmd.redirected("<&-").run()
    };
    run("hello").exits(0).stdout("ok\n").stderr("");
    run("hello -").exits(0).stdout("ok\n").stderr("");
    for nothing in ["", "-"] {
        let ran = run(nothing);
        ran.exits(2).says("cannot use the prompt: it is empty");
    }
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_closed_standard_error_loses_no_answer() {
    let home = Home::with_key();
    let server = Server::start([calls("true"), Reply::text("ok")]);
    let args = ["run", "-v", "-s", "danger-full-access", "hello"];
    let cmd = home.codex(&server).args(args);
    cmd.redirected("2>&-")
        .run()
        .exits(0)
        .stdout("ok\n")
        .stderr("");
    assert_eq!(server.requests().len(), 2);
    let cmd = home.offline().args(["run", "--no-tools", "hello"]);
    cmd.redirected("2>&-").run().exits(7).stdout("");
}

#[test]
fn messages_start_on_a_new_line_if_both_outputs_go_to_one_file() {
    let delta = r#"data: {"type":"response.output_text.delta","output_index":0,"delta":"Hel"}"#;
    let server = Server::start([
        Reply::sse(format!("{delta}\n\n")),
        Reply::status(500, &[], ""),
        Reply::text("Hello"),
    ]);
    let home = Home::with_key();
    let cmd = home.codex(&server).args(["run", "--no-tools", "x"]);
    cmd.redirected("> log 2>&1").run().exits(0);
    let log = home.read("log");
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines.len(), 4, "{log}");
    assert_eq!((lines[0], lines[3]), ("Hel", "lo"));
    assert!(
        lines[1..3].iter().all(|line| line.starts_with("codex: ")),
        "{log}"
    );
}
