//! The flags that are about a run as a whole: what is asked, how long it may take, how it is told.

use super::flag::{BARE, Complete, Flag, Takes};
use super::words::{COLORS, EFFORTS, SEARCHES, SUMMARIES, VERBOSITIES};

const RUN: &[&str] = &["run"];

/// Flags about the question, in the order in which they are listed.
pub(crate) const ASKING: &[Flag] = &[
    Flag {
        long: "model",
        short: Some('m'),
        takes: Takes::Value("ID"),
        of: &["run", "exec"],
        brief: "model to ask",
        rare: false,
        doc: "The model to ask; `codex models` lists those that there are. PROVIDER/ID names one of a provider in \
              models.json. An id that is not known is sent as it is. Without the flag, a conversation that is gone on with \
              keeps its model; otherwise CODEX_MODEL decides, then config.json, then what the service prefers for your \
              plan.",
        set: |args, value| args.model = Some(value),
        ..BARE
    },
    Flag {
        long: "effort",
        short: Some('e'),
        takes: Takes::Value("LEVEL"),
        of: RUN,
        brief: "how much the model thinks",
        rare: false,
        doc: "How much the model thinks before it answers: none, minimal, low, medium, high, xhigh or max. A level \
              that the model does not take becomes the nearest that it does, with a note. Without the flag, a conversation \
              that is gone on with keeps its effort, and otherwise the model's default holds.",
        complete: Complete::Words(EFFORTS),
        set: |args, value| args.effort = Some(value),
        ..BARE
    },
    Flag {
        long: "verbosity",
        takes: Takes::Value("LEVEL"),
        of: RUN,
        brief: "how many words the answer has",
        rare: true,
        doc: "How many words the answer has: low, medium or high. Without it, the model's default holds.",
        complete: Complete::Words(VERBOSITIES),
        set: |args, value| args.verbosity = Some(value),
        ..BARE
    },
    Flag {
        long: "summary",
        takes: Takes::Value("KIND"),
        of: RUN,
        brief: "have the model sum up what it thinks",
        rare: true,
        doc: "Has the model sum up what it thinks: auto, concise, detailed or none. The summary goes to standard \
              error.",
        complete: Complete::Words(SUMMARIES),
        default: Some("none"),
        set: |args, value| args.summary = Some(value),
        ..BARE
    },
    Flag {
        long: "search",
        takes: Takes::Optional("MODE", "live"),
        of: RUN,
        brief: "let the service search the web",
        rare: true,
        doc: "Lets the model search the web with the service's own tool: live, which is what the flag means by itself, \
              or cached, which looks only into what the service has stored. The queries leave this machine without \
              --network. Where the request has no room for that tool, the run ends with exit code 1 and says why.",
        complete: Complete::Words(SEARCHES),
        set: |args, value| args.search = Some(value),
        ..BARE
    },
    Flag {
        long: "image",
        short: Some('i'),
        takes: Takes::Values("FILE"),
        of: &["run", "exec"],
        brief: "send a picture along",
        rare: false,
        doc: "Sends this picture along with the prompt: PNG, JPEG, GIF or WebP, known by its content, 20 MiB at most. \
              May be given more than once.",
        complete: Complete::Files,
        set: |args, value| args.image.push(value),
        ..BARE
    },
    Flag {
        long: "file",
        short: Some('f'),
        takes: Takes::Values("FILE"),
        of: RUN,
        brief: "send a text file along",
        rare: true,
        doc: "Sends the text of this file along with the prompt, in a block that is named by its path. May be given \
              more than once.",
        complete: Complete::Files,
        set: |args, value| args.file.push(value),
        ..BARE
    },
    Flag {
        long: "instructions",
        takes: Takes::Value("FILE"),
        of: RUN,
        brief: "replace the built-in instructions",
        rare: true,
        doc: "Replaces the built-in instructions by the text of this file. --dry-run shows the built-in ones.",
        complete: Complete::Files,
        set: |args, value| args.instructions = Some(value),
        ..BARE
    },
    Flag {
        long: "append-instructions",
        takes: Takes::Values("TEXT"),
        of: RUN,
        brief: "add to the instructions",
        rare: true,
        doc: "Adds this text to the instructions, as a paragraph of its own. May be given more than once.",
        set: |args, value| args.append_instructions.push(value),
        ..BARE
    },
    Flag {
        long: "no-agents-md",
        takes: Takes::Nothing,
        of: RUN,
        brief: "do not read AGENTS.md",
        rare: true,
        doc: "Does not read AGENTS.md. Otherwise each file of that name, from the root of the git repository down to \
              the working directory, is added to the instructions, 32 KiB in all. Nothing is taken from a directory in which \
              everybody may write, such as /tmp, nor from above one.",
        set: |args, _| args.no_agents_md = true,
        ..BARE
    },
];

/// Flags about limits.
pub(crate) const LIMITS: &[Flag] = &[
    Flag {
        long: "max-turns",
        takes: Takes::Value("N"),
        of: RUN,
        brief: "requests to the model at most",
        rare: true,
        doc: "The most requests that are made to the model. A run that needs more ends with exit code 9.",
        default: Some("100"),
        set: |args, value| args.max_turns = Some(value),
        ..BARE
    },
    Flag {
        long: "max-tokens",
        takes: Takes::Value("N"),
        of: RUN,
        brief: "tokens of the whole run at most",
        rare: true,
        doc: "The most tokens, taken in and given out over all requests, after which a run may still go on. One that \
              has used more and wants to make another request ends with exit code 9.",
        set: |args, value| args.max_tokens = Some(value),
        ..BARE
    },
    Flag {
        long: "max-tool-calls",
        takes: Takes::Value("N"),
        of: RUN,
        brief: "tool calls of the whole run at most",
        rare: true,
        doc: "The most tool calls that are run. If the model wants more, none of those is run, and the run ends with \
              exit code 9.",
        set: |args, value| args.max_tool_calls = Some(value),
        ..BARE
    },
    Flag {
        long: "timeout",
        takes: Takes::Value("DUR"),
        of: RUN,
        brief: "time for the whole run",
        rare: true,
        doc: "The time that the whole run may take, waiting for standard input included: 300ms, 90s, 15m, 2h, or plain \
              seconds. A run that needs more ends with exit code 124.",
        set: |args, value| args.timeout = Some(value),
        ..BARE
    },
    Flag {
        long: "tool-timeout",
        takes: Takes::Value("DUR"),
        of: &["run", "tool"],
        brief: "time for each tool call",
        rare: true,
        doc: "The time that each tool call may take. When it is over, everything that the tool has started is ended, \
              and the model is told.",
        default: Some("120s"),
        set: |args, value| args.tool_timeout = Some(value),
        ..BARE
    },
    Flag {
        long: "idle-timeout",
        takes: Takes::Value("DUR"),
        of: RUN,
        brief: "silence of the service at most",
        rare: true,
        doc: "How long the service may send nothing at all, before its answer and within it. A request that it leaves \
              without a byte for that long counts as failed.",
        default: Some("300s"),
        set: |args, value| args.idle_timeout = Some(value),
        ..BARE
    },
    Flag {
        long: "retries",
        takes: Takes::Value("N"),
        of: RUN,
        brief: "tries after a failed request",
        rare: true,
        doc: "How often a request is made again where that may help: after an error of the network, an answer that \
              broke off, or a service that is busy or broken. The first retry waits for half a second, each further one \
              twice as long, 30 s at most, or as long as the service asks for. A tool call runs once, and no text is \
              printed twice.",
        default: Some("5"),
        set: |args, value| args.retries = Some(value),
        ..BARE
    },
    Flag {
        long: "wait-for-reset",
        takes: Takes::Value("DUR"),
        of: RUN,
        brief: "wait this long for a usage limit to end",
        rare: true,
        doc: "At a usage limit, waits for its end and goes on, if it is no further away than this. Without it, a run \
              that meets a limit ends with exit code 6.",
        set: |args, value| args.wait_for_reset = Some(value),
        ..BARE
    },
    Flag {
        long: "buffer",
        takes: Takes::Nothing,
        of: RUN,
        brief: "print an answer only once it is complete",
        rare: true,
        doc: "Holds the text of each answer back until all of it has come. An answer that breaks off is then asked for \
              again without a trace of it on standard output.",
        set: |args, _| args.buffer = true,
        ..BARE
    },
    Flag {
        long: "no-stdin",
        takes: Takes::Nothing,
        of: RUN,
        brief: "never look at standard input",
        rare: true,
        doc: "Never looks at standard input.",
        set: |args, _| args.no_stdin = true,
        ..BARE
    },
    Flag {
        long: "dry-run",
        takes: Takes::Nothing,
        of: RUN,
        brief: "print the request, send nothing",
        rare: true,
        doc: "Prints the exact request as JSON, with *** for secrets, and sends nothing. The same command prints the same \
              bytes each time; the id of the conversation, which is otherwise a new one, is all zeros.",
        set: |args, _| args.dry_run = true,
        ..BARE
    },
];

/// Flags about what is told.
pub(crate) const TELLING: &[Flag] = &[
    Flag {
        long: "quiet",
        short: Some('q'),
        takes: Takes::Nothing,
        of: RUN,
        brief: "nothing but errors on standard error",
        rare: true,
        doc: "Writes nothing but errors to standard error.",
        excludes: &["verbose"],
        set: |args, _| args.quiet = true,
        ..BARE
    },
    Flag {
        long: "verbose",
        short: Some('v'),
        takes: Takes::Nothing,
        of: RUN,
        brief: "also show tool output and token use",
        rare: false,
        doc: "Also writes the output of tools and the use of tokens to standard error.",
        set: |args, _| args.verbose = true,
        ..BARE
    },
    Flag {
        long: "color",
        takes: Takes::Value("WHEN"),
        of: &["run", "exec"],
        brief: "colours on standard error",
        rare: true,
        doc: "When standard error is coloured: always, never or auto, which is the default: if it is a terminal, unless \
              NO_COLOR, CLICOLOR_FORCE, CLICOLOR or TERM say otherwise. The answer itself is never coloured.",
        complete: Complete::Words(COLORS),
        set: |args, value| args.color = Some(value),
        ..BARE
    },
];
