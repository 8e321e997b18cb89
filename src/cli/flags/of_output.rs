//! The flags about how an answer is given, and about stored conversations.

use super::flag::{BARE, Complete, Flag, Takes};

const RUN: &[&str] = &["run"];

/// The flags, in the order in which they are listed.
pub(crate) const FLAGS: &[Flag] = &[
    Flag {
        long: "json",
        takes: Takes::Nothing,
        of: RUN,
        brief: "JSON lines on standard output",
        rare: false,
        doc: "Prints JSON lines instead of the answer's text: the events of the official `codex exec --json`, and some more. \
              `codex schema events` describes them. The last line is turn.completed or turn.failed.",
        set: |args, _| args.json = true,
        ..BARE
    },
    Flag {
        long: "json",
        takes: Takes::Nothing,
        of: &["sessions"],
        brief: "as a JSON array",
        rare: false,
        doc: "Prints a JSON array of objects with id, created_at in Unix seconds, cwd, model, turns and prompt.",
        set: |args, _| args.json = true,
        ..BARE
    },
    Flag {
        long: "deltas",
        takes: Takes::Nothing,
        of: RUN,
        brief: "with --json, text as it arrives",
        rare: true,
        doc: "With --json, also tells the pieces of a message as they arrive, as item.delta.",
        set: |args, _| args.deltas = true,
        ..BARE
    },
    Flag {
        long: "output-schema",
        takes: Takes::Value("FILE"),
        of: &["run", "exec"],
        brief: "the answer must match this JSON Schema",
        rare: true,
        doc: "The last message must match the JSON Schema in this file. The service is told of it, and the message is checked \
              here; one that does not match is exit code 10. Standard output holds that message alone, once it is known to \
              be the last one. The schema must be one that strict mode takes.",
        complete: Complete::Files,
        set: |args, value| args.output_schema = Some(value),
        ..BARE
    },
    Flag {
        long: "output-last-message",
        short: Some('o'),
        takes: Takes::Value("FILE"),
        of: &["run", "exec"],
        brief: "the last message also to this file",
        rare: true,
        doc: "Writes the last message to this file too. It is replaced in one step if the run ends well, and left as it is \
              if not.",
        complete: Complete::Files,
        set: |args, value| args.output_last_message = Some(value),
        ..BARE
    },
    Flag {
        long: "resume",
        takes: Takes::Value("ID"),
        of: RUN,
        brief: "go on with a stored conversation",
        rare: true,
        doc: "Goes on with the stored conversation of this id; `codex sessions` lists them.",
        excludes: &["last", "fork", "ephemeral"],
        set: |args, value| args.resume = Some(value),
        ..BARE
    },
    Flag {
        long: "last",
        takes: Takes::Nothing,
        of: RUN,
        brief: "go on with the newest of this directory",
        rare: true,
        doc: "Goes on with the newest stored conversation of the working directory.",
        excludes: &["fork", "ephemeral"],
        set: |args, _| args.last = true,
        ..BARE
    },
    Flag {
        long: "fork",
        takes: Takes::Value("ID"),
        of: RUN,
        brief: "go on with a copy of a conversation",
        rare: true,
        doc: "Goes on with a copy of the stored conversation of this id, which stays as it is.",
        excludes: &["ephemeral"],
        set: |args, value| args.fork = Some(value),
        ..BARE
    },
    Flag {
        long: "ephemeral",
        takes: Takes::Nothing,
        of: &["run", "exec"],
        brief: "do not store the conversation",
        rare: true,
        doc: "Does not store the conversation. Otherwise it is kept below sessions/ in CODEX_RUN_HOME.",
        set: |args, _| args.ephemeral = true,
        ..BARE
    },
];
