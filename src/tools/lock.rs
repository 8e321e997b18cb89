//! Locks for data that is consistent at every moment, so that a panic elsewhere does no harm.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Ignores poisoning: no panic can leave the data inconsistent.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
