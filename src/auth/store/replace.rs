//! Replaces a file atomically: the new file is created first, with its mode and its space allocated, so that a token
//! is spent only when its successor can be stored. Then it is written, synced and renamed.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, fstat};

use super::lock::Lock;
use crate::file::{self, FileSlot, Replacement};

/// Space allocated beyond the current size, in bytes: several times what new tokens need.
const SPARE_BYTES: usize = 16 << 10;

/// The suffix of a new file's name, after the process id.
const NEW: &str = ".new";

/// The new file, without its contents yet. It is removed unless it is committed or kept.
#[derive(Debug)]
pub struct Prepared {
    new: Replacement,
    slot: FileSlot,
    target: PathBuf,
    /// It holds the successor of a spent token, so it is kept once it is synced to disk.
    kept: bool,
    /// The target itself, if it can only be overwritten: space is allocated in it too.
    overwritten: Option<Overwritten>,
}

impl Prepared {
    /// `target` was the path of `slot` when the run began. `token_name` names the token about to be spent, for
    /// `recover`.
    pub(super) fn new(slot: &FileSlot, target: &Path, token_name: &str) -> io::Result<Self> {
        // The tokens must be written to the directory that the next run reads.
        if !slot.directory().is_in_place() {
            let words = "its directory was replaced after this process started";
            return Err(io::Error::other(words));
        }
        let mut temporary = target.file_name().unwrap_or_default().to_owned();
        temporary.push(format!(".{}-{token_name}{NEW}", std::process::id()));
        // A file of this name is a leftover already examined: the name contains this process's id, and this process
        // holds the lock.
        let _ = FileSlot::new(slot.directory().clone(), &temporary).remove();
        let new = Replacement::begin(slot, &temporary, Mode::RUSR | Mode::WUSR)?;
        let old = slot.stat()?;
        match &old {
            // If root replaces a user's file, the user stays its owner.
            Some(old) => new.copy_owner(old)?,
            // What root creates in a user's home belongs to the user.
            None => new.copy_owner(&fstat(slot.directory().descriptor()?)?)?,
        }
        let length = old.map_or(0, |old| usize::try_from(old.st_size).unwrap_or(0));
        // Blanks, so that a partly written text is never valid JSON.
        new.file()
            .write_all_at(&vec![b' '; length + SPARE_BYTES], 0)?;
        new.file().sync_all()?;
        let mut prepared = Self {
            new,
            slot: slot.clone(),
            target: target.to_owned(),
            kept: !token_name.is_empty(),
            overwritten: None,
        };
        if slot.is_mount() {
            let file = slot.writable()?;
            let length = file.metadata()?.len();
            let overwritten = prepared.overwritten.insert(Overwritten {
                file,
                length: Some(length),
            });
            // Blanks after the text do not affect readers.
            overwritten
                .file
                .write_all_at(&[b' '; SPARE_BYTES], length)?;
            overwritten.file.sync_all()?;
        }
        Ok(prepared)
    }

    /// Writes the text and keeps the file for `recover`, when it cannot be renamed into place.
    pub(super) fn keep(mut self, text: &[u8]) -> io::Result<()> {
        self.write(text)
    }

    /// Writes the text and renames the file over the target.
    pub(super) fn commit(mut self, text: &[u8]) -> io::Result<()> {
        self.write(text)?;
        let written = self.new.commit()?;
        // The allocated space is in use now.
        if let Some(overwritten) = &mut self.overwritten {
            overwritten.length = None;
        }
        if file::resolves_to(&self.target, written) {
            Ok(())
        } else {
            Err(misplaced_error(&self.slot))
        }
    }

    fn write(&mut self, text: &[u8]) -> io::Result<()> {
        self.new.write(text)?;
        if self.kept {
            self.new.keep();
        }
        Ok(())
    }

    /// Removes the target.
    pub(super) fn remove(mut self) -> io::Result<()> {
        if let Err(error) = self.slot.remove() {
            // A file that is a mount point cannot be removed, only emptied.
            self.slot.overwrite(b"{}\n").map_err(|_| error)?;
            if let Some(overwritten) = &mut self.overwritten {
                overwritten.length = None;
            }
        }
        Ok(())
    }
}

/// A target that can only be overwritten.
#[derive(Debug)]
struct Overwritten {
    file: File,
    /// The length to restore on drop, unless it was overwritten.
    length: Option<u64>,
}

impl Drop for Overwritten {
    fn drop(&mut self) {
        if let Some(length) = self.length {
            let _ = self.file.set_len(length);
        }
    }
}

/// Returns the error for a path that no longer resolves to the file that was written.
fn misplaced_error(slot: &FileSlot) -> io::Error {
    let place = slot.current_path();
    io::Error::other(format!(
        "it was replaced during the write; the new contents are in {}",
        place.display()
    ))
}

/// A file left by a process that was killed while it held the lock.
pub(super) struct Leftover {
    pub(super) path: PathBuf,
    /// The name of the token that was spent for it.
    pub(super) token_name: String,
    /// Whether its process is gone.
    pub(super) is_abandoned: bool,
}

/// Lists the leftovers next to this file.
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
        let (process, token_name) = middle.split_once('-')?;
        Some(Leftover {
            path: entry.path(),
            token_name: token_name.to_owned(),
            is_abandoned: lock.is_exclusive() || is_gone(process.parse().ok()?),
        })
    });
    left.collect()
}

/// Returns whether no other process has this id. Ids are reused: in a container, every run may have the same one, so
/// this process's id counts as gone.
pub(super) fn is_gone(process: u32) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::Directory;

    #[test]
    fn a_swapped_directory_is_neither_prepared_nor_reported_as_written() {
        let name = format!("codex-replace-{}", std::process::id());
        let place = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&place);
        let (home, moved) = (place.join("home"), place.join("moved"));
        fs::create_dir_all(&home).expect("a directory");
        let target = home.join("auth.json");
        fs::write(&target, "{}").expect("a file");
        let held = Directory::hold(&home).expect("it is there");
        let slot = FileSlot::new(held, "auth.json".as_ref());
        let swap = || {
            fs::rename(&home, &moved).expect("it moves");
            fs::create_dir(&home).expect("a directory");
        };
        let in_time = Prepared::new(&slot, &target, "m").expect("it is in place");
        in_time.commit(b"{\"a\": 1}").expect("it is in place");
        assert_eq!(fs::read(&target).expect("a file"), b"{\"a\": 1}");
        let late = Prepared::new(&slot, &target, "m").expect("it is in place");
        swap();
        let error = late.commit(b"{\"a\": 2}").expect_err("it is elsewhere");
        let found = moved.canonicalize().expect("it is there").join("auth.json");
        if cfg!(target_os = "linux") {
            let words = error.to_string();
            assert!(words.contains(&found.display().to_string()), "{words}");
        }
        assert_eq!(fs::read(found).expect("a file"), b"{\"a\": 2}");
        assert!(Prepared::new(&slot, &target, "m").is_err());
        assert_eq!(fs::read_dir(&home).expect("a directory").count(), 0);
        assert_eq!(fs::read_dir(&moved).expect("a directory").count(), 1);
        fs::remove_dir_all(place).expect("it goes away");
    }
}
