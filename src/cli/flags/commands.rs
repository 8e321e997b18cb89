//! The commands.

use super::command::Command;
use super::words::{SHELLS, TOOL_NAMES};

/// The commands, in the order in which they are listed.
pub(crate) const COMMANDS: &[Command] = &[
    Command {
        name: "login",
        usage: "[status]",
        brief: "sign in with a ChatGPT account",
        doc: "Signs in with a ChatGPT account and keeps the sign-in for later. The browser opens, and comes back by \
              itself; where it cannot, paste the address of the page that it ends on. Over SSH, in a container, with \
              CI set and without a display, the sign-in is by a code that is typed in elsewhere, unless BROWSER or \
              --no-browser is given. A sign-in that was there before is revoked once the new one is stored. \
              `codex login status` is `codex status`.",
        words: &["status"],
    },
    Command {
        name: "logout",
        usage: "",
        brief: "sign out, and revoke the sign-in",
        doc: "Removes the stored sign-in, or the stored key where there is no sign-in, and asks the service to revoke \
              the sign-in's tokens, so that copies of it end too.",
        words: &[],
    },
    Command {
        name: "status",
        usage: "",
        brief: "tell which credential is used, and why",
        doc: "Tells which credential is used: its kind, account and plan, when it ends, where it comes from, and what it \
              comes before. The exit code is 0 if somebody is signed in or a key is set, else 4. Nothing is asked of \
              the service unless --limits is given.",
        words: &[],
    },
    Command {
        name: "token",
        usage: "",
        brief: "print a valid access token",
        doc: "Prints an access token to standard output, renewed if that is needed, and when it ends to standard error. \
              For other programs: curl -H \"Authorization: Bearer $(codex token)\".",
        words: &[],
    },
    Command {
        name: "models",
        usage: "",
        brief: "list the models that can be asked",
        doc: "Lists the models that the present credential can be used with, as the service names them, and those of \
              models.json. A * stands behind the model that is asked if none is named, and behind the effort that a model \
              takes by itself. Where the service cannot be asked, the list is the one that it gave last, or the built-in \
              one, and standard error says so. Without a sign-in or key the exit code is 4.",
        words: &[],
    },
    Command {
        name: "run",
        usage: "[PROMPT...]",
        brief: "ask, run what the model calls, answer",
        doc: "Sends a prompt to a model, runs the tools that it calls, sends back what they answer, and goes on until \
              the answer is complete. The assistant's text goes to standard output, everything else to standard \
              error. The prompt is the arguments, joined by spaces; without arguments it is all of standard input. \
              Where a - stands among the arguments, standard input goes there. With other arguments, a file or pipe \
              on standard input follows the prompt in a <stdin> block; a pipe that has given nothing after 3 s is \
              left aside with a note.",
        words: &[],
    },
    Command {
        name: "exec",
        usage: "[resume [ID]] [PROMPT...]",
        brief: "`run`, as the official client spells it",
        doc: "The same as `run`, with the spelling of the official client's `codex exec`, so that scripts written for it and \
              its SDKs work unchanged. `codex exec resume ID` goes on with a stored conversation.",
        words: &[],
    },
    Command {
        name: "sessions",
        usage: "[rm ID...]",
        brief: "list stored conversations, or remove some",
        doc: "Lists the stored conversations, the newest first: id, time, directory, and what was asked first. `codex sessions \
              rm ID...` removes those of these ids. Nothing is ever removed by itself.",
        words: &[],
    },
    Command {
        name: "schema",
        usage: "events",
        brief: "print the JSON Schema of the JSON lines",
        doc: "Prints the JSON Schema (draft 2020-12) of the lines that `codex run --json` prints.",
        words: &["events"],
    },
    Command {
        name: "tool",
        usage: "NAME",
        brief: "run one built-in tool, as `run` itself does",
        doc: "Runs one built-in tool: bash {command, workdir, timeout}, read {path, offset, limit}, edit {path, edits}, \
              write {path, content}, grep {pattern, path, glob, ignore_case, context, limit}, find {pattern, path, limit} or \
              ls {path, limit}. Its arguments are read as one JSON object from standard input, its result goes to standard \
              output, as the model would see it: echo '{\"path\": \"README.md\"}' | codex tool read. It runs behind the policy that `codex run` would put around it: those of read-only unless -s \
              says otherwise. The exit code is 0 if the tool did what it was asked to, else 1. When its time is over, \
              or nobody holds the other end of its standard output any more, everything it has started is ended.",
        words: &TOOL_NAMES,
    },
    Command {
        name: "completion",
        usage: "SHELL",
        brief: "print a completion script",
        doc: "Prints a completion script to standard output, for bash, zsh or fish.",
        words: SHELLS,
    },
    Command {
        name: "help",
        usage: "[COMMAND | exit-codes]",
        brief: "explain a command, or the exit codes",
        doc: "Explains a command in full, as its --help does. With exit-codes, prints the table of exit codes.",
        words: &[
            "login",
            "logout",
            "status",
            "token",
            "models",
            "run",
            "exec",
            "sessions",
            "schema",
            "tool",
            "completion",
            "help",
            "exit-codes",
        ],
    },
];
