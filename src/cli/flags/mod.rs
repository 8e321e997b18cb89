//! The table of commands and flags. The parser, `-h`, `--help`, the man page and the completions are
//! functions of it, so a new flag is one entry here and one test.

mod commands;
mod of_accounts;
mod of_exec;
mod of_output;
mod of_run;
mod of_tools;

use std::ffi::OsString;
use std::path::PathBuf;

pub(super) use crate::models::fit::EFFORTS;
use crate::tools::builtin::table::TOOLS;
pub(super) use commands::COMMANDS;

/// What the command line says, unjudged.
#[allow(clippy::struct_excessive_bools)] // one for each flag that takes nothing
#[derive(Debug, Default)]
pub(super) struct Args {
    /// The command is `run`, in one of its spellings.
    pub(super) is_run: bool,
    pub(super) words: Vec<OsString>,
    /// Every flag that was given, and where.
    pub(super) given: Vec<Given>,
    pub(super) model: Option<OsString>,
    pub(super) effort: Option<OsString>,
    pub(super) verbosity: Option<OsString>,
    pub(super) summary: Option<OsString>,
    pub(super) image: Vec<OsString>,
    pub(super) file: Vec<OsString>,
    pub(super) no_agents_md: bool,
    /// Settings of the official client.
    pub(super) config: Vec<OsString>,
    /// Flags of the official client that mean nothing here.
    pub(super) meaningless: Vec<&'static str>,
    /// What is to be told about them.
    pub(super) notes: Vec<String>,
    /// How the service may search the web, if it may.
    pub(super) search: Option<OsString>,
    /// The official SDK asks, which takes a last line for the reason of an end that it ordered itself.
    pub(super) of_sdk: bool,
    /// The first word stands behind --.
    pub(super) ended_flags: bool,
    /// Another address of the API.
    pub(super) base_url: Option<String>,
    pub(super) deltas: bool,
    pub(super) output_schema: Option<OsString>,
    pub(super) output_last_message: Option<OsString>,
    pub(super) resume: Option<OsString>,
    pub(super) last: bool,
    pub(super) fork: Option<OsString>,
    pub(super) ephemeral: bool,
    pub(super) instructions: Option<OsString>,
    pub(super) append_instructions: Vec<OsString>,
    pub(super) directory: Option<OsString>,
    pub(super) add_dir: Vec<OsString>,
    pub(super) sandbox: Option<OsString>,
    pub(super) network: bool,
    pub(super) no_tmp: bool,
    pub(super) env: Vec<OsString>,
    pub(super) tools: Option<OsString>,
    pub(super) no_tools: bool,
    pub(super) tool: Vec<OsString>,
    pub(super) fail_on: Option<OsString>,
    pub(super) max_turns: Option<OsString>,
    pub(super) max_tokens: Option<OsString>,
    pub(super) max_tool_calls: Option<OsString>,
    pub(super) timeout: Option<OsString>,
    pub(super) tool_timeout: Option<OsString>,
    pub(super) idle_timeout: Option<OsString>,
    pub(super) retries: Option<OsString>,
    pub(super) wait_for_reset: Option<OsString>,
    pub(super) buffer: bool,
    pub(super) no_stdin: bool,
    pub(super) dry_run: bool,
    pub(super) api_key_file: Option<OsString>,
    pub(super) auth_file: Option<OsString>,
    /// The credentials files that the configuration names, used or not.
    pub(super) credential_files: Vec<PathBuf>,
    pub(super) no_browser: bool,
    pub(super) device_auth: bool,
    pub(super) with_api_key: bool,
    pub(super) with_access_token: bool,
    pub(super) local: bool,
    pub(super) all: bool,
    pub(super) json: bool,
    pub(super) limits: bool,
    pub(super) color: Option<OsString>,
    pub(super) quiet: bool,
    pub(super) verbose: bool,
}

/// What follows a flag.
pub(super) enum Takes {
    Nothing,
    /// A value, called this in the help.
    Value(&'static str),
    /// The same, and more of them where the flag is given again.
    Values(&'static str),
    /// A value behind an equals sign, called this in the help; without one it is the second.
    Optional(&'static str, &'static str),
}

impl Takes {
    /// What the word behind the flag is called in the help, where it is a value.
    pub(super) fn value(&self) -> Option<&'static str> {
        match self {
            Self::Nothing | Self::Optional(..) => None,
            Self::Value(name) | Self::Values(name) => Some(name),
        }
    }
}

/// A flag that was given.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) long: &'static str,
    /// What it was given; empty for a flag that takes nothing.
    pub(super) value: OsString,
    pub(super) origin: Origin,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The command line.
    Flag,
    /// This place in `config.json`, written as people write it.
    Config(String),
}

impl Args {
    /// Takes what a flag was given.
    pub(super) fn take(&mut self, flag: &Flag, value: OsString, origin: Origin) {
        let given = Given {
            long: flag.long,
            value: value.clone(),
            origin,
        };
        self.given.push(given);
        (flag.set)(self, value);
    }

    /// How a message calls the flag, so that its reader finds what to correct.
    pub(super) fn named(&self, long: &str) -> String {
        let given = self.given.iter().rev().find(|given| given.long == long);
        match given.map(|given| &given.origin) {
            Some(Origin::Config(place)) => format!("{long:?} in {place}"),
            _ => format!("--{long}"),
        }
    }
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
    /// `-h` only names it, so that it stays one screen.
    pub(super) rare: bool,
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

impl Command {
    /// What follows the program's name.
    pub(super) fn synopsis(&self) -> String {
        let flags = flags_of(self.name).next().map_or("", |_| "[FLAG...]");
        let parts = [self.name, flags, self.usage];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join(" ")
    }
}

/// How many words the model makes.
pub(super) const VERBOSITIES: &[&str] = &["low", "medium", "high"];

/// How the model sums up what it thinks.
pub(super) const SUMMARIES: &[&str] = &["auto", "concise", "detailed", "none"];

/// Flags that exclude each other: one that is given on the command line leaves no room for a default of another one.
pub(super) const EXCLUSIVE: &[&[&str]] = &[
    &["quiet", "verbose"],
    &["no-tools", "tools", "tool"],
    &["resume", "last", "fork", "ephemeral"],
];

/// What tools may touch.
pub(super) const SANDBOXES: &[&str] = &["read-only", "workspace-write", "danger-full-access"];

/// What makes a run fail although the model has answered.
pub(super) const FAILURES: &[&str] = &["tool-error"];

/// How the service searches the web.
pub(super) const SEARCHES: &[&str] = &["live", "cached"];

/// When standard error is coloured.
pub(super) const COLORS: &[&str] = &["auto", "always", "never"];

/// The shells that completions are made for.
pub(super) const SHELLS: &[&str] = &["bash", "zsh", "fish"];

/// The tools that can be offered.
pub(super) const TOOL_NAMES: [&str; TOOLS.len()] = {
    let mut names = [""; TOOLS.len()];
    let mut i = 0;
    while i < TOOLS.len() {
        names[i] = TOOLS[i].name;
        i += 1;
    }
    names
};

/// The command of this name.
pub(super) fn command(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name)
}

/// All flags, in the order in which they are listed.
pub(super) fn flags() -> impl Iterator<Item = &'static Flag> {
    let parts = [
        of_run::ASKING,
        of_output::FLAGS,
        of_tools::FLAGS,
        of_run::LIMITS,
        of_accounts::FLAGS,
        of_exec::FLAGS,
        of_run::TELLING,
    ];
    parts.into_iter().flatten()
}

/// The flags of this command.
pub(super) fn flags_of(command: &str) -> impl Iterator<Item = &'static Flag> {
    flags().filter(move |flag| flag.of.contains(&command))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        for (i, flag) in flags().enumerate() {
            let name = flag.long;
            assert!(
                flags()
                    .take(i)
                    .all(|f| f.long != name || f.of.iter().all(|of| !flag.of.contains(of))),
                "{name} stands twice"
            );
            assert!(
                flags()
                    .take(i)
                    .all(|f| f.long == name || f.short.is_none() || f.short != flag.short),
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
            if let Some(value) = flag.takes.value() {
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
