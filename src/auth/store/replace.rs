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
    /// It is the successor of a token, which is not thrown away once it is whole and on the disk.
    kept: bool,
    whole: bool,
    /// The target itself with the length that it had, where it can only be written over: its space is taken too.
    over: Option<(File, u64)>,
}

impl Prepared {
    /// `mark` names the token that is to be spent for it, for whoever finds it.
    pub(super) fn new(target: &Path, mark: &str) -> io::Result<Self> {
        let path = beside(target, &format!(".{}-{mark}{NEW}", std::process::id()));
        // One of this name is a leftover that was looked at: this process alone makes it, and it holds the lock.
        let _ = fs::remove_file(&path);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        let mut prepared = Self {
            file,
            path,
            target: target.to_owned(),
            kept: !mark.is_empty(),
            whole: false,
            over: None,
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
        if is_mount(target) {
            let over = OpenOptions::new().write(true).open(target)?;
            let (_, length) = prepared
                .over
                .insert((over.try_clone()?, over.metadata()?.len()));
            // Blanks behind the text change nothing for whoever reads it.
            over.write_all_at(&[b' '; ROOM], *length)?;
            over.sync_all()?;
        }
        Ok(prepared)
    }

    /// Writes this text, so that it is there for whoever has the lock next, if we cannot put it into place.
    pub(super) fn keep(mut self, text: &[u8]) -> io::Result<()> {
        self.write(text)
    }

    /// Puts this text into the target's place.
    pub(super) fn commit(mut self, text: &[u8]) -> io::Result<()> {
        self.write(text)?;
        if let Err(error) = fs::rename(&self.path, &self.target) {
            // A file that is a mount of its own cannot be replaced, but it can be written.
            overwrite(&self.target, text).map_err(|_| error)?;
            self.over = None;
            let _ = fs::remove_file(&self.path);
        }
        sync_directory(&self.target);
        Ok(())
    }

    fn write(&mut self, text: &[u8]) -> io::Result<()> {
        self.file.write_all_at(text, 0)?;
        self.file.set_len(text.len() as u64)?;
        self.file.sync_all()?;
        self.whole = true;
        Ok(())
    }

    /// Removes the target.
    pub(super) fn remove(mut self) -> io::Result<()> {
        match fs::remove_file(&self.target) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // A mount of its own cannot be removed, but emptied.
            Err(error) => {
                overwrite(&self.target, b"{}\n").map_err(|_| error)?;
                self.over = None;
            }
            Ok(()) => {}
        }
        sync_directory(&self.target);
        Ok(())
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        if !(self.kept && self.whole) {
            let _ = fs::remove_file(&self.path);
        }
        if let Some((over, length)) = &self.over {
            let _ = over.set_len(*length);
        }
    }
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

/// What a process left behind that was killed while it held the lock.
pub(super) struct Leftover {
    pub(super) path: PathBuf,
    /// Names the token that was spent for it.
    pub(super) mark: String,
    /// Nobody is at work on it any more.
    pub(super) over: bool,
}

/// What was left behind beside this file.
pub(super) fn leftovers(target: &Path, lock: &Lock) -> Vec<Leftover> {
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
        Some(Leftover {
            path: entry.path(),
            mark: mark.to_owned(),
            over: lock.is_sure() || gone(process.parse().ok()?),
        })
    });
    left.collect()
}

/// Whether no process of this number runs beside us. Numbers come back: in a container each of us may be the first.
pub(super) fn gone(process: u32) -> bool {
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
