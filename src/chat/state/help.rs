//! The text of `/help`.

use super::command::COMMANDS;
use crate::output::columns::wrap;

const KEYS: [(&str, &str); 18] = [
    ("Enter", "send; while a turn runs, queue"),
    ("Alt+Enter, Ctrl+J", "new line"),
    (
        "Esc, Ctrl+C",
        "stop the turn and its tools; press again to stop without waiting for them",
    ),
    (
        "Ctrl+C",
        "also clears the question; press it twice to leave",
    ),
    ("Ctrl+D", "leave, if the question is empty"),
    (
        "Ctrl+S",
        "steer the running turn with the question, or with the first queued message",
    ),
    (
        "Up, Down",
        "earlier questions; if the question is empty, Up takes back a queued message",
    ),
    (
        "Enter",
        "after an interruption: send the queue, followed by the question",
    ),
    ("Ctrl+P", "next model"),
    ("Alt+P, Shift+Ctrl+P", "previous model"),
    ("Shift+Up, Shift+Down", "more or less effort"),
    ("PgUp, PgDn, Home, End", "scroll"),
    (
        "Ctrl+F",
        "search; Enter or Up: previous match, Down: next match",
    ),
    (
        "Tab",
        "expand or collapse the last tool call in view; complete a command",
    ),
    ("Ctrl+R", "answers as plain text, or formatted"),
    ("Ctrl+O", "transcript in $PAGER"),
    ("Ctrl+G", "question in $EDITOR"),
    (
        "Ctrl+A E K U W Y",
        "edit as in readline, like Alt+B, Alt+F and Alt+D",
    ),
];

/// The columns for what a key does, beside the keys. With less it is below them.
const MIN_BRIEF_COLUMNS: usize = 24;

/// The headings of the help, each with a table of keys or commands for this many columns.
#[must_use]
pub fn help(columns: usize) -> [(&'static str, String); 2] {
    let keys = KEYS.map(|(keys, brief)| (keys.to_owned(), brief));
    let commands = COMMANDS.map(|command| {
        let name = format!("/{} {}", command.name, command.argument);
        (name.trim_end().to_owned(), command.brief)
    });
    [
        ("Keys", table(&keys, columns)),
        (
            "Commands (a text after // is sent as it is)",
            table(&commands, columns),
        ),
    ]
}

/// Rows of two cells.
fn table(rows: &[(String, &str)], columns: usize) -> String {
    let widest = rows.iter().map(|(first, _)| first.len()).max();
    let second = widest.unwrap_or_default() + 4;
    let rows = rows.iter().map(|(first, brief)| {
        if columns < second + MIN_BRIEF_COLUMNS {
            return wrap(&format!("  {first}\n    {brief}"), columns, 4);
        }
        let first = format!("  {first}");
        wrap(&format!("{first:second$}{brief}"), columns, second)
    });
    rows.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::width::width;

    #[test]
    fn the_help_names_every_command_in_a_table() {
        for columns in [30, 60, 100] {
            let [(_, keys), (_, commands)] = help(columns);
            for command in COMMANDS {
                assert!(commands.contains(&format!("  /{}", command.name)));
            }
            let widest = keys.lines().chain(commands.lines()).map(width).max();
            assert!(widest <= Some(columns), "{keys}\n{commands}");
        }
        let [(_, keys), (_, commands)] = help(60);
        let begin = "  Enter                  send; while a turn runs, queue
  Alt+Enter, Ctrl+J      new line
  Esc, Ctrl+C            stop the turn and its tools; press
                         again to stop without waiting for\n";
        assert!(keys.starts_with(begin), "{keys}");
        assert!(commands.contains("  /effort [LEVEL]  list the efforts"));
        let [(_, keys), _] = help(30);
        let begin = "  Enter\n    send; while a turn runs,\n    queue\n";
        assert!(keys.starts_with(begin), "{keys}");
    }
}
