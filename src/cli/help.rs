//! `-h` on one screen, `--help` with everything, and the table of exit codes.

use std::fmt::Write as _;

use super::flags::{COMMANDS, Command, Flag, Takes, command, flags_of};
use crate::outcome::TABLE;

/// How wide the text is.
const LINE_WIDTH: usize = 80;

/// The help of a command, or of all of them.
pub(super) fn text(name: Option<&str>, long: bool) -> String {
    let Some(command) = name.and_then(command) else {
        return overview(long);
    };
    let flags: Vec<&Flag> = flags_of(command.name).collect();
    let mut text = format!("codex {}: {}\n\n", command.name, command.brief);
    let _ = writeln!(text, "usage: codex {}", synopsis(command));
    if long {
        let _ = write!(text, "\n{}", wrap(command.doc, 0));
    }
    if !flags.is_empty() {
        text.push_str("\nflags:\n");
        let mut further = Vec::new();
        for flag in flags {
            if long {
                let _ = write!(text, "  {}\n{}", spelling(flag), wrap(&flag.doc(), 6));
            } else if flag.rare {
                further.push(format!("--{}", flag.long));
            } else {
                let _ = writeln!(text, "  {:<33} {}", spelling(flag), flag.brief());
            }
        }
        if !further.is_empty() {
            text.push_str(&wrap(&format!("further: {}", further.join(" ")), 2));
        }
    }
    if long {
        let _ = write!(
            text,
            "\n{}",
            wrap(
                "The exit codes are explained by `codex help exit-codes`.",
                0
            )
        );
    } else {
        let _ = writeln!(
            text,
            "\n`codex {} --help` explains all in full.",
            command.name
        );
    }
    text
}

/// What follows the program's name.
pub(super) fn synopsis(command: &Command) -> String {
    let flags = flags_of(command.name).next().map_or("", |_| "[FLAG...]");
    let parts = [command.name, flags, command.usage];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(" ")
}

fn overview(long: bool) -> String {
    let mut text =
        "codex: a ChatGPT subscription or an API key in the shell and in CI\n\n".to_owned();
    text.push_str("usage: codex COMMAND [FLAG...] [WORD...]\n\ncommands:\n");
    for command in COMMANDS {
        let name = format!("{} {}", command.name, command.usage);
        let _ = writeln!(text, "  {name:<33} {}", command.brief);
    }
    text.push_str("\nflags:\n");
    for (flag, brief) in [
        ("-h", "this, or a command's flags on one screen"),
        ("--help", "everything about a command"),
        ("--version", "name and version"),
    ] {
        let _ = writeln!(text, "  {flag:<33} {brief}");
    }
    if long {
        text.push_str("\nexamples:\n  echo \"explain this\" | codex run\n");
        text.push_str("  git diff | codex run \"review this:\" -\n");
        text.push_str("  codex run -s workspace-write \"make the tests pass\"\n");
        for (name, doc) in VARIABLES {
            let _ = write!(
                text,
                "{}",
                if *name == VARIABLES[0].0 {
                    "\nenvironment:\n"
                } else {
                    ""
                }
            );
            let _ = write!(text, "  {name}\n{}", wrap(doc, 6));
        }
    }
    text
}

/// The variables that the command reads.
pub(super) const VARIABLES: &[(&str, &str)] = &[
    (
        "CODEX_ACCESS_TOKEN",
        "A ChatGPT access token, or one of a workspace (at-...), whose account is asked for once. Requests go to the \
         subscription backend, on its account.",
    ),
    (
        "CODEX_API_KEY",
        "An API key, used where no access token is set.",
    ),
    ("OPENAI_API_KEY", "An API key, used where nothing else is."),
    (
        "OPENAI_ORGANIZATION",
        "The organization that the requests of a key are counted on.",
    ),
    ("OPENAI_PROJECT", "The project that they are counted on."),
    (
        "CODEX_MODEL",
        "The model to ask where --model does not say.",
    ),
    (
        "CODEX_RUN_HOME",
        "Where the sign-in is kept, instead of ~/.codex-run. A whole path; ~ and $HOME at its beginning are expanded.",
    ),
    (
        "CODEX_RUN_AUTH_FILE",
        "Another credentials file, where --auth-file does not say.",
    ),
    (
        "BROWSER",
        "The command that opens an address to sign in at; several with colons between them. %s in it is the address.",
    ),
    (
        "NO_COLOR",
        "Not empty: no colours, unless --color asks for them.",
    ),
    (
        "CLICOLOR_FORCE",
        "Not empty and not 0: colours on standard error even where it is no terminal. NO_COLOR comes before it.",
    ),
    (
        "CLICOLOR",
        "0: no colours, unless one of the others asks for them.",
    ),
    ("CODEX_RUN_ISSUER", "Another address of the sign-in."),
    (
        "CODEX_RUN_BASE_URL",
        "Another address of the subscription backend.",
    ),
    (
        "OPENAI_BASE_URL",
        "Another address of the API. Like the two before it must be https://, or http:// to this machine.",
    ),
    (
        "https_proxy, all_proxy",
        "The proxy to go through: http://, https:// or socks5h://. Also in upper case; lower case wins.",
    ),
    ("NO_PROXY", "The hosts that need no proxy, as for curl."),
    (
        "CODEX_CA_CERTIFICATE",
        "A file of further certificates to trust, in PEM form.",
    ),
    (
        "SSL_CERT_FILE",
        "The same, used where CODEX_CA_CERTIFICATE is not set.",
    ),
];

/// The table of exit codes.
pub(super) fn exit_codes() -> String {
    let mut text = format!(
        "{:>4}  {:<12} {}\n",
        "code", "word in JSON", "when -> what a script does"
    );
    for row in TABLE {
        let lines = wrap(&row.words(), 19);
        let _ = write!(
            text,
            "{:>4}  {:<12} {}",
            row.code,
            row.word,
            lines.trim_start()
        );
    }
    text
}

/// How a flag is written, with what follows it.
pub(super) fn spelling(flag: &Flag) -> String {
    let short = flag
        .short
        .map_or("    ".to_owned(), |short| format!("-{short}, "));
    let long = flag.long;
    match flag.takes {
        Takes::Nothing => format!("{short}--{long}"),
        Takes::Value(value) | Takes::Values(value) => format!("{short}--{long} {value}"),
        Takes::Optional(value, _) => format!("{short}--{long}[={value}]"),
    }
}

/// The text in lines of the width, each indented.
fn wrap(text: &str, indent: usize) -> String {
    let mut lines = String::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && indent + line.len() + 1 + word.len() > LINE_WIDTH {
            let _ = writeln!(lines, "{:indent$}{line}", "");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let _ = writeln!(lines, "{:indent$}{line}", "");
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_help_fits_one_screen_and_no_line_is_too_wide() {
        for name in COMMANDS
            .iter()
            .map(|command| Some(command.name))
            .chain([None])
        {
            let short = text(name, false);
            assert!(
                short.lines().count() <= 23,
                "{name:?} has {} lines",
                short.lines().count()
            );
            for line in short
                .lines()
                .chain(text(name, true).lines())
                .chain(exit_codes().lines())
            {
                assert!(line.len() <= LINE_WIDTH, "{line}");
            }
        }
    }

    #[test]
    fn every_flag_and_exit_code_is_explained() {
        let long = text(Some("run"), true);
        assert!(flags_of("run").all(|flag| long.contains(&format!("--{}", flag.long))));
        assert_eq!(
            exit_codes()
                .lines()
                .filter(|line| !line.starts_with("     "))
                .count(),
            TABLE.len() + 1
        );
    }
}
