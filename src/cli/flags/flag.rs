//! A flag as the table has it: how it is written, what it takes, what is said of it.

use std::borrow::Cow;
use std::ffi::OsString;

use super::args::{Args, FlagOrigin, GivenFlag};

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
    /// What holds where neither the command line nor `config.json` says otherwise, as it would be given; `no` for a
    /// flag that takes nothing.
    pub(crate) default: Option<&'static str>,
    /// Flags that cannot be given beside this one. Each pair stands once, with the flag that a message names first.
    pub(crate) excludes: &'static [&'static str],
    /// Further flags whose defaults in `config.json` do not hold beside this one.
    pub(crate) overrides: &'static [&'static str],
    /// Stores the value. It is judged later, together with all others.
    pub(crate) set: fn(&mut Args, OsString),
}

/// A flag with nothing in the columns that most flags leave empty.
pub(super) const BARE: Flag = Flag {
    long: "",
    short: None,
    takes: Takes::Nothing,
    of: &[],
    brief: "",
    rare: true,
    doc: "",
    complete: Complete::Nothing,
    default: None,
    excludes: &[],
    overrides: &[],
    set: |_, _| {},
};

impl Flag {
    /// The few words for `-h`, with the value that holds without the flag.
    pub(crate) fn brief(&self) -> Cow<'static, str> {
        match self.default.filter(|_| self.takes.has_value()) {
            Some(default) => Cow::Owned(format!("{} ({default})", self.brief)),
            None => Cow::Borrowed(self.brief),
        }
    }

    /// The sentences for `--help` and the man page, with the value that holds without the flag.
    pub(crate) fn doc(&self) -> Cow<'static, str> {
        match self.default.filter(|_| self.takes.has_value()) {
            Some(default) => Cow::Owned(format!("{} Without it: {default}.", self.doc)),
            None => Cow::Borrowed(self.doc),
        }
    }

    /// Whether these two cannot be given together.
    pub(crate) fn is_apart_from(&self, other: &Self) -> bool {
        self.excludes.contains(&other.long) || other.excludes.contains(&self.long)
    }

    /// Stores what the flag was given here.
    pub(crate) fn give(&self, args: &mut Args, value: OsString, origin: FlagOrigin) {
        args.given.push(GivenFlag {
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
    /// Whether the flag is written with something behind it.
    fn has_value(&self) -> bool {
        !matches!(self, Self::Nothing)
    }

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
