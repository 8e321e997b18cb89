//! What is known of how things are to be reported, as soon as it is.

use std::cell::{Cell, RefCell};
use std::ffi::OsString;

use super::flags::Args;

/// What is known of how things are to be told, as soon as it is.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// What `--color` says.
    pub(super) color: RefCell<Option<OsString>>,
    /// Standard output gets JSON lines.
    pub(super) lines: Cell<bool>,
    /// The same, by the mere look of the arguments.
    glanced: Cell<bool>,
    /// How many arguments stand behind --, if it is there.
    pub(super) behind: Cell<Option<usize>>,
    /// The official SDK asks.
    pub(super) of_sdk: Cell<bool>,
}

impl Seen {
    /// Whether lines are asked for, also where the arguments before that cannot be read.
    pub(super) fn glance(&self, arguments: &[OsString]) {
        let is_run = arguments
            .first()
            .is_some_and(|name| name == "run" || name == "exec");
        let mut flags = arguments.iter().take_while(|word| *word != "--");
        let end = arguments.iter().position(|word| word == "--");
        self.behind.set(end.map(|end| arguments.len() - end - 1));
        let lines = |word: &OsString| word == "--json" || word == "--experimental-json";
        self.glanced.set(is_run && flags.any(lines));
        self.lines.set(self.glanced.get());
    }

    pub(super) fn look(&self, args: &Args) {
        self.color.borrow_mut().clone_from(&args.color);
        self.lines
            .set((args.json && args.is_run) || self.glanced.get());
        self.of_sdk.set(args.of_sdk);
    }
}
