//! The table of commands and flags. The parser, `-h`, `--help`, the man page and the completions are
//! functions of it, so a new flag is one entry here and one test.

mod account_flags;
mod args;
mod command;
mod commands;
mod compact_flags;
mod completed_kind;
mod exec_flags;
mod flag;
mod group;
mod output_flags;
mod run_flags;
mod tool_flags;
mod words;

use std::vec;

pub(super) use args::{Args, FlagOrigin};
pub(super) use command::{Command, CommandAction};
pub(super) use commands::COMMANDS;
pub(super) use flag::{Complete, CompletedKind, Flag, Takes};
pub(super) use group::GROUPS;
pub(super) use words::{
    COLORS, EFFORTS, FAILURES, INPUTS, SANDBOXES, SEARCHES, SHELLS, SUMMARIES, VERBOSITIES,
};

/// The command of this name.
pub(super) fn command(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name)
}

/// All flags, in listing order.
pub(super) fn flags() -> impl Iterator<Item = &'static Flag> {
    let parts = [
        run_flags::QUESTION,
        output_flags::FLAGS,
        tool_flags::FLAGS,
        run_flags::LIMITS,
        compact_flags::FLAGS,
        account_flags::FLAGS,
        exec_flags::FLAGS,
        run_flags::REPORTING,
    ];
    parts.into_iter().flatten()
}

/// The default of the flag of this name.
pub(super) fn default(long: &str) -> Option<&'static str> {
    flags().find(|flag| flag.long == long)?.default
}

/// The flags of this command. The iterator is that of a list: it is compiled once, and not again for each of its users.
pub(super) fn flags_of(command: &str) -> vec::IntoIter<&'static Flag> {
    let of_command = flags().filter(|flag| flag.commands.contains(&command));
    let list: Vec<&'static Flag> = of_command.collect();
    list.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_table_is_consistent() {
        for (i, flag) in flags().enumerate() {
            let name = flag.long;
            assert!(
                flags()
                    .take(i)
                    .all(|f| f.long != name
                        || f.commands.iter().all(|of| !flag.commands.contains(of))),
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
            assert!(GROUPS.contains(&flag.group), "{name} needs a group");
            let brief = flag.brief();
            assert!(
                brief.len() <= 44 && !brief.ends_with('.'),
                "{name}: {brief}"
            );
            assert!(
                flag.commands.iter().all(|of| command(of).is_some()),
                "{name}"
            );
            for other in flag.excludes.iter().chain(flag.overrides) {
                let mut others = flags().filter(|flag| flag.long == *other);
                assert!(
                    others.any(|other| other.commands.iter().any(|of| flag.commands.contains(of))),
                    "{name} and {other}"
                );
            }
            for other in flags().filter(|other| flag.excludes.contains(&other.long)) {
                let is_once = !other.excludes.contains(&name);
                assert!(is_once && other.long != name, "{name} and {}", other.long);
            }
            if let (Some(default), Complete::Words(words)) = (flag.default, &flag.complete) {
                assert!(words.contains(&default), "{name}: {default}");
            }
            let repeats_default = flag.default.is_some() && flag.doc.contains("Default: ");
            assert!(!repeats_default, "{name}: the default is appended");
            if let Some(value) = flag.takes.value() {
                assert!(
                    !value.is_empty() && value.chars().all(|c| c.is_ascii_uppercase()),
                    "{name}: {value}"
                );
            }
        }
    }

    #[test]
    fn every_command_has_a_description() {
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
