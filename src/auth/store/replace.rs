//! Replacing a file in one step: the new one is made first, with its mode and its space, so that a token is
//! spent only when its successor has a place. Then it is written, synced and renamed.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, fstat};

use super::lock::Lock;
use crate::file::{self, FileSlot, Replacement};

/// Room beyond what the file has now, in bytes: several times what new tokens need.
const SPARE_BYTES: usize = 16 << 10;

/// The end of a new file's name; the process that makes it stands before it.
const NEW: &str = ".new";

/// The new file, empty so far. It goes away if nothing comes into it.
#[derive(Debug)]
pub struct Prepared {
    new: Replacement,
    slot: FileSlot,
    target: PathBuf,
    /// It is the successor of a token, which is not thrown away once it is whole and on the disk.
    kept: bool,
    /// The target itself with the length that it had, where it can only be written over: its space is taken too.
    over: Option<Over>,
}

impl Prepared {
    /// `target` is where `slot` was as the run began. `mark` names the token that is to be spent for it, for whoever
    /// finds it.
    pub(super) fn new(slot: &FileSlot, target: &Path, mark: &str) -> io::Result<Self> {
        // What is written must be what is read next time, and a token that is spent must be in it.
        if !slot.directory().is_in_place() {
            let words = "another directory is in its place than when this process began";
            return Err(io::Error::other(words));
        }
        let mut beside = target.file_name().unwrap_or_default().to_owned();
        beside.push(format!(".{}-{mark}{NEW}", std::process::id()));
        // One of this name is a leftover that was looked at: this process alone makes it, and it holds the lock.
        let _ = FileSlot::new(slot.directory().clone(), &beside).remove();
        let new = Replacement::begin(slot, &beside, Mode::RUSR | Mode::WUSR)?;
        let old = slot.stat()?;
        match &old {
            // Whoever replaces the file of somebody else, as root may, leaves it theirs.
            Some(old) => new.owned_by(old)?,
            // What root makes in a person's home is theirs.
            None => new.owned_by(&fstat(slot.directory().descriptor()?)?)?,
        }
        let length = old.map_or(0, |old| usize::try_from(old.st_size).unwrap_or(0));
        // Blanks, so that a part of the new text over them is never whole JSON.
        new.file()
            .write_all_at(&vec![b' '; length + SPARE_BYTES], 0)?;
        new.file().sync_all()?;
        let mut prepared = Self {
            new,
            slot: slot.clone(),
            target: target.to_owned(),
            kept: !mark.is_empty(),
            over: None,
        };
        if slot.is_mount() {
            let file = slot.writable()?;
            let length = file.metadata()?.len();
            let over = prepared.over.insert(Over {
                file,
                length: Some(length),
            });
            // Blanks behind the text change nothing for whoever reads it.
            over.file.write_all_at(&[b' '; SPARE_BYTES], length)?;
            over.file.sync_all()?;
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
        let written = self.new.commit()?;
        // Its space is in use now.
        if let Some(over) = &mut self.over {
            over.length = None;
        }
        if file::leads_to(&self.target, written) {
            Ok(())
        } else {
            Err(elsewhere(&self.slot))
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
            // A mount of its own cannot be removed, but emptied.
            self.slot.overwrite(b"{}\n").map_err(|_| error)?;
            if let Some(over) = &mut self.over {
                over.length = None;
            }
        }
        Ok(())
    }
}

/// The file that can only be written over.
#[derive(Debug)]
struct Over {
    file: File,
    /// The length that it gets back at the end, unless it was written over.
    length: Option<u64>,
}

impl Drop for Over {
    fn drop(&mut self) {
        if let Some(length) = self.length {
            let _ = self.file.set_len(length);
        }
    }
}

/// It was written, and is not where it is looked for.
fn elsewhere(slot: &FileSlot) -> io::Error {
    let place = slot.whereabouts();
    io::Error::other(format!(
        "it was replaced on the way there; what was written is in {}",
        place.display()
    ))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::Directory;

    #[test]
    fn nothing_is_made_ready_or_believed_to_be_stored_in_a_directory_that_was_swapped() {
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
