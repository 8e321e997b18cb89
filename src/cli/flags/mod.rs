//! The table of commands and flags. The parser, `-h`, `--help`, the man page and the completions are
//! functions of it, so a new flag is one entry here and one test.

mod args;
mod command;
mod commands;
mod flag;
mod of_accounts;
mod of_exec;
mod of_output;
mod of_run;
mod of_tools;
mod words;

pub(super) use args::{Args, FlagOrigin};
pub(super) use command::Command;
pub(super) use commands::COMMANDS;
pub(super) use flag::{Complete, Flag, Takes};
pub(super) use words::{
    COLORS, EFFORTS, FAILURES, SANDBOXES, SEARCHES, SHELLS, SUMMARIES, VERBOSITIES,
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

/// What holds where a flag of this name is not given.
pub(super) fn default(long: &str) -> Option<&'static str> {
    flags().find(|flag| flag.long == long)?.default
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
            let brief = flag.brief();
            assert!(
                brief.len() <= 44 && !brief.ends_with('.'),
                "{name}: {brief}"
            );
            assert!(flag.of.iter().all(|of| command(of).is_some()), "{name}");
            for other in flag.excludes.iter().chain(flag.overrides) {
                let mut others = flags().filter(|flag| flag.long == *other);
                assert!(
                    others.any(|other| other.of.iter().any(|of| flag.of.contains(of))),
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
            let is_said_twice = flag.default.is_some() && flag.doc.contains("ithout it: ");
            assert!(!is_said_twice, "{name}: the column says so");
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
