//! Ends every process below a tool. `codex tool` leads its own session, without a terminal, and is the subreaper of
//! everything it starts: a process that forks away or calls `setsid` becomes its child and is ended with the rest.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{self, Pid, Signal, WaitOptions, WaitStatus};

use crate::tools::sandbox::confine::SandboxScope;

/// Time between TERM and KILL.
const KILL_GRACE: Duration = Duration::from_secs(2);

/// Moves this process into a session of its own and makes it the subreaper of its descendants.
///
/// # Errors
///
/// If it already leads a process group, as a shell's jobs do, so that it cannot create a session, or if the system
/// has no subreapers.
pub fn lead_session() -> io::Result<()> {
    process::setsid()?;
    adopt()
}

/// Makes a process that is not a tool the subreaper of its descendants, so that `end_all` reaches their orphans. Does
/// nothing and returns false if it already has children, inherited from the program that was executed before: they
/// and their orphans are not ours.
#[must_use]
pub fn adopt_orphans() -> bool {
    !have_children() && adopt().is_ok()
}

fn adopt() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    process::set_child_subreaper(Some(process::getpid()))?;
    Ok(())
}

/// Reaps exited children without blocking. Returns the status of `child` if it was among them.
pub(in crate::tools) fn collect(child: Pid) -> Option<WaitStatus> {
    let mut found = None;
    while let Ok(Some((pid, status))) = process::wait(WaitOptions::NOHANG) {
        if pid == child {
            found = Some(status);
        }
    }
    found
}

/// Ends every process below this one: TERM, then KILL after a grace period, until none is left. `hurry` returns
/// whether to cut the grace period short. Returns whether all are gone.
pub fn end_all(reach: SandboxScope, mut hurry: impl FnMut() -> bool) -> bool {
    let begun = Instant::now();
    let mut pause = Duration::from_millis(2);
    let mut kill = false;
    let mut signalled = Signalled::default();
    loop {
        // Orphans become our children, so without children there is nothing left. That is the usual case, and it
        // saves scanning every process of the machine.
        if !have_children() {
            return true;
        }
        if !kill && (begun.elapsed() >= KILL_GRACE || hurry()) {
            kill = true;
            signalled = Signalled::default();
        }
        if kill {
            // Repeated until none is left: one may have been about to fork.
            signalled.send(reach, &[Signal::KILL]);
            signalled = Signalled::default();
        } else {
            // A stopped process handles TERM only after CONT.
            signalled.send(reach, &[Signal::TERM, Signal::CONT]);
        }
        if kill && begun.elapsed() >= KILL_GRACE * 3 {
            return false; // a process that survives KILL, blocked in a device, is beyond reach
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// Which processes were signalled. Processes may fork faster than they are listed, so each signal goes to as many as
/// the system reaches in one step, during which none can fork: all of them if the sandbox confines signals, otherwise
/// process groups.
#[derive(Default)]
struct Signalled {
    broadcast: bool,
    groups: HashSet<Pid>,
    processes: HashSet<Pid>,
}

impl Signalled {
    fn send(&mut self, reach: SandboxScope, signals: &[Signal]) {
        if reach.signals && !self.broadcast {
            self.broadcast = true;
            for signal in signals {
                // kill(2): -1 is not a group, but means every process except this one.
                let _ = process::kill_process_group(Pid::INIT, *signal);
            }
            return;
        }
        for (pid, group) in below(process::getpid()) {
            for signal in signals {
                if !self.groups.contains(&group) {
                    let _ = process::kill_process_group(group, *signal);
                }
                if !self.processes.contains(&pid) {
                    let _ = process::kill_process(pid, *signal);
                }
            }
            self.groups.insert(group);
            self.processes.insert(pid);
        }
    }
}

/// Whether a child is left; exited ones are reaped.
pub(super) fn have_children() -> bool {
    loop {
        match process::wait(WaitOptions::NOHANG) {
            Ok(Some(_)) => {}
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

/// Every descendant of a process, with its process group, from `/proc`. Our own group must not be signalled; it is
/// replaced by the process's own number, which is not a group then.
fn below(root: Pid) -> Vec<(Pid, Pid)> {
    let own = process::getpgrp();
    let mut children: HashMap<Pid, Vec<(Pid, Pid)>> = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(pid) = name
            .to_str()
            .and_then(|n| n.parse().ok())
            .and_then(Pid::from_raw)
        else {
            continue;
        };
        let Ok(stat) = fs::read(entry.path().join("stat")) else {
            continue;
        };
        if let Some((parent, group)) = parent_and_group(&stat) {
            let group = if group == own { pid } else { group };
            children.entry(parent).or_default().push((pid, group));
        }
    }
    let mut found = Vec::new();
    let mut next = vec![root];
    while let Some(pid) = next.pop() {
        for child in children.remove(&pid).unwrap_or_default() {
            found.push(child);
            next.push(child.0);
        }
    }
    found
}

/// Parses parent and group from `/proc/PID/stat` (proc(5)). A process whose first thread has exited looks like a
/// zombie but may still be running.
fn parent_and_group(stat: &[u8]) -> Option<(Pid, Pid)> {
    // The name in the second field may itself contain parentheses and spaces.
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    let mut fields = std::str::from_utf8(&stat[end + 1..])
        .ok()?
        .split_whitespace();
    fields.next()?; // its state
    let mut pid = || fields.next()?.parse().ok().and_then(Pid::from_raw);
    Some((pid()?, pid()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_is_parsed_whatever_the_program_name() {
        let check = |stat: &str, expected: Option<(i32, i32)>| {
            let found = parent_and_group(stat.as_bytes());
            let found = found.map(|(a, b)| (a.as_raw_nonzero().get(), b.as_raw_nonzero().get()));
            assert_eq!(found, expected, "{stat}");
        };
        check("12 (bash) S 7 13 12 0 -1", Some((7, 13)));
        check("12 (a) S 9 (b) R 7 12", Some((7, 12)));
        check("12 (zombie) Z 7 12 1", Some((7, 12)));
        check("12 (gone) Z 7", None);
        check("12 (init) S 0 1", None);
        check("garbage", None);
    }
}
