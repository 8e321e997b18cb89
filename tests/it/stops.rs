//! Stops from outside: signals, time limits, budgets.

use std::os::unix::process::CommandExt;
use std::time::{Duration, Instant};

use crate::home::{Home, finish, signal_group, until};
use crate::needs::{Need, lacks};
use crate::standin::{Reply, Server};
use crate::tools::bash;

pub(crate) const INT: i32 = 2;
const HUP: i32 = 1;
pub(crate) const TERM: i32 = 15;

/// Whether this process, and so the command under test, was started with this signal ignored.
pub(crate) fn ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .unwrap_or("0");
    u64::from_str_radix(mask.trim(), 16).is_ok_and(|mask| mask & (1 << (signal - 1)) != 0)
}

/// A reply that calls bash.
pub(crate) fn calls(command: &str) -> Reply {
    Reply::items([bash(command)])
}

#[test]
fn a_signal_ends_the_run_with_that_signal() {
    for (signal, words) in [(INT, "interrupted"), (HUP, "hung up"), (TERM, "terminated")] {
        if ignored(signal) {
            continue; // ignored when the tests were started, so the run ignores it too
        }
        let server = Server::start([Reply::text("partial answer").stall_at(900)]);
        let child = Home::with_key()
            .codex(&server)
            .args(["run", "--no-tools", "x"])
            .start();
        until("a request comes", || !server.requests().is_empty());
        child.signal(signal);
        finish(child, format!("codex run x, signal {signal}"))
            .ends_by(signal)
            .says(words);
    }
}

#[test]
fn an_ignored_signal_stays_ignored() {
    let home = Home::with_key();
    let server = Server::start([
        Reply::text("answer").stall_at(900),
        Reply::text("answer").hold_open(),
    ]);
    // Like `nohup`. These signals must not end the run, so a different one has to.
    let cmd = home
        .codex(&server)
        .args(["run", "--no-tools", "--no-stdin", "x"])
        .within("sh", ["-c", "trap '' HUP; exec \"$0\" \"$@\""]);
    let child = cmd.start();
    until("a request comes", || !server.requests().is_empty());
    child.signal(HUP);
    child.signal(TERM);
    finish(child, "nohup codex run x".to_owned())
        .ends_by(TERM)
        .says("terminated");
}

#[test]
fn the_time_limit_of_a_run_is_enforced() {
    let server = Server::start([
        Reply::text("partial answer").stall_at(900),
        Reply::text("x").stall_at(0),
    ]);
    for _ in 0..2 {
        let run = Home::with_key()
            .codex(&server)
            .args(["run", "--no-tools", "--timeout", "700ms", "x"])
            .run();
        run.exits(124)
            .says("codex: the time limit has expired\ncodex: hint: raise --timeout\n");
    }
    let server = Server::start([calls("sleep 60")]);
    let args = ["run", "-s", "danger-full-access", "--timeout", "700ms", "x"];
    Home::with_key()
        .codex(&server)
        .args(args)
        .run()
        .exits(124)
        .stdout("");
}

#[test]
fn a_stalled_reader_does_not_delay_a_requested_stop() {
    if lacks(&Need::SYSTEM_CALLS) {
        return;
    }
    let server = Server::start([Reply::deltas(100_000, "word ")]);
    let mut child = Home::with_key()
        .codex(&server)
        .args(["run", "--no-tools", "x"])
        .start();
    // Nothing reads, so the pipe fills up and the run blocks in a write.
    until("it is stuck", || is_blocked_in_write(child.id()));
    child.signal(TERM);
    let status = child.wait().expect("a child");
    assert_eq!(
        std::os::unix::process::ExitStatusExt::signal(&status),
        Some(TERM)
    );
}

#[test]
fn the_time_limit_is_enforced_without_a_reader() {
    let server = Server::start([Reply::deltas(100_000, "word ")]);
    let begun = Instant::now();
    let args = ["run", "--no-tools", "--timeout", "1s", "x"];
    let mut child = Home::with_key().codex(&server).args(args).start();
    assert_eq!(child.wait().expect("a child").code(), Some(124));
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(15), "{took:?}");
}

#[test]
fn ctrl_c_ends_a_shell_loop() {
    if lacks(&Need::INTERRUPTS) {
        return;
    }
    for shell in ["sh", "bash"] {
        let stalled = Reply::text("partial answer").stall_at(900);
        let server = Server::start([stalled, Reply::text("second"), Reply::text("third")]);
        let cmd = Home::with_key().codex(&server);
        let script = "for i in 1 2 3; do \"$0\" \"$@\"; echo \"$i: $?\"; done";
        let mut cmd = cmd
            .args(["run", "--no-tools", "x"])
            .within(shell, ["-c", script]);
        cmd.command.process_group(0);
        let child = cmd.start();
        until("a request comes", || !server.requests().is_empty());
        // To the whole group, as a terminal sends it.
        signal_group(child.id(), INT).expect("it runs");
        let ran = finish(child, format!("{shell} -c {script:?}"));
        ran.ends_by(INT).says("codex: interrupted");
        assert!(!ran.text().contains(": "), "it went on: {}", ran.text());
        assert_eq!(server.requests().len(), 1);
    }
}

#[test]
fn nohup_is_respected() {
    let late = Reply::text("answer").pause_before_headers(Duration::from_millis(500));
    let server = Server::start([late]);
    let cmd = Home::with_key().codex(&server);
    let cmd = cmd.args(["run", "--no-tools", "x"]).within("nohup", []);
    let child = cmd.start();
    until("a request comes", || !server.requests().is_empty());
    child.signal(HUP);
    let ran = finish(child, "nohup codex run x".to_owned());
    ran.exits(0).stdout("answer\n");
}

/// Whether this process is waiting for a pipe to accept more.
pub(crate) fn is_blocked_in_write(pid: u32) -> bool {
    let call = std::fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap_or_default();
    // Number 1 is `write` on x86-64, 64 on others.
    call.starts_with("1 ") || call.starts_with("64 ")
}

#[test]
fn too_many_requests_are_exit_9() {
    let server = Server::start([calls("true"), calls("true"), calls("true")]);
    let args = ["run", "-s", "danger-full-access", "--max-turns", "2", "x"];
    let run = Home::with_key().codex(&server).args(args).run();
    run.exits(9)
        .says("the limit of 2 requests has been reached: ")
        .says("raise --max-turns");
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn an_unread_standard_error_does_not_block_the_answer_forever() {
    let replies = [
        Reply::items((0..4).map(|_| bash("seq 1 20000"))),
        Reply::text("hello"),
    ];
    let server = Server::start(replies);
    let mut child = Home::with_key()
        .codex(&server)
        .args(["run", "-v", "-s", "danger-full-access", "x"])
        .start();
    // It is open, but not read.
    let stderr = child.stderr.take();
    let ran = finish(child, "codex run -v".to_owned());
    drop(stderr);
    ran.exits(0).stdout("hello\n");
}

#[test]
fn an_unread_standard_error_does_not_delay_a_requested_stop() {
    let server = Server::start([Reply::items((0..4).map(|_| bash("seq 1 20000")))]);
    let home = Home::with_key();
    let mut child = home
        .codex(&server)
        .args([
            "run",
            "-v",
            "-s",
            "danger-full-access",
            "--timeout",
            "1s",
            "x",
        ])
        .start();
    assert_eq!(child.wait().expect("a child").code(), Some(124));
}
