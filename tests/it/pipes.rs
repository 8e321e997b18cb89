//! Standard input as a prompt, and standard output as an answer.

use std::fs::File;
use std::io::{PipeWriter, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::home::{Home, Running, finish, until, wait};
use crate::standin::{Recorded, Reply, Server};
use crate::stops::TERM;

/// The user message in a request.
pub(crate) fn asked(request: &Recorded) -> String {
    let body = request.json();
    let text = &body["input"][0]["content"][0]["text"];
    text.as_str().expect("a text").to_owned()
}

#[test]
fn the_prompt_is_made_of_arguments_and_standard_input() {
    let home = Home::with_key();
    let check = |args: &[&str], input: Option<&str>, expected: &str| {
        let server = Server::start([Reply::text("ok")]);
        // The context window of an unknown model is unknown.
        let mut cmd = home.codex(&server).args(["run", "--no-tools", "-m", "any"]);
        cmd.command.args(args);
        let cmd = match input {
            Some(input) => cmd.input(input),
            None => cmd,
        };
        cmd.run().exits(0).stdout("ok\n").stderr("");
        assert_eq!(asked(&server.requests()[0]), expected, "{args:?}");
    };
    check(&["explain", "this"], None, "explain this");
    check(&[], Some("explain this\n"), "explain this\n");
    check(
        &["why does this fail?"],
        Some("log\n"),
        "why does this fail?\n\n<stdin>\nlog\n</stdin>",
    );
    check(&["review", "-"], Some("diff\n"), "review diff\n");
    check(
        &["review", "-", "please"],
        Some("diff"),
        "review diff please",
    );
    check(&["only this", "--no-stdin"], Some("not this"), "only this");
    check(&["only this"], Some(""), "only this");
    let long = "0123456789abcdef".repeat(640 << 10);
    check(&[], Some(&long), &long);
}

#[test]
fn a_file_on_standard_input_follows_the_prompt() {
    let home = Home::with_key();
    let file = File::open(home.file("build.log", "error: x\n")).expect("a file");
    let server = Server::start([Reply::text("ok")]);
    home.codex(&server)
        .args(["run", "--no-tools", "why?"])
        .stdin(file)
        .run()
        .exits(0);
    assert_eq!(
        asked(&server.requests()[0]),
        "why?\n\n<stdin>\nerror: x\n</stdin>"
    );
}

#[test]
fn a_silent_pipe_is_ignored() {
    let home = Home::with_key();
    let server = Server::start([Reply::text("ok")]);
    let (held, stdin) = UnixStream::pair().expect("a pair of sockets");
    let cmd = home
        .codex(&server)
        .args(["run", "--no-tools", "hello"])
        .stdin(OwnedFd::from(stdin));
    cmd.run()
        .exits(0)
        .stdout("ok\n")
        .says("no data on standard input for 3 s");
    assert_eq!(asked(&server.requests()[0]), "hello");
    drop(held);
}

#[test]
fn input_that_arrives_late_is_exit_2() {
    let home = Home::with_key();
    let server = Server::start(vec![
        Reply::text("ok")
            .pause_before_headers(Duration::from_millis(500));
        3
    ]);
    let start = || {
        let (held, stdin) = UnixStream::pair().expect("a pair of sockets");
        let cmd = home.codex(&server).args(["run", "--no-tools", "hello"]);
        (cmd.stdin(OwnedFd::from(stdin)).start(), held)
    };
    let ran = [start(), start(), start()];
    until("the requests come", || server.requests().len() == ran.len());
    let give = |mut held: &UnixStream| held.write_all(b"late").expect("it is open");
    let [goes_on, ends, nothing] = ran;
    give(&goes_on.1);
    give(&ends.1);
    drop((ends.1, nothing.1));
    for child in [goes_on.0, ends.0] {
        let ran = finish(child, "codex run hello".to_owned());
        ran.exits(2)
            .stdout("ok\n")
            .says("input began after 3 s and was not part of the question; use -");
    }
    // An empty standard input adds nothing.
    let ran = finish(nothing.0, "codex run hello".to_owned());
    ran.exits(0).stdout("ok\n");
}

#[test]
fn requested_input_is_waited_for_until_the_timeout() {
    let home = Home::with_key();
    let server = Server::start([Reply::text("ok")]);
    let (held, stdin) = UnixStream::pair().expect("a pair of sockets");
    let stdin = OwnedFd::from(stdin);
    let ran = home
        .codex(&server)
        .args(["run", "--no-tools", "--timeout", "3500ms", "-"])
        .stdin(stdin)
        .run();
    ran.exits(124)
        .stdout("")
        .says("waiting for the end of standard input")
        .says("--timeout");
    drop(held);
    assert_eq!(server.requests().len(), 0);
}

/// Makes the command wait for the end of its input, which has begun. The input stays open as long as the second return
/// value is held.
fn waiting(home: &Home, server: &Server, args: &str) -> (Running, PipeWriter) {
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    let mut cmd = home.codex(server).args(["run", "--no-tools"]);
    cmd.command.args(args.split(' '));
    let child = cmd.stdin(reader.try_clone().expect("a second")).start();
    writer.write_all(b"the beginning").expect("it is open");
    until("it reads", || {
        rustix::io::ioctl_fionread(&reader).expect("a pipe") == 0
    });
    (child, writer)
}

#[test]
fn a_stop_while_waiting_for_input_takes_effect_at_once() {
    let home = Home::with_key();
    let server = Server::start([Reply::text("ok")]);
    let check = |args: &str, order: fn(&mut Running)| {
        let begun = Instant::now();
        let (mut child, held) = waiting(&home, &server, args);
        order(&mut child);
        let ran = finish(child, format!("codex run {args}"));
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(15), "{args}: {took:?}");
        drop(held);
        ran
    };
    for words in ["-", "hello", "--dry-run -"] {
        let ran = check(words, |child| child.signal(TERM));
        ran.ends_by(TERM).stderr("codex: terminated\n");
        // As in `codex run - | head -0`.
        let ran = check(words, |child| drop(child.stdout.take()));
        ran.exits(141).stderr("");
        let ran = check(&format!("--timeout 300ms {words}"), |_| {});
        ran.exits(124).says("the time limit has expired");
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_closed_reader_ends_the_run_quietly() {
    let home = Home::with_key();
    let server = Server::start([Reply::deltas(50_000, "line\\n")]);
    let mut child = home.codex(&server).args(["run", "--no-tools", "x"]).start();
    let mut first = [0; 5];
    let mut stdout = child.stdout.take().expect("a pipe");
    stdout.read_exact(&mut first).expect("the first line");
    drop(stdout);
    finish(child, "codex run x | head -1".to_owned())
        .exits(141)
        .stderr("");
}

#[test]
fn a_reader_that_closes_during_silence_ends_the_run_too() {
    let home = Home::with_key();
    let server = Server::start([Reply::text("x").stall_at(0)]);
    let mut child = home.codex(&server).args(["run", "--no-tools", "x"]).start();
    until("a request comes", || !server.requests().is_empty());
    drop(child.stdout.take());
    finish(child, "codex run x".to_owned())
        .exits(141)
        .stderr("");
}

#[test]
fn a_nonblocking_pipe_loses_nothing() {
    let home = Home::with_key();
    let server = Server::start([Reply::deltas(50_000, "0123456789")]);
    let (mut reader, stdout) = UnixStream::pair().expect("a pair of sockets");
    stdout.set_nonblocking(true).expect("a socket");
    let mut cmd = home.codex(&server).args(["run", "--no-tools", "x"]);
    let streams = cmd.command.stdout(OwnedFd::from(stdout));
    let mut child = streams.stderr(Stdio::piped()).spawn().expect("it starts");
    drop(cmd);
    let mut before = 0;
    until("it waits for its reader", || {
        let now = rustix::io::ioctl_fionread(&reader).expect("a socket");
        now > 0 && std::mem::replace(&mut before, now) == now
    });
    let mut text = String::new();
    reader.read_to_string(&mut text).expect("UTF-8");
    wait(&mut child, "codex run x".to_owned())
        .exits(0)
        .stderr("");
    assert!(text.trim_end() == "0123456789".repeat(50_000));
}

/// A file on a disk that is always full.
fn full() -> File {
    File::options()
        .write(true)
        .open("/dev/full")
        .expect("/dev/full")
}

#[test]
fn a_full_disk_is_exit_74() {
    let home = Home::with_key();
    let server = Server::start([Reply::text("hello")]);
    let mut cmd = home.codex(&server).args(["run", "--no-tools", "x"]);
    let streams = cmd.command.stdout(full()).stderr(Stdio::piped());
    wait(
        &mut streams.spawn().expect("it starts"),
        "codex run x > /dev/full".to_owned(),
    )
    .exits(74)
    .says("cannot write to standard output");
}

#[test]
fn an_unwritable_standard_error_loses_no_answer() {
    let home = Home::with_key();
    let server = Server::start([Reply::text("hello")]);
    let mut cmd = home.codex(&server).args(["run", "--no-tools", "-v", "x"]);
    let streams = cmd.command.stdout(Stdio::piped()).stderr(full());
    wait(
        &mut streams.spawn().expect("it starts"),
        "codex run -v x 2> /dev/full".to_owned(),
    )
    .exits(0)
    .stdout("hello\n");
}
