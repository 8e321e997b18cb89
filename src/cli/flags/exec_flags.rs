//! The flags of `codex exec`, the official client's syntax, that `run` does not have.

use super::flag::{EMPTY, Flag, FlagGroup, Takes};

const EXEC: &[&str] = &["exec"];

/// A flag of the official client that is accepted and ignored.
macro_rules! ignored {
    ($long:literal, $takes:expr) => {
        Flag {
            long: $long,
            takes: $takes,
            commands: EXEC,
            brief: "accepted and ignored",
            group: FlagGroup::Ignored,
            rare: true,
            doc: "Accepted for compatibility with the official client, and ignored.",
            set: |args, _| args.ignored.push($long),
            ..EMPTY
        }
    };
}

/// The flags, in listing order.
pub(crate) const FLAGS: &[Flag] = &[
    Flag {
        long: "json",
        takes: Takes::Nothing,
        commands: EXEC,
        brief: "JSON lines on standard output",
        group: FlagGroup::Output,
        rare: false,
        doc: "Prints JSON lines instead of the answer's text, as `codex run --json` does.",
        set: |args, _| args.json = true,
        ..EMPTY
    },
    Flag {
        long: "experimental-json",
        takes: Takes::Nothing,
        commands: EXEC,
        brief: "--json, for the official SDK",
        group: FlagGroup::Output,
        rare: true,
        doc: "The same as --json, except that a run ended by SIGTERM prints no last line: the official SDK would \
              mistake it for the cause of a stop that it requested itself.",
        set: |args, _| {
            args.json = true;
            args.of_sdk = true;
        },
        ..EMPTY
    },
    Flag {
        long: "config",
        short: Some('c'),
        takes: Takes::Values("KEY"),
        commands: EXEC,
        brief: "a setting of the official client, KEY=VALUE",
        group: FlagGroup::Settings,
        rare: false,
        doc: "A setting of the official client, as KEY=VALUE: model, model_reasoning_effort, model_reasoning_summary, \
              model_verbosity, model_auto_compact_token_limit, openai_base_url, sandbox_workspace_write.network_access, web_search and approval_policy. Others \
              are accepted with a note, unless they would weaken the sandbox.",
        set: |args, value| args.config.push(value),
        ..EMPTY
    },
    Flag {
        long: "last",
        takes: Takes::Nothing,
        commands: EXEC,
        brief: "with resume, the newest in this directory",
        group: FlagGroup::Sessions,
        rare: false,
        doc: "With `resume`, continues the newest stored conversation of the working directory.",
        set: |args, _| args.last = true,
        ..EMPTY
    },
    Flag {
        long: "full-auto",
        takes: Takes::Nothing,
        commands: EXEC,
        brief: "-s workspace-write",
        group: FlagGroup::Tools,
        rare: true,
        doc: "The same as -s workspace-write.",
        set: |args, _| args.sandbox = Some("workspace-write".into()),
        ..EMPTY
    },
    Flag {
        long: "approve-for-me",
        takes: Takes::Nothing,
        commands: EXEC,
        brief: "-s workspace-write",
        group: FlagGroup::Tools,
        rare: true,
        doc: "The same as -s workspace-write. What the sandbox does not allow fails: nothing is reviewed or approved.",
        set: |args, _| args.sandbox = Some("workspace-write".into()),
        ..EMPTY
    },
    Flag {
        long: "dangerously-bypass-approvals-and-sandbox",
        takes: Takes::Nothing,
        commands: EXEC,
        brief: "-s danger-full-access",
        group: FlagGroup::Tools,
        rare: true,
        doc: "The same as -s danger-full-access.",
        set: |args, _| args.sandbox = Some("danger-full-access".into()),
        ..EMPTY
    },
    ignored!("skip-git-repo-check", Takes::Nothing),
    ignored!("thread-source", Takes::Value("NAME")),
    ignored!("cyber-access-program", Takes::Value("NAME")),
    ignored!("ignore-user-config", Takes::Nothing),
    ignored!("ignore-rules", Takes::Nothing),
    ignored!("strict-config", Takes::Nothing),
    ignored!("trust", Takes::Nothing),
    ignored!("enable", Takes::Values("FEATURE")),
    ignored!("disable", Takes::Values("FEATURE")),
    ignored!("dangerously-bypass-hook-trust", Takes::Nothing),
];
