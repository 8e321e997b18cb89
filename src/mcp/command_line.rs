//! The value of `--mcp`: a file of servers, or a command that is split as a shell would split it, without a shell.

use std::fmt;
use std::path::Path;

/// The value of `--mcp`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerArgument {
    /// A file in the form of `mcp.json`.
    File(String),
    /// A command.
    Command {
        /// The server's name.
        name: String,
        /// The program and its arguments.
        words: Vec<String>,
    },
}

/// Why the value cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArgumentError {
    /// There is no program.
    Empty,
    /// This quote is not closed.
    OpenQuote(char),
    /// This character has a meaning in a shell only.
    Shell(char),
    /// This is not a name.
    Name(String),
    /// It is a URL.
    Url,
}

impl fmt::Display for ArgumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("it names no program"),
            Self::OpenQuote(quote) => write!(f, "a {quote} is not closed"),
            Self::Shell(c) => write!(
                f,
                "{c} has a meaning in a shell only, and no shell reads this; quote it, or use sh -c"
            ),
            Self::Name(name) => write!(
                f,
                "{name:?} is not a name of lower-case letters, digits, - and _"
            ),
            Self::Url => f.write_str("it is a URL, and not a command"),
        }
    }
}

/// Whether this is the name of a server.
#[must_use]
pub fn is_server_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    !name.is_empty() && name.len() <= 64 && name.chars().all(is_plain)
}

impl ServerArgument {
    /// Parses the value; `is_file` says whether a path with white space is a file.
    ///
    /// # Errors
    /// If it cannot be used.
    pub fn parse(text: &str, is_file: impl Fn(&str) -> bool) -> Result<Self, ArgumentError> {
        let has_blanks = text.contains(char::is_whitespace);
        if is_json_file(text) && (!has_blanks || is_file(text)) && named(text).is_none() {
            return Ok(Self::File(text.to_owned()));
        }
        let (name, command) = match named(text) {
            Some((name, _)) if !is_server_name(name) => {
                return Err(ArgumentError::Name(name.to_owned()));
            }
            Some((name, command)) => (Some(name.to_owned()), command),
            None => (None, text),
        };
        let words = split(command)?;
        if ["http://", "https://"]
            .iter()
            .any(|scheme| words[0].starts_with(scheme))
        {
            return Err(ArgumentError::Url);
        }
        let name = name.unwrap_or_else(|| derived_name(&words));
        Ok(Self::Command { name, words })
    }
}

/// Whether this is the name of a JSON file, as the flag spells it.
fn is_json_file(text: &str) -> bool {
    Path::new(text)
        .extension()
        .is_some_and(|ending| ending == "json")
}

/// The name before a `=`, and the rest, if the value begins with something like a name.
fn named(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.split_once('=')?;
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    (name.chars().all(is_word) && !name.starts_with('-')).then_some((name, rest))
}

/// Splits a command into words.
fn split(text: &str) -> Result<Vec<String>, ArgumentError> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_whitespace() => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some('\'') => break,
                        Some(c) => word.push(c),
                        None => return Err(ArgumentError::OpenQuote('\'')),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some('"') => break,
                        Some('\\') => match chars.next() {
                            Some(c @ ('"' | '\\' | '$' | '`')) => word.push(c),
                            Some('\n') => {}
                            Some(c) => word.extend(['\\', c]),
                            None => return Err(ArgumentError::OpenQuote('"')),
                        },
                        Some(c @ ('$' | '`')) => return Err(ArgumentError::Shell(c)),
                        Some(c) => word.push(c),
                        None => return Err(ArgumentError::OpenQuote('"')),
                    }
                }
            }
            '\\' => match chars.next() {
                Some('\n') => {}
                Some(c) => word.get_or_insert_default().push(c),
                None => return Err(ArgumentError::OpenQuote('\\')),
            },
            '|' | '&' | ';' | '<' | '>' | '(' | ')' | '$' | '`' => {
                return Err(ArgumentError::Shell(c));
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    match words.first() {
        Some(program) if !program.is_empty() => Ok(words),
        _ => Err(ArgumentError::Empty),
    }
}

/// The programs that run a package or a script that their arguments name.
const RUNNERS: &[&str] = &[
    "npx", "uvx", "uv", "bunx", "bun", "pnpm", "yarn", "pipx", "node", "deno", "python", "python3",
    "sh", "bash", "env",
];

/// Words after a runner that are not what it runs.
const VERBS: &[&str] = &["run", "dlx", "exec", "tool", "x"];

/// The name of a server without a given one: that of its program or package, without what every server is called.
fn derived_name(words: &[String]) -> String {
    let last = |word: &str| {
        word.trim_end_matches('/')
            .rsplit('/')
            .next()
            .unwrap_or(word)
            .to_owned()
    };
    let program = words.first().map(|word| last(word)).unwrap_or_default();
    // After -c comes a script, not a name.
    let is_runner = RUNNERS.contains(&&*program) && words.get(1).is_none_or(|word| word != "-c");
    let is_named = |word: &&String| !word.starts_with('-') && !VERBS.contains(&&***word);
    let named = words.get(1..).unwrap_or_default().iter().find(is_named);
    let word = named
        .filter(|_| is_runner)
        .map_or(program, |word| last(word));
    let word = word.split_once('@').map_or(&*word, |(name, _)| name);
    let word = [".py", ".js", ".mjs", ".cjs", ".ts", ".sh"]
        .iter()
        .find_map(|ending| word.strip_suffix(ending))
        .unwrap_or(word);
    let plain: String = word
        .chars()
        .map(|c| c.to_ascii_lowercase())
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '_' {
                c
            } else {
                '-'
            }
        })
        .take(40)
        .collect();
    let mut name = plain.trim_matches(['-', '_']);
    for prefix in ["mcp-server-", "mcp_server_", "server-", "mcp-"] {
        name = name.strip_prefix(prefix).unwrap_or(name);
    }
    for suffix in ["-mcp-server", "-server", "-mcp"] {
        name = name.strip_suffix(suffix).unwrap_or(name);
    }
    match name {
        "" => "server".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Result<Vec<String>, ArgumentError> {
        split(text)
    }

    #[test]
    fn a_command_is_split_as_a_shell_would() {
        let check = |text: &str, expected: &[&str]| {
            assert_eq!(
                words(text).as_deref().ok(),
                Some(&expected.iter().map(|&w| w.to_owned()).collect::<Vec<_>>()[..]),
                "{text}"
            );
        };
        check("a  b\tc\n", &["a", "b", "c"]);
        check(r#"a 'b c' "d e" f\ g"#, &["a", "b c", "d e", "f g"]);
        check(r#"a '' "" b''c"#, &["a", "", "", "bc"]);
        check(r#"a "x\"\\\$\`\n" '\'"#, &["a", r#"x"\$`\n"#, r"\"]);
        check(
            r"a '$HOME' '|' \$x --b=c #d ~ *",
            &["a", "$HOME", "|", "$x", "--b=c", "#d", "~", "*"],
        );
        check("a \\\nb", &["a", "b"]);
    }

    #[test]
    fn what_only_a_shell_understands_is_an_error() {
        let check =
            |text: &str, expected: ArgumentError| assert_eq!(words(text), Err(expected), "{text}");
        check("", ArgumentError::Empty);
        check(" \t", ArgumentError::Empty);
        check("'' a", ArgumentError::Empty);
        check("a 'b", ArgumentError::OpenQuote('\''));
        check("a \"b", ArgumentError::OpenQuote('"'));
        check("a \"b\\", ArgumentError::OpenQuote('"'));
        check("a\\", ArgumentError::OpenQuote('\\'));
        for (text, c) in [
            ("a|b", '|'),
            ("a & b", '&'),
            ("a; b", ';'),
            ("a >b", '>'),
            ("a $B", '$'),
            ("a \"$B\"", '$'),
            ("a `b`", '`'),
            ("(a)", '('),
        ] {
            check(text, ArgumentError::Shell(c));
        }
    }

    #[test]
    fn a_value_is_a_file_or_a_command_with_a_name() {
        let parse = |text: &str| ServerArgument::parse(text, |path| path == "my servers.json");
        let file = |path: &str| Ok(ServerArgument::File(path.to_owned()));
        assert_eq!(parse("servers.json"), file("servers.json"));
        assert_eq!(parse("./a/b.json"), file("./a/b.json"));
        assert_eq!(parse("my servers.json"), file("my servers.json"));
        let check = |text: &str, expected: &str, first: &str| match parse(text) {
            Ok(ServerArgument::Command { name, words }) => {
                assert_eq!((&*name, &*words[0]), (expected, first), "{text}");
            }
            other => panic!("{text}: {other:?}"),
        };
        check("server --config x.json", "server", "server");
        check("wiki=server --config x.json", "wiki", "server");
        check("a_b-1=x y=z", "a_b-1", "x");
        check("./x=y", "x-y", "./x=y");
        check("server --a=b", "server", "server");
        check("mcp-server-git --repository .", "git", "mcp-server-git");
        check(
            "/usr/bin/mcp-server-time",
            "time",
            "/usr/bin/mcp-server-time",
        );
        check(
            "npx -y @modelcontextprotocol/server-memory@1.2 x",
            "memory",
            "npx",
        );
        check("uvx mcp-server-fetch", "fetch", "uvx");
        check("uv tool run github-mcp-server", "github", "uv");
        check("python3 -m mcp_server_git", "git", "python3");
        check("node ./Dist/Index.js", "index", "node");
        check("npx", "npx", "npx");
        check("sh -c 'exec server'", "sh", "sh");
        check("/", "server", "/");
        for text in ["Git=x", "ÄB=x", "=x"] {
            assert!(matches!(parse(text), Err(ArgumentError::Name(_))), "{text}");
        }
        assert_eq!(parse("a="), Err(ArgumentError::Empty));
        for text in ["https://x/mcp", "wiki=http://localhost/"] {
            assert_eq!(parse(text), Err(ArgumentError::Url), "{text}");
        }
    }
}
