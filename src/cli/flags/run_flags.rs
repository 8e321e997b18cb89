//! The flags of a run as a whole: the question, its limits, and its reporting.

use super::flag::{Complete, CompletedKind, EMPTY, Flag, FlagGroup, Takes};
use super::words::{COLORS, EFFORTS, INPUTS, SEARCHES, SUMMARIES, VERBOSITIES};
use crate::tools::setup::DEFAULT_TIMEOUT_TEXT;

const RUN: &[&str] = &["run"];
const TURNS: &[&str] = &["run", "chat"];

/// Flags about the question, in listing order.
pub(crate) const QUESTION: &[Flag] = &[
    Flag {
        long: "model",
        short: Some('m'),
        takes: Takes::Value("ID"),
        commands: &["run", "exec", "chat"],
        brief: "model to use",
        group: FlagGroup::Model,
        rare: false,
        doc: "The model to use; `codex models` lists them. PROVIDER/ID selects one from a provider in \
              models.json. An unknown id is sent unchanged. If not given, a resumed conversation keeps its \
              model; otherwise the model comes from CODEX_MODEL, then config.json, then the service's default for \
              your plan.",
        complete: Complete::Found(CompletedKind::Models),
        set: |args, value| args.model = Some(value),
        ..EMPTY
    },
    Flag {
        long: "fallback-model",
        takes: Takes::Value("LIST"),
        commands: TURNS,
        brief: "models to use instead, A,B",
        group: FlagGroup::Model,
        rare: true,
        doc: "Models to use instead, separated by commas, as for -m. The next one is tried if a model does not exist or is not \
              on this plan, or if the service is overloaded (503) or rate-limits requests (429) and retries did not help. Not \
              for the plan's usage limits, blocked regions, or network and proxy errors, and only until the run has printed text or run \
              no tool.",
        complete: Complete::Found(CompletedKind::ModelList),
        set: |args, value| args.fallback_model = Some(value),
        ..EMPTY
    },
    Flag {
        long: "models",
        takes: Takes::Value("LIST"),
        commands: &["chat"],
        brief: "models that Ctrl+P cycles through",
        group: FlagGroup::Model,
        rare: false,
        doc: "The models that Ctrl+P cycles through, separated by commas, each with an effort after a colon if it is not its \
              default: --models gpt-5.5,gpt-5.4:high. Without it, all models that the credential can use.",
        complete: Complete::Found(CompletedKind::ModelEfforts),
        set: |args, value| args.models = Some(value),
        ..EMPTY
    },
    Flag {
        long: "effort",
        short: Some('e'),
        takes: Takes::Value("LEVEL"),
        commands: TURNS,
        brief: "how much the model thinks",
        group: FlagGroup::Model,
        rare: false,
        doc: "How much the model thinks before it answers: none, minimal, low, medium, high, xhigh or max. A level \
              that the model does not support is replaced by the nearest one that it does, with a note. If not given, \
              a resumed conversation keeps its effort; otherwise the model's default applies.",
        complete: Complete::Words(EFFORTS),
        set: |args, value| args.effort = Some(value),
        ..EMPTY
    },
    Flag {
        long: "verbosity",
        takes: Takes::Value("LEVEL"),
        commands: TURNS,
        brief: "how detailed the answer is",
        group: FlagGroup::Model,
        rare: true,
        doc: "How detailed the answer is: low, medium or high. If not given, the model's default applies.",
        complete: Complete::Words(VERBOSITIES),
        set: |args, value| args.verbosity = Some(value),
        ..EMPTY
    },
    Flag {
        long: "summary",
        takes: Takes::Value("KIND"),
        commands: TURNS,
        brief: "summarize the model's reasoning",
        group: FlagGroup::Model,
        rare: true,
        doc: "Asks the model to summarize its reasoning: auto, concise, detailed or none. The summary goes to standard \
              error.",
        complete: Complete::Words(SUMMARIES),
        default: Some("none"),
        set: |args, value| args.summary = Some(value),
        ..EMPTY
    },
    Flag {
        long: "search",
        takes: Takes::Optional("MODE", "live"),
        commands: TURNS,
        brief: "let the model search the web",
        group: FlagGroup::Model,
        rare: true,
        doc: "Lets the model search the web with the service's search tool. MODE is live (the default) or cached, which \
              searches only the service's cache. Queries are sent even without --network. If the model does \
              not support this tool, the run ends with exit code 1 and a message.",
        complete: Complete::Words(SEARCHES),
        set: |args, value| args.search = Some(value),
        ..EMPTY
    },
    Flag {
        long: "image",
        short: Some('i'),
        takes: Takes::Values("FILE"),
        commands: &["run", "exec", "chat"],
        brief: "attach an image",
        group: FlagGroup::Prompt,
        rare: true,
        doc: "Attaches this image to the prompt: PNG, JPEG, GIF or WebP (detected from its content), at most 20 MiB. \
              May be given more than once.",
        complete: Complete::Files,
        set: |args, value| args.image.push(value),
        ..EMPTY
    },
    Flag {
        long: "file",
        short: Some('f'),
        takes: Takes::Values("FILE"),
        commands: TURNS,
        brief: "attach a text file",
        group: FlagGroup::Prompt,
        rare: true,
        doc: "Attaches the text of this file to the prompt, in a block labelled with its path. May be given \
              more than once.",
        complete: Complete::Files,
        set: |args, value| args.file.push(value),
        ..EMPTY
    },
    Flag {
        long: "instructions",
        takes: Takes::Value("FILE"),
        commands: TURNS,
        brief: "replace the built-in instructions",
        group: FlagGroup::Prompt,
        rare: true,
        doc: "Replaces the built-in instructions with the text of this file. --dry-run shows the built-in ones.",
        complete: Complete::Files,
        set: |args, value| args.instructions = Some(value),
        ..EMPTY
    },
    Flag {
        long: "append-instructions",
        takes: Takes::Values("TEXT"),
        commands: TURNS,
        brief: "add to the instructions",
        group: FlagGroup::Prompt,
        rare: true,
        doc: "Appends this text to the instructions as a separate paragraph. May be given more than once.",
        set: |args, value| args.append_instructions.push(value),
        ..EMPTY
    },
    Flag {
        long: "no-agents-md",
        takes: Takes::Nothing,
        commands: TURNS,
        brief: "do not read AGENTS.md",
        group: FlagGroup::Prompt,
        rare: true,
        doc: "Does not read AGENTS.md. Otherwise each file of that name, from the root of the git repository down to \
              the working directory, is added to the instructions, 32 KiB in total. World-writable directories, such as /tmp, and the \
              directories above them are skipped.",
        set: |args, _| args.no_agents_md = true,
        ..EMPTY
    },
];

/// Flags about limits.
pub(crate) const LIMITS: &[Flag] = &[
    Flag {
        long: "max-turns",
        takes: Takes::Value("N"),
        commands: RUN,
        brief: "maximum number of model requests",
        group: FlagGroup::Limits,
        rare: true,
        doc: "The maximum number of requests to the model. A run that needs more ends with exit code 9.",
        default: Some("100"),
        set: |args, value| args.max_turns = Some(value),
        ..EMPTY
    },
    Flag {
        long: "max-turns",
        takes: Takes::Value("N"),
        commands: &["chat"],
        brief: "maximum number of model requests",
        group: FlagGroup::Limits,
        rare: true,
        doc: "The maximum number of requests to the model in one conversation. Without it, there is no limit.",
        set: |args, value| args.max_turns = Some(value),
        ..EMPTY
    },
    Flag {
        long: "max-tokens",
        takes: Takes::Value("N"),
        commands: TURNS,
        brief: "maximum number of tokens of the run",
        group: FlagGroup::Limits,
        rare: true,
        doc: "The maximum total of input and output tokens of all requests. A run that has used more and needs another \
              request ends with exit code 9.",
        set: |args, value| args.max_tokens = Some(value),
        ..EMPTY
    },
    Flag {
        long: "max-tool-calls",
        takes: Takes::Value("N"),
        commands: TURNS,
        brief: "maximum number of tool calls of the run",
        group: FlagGroup::Limits,
        rare: true,
        doc: "The maximum number of tool calls. If an answer exceeds it, none of that answer's calls are run, and the run \
              ends with exit code 9.",
        set: |args, value| args.max_tool_calls = Some(value),
        ..EMPTY
    },
    Flag {
        long: "max-cost",
        takes: Takes::Value("USD"),
        commands: TURNS,
        brief: "maximum cost of the run, in US dollars",
        group: FlagGroup::Limits,
        rare: true,
        doc: "The maximum cost of all requests at list prices, in US dollars, even with a subscription. A run that has reached it and \
              needs another request ends with exit code 9; a single request may exceed it. A \"cost\" in models.json is used if given; a \
              model without a price is an error.",
        set: |args, value| args.max_cost = Some(value),
        ..EMPTY
    },
    Flag {
        long: "timeout",
        takes: Takes::Value("DUR"),
        commands: TURNS,
        brief: "time limit for the whole run",
        group: FlagGroup::Limits,
        rare: true,
        doc: "The time limit for the whole run, including the wait for standard input: a duration such as 300ms, 90s, 15m \
              or 2h, or a number of seconds. A run that takes longer ends with exit code 124.",
        set: |args, value| args.timeout = Some(value),
        ..EMPTY
    },
    Flag {
        long: "turn-timeout",
        takes: Takes::Value("DUR"),
        commands: TURNS,
        brief: "time limit for each turn (--input jsonl)",
        group: FlagGroup::Limits,
        rare: true,
        doc: "The time limit for each turn of a chat, or of --input jsonl. A turn that takes longer fails with the code timeout, and \
              the conversation continues.",
        set: |args, value| args.turn_timeout = Some(value),
        ..EMPTY
    },
    Flag {
        long: "tool-timeout",
        takes: Takes::Value("DUR"),
        commands: &["run", "tool", "chat", "mcp"],
        brief: "time limit for each tool call",
        group: FlagGroup::Limits,
        rare: true,
        doc: "The time limit for each tool call. When it expires, every process that the tool has started is killed, \
              and the result says so.",
        default: Some(DEFAULT_TIMEOUT_TEXT),
        set: |args, value| args.tool_timeout = Some(value),
        ..EMPTY
    },
    Flag {
        long: "idle-timeout",
        takes: Takes::Value("DUR"),
        commands: TURNS,
        brief: "how long to wait for data",
        group: FlagGroup::Limits,
        rare: true,
        doc: "How long to wait for data from the service, before and during a response. A request that receives nothing \
              for that long has failed.",
        default: Some("300s"),
        set: |args, value| args.idle_timeout = Some(value),
        ..EMPTY
    },
    Flag {
        long: "retries",
        takes: Takes::Value("N"),
        commands: TURNS,
        brief: "retries after a failed request",
        group: FlagGroup::Limits,
        rare: true,
        doc: "How many times a request is retried after a network error, an interrupted response, or an error from a busy \
              or failing service. The wait starts at half a second and doubles with each retry, up to 30 s, or is as \
              long as the service asks for. A tool call runs once, and no text is printed twice.",
        default: Some("5"),
        set: |args, value| args.retries = Some(value),
        ..EMPTY
    },
    Flag {
        long: "wait-for-reset",
        takes: Takes::Value("DUR"),
        commands: TURNS,
        brief: "wait up to this long for a limit to reset",
        group: FlagGroup::Limits,
        rare: true,
        doc: "When a usage limit is reached, waits for its reset and continues, if that takes no longer than this. Without it, a run \
              that reaches a limit ends with exit code 6.",
        set: |args, value| args.wait_for_reset = Some(value),
        ..EMPTY
    },
    Flag {
        long: "buffer",
        takes: Takes::Nothing,
        commands: RUN,
        brief: "print an answer only once it is complete",
        group: FlagGroup::Output,
        rare: true,
        doc: "Holds back the text of each answer until it is complete. If the response is interrupted, it is \
              requested again, and none of the interrupted response reaches standard output.",
        set: |args, _| args.buffer = true,
        ..EMPTY
    },
    Flag {
        long: "no-stdin",
        takes: Takes::Nothing,
        commands: RUN,
        brief: "do not read standard input",
        group: FlagGroup::Prompt,
        rare: true,
        doc: "Does not read standard input.",
        set: |args, _| args.no_stdin = true,
        ..EMPTY
    },
    Flag {
        long: "input",
        takes: Takes::Value("FORMAT"),
        commands: RUN,
        brief: "several turns, as JSON lines on stdin",
        group: FlagGroup::Prompt,
        rare: true,
        doc: "With jsonl, reads messages from standard input, as JSON lines, until end of file; each is a turn of one conversation. Lines can also \
              steer or interrupt the running turn, or switch to a different model. Needs --json.",
        complete: Complete::Words(INPUTS),
        excludes: &["no-stdin", "image", "file", "dry-run"],
        set: |args, value| args.input = Some(value),
        ..EMPTY
    },
    Flag {
        long: "config-file",
        takes: Takes::Value("FILE"),
        commands: TURNS,
        brief: "settings file instead of config.json",
        group: FlagGroup::Settings,
        rare: true,
        doc: "Reads defaults for flags from this file instead of config.json. Relative paths in it are relative to its \
              directory. With -s workspace-write, it must be where tools cannot write.",
        complete: Complete::Files,
        set: |args, value| args.config_file = Some(value),
        ..EMPTY
    },
    Flag {
        long: "dry-run",
        takes: Takes::Nothing,
        commands: RUN,
        brief: "print the request, send nothing",
        group: FlagGroup::Output,
        rare: true,
        doc: "Prints the exact request as JSON, with *** for secrets, and sends nothing. The same command prints the same \
              bytes each time; the id of a new conversation is all zeros.",
        set: |args, _| args.dry_run = true,
        ..EMPTY
    },
];

/// Flags about reporting.
pub(crate) const REPORTING: &[Flag] = &[
    Flag {
        long: "quiet",
        short: Some('q'),
        takes: Takes::Nothing,
        commands: RUN,
        brief: "only errors on standard error",
        group: FlagGroup::Output,
        rare: true,
        doc: "Writes only errors to standard error.",
        excludes: &["verbose"],
        set: |args, _| args.quiet = true,
        ..EMPTY
    },
    Flag {
        long: "verbose",
        short: Some('v'),
        takes: Takes::Nothing,
        commands: RUN,
        brief: "also show tool output and token usage",
        group: FlagGroup::Output,
        rare: true,
        doc: "Also writes tool output and token usage to standard error.",
        set: |args, _| args.verbose = true,
        ..EMPTY
    },
    Flag {
        long: "color",
        takes: Takes::Value("WHEN"),
        commands: &["run", "exec", "chat"],
        brief: "colours on standard error",
        group: FlagGroup::Output,
        rare: true,
        doc: "Whether standard error is coloured: always, never or auto. With auto, the default, it is coloured if it is a \
              terminal, unless NO_COLOR, CLICOLOR_FORCE, CLICOLOR or TERM says otherwise. The answer itself is never \
              coloured.",
        complete: Complete::Words(COLORS),
        set: |args, value| args.color = Some(value),
        ..EMPTY
    },
];
