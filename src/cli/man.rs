//! The man page, in man(7) format.

use std::fmt::Write as _;

use super::flags::{COMMANDS, Takes, flags_of};
use super::help::{VARIABLES, synopsis};
use super::turns_manual;
use crate::outcome::TABLE;

/// The page `codex(1)`.
pub(super) fn page() -> String {
    let mut page = format!(
        ".TH CODEX 1 \"\" \"codex-run {}\"\n",
        env!("CARGO_PKG_VERSION")
    );
    page.push_str(
        ".SH NAME\ncodex \\- a ChatGPT subscription or an API key in the shell and in CI\n",
    );
    page.push_str(".SH SYNOPSIS\n");
    for (n, command) in COMMANDS.iter().enumerate() {
        let line_break = if n == 0 { "" } else { ".br\n" };
        let synopsis = synopsis(command);
        let (name, rest) = synopsis.split_once(' ').unwrap_or((&synopsis, ""));
        let _ = writeln!(page, "{line_break}\\fBcodex {name}\\fR {}", escape(rest));
    }
    page.push_str(".SH COMMANDS\n");
    for command in COMMANDS {
        let _ = writeln!(
            page,
            ".SS codex {}\n{}",
            escape(command.name),
            escape(command.doc)
        );
        for flag in flags_of(command.name) {
            let short = flag
                .short
                .map(|short| format!("\\fB\\-{short}\\fR, "))
                .unwrap_or_default();
            let value = match flag.takes {
                Takes::Nothing => String::new(),
                Takes::Value(value) | Takes::Values(value) => format!(" \\fI{value}\\fR"),
                Takes::Optional(value, _) => format!("[=\\fI{value}\\fR]"),
            };
            let long = escape(flag.long);
            let _ = writeln!(
                page,
                ".TP\n{short}\\fB\\-\\-{long}\\fR{value}\n{}",
                escape(&flag.doc())
            );
        }
    }
    page.push_str(&turns_manual::section(escape));
    page.push_str(".SH ENVIRONMENT\n");
    for (name, doc) in VARIABLES {
        let _ = writeln!(page, ".TP\n\\fB{name}\\fR\n{}", escape(doc));
    }
    page.push_str(".SH EXIT STATUS\n");
    for row in TABLE {
        let _ = writeln!(page, ".TP\n\\fB{}\\fR\n{}", row.code, escape(&row.words()));
    }
    page
}

/// Escapes text for roff: no line begins with a control character, and a hyphen stays a hyphen.
fn escape(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) {
        format!("\\&{text}")
    } else {
        text
    }
}
