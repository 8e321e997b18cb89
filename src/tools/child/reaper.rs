//! The end of everything under a tool. `codex tool` leads a session of its own, without a terminal, and is
//! the subreaper of whatever it starts: a process that forks away, or calls `setsid`, becomes its child and
//! is ended with the rest.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{self, Pid, Signal, WaitOptions, WaitStatus};

use crate::tools::sandbox::confine::SandboxScope;

/// How long a process has from TERM to KILL.
const KILL_GRACE: Duration = Duration::from_secs(2);

/// Takes this process out of its terminal's session and makes it the one that orphans fall to.
///
/// # Errors
/// When it already leads a process group, as a shell's jobs do, and so cannot found a session, or when the system
/// does not know subreapers.
pub fn lead_session() -> io::Result<()> {
    process::setsid()?;
    adopt()
}

/// Makes a process that is no tool the one that orphans below it fall to, so that `end_all` reaches them. Not if it
/// has children already, from before it was `codex`: they, and their orphans, are somebody else's.
#[must_use]
pub fn adopt_orphans() -> bool {
    !have_children() && adopt().is_ok()
}

fn adopt() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    process::set_child_subreaper(Some(process::getpid()))?;
    Ok(())
}

/// Collects children that have ended, without waiting; the status of `child` if it was among them.
pub(in crate::tools) fn collect(child: Pid) -> Option<WaitStatus> {
    let mut found = None;
    while let Ok(Some((pid, status))) = process::wait(WaitOptions::NOHANG) {
        if pid == child {
            found = Some(status);
        }
    }
    found
}

/// Ends every process below this one: TERM, then, after a grace, KILL, until none is left.
/// `hurry` says whether the grace is over early. Whether none is left.
pub fn end_all(reach: SandboxScope, mut hurry: impl FnMut() -> bool) -> bool {
    let begun = Instant::now();
    let mut pause = Duration::from_millis(2);
    let mut kill = false;
    let mut told = Signalled::default();
    loop {
        // An orphan becomes our child, so having none means that nothing is left; that is the usual case, and
        // saves looking at every process of the machine.
        if !have_children() {
            return true;
        }
        if !kill && (begun.elapsed() >= KILL_GRACE || hurry()) {
            kill = true;
            told = Signalled::default();
        }
        if kill {
            // Until none is left: one may have been about to fork.
            told.all(reach, &[Signal::KILL]);
            told = Signalled::default();
        } else {
            // A stopped process would not hear TERM before it goes on.
            told.all(reach, &[Signal::TERM, Signal::CONT]);
        }
        if kill && begun.elapsed() >= KILL_GRACE * 3 {
            return false; // what KILL does not end, sleeping in a device, is beyond reach
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// Who has been told by a signal. Processes may multiply faster than they are looked at, so a signal goes to as many as
/// the system reaches in one step, in which nobody can fork: all of them, where the walls keep that inside, else groups.
#[derive(Default)]
struct Signalled {
    everybody: bool,
    groups: HashSet<Pid>,
    processes: HashSet<Pid>,
}

impl Signalled {
    fn all(&mut self, reach: SandboxScope, signals: &[Signal]) {
        if reach.signals && !self.everybody {
            self.everybody = true;
            for signal in signals {
                // kill(2): number 1 is no group, but every process there is, this one left out.
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

/// Whether a child is left, ended ones being collected on the way.
fn have_children() -> bool {
    loop {
        match process::wait(WaitOptions::NOHANG) {
            Ok(Some(_)) => {}
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

/// Every process that descends from this one, with its group, from `/proc`. Where that is our
/// own group, which must not be signalled, it is the process's number, which is no group then.
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

/// The parent and the group in a line of `/proc/PID/stat` (proc(5)). A process whose first thread has ended looks like
/// one that has ended itself, and may go on all the same.
fn parent_and_group(stat: &[u8]) -> Option<(Pid, Pid)> {
    // The name in the second field may itself hold parentheses and blanks.
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
    fn the_parent_is_found_behind_any_name() {
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
