//! The flags of `codex exec`, the official client's syntax, that `run` does not have.

use super::flag::{BARE, Flag, Takes};

const EXEC: &[&str] = &["exec"];

/// A flag of the official client that is accepted and ignored.
macro_rules! meaningless {
    ($long:literal, $takes:expr) => {
        Flag {
            long: $long,
            takes: $takes,
            of: EXEC,
            brief: "accepted and ignored",
            rare: true,
            doc: "Accepted for compatibility with the official client, and ignored.",
            set: |args, _| args.meaningless.push($long),
            ..BARE
        }
    };
}

/// The flags, in listing order.
pub(crate) const FLAGS: &[Flag] = &[
    Flag {
        long: "json",
        takes: Takes::Nothing,
        of: EXEC,
        brief: "JSON lines on standard output",
        rare: false,
        doc: "Prints JSON lines instead of the answer's text, as `codex run --json` does.",
        set: |args, _| args.json = true,
        ..BARE
    },
    Flag {
        long: "experimental-json",
        takes: Takes::Nothing,
        of: EXEC,
        brief: "--json, for the official SDK",
        rare: true,
        doc: "The same as --json, except that a run ended by SIGTERM prints no last line: the official SDK would \
              mistake it for the cause of a stop that it requested itself.",
        set: |args, _| {
            args.json = true;
            args.of_sdk = true;
        },
        ..BARE
    },
    Flag {
        long: "config",
        short: Some('c'),
        takes: Takes::Values("KEY"),
        of: EXEC,
        brief: "a setting of the official client, KEY=VALUE",
        rare: false,
        doc: "A setting of the official client, as KEY=VALUE: model, model_reasoning_effort, model_reasoning_summary, \
              model_verbosity, openai_base_url, sandbox_workspace_write.network_access, web_search and approval_policy. Others \
              are accepted with a note, unless they would weaken the sandbox.",
        set: |args, value| args.config.push(value),
        ..BARE
    },
    Flag {
        long: "last",
        takes: Takes::Nothing,
        of: EXEC,
        brief: "with resume, the newest of this directory",
        rare: false,
        doc: "With `resume`, continues the newest stored conversation of the working directory.",
        set: |args, _| args.last = true,
        ..BARE
    },
    Flag {
        long: "full-auto",
        takes: Takes::Nothing,
        of: EXEC,
        brief: "-s workspace-write",
        rare: true,
        doc: "The same as -s workspace-write.",
        set: |args, _| args.sandbox = Some("workspace-write".into()),
        ..BARE
    },
    Flag {
        long: "dangerously-bypass-approvals-and-sandbox",
        takes: Takes::Nothing,
        of: EXEC,
        brief: "-s danger-full-access",
        rare: true,
        doc: "The same as -s danger-full-access.",
        set: |args, _| args.sandbox = Some("danger-full-access".into()),
        ..BARE
    },
    meaningless!("skip-git-repo-check", Takes::Nothing),
    meaningless!("thread-source", Takes::Value("NAME")),
    meaningless!("cyber-access-program", Takes::Value("NAME")),
    meaningless!("ignore-user-config", Takes::Nothing),
    meaningless!("ignore-rules", Takes::Nothing),
];
