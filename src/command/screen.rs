//! The spinner that a run has drawn on standard error, so that it can be erased however the run ends.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::fs::{FileType, fstat};
use rustix::process::getpgrp;
use rustix::termios::tcgetpgrp;

use super::stdout::{UNKNOWN_COLUMNS, columns, takes};
use super::undo::{UndoGuard, UndoStage, on_panic};
use crate::output::spinner::ERASE;

/// Whether a spinner is drawn. Dropping this value erases it, and so does a panic, so failures leave no spinner behind.
#[derive(Debug)]
pub(super) struct DrawnSpinner {
    shown: Arc<AtomicBool>,
    _undo: UndoGuard,
}

impl DrawnSpinner {
    /// None is drawn yet.
    pub(super) fn new() -> Self {
        let shown = Arc::<AtomicBool>::default();
        let drawn = Arc::clone(&shown);
        Self {
            shown,
            _undo: on_panic(UndoStage::BeforeReport, move || erase(&drawn)),
        }
    }

    /// The same state, for another thread.
    pub(super) fn shared(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.shown)
    }
}

impl Drop for DrawnSpinner {
    fn drop(&mut self) {
        erase(&self.shown);
    }
}

/// Whether this process is in the foreground. In the background, the terminal shows the prompt of the shell.
pub(super) fn in_foreground() -> bool {
    tcgetpgrp(io::stderr()).map_or(true, |foreground| foreground == getpgrp())
}

/// The columns of the terminal on standard error.
pub(super) fn stderr_columns() -> usize {
    columns(&io::stderr()).unwrap_or(UNKNOWN_COLUMNS)
}

/// Whether standard output is a pipe or socket: its reader, such as a pager, may draw on the same screen at any time.
pub(super) fn is_shared() -> bool {
    fstat(io::stdout()).is_ok_and(|stat| {
        let kind = FileType::from_raw_mode(stat.st_mode);
        matches!(kind, FileType::Fifo | FileType::Socket)
    })
}

/// Whether standard output and standard error are one file or pipe, as with `2>&1`.
pub(super) fn is_one_file() -> bool {
    match (fstat(io::stdout()), fstat(io::stderr())) {
        (Ok(out), Ok(err)) => (out.st_dev, out.st_ino) == (err.st_dev, err.st_ino),
        _ => false,
    }
}

/// Erases the spinner, unless writing to standard error would block.
pub(super) fn erase(shown: &AtomicBool) {
    if shown.swap(false, Ordering::Relaxed) && takes(&io::stderr(), Duration::ZERO) {
        let _ = io::stderr().write_all(ERASE.as_bytes());
    }
}
