//! The lines of a session file. Metadata lines have a type that begins with `codex.`; every other line is an item, as
//! the bytes sent to the service. A newer version can therefore add kinds of lines that this one ignores: such a line
//! stays in the file and is never sent.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

/// The version of the file format, raised when older programs can no longer read it. Version 2 added the prefix.
pub(super) const SESSION_VERSION: u32 = 2;

/// The prefix of metadata line types.
const PREFIX: &str = "codex.";

/// The first line.
const SESSION: &str = "session";

/// The line before the items of a run.
const TURN: &str = "turn";

/// The line that takes back the items before it.
const WITHDRAWN: &str = "withdrawn";

/// The line for a compaction of the items before it.
const COMPACTED: &str = "compacted";

/// The line for the length of the conversation.
const LENGTH: &str = "length";

/// The line that repeats, at the end of a long file, what a list of conversations shows.
const OVERVIEW: &str = "overview";

/// How a file writes the types of metadata lines. A file keeps its format, so that the version that created it can
/// still read it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum LineFormat {
    /// Without the prefix, up to version 1.
    Bare,
    /// With the prefix, since version 2.
    #[default]
    Prefixed,
}

impl LineFormat {
    /// Returns the type of the first line.
    pub(super) fn session(self) -> String {
        self.of(SESSION)
    }

    /// Returns the type of the line before the items of a run.
    pub(super) fn turn(self) -> String {
        self.of(TURN)
    }

    /// Returns the type of the line that takes back items; `None` if the versions that read such a file would take it for one.
    pub(super) fn withdrawn(self) -> Option<String> {
        (self == Self::Prefixed).then(|| self.of(WITHDRAWN))
    }

    /// Returns the type of the line for a compaction; `None` as for [`Self::withdrawn`].
    pub(super) fn compacted(self) -> Option<String> {
        (self == Self::Prefixed).then(|| self.of(COMPACTED))
    }

    /// Returns the type of the line for a length; `None` as for [`Self::withdrawn`].
    pub(super) fn length(self) -> Option<String> {
        (self == Self::Prefixed).then(|| self.of(LENGTH))
    }

    /// Returns the type of an overview; `None` as for [`LineFormat::withdrawn`].
    pub(super) fn overview(self) -> Option<String> {
        (self == Self::Prefixed).then(|| self.of(OVERVIEW))
    }

    /// Returns whether a line may be a metadata line. In an item, a quote inside of a string is escaped, so few items may be
    /// one.
    pub(super) fn may_be_metadata(self, line: &[u8]) -> bool {
        self == Self::Bare || memchr::memmem::find(line, b"\"codex.").is_some()
    }

    fn of(self, name: &str) -> String {
        match self {
            Self::Bare => name.to_owned(),
            Self::Prefixed => format!("{PREFIX}{name}"),
        }
    }

    /// Returns the format of a file whose first line has this type; `None` if it is not a session file.
    pub(super) fn of_first(kind: &str) -> Option<Self> {
        [Self::Bare, Self::Prefixed]
            .into_iter()
            .find(|line_format| line_format.session() == kind)
    }

    /// Classifies a line, after the first, by its type.
    pub(super) fn line_kind(self, kind: &str) -> LineKind {
        match kind.strip_prefix(PREFIX) {
            // Versions that create bare files store any item from the service, even one of this type.
            Some(TURN) if self == Self::Prefixed => LineKind::Turn,
            Some(WITHDRAWN) if self == Self::Prefixed => LineKind::Withdrawn,
            Some(COMPACTED) if self == Self::Prefixed => LineKind::Compacted,
            Some(LENGTH) if self == Self::Prefixed => LineKind::Length,
            Some(OVERVIEW) if self == Self::Prefixed => LineKind::Overview,
            Some(_) => LineKind::Unknown,
            None if self == Self::Bare && kind == TURN => LineKind::Turn,
            None => LineKind::Item,
        }
    }

    /// Returns whether an item with these fields, as a line, is read back as an item.
    pub(super) fn is_item(self, fields: &ItemFields<'_>) -> bool {
        fields.is_typed() && self.line_kind(&fields.kind().unwrap_or_default()) == LineKind::Item
    }
}

/// The kind of a line after the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineKind {
    /// A run begins, or switches to another model.
    Turn,
    /// The last items are not part of the conversation.
    Withdrawn,
    /// The items before it were compacted.
    Compacted,
    /// The length of the conversation.
    Length,
    /// It repeats what the lines before it say.
    Overview,
    /// A metadata line that this version does not know.
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

/// A line before the items of a run.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct TurnLine {
    pub(super) model: Option<String>,
    pub(super) provider: Option<String>,
    pub(super) effort: Option<String>,
    /// The working directory of a new run. Without it the line records a switch to another model.
    pub(super) cwd: Option<String>,
}

/// A line that takes back items.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct WithdrawnLine {
    /// The number of items before it.
    pub(super) items: usize,
}

/// A line with the length of the conversation.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct LengthLine {
    /// The number of tokens.
    pub(super) tokens: u64,
}

/// What a list of conversations shows, as a line at the end of a long file.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct OverviewLine {
    #[serde(rename = "type", default)]
    pub(super) kind: String,
    pub(super) turns: usize,
    pub(super) model: String,
    #[serde(default)]
    pub(super) provider: Option<String>,
    pub(super) cwd: String,
    pub(super) first: String,
}

impl OverviewLine {
    /// Parses a line with its end; `None` if it is not an overview.
    pub(super) fn read(line: &[u8]) -> Option<Self> {
        let line = line.strip_suffix(b"\n")?;
        let overview: Self = serde_json::from_slice(line).ok()?;
        (Some(&overview.kind) == LineFormat::Prefixed.overview().as_ref()).then_some(overview)
    }

    /// Returns the line, of this type.
    pub(super) fn line(&self, kind: &str) -> String {
        let mut line = json!({"type": kind, "turns": self.turns, "model": self.model,
            "cwd": self.cwd, "first": self.first});
        if let Some(provider) = &self.provider {
            line["provider"] = provider.as_str().into();
        }
        line.to_string()
    }
}

/// The fields read from an item. A field of an unexpected type is ignored.
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
    /// Parses a line; `None` if it is not a JSON object.
    pub(super) fn read(line: &'a [u8]) -> Option<Self> {
        // serde would accept an array as the fields in order.
        if line.trim_ascii_start().first() != Some(&b'{') {
            return None;
        }
        serde_json::from_slice(line).ok()
    }

    /// Returns the type.
    pub(super) fn kind(&self) -> Option<String> {
        text(self.kind)
    }

    /// Returns the role of a message.
    pub(super) fn role(&self) -> Option<String> {
        text(self.role)
    }

    /// Returns whether it has a type. For a message, a role is enough.
    pub(super) fn is_typed(&self) -> bool {
        self.kind().is_some_and(|kind| !kind.is_empty()) || self.role().is_some()
    }

    /// Returns the id that links a call and its output.
    pub(super) fn call_id(&self) -> Option<String> {
        text(self.call_id)
    }
}

fn text(raw: Option<&RawValue>) -> Option<String> {
    serde_json::from_str(raw?.get()).ok()
}

/// Puts an item on one line. Between JSON values, blanks and line ends are equivalent, and strings contain no raw line
/// ends.
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
