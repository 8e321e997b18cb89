//! An entry of the flag table: syntax, value, and documentation.

use std::borrow::Cow;
use std::ffi::OsString;

use super::args::{Args, FlagOrigin, GivenFlag};
pub(crate) use super::completed_kind::CompletedKind;
pub(crate) use super::group::FlagGroup;

/// A flag.
pub(crate) struct Flag {
    pub(crate) long: &'static str,
    pub(crate) short: Option<char>,
    pub(crate) takes: Takes,
    /// The commands that take it.
    pub(crate) commands: &'static [&'static str],
    /// A few words for `-h`.
    pub(crate) brief: &'static str,
    /// Where the help lists it.
    pub(crate) group: FlagGroup,
    /// `-h` lists only its name if the screen has no room for a few words about every flag.
    pub(crate) rare: bool,
    /// Sentences for `--help` and the man page.
    pub(crate) doc: &'static str,
    pub(crate) complete: Complete,
    /// The default if neither the command line nor `config.json` sets it, as it would be written; `no` for a
    /// flag without a value.
    pub(crate) default: Option<&'static str>,
    /// Flags that exclude this one. Each pair is listed once, with the flag that a message names first.
    pub(crate) excludes: &'static [&'static str],
    /// Further flags whose defaults in `config.json` do not apply together with this one.
    pub(crate) overrides: &'static [&'static str],
    /// Stores the value. It is validated later, together with all others.
    pub(crate) set: fn(&mut Args, OsString),
}

/// A flag with default values for the fields that most flags do not set.
pub(super) const EMPTY: Flag = Flag {
    long: "",
    short: None,
    takes: Takes::Nothing,
    commands: &[],
    brief: "",
    group: FlagGroup::None,
    rare: true,
    doc: "",
    complete: Complete::Nothing,
    default: None,
    excludes: &[],
    overrides: &[],
    set: |_, _| {},
};

impl Flag {
    /// The few words for `-h`, with the default.
    pub(crate) fn brief(&self) -> Cow<'static, str> {
        match self.default.filter(|_| self.takes.has_value()) {
            Some(default) => Cow::Owned(format!("{} ({default})", self.brief)),
            None => Cow::Borrowed(self.brief),
        }
    }

    /// The sentences for `--help` and the man page, with the default.
    pub(crate) fn doc(&self) -> Cow<'static, str> {
        match self.default.filter(|_| self.takes.has_value()) {
            Some(default) => Cow::Owned(format!("{} Default: {default}.", self.doc)),
            None => Cow::Borrowed(self.doc),
        }
    }

    /// Whether the two flags are mutually exclusive.
    pub(crate) fn conflicts_with(&self, other: &Self) -> bool {
        self.excludes.contains(&other.long) || other.excludes.contains(&self.long)
    }

    /// Stores a value of the flag with its origin.
    pub(crate) fn set_value(&self, args: &mut Args, value: OsString, origin: FlagOrigin) {
        args.given.push(GivenFlag {
            long: self.long,
            value: value.clone(),
            origin,
        });
        (self.set)(args, value);
    }
}

/// The value of a flag.
pub(crate) enum Takes {
    Nothing,
    /// One value, with its name in the help.
    Value(&'static str),
    /// The same; the flag may be repeated.
    Values(&'static str),
    /// An optional value after an equals sign, with its name in the help and the value that the flag has without one.
    Optional(&'static str, &'static str),
}

impl Takes {
    /// Whether the flag takes a value.
    fn has_value(&self) -> bool {
        !matches!(self, Self::Nothing)
    }

    /// The name in the help of a value that is a separate argument.
    pub(crate) fn value(&self) -> Option<&'static str> {
        match self {
            Self::Nothing | Self::Optional(..) => None,
            Self::Value(name) | Self::Values(name) => Some(name),
        }
    }
}

/// What shell completion offers for a value.
pub(crate) enum Complete {
    Nothing,
    Files,
    Directories,
    Words(&'static [&'static str]),
    /// Values that `codex __complete` finds on this machine.
    Found(CompletedKind),
}
