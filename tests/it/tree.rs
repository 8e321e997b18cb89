//! No process is left running: whatever a tool has started is gone when its call, its time limit, or the run is over.

use std::io::Write;

use serde_json::json;

use crate::home::{Cmd, Home, finish, processes, until};
use crate::standin::{Reply, Server};
use crate::stops::{TERM, calls};
use crate::tools::{RUN, bash, call, outputs};

/// Number of sleeping processes with this command line, which no other test uses.
fn sleeping(command: &str) -> usize {
    let is_sleep = |pid: &u32| {
        std::fs::read_to_string(format!("/proc/{pid}/comm"))
            .is_ok_and(|name| name.trim() == "sleep")
    };
    processes(command)
        .iter()
        .filter(|pid| is_sleep(pid))
        .count()
}

#[test]
fn a_signal_ends_the_tools_and_everything_they_started() {
    let home = Home::with_key();
    // A sleep of a unique length, in a separate session, and one that ignores TERM.
    let seconds = format!("98{}", std::process::id());
    let command =
        format!("trap '' TERM; setsid sleep {seconds} & (trap '' TERM; sleep {seconds}); wait");
    let server = Server::start([calls(&command)]);
    let child = home
        .codex(&server)
        .args(["run", "-s", "danger-full-access", "x"])
        .start();
    let sleep = format!("sleep {seconds}");
    until("both sleep", || sleeping(&sleep) == 2);
    child.signal(TERM);
    finish(child, "codex run x".to_owned()).ends_by(TERM);
    assert!(processes(&sleep).is_empty(), "all are gone when the run is");
    assert_eq!(
        std::fs::read_dir(home.tmp()).expect("a directory").count(),
        0,
        "nothing is left behind"
    );
}

#[test]
fn a_second_signal_kills_tools_that_ignore_the_first() {
    let home = Home::with_key();
    let seconds = format!("97{}", std::process::id());
    let server = Server::start([calls(&format!(
        "trap ': > heard' TERM; while :; do sleep {seconds}; done"
    ))]);
    let child = home.codex(&server).args(RUN).start();
    let sleep = format!("sleep {seconds}");
    until("it sleeps", || sleeping(&sleep) == 1);
    child.signal(TERM);
    until("the first signal is heard", || {
        home.work().join("heard").exists()
    });
    child.signal(TERM);
    finish(child, "codex run x".to_owned()).ends_by(TERM);
    until("all are gone", || processes(&sleep).is_empty());
}

#[test]
fn tools_end_when_the_run_is_killed() {
    let seconds = format!("96{}", std::process::id());
    let server = Server::start([calls(&format!("setsid sleep {seconds} & sleep {seconds}"))]);
    let mut child = Home::with_key()
        .codex(&server)
        .args(["run", "-s", "danger-full-access", "x"])
        .start();
    let sleep = format!("sleep {seconds}");
    until("both sleep", || sleeping(&sleep) == 2);
    child.kill().expect("a child");
    child.wait().expect("a child");
    until("all are gone", || processes(&sleep).is_empty());
}

#[test]
fn a_time_limit_ends_the_whole_tree() {
    let home = Home::with_key();
    let seconds = format!("95{}", std::process::id());
    let server = Server::start([
        Reply::items([bash(&format!(
            "echo begun; trap '' TERM; setsid sleep {seconds} & sleep {seconds}; sleep {seconds}"
        ))]),
        Reply::text("done"),
    ]);
    home.codex(&server)
        .args(RUN)
        .args(["--tool-timeout", "300ms"])
        .run()
        .exits(0)
        .stdout("done\n");
    let output = &outputs(&server)[0];
    assert!(
        output.starts_with("begun\n[timed out after 0.3 s; all its processes were terminated]"),
        "{output}"
    );
    assert!(processes(&format!("sleep {seconds}")).is_empty());
}

#[test]
fn processes_left_by_a_command_are_ended_and_not_waited_for() {
    let seconds = format!("94{}", std::process::id());
    let (_, outputs) = call(
        &Home::with_key(),
        vec![bash(&format!("setsid sleep {seconds} & echo started"))],
    );
    assert!(
        outputs[0].starts_with("started\n[exit code 0]"),
        "{}",
        outputs[0]
    );
    assert!(processes(&format!("sleep {seconds}")).is_empty());
}

#[test]
fn a_tool_ends_when_its_result_is_no_longer_wanted() {
    let home = Home::new();
    let seconds = format!("93{}", std::process::id());
    let Cmd { mut command, .. } = home.offline().args(["tool", "bash"]);
    let mut child = command
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("it starts");
    let arguments = json!({"command": format!("sleep {seconds}")}).to_string();
    child
        .stdin
        .take()
        .expect("a pipe")
        .write_all(arguments.as_bytes())
        .expect("it reads");
    let sleep = format!("sleep {seconds}");
    until("it sleeps", || !processes(&sleep).is_empty());
    drop(child.stdout.take());
    child.wait().expect("a child");
    until("it is gone", || processes(&sleep).is_empty());
}

#[test]
fn a_command_that_kills_its_supervisor_leaves_nothing_behind() {
    let home = Home::with_key();
    let seconds = format!("92{}", std::process::id());
    let command = format!("setsid sleep {seconds} & kill -9 $PPID; sleep {seconds}");
    let (_, outputs) = call(&home, vec![bash(&command)]);
    assert!(outputs[0].contains("killed by signal 9"), "{}", outputs[0]);
    assert_eq!(processes(&format!("sleep {seconds}")), Vec::<u32>::new());
}

#[test]
fn a_command_that_stops_or_signals_its_supervisor_gains_nothing() {
    let home = Home::with_key();
    let seconds = format!("91{}", std::process::id());
    let (_, outputs) = call(
        &home,
        vec![bash("sleep 0.01; kill -INT 0; echo still here")],
    );
    assert!(
        outputs[0].starts_with("[killed by signal 2"),
        "{}",
        outputs[0]
    );
    let server = Server::start([calls(&format!("kill -STOP $PPID; sleep {seconds}"))]);
    let child = home.codex(&server).args(RUN).start();
    let sleep = format!("sleep {seconds}");
    until("it sleeps", || sleeping(&sleep) == 1);
    child.signal(TERM);
    finish(child, "codex run go".to_owned()).ends_by(TERM);
    assert_eq!(processes(&sleep), Vec::<u32>::new());
}

#[test]
fn processes_from_before_the_run_are_left_alone() {
    let home = Home::with_key();
    let seconds = format!("90{}", std::process::id());
    let server = Server::start([calls("true"), Reply::text("done")]);
    let mut cmd = home.codex(&server).args(RUN);
    let mut shell = std::process::Command::new("sh");
    shell
        .arg("-c")
        .arg(format!("sleep {seconds} > /dev/null 2>&1 & exec \"$@\""))
        .arg("sh");
    shell
        .arg(cmd.command.get_program())
        .args(cmd.command.get_args());
    shell.env_clear().envs(
        cmd.command
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    shell
        .current_dir(home.work())
        .stdin(std::process::Stdio::null());
    cmd.command = shell;
    cmd.run().exits(0).stdout("done\n");
    let left = processes(&format!("sleep {seconds}"));
    assert_eq!(left.len(), 1, "a job of the shell that became codex");
    let _ = crate::home::signal_process(left[0], crate::stops::TERM);
}
