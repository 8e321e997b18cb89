//! Secrets typed on a terminal: they are not shown, end with Enter, and leave the terminal as it was.

use std::process::Child;

use crate::home::{Home, KEY, until, wait};
use crate::needs::{Need, lacks};
use crate::pty::Terminal;
use crate::standin::{Server, jwt, now_unix};
use crate::stops::{INT, TERM};

/// The number of SIGQUIT.
const QUIT: i32 = 3;

/// Starts `codex login` with this flag on a terminal of its own, up to its question.
fn start(home: &Home, server: &Server, flag: &str, terminal: &Terminal) -> Child {
    let cmd = home.codex(server).args(["login", flag]);
    let mut cmd = cmd.within("setsid", ["--ctty"]).stdin(terminal.line());
    cmd.command.stdout(terminal.line()).stderr(terminal.line());
    let child = cmd.command.spawn().expect("it starts");
    until("it asks", || terminal.shows("(it is not shown): "));
    child
}

#[test]
fn a_typed_secret_is_not_shown_and_ends_with_enter() {
    if lacks(&Need::CONTROLLING_TERMINAL) {
        return;
    }
    let server = Server::start([]);
    // Longer than a line of a terminal.
    let mut token = jwt("acct-test", now_unix() + 864_000);
    token.push_str(&"x".repeat(5000));
    for (flag, secret) in [("--with-api-key", KEY), ("--with-access-token", &*token)] {
        let (home, terminal) = (Home::new(), Terminal::open());
        let before = terminal.modes();
        let mut child = start(&home, &server, flag, &terminal);
        assert_ne!(terminal.modes(), before);
        terminal.types(&format!("wrong\u{15}{secret}\r"));
        wait(&mut child, format!("codex login {flag}")).exits(0);
        assert_eq!(terminal.modes(), before);
        assert!(home.auth_text().is_some_and(|text| text.contains(secret)));
        let screen = terminal.screen();
        assert!(
            !screen.contains(&secret[..8]) && !screen.contains("wrong"),
            "{screen}"
        );
    }
}

#[test]
fn the_terminal_is_restored_however_the_question_ends() {
    if lacks(&Need::INTERRUPTS) || lacks(&Need::CONTROLLING_TERMINAL) {
        return;
    }
    let (home, server) = (Home::new(), Server::start([]));
    for (keys, signal) in [
        ("sk-\u{3}", INT),
        ("sk-\u{1c}", QUIT),
        ("", TERM),
        ("", QUIT),
    ] {
        let terminal = Terminal::open();
        let before = terminal.modes();
        let mut child = start(&home, &server, "--with-api-key", &terminal);
        terminal.types(keys);
        if keys.is_empty() {
            let process = rustix::process::Pid::from_child(&child);
            let signal = rustix::process::Signal::from_named_raw(signal).expect("a signal");
            rustix::process::kill_process(process, signal).expect("it runs");
        }
        let ran = wait(&mut child, format!("codex login, {keys:?} {signal}"));
        ran.ends_by(signal);
        assert_eq!(terminal.modes(), before, "{keys:?} {signal}");
        assert!(!terminal.screen().contains("sk-"));
    }
    let terminal = Terminal::open();
    let before = terminal.modes();
    let mut child = start(&home, &server, "--with-api-key", &terminal);
    terminal.types("\u{4}");
    let ran = wait(&mut child, "codex login, Ctrl-D".to_owned());
    ran.exits(2);
    assert_eq!(terminal.modes(), before);
}
