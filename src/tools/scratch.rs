//! The temporary directory of a run: made for its tools, and removed whatever they have left in it.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A new directory that only this user can look into.
pub(super) fn make(parent: &Path) -> io::Result<PathBuf> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let path = parent.join(format!("codex-run-{:016x}", u64::from_ne_bytes(random)));
    DirBuilder::new().mode(0o700).create(&path)?;
    path.canonicalize()
}

/// Removes the directory with all that is in it, however deep, and however its modes were changed.
pub(super) fn remove(top: &Path) -> io::Result<()> {
    if fs::remove_dir_all(top).is_ok() {
        return Ok(());
    }
    open(top)?;
    // A directory's directories are moved up before it is removed, so that no path gets long.
    let mut number = 0_u64;
    loop {
        let mut directories = false;
        for entry in fs::read_dir(top)? {
            let entry = entry?;
            if !entry.file_type()?.is_dir() {
                fs::remove_file(entry.path())?;
                continue;
            }
            directories = true;
            open(&entry.path())?;
            for inner in fs::read_dir(entry.path())? {
                let inner = inner?;
                if inner.file_type()?.is_dir() {
                    open(&inner.path())?;
                    number += 1;
                    fs::rename(inner.path(), top.join(format!(".{number}.codex-run")))?;
                } else {
                    fs::remove_file(inner.path())?;
                }
            }
            fs::remove_dir(entry.path())?;
        }
        if !directories {
            return fs::remove_dir(top);
        }
    }
}

fn open(directory: &Path) -> io::Result<()> {
    fs::set_permissions(directory, Permissions::from_mode(0o700))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_removed_however_deep_and_closed() {
        let top = make(&std::env::temp_dir()).expect("a directory");
        let outside = make(&std::env::temp_dir()).expect("a directory");
        fs::write(outside.join("kept"), "x").expect("a file");
        let mut deep = top.clone();
        for _ in 0..200 {
            deep.push("d");
        }
        fs::create_dir_all(&deep).expect("directories");
        fs::write(deep.join("f"), "x").expect("a file");
        std::os::unix::fs::symlink(&outside, top.join("d/link")).expect("a link");
        fs::set_permissions(top.join("d/d"), Permissions::from_mode(0o0)).expect("it is ours");
        remove(&top).expect("it is ours");
        assert!(!top.exists() && outside.join("kept").exists());
        // As it is done where the short way fails, as it does for root only with too many levels.
        fs::create_dir_all(top.join("a/b/c")).expect("directories");
        fs::set_permissions(&top, Permissions::from_mode(0o0)).expect("it is ours");
        remove(&top).expect("it is ours");
        assert!(!top.exists());
        remove(&outside).expect("it is ours");
    }
}
