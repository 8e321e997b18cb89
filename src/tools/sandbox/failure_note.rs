//! Guesses which rules of the sandbox may have made a command fail, from its output and exit code, and names the flag
//! that lifts each rule. The note says that it is a guess, for the model to check.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::policy::SandboxPolicy;

/// Messages for a file that is not accessible.
const DENIED: &[&str] = &[
    "ermission denied",
    "Read-only file system",
    "EACCES",
    "EROFS",
    "os error 13)",
    "AccessDenied",
];

/// Messages for a system call that is not permitted.
const REFUSED: &[&str] = &["peration not permitted", "EPERM", "os error 1)"];

/// Messages for a file that cannot be moved to another file system.
const CROSSED: &[&str] = &["ross-device link", "EXDEV", "os error 18)"];

/// Messages for an unreachable network.
const UNREACHED: &[&str] = &[
    "resolve host",
    "resolving",
    "name resolution",
    "Name or service not known",
    "getaddrinfo",
    "ENOTFOUND",
    "EAI_AGAIN",
    "Network is unreachable",
    "dns error",
    "no such host",
];

/// Messages about sockets.
const SOCKET: &[&str] = &["socket", "connect", "listen", "bind"];

/// Exit code of a shell for a command that it cannot execute (POSIX, "Exit Status for Commands").
const NOT_EXECUTED: i32 = 126;

/// A failed command.
#[derive(Clone, Copy, Debug)]
pub struct FailedCommand<'a> {
    /// What it printed.
    pub output: &'a str,
    /// Its exit code, if it has one.
    pub code: Option<i32>,
}

impl SandboxPolicy {
    /// Which rules of the sandbox may have made the command fail.
    #[must_use]
    pub fn explain(&self, failed: FailedCommand<'_>) -> Option<String> {
        let device = |path: &Path| {
            let there = path
                .ancestors()
                .find_map(|place| fs::metadata(place).ok())?;
            Some(there.dev())
        };
        let rules = self.rules(failed, device);
        (!rules.is_empty()).then(|| {
            format!(
                "this may come from the sandbox ({}), not from the command or the disk: {}",
                self.name(),
                rules.join("; ")
            )
        })
    }

    /// The matching rules. `device` returns the file system of a path.
    fn rules(
        &self,
        failed: FailedCommand<'_>,
        device: impl Fn(&Path) -> Option<u64>,
    ) -> Vec<String> {
        let says = |words: &[&str]| words.iter().any(|words| failed.output.contains(words));
        let mut rules = Vec::new();
        let denied = says(DENIED);
        if denied {
            let way = if self.write {
                "--add-dir DIR allows another directory"
            } else {
                "-s workspace-write allows the working directory"
            };
            rules.push(format!(
                "it lets commands write only under {} ({way}), and hides credentials",
                self.places()
            ));
        }
        let closed = self.closed.iter().filter(|closed| {
            let place = closed.place.to_string_lossy();
            failed.output.contains(&*place)
        });
        rules.extend(closed.map(ToString::to_string));
        if self.crossed(failed.output, device) {
            rules.push(format!(
                "it lets commands rename and link only between directories under {}",
                self.places()
            ));
        }
        if !self.write && denied && failed.code == Some(NOT_EXECUTED) {
            rules.push(
                "no file can be made executable (name its interpreter, as in `sh FILE`, or use -s workspace-write)"
                    .to_owned(),
            );
        }
        let shared_memory = self
            .writable
            .iter()
            .any(|root| root.path == Path::new("/dev/shm"));
        if !shared_memory && says(&["SemLock", "shm_open", "/dev/shm", "multiprocessing"]) {
            rules.push(
                "there is no shared memory in /dev/shm (-s workspace-write or --add-dir /dev/shm opens it)".to_owned(),
            );
        }
        if says(&["out of pty", "pseudo-terminal", "openpty"]) {
            rules.push("there are no terminals".to_owned());
        }
        let refused = says(REFUSED);
        if refused && !self.write {
            rules.push(
                "it refuses to change the mode, owner or times of files (-s workspace-write allows it)".to_owned(),
            );
        }
        if !self.network && (says(UNREACHED) || refused && says(SOCKET)) {
            rules.push("it has no network (--network allows it)".to_owned());
        }
        if refused {
            let others = "connections to other programs' sockets, System V IPC, namespaces, tracing, and the priority and limits of processes by number";
            rules.push(format!("it refuses {others}"));
        }
        rules
    }

    /// Whether a file could not be moved or linked between two places on one file system, one of which is not
    /// writable. A move between two file systems fails without the sandbox too.
    fn crossed(&self, output: &str, device: impl Fn(&Path) -> Option<u64>) -> bool {
        let lines = output
            .lines()
            .filter(|line| CROSSED.iter().any(|words| line.contains(words)));
        let mut places = lines.map(quoted).filter(|paths| paths.len() > 1);
        places.any(|paths| {
            let devices: Vec<Option<u64>> = paths.iter().map(|path| device(path)).collect();
            let is_open = |path: &PathBuf| {
                path.is_relative()
                    || self
                        .writable
                        .iter()
                        .any(|root| path.starts_with(&root.path))
            };
            devices
                .windows(2)
                .all(|pair| pair[0].is_some() && pair[0] == pair[1])
                && !paths.iter().all(is_open)
        })
    }
}

/// The quoted paths on a line, as programs print them.
fn quoted(line: &str) -> Vec<PathBuf> {
    let line = line.replace(['\u{2018}', '\u{2019}', '"', '`'], "'");
    let parts = line.split('\'').skip(1).step_by(2);
    parts
        .filter(|part| !part.is_empty())
        .map(PathBuf::from)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::sandbox::paths::Root;
    use crate::tools::sandbox::policy::ClosedDirectory;

    fn policy(write: bool, network: bool) -> SandboxPolicy {
        let root = Root {
            path: "/work".into(),
            identity: (0, 0),
        };
        SandboxPolicy {
            write,
            network,
            writable: vec![root],
            closed: vec![ClosedDirectory {
                place: "/tmp".into(),
                reason: "credentials are kept in /tmp/home".to_owned(),
            }],
            ..SandboxPolicy::default()
        }
    }

    /// Checks which rules are named, by their first words.
    fn check(policy: &SandboxPolicy, output: &str, code: i32, expected: &[&str]) {
        let failed = FailedCommand {
            output,
            code: Some(code),
        };
        let device = |path: &Path| Some(u64::from(path.starts_with("/other")));
        let rules = policy.rules(failed, device);
        assert_eq!(rules.len(), expected.len(), "{output}: {rules:?}");
        for (rule, words) in rules.iter().zip(expected) {
            assert!(rule.contains(words), "{output}: {rule}");
        }
    }

    #[test]
    fn every_rule_is_recognised_by_program_messages() {
        let (write, read) = (policy(true, false), policy(false, false));
        check(&write, "all is well", 1, &[]);
        check(&write, "sh: x: Permission denied", 1, &["--add-dir DIR"]);
        check(
            &read,
            "sh: x: Permission denied",
            1,
            &["-s workspace-write allows"],
        );
        check(
            &read,
            "sh: ./x: Permission denied",
            126,
            &["write only", "made executable"],
        );
        check(&write, "sh: ./x: Permission denied", 126, &["write only"]);
        check(
            &write,
            "java.nio.file.AccessDeniedException: /tmp/abc",
            1,
            &[
                "write only",
                "/tmp is closed because credentials are kept in /tmp/home",
            ],
        );
        check(
            &write,
            "curl: (6) Could not resolve host: x",
            6,
            &["--network"],
        );
        check(
            &policy(true, true),
            "curl: (6) Could not resolve host: x",
            6,
            &[],
        );
        check(
            &write,
            "Error: listen EPERM: operation not permitted 127.0.0.1",
            1,
            &["--network", "other programs"],
        );
        check(
            &policy(true, true),
            "PermissionError: [Errno 1] Operation not permitted: connect",
            1,
            &["other programs"],
        );
        check(
            &read,
            "chmod: changing permissions of 'x': Operation not permitted",
            1,
            &["mode, owner or times", "other programs"],
        );
        check(&write, "OSError: SemLock", 1, &["shared memory"]);
        check(&write, "out of pty devices", 1, &["no terminals"]);
    }

    #[test]
    fn a_link_across_file_systems_is_not_blamed_on_the_sandbox() {
        let write = policy(true, false);
        let exdev = "Invalid cross-device link";
        for (from, to, ours) in [
            ("/work/a", "/home/b", true),
            ("a", "/home/b", true),
            ("/work/a", "/other/b", false),
            ("/work/a", "/work/b", false),
            ("a", "b", false),
        ] {
            let expected: &[&str] = if ours { &["rename and link"] } else { &[] };
            check(
                &write,
                &format!("mv: cannot move '{from}' to '{to}': {exdev}"),
                1,
                expected,
            );
            check(
                &write,
                &format!("OSError: [Errno 18] {exdev}: \"{from}\" -> \"{to}\""),
                1,
                expected,
            );
        }
        check(&write, &format!("rename: {exdev} (os error 18)"), 1, &[]);
    }
}
