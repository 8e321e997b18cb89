//! How to report failures, known before all arguments are parsed.

use std::ffi::OsString;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use super::flags::Args;

/// How to report failures, as far as the arguments have been read. Any thread may have one to report.
#[derive(Debug, Default)]
pub(super) struct ReportingFlags {
    /// The value of `--color`.
    color: Mutex<Option<OsString>>,
    /// Standard output gets JSON lines.
    lines: AtomicBool,
    /// The same, from a scan of the unparsed arguments.
    scanned: AtomicBool,
    /// The number of arguments after --, if it is given.
    behind: OnceLock<usize>,
    /// The official SDK is the caller.
    of_sdk: AtomicBool,
}

impl ReportingFlags {
    /// Scans for `--json`, even if the arguments before it cannot be parsed.
    pub(super) fn scan(&self, arguments: &[OsString]) {
        let is_run = arguments
            .first()
            .is_some_and(|name| name == "run" || name == "exec");
        let mut flags = arguments.iter().take_while(|word| *word != "--");
        let end = arguments.iter().position(|word| word == "--");
        if let Some(end) = end {
            let _ = self.behind.set(arguments.len() - end - 1);
        }
        let lines = |word: &OsString| word == "--json" || word == "--experimental-json";
        let scanned = is_run && flags.any(lines);
        self.scanned.store(scanned, Ordering::Relaxed);
        self.lines.store(scanned, Ordering::Relaxed);
    }

    pub(super) fn note(&self, args: &Args) {
        let mut color = self.color.lock().unwrap_or_else(PoisonError::into_inner);
        color.clone_from(&args.color);
        let lines = (args.json && args.is_run) || self.scanned.load(Ordering::Relaxed);
        self.lines.store(lines, Ordering::Relaxed);
        self.of_sdk.store(args.of_sdk, Ordering::Relaxed);
    }

    /// The value of `--color`.
    pub(super) fn color(&self) -> Option<OsString> {
        let color = self.color.lock().unwrap_or_else(PoisonError::into_inner);
        color.clone()
    }

    /// Whether standard output gets JSON lines.
    pub(super) fn has_lines(&self) -> bool {
        self.lines.load(Ordering::Relaxed)
    }

    /// Whether the official SDK is the caller.
    pub(super) fn is_of_sdk(&self) -> bool {
        self.of_sdk.load(Ordering::Relaxed)
    }

    /// The number of arguments after --, if it is given.
    pub(super) fn behind(&self) -> Option<usize> {
        self.behind.get().copied()
    }
}
