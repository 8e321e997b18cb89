//! Changes the stored credentials in one step: under the lock, after rereading, all or nothing.

use std::thread;

use super::critical_section::Critical;
use super::store::{Contents, CredentialStore, Error, Hold, READ_PAUSE, StoreEdit};
use crate::clock::seconds;

/// Applies the edits and returns what the file held before. The closure must not wait for the user. A long wait for
/// the lock is reported to `waiting`.
///
/// # Errors
/// If the file cannot be read, written or locked; it is then unchanged.
pub fn change<'a>(
    store: &CredentialStore,
    critical: &Critical,
    waiting: &dyn Fn(&Error),
    edits: impl Fn(&Contents) -> Vec<StoreEdit<'a>>,
) -> Result<Contents, Error> {
    let mut hold = Hold::default();
    loop {
        if let Some(guard) = critical.enter() {
            let changed = try_change(store, &edits);
            guard.end();
            if let Some(before) = changed? {
                return Ok(before);
            }
            store.await_lock(&mut hold, waiting)?;
        } else {
            // The process is shutting down.
            thread::sleep(READ_PAUSE);
        }
    }
}

/// Returns `None` if another process holds the lock.
fn try_change<'a>(
    store: &CredentialStore,
    edits: impl Fn(&Contents) -> Vec<StoreEdit<'a>>,
) -> Result<Option<Contents>, Error> {
    let Some(lock) = store.try_lock()? else {
        return Ok(None);
    };
    store.recover(&lock, seconds())?;
    let before = store.read()?;
    // Done even without edits, to detect a full disk.
    let prepared = store.prepare(None)?;
    let edits = edits(&before);
    if !edits.is_empty() {
        store.replace(prepared, &lock, &edits, seconds())?;
    }
    Ok(Some(before))
}
