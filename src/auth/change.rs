//! Changing what is stored, once: under the lock, after reading again, all or nothing.

use std::error::Error as StdError;
use std::fmt;
use std::path::PathBuf;
use std::thread;
use std::time::Instant;

use super::critical::Critical;
use super::sign_in::{PATIENCE, PAUSE, millis};
use super::store::{self, Contents, Edit, Store};

/// Why nothing was changed.
#[derive(Debug)]
pub enum Error {
    /// The file cannot be used.
    Store(store::Error),
    /// Another process, maybe this one, has had the lock all the time.
    Locked(PathBuf, Option<u32>),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Locked(path, _) => write!(f, "the lock of {} is held", path.display()),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Store(error) => Some(error),
            Self::Locked(..) => None,
        }
    }
}

/// Makes these changes; what the file held before. No person may be waited for meanwhile.
///
/// # Errors
/// When the file cannot be read or written, or its lock cannot be had. Nothing was changed then.
pub fn change<'a>(
    store: &Store,
    critical: &Critical,
    edits: impl Fn(&Contents) -> Vec<Edit<'a>>,
) -> Result<Contents, Error> {
    let begun = Instant::now();
    loop {
        if let Some(moment) = critical.enter() {
            let changed = try_change(store, &edits);
            moment.end();
            if let Some(before) = changed.map_err(Error::Store)? {
                return Ok(before);
            }
        }
        if begun.elapsed() > PATIENCE {
            return Err(Error::Locked(store.named().to_owned(), store.holder()));
        }
        thread::sleep(PAUSE);
    }
}

/// Nothing if somebody else has the lock.
fn try_change<'a>(
    store: &Store,
    edits: impl Fn(&Contents) -> Vec<Edit<'a>>,
) -> Result<Option<Contents>, store::Error> {
    let Some(lock) = store.try_lock()? else {
        return Ok(None);
    };
    store.recover(&lock);
    let before = store.read()?.contents;
    // Also where nothing is to be changed, so that a full disk is found out.
    let prepared = store.prepare(&lock)?;
    let edits = edits(&before);
    if !edits.is_empty() {
        store.replace(prepared, &lock, &edits, millis() / 1000)?;
    }
    Ok(Some(before))
}
