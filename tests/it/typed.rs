//! Secrets typed on a terminal: they are not shown, end with Enter, and leave the terminal as it was.

use std::io::Write;
use std::process::Child;

use rustix::process::Signal;
use rustix::termios::{LocalModes, tcgetattr};

use crate::home::{Cmd, Home, KEY, finish, signal_process, until, wait};
use crate::needs::{Need, lacks};
use crate::pty::{Terminal, keyboard, line};
use crate::standin::{Server, jwt, now_unix};
use crate::stops::{INT, TERM};

/// The number of SIGQUIT.
const QUIT: i32 = 3;

/// The end of the question.
const QUESTION: &str = "(it is not shown): ";

/// Starts `codex login` with this flag on a terminal of its own, up to its question.
fn start(home: &Home, server: &Server, flag: &str, terminal: &Terminal) -> Child {
    let cmd = home.codex(server).args(["login", flag]);
    let child = spawn(cmd.within("setsid", ["--ctty"]), terminal);
    until("it asks", || terminal.shows(QUESTION));
    child
}

fn spawn(cmd: Cmd, terminal: &Terminal) -> Child {
    let mut cmd = cmd.stdin(terminal.line());
    cmd.command.stdout(terminal.line()).stderr(terminal.line());
    cmd.command.spawn().expect("it starts")
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
        // As a terminal marks a paste.
        terminal.types(&format!("wrong\u{15}\u{1b}[200~{secret}\u{1b}[201~\r"));
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
    // No shell would continue it.
    terminal.types("sk-\u{1a}");
    until("it asks again", || terminal.times(QUESTION) == 2);
    terminal.types("\u{4}");
    let ran = wait(&mut child, "codex login, Ctrl-D".to_owned());
    ran.exits(2);
    assert_eq!(terminal.modes(), before);
}

#[test]
fn a_secret_is_typed_only_in_the_foreground() {
    if lacks(&Need::INTERRUPTS) || lacks(&Need::CONTROLLING_TERMINAL) {
        return;
    }
    let (home, server, terminal) = (Home::new(), Server::start([]), Terminal::open());
    let shell = ["--ctty", "bash", "--norc", "--noprofile", "-is"];
    let cmd = home.codex(&server).args(["login", "--with-api-key"]);
    let mut child = spawn(cmd.within("setsid", shell), &terminal);
    // The shell reports at once what becomes of a job.
    terminal.types("set -b\n\"$@\"\n");
    until("it asks", || terminal.shows(QUESTION));
    terminal.types("sk-wrong\u{1a}");
    until("it is stopped", || terminal.times("Stopped") == 1);
    terminal.types("bg\n");
    until("it is stopped", || terminal.times("Stopped") == 2);
    terminal.types("fg\n");
    until("it asks again", || terminal.times(QUESTION) == 2);
    terminal.types(&format!("{KEY}\r"));
    until("it is stored", || terminal.shows("is stored in"));
    // And a signal ends it there.
    terminal.types("\"$@\" &\n");
    until("it is stopped", || terminal.times("Stopped") == 3);
    terminal.types("kill %%\n");
    until("it ends", || terminal.shows("Terminated"));
    terminal.types("exit\n");
    wait(&mut child, "bash".to_owned()).exits(0);
    assert!(
        home.auth_text()
            .is_some_and(|text| text.contains(&format!("\"{KEY}\"")))
    );
    let screen = terminal.screen();
    assert!(!screen.contains("sk-"), "{screen}");
}

#[test]
fn the_rest_of_a_paste_is_discarded() {
    if lacks(&Need::CONTROLLING_TERMINAL) {
        return;
    }
    let (home, server, terminal) = (Home::new(), Server::start([]), Terminal::open());
    let mut child = start(&home, &server, "--with-api-key", &terminal);
    // All of it is there before the first byte is read, and more than one read takes.
    let signal = |signal: Signal| signal_process(child.id(), signal.as_raw()).expect("it runs");
    signal(Signal::STOP);
    terminal.types(&format!("{KEY}\r{}", "next\r".repeat(1600)));
    signal(Signal::CONT);
    wait(&mut child, "codex login".to_owned()).exits(0);
    assert!(home.auth_text().is_some_and(|text| text.contains(KEY)));
    let screen = terminal.screen();
    assert!(!screen.contains("next"), "{screen}");
}

#[test]
fn what_was_typed_before_the_terminal_hangs_up_is_not_stored() {
    let (home, (mut keyboard, path)) = (Home::new(), keyboard());
    let (line, held) = (line(&path), line(&path));
    let cmd = home.offline().args(["login", "--with-api-key"]);
    let child = cmd.stdin(line).start();
    let is_shown = || tcgetattr(&held).is_ok_and(|now| now.local_modes.contains(LocalModes::ECHO));
    until("it is hidden", || !is_shown());
    keyboard.write_all(b"sk-partial").expect("it is open");
    until("it is read", || {
        rustix::io::ioctl_fionread(&held).is_ok_and(|left| left == 0)
    });
    drop(keyboard);
    let ran = finish(child, "codex login".to_owned());
    ran.exits(2).says("Input/output error");
    assert_eq!(home.auth_text(), None);
}
