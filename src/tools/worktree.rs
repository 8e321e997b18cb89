//! The git directories of linked worktrees and submodules. There `.git` is a file that names the git directory, which
//! is elsewhere and must be writable for `git commit`. The file may come from anyone, so the directory it names is
//! trusted only if it refers back to the file.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use super::limited_file;

/// Largest git file that is read here, in bytes.
const MAX_FILE_BYTES: u64 = 64 << 10;

/// Longest path that is followed, in bytes (`PATH_MAX`).
const MAX_PATH_BYTES: usize = 4 << 10;

/// Where a `.git` file leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Linked {
    /// There is no such file: an ordinary repository, or none.
    Nothing,
    /// The directories of this worktree or submodule.
    Directories(Vec<PathBuf>),
    /// A directory that does not refer back, or belongs to another user, with the reason.
    Refused(PathBuf, &'static str),
}

/// Follows the `.git` file of this directory (gitrepository-layout(5)). Only directories of the user `owner` are
/// accepted.
#[must_use]
pub fn linked(directory: &Path, owner: u32) -> Linked {
    let file = directory.join(".git");
    let is_file = fs::symlink_metadata(&file).is_ok_and(|found| found.is_file());
    let text = limited_file::text(&file, MAX_FILE_BYTES).filter(|_| is_file);
    let Some(named) = text
        .as_deref()
        .and_then(|text| text.trim_end().strip_prefix("gitdir: "))
        .filter(|named| is_plain(Path::new(named)))
    else {
        return Linked::Nothing;
    };
    let Ok(git) = directory.join(named).canonicalize() else {
        return Linked::Refused(directory.join(named), "it does not exist");
    };
    if !is_plain(&git) {
        return Linked::Nothing;
    }
    let Ok(back) = file.canonicalize() else {
        return Linked::Nothing;
    };
    let found = if git.join("commondir").exists() {
        worktree(&git, &back).map(|common| vec![common, git.clone()])
    } else {
        submodule(&git, directory).map(|()| vec![git.clone()])
    };
    match found {
        Err(why) => Linked::Refused(git, why),
        Ok(directories) => {
            let foreign = directories.iter().find(|directory| {
                !fs::symlink_metadata(directory)
                    .is_ok_and(|found| found.is_dir() && found.uid() == owner)
            });
            match foreign {
                Some(foreign) => Linked::Refused(foreign.clone(), "it belongs to another user"),
                None => Linked::Directories(directories),
            }
        }
    }
}

/// Whether the path can be reported on one line. A path that looks like one of our messages is refused.
fn is_plain(path: &Path) -> bool {
    let text = path.to_string_lossy();
    text.len() <= MAX_PATH_BYTES && !text.contains(char::is_control)
}

/// The common directory of a worktree and its repository: `COMMON/worktrees/NAME` must belong to the worktree, and
/// its file `gitdir` must name the worktree's `.git`.
fn worktree(git: &Path, back: &Path) -> Result<PathBuf, &'static str> {
    let read = |name: &str| limited_file::text(&git.join(name), MAX_FILE_BYTES);
    let leads_back = read("gitdir")
        .and_then(|named| git.join(named.trim_end()).canonicalize().ok())
        .is_some_and(|named| named == back);
    if !leads_back {
        return Err("it does not refer back to this directory");
    }
    let common = read("commondir").and_then(|named| git.join(named.trim_end()).canonicalize().ok());
    let above = git.parent().filter(|parent| parent.ends_with("worktrees"));
    match (common, above.and_then(Path::parent)) {
        (Some(common), Some(above)) if common == above && is_repository(&common) => Ok(common),
        _ => Err("it is not a worktree of the repository that it names"),
    }
}

/// Checks a submodule: its git directory must be below the superproject's `modules`, and its configuration must name
/// the directory.
fn submodule(git: &Path, directory: &Path) -> Result<(), &'static str> {
    let below_modules = git
        .components()
        .any(|part| part == Component::Normal("modules".as_ref()));
    let named = limited_file::text(&git.join("config"), MAX_FILE_BYTES)
        .and_then(|config| work_tree(&config))
        .and_then(|named| git.join(named).canonicalize().ok());
    let here = directory.canonicalize().ok();
    if below_modules && is_repository(git) && named.is_some() && named == here {
        Ok(())
    } else {
        Err("it does not refer back to this directory")
    }
}

/// Whether a directory looks like a git directory.
fn is_repository(git: &Path) -> bool {
    git.join("HEAD").is_file() && git.join("objects").is_dir() && git.join("refs").is_dir()
}

/// Reads `core.worktree` from a configuration file (git-config(1)). A value with escapes is not supported.
fn work_tree(config: &str) -> Option<String> {
    let mut in_core = false;
    let mut found = None;
    for line in config.lines().map(str::trim) {
        if line.starts_with('[') {
            in_core = line.eq_ignore_ascii_case("[core]");
        } else if in_core && let Some((key, value)) = line.split_once('=') {
            let value = value.trim();
            let quoted = value
                .strip_prefix('"')
                .and_then(|value| value.strip_suffix('"'));
            let value = quoted.unwrap_or(value);
            let plain = !value.contains(['\\', '"', '#', ';']);
            if key.trim().eq_ignore_ascii_case("worktree") {
                found = plain.then(|| value.to_owned());
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lays out a repository with a worktree and a submodule as git does.
    fn laid(name: &str) -> PathBuf {
        let top = std::env::temp_dir().join(format!("codex-run-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&top);
        let write = |path: &str, text: &str| {
            let path = top.join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
            fs::write(path, text).expect("a file");
        };
        for git in ["main/.git", "main/.git/modules/lib/sub", "evil"] {
            write(&format!("{git}/HEAD"), "ref: refs/heads/main\n");
            write(&format!("{git}/objects/x"), "");
            write(&format!("{git}/refs/x"), "");
        }
        write("main/.git/worktrees/w/gitdir", "../../../../link/.git\n");
        write("main/.git/worktrees/w/commondir", "../..\n");
        write("link/.git", "gitdir: ../main/.git/worktrees/w\n");
        write("main/lib/sub/.git", "gitdir: ../../.git/modules/lib/sub\n");
        let config =
            "[core]\n\tbare = false\n\tworktree = ../../../../lib/sub\n[x]\nworktree = y\n";
        write("main/.git/modules/lib/sub/config", config);
        top.canonicalize().expect("it was made")
    }

    fn owner(path: &Path) -> u32 {
        fs::metadata(path).expect("it is there").uid()
    }

    #[test]
    fn worktrees_and_submodules_are_followed() {
        let top = laid("linked");
        let owner = owner(&top);
        let git = top.join("main/.git");
        assert_eq!(
            linked(&top.join("link"), owner),
            Linked::Directories(vec![git.clone(), git.join("worktrees/w")])
        );
        assert_eq!(
            linked(&top.join("main/lib/sub"), owner),
            Linked::Directories(vec![git.join("modules/lib/sub")])
        );
        assert_eq!(linked(&top.join("main"), owner), Linked::Nothing);
        assert_eq!(linked(&top.join("main/lib"), owner), Linked::Nothing);
        let _ = fs::remove_dir_all(top);
    }

    #[test]
    fn a_directory_that_does_not_refer_back_is_refused() {
        let top = laid("refused");
        let owner = owner(&top);
        let git = top.join("main/.git");
        let check = |path: &str, text: &str, directory: &str, why: &str| {
            let path = top.join(path);
            let before = fs::read(&path).ok();
            fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
            fs::write(&path, text).expect("a file");
            match linked(&top.join(directory), owner) {
                Linked::Refused(_, found) => assert_eq!(found, why, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
            match before {
                Some(before) => fs::write(&path, before).expect("a file"),
                None => fs::remove_file(&path).expect("it was made"),
            }
        };
        let back = "it does not refer back to this directory";
        // A file that names someone else's repository, in either form.
        check("x/.git", &format!("gitdir: {}", git.display()), "x", back);
        check("x/.git", "gitdir: ../main/.git/worktrees/w", "x", back);
        check("x/.git", "gitdir: ../main/.git/modules/lib/sub", "x", back);
        check("x/.git", "gitdir: ../gone", "x", "it does not exist");
        // A path that would fake one of our messages, by its own name or through a link.
        fs::create_dir_all(top.join("y/codex: warning:\nz")).expect("a directory");
        std::os::unix::fs::symlink("codex: warning:\nz", top.join("y/link")).expect("a link");
        let long = format!("gitdir: {}", "a/".repeat(4000));
        for text in ["gitdir: /gone\ncodex: all is well", "gitdir: link", &long] {
            fs::write(top.join("y/.git"), text).expect("a file");
            assert_eq!(linked(&top.join("y"), owner), Linked::Nothing, "{text}");
        }
        // A worktree's directory that was made to name another common directory.
        let other = "it is not a worktree of the repository that it names";
        let commondir = "main/.git/worktrees/w/commondir";
        check(commondir, "../../../../evil\n", "link", other);
        check(commondir, "/\n", "link", other);
        check(
            "main/.git/worktrees/w/gitdir",
            "../../../../x/.git\n",
            "link",
            back,
        );
        // Another directory in the configuration, or one outside `modules`.
        let config = "main/.git/modules/lib/sub/config";
        check(
            config,
            "[core]\nworktree = ../../../..\n",
            "main/lib/sub",
            back,
        );
        check(config, "[core]\n\tbare = false\n", "main/lib/sub", back);
        fs::write(top.join("evil/config"), "[core]\nworktree = ../y\n").expect("a file");
        check("y/.git", "gitdir: ../evil\n", "y", back);
        // Another user's.
        match linked(&top.join("link"), owner + 1) {
            Linked::Refused(_, why) => assert_eq!(why, "it belongs to another user"),
            other => panic!("{other:?}"),
        }
        // A link in place of the file could have been put there by another program.
        fs::remove_file(top.join("link/.git")).expect("it was made");
        std::os::unix::fs::symlink("../main/lib/sub/.git", top.join("link/.git")).expect("a link");
        assert_eq!(linked(&top.join("link"), owner), Linked::Nothing);
        let _ = fs::remove_dir_all(top);
    }
}
