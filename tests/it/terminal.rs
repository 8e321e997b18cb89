//! A terminal instead of pipes: the spinner, colours, and input.

use std::fs::File;
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::home::{Cmd, CommandOutput, Home, signal_process, until, wait};
use crate::needs::{Need, lacks};
use crate::pipes::asked;
use crate::pty::Terminal;
use crate::standin::{Reply, Server};
use crate::stops::{INT, TERM, calls};

/// Erases a line.
const ERASE: &str = "\r\u{1b}[K";

/// Starts the command with these of its streams (`i`, `o` and `e`) on the terminal.
fn start(cmd: Cmd, terminal: &Terminal, streams: &str) -> Child {
    let mut cmd = cmd;
    if streams.contains('i') {
        cmd = cmd.stdin(terminal.line());
    }
    let stream = |letter: char| {
        if streams.contains(letter) {
            terminal.line().into()
        } else {
            Stdio::piped()
        }
    };
    cmd.command.stdout(stream('o')).stderr(stream('e'));
    cmd.command.spawn().expect("it starts")
}

/// Runs the command with these of its streams on a terminal: `o`, `e`. Returns its output, and the contents of the screen.
pub(crate) fn run(cmd: Cmd, streams: &str) -> (CommandOutput, String) {
    let terminal = Terminal::open();
    let said = format!("{:?} with {streams} on a terminal", cmd.command);
    let ran = wait(&mut start(cmd, &terminal, streams), said);
    (ran, terminal.screen())
}

/// A home with a capable terminal.
fn home() -> Home {
    Home::with_key().env("TERM", "xterm").env("LANG", "C.UTF-8")
}

const LATE: Duration = Duration::from_millis(700);

#[test]
fn a_spinner_turns_while_waiting_and_is_erased_before_the_text() {
    let home = home();
    let server = Server::start([
        calls("sleep 0.7; echo out").pause_before_headers(LATE),
        Reply::text("hello").pause_before_headers(LATE),
    ]);
    let args = ["run", "-s", "danger-full-access", "x"];
    let (ran, screen) = run(home.codex(&server).args(args), "oe");
    ran.exits(0);
    let mut rest = &*screen;
    for words in [
        " waiting ",
        " bash: sleep 0.7; echo out 0 s",
        "\r\u{1b}[K\u{1b}[2mcodex:\u{1b}[0m bash: sleep 0.7; echo out (\u{1b}[32mok\u{1b}[0m, ",
        " waiting ",
    ] {
        let (_, behind) = rest.split_once(words).unwrap_or_else(|| {
            panic!("{words:?} is not at its place: {screen:?}");
        });
        rest = behind;
    }
    let dots = screen.chars().nth(1);
    assert!(
        dots.is_some_and(|dots| "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏".contains(dots)),
        "{screen:?}"
    );
    assert!(screen.ends_with(&format!("{ERASE}hello\r\n")), "{screen:?}");

    // The answer is not on the terminal here, and the spinner is erased all the same.
    let server = Server::start([Reply::text("hello").pause_before_headers(LATE)]);
    let cmd = home.codex(&server).args(["run", "--no-tools", "x"]);
    let (ran, screen) = run(cmd.env("LC_ALL", "C").redirected("> answer"), "e");
    ran.exits(0).stdout("");
    assert_eq!(home.read("answer"), "hello\n");
    let bar = screen.chars().nth(1);
    assert!(bar.is_some_and(|bar| "-\\|/".contains(bar)), "{screen:?}");
    assert!(screen.ends_with(ERASE), "{screen:?}");
}

#[test]
fn no_spinner_without_a_terminal_or_when_quiet() {
    let home = home();
    let late = || Server::start([Reply::text("hello").pause_before_headers(LATE)]);
    let server = late();
    let cmd = || home.codex(&server).args(["run", "--no-tools", "x"]);
    let (ran, screen) = run(cmd(), "io");
    ran.exits(0).stderr("");
    assert_eq!(screen, "hello\r\n");
    let quiet = |cmd: Cmd| {
        let (ran, screen) = run(cmd, "e");
        ran.exits(0).stdout("hello\n");
        assert_eq!(screen, "");
    };
    // A pager may be reading the pipe and using the screen.
    let server = late();
    quiet(home.codex(&server).args(["run", "--no-tools", "x"]));
    let to_file = |cmd: Cmd| {
        let (ran, screen) = run(cmd.redirected("> answer"), "e");
        ran.exits(0);
        assert_eq!(
            (screen, home.read("answer")),
            (String::new(), "hello\n".to_owned())
        );
    };
    let server = late();
    to_file(home.codex(&server).args(["run", "--no-tools", "-q", "x"]));
    for term in ["dumb", ""] {
        let server = late();
        let cmd = home.codex(&server).args(["run", "--no-tools", "x"]);
        to_file(cmd.env("TERM", term));
    }
    // Text that has begun and pauses is not overwritten.
    let server = Server::start([Reply::text("one two").event_pause(Duration::from_millis(400))]);
    let (ran, screen) = run(home.codex(&server).args(["run", "--no-tools", "x"]), "oe");
    ran.exits(0);
    assert!(screen.contains("one two\r\n"), "{screen:?}");
}

#[test]
fn a_spinner_is_erased_when_the_run_is_stopped() {
    for ended in ["--timeout=900ms", "--timeout=60s"] {
        let home = home();
        let server = Server::start([Reply::text("x").stall_at(0)]);
        let args = ["run", "--no-tools", "--color=never", ended, "x"];
        let terminal = Terminal::open();
        let mut child = start(home.codex(&server).args(args), &terminal, "oe");
        until("it turns", || terminal.shows("waiting "));
        let words = if ended == "--timeout=60s" {
            signal_process(child.id(), TERM).expect("it runs");
            "codex: terminated\r\n"
        } else {
            "codex: the time limit has expired\r\ncodex: hint: raise --timeout\r\n"
        };
        let ran = wait(&mut child, format!("codex run {ended} x"));
        assert!(!ran.status.success());
        let screen = terminal.screen();
        assert!(screen.ends_with(&format!("{ERASE}{words}")), "{screen:?}");
    }
}

#[test]
fn control_characters_are_escaped_on_a_terminal_and_kept_in_a_pipe() {
    let home = home().env("NO_COLOR", "1");
    let text = "\u{1b}[31mred\u{7f}\u{202e}der\u{2028}\u{9b}\r\nplain\t\u{e9}\n";
    let subject = "true # \u{1b}]0;owned\u{7} \u{2066}";
    let ask = |streams| {
        let server = Server::start([calls(subject), Reply::text(text)]);
        let args = ["run", "-s", "danger-full-access", "x"];
        let (ran, screen) = run(home.codex(&server).args(args).env("TERM", "dumb"), streams);
        ran.exits(0);
        (ran, screen)
    };
    let (ran, screen) = ask("o");
    assert_eq!(
        screen,
        "^[[31mred^?<U+202E>der<U+2028>\\x9b^M\r\nplain\t\u{e9}\r\n"
    );
    assert!(ran.stderr.contains(subject), "{}", ran.stderr);
    let (ran, screen) = ask("e");
    ran.stdout(text);
    let expected = "codex: bash: true # ^[]0;owned^G <U+2066> (ok, ";
    assert!(screen.contains(expected), "{screen:?}");

    let call = home.file("call.json", r#"{"command": "printf '\\033[2J'"}"#);
    let tool = |streams| {
        let call = File::open(&call).expect("a file");
        run(home.offline().args(["tool", "bash"]).stdin(call), streams)
    };
    let (ran, screen) = tool("o");
    ran.exits(0);
    assert!(screen.starts_with("^[[2J\r\n"), "{screen:?}");
    let (ran, _) = tool("e");
    assert!(ran.text().starts_with("\u{1b}[2J\n"), "{}", ran.text());

    // The service's error message is one line of ours, wherever it is printed.
    let error = serde_json::json!({"error": {"message": "no \u{1b}[2J\u{202e}"}});
    for streams in ["e", ""] {
        let server = Server::start([Reply::json(400, &error)]);
        let args = ["run", "--no-tools", "x"];
        let (ran, screen) = run(home.codex(&server).args(args), streams);
        let reported = format!("{}{screen}", ran.exits(1).stderr);
        assert!(
            reported.contains("[2J<U+202E> [HTTP") && !reported.contains("\u{1b}[2J"),
            "{reported:?}"
        );
    }
}

#[test]
fn colours_follow_flag_variable_and_terminal() {
    let home = Home::with_key();
    let check = |args: &str, variables: &[(&str, &str)], streams, coloured: bool| {
        let mut cmd = home.offline();
        cmd.command.args(args.split(' '));
        cmd.command.envs(variables.iter().copied());
        let (ran, screen) = run(cmd, streams);
        let reported = format!("{}{screen}", ran.exits(2).stderr).replace('\r', "");
        let red = reported.starts_with("\u{1b}[1;31mcodex:\u{1b}[0m ");
        let cyan = reported.contains("\n\u{1b}[36mcodex: hint:\u{1b}[0m ");
        let plain = reported.starts_with("codex: ") && !reported.contains('\u{1b}');
        let hint = reported.contains("hint:");
        assert!(
            if coloured { red && cyan == hint } else { plain },
            "{args} {variables:?} {streams}: {reported:?}"
        );
        ran.stdout("");
    };
    let xterm = ("TERM", "xterm");
    // An empty prompt or an unknown flag: before and after the flag is read.
    for run in ["run --no-tools -", "run --zzzzzz", "nonsense"] {
        check(run, &[xterm], "e", true);
        check(run, &[xterm], "o", false);
        check(run, &[("TERM", "dumb")], "e", false);
        check(run, &[], "e", false);
        check(run, &[xterm, ("NO_COLOR", "1")], "e", false);
        check(run, &[xterm, ("NO_COLOR", "")], "e", true);
        check(run, &[("CLICOLOR_FORCE", "1")], "", true);
        check(run, &[("CLICOLOR_FORCE", "0")], "", false);
        check(
            run,
            &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")],
            "e",
            false,
        );
        check(run, &[xterm, ("CLICOLOR", "0")], "e", false);
    }
    for rest in ["--no-tools -", "--zzzzzz"] {
        let run = |color: &str| format!("run --color {color} {rest}");
        check(&run("always"), &[("NO_COLOR", "1")], "", true);
        check(&run("never"), &[xterm, ("CLICOLOR_FORCE", "1")], "e", false);
        check(&run("auto"), &[xterm], "e", true);
        check(&run("auto"), &[], "", false);
    }
    check("run --color mauve x", &[], "", false);
}

#[test]
fn tool_lines_are_coloured_and_the_answer_is_not() {
    for (command, result) in [("true", "\u{1b}[32mok"), ("false", "\u{1b}[31mexit 1")] {
        let server = Server::start([calls(command), Reply::text("hello")]);
        let mut cmd = home().codex(&server);
        cmd = cmd.args(["run", "-s", "danger-full-access", "--color", "always", "x"]);
        let ran = cmd.run();
        ran.exits(0).stdout("hello\n");
        let reported = format!("\u{1b}[2mcodex:\u{1b}[0m bash: {command} ({result}\u{1b}[0m, ");
        assert!(ran.stderr.starts_with(&reported), "{:?}", ran.stderr);
    }
}

#[test]
fn a_terminal_is_read_only_if_it_is_the_prompt() {
    let home = home();
    let server = Server::start([Reply::text("ok"), Reply::text("ok")]);
    let terminal = Terminal::open();
    terminal.types("typed before\n");
    let cmd = home.codex(&server).args(["run", "--no-tools", "hello"]);
    let ran = wait(&mut start(cmd, &terminal, "i"), "codex run hello".into());
    ran.exits(0).stdout("ok\n").stderr("");

    let cmd = home.codex(&server).args(["run", "--no-tools"]);
    let mut child = start(cmd, &terminal, "i");
    terminal.types("and this\n\u{4}");
    wait(&mut child, "codex run".into()).exits(0).stdout("ok\n");
    let requests = server.requests();
    let prompts: Vec<String> = requests.iter().map(|request| asked(request)).collect();
    assert_eq!(prompts, ["hello", "typed before\nand this\n"]);
}

#[test]
fn ctrl_c_ends_the_run_and_its_tools() {
    if lacks(&Need::INTERRUPTS) || lacks(&Need::CONTROLLING_TERMINAL) {
        return;
    }
    let home = home().env("NO_COLOR", "1");
    let server = Server::start([Reply::text("x").stall_at(0), calls("sleep 60")]);
    for words in [
        ["--no-tools", "x"],
        ["--no-tools", "-"],
        ["-sdanger-full-access", "x"],
    ] {
        let terminal = Terminal::open();
        let cmd = home.codex(&server).args(["run"]).args(words);
        let mut child = start(cmd.within("setsid", ["--ctty"]), &terminal, "ioe");
        match words {
            [_, "-"] => until("it says that it waits", || terminal.shows("Ctrl-D")),
            ["--no-tools", _] => until("it waits", || terminal.shows("waiting ")),
            _ => until("a tool runs", || terminal.shows("bash: sleep 60 ")),
        }
        terminal.types("\u{3}");
        let ran = wait(&mut child, format!("codex run {words:?}, Ctrl-C"));
        ran.ends_by(INT);
        let screen = terminal.screen();
        assert!(screen.ends_with("codex: interrupted\r\n"), "{screen:?}");
    }
}

#[test]
fn a_background_job_draws_nothing() {
    if lacks(&Need::CONTROLLING_TERMINAL) {
        return;
    }
    let home = home();
    let server = Server::start([Reply::text("hello").pause_before_headers(LATE)]);
    let cmd = home.codex(&server).args(["run", "--no-tools", "x"]);
    // With job control the job has its own process group, and the shell's stays in the foreground.
    let script = "set -m; \"$0\" \"$@\" & wait $!";
    let cmd = cmd.within("setsid", ["--ctty", "sh", "-c", script]);
    let (ran, screen) = run(cmd, "ioe");
    ran.exits(0);
    assert!(
        screen.contains("hello\r\n") && !screen.contains("waiting"),
        "{screen:?}"
    );
}

#[test]
fn a_tool_says_that_it_waits_for_its_arguments() {
    let home = home();
    let terminal = Terminal::open();
    terminal.resize(200, 24);
    let cmd = home.offline().args(["tool", "read"]);
    let mut child = start(cmd, &terminal, "ie");
    let words = r#"codex: waiting for the arguments of read as JSON on standard input, such as {"path": "..."}; end with Ctrl+D"#;
    until("it says so", || terminal.shows(words));
    home.file("x", "hello\n");
    terminal.types("{\"path\": \"x\"}\n\u{4}");
    wait(&mut child, "codex tool read".to_owned())
        .exits(0)
        .stdout("hello\n");

    // A file needs no message.
    let arguments = File::open(home.file("arguments", r#"{"path": "x"}"#)).expect("a file");
    let cmd = home.offline().args(["tool", "read"]);
    let (ran, screen) = run(cmd.stdin(arguments), "e");
    ran.exits(0);
    assert_eq!(screen, "");
}
