//! The text of `/help`.

use super::command::COMMANDS;

const KEYS: [(&str, &str); 17] = [
    ("Enter", "send; while a turn runs, queue"),
    ("Alt+Enter, Ctrl+J", "new line"),
    (
        "Esc, Ctrl+C",
        "stop the turn and its tools; again: at once, without waiting for them",
    ),
    (
        "Ctrl+C",
        "also clears the question; press it twice to leave",
    ),
    ("Ctrl+D", "leave, with an empty question"),
    (
        "Ctrl+S",
        "steer the running turn with the question, or with the first queued message",
    ),
    (
        "Up, Down",
        "earlier questions; with an empty question, Up takes back a queued message",
    ),
    (
        "Enter",
        "send on the queue after an interruption, with the question at its end",
    ),
    ("Ctrl+P, Shift+Ctrl+P or Alt+P", "next or previous model"),
    ("Shift+Up, Shift+Down", "more or less effort"),
    ("PgUp, PgDn, Home, End", "scroll"),
    (
        "Ctrl+F",
        "search; Enter or Up: further up, Down: further down",
    ),
    (
        "Tab",
        "unfold or fold the last tool call in view; complete a command",
    ),
    ("Ctrl+R", "answers as plain text, or formatted"),
    ("Ctrl+O", "transcript in $PAGER"),
    ("Ctrl+G", "question in $EDITOR"),
    ("Ctrl+A E K U W Y, Alt+B F D", "edit as in readline"),
];

/// The keys and the commands, one a line.
#[must_use]
pub fn help() -> String {
    let mut text = String::from("Keys:\n");
    for (keys, brief) in KEYS {
        text.push_str(&format!("  {keys}: {brief}\n"));
    }
    text.push_str("Commands, typed (text after // is sent as it is):\n");
    for command in COMMANDS {
        let argument = if command.argument.is_empty() {
            String::new()
        } else {
            format!(" {}", command.argument)
        };
        text.push_str(&format!(
            "  /{}{argument}: {}\n",
            command.name, command.brief
        ));
    }
    text.pop();
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_names_every_command() {
        let help = help();
        for command in COMMANDS {
            assert!(help.contains(&format!("  /{}", command.name)));
        }
    }
}
