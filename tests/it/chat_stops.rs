//! How `codex chat` stops: signals from outside, and that it rests while nothing happens. Whatever ends it, the terminal
//! is what it was before.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;

use crate::home::until;
use crate::needs::{Need, lacks};
use crate::on_screen::{Chat, chat, home};
use crate::standin::{Reply, Server};
use crate::stops::{TERM, calls, ignored};

#[test]
fn every_signal_that_ends_it_restores_the_terminal() {
    if lacks(&Need::CONTROLLING_TERMINAL) {
        return;
    }
    for (signal, words) in [
        (Signal::HUP, "hung up"),
        (Signal::QUIT, "ended by SIGQUIT"),
        (Signal::ABORT, "ended by SIGABRT"),
        (Signal::USR1, "ended by SIGUSR1"),
        (Signal::USR2, "ended by SIGUSR2"),
    ] {
        let signal = signal.as_raw();
        if ignored(signal) {
            continue; // ignored when the tests were started, so the chat ignores it too
        }
        let (home, server) = (home(), Server::start([]));
        let chat = chat(&home, &server, []);
        chat.signal(signal);
        chat.ends().ends_by(signal).says(words);
    }
}

#[test]
fn signals_that_were_ignored_stay_ignored() {
    if lacks(&Need::CONTROLLING_TERMINAL) {
        return;
    }
    let (home, server) = (home(), Server::start([]));
    let cmd = home.codex(&server).args(["chat"]);
    let script = "trap '' HUP QUIT USR1; exec \"$0\" \"$@\"";
    let mut chat = Chat::start(cmd, Some(script));
    for signal in [Signal::HUP, Signal::QUIT, Signal::USR1] {
        chat.signal(signal.as_raw());
    }
    chat.types("still here");
    chat.shows("› still here");
    chat.types("\u{15}");
    chat.waits("an empty question", |screen| !screen.contains("still here"));
    chat.leaves().exits(0);
}

#[test]
fn a_second_signal_ends_a_tool_at_once() {
    if lacks(&Need::CONTROLLING_TERMINAL) {
        return;
    }
    let home = home();
    let tool =
        "trap ': > asked; sleep 1.8; : > late; exit' TERM; : > ready; while :; do sleep 0.05; done";
    let server = Server::start([calls(tool)]);
    let chat = chat(&home, &server, ["wait"]);
    let exists = |name: &str| home.work().join(name).exists();
    until("a tool runs", || exists("ready"));
    chat.signal(TERM);
    until("the tool is asked to end", || exists("asked"));
    chat.signal(TERM);
    chat.ends().ends_by(TERM).says("codex: terminated\n");
    assert!(!exists("late"));
}

/// How often the threads of a process have gone to sleep.
fn rests(process: u32) -> u64 {
    let tasks = Path::new("/proc").join(process.to_string()).join("task");
    let tasks = fs::read_dir(tasks).expect("it runs");
    let switches = tasks.flatten().map(|task| {
        let status = fs::read_to_string(task.path().join("status")).unwrap_or_default();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        line.map_or(0, |count| count.trim().parse().expect("a number"))
    });
    switches.sum::<u64>()
}

#[test]
fn an_idle_chat_does_not_wake_up() {
    if lacks(&Need::CONTROLLING_TERMINAL) || lacks(&Need::SYSTEM_CALLS) {
        return;
    }
    let (home, server) = (home(), Server::start([Reply::text("an answer")]));
    let mut chat = chat(&home, &server, ["hello"]);
    chat.shows("an answer");
    chat.waits("the end", |screen| !screen.contains("working"));
    let process = chat.child.id();
    let span = Duration::from_millis(500);
    let mut before = rests(process);
    // What the turn began may take a moment to end.
    until("it rests", || {
        std::thread::sleep(span);
        before == std::mem::replace(&mut before, rests(process))
    });
    std::thread::sleep(4 * span);
    assert_eq!(rests(process), before);
    chat.leaves().exits(0);
}
