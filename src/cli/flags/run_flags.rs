//! The flags of a run as a whole: the question, its limits, and its reporting.

use super::flag::{BARE, Complete, Flag, Takes};
use super::words::{COLORS, EFFORTS, INPUTS, SEARCHES, SUMMARIES, VERBOSITIES};

const RUN: &[&str] = &["run"];
const TURNS: &[&str] = &["run", "chat"];

/// Flags about the question, in listing order.
pub(crate) const QUESTION: &[Flag] = &[
    Flag {
        long: "model",
        short: Some('m'),
        takes: Takes::Value("ID"),
        of: &["run", "exec", "chat"],
        brief: "model to use",
        rare: false,
        doc: "The model to use; `codex models` lists them. PROVIDER/ID names one of a provider in \
              models.json. An unknown id is sent as it is. Without the flag, a resumed conversation \
              keeps its model; otherwise CODEX_MODEL decides, then config.json, then the service's default for your \
              plan.",
        set: |args, value| args.model = Some(value),
        ..BARE
    },
    Flag {
        long: "models",
        takes: Takes::Value("LIST"),
        of: &["chat"],
        brief: "models that Ctrl+P goes through",
        rare: false,
        doc: "The models that Ctrl+P goes through, separated by commas, each with an effort after a colon if it is not its \
              default: --models gpt-5.5,gpt-5.4:high. Without it, all that the credential can use.",
        set: |args, value| args.models = Some(value),
        ..BARE
    },
    Flag {
        long: "effort",
        short: Some('e'),
        takes: Takes::Value("LEVEL"),
        of: TURNS,
        brief: "how much the model thinks",
        rare: false,
        doc: "How much the model thinks before it answers: none, minimal, low, medium, high, xhigh or max. A level \
              that the model does not support becomes the nearest one it does, with a note. Without the flag, a resumed conversation \
              keeps its effort; otherwise the model's default applies.",
        complete: Complete::Words(EFFORTS),
        set: |args, value| args.effort = Some(value),
        ..BARE
    },
    Flag {
        long: "verbosity",
        takes: Takes::Value("LEVEL"),
        of: TURNS,
        brief: "how detailed the answer is",
        rare: true,
        doc: "How detailed the answer is: low, medium or high. Without it, the model's default applies.",
        complete: Complete::Words(VERBOSITIES),
        set: |args, value| args.verbosity = Some(value),
        ..BARE
    },
    Flag {
        long: "summary",
        takes: Takes::Value("KIND"),
        of: TURNS,
        brief: "summarize the model's reasoning",
        rare: true,
        doc: "Has the model summarize its reasoning: auto, concise, detailed or none. The summary goes to standard \
              error.",
        complete: Complete::Words(SUMMARIES),
        default: Some("none"),
        set: |args, value| args.summary = Some(value),
        ..BARE
    },
    Flag {
        long: "search",
        takes: Takes::Optional("MODE", "live"),
        of: TURNS,
        brief: "let the service search the web",
        rare: true,
        doc: "Lets the model search the web with the service's own tool: live, which is the default mode, \
              or cached, which searches only what the service has stored. The queries leave this machine even without \
              --network. If the request does not support that tool, the run ends with exit code 1 and a message.",
        complete: Complete::Words(SEARCHES),
        set: |args, value| args.search = Some(value),
        ..BARE
    },
    Flag {
        long: "image",
        short: Some('i'),
        takes: Takes::Values("FILE"),
        of: &["run", "exec", "chat"],
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
        of: TURNS,
        brief: "send a text file along",
        rare: true,
        doc: "Sends the text of this file along with the prompt, in a block labelled with its path. May be given \
              more than once.",
        complete: Complete::Files,
        set: |args, value| args.file.push(value),
        ..BARE
    },
    Flag {
        long: "instructions",
        takes: Takes::Value("FILE"),
        of: TURNS,
        brief: "replace the built-in instructions",
        rare: true,
        doc: "Replaces the built-in instructions with the text of this file. --dry-run shows the built-in ones.",
        complete: Complete::Files,
        set: |args, value| args.instructions = Some(value),
        ..BARE
    },
    Flag {
        long: "append-instructions",
        takes: Takes::Values("TEXT"),
        of: TURNS,
        brief: "add to the instructions",
        rare: true,
        doc: "Adds this text to the instructions, as a paragraph of its own. May be given more than once.",
        set: |args, value| args.append_instructions.push(value),
        ..BARE
    },
    Flag {
        long: "no-agents-md",
        takes: Takes::Nothing,
        of: TURNS,
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
        brief: "maximum number of model requests",
        rare: true,
        doc: "The maximum number of requests to the model. A run that needs more ends with exit code 9.",
        default: Some("100"),
        set: |args, value| args.max_turns = Some(value),
        ..BARE
    },
    Flag {
        long: "max-turns",
        takes: Takes::Value("N"),
        of: &["chat"],
        brief: "maximum number of model requests",
        rare: true,
        doc: "The maximum number of requests to the model in one conversation. Without it, there is no limit.",
        set: |args, value| args.max_turns = Some(value),
        ..BARE
    },
    Flag {
        long: "max-tokens",
        takes: Takes::Value("N"),
        of: TURNS,
        brief: "maximum number of tokens of the run",
        rare: true,
        doc: "The maximum number of tokens, input and output of all requests, after which a run may still continue. One that \
              has used more and needs another request ends with exit code 9.",
        set: |args, value| args.max_tokens = Some(value),
        ..BARE
    },
    Flag {
        long: "max-tool-calls",
        takes: Takes::Value("N"),
        of: TURNS,
        brief: "maximum number of tool calls of the run",
        rare: true,
        doc: "The maximum number of tool calls. If an answer exceeds it, none of its calls is run, and the run ends with \
              exit code 9.",
        set: |args, value| args.max_tool_calls = Some(value),
        ..BARE
    },
    Flag {
        long: "timeout",
        takes: Takes::Value("DUR"),
        of: TURNS,
        brief: "time limit of the whole run",
        rare: true,
        doc: "The time limit of the whole run, including the wait for standard input: 300ms, 90s, 15m, 2h, or plain \
              seconds. A run that needs more ends with exit code 124.",
        set: |args, value| args.timeout = Some(value),
        ..BARE
    },
    Flag {
        long: "turn-timeout",
        takes: Takes::Value("DUR"),
        of: TURNS,
        brief: "time limit of each turn",
        rare: true,
        doc: "The time limit of each turn of a chat, or of --input jsonl. A turn that needs more fails with the code timeout, and \
              the conversation continues.",
        set: |args, value| args.turn_timeout = Some(value),
        ..BARE
    },
    Flag {
        long: "tool-timeout",
        takes: Takes::Value("DUR"),
        of: &["run", "tool", "chat"],
        brief: "time limit of each tool call",
        rare: true,
        doc: "The time limit of each tool call. When it expires, every process that the tool has started is ended, \
              and the model gets that as its result.",
        default: Some("120s"),
        set: |args, value| args.tool_timeout = Some(value),
        ..BARE
    },
    Flag {
        long: "idle-timeout",
        takes: Takes::Value("DUR"),
        of: TURNS,
        brief: "how long the service may stay silent",
        rare: true,
        doc: "How long the service may send nothing, before and during its answer. A request that gets \
              no byte for that long counts as failed.",
        default: Some("300s"),
        set: |args, value| args.idle_timeout = Some(value),
        ..BARE
    },
    Flag {
        long: "retries",
        takes: Takes::Value("N"),
        of: TURNS,
        brief: "retries after a failed request",
        rare: true,
        doc: "How often a request is retried if that may help: after a network error, an answer that \
              broke off, or an error of a busy or failing service. The first retry waits half a second, each further one \
              twice as long, 30 s at most, or as long as the service asks for. A tool call runs once, and no text is \
              printed twice.",
        default: Some("5"),
        set: |args, value| args.retries = Some(value),
        ..BARE
    },
    Flag {
        long: "wait-for-reset",
        takes: Takes::Value("DUR"),
        of: TURNS,
        brief: "wait up to this long for a usage limit",
        rare: true,
        doc: "At a usage limit, waits for it to reset and continues, if that takes no longer than this. Without it, a run \
              that reaches a limit ends with exit code 6.",
        set: |args, value| args.wait_for_reset = Some(value),
        ..BARE
    },
    Flag {
        long: "buffer",
        takes: Takes::Nothing,
        of: RUN,
        brief: "print an answer only once it is complete",
        rare: true,
        doc: "Holds back the text of each answer until it is complete. An answer that breaks off is then requested \
              again without a trace of it on standard output.",
        set: |args, _| args.buffer = true,
        ..BARE
    },
    Flag {
        long: "no-stdin",
        takes: Takes::Nothing,
        of: RUN,
        brief: "do not read standard input",
        rare: true,
        doc: "Does not read standard input.",
        set: |args, _| args.no_stdin = true,
        ..BARE
    },
    Flag {
        long: "input",
        takes: Takes::Value("jsonl"),
        of: RUN,
        brief: "many turns: JSON lines on standard input",
        rare: true,
        doc: "Reads messages from standard input, as JSON lines, until its end; each is a turn of one conversation. Lines can also \
              steer or interrupt the running turn, or change the model. Needs --json.",
        complete: Complete::Words(INPUTS),
        excludes: &["no-stdin", "image", "file", "dry-run"],
        set: |args, value| args.input = Some(value),
        ..BARE
    },
    Flag {
        long: "dry-run",
        takes: Takes::Nothing,
        of: RUN,
        brief: "print the request, send nothing",
        rare: true,
        doc: "Prints the exact request as JSON, with *** for secrets, and sends nothing. The same command prints the same \
              bytes each time; the id of a new conversation is all zeros.",
        set: |args, _| args.dry_run = true,
        ..BARE
    },
];

/// Flags about reporting.
pub(crate) const REPORTING: &[Flag] = &[
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
        of: &["run", "exec", "chat"],
        brief: "colours on standard error",
        rare: true,
        doc: "When standard error is coloured: always, never or auto, which is the default: if it is a terminal, unless \
              NO_COLOR, CLICOLOR_FORCE, CLICOLOR or TERM say otherwise. The answer itself is never coloured.",
        complete: Complete::Words(COLORS),
        set: |args, value| args.color = Some(value),
        ..BARE
    },
];
