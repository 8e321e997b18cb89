//! The commands in groups, and the usage line of each, for the help and the man page.

use super::flags::{Command, command, flags_of};

/// The commands, by what they are for.
pub(super) const COMMAND_GROUPS: &[(&str, &[&str])] = &[
    ("ask", &["run", "chat", "exec", "sessions"]),
    ("account", &["login", "logout", "status", "token", "models"]),
    (
        "more",
        &["mcp", "tool", "schema", "completion", "help", "version"],
    ),
];

/// The commands, by groups.
pub(super) fn commands() -> impl Iterator<Item = &'static Command> {
    let names = COMMAND_GROUPS.iter().flat_map(|(_, names)| *names);
    names.filter_map(|name| command(name))
}

/// The usage line after the program's name.
pub(super) fn synopsis(command: &Command) -> String {
    let flags = flags_of(command.name).next().map_or("", |_| "[FLAG...]");
    let parts = [command.name, flags, command.usage];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(" ")
}
