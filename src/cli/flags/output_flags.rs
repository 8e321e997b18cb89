//! The flags about output, and about stored conversations.

use super::flag::{Complete, CompletedKind, EMPTY, Flag, FlagGroup, Takes};

const RUN: &[&str] = &["run"];
const TURNS: &[&str] = &["run", "chat"];

/// The flags, in listing order.
pub(crate) const FLAGS: &[Flag] = &[
    Flag {
        long: "json",
        takes: Takes::Nothing,
        commands: RUN,
        brief: "JSON lines on standard output",
        group: FlagGroup::Output,
        rare: false,
        doc: "Prints JSON lines instead of the answer's text: the events of the official `codex exec --json`, and a few more. \
              `codex schema events` describes them. The last line is turn.completed or turn.failed.",
        set: |args, _| args.json = true,
        ..EMPTY
    },
    Flag {
        long: "json",
        takes: Takes::Nothing,
        commands: &["sessions"],
        brief: "print a JSON array",
        group: FlagGroup::Output,
        rare: false,
        doc: "Prints a JSON array of objects with id, created_at and used_at in Unix seconds, cwd, model, turns and prompt.",
        set: |args, _| args.json = true,
        ..EMPTY
    },
    Flag {
        long: "json",
        takes: Takes::Nothing,
        commands: &["mcp"],
        brief: "print JSON",
        group: FlagGroup::Output,
        rare: false,
        doc: "Prints a JSON object with servers, an array of objects with name, declared (the place of its declaration), program, version, protocol, \
              tools (each with name, tool, description and bytes), bytes (the size of all of them) and error.",
        set: |args, _| args.json = true,
        ..EMPTY
    },
    Flag {
        long: "here",
        takes: Takes::Nothing,
        commands: &["sessions"],
        brief: "only those of this directory",
        group: FlagGroup::Output,
        rare: false,
        doc: "Lists only the conversations of the working directory.",
        set: |args, _| args.here = true,
        ..EMPTY
    },
    Flag {
        long: "limit",
        takes: Takes::Value("N"),
        commands: &["sessions"],
        brief: "at most this many",
        group: FlagGroup::Output,
        rare: false,
        doc: "Lists at most this many conversations. Without it, 20 on a terminal, and all of them elsewhere.",
        set: |args, value| args.limit = Some(value),
        ..EMPTY
    },
    Flag {
        long: "deltas",
        takes: Takes::Nothing,
        commands: RUN,
        brief: "with --json, text as it arrives",
        group: FlagGroup::Output,
        rare: true,
        doc: "With --json, also prints the pieces of a message as they arrive, as item.delta.",
        set: |args, _| args.deltas = true,
        ..EMPTY
    },
    Flag {
        long: "output-schema",
        takes: Takes::Value("FILE"),
        commands: &["run", "exec"],
        brief: "the answer must match this JSON Schema",
        group: FlagGroup::Output,
        rare: true,
        doc: "The last message must match the JSON Schema in this file. The schema is sent to the service, and \
              codex-run validates the message; a mismatch ends the run with exit code 10. Only that message is \
              printed, once it is known to be the last. The schema must be valid in strict mode.",
        complete: Complete::Files,
        set: |args, value| args.output_schema = Some(value),
        ..EMPTY
    },
    Flag {
        long: "output-last-message",
        short: Some('o'),
        takes: Takes::Value("FILE"),
        commands: &["run", "exec"],
        brief: "also write the last message to this file",
        group: FlagGroup::Output,
        rare: true,
        doc: "Also writes the last message to this file. The file is replaced atomically if the run succeeds, and left unchanged \
              otherwise.",
        complete: Complete::Files,
        set: |args, value| args.output_last_message = Some(value),
        ..EMPTY
    },
    Flag {
        long: "resume",
        takes: Takes::Value("ID"),
        commands: TURNS,
        brief: "continue a stored conversation",
        group: FlagGroup::Sessions,
        rare: true,
        doc: "Continues the stored conversation with this id, or the only one whose id begins or ends with it; \
              `codex sessions` lists them.",
        complete: Complete::Found(CompletedKind::Sessions),
        excludes: &["last", "fork", "ephemeral"],
        set: |args, value| args.resume = Some(value),
        ..EMPTY
    },
    Flag {
        long: "last",
        takes: Takes::Nothing,
        commands: TURNS,
        brief: "continue this directory's latest one",
        group: FlagGroup::Sessions,
        rare: true,
        doc: "Continues the newest stored conversation of the working directory.",
        excludes: &["fork", "ephemeral"],
        set: |args, _| args.last = true,
        ..EMPTY
    },
    Flag {
        long: "fork",
        takes: Takes::Value("ID"),
        commands: TURNS,
        brief: "continue a copy of a conversation",
        group: FlagGroup::Sessions,
        rare: true,
        doc: "Continues a copy of the stored conversation with this id, which is left unchanged.",
        complete: Complete::Found(CompletedKind::Sessions),
        excludes: &["ephemeral"],
        set: |args, value| args.fork = Some(value),
        ..EMPTY
    },
    Flag {
        long: "ephemeral",
        takes: Takes::Nothing,
        commands: &["run", "exec", "chat"],
        brief: "do not store the conversation",
        group: FlagGroup::Sessions,
        rare: true,
        doc: "Does not store the conversation. Otherwise it is stored in sessions/ in CODEX_RUN_HOME.",
        set: |args, _| args.ephemeral = true,
        ..EMPTY
    },
];
