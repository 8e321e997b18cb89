//! The flag about the length of a conversation.

use super::flag::{Complete, EMPTY, Flag, FlagGroup, Takes};
use super::words::COMPACTIONS;

/// The flag.
pub(crate) const FLAGS: &[Flag] = &[Flag {
    long: "compact",
    takes: Takes::Value("LIMIT"),
    commands: &["run", "chat"],
    brief: "shorten a long conversation",
    group: FlagGroup::Limits,
    rare: true,
    doc: "When the conversation is shortened: auto, when it exceeds the model's limit (its own, or 90 % of its context window); N, when \
          it has more than N tokens; off, never. `codex help compaction` says what stays.",
    default: Some("auto"),
    complete: Complete::Words(COMPACTIONS),
    set: |args, value| args.compact = Some(value),
    ..EMPTY
}];
