//! Help texts: `-h` on one screen, `--help` in full, and the table of exit codes.

use std::fmt::Write as _;

use super::flags::{COMMANDS, Command, Flag, Takes, command, flags_of};
use crate::outcome::TABLE;

/// The width of the text, in characters.
const LINE_WIDTH: usize = 80;

/// The help for a command, or the list of all commands.
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
                let _ = write!(text, "  {}\n{}", syntax(flag), wrap(&flag.doc(), 6));
            } else if flag.rare {
                further.push(format!("--{}", flag.long));
            } else {
                let _ = writeln!(text, "  {:<33} {}", syntax(flag), flag.brief());
            }
        }
        if !further.is_empty() {
            text.push_str(&wrap(&format!("more: {}", further.join(" ")), 2));
        }
    }
    if long {
        let _ = write!(
            text,
            "\n{}",
            wrap("`codex help exit-codes` explains the exit codes.", 0)
        );
    } else {
        let _ = writeln!(
            text,
            "\n`codex {} --help` describes everything in full.",
            command.name
        );
    }
    text
}

/// The usage line after the program's name.
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
        ("-h", "this help, or a command's main flags"),
        ("--help", "full help for a command"),
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

/// The documented environment variables.
pub(super) const VARIABLES: &[(&str, &str)] = &[
    (
        "CODEX_ACCESS_TOKEN",
        "A ChatGPT access token, or a workspace token (at-...), whose account is requested once from the service. \
         Requests go to the subscription backend, on that account.",
    ),
    (
        "CODEX_API_KEY",
        "An API key, used if no access token is set.",
    ),
    (
        "OPENAI_API_KEY",
        "An API key, used if no other credential is found.",
    ),
    (
        "OPENAI_ORGANIZATION",
        "The organization that requests with an API key are billed to.",
    ),
    (
        "OPENAI_PROJECT",
        "The project that requests with an API key are billed to.",
    ),
    ("CODEX_MODEL", "The model to use if --model is not given."),
    (
        "CODEX_RUN_HOME",
        "The directory for the sign-in and other files, instead of ~/.codex-run. It must be an absolute path; a leading ~ or $HOME is expanded.",
    ),
    (
        "CODEX_RUN_AUTH_FILE",
        "The credentials file to use if --auth-file is not given.",
    ),
    (
        "BROWSER",
        "The command that opens the sign-in address in a browser, or several, separated by colons. %s stands for the address.",
    ),
    (
        "NO_COLOR",
        "If not empty: no colours, unless --color asks for them.",
    ),
    (
        "CLICOLOR_FORCE",
        "If neither empty nor 0: colours on standard error even if it is not a terminal. NO_COLOR takes precedence.",
    ),
    (
        "CLICOLOR",
        "If 0: no colours, unless one of the others asks for them.",
    ),
    (
        "CODEX_RUN_ISSUER",
        "Overrides the address of the sign-in service.",
    ),
    (
        "CODEX_RUN_BASE_URL",
        "Overrides the address of the subscription backend.",
    ),
    (
        "OPENAI_BASE_URL",
        "Overrides the base URL of the API. Like the two above, it must be https://, or http:// to this machine.",
    ),
    (
        "https_proxy, all_proxy",
        "The proxy to use: http://, https:// or socks5h://. Also read in upper case; lower case takes precedence.",
    ),
    (
        "NO_PROXY",
        "Hosts to connect to without a proxy, in curl's syntax.",
    ),
    (
        "CODEX_CA_CERTIFICATE",
        "A PEM file of additional certificates to trust.",
    ),
    (
        "SSL_CERT_FILE",
        "The same, used if CODEX_CA_CERTIFICATE is not set.",
    ),
];

/// The table of exit codes.
pub(super) fn exit_codes() -> String {
    let mut text = format!(
        "{:>4}  {:<12} {}\n",
        "code", "word in JSON", "when -> what a script should do"
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

/// The syntax of a flag, with its value.
pub(super) fn syntax(flag: &Flag) -> String {
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

/// Wraps and indents the text.
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
