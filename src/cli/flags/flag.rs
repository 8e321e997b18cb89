//! A flag as the table has it: how it is written, what it takes, what is said of it.

use std::ffi::OsString;

use super::args::{Args, Given, Origin};

/// A flag.
pub(crate) struct Flag {
    pub(crate) long: &'static str,
    pub(crate) short: Option<char>,
    pub(crate) takes: Takes,
    /// The commands that take it.
    pub(crate) of: &'static [&'static str],
    /// A few words for `-h`.
    pub(crate) brief: &'static str,
    /// `-h` only names it, so that it stays one screen.
    pub(crate) rare: bool,
    /// Sentences for `--help` and the man page.
    pub(crate) doc: &'static str,
    pub(crate) complete: Complete,
    /// Stores the value. It is judged later, together with all others.
    pub(crate) set: fn(&mut Args, OsString),
}

impl Flag {
    /// Stores what the flag was given here.
    pub(crate) fn give(&self, args: &mut Args, value: OsString, origin: Origin) {
        args.given.push(Given {
            long: self.long,
            value: value.clone(),
            origin,
        });
        (self.set)(args, value);
    }
}

/// What follows a flag.
pub(crate) enum Takes {
    Nothing,
    /// A value, called this in the help.
    Value(&'static str),
    /// The same, and more of them where the flag is given again.
    Values(&'static str),
    /// A value behind an equals sign, called this in the help; without one it is the second.
    Optional(&'static str, &'static str),
}

impl Takes {
    /// What the word behind the flag is called in the help, where it is a value.
    pub(crate) fn value(&self) -> Option<&'static str> {
        match self {
            Self::Nothing | Self::Optional(..) => None,
            Self::Value(name) | Self::Values(name) => Some(name),
        }
    }
}

/// What a shell offers for a value.
pub(crate) enum Complete {
    Nothing,
    Files,
    Directories,
    Words(&'static [&'static str]),
}
