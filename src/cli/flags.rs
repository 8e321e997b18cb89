//! The table of commands and flags. The parser, `-h`, `--help`, the man page and the completions are
//! functions of it, so a new flag is one entry here and one test.

use std::ffi::OsString;

use crate::tools::TOOLS;

/// What the command line says, unjudged.
#[allow(clippy::struct_excessive_bools)] // one for each flag that takes nothing
#[derive(Debug, Default)]
pub(super) struct Args {
    pub(super) words: Vec<OsString>,
    pub(super) model: Option<OsString>,
    pub(super) effort: Option<OsString>,
    pub(super) instructions: Option<OsString>,
    pub(super) append_instructions: Vec<OsString>,
    pub(super) directory: Option<OsString>,
    pub(super) sandbox: Option<OsString>,
    pub(super) tools: Option<OsString>,
    pub(super) no_tools: bool,
    pub(super) max_turns: Option<OsString>,
    pub(super) timeout: Option<OsString>,
    pub(super) tool_timeout: Option<OsString>,
    pub(super) no_stdin: bool,
    pub(super) dry_run: bool,
    pub(super) api_key_file: Option<OsString>,
    pub(super) quiet: bool,
    pub(super) verbose: bool,
}

/// What follows a flag.
pub(super) enum Takes {
    Nothing,
    /// A value, called this in the help.
    Value(&'static str),
}

/// What a shell offers for a value.
pub(super) enum Complete {
    Nothing,
    Files,
    Directories,
    Words(&'static [&'static str]),
}

/// A flag.
pub(super) struct Flag {
    pub(super) long: &'static str,
    pub(super) short: Option<char>,
    pub(super) takes: Takes,
    /// The commands that take it.
    pub(super) of: &'static [&'static str],
    /// A few words for `-h`.
    pub(super) brief: &'static str,
    /// Sentences for `--help` and the man page.
    pub(super) doc: &'static str,
    pub(super) complete: Complete,
    /// Stores the value. It is judged later, together with all others.
    pub(super) set: fn(&mut Args, OsString),
}

/// A command.
pub(super) struct Command {
    pub(super) name: &'static str,
    /// What follows the name.
    pub(super) usage: &'static str,
    pub(super) brief: &'static str,
    pub(super) doc: &'static str,
    /// The words that may follow, where they are fixed.
    pub(super) words: &'static [&'static str],
}

/// How much a model may be told to think.
pub(super) const EFFORTS: &[&str] = &["none", "minimal", "low", "medium", "high", "xhigh", "max"];

/// What tools may touch.
pub(super) const SANDBOXES: &[&str] = &["read-only", "workspace-write", "danger-full-access"];

/// The shells that completions are made for.
pub(super) const SHELLS: &[&str] = &["bash", "zsh", "fish"];

/// The tools that can be offered.
pub(super) const TOOL_NAMES: [&str; TOOLS.len()] = {
    let mut names = [""; TOOLS.len()];
    let mut i = 0;
    while i < TOOLS.len() {
        names[i] = TOOLS[i].function.name;
        i += 1;
    }
    names
};

/// The commands, in the order in which they are listed.
pub(super) const COMMANDS: &[Command] = &[
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
        name: "tool",
        usage: "NAME",
        brief: "run one built-in tool, as `run` itself does",
        doc: "Runs one built-in tool: its arguments are read as one JSON object from standard input, its result goes to \
              standard output. The exit code is 0 if the tool did what it was asked to, else 1. When its time is over, \
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
        words: &["run", "tool", "completion", "help", "exit-codes"],
    },
];

const RUN: &[&str] = &["run"];

/// The flags, in the order in which they are listed.
pub(super) const FLAGS: &[Flag] = &[
    Flag {
        long: "model",
        short: Some('m'),
        takes: Takes::Value("ID"),
        of: RUN,
        brief: "model to ask",
        doc: "The model to ask. Without it, CODEX_MODEL decides, else it is gpt-5.5.",
        complete: Complete::Nothing,
        set: |args, value| args.model = Some(value),
    },
    Flag {
        long: "effort",
        short: Some('e'),
        takes: Takes::Value("LEVEL"),
        of: RUN,
        brief: "how much the model thinks",
        doc: "How much the model thinks before it answers: none, minimal, low, medium, high, xhigh or max. Not every \
              model takes every level. Without it, the model's own default holds.",
        complete: Complete::Words(EFFORTS),
        set: |args, value| args.effort = Some(value),
    },
    Flag {
        long: "instructions",
        short: None,
        takes: Takes::Value("FILE"),
        of: RUN,
        brief: "replace the built-in instructions",
        doc: "Replaces the built-in instructions by the text of this file. --dry-run shows the built-in ones.",
        complete: Complete::Files,
        set: |args, value| args.instructions = Some(value),
    },
    Flag {
        long: "append-instructions",
        short: None,
        takes: Takes::Value("TEXT"),
        of: RUN,
        brief: "add to the instructions",
        doc: "Adds this text to the instructions, as a paragraph of its own. May be given more than once.",
        complete: Complete::Nothing,
        set: |args, value| args.append_instructions.push(value),
    },
    Flag {
        long: "cd",
        short: Some('C'),
        takes: Takes::Value("DIR"),
        of: RUN,
        brief: "directory that the tools work in",
        doc: "The directory that the tools work in. Files named by other flags are still found from where the command \
              was typed.",
        complete: Complete::Directories,
        set: |args, value| args.directory = Some(value),
    },
    Flag {
        long: "sandbox",
        short: Some('s'),
        takes: Takes::Value("MODE"),
        of: RUN,
        brief: "what the tools may touch",
        doc: "What the tools may touch: read-only (the default), workspace-write or danger-full-access. This version \
              cannot confine tools, so offering them takes danger-full-access, which lets them do whatever you may do.",
        complete: Complete::Words(SANDBOXES),
        set: |args, value| args.sandbox = Some(value),
    },
    Flag {
        long: "tools",
        short: None,
        takes: Takes::Value("LIST"),
        of: RUN,
        brief: "tools to offer, with commas between them",
        doc: "The tools that the model is offered, with commas between them. Without it: bash,read,edit,write.",
        complete: Complete::Words(&TOOL_NAMES),
        set: |args, value| args.tools = Some(value),
    },
    Flag {
        long: "no-tools",
        short: None,
        takes: Takes::Nothing,
        of: RUN,
        brief: "offer no tools",
        doc: "Offers the model no tools at all.",
        complete: Complete::Nothing,
        set: |args, _| args.no_tools = true,
    },
    Flag {
        long: "max-turns",
        short: None,
        takes: Takes::Value("N"),
        of: RUN,
        brief: "requests to the model at most (100)",
        doc: "The most requests that are made to the model. A run that needs more ends with exit code 9. Without it: 100.",
        complete: Complete::Nothing,
        set: |args, value| args.max_turns = Some(value),
    },
    Flag {
        long: "timeout",
        short: None,
        takes: Takes::Value("DUR"),
        of: RUN,
        brief: "time for the whole run",
        doc: "The time that the whole run may take, waiting for standard input included: 300ms, 90s, 15m, 2h, or plain \
              seconds. A run that needs more ends with exit code 124.",
        complete: Complete::Nothing,
        set: |args, value| args.timeout = Some(value),
    },
    Flag {
        long: "tool-timeout",
        short: None,
        takes: Takes::Value("DUR"),
        of: &["run", "tool"],
        brief: "time for each tool call (120s)",
        doc: "The time that each tool call may take. When it is over, everything that the tool has started is ended, \
              and the model is told. Without it: 120s.",
        complete: Complete::Nothing,
        set: |args, value| args.tool_timeout = Some(value),
    },
    Flag {
        long: "no-stdin",
        short: None,
        takes: Takes::Nothing,
        of: RUN,
        brief: "never look at standard input",
        doc: "Never looks at standard input.",
        complete: Complete::Nothing,
        set: |args, _| args.no_stdin = true,
    },
    Flag {
        long: "dry-run",
        short: None,
        takes: Takes::Nothing,
        of: RUN,
        brief: "print the request, send nothing",
        doc: "Prints the exact request as JSON, with *** for secrets, and sends nothing. The same command prints the same \
              bytes each time; the id of the conversation, which is otherwise a new one, is all zeros.",
        complete: Complete::Nothing,
        set: |args, _| args.dry_run = true,
    },
    Flag {
        long: "api-key-file",
        short: None,
        takes: Takes::Value("FILE"),
        of: RUN,
        brief: "use the API key in this file",
        doc: "Uses the API key in this file, for this run only and before any other credential.",
        complete: Complete::Files,
        set: |args, value| args.api_key_file = Some(value),
    },
    Flag {
        long: "quiet",
        short: Some('q'),
        takes: Takes::Nothing,
        of: RUN,
        brief: "nothing but errors on standard error",
        doc: "Writes nothing but errors to standard error.",
        complete: Complete::Nothing,
        set: |args, _| args.quiet = true,
    },
    Flag {
        long: "verbose",
        short: Some('v'),
        takes: Takes::Nothing,
        of: RUN,
        brief: "also show tool output and token use",
        doc: "Also writes the output of tools and the use of tokens to standard error.",
        complete: Complete::Nothing,
        set: |args, _| args.verbose = true,
    },
];

/// The command of this name.
pub(super) fn command(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name)
}

/// The flags of this command.
pub(super) fn flags_of(command: &str) -> impl Iterator<Item = &'static Flag> {
    FLAGS.iter().filter(move |flag| flag.of.contains(&command))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        for (i, flag) in FLAGS.iter().enumerate() {
            let name = flag.long;
            assert!(
                FLAGS[..i].iter().all(|f| f.long != name),
                "{name} stands twice"
            );
            assert!(
                FLAGS[..i]
                    .iter()
                    .all(|f| f.short.is_none() || f.short != flag.short),
                "{name}"
            );
            assert!(
                !matches!(flag.short, Some('h')) && name != "help" && name != "version",
                "{name} is taken"
            );
            assert!(
                flag.doc.ends_with('.') && flag.doc.starts_with(char::is_uppercase),
                "{name}: {}",
                flag.doc
            );
            assert!(
                flag.brief.len() <= 44 && !flag.brief.ends_with('.'),
                "{name}: {}",
                flag.brief
            );
            assert!(flag.of.iter().all(|of| command(of).is_some()), "{name}");
            if let Takes::Value(value) = flag.takes {
                assert!(
                    !value.is_empty() && value.chars().all(|c| c.is_ascii_uppercase()),
                    "{name}: {value}"
                );
            }
        }
    }

    #[test]
    fn every_command_has_its_sentences() {
        for (i, command) in COMMANDS.iter().enumerate() {
            assert!(COMMANDS[..i].iter().all(|c| c.name != command.name));
            assert!(
                command.doc.ends_with('.') && !command.brief.ends_with('.'),
                "{}",
                command.name
            );
        }
        let topics = command("help").map(|help| help.words).unwrap_or_default();
        assert!(
            COMMANDS
                .iter()
                .all(|command| topics.contains(&command.name)),
            "help knows every command"
        );
    }
}
