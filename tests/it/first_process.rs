//! The first process of a container without an init: it cannot end by a signal, since the system drops every signal with
//! its default action, so it ends with the exit code that says the same, in every command.

use std::fs;
use std::process::Command;

use crate::home::{Cmd, Home, Running, finish, signal_process, until};
use crate::needs::{Need, lacks};
use crate::standin::{Reply, Server};
use crate::stops::{INT, TERM, calls};

const HUP: i32 = 1;
const QUIT: i32 = 3;

/// The command as the first process of a PID namespace.
fn first(cmd: Cmd) -> Cmd {
    cmd.within("unshare", ["-pf", "--mount-proc", "--kill-child"])
}

/// The child of `unshare`, as seen from here.
fn inner(outer: &Running) -> u32 {
    let list = format!("/proc/{0}/task/{0}/children", outer.id());
    let mut found = None;
    until("unshare has a child", || {
        let children = fs::read_to_string(&list).unwrap_or_default();
        found = children
            .split_whitespace()
            .next()
            .and_then(|pid| pid.parse().ok());
        found.is_some()
    });
    found.expect("a child")
}

fn signal(pid: u32, signal: i32) {
    signal_process(pid, signal).expect("it runs");
}

/// Whether the process has a handler for the signal.
fn handles(pid: u32, signal: i32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (signal - 1)) != 0)
}

#[test]
fn as_pid_1_a_run_exits_with_the_code_of_the_signal() {
    if lacks(&Need::PID_NAMESPACE) {
        return;
    }
    for (number, code, words) in [
        (TERM, 143, "terminated"),
        (INT, 130, "interrupted"),
        (HUP, 129, "hung up"),
    ] {
        for flags in [["--no-tools", "-v"], ["--no-tools", "--json"]] {
            let server = Server::start([Reply::text("partial answer").stall_at(900)]);
            let home = Home::with_key();
            let cmd = first(home.codex(&server).args(["run", "x"]).args(flags));
            let running = cmd.start();
            until("a request comes", || !server.requests().is_empty());
            signal(inner(&running), number);
            let ran = finish(running, format!("codex run x, signal {number}"));
            ran.exits(code).says(words);
            if flags[1] == "--json" {
                let events = ran.events();
                assert_eq!(events[events.len() - 1]["error"]["exit_code"], code);
            }
        }
    }
}

#[test]
fn as_pid_1_tools_end_at_the_first_and_the_second_signal() {
    if lacks(&Need::PID_NAMESPACE) {
        return;
    }
    let server = Server::start([calls(
        "trap ': > heard' TERM; : > begun; while :; do sleep 0.05; done",
    )]);
    let home = Home::with_key();
    let args = ["run", "-s", "workspace-write", "x"];
    let cmd = first(home.codex(&server).args(args));
    let running = cmd.start();
    let pid = inner(&running);
    until("a request comes", || !server.requests().is_empty());
    until("the tool runs", || home.work().join("begun").exists());
    signal(pid, TERM);
    until("the first signal is heard", || {
        home.work().join("heard").exists()
    });
    signal(pid, TERM);
    finish(running, "codex run x, signalled twice".to_owned())
        .exits(143)
        .says("terminated");
}

#[test]
fn as_pid_1_sigquit_ends_the_run_at_once() {
    if lacks(&Need::PID_NAMESPACE) {
        return;
    }
    let server = Server::start([Reply::text("partial answer").stall_at(900)]);
    let home = Home::with_key();
    let cmd = first(home.codex(&server).args(["run", "--no-tools", "x"]));
    let running = cmd.start();
    until("a request comes", || !server.requests().is_empty());
    signal(inner(&running), QUIT);
    finish(running, "codex run x, SIGQUIT".to_owned())
        .exits(131)
        .stdout("");
}

#[test]
fn as_pid_1_other_commands_exit_with_the_code_of_the_signal() {
    if lacks(&Need::PID_NAMESPACE) {
        return;
    }
    let server = Server::start([]);
    let waiting: [&[&str]; 5] = [
        // Each of them is waiting: for standard input, or for a person.
        &["tool", "bash"],
        &["login", "--with-api-key"],
        &["login", "--device-auth"],
        &["run"],
        &["run", "--no-tools", "-f", "pipe", "x"],
    ];
    for args in waiting {
        for (number, code) in [(TERM, 143), (INT, 130), (HUP, 129)] {
            let home = Home::with_key();
            let made = Command::new("mkfifo")
                .arg(home.work().join("pipe"))
                .status();
            assert!(made.is_ok_and(|made| made.success()));
            let mut cmd = home.codex(&server);
            cmd.command.args(args);
            let cmd = first(cmd);
            let running = cmd.piped().start();
            let pid = inner(&running);
            until("it handles signals", || handles(pid, number));
            signal(pid, number);
            finish(running, format!("codex {args:?}, signal {number}")).exits(code);
        }
    }
}
