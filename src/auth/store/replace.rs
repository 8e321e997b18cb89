//! Replacing a file in one step: the new one is made first, with its mode and its space, so that a token is
//! spent only when its successor has a place. Then it is written, synced and renamed.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::lock::Lock;
use super::place::{beside, give};

/// Room beyond what the file has now, in bytes: several times what new tokens need.
const ROOM: usize = 16 << 10;

/// The end of a new file's name; the process that makes it stands before it.
const NEW: &str = ".new";

/// The new file, empty so far. It goes away if nothing comes into it.
#[derive(Debug)]
pub struct Prepared {
    file: File,
    path: PathBuf,
    target: PathBuf,
    /// The new text is in it, whole and on the disk. From then on it is not thrown away.
    whole: bool,
}

impl Prepared {
    /// `mark` names the token that is to be spent for it, for whoever finds it.
    pub(super) fn new(target: &Path, mark: &str) -> io::Result<Self> {
        if is_mount(target) {
            OpenOptions::new().write(true).open(target)?;
        }
        let path = beside(target, &format!(".{}-{mark}{NEW}", std::process::id()));
        // One of this name is a leftover that was looked at: this process alone makes it, and it holds the lock.
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
            whole: false,
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

    /// Writes this text, so that it is there for whoever has the lock next, if we cannot put it into place.
    pub(super) fn keep(mut self, text: &[u8]) -> io::Result<()> {
        self.write(text)
    }

    /// Puts this text into the target's place.
    pub(super) fn commit(mut self, text: &[u8], lock: &Lock) -> io::Result<()> {
        self.write(text)?;
        let _more = lock.for_writing();
        put(&self.path, &self.target, text)
    }

    fn write(&mut self, text: &[u8]) -> io::Result<()> {
        self.file.write_all_at(text, 0)?;
        self.file.set_len(text.len() as u64)?;
        self.file.sync_all()?;
        self.whole = true;
        Ok(())
    }

    /// Removes the target.
    pub(super) fn remove(self) -> io::Result<()> {
        match fs::remove_file(&self.target) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // A mount of its own cannot be removed, but emptied.
            Err(error) => overwrite(&self.target, b"{}\n").map_err(|_| error)?,
            Ok(()) => {}
        }
        sync_directory(&self.target);
        Ok(())
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        if !self.whole {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Puts a file with this text into the target's place.
fn put(path: &Path, target: &Path, text: &[u8]) -> io::Result<()> {
    if let Err(error) = fs::rename(path, target) {
        // A file that is a mount of its own cannot be replaced, but it can be written.
        overwrite(target, text).map_err(|_| error)?;
        let _ = fs::remove_file(path);
    }
    sync_directory(target);
    Ok(())
}

/// Whether the file is a mount of its own, as containers have single files. Those cannot be replaced by a rename.
#[cfg(target_os = "linux")]
fn is_mount(target: &Path) -> bool {
    use rustix::fs::{AtFlags, CWD, StatxFlags, statx};
    let mount = |path: &Path| {
        let found = statx(CWD, path, AtFlags::empty(), StatxFlags::MNT_ID);
        found.ok().map(|found| found.stx_mnt_id)
    };
    let directory = target.parent().and_then(mount);
    mount(target).is_some_and(|own| directory.is_some_and(|directory| own != directory))
}

#[cfg(not(target_os = "linux"))]
fn is_mount(_: &Path) -> bool {
    false
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

/// What processes left behind that were killed while they held the lock, each with its mark.
pub(super) fn leftovers(target: &Path, lock: &Lock) -> Vec<(PathBuf, String)> {
    let Some((directory, name)) = target.parent().zip(target.file_name()) else {
        return Vec::new();
    };
    let prefix = format!("{}.", name.to_string_lossy());
    let Ok(entries) = fs::read_dir(directory) else {
        return Vec::new();
    };
    let left = entries.flatten().filter_map(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        let middle = name.strip_prefix(&prefix)?.strip_suffix(NEW)?;
        let (process, mark) = middle.split_once('-')?;
        let over = lock.is_sure() || gone(process.parse().ok()?);
        over.then(|| (entry.path(), mark.to_owned()))
    });
    left.collect()
}

/// Whether no process of this number runs beside us. Numbers come back: in a container each of us may be the first.
fn gone(process: u32) -> bool {
    let process = match i32::try_from(process) {
        Ok(_) if process == std::process::id() => return true,
        Ok(process) => process,
        Err(_) => return true,
    };
    let Some(process) = rustix::process::Pid::from_raw(process) else {
        return true;
    };
    rustix::process::test_kill_process(process) == Err(rustix::io::Errno::SRCH)
}
