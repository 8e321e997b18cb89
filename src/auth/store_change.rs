//! Changing what is stored, once: under the lock, after reading again, all or nothing.

use std::thread;

use super::critical_section::Critical;
use super::store::{Contents, CredentialStore, Error, Hold, READ_PAUSE, StoreEdit};
use crate::clock::seconds;

/// Makes these changes; what the file held before. No person may be waited for meanwhile. A wait for the lock that gets
/// long is reported to `waiting`.
///
/// # Errors
/// When the file cannot be read or written, or its lock cannot be had. Nothing was changed then.
pub fn change<'a>(
    store: &CredentialStore,
    critical: &Critical,
    waiting: &dyn Fn(&Error),
    edits: impl Fn(&Contents) -> Vec<StoreEdit<'a>>,
) -> Result<Contents, Error> {
    let mut hold = Hold::default();
    loop {
        if let Some(moment) = critical.enter() {
            let changed = try_change(store, &edits);
            moment.end();
            if let Some(before) = changed? {
                return Ok(before);
            }
            store.await_lock(&mut hold, waiting)?;
        } else {
            // The process is about to end.
            thread::sleep(READ_PAUSE);
        }
    }
}

/// Nothing if somebody else has the lock.
fn try_change<'a>(
    store: &CredentialStore,
    edits: impl Fn(&Contents) -> Vec<StoreEdit<'a>>,
) -> Result<Option<Contents>, Error> {
    let Some(lock) = store.try_lock()? else {
        return Ok(None);
    };
    store.recover(&lock, seconds())?;
    let before = store.read()?;
    // Also where nothing is to be changed, so that a full disk is found out.
    let prepared = store.prepare(None)?;
    let edits = edits(&before);
    if !edits.is_empty() {
        store.replace(prepared, &lock, &edits, seconds())?;
    }
    Ok(Some(before))
}
