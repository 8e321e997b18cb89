//! The credentials file: its location, contents and replacement. Reading takes no lock, because the file is only
//! replaced as a whole; replacing requires a `Lock` value.

mod contents;
mod document;
mod edit;
mod error;
mod format;
mod lock;
mod lock_wait;
mod renewal_memory;
mod replace;
mod store_path;

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

pub use contents::{Contents, CredentialKind, Other};
pub use document::Document;
pub use edit::{EditOutcome, StoreEdit};
pub use error::Error;
pub use format::StoreFormat;
pub use lock::Lock;
pub use lock_wait::{Hold, LOCK_TIMEOUT};
use lock_wait::{Holder, LockStep};
pub use renewal_memory::{Memory, Past};
pub use replace::Prepared;
use store_path::{followed, holds_ours_alone, with_suffix};

use crate::clock::millis;
use crate::file::{Directory, FileSlot, NotRegular, read_regular};

/// Size limit for the file, in bytes. Real files have a few pages at most.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Rereads of another program's file that is malformed: pi writes its file in place, so for a moment it may be
/// truncated.
const READ_ATTEMPTS: u32 = 25;

/// The pause between attempts.
pub const READ_PAUSE: Duration = Duration::from_millis(20);

/// The location of the credentials file.
#[derive(Clone, Debug)]
pub struct StorePath {
    /// The file.
    pub file: PathBuf,
    /// codex-run's home directory, for the renewal memory.
    pub home: Option<PathBuf>,
    /// The file belongs to another program: its format and lock are used.
    pub foreign: bool,
}

/// The credentials file.
#[derive(Clone, Debug)]
pub struct CredentialStore {
    /// The path as given.
    named: PathBuf,
    /// The resolved path: links are followed, not replaced.
    file: PathBuf,
    /// The file in its directory, which stays open as long as this value lives.
    slot: Option<FileSlot>,
    home: Option<PathBuf>,
    /// The resolved home directory, if it exists.
    real_home: Option<PathBuf>,
    foreign: bool,
}

/// The result of reading the file.
struct ReadOutcome {
    document: Document,
    /// The file is missing or empty.
    blank: bool,
    /// The text ends with a line end.
    line_end: bool,
    contents: Contents,
}

impl CredentialStore {
    /// Creates a store for this file, which need not exist.
    #[must_use]
    pub fn new(place: &StorePath) -> Self {
        let file = followed(&place.file);
        // The file in the home directory is codex-run's even if named like another program's; a link out of the home
        // makes the file another program's.
        let home = place
            .home
            .as_deref()
            .map(|home| followed(&home.join("auth.json")));
        let home = home.as_deref().and_then(Path::parent).map(Path::to_owned);
        let canonical = place
            .home
            .as_deref()
            .and_then(|home| home.canonicalize().ok());
        let within = |home: &Option<PathBuf>| home.is_some() && file.parent() == home.as_deref();
        let own = match &canonical {
            Some(_) => within(&canonical) && file.file_name() == Some("auth.json".as_ref()),
            None => !place.foreign && within(&home),
        };
        Self {
            named: std::path::absolute(&place.file).unwrap_or_else(|_| place.file.clone()),
            foreign: !own,
            slot: file
                .parent()
                .zip(file.file_name())
                .and_then(|(directory, name)| {
                    Some(FileSlot::new(Directory::hold(directory).ok()?, name))
                }),
            file,
            home: place.home.clone(),
            real_home: canonical,
        }
    }

    /// Returns the path as given.
    #[must_use]
    pub fn named(&self) -> &Path {
        &self.named
    }

    /// Reads the file. A missing or empty file has no contents.
    ///
    /// # Errors
    /// If it cannot be read or is malformed.
    pub fn read(&self) -> Result<Contents, Error> {
        self.find().map(|found| found.contents)
    }

    fn find(&self) -> Result<ReadOutcome, Error> {
        let mut left = if self.foreign { READ_ATTEMPTS } else { 0 };
        loop {
            match self.read_once() {
                Ok(Some(found)) => return Ok(found),
                Err(error @ Error::Malformed(..)) if left == 0 => return Err(error),
                Ok(None) if left == 0 => return Ok(self.empty_outcome()),
                Ok(None) | Err(Error::Malformed(..)) => {}
                Err(error) => return Err(error),
            }
            left -= 1;
            thread::sleep(READ_PAUSE);
        }
    }

    /// Returns `None` if the file exists and is empty.
    fn read_once(&self) -> Result<Option<ReadOutcome>, Error> {
        let unreadable = |error| Error::Unreadable(self.named.clone(), error);
        let bytes = match read_regular(&self.file, MAX_FILE_BYTES) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Some(self.empty_outcome()));
            }
            Err(error) if NotRegular::is(&error) || error.kind() == io::ErrorKind::FileTooLarge => {
                return Err(Error::NotAFile(self.named.clone()));
            }
            other => other.map_err(unreadable)?,
        };
        let Ok(text) = String::from_utf8(bytes) else {
            return Err(Error::Malformed(self.named.clone(), 1, 1));
        };
        if text.trim().is_empty() {
            return Ok(None);
        }
        let document = Document::read(text.trim_start_matches('\u{feff}'))
            .map_err(|error| Error::Malformed(self.named.clone(), error.line(), error.column()))?;
        let format = StoreFormat::of(&document);
        Ok(Some(ReadOutcome {
            blank: false,
            line_end: text.ends_with('\n'),
            contents: Contents::read(format, &document),
            document,
        }))
    }

    /// Removes the permissions of other users on the file and the home; returns what was changed, with the old mode.
    #[must_use]
    pub fn narrow(&self) -> Vec<(PathBuf, u32)> {
        let mut changed = Vec::new();
        let mut narrow = |path: &Path, mode: u32, ours: &dyn Fn() -> bool| {
            let Ok(metadata) = fs::metadata(path) else {
                return;
            };
            let had = metadata.mode() & 0o7777;
            // A world-writable directory with the sticky bit is shared. The costlier checks come last, since
            // usually there is nothing to change.
            if had & 0o077 != 0
                && had & 0o1000 == 0
                && ours()
                && fs::set_permissions(path, Permissions::from_mode(mode)).is_ok()
            {
                changed.push((path.to_owned(), had));
            }
        };
        if let (Some(home), false) = (&self.home, self.foreign) {
            narrow(home, 0o700, &|| holds_ours_alone(home));
        }
        // Only a file with credentials: one that was named by mistake is not changed.
        narrow(&self.file, 0o600, &|| {
            let found = self.read();
            found.is_ok_and(|found| {
                found.sign_in.is_some() || found.key.is_some() || found.personal.is_some()
            })
        });
        changed
    }

    /// Creates the directory of codex-run's file, private to the user. Another program's directory already exists, or
    /// was named by mistake.
    ///
    /// # Errors
    /// If it cannot be created, or the file is not a credentials file.
    pub fn make_home(&self) -> Result<(), Error> {
        if self.foreign {
            return self.check_format();
        }
        let directory = self.directory();
        Directory::hold(directory)
            .and_then(|held| held.make())
            .map_err(|error| Error::Unwritable(directory.to_owned(), error))
    }

    /// Checks that another program's file has a known format or does not exist yet.
    fn check_format(&self) -> Result<(), Error> {
        let found = self.find()?;
        let known = found.contents.format == StoreFormat::Official || found.document.has_entries();
        if found.blank || found.document.is_empty() || known {
            Ok(())
        } else {
            Err(Error::NotAFile(self.named.clone()))
        }
    }

    /// Takes the lock; `None` if it is held.
    ///
    /// # Errors
    /// If it cannot be taken at all.
    pub fn try_lock(&self) -> Result<Option<Lock>, Error> {
        let place = with_suffix(&self.file, ".lock");
        let here = |path: &Path| path.parent() == self.home.as_deref();
        let lock = if self.read()?.format == StoreFormat::Official {
            // The client's first lock is in its home, even if its file is a link elsewhere.
            let mut outer = vec![self.file.with_file_name("auth.lock")];
            if !here(&self.named) {
                outer.push(self.named.with_file_name("auth.lock"));
            }
            outer.dedup();
            // The official client's naming, which turns `creds.data` into `creds.json.lock`.
            Lock::official(&outer, &self.file.with_extension("json.lock"))
        } else if !self.foreign || place.is_file() {
            // A file there is the lock of another home directory of codex-run.
            Lock::file(&place)
        } else {
            // pi locks the link when it reads, and the link's target when it writes.
            let mut places = vec![place.clone()];
            if !here(&self.named) {
                places.insert(0, with_suffix(&self.named, ".lock"));
            }
            places.dedup();
            Lock::directories(&places)
        };
        let lock = lock.map_err(|error| Error::Lock(place, error))?;
        if lock.is_some() && !self.foreign {
            self.memory("").hold();
        }
        Ok(lock)
    }

    /// Returns whether the file is in the official client's format, which holds either a sign-in or a key.
    #[must_use]
    pub fn is_official(&self) -> bool {
        self.read()
            .is_ok_and(|contents| contents.format == StoreFormat::Official)
    }

    /// Returns whether the file belongs to another program.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        self.foreign
    }

    /// Returns the process that holds the lock, if known.
    fn holder(&self) -> Option<Holder> {
        let holder = if self.foreign {
            None
        } else {
            self.memory("").holder()
        };
        holder.filter(|holder| !replace::is_gone(holder.process))
    }

    /// Returns the error that the lock is held.
    pub(super) fn locked(&self, holder: Option<Holder>) -> Error {
        Error::Locked(self.named.clone(), holder.map(|holder| holder.process))
    }

    /// Pauses before the next attempt to take the lock. A long wait is reported to `waiting` once.
    ///
    /// # Errors
    /// If the wait has timed out.
    pub fn await_lock(&self, hold: &mut Hold, waiting: &dyn Fn(&Error)) -> Result<(), Error> {
        let holder = self.holder();
        match hold.step(holder, Instant::now(), millis()) {
            LockStep::GiveUp => return Err(self.locked(holder)),
            LockStep::Report => waiting(&self.locked(holder)),
            LockStep::Again => {}
        }
        thread::sleep(READ_PAUSE);
        Ok(())
    }

    /// Returns the renewal memory for this issuer.
    #[must_use]
    pub fn memory(&self, issuer: &str) -> Memory {
        // A link to the home may have changed since.
        let home = self.real_home.as_deref().or(self.home.as_deref());
        Memory::new(home, issuer)
    }

    /// Returns the contents to assume for a missing file: in the official client's directory, in that client's format.
    fn empty_outcome(&self) -> ReadOutcome {
        let directory = self.directory();
        let official = directory.file_name() == Some(".codex".as_ref())
            || directory.join("config.toml").is_file();
        let official = self.foreign && official;
        let document = Document::default();
        let format = if official {
            StoreFormat::Official
        } else {
            StoreFormat::Entries
        };
        ReadOutcome {
            contents: Contents::read(format, &document),
            document,
            blank: true,
            line_end: !official,
        }
    }

    fn directory(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new("."))
    }
}
