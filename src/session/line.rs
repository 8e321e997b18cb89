//! The lines of a session file. One of our own has a type that begins with `codex.`; every other line is an item, as the
//! bytes that go to the service. So a newer version can add kinds of lines that this one leaves aside: such a line stays in
//! the file, and is never sent.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// The version of the file, raised when older programs could not read it. What is new in 2 is the prefix.
pub(super) const SESSION_VERSION: u32 = 2;

/// What the types of our own lines begin with.
const PREFIX: &str = "codex.";

/// The first line.
const SESSION: &str = "session";

/// The line before what a run adds.
const TURN: &str = "turn";

/// How a file spells the types of our own lines. It stays as it began, so that the version which began it can read it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Spelling {
    /// Without the prefix, up to version 1.
    Bare,
    /// With it.
    #[default]
    Prefixed,
}

impl Spelling {
    /// The type of the first line.
    pub(super) fn session(self) -> String {
        self.of(SESSION)
    }

    /// The type of the line before what a run adds.
    pub(super) fn turn(self) -> String {
        self.of(TURN)
    }

    fn of(self, name: &str) -> String {
        match self {
            Self::Bare => name.to_owned(),
            Self::Prefixed => format!("{PREFIX}{name}"),
        }
    }

    /// The spelling of a file whose first line has this type; nothing where that begins no session.
    pub(super) fn of_first(kind: &str) -> Option<Self> {
        [Self::Bare, Self::Prefixed]
            .into_iter()
            .find(|spelling| spelling.session() == kind)
    }

    /// What a line of this type is, behind the first one.
    pub(super) fn line_kind(self, kind: &str) -> LineKind {
        match kind.strip_prefix(PREFIX) {
            // The versions that began a bare file stored whatever the service sent, also an item of this type.
            Some(TURN) if self == Self::Prefixed => LineKind::Turn,
            Some(_) => LineKind::Unknown,
            None if self == Self::Bare && kind == TURN => LineKind::Turn,
            None => LineKind::Item,
        }
    }

    /// Whether an item, as a line, is read back as one.
    pub(super) fn is_item(self, item: &[u8]) -> bool {
        ItemFields::read(item).is_some_and(|fields| {
            fields.is_typed()
                && self.line_kind(&fields.kind().unwrap_or_default()) == LineKind::Item
        })
    }
}

/// What a line is, behind the first one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineKind {
    /// A run begins, or asks another model from here on.
    Turn,
    /// One of our own that this version does not know.
    Unknown,
    /// An item.
    Item,
}

/// The first line.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct FirstLine {
    pub(super) version: u32,
    pub(super) id: Option<String>,
    pub(super) created_at: u64,
    pub(super) cwd: Option<String>,
}

/// A line before what a run adds.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct TurnLine {
    pub(super) model: Option<String>,
    pub(super) provider: Option<String>,
    pub(super) effort: Option<String>,
    /// The directory of a run that begins. Without it the run has changed to another model.
    pub(super) cwd: Option<String>,
}

/// What is read of an item. A field that is not of the usual type says nothing.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ItemFields<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    role: Option<&'a RawValue>,
    #[serde(borrow)]
    call_id: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) reasoning: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) content: Option<&'a RawValue>,
}

impl<'a> ItemFields<'a> {
    /// Reads a line; nothing where it is no JSON object.
    pub(super) fn read(line: &'a [u8]) -> Option<Self> {
        // serde would read an array as the fields in order.
        if line.trim_ascii_start().first() != Some(&b'{') {
            return None;
        }
        serde_json::from_slice(line).ok()
    }

    /// The type, if there is one.
    pub(super) fn kind(&self) -> Option<String> {
        text(self.kind)
    }

    /// Who says it, in a message.
    pub(super) fn role(&self) -> Option<String> {
        text(self.role)
    }

    /// Whether it says what it is. A message may do so by its role alone.
    pub(super) fn is_typed(&self) -> bool {
        self.kind().is_some_and(|kind| !kind.is_empty()) || self.role().is_some()
    }

    /// What ties a call to its output.
    pub(super) fn call_id(&self) -> Option<String> {
        text(self.call_id)
    }
}

fn text(raw: Option<&RawValue>) -> Option<String> {
    serde_json::from_str(raw?.get()).ok()
}

/// An item on one line: between its values JSON takes a blank as well as a line end, and in a text it has none.
#[must_use]
pub fn on_one_line(item: &[u8]) -> Cow<'_, [u8]> {
    if !item.contains(&b'\n') && !item.contains(&b'\r') {
        return Cow::Borrowed(item);
    }
    let blank = |byte: &u8| match byte {
        b'\n' | b'\r' => b' ',
        other => *other,
    };
    Cow::Owned(item.iter().map(blank).collect())
}
