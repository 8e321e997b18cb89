//! What was typed into chats in one directory: a file in `history/` of the home, with one JSON string on each line. It is
//! appended to under a lock, and shortened now and then.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use fs4::{FileExt, TryLockError};
use sha2::{Digest, Sha256};

use crate::file::{Directory, has_no_locks, inherit_owner_at, read_regular, regular};

/// How many entries are kept.
const MAX_ENTRIES: usize = 1000;

/// From this number of lines on the file is shortened.
const MAX_LINES: usize = 2 * MAX_ENTRIES;

/// The largest entry that is kept, in bytes.
const MAX_ENTRY_BYTES: usize = 64 << 10;

/// The largest file that is read, in bytes.
const MAX_HISTORY_BYTES: u64 = 32 << 20;

/// How often the lock is tried, and the pause in between.
const LOCK_ATTEMPTS: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// The history of one directory.
#[derive(Clone, Debug)]
pub(super) struct InputHistory {
    path: PathBuf,
}

impl InputHistory {
    /// The history of this directory in this home.
    pub(super) fn of(home: &Path, directory: &Path) -> Self {
        use std::os::unix::ffi::OsStrExt;
        let digest = Sha256::digest(directory.as_os_str().as_bytes());
        let name: String = digest[..12]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self {
            path: home.join("history").join(format!("{name}.jsonl")),
        }
    }

    /// Its entries, oldest first.
    ///
    /// # Errors
    /// Why it cannot be used, in words.
    pub(super) fn read(&self) -> Result<Vec<String>, String> {
        let ignored = |why: &dyn std::fmt::Display| {
            format!(
                "{} cannot be used and is ignored: {why}",
                self.path.display()
            )
        };
        let bytes = match read_regular(&self.path, MAX_HISTORY_BYTES) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            read => read.map_err(|error| ignored(&error))?,
        };
        let entries = parse(&bytes).ok_or_else(|| ignored(&"it is damaged"))?;
        Ok(last(entries))
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub(super) fn add(&self, entry: &str) -> io::Result<()> {
        if entry.len() > MAX_ENTRY_BYTES {
            return Ok(());
        }
        let line = serde_json::to_string(entry)? + "\n";
        let mut file = self.open()?;
        lock(&file)?;
        let mut bytes = Vec::new();
        (&file).take(MAX_HISTORY_BYTES).read_to_end(&mut bytes)?;
        // A damaged file is left to the user, and one that ends within a line gets no entry into that line.
        let entries = parse(&bytes).ok_or(io::ErrorKind::InvalidData)?;
        if entries.len() < MAX_LINES {
            return file.write_all(line.as_bytes());
        }
        let mut text = String::new();
        for entry in last(entries) {
            text.push_str(&(serde_json::to_string(&entry)? + "\n"));
        }
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all((text + &line).as_bytes())
    }

    fn open(&self) -> io::Result<File> {
        let directory = self.path.parent().unwrap_or(&self.path);
        Directory::hold(directory)?.make()?;
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        let flags = i32::try_from(flags.bits()).unwrap_or_default();
        let mut options = OpenOptions::new();
        options
            .read(true)
            .append(true)
            .mode(0o600)
            .custom_flags(flags);
        match options.clone().create_new(true).open(&self.path) {
            Ok(file) => {
                inherit_owner_at(&file, &self.path);
                Ok(file)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                regular(options.open(&self.path)?)
            }
            Err(error) => Err(error),
        }
    }
}

/// Locks the file, for as long as it is open.
fn lock(file: &File) -> io::Result<()> {
    for _ in 0..LOCK_ATTEMPTS {
        match FileExt::try_lock(file) {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) if has_no_locks(&error) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) => thread::sleep(LOCK_PAUSE),
        }
    }
    Err(io::ErrorKind::WouldBlock.into())
}

/// The entries of a file; nothing if it is damaged.
fn parse(bytes: &[u8]) -> Option<Vec<String>> {
    let text = std::str::from_utf8(bytes).ok()?;
    if !text.is_empty() && !text.ends_with('\n') {
        return None;
    }
    let entries = text.lines().map(|line| serde_json::from_str(line).ok());
    entries.collect()
}

/// The last entries that are kept.
fn last(mut entries: Vec<String>) -> Vec<String> {
    entries.split_off(entries.len().saturating_sub(MAX_ENTRIES))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn history(name: &str) -> (PathBuf, InputHistory) {
        let home =
            std::env::temp_dir().join(format!("codex-history-{name}-{}", std::process::id()));
        fs::create_dir_all(&home).expect("a directory");
        let history = InputHistory::of(&home, Path::new("/work"));
        (home, history)
    }

    #[test]
    fn entries_come_back_in_order_and_the_oldest_are_dropped() {
        let (home, history) = history("order");
        assert_eq!(history.read(), Ok(Vec::new()));
        for n in 0..=MAX_LINES {
            history
                .add(&format!("{n}\nsecond line"))
                .expect("it is stored");
        }
        history
            .add(&"x".repeat(MAX_ENTRY_BYTES + 1))
            .expect("it is left out");
        let read = history.read().expect("it is read");
        assert_eq!(read.len(), MAX_ENTRIES);
        assert_eq!(read[MAX_ENTRIES - 1], format!("{MAX_LINES}\nsecond line"));
        let lines = fs::read_to_string(&history.path).expect("a file");
        assert_eq!(lines.lines().count(), MAX_ENTRIES + 1);
        let mode = fs::metadata(&history.path)
            .expect("a file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::remove_dir_all(home).expect("it is ours");
    }

    #[test]
    fn a_damaged_file_is_ignored_and_left_alone() {
        let (home, history) = history("damage");
        history.add("a").expect("it is stored");
        for damage in ["\"a\"\n\"b", "x\n", "\"a\"\n\u{fffd}\n"] {
            fs::write(&history.path, damage).expect("a file");
            assert!(history.read().is_err_and(|why| why.contains("damaged")));
            assert!(history.add("b").is_err());
            assert_eq!(fs::read_to_string(&history.path).expect("a file"), damage);
        }
        fs::remove_dir_all(home).expect("it is ours");
    }
}
