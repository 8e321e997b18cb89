//! Replacing a file in one step: the new one is made first, with its mode and its space, so that a token is
//! spent only when its successor has a place. Then it is written, synced and renamed.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::lock::Lock;
use super::{beside, give};

/// Room beyond what the file has now, in bytes: several times what new tokens need.
const ROOM: usize = 16 << 10;

/// The end of a new file's name; the process that makes it stands before it.
const NEW: &str = ".new";

/// The new file, empty so far. It goes away if it is not put into place.
#[derive(Debug)]
pub struct Prepared {
    file: File,
    path: PathBuf,
    target: PathBuf,
}

impl Prepared {
    pub(super) fn new(target: &Path, _lock: &Lock) -> io::Result<Self> {
        let path = beside(target, &format!(".{}{NEW}", std::process::id()));
        // One of this name is a leftover: this process is the only one that makes it, and it holds the lock.
        let _ = fs::remove_file(&path);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        let prepared = Self {
            file,
            path,
            target: target.to_owned(),
        };
        let old = fs::metadata(target).ok();
        match &old {
            // Whoever replaces the file of somebody else, as root may, leaves it theirs.
            Some(old) => {
                let own = prepared.file.metadata()?;
                if (own.uid(), own.gid()) != (old.uid(), old.gid()) {
                    let _ =
                        std::os::unix::fs::fchown(&prepared.file, Some(old.uid()), Some(old.gid()));
                }
            }
            None => give(&prepared.file, target),
        }
        let length = old.map_or(0, |old| usize::try_from(old.len()).unwrap_or(0));
        // Blanks, so that a part of the new text over them is never whole JSON.
        prepared.file.write_all_at(&vec![b' '; length + ROOM], 0)?;
        prepared.file.sync_all()?;
        Ok(prepared)
    }

    /// Puts this text into the target's place.
    pub(super) fn commit(self, text: &[u8], lock: &Lock) -> io::Result<()> {
        self.file.write_all_at(text, 0)?;
        self.file.set_len(text.len() as u64)?;
        self.file.sync_all()?;
        let _more = lock.for_writing();
        if let Err(error) = fs::rename(&self.path, &self.target) {
            // A file that is a mount of its own cannot be replaced, but it can be written.
            overwrite(&self.target, text).map_err(|_| error)?;
        }
        sync_directory(&self.target);
        Ok(())
    }

    /// Removes the target.
    pub(super) fn remove(self) -> io::Result<()> {
        match fs::remove_file(&self.target) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => other?,
        }
        sync_directory(&self.target);
        Ok(())
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        // Once it was renamed there is nothing of this name any more.
        let _ = fs::remove_file(&self.path);
    }
}

fn overwrite(target: &Path, text: &[u8]) -> io::Result<()> {
    let file = OpenOptions::new().write(true).open(target)?;
    file.write_all_at(text, 0)?;
    file.set_len(text.len() as u64)?;
    file.sync_all()
}

/// So that the rename outlives a power cut, where the system can do that.
fn sync_directory(path: &Path) {
    if let Some(directory) = path.parent() {
        let _ = File::open(directory).and_then(|directory| directory.sync_all());
    }
}

/// Looks at what processes left behind that were killed while they held the lock. The newest that `newer` says
/// yes to is put into place, everything else removed.
pub(super) fn recover(target: &Path, lock: &Lock, newer: impl Fn(&str) -> bool) {
    let Some((directory, name)) = target.parent().zip(target.file_name()) else {
        return;
    };
    let prefix = format!("{}.", name.to_string_lossy());
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    let modified = |path: &Path| fs::metadata(path).and_then(|m| m.modified()).ok();
    let mut left: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let process = name.strip_prefix(&prefix).and_then(|n| n.strip_suffix(NEW));
            let process = process.and_then(|digits| digits.parse().ok());
            process.is_some_and(|process| lock.is_sure() || gone(process))
        })
        .map(|entry| entry.path())
        .collect();
    left.sort_by_key(|path| modified(path));
    if let Some(last) = left.last() {
        let late = modified(last) >= modified(target);
        if late && fs::read_to_string(last).is_ok_and(|text| newer(&text)) {
            let _ = fs::rename(last, target);
            sync_directory(target);
        }
    }
    for path in left {
        let _ = fs::remove_file(path);
    }
}

/// Whether no process of this number runs.
fn gone(process: i32) -> bool {
    let Some(process) = rustix::process::Pid::from_raw(process) else {
        return true;
    };
    rustix::process::test_kill_process(process) == Err(rustix::io::Errno::SRCH)
}
