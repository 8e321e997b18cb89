//! The flags of the official spelling, `codex exec`, that `run` does not have.

use super::flag::{Complete, Flag, Takes};

const EXEC: &[&str] = &["exec"];

/// A flag that the official client has and that means nothing here.
macro_rules! meaningless {
    ($long:literal, $takes:expr) => {
        Flag {
            long: $long,
            short: None,
            takes: $takes,
            of: EXEC,
            brief: "accepted, and has no meaning here",
            rare: true,
            doc: "Accepted for the sake of scripts that give it. It has no meaning here.",
            complete: Complete::Nothing,
            set: |args, _| args.meaningless.push($long),
        }
    };
}

/// The flags, in the order in which they are listed.
pub(crate) const FLAGS: &[Flag] = &[
    Flag {
        long: "json",
        short: None,
        takes: Takes::Nothing,
        of: EXEC,
        brief: "JSON lines on standard output",
        rare: false,
        doc: "Prints JSON lines instead of the answer's text, as `codex run --json` does.",
        complete: Complete::Nothing,
        set: |args, _| args.json = true,
    },
    Flag {
        long: "experimental-json",
        short: None,
        takes: Takes::Nothing,
        of: EXEC,
        brief: "--json, as the official SDK asks for it",
        rare: true,
        doc: "The same as --json, but that a run which is ended by SIGTERM has no last line: the official SDK takes one for \
              the reason of the end that it has ordered itself.",
        complete: Complete::Nothing,
        set: |args, _| {
            args.json = true;
            args.of_sdk = true;
        },
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
        complete: Complete::Nothing,
        set: |args, value| args.config.push(value),
    },
    Flag {
        long: "last",
        short: None,
        takes: Takes::Nothing,
        of: EXEC,
        brief: "with resume, the newest of this directory",
        rare: false,
        doc: "With `resume`, goes on with the newest stored conversation of the working directory.",
        complete: Complete::Nothing,
        set: |args, _| args.last = true,
    },
    Flag {
        long: "full-auto",
        short: None,
        takes: Takes::Nothing,
        of: EXEC,
        brief: "-s workspace-write",
        rare: true,
        doc: "The same as -s workspace-write.",
        complete: Complete::Nothing,
        set: |args, _| args.sandbox = Some("workspace-write".into()),
    },
    Flag {
        long: "dangerously-bypass-approvals-and-sandbox",
        short: None,
        takes: Takes::Nothing,
        of: EXEC,
        brief: "-s danger-full-access",
        rare: true,
        doc: "The same as -s danger-full-access.",
        complete: Complete::Nothing,
        set: |args, _| args.sandbox = Some("danger-full-access".into()),
    },
    meaningless!("skip-git-repo-check", Takes::Nothing),
    meaningless!("thread-source", Takes::Value("NAME")),
    meaningless!("cyber-access-program", Takes::Value("NAME")),
    meaningless!("ignore-user-config", Takes::Nothing),
    meaningless!("ignore-rules", Takes::Nothing),
];
