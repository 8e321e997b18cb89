//! The sandbox policy of a tool, as data: what it may write, what it may not read, and whether it may use the
//! network. `confine` enforces it; this module also describes it, for the model and for people.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::paths::{Root, real};

/// The sandbox policy of a tool. All paths are real: absolute and without links.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SandboxPolicy {
    /// The working directory is writable: `workspace-write`; otherwise `read-only`.
    pub write: bool,
    /// The network is allowed.
    pub network: bool,
    /// The writable directories, including the tools' temporary directory.
    pub writable: Vec<Root>,
    /// Which of them is the run's temporary directory: its path is different in each run, so messages refer to it by its
    /// variable.
    pub temporary: Option<PathBuf>,
    /// Unreadable paths, where credentials are stored. Files with the same name plus a suffix after a dot, such as
    /// copies and locks, are hidden too.
    pub hidden: Vec<PathBuf>,
    /// Exceptions: readable paths inside hidden ones.
    pub readable: Vec<PathBuf>,
    /// Where the tool's process binds the sockets of programs; nothing in it can be replaced by them. Without it,
    /// programs cannot bind sockets to paths.
    pub sockets: Option<Root>,
    /// Directories that tools can usually write but not in this run.
    pub closed: Vec<ClosedDirectory>,
}

/// A directory such as `/tmp` that tools cannot write in this run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedDirectory {
    /// Its path.
    pub place: PathBuf,
    /// The reason, worded to follow "because".
    pub reason: String,
}

impl fmt::Display for ClosedDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.place.display();
        write!(f, "{place} is closed because {}", self.reason)
    }
}

/// A writable directory and a hidden path that contradict each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The directory that would be writable.
    pub root: PathBuf,
    /// The place that must stay hidden.
    pub hidden: PathBuf,
}

impl SandboxPolicy {
    /// The name of the sandbox mode on the command line.
    #[must_use]
    pub fn name(&self) -> &'static str {
        if self.write {
            "workspace-write"
        } else {
            "read-only"
        }
    }

    /// Writable directories that are, contain or are inside a hidden path: hidden files could be moved or replaced
    /// there.
    pub fn conflicts(&self) -> impl Iterator<Item = Conflict> {
        let pairs = self
            .writable
            .iter()
            .flat_map(|root| self.hidden.iter().map(move |hidden| (root, hidden)));
        let touch = |(root, hidden): &(&Root, &PathBuf)| {
            root.path.starts_with(hidden) || hidden.starts_with(&root.path)
        };
        pairs.filter(touch).map(|(root, hidden)| Conflict {
            root: root.path.clone(),
            hidden: hidden.clone(),
        })
    }

    /// Whether this path itself is hidden.
    #[must_use]
    pub fn hides(&self, path: &Path) -> bool {
        self.hidden
            .iter()
            .any(|hidden| is_or_is_copy_of(path, hidden))
    }

    /// Whether a path below this one is hidden, so that its contents have to be allowed one by one.
    #[cfg(test)]
    pub fn divides(&self, path: &Path) -> bool {
        self.hidden
            .iter()
            .any(|hidden| hidden.starts_with(path) && hidden != path)
    }

    /// Why the policy forbids reading this path, if it does.
    #[must_use]
    pub fn refuse_read(&self, path: &Path) -> Option<String> {
        let path = real(path);
        let hidden = path.ancestors().any(|place| self.hides(place));
        // The temporary directory of the run is inside a hidden one.
        let writable = self.writable.iter().map(|root| &root.path);
        let open = self
            .readable
            .iter()
            .chain(writable)
            .any(|place| path.starts_with(place));
        (hidden && !open).then(|| {
            format!(
                "the sandbox hides {}, which contains credentials. This is the sandbox, not the disk",
                path.display()
            )
        })
    }

    /// Why the policy forbids writing this path, if it does.
    #[must_use]
    pub fn refuse_write(&self, path: &Path) -> Option<String> {
        let path = real(path);
        let inside = self
            .writable
            .iter()
            .any(|root| path.starts_with(&root.path));
        (!inside).then(|| {
            let closed = self.closed.iter().find(|closed| path.starts_with(&closed.place));
            let closed = closed.map_or_else(String::new, |closed| format!("; {closed}"));
            format!(
                "the sandbox ({}) lets tools write only under {}, and {} is outside{closed}. This is the sandbox, not the disk",
                self.name(),
                self.places(),
                path.display()
            )
        })
    }

    /// The writable places, in words.
    pub(super) fn places(&self) -> String {
        let places = self.writable.iter().map(|root| {
            if Some(&root.path) == self.temporary.as_ref() {
                "$TMPDIR".to_owned()
            } else {
                root.path.display().to_string()
            }
        });
        places.collect::<Vec<_>>().join(" and ")
    }

    /// The description for the model's instructions.
    #[must_use]
    pub fn notice(&self, directory: &Path) -> String {
        let mut places = Vec::new();
        for root in &self.writable {
            places.push(if root.path == directory {
                "the working directory".to_owned()
            } else {
                root.path.display().to_string()
            });
        }
        places.push("$TMPDIR".to_owned());
        let places = places.join(", ");
        let network = if self.network {
            ""
        } else {
            ", and there is no network"
        };
        format!("A sandbox lets them write only under {places}{network}.")
    }
}

/// Whether `path` is `hidden`, or a sibling named like it plus a suffix after a dot.
fn is_or_is_copy_of(path: &Path, hidden: &Path) -> bool {
    if path == hidden {
        return true;
    }
    let names = (path.file_name(), hidden.file_name());
    let (Some(name), Some(of)) = (names.0.map(OsStr::as_bytes), names.1.map(OsStr::as_bytes))
    else {
        return false;
    };
    path.parent() == hidden.parent()
        && name
            .strip_prefix(of)
            .is_some_and(|rest| rest.starts_with(b"."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(writable: &[&str], hidden: &[&str]) -> SandboxPolicy {
        SandboxPolicy {
            write: true,
            writable: writable
                .iter()
                .map(|path| Root {
                    path: path.into(),
                    identity: (0, 0),
                })
                .collect(),
            hidden: hidden.iter().map(PathBuf::from).collect(),
            ..SandboxPolicy::default()
        }
    }

    #[test]
    fn writable_directories_must_not_overlap_hidden_paths() {
        let check = |root: &str, hidden: &str, conflict: bool| {
            let found = policy(&["/elsewhere", root], &["/nowhere", hidden])
                .conflicts()
                .next();
            assert_eq!(found.is_some(), conflict, "{root} {hidden}");
            assert!(found.is_none_or(|c| c.root == Path::new(root)));
        };
        check("/h/u/proj", "/h/u/.codex", false);
        check("/h/u/.codex", "/h/u/.codex", true);
        check("/h/u", "/h/u/.codex", true);
        check("/", "/h/u/.codex", true);
        check("/h/u/.codex/sub", "/h/u/.codex", true);
        check("/h/u/.codex-run", "/h/u/.codex", false);
    }

    #[test]
    fn copies_and_locks_of_hidden_files_are_hidden() {
        let policy = policy(&[], &["/h/u/.codex-run", "/w/auth.json"]);
        let check = |path: &str, hides: bool, divides: bool| {
            let path = Path::new(path);
            assert_eq!(
                (policy.hides(path), policy.divides(path)),
                (hides, divides),
                "{path:?}"
            );
        };
        check("/h/u/.codex-run", true, false);
        check("/h/u/.codex-run.old", true, false);
        check("/h/u/.codex-runner", false, false);
        check("/w/auth.json", true, false);
        check("/w/auth.json.lock", true, false);
        check("/w/auth.json.12-ab.new", true, false);
        check("/w/auth.jsonl", false, false);
        check("/h", false, true);
        check("/", false, true);
        check("/x", false, false);
    }

    #[test]
    fn refusals_name_the_rule() {
        let policy = policy(&["/nowhere/w"], &["/nowhere/h"]);
        let of = |path: &str| {
            let path = Path::new(path);
            (policy.refuse_write(path), policy.refuse_read(path))
        };
        assert_eq!(of("/nowhere/w/a"), (None, None));
        let (write, read) = of("/nowhere/h/a");
        assert!(write.is_some_and(|words| words.contains("only under /nowhere/w")));
        assert!(read.is_some_and(|words| words.contains("hides /nowhere/h/a")));
    }
}
