//! The commands.

use super::command::{Command, CommandAction};
use super::flag::CompletedKind;
use super::words::{SHELLS, TOOL_NAMES};

/// The commands, in listing order.
pub(crate) const COMMANDS: &[Command] = &[
    Command {
        name: "login",
        usage: "[status]",
        brief: "sign in with a ChatGPT account",
        doc: "Signs in with a ChatGPT account and stores the sign-in. Opens a browser; if the \
              browser cannot reach this machine, paste the URL of the page that you end up on. Over SSH, in a container, with \
              CI set or without a display, the sign-in uses a code to enter on another device, unless BROWSER is set or \
              --no-browser is given. An earlier sign-in is revoked once the new one is stored. \
              `codex login status` is `codex status`.",
        words: &["status"],
        actions: &[],
    },
    Command {
        name: "logout",
        usage: "",
        brief: "sign out, and revoke the sign-in",
        doc: "Removes the stored sign-in, or the stored key if there is no sign-in, and asks the service to revoke \
              the sign-in's tokens, so that copies stop working too.",
        words: &[],
        actions: &[],
    },
    Command {
        name: "status",
        usage: "",
        brief: "show which credential is used, and why",
        doc: "Shows which credential is used: its kind, account and plan, when it expires, where it comes from, and which \
              sources it overrides. The exit code is 0 if you are signed in or a key is set, otherwise 4. It sends nothing to \
              the service unless --limits or --check is given.",
        words: &[],
        actions: &[],
    },
    Command {
        name: "token",
        usage: "",
        brief: "print a valid access token",
        doc: "Prints an access token to standard output, renewed if necessary, and its expiry to standard error. \
              For use by other programs: curl -H \"Authorization: Bearer $(codex token)\".",
        words: &[],
        actions: &[],
    },
    Command {
        name: "models",
        usage: "",
        brief: "list the available models",
        doc: "Lists the models available with the current credential, under the service's names, and those in \
              models.json. A * marks the default model, and the default effort of each \
              model. If the service cannot be reached, the list is the last one received, or the built-in \
              one, with a note on standard error. Without a sign-in or key the exit code is 4.",
        words: &[],
        actions: &[],
    },
    Command {
        name: "run",
        usage: "[PROMPT...]",
        brief: "ask a model, run its tools, print the answer",
        doc: "Sends a prompt to a model, runs the tools that it calls, sends back their results, and continues until \
              the answer is complete. The assistant's text goes to standard output, everything else to standard \
              error. The prompt is the arguments joined by spaces, or all of standard input if there are none. \
              An argument - is replaced by standard input. With other arguments, a file or pipe \
              on standard input is appended to the prompt in a <stdin> block; a pipe that sends nothing for 3 s is \
              ignored with a note.",
        words: &[],
        actions: &[],
    },
    Command {
        name: "exec",
        usage: "[resume [ID]] [PROMPT...]",
        brief: "`run` with the official client's syntax",
        doc: "The same as `run`, with the syntax of the official client's `codex exec`: scripts written for it and its SDKs \
              work unchanged. `codex exec resume ID` continues a stored conversation.",
        words: &[],
        actions: &[
            CommandAction {
                word: "resume",
                repeats: false,
                offers: CompletedKind::Sessions,
            },
            CommandAction {
                word: "fork",
                repeats: false,
                offers: CompletedKind::Sessions,
            },
        ],
    },
    Command {
        name: "chat",
        usage: "[QUESTION...]",
        brief: "a full-screen conversation",
        doc: "Opens a full-screen conversation: you ask, the model answers and runs tools, and you can steer or \
              interrupt it and switch models. The arguments, if any, are the first question. It needs a terminal: it reads \
              from and draws on /dev/tty, and leaves standard input and output alone. Enter sends, Alt+Enter starts a new \
              line, Esc stops the turn, Ctrl+D leaves, and /help lists all keys and commands. The conversation is stored; the \
              command printed at the end continues it.",
        words: &[],
        actions: &[],
    },
    Command {
        name: "sessions",
        usage: "[show ID | rm ID...]",
        brief: "list, show or remove conversations",
        doc: "Lists the stored conversations, most recently used first: id, time of last use, directory, and the beginning of the \
              first message. On a terminal, the list fits the width, and only the end of each id is shown. `codex sessions show ID` \
              prints one as text, `codex sessions rm ID...` removes one or more. Any prefix or suffix of an id that matches no other id \
              is accepted. Nothing is ever removed automatically.",
        words: &[],
        actions: &[
            CommandAction {
                word: "show",
                repeats: false,
                offers: CompletedKind::Sessions,
            },
            CommandAction {
                word: "rm",
                repeats: true,
                offers: CompletedKind::Sessions,
            },
        ],
    },
    Command {
        name: "mcp",
        usage: "list",
        brief: "show what MCP servers offer",
        doc: "`codex mcp list` starts the MCP servers of mcp.json and of --mcp as `codex run` does, in the same sandbox, and lists \
              their versions, their tools, and the size of each definition. It needs no \
              sign-in. If a required server does not start, the exit code is 2. `codex help mcp` describes mcp.json.",
        words: &["list"],
        actions: &[],
    },
    Command {
        name: "schema",
        usage: "events",
        brief: "print the JSON Schema of the JSON lines",
        doc: "Prints the JSON Schema (draft 2020-12) of the lines that `codex run --json` prints.",
        words: &["events"],
        actions: &[],
    },
    Command {
        name: "tool",
        usage: "NAME",
        brief: "run a built-in tool, just as `run` does",
        doc: "Runs one built-in tool: bash {command, workdir, timeout}, read {path, offset, limit}, edit {path, edits}, \
              write {path, content}, grep {pattern, path, glob, ignore_case, context, limit}, find {pattern, path, limit} or \
              ls {path, limit}. It reads its arguments as one JSON object from standard input and writes its result to standard \
              output, as the model would see it: echo '{\"path\": \"README.md\"}' | codex tool read. It runs in the same sandbox as in `codex run`: read-only unless -s \
              says otherwise. The exit code is 0 if the tool succeeded, otherwise 1. When its time limit expires \
              or the reader closes its standard output, every process that it started is killed.",
        words: &TOOL_NAMES,
        actions: &[],
    },
    Command {
        name: "completion",
        usage: "SHELL",
        brief: "print a completion script",
        doc: "Prints a completion script to standard output, for bash, zsh or fish. Models, stored conversations, tools and names of \
              variables are completed from what is on this machine, without network.",
        words: SHELLS,
        actions: &[],
    },
    Command {
        name: "help",
        usage: "[COMMAND | TOPIC]",
        brief: "explain a command, or a topic",
        doc: "Explains a command in full, as its --help does, or a topic: exit-codes, environment, config, models, mcp, sandbox \
              or json. Without an argument, lists the commands and topics. The man pages codex(1), codex-config(5), \
              codex-json(5) and codex-sandbox(7) contain the same text.",
        words: &[
            "login",
            "logout",
            "status",
            "token",
            "models",
            "run",
            "exec",
            "chat",
            "sessions",
            "mcp",
            "schema",
            "tool",
            "completion",
            "help",
            "version",
            "exit-codes",
            "environment",
            "config",
            "sandbox",
            "json",
            "compaction",
        ],
        actions: &[],
    },
    Command {
        name: "version",
        usage: "",
        brief: "print name and version",
        doc: "Prints the name and the version of this program, as --version and -V do.",
        words: &[],
        actions: &[],
    },
];
