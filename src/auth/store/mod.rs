//! The credentials file: where it is, what is in it, and how it is replaced. Reading takes no lock, because a
//! file is only ever replaced as a whole; replacing takes one, which is a value that `prepare` asks for.

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
use store_path::{beside, followed, holds_ours_alone};

use crate::clock::millis;
use crate::file::{Directory, FileSlot, NotRegular, read_regular};

/// The most that is read of a file, in bytes. None is larger than a few pages.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// How often a file of another program is read again if it makes no sense: pi writes its file in place, so
/// for a moment there may be half of it.
const READ_ATTEMPTS: u32 = 25;

/// How long between two tries.
pub const READ_PAUSE: Duration = Duration::from_millis(20);

/// Where the credentials file is.
#[derive(Clone, Debug)]
pub struct StorePath {
    /// The file.
    pub file: PathBuf,
    /// Our own home, for what is remembered beside its file.
    pub home: Option<PathBuf>,
    /// The file belongs to another program: its format and its lock are kept.
    pub foreign: bool,
}

/// The credentials file.
#[derive(Clone, Debug)]
pub struct CredentialStore {
    /// As it was named.
    named: PathBuf,
    /// Where it really is: links are followed, not replaced.
    file: PathBuf,
    /// The same in its directory, which is held as long as this lives.
    slot: Option<FileSlot>,
    home: Option<PathBuf>,
    /// Where the home really is, if it is there.
    real_home: Option<PathBuf>,
    foreign: bool,
}

/// What reading brought.
struct ReadOutcome {
    document: Document,
    /// The file is not there, or there is nothing in it.
    blank: bool,
    /// The text ends with one.
    line_end: bool,
    contents: Contents,
}

impl CredentialStore {
    /// The file at this place, which need not exist.
    #[must_use]
    pub fn new(place: &StorePath) -> Self {
        let file = followed(&place.file);
        // An own file that is named as if it were another program's is still our own, and a link that leads out of
        // our home leads to somebody else's.
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

    /// The file as it was named.
    #[must_use]
    pub fn named(&self) -> &Path {
        &self.named
    }

    /// Reads the file. One that does not exist, or is empty, holds nothing.
    ///
    /// # Errors
    /// When it cannot be read or makes no sense.
    pub fn read(&self) -> Result<Contents, Error> {
        self.find().map(|found| found.contents)
    }

    fn find(&self) -> Result<ReadOutcome, Error> {
        let mut left = if self.foreign { READ_ATTEMPTS } else { 0 };
        loop {
            match self.read_once() {
                Ok(Some(found)) => return Ok(found),
                Err(error @ Error::Malformed(..)) if left == 0 => return Err(error),
                Ok(None) if left == 0 => return Ok(self.nothing()),
                Ok(None) | Err(Error::Malformed(..)) => {}
                Err(error) => return Err(error),
            }
            left -= 1;
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Nothing if the file is there and empty.
    fn read_once(&self) -> Result<Option<ReadOutcome>, Error> {
        let unreadable = |error| Error::Unreadable(self.named.clone(), error);
        let bytes = match read_regular(&self.file, MAX_FILE_BYTES) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Some(self.nothing()));
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

    /// Narrows what others may do with the file and our home, if it is more than nothing; what was changed, with
    /// the mode that it had.
    #[must_use]
    pub fn narrow(&self) -> Vec<(PathBuf, u32)> {
        let mut changed = Vec::new();
        let mut narrow = |path: &Path, mode: u32, ours: &dyn Fn() -> bool| {
            let Ok(metadata) = fs::metadata(path) else {
                return;
            };
            let had = metadata.mode() & 0o7777;
            // A directory that everybody may write to with the sticky bit is not ours alone. The rest is looked at
            // last: commonly there is nothing to narrow.
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
        // Only a file that holds something of ours: what somebody names by mistake is left alone.
        narrow(&self.file, 0o600, &|| {
            let found = self.read();
            found.is_ok_and(|found| {
                found.sign_in.is_some() || found.key.is_some() || found.personal.is_some()
            })
        });
        changed
    }

    /// Makes the directory of our file, which nobody else may look into. Another program's is there, or it was named
    /// by mistake.
    ///
    /// # Errors
    /// When it cannot be made, or the file is no credentials file.
    pub fn make_home(&self) -> Result<(), Error> {
        if self.foreign {
            return self.is_known();
        }
        let directory = self.directory();
        Directory::hold(directory)
            .and_then(|held| held.make())
            .map_err(|error| Error::Unwritable(directory.to_owned(), error))
    }

    /// Whether a file of another program is one that we know, or is not there yet.
    fn is_known(&self) -> Result<(), Error> {
        let found = self.find()?;
        let known = found.contents.format == StoreFormat::Official || found.document.has_entries();
        if found.blank || found.document.is_empty() || known {
            Ok(())
        } else {
            Err(Error::NotAFile(self.named.clone()))
        }
    }

    /// Takes the lock, if nobody has it.
    ///
    /// # Errors
    /// When it cannot be taken, whoever has it.
    pub fn try_lock(&self) -> Result<Option<Lock>, Error> {
        let place = beside(&self.file, ".lock");
        let here = |path: &Path| path.parent() == self.home.as_deref();
        let lock = if self.read()?.format == StoreFormat::Official {
            // Its first lock is where its home is, also if its file is a link.
            let mut outer = vec![self.file.with_file_name("auth.lock")];
            if !here(&self.named) {
                outer.push(self.named.with_file_name("auth.lock"));
            }
            outer.dedup();
            // The official client's own way to name it, which makes `creds.json.lock` of `creds.data`.
            Lock::official(&outer, &self.file.with_extension("json.lock"))
        } else if !self.foreign || place.is_file() {
            // A file there is the lock of another home of ours.
            Lock::file(&place)
        } else {
            // pi locks the link when it reads, and what the link leads to when it writes.
            let mut places = vec![place.clone()];
            if !here(&self.named) {
                places.insert(0, beside(&self.named, ".lock"));
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

    /// Whether the file is in the official client's format, in which a sign-in and a key exclude each other.
    #[must_use]
    pub fn is_official(&self) -> bool {
        self.read()
            .is_ok_and(|contents| contents.format == StoreFormat::Official)
    }

    /// Whether the file belongs to another program.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        self.foreign
    }

    /// The process that holds the lock, as far as that is known.
    fn holder(&self) -> Option<Holder> {
        let holder = if self.foreign {
            None
        } else {
            self.memory("").holder()
        };
        holder.filter(|holder| !replace::gone(holder.process))
    }

    /// That the lock is taken, by this process if that is known.
    pub(super) fn locked(&self, holder: Option<Holder>) -> Error {
        Error::Locked(self.named.clone(), holder.map(|holder| holder.process))
    }

    /// Pauses before the lock is tried again. A wait that gets long is reported to `waiting` once.
    ///
    /// # Errors
    /// When the lock has been waited for long enough.
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

    /// What is remembered of earlier attempts with this issuer.
    #[must_use]
    pub fn memory(&self, issuer: &str) -> Memory {
        // A link that leads there may lead elsewhere by now.
        let home = self.real_home.as_deref().or(self.home.as_deref());
        Memory::new(home, issuer)
    }

    /// What a file holds that is not there. In the official client's directory it would be in its format.
    fn nothing(&self) -> ReadOutcome {
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
