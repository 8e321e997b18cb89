//! The git directories of linked worktrees and submodules that tools may write: reads what the `.git` files name,
//! then decides (pure).

use std::fmt;
use std::path::{Path, PathBuf};

use crate::tools::sandbox::paths::Root;
use crate::tools::sandbox::policy::SandboxPolicy;
use crate::tools::worktree::{Linked, linked};

/// A git directory that the `.git` file of a writable directory names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NamedGit {
    /// The directory with the file.
    of: PathBuf,
    found: FoundGit,
}

/// What such a file points to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum FoundGit {
    /// A directory that belongs to the worktree or submodule.
    There(Root),
    /// A directory that is rejected, for this reason.
    Refused(PathBuf, &'static str),
}

/// A note about such a directory.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum GitNote {
    /// Tools may write to it; `of` is the directory whose file names it.
    Opened { git: PathBuf, of: PathBuf },
    /// It is rejected, for this reason.
    Refused {
        git: PathBuf,
        of: PathBuf,
        why: &'static str,
    },
    /// Credentials are kept in it.
    HoldsCredentials(PathBuf),
}

impl fmt::Display for GitNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opened { git, of } => write!(
                f,
                "tools may write to {}, the git directory of {}",
                git.display(),
                of.display()
            ),
            Self::Refused { git, of, why } => write!(
                f,
                "tools cannot write to {}, although {} names it: {why}",
                git.display(),
                of.join(".git").display()
            ),
            Self::HoldsCredentials(git) => write!(
                f,
                "tools cannot write to {}: credentials are kept there",
                git.display()
            ),
        }
    }
}

/// Reads what the `.git` files of these directories name. `owner` is the user whose git directories are accepted.
pub(super) fn read(writable: &[Root], owner: u32) -> Vec<NamedGit> {
    let named = |of: &Path, found| NamedGit {
        of: of.to_owned(),
        found,
    };
    let mut all = Vec::new();
    for Root { path, .. } in writable {
        match linked(path, owner) {
            Linked::Nothing => {}
            Linked::Refused(git, why) => all.push(named(path, FoundGit::Refused(git, why))),
            Linked::Directories(found) => {
                let roots = found.into_iter().filter_map(|git| Root::of(git).ok());
                all.extend(roots.map(|root| named(path, FoundGit::There(root))));
            }
        }
    }
    all
}

/// The git directories that tools may write in addition to these, and the notes to report. One inside a writable directory
/// is skipped, and one that contains a guarded place, or is inside one, is rejected.
pub(super) fn opened(
    writable: &[Root],
    guarded: &[PathBuf],
    named: Vec<NamedGit>,
) -> (Vec<Root>, Vec<GitNote>) {
    let (mut opened, mut notes) = (Vec::<Root>::new(), Vec::new());
    for NamedGit { of, found } in named {
        let root = match found {
            FoundGit::There(root) => root,
            FoundGit::Refused(git, why) => {
                notes.push(GitNote::Refused { git, of, why });
                continue;
            }
        };
        let mut open = writable.iter().chain(&opened);
        if open.any(|open| root.path.starts_with(&open.path)) {
            continue;
        }
        let alone = SandboxPolicy {
            writable: vec![root.clone()],
            hidden: guarded.to_vec(),
            ..SandboxPolicy::default()
        };
        let git = root.path.clone();
        if alone.conflicts().next().is_some() {
            notes.push(GitNote::HoldsCredentials(git));
            continue;
        }
        notes.push(GitNote::Opened { git, of });
        opened.push(root);
    }
    (opened, notes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(path: &str) -> Root {
        Root {
            path: path.into(),
            identity: (0, 0),
        }
    }

    fn there(of: &str, git: &str) -> NamedGit {
        NamedGit {
            of: of.into(),
            found: FoundGit::There(root(git)),
        }
    }

    fn check(guarded: &[&str], named: Vec<NamedGit>, expected: &[&str], notes: &[&str]) {
        let guarded: Vec<PathBuf> = guarded.iter().map(PathBuf::from).collect();
        let (opened, reported) = opened(&[root("/w"), root("/x")], &guarded, named.clone());
        let opened: Vec<_> = opened.iter().map(|root| root.path.to_str()).collect();
        let expected: Vec<_> = expected.iter().map(|path| Some(*path)).collect();
        assert_eq!(opened, expected, "{named:?}");
        let reported: Vec<String> = reported.iter().map(ToString::to_string).collect();
        assert_eq!(reported, notes, "{named:?}");
    }

    #[test]
    fn a_git_directory_is_opened_once_and_never_with_a_guarded_place() {
        let of_w = "tools may write to /r/.git, the git directory of /w";
        check(&[], vec![], &[], &[]);
        check(&[], vec![there("/w", "/r/.git")], &["/r/.git"], &[of_w]);
        let below = there("/w", "/r/.git/worktrees/w");
        check(
            &[],
            vec![there("/w", "/r/.git"), below],
            &["/r/.git"],
            &[of_w],
        );
        let both = vec![there("/w", "/r/.git"), there("/x", "/r/.git")];
        check(&[], both, &["/r/.git"], &[of_w]);
        check(&[], vec![there("/w", "/x/.git")], &[], &[]);
        for guarded in ["/r", "/r/.git", "/r/.git/auth.json"] {
            check(
                &["/other", guarded],
                vec![there("/w", "/r/.git")],
                &[],
                &["tools cannot write to /r/.git: credentials are kept there"],
            );
        }
        let refused = NamedGit {
            of: "/w".into(),
            found: FoundGit::Refused("/r/.git".into(), "it is not there"),
        };
        check(
            &[],
            vec![refused],
            &[],
            &["tools cannot write to /r/.git, although /w/.git names it: it is not there"],
        );
    }
}
