//! How to report failures, known before all arguments are parsed.

use std::cell::{Cell, RefCell};
use std::ffi::OsString;

use super::flags::Args;

/// How to report failures, as far as the arguments have been read.
#[derive(Debug, Default)]
pub(super) struct ReportingFlags {
    /// The value of `--color`.
    pub(super) color: RefCell<Option<OsString>>,
    /// Standard output gets JSON lines.
    pub(super) lines: Cell<bool>,
    /// The same, from a scan of the unparsed arguments.
    scanned: Cell<bool>,
    /// The number of arguments after --, if it is given.
    pub(super) behind: Cell<Option<usize>>,
    /// The official SDK is the caller.
    pub(super) of_sdk: Cell<bool>,
}

impl ReportingFlags {
    /// Scans for `--json`, even if the arguments before it cannot be parsed.
    pub(super) fn scan(&self, arguments: &[OsString]) {
        let is_run = arguments
            .first()
            .is_some_and(|name| name == "run" || name == "exec");
        let mut flags = arguments.iter().take_while(|word| *word != "--");
        let end = arguments.iter().position(|word| word == "--");
        self.behind.set(end.map(|end| arguments.len() - end - 1));
        let lines = |word: &OsString| word == "--json" || word == "--experimental-json";
        self.scanned.set(is_run && flags.any(lines));
        self.lines.set(self.scanned.get());
    }

    pub(super) fn note(&self, args: &Args) {
        self.color.borrow_mut().clone_from(&args.color);
        self.lines
            .set((args.json && args.is_run) || self.scanned.get());
        self.of_sdk.set(args.of_sdk);
    }
}
