//! The credentials file: where it is, what is in it, and how it is replaced. Reading takes no lock, because a
//! file is only ever replaced as a whole; replacing takes one, which is a value that `prepare` asks for.

mod document;
mod format;
mod lock;
mod memory;
mod replace;

use std::error::Error as StdError;
use std::fmt;
use std::fs::{self, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::token::SignedIn;
use crate::secret::Secret;
use document::Document;
pub use format::{Contents, Format};
pub use lock::Lock;
pub use memory::{Memory, Past};
pub use replace::Prepared;

/// The most that is read of a file, in bytes. None is larger than a few pages.
const MOST: u64 = 1 << 20;

/// How often a file of another program is read again if it makes no sense: pi writes its file in place, so
/// for a moment there may be half of it.
const AGAIN: u32 = 10;

/// Why the file cannot be used.
#[derive(Debug)]
pub enum Error {
    /// It cannot be read.
    Unreadable(PathBuf, io::Error),
    /// It is a directory, a pipe or the like, or far too large.
    NotAFile(PathBuf),
    /// It is no JSON object: line and column, counted from 1.
    Malformed(PathBuf, usize, usize),
    /// It, or something beside it, cannot be written.
    Unwritable(PathBuf, io::Error),
    /// The lock beside it cannot be taken, whoever has it.
    Lock(PathBuf, io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(path, error) => write!(f, "cannot read {}: {error}", path.display()),
            Self::NotAFile(path) => write!(f, "{} is no credentials file", path.display()),
            Self::Malformed(path, line, column) => write!(
                f,
                "{} is not JSON at line {line}, column {column}",
                path.display()
            ),
            Self::Unwritable(path, error) => write!(f, "cannot write {}: {error}", path.display()),
            Self::Lock(path, error) => write!(f, "cannot lock {}: {error}", path.display()),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Unreadable(_, error) | Self::Unwritable(_, error) | Self::Lock(_, error) => {
                Some(error)
            }
            Self::NotAFile(_) | Self::Malformed(..) => None,
        }
    }
}

/// Where the credentials file is.
#[derive(Clone, Debug)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// Our own home, for what is remembered beside its file.
    pub home: PathBuf,
    /// The file belongs to another program: its format and its lock are kept.
    pub foreign: bool,
}

/// The credentials file.
#[derive(Clone, Debug)]
pub struct Store {
    /// As it was named.
    named: PathBuf,
    /// Where it really is: links are followed, not replaced.
    file: PathBuf,
    home: PathBuf,
    foreign: bool,
}

/// A change of the file.
#[derive(Debug)]
pub enum Edit<'a> {
    /// The same sign-in with new tokens.
    Renew(&'a SignedIn),
    /// A new sign-in.
    SignIn(&'a SignedIn),
    /// A key.
    Key(&'a Secret),
    /// No sign-in any more.
    RemoveSignIn,
    /// No key any more.
    RemoveKey,
}

/// What reading brought.
#[derive(Clone, Debug)]
pub struct Found {
    document: Document,
    /// The text ends with one.
    line_end: bool,
    /// Whose format it has.
    pub format: Format,
    /// What it holds for us.
    pub contents: Contents,
}

impl Store {
    /// The file at this place, which need not exist. An own file that is named as if it were another
    /// program's is still our own.
    #[must_use]
    pub fn new(place: &Place) -> Self {
        let file = followed(&place.file);
        let own = followed(&place.home.join("auth.json"));
        Self {
            named: std::path::absolute(&place.file).unwrap_or_else(|_| place.file.clone()),
            foreign: place.foreign && file != own,
            file,
            home: place.home.clone(),
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
    pub fn read(&self) -> Result<Found, Error> {
        let mut left = if self.foreign { AGAIN } else { 0 };
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
    fn read_once(&self) -> Result<Option<Found>, Error> {
        let unreadable = |error| Error::Unreadable(self.named.clone(), error);
        let metadata = match fs::metadata(&self.file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Some(self.nothing()));
            }
            other => other.map_err(unreadable)?,
        };
        if !metadata.is_file() || metadata.len() > MOST {
            return Err(Error::NotAFile(self.named.clone()));
        }
        let mut text = String::new();
        let file = fs::File::open(&self.file).map_err(unreadable)?;
        match file.take(MOST).read_to_string(&mut text) {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Err(Error::Malformed(self.named.clone(), 1, 1));
            }
            other => other.map_err(unreadable)?,
        };
        if text.trim().is_empty() {
            return Ok(None);
        }
        let document = Document::read(&text)
            .map_err(|error| Error::Malformed(self.named.clone(), error.line(), error.column()))?;
        let format = Format::of(&document);
        Ok(Some(Found {
            line_end: text.ends_with('\n'),
            contents: format.read(&document),
            format,
            document,
        }))
    }

    /// Narrows what others may do with the file and our home, if it is more than nothing; what was changed, with
    /// the mode that it had.
    #[must_use]
    pub fn narrow(&self) -> Vec<(PathBuf, u32)> {
        let mut changed = Vec::new();
        let mut narrow = |path: &Path, mode: u32| {
            let Ok(metadata) = fs::metadata(path) else {
                return;
            };
            let had = metadata.mode() & 0o7777;
            // A directory that everybody may write to with the sticky bit is not ours alone.
            if had & 0o077 != 0
                && had & 0o1000 == 0
                && fs::set_permissions(path, Permissions::from_mode(mode)).is_ok()
            {
                changed.push((path.to_owned(), had));
            }
        };
        if !self.foreign {
            narrow(&self.home, 0o700);
        }
        narrow(&self.file, 0o600);
        changed
    }

    /// Makes the directory of the file, which nobody else may look into.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn make_home(&self) -> Result<(), Error> {
        use std::os::unix::fs::DirBuilderExt;
        let directory = self.directory();
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(|error| Error::Unwritable(directory.to_owned(), error))
    }

    /// Takes the lock, if nobody has it.
    ///
    /// # Errors
    /// When it cannot be taken, whoever has it.
    pub fn try_lock(&self) -> Result<Option<Lock>, Error> {
        let place = beside(&self.file, ".lock");
        let lock = if !self.foreign {
            Lock::file(&place)
        } else if self.read()?.format == Format::Official {
            let outer = self.named.with_file_name("auth.lock");
            Lock::official(&outer, &self.file.with_extension("json.lock"))
        } else {
            // pi locks the link when it reads, and what the link leads to when it writes.
            let mut places = vec![beside(&self.named, ".lock"), place.clone()];
            places.dedup();
            Lock::directories(&places)
        };
        let lock = lock.map_err(|error| Error::Lock(place, error))?;
        if lock.is_some() && !self.foreign {
            self.memory().hold();
        }
        Ok(lock)
    }

    /// Whether the file belongs to another program.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        self.foreign
    }

    /// The process that holds the lock, as far as that is known.
    #[must_use]
    pub fn holder(&self) -> Option<u32> {
        (!self.foreign).then(|| self.memory().holder()).flatten()
    }

    /// What is remembered of earlier attempts.
    #[must_use]
    pub fn memory(&self) -> Memory {
        Memory::new(self.home.join("auth.json.lock"))
    }

    /// Makes ready what will replace the file, so that nothing can fail later but the rename: the new file is
    /// there, with its mode, and its space is written.
    ///
    /// # Errors
    /// When there is no space, or nothing may be written here.
    pub fn prepare(&self, lock: &Lock) -> Result<Prepared, Error> {
        Prepared::new(&self.file, lock)
            .map_err(|error| Error::Unwritable(self.named.clone(), error))
    }

    /// Takes over what the last holder of the lock had made ready and could not put into place any more, because
    /// it was killed: its tokens are newer than those in the file. Anything else that it left is removed.
    pub fn recover(&self, lock: &Lock) {
        let newer = |text: &str| {
            let signed_in = |contents: Contents| contents.sign_in?.ok();
            let left = Document::read(text).ok();
            let left = left.and_then(|left| signed_in(Format::of(&left).read(&left)));
            let here = self.read().ok().and_then(|found| signed_in(found.contents));
            left.zip(here).is_some_and(|(left, here)| {
                left.account == here.account
                    && left.refresh.is_some()
                    && left.refresh != here.refresh
            })
        };
        replace::recover(&self.file, lock, newer);
    }

    /// Replaces the file by what these edits make of it; `now` is in Unix seconds.
    ///
    /// # Errors
    /// When it cannot be read, makes no sense, or cannot be written.
    pub fn replace(
        &self,
        prepared: Prepared,
        lock: &Lock,
        edits: &[Edit<'_>],
        now: u64,
    ) -> Result<(), Error> {
        let Found {
            mut document,
            format,
            line_end,
            ..
        } = self.read()?;
        for edit in edits {
            match edit {
                Edit::Renew(signed_in) => format.set_sign_in(&mut document, signed_in, now),
                Edit::SignIn(signed_in) => {
                    format.set_sign_in(&mut document, signed_in, now);
                    format.prefer_sign_in(&mut document);
                }
                Edit::Key(key) => format.set_key(&mut document, key),
                Edit::RemoveSignIn => format.remove_sign_in(&mut document),
                Edit::RemoveKey => format.remove_key(&mut document),
            }
        }
        let mut text = document.text(0);
        if line_end {
            text.push('\n');
        }
        // pi leaves an empty object, the official client takes one for a sign-in.
        let pi = self.foreign && format == Format::Entries;
        let replaced = if document.is_empty() && !pi {
            prepared.remove()
        } else {
            prepared.commit(text.as_bytes(), lock)
        };
        replaced.map_err(|error| Error::Unwritable(self.named.clone(), error))
    }

    /// What a file holds that is not there. In the official client's directory it would be in its format.
    fn nothing(&self) -> Found {
        let directory = self.directory();
        let official = directory.file_name() == Some(".codex".as_ref())
            || directory.join("config.toml").is_file();
        let official = self.foreign && official;
        Found {
            document: Document::default(),
            line_end: !official,
            format: if official {
                Format::Official
            } else {
                Format::Entries
            },
            contents: Contents::default(),
        }
    }

    fn directory(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new("."))
    }
}

/// Where a path leads, also if nothing is there.
fn followed(path: &Path) -> PathBuf {
    let mut path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for _ in 0..16 {
        match fs::read_link(&path) {
            Ok(target) => path = path.parent().unwrap_or(Path::new("/")).join(target),
            Err(_) => break,
        }
    }
    match (path.parent().map(Path::canonicalize), path.file_name()) {
        (Some(Ok(parent)), Some(name)) => parent.join(name),
        _ => path,
    }
}

/// The path with this behind its name.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    path.with_file_name(name)
}

/// Gives a new file to whoever owns its directory, if we may: what root makes in a person's home is theirs.
fn give(file: &fs::File, path: &Path) {
    let owner = path
        .parent()
        .and_then(|directory| fs::metadata(directory).ok());
    if let (Some(owner), Ok(own)) = (owner, file.metadata())
        && owner.uid() != own.uid()
    {
        let _ = std::os::unix::fs::fchown(file, Some(owner.uid()), Some(owner.gid()));
    }
}
