//! What git executes automatically: hooks, and configuration that can name programs. Tools may change both in writable
//! directories, and git later runs them outside the sandbox; so changes are detected.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::limited_file;

/// Largest file naming a git directory, in bytes.
const MAX_GIT_FILE_BYTES: u64 = 4 << 10;

/// The watched paths in a git directory.
const WATCHED: &[&str] = &["hooks", "config", "config.worktree", "commondir"];

/// A snapshot of the repositories of some directories.
#[derive(Debug, Default)]
pub(super) struct Repositories(Vec<(PathBuf, Vec<FileState>)>);

/// A file's path and metadata that changes with it (inode(7)).
type FileState = (PathBuf, u64, u64, i64, i64);

impl Repositories {
    /// Takes a snapshot of the repositories that these directories belong to.
    pub(super) fn of(directories: &[&Path]) -> Self {
        let mut places = Vec::new();
        for git in directories
            .iter()
            .flat_map(|directory| git_directories(directory))
        {
            places.extend(WATCHED.iter().map(|name| git.join(name)));
            // A `.git` file that names the git directory.
            places.extend(Some(git).filter(|git| !git.is_dir()));
        }
        places.sort();
        places.dedup();
        let seen = |place: PathBuf| {
            let states = states(&place);
            (place, states)
        };
        Self(places.into_iter().map(seen).collect())
    }

    /// The paths that changed since the last snapshot.
    pub(super) fn changed(&mut self) -> Vec<PathBuf> {
        let mut changed = Vec::new();
        for (place, before) in &mut self.0 {
            let now = states(place);
            if now != *before {
                *before = now;
                changed.push(place.clone());
            }
        }
        changed
    }
}

/// The git directory of this directory and the common one of worktrees, if any. A directory without a repository may
/// get one. This finds whatever git would use, regardless of who created it, so a run must not rely on it for anything
/// else.
fn git_directories(directory: &Path) -> Vec<PathBuf> {
    let dot_git = directory
        .ancestors()
        .map(|place| place.join(".git"))
        .find(|git| git.exists())
        .unwrap_or_else(|| directory.join(".git"));
    // In worktrees and submodules `.git` is a file (gitrepository-layout(5)); and a repository may be created inside
    // another one.
    let mut found = vec![dot_git.clone(), directory.join(".git")];
    let mut git = dot_git;
    if let Some(text) = limited_file::text(&git, MAX_GIT_FILE_BYTES)
        && let Some(named) = text.trim().strip_prefix("gitdir: ")
    {
        git = directory_of(&git).join(named);
        found.push(git.clone());
    }
    if let Some(common) = limited_file::text(&git.join("commondir"), MAX_GIT_FILE_BYTES) {
        found.push(git.join(common.trim()));
    }
    found
}

fn directory_of(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

/// The file itself, or everything in the directory.
fn states(place: &Path) -> Vec<FileState> {
    let mut paths = vec![place.to_owned()];
    let inside = fs::read_dir(place).into_iter().flatten().flatten();
    paths.extend(inside.map(|entry| entry.path()));
    paths.sort();
    let mark = |path: PathBuf| {
        // A link is followed, as git runs its target.
        let found = fs::metadata(&path)
            .or_else(|_| fs::symlink_metadata(&path))
            .ok()?;
        Some((
            path,
            found.ino(),
            found.size(),
            found.ctime(),
            found.ctime_nsec(),
        ))
    };
    paths.into_iter().filter_map(mark).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_hook_or_setting_is_noticed_once() {
        let top = std::env::temp_dir().join(format!("codex-run-git-{}", std::process::id()));
        let git = top.join(".git");
        fs::create_dir_all(git.join("hooks")).expect("a directory");
        fs::create_dir_all(top.join("src/deep")).expect("a directory");
        fs::write(git.join("config"), "[core]\n").expect("a file");
        let deep = top.join("src/deep");
        let mut seen = Repositories::of(&[&deep, &top]);
        assert_eq!(seen.changed(), Vec::<PathBuf>::new());
        fs::write(git.join("index"), "x").expect("a file");
        assert_eq!(seen.changed(), Vec::<PathBuf>::new());
        fs::write(git.join("hooks/pre-commit"), "evil").expect("a file");
        assert_eq!(seen.changed(), [git.join("hooks")]);
        fs::write(git.join("config"), "[cure]\n").expect("a file");
        assert_eq!(seen.changed(), [git.join("config")]);
        assert_eq!(seen.changed(), Vec::<PathBuf>::new());
        fs::write(git.join("commondir"), "../evil\n").expect("a file");
        assert_eq!(seen.changed(), [git.join("commondir")]);
        // A worktree, whose `.git` is a file.
        fs::write(deep.join(".git"), format!("gitdir: {}\n", git.display())).expect("a file");
        let mut seen = Repositories::of(&[&deep]);
        fs::write(deep.join(".git"), "gitdir: evil\n").expect("a file");
        assert_eq!(seen.changed(), [deep.join(".git")]);
        let _ = fs::remove_dir_all(top);
    }
}
