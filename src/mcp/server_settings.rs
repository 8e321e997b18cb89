//! A server as the user declares it, in `mcp.json` or with `--mcp`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::glob;
use super::listed_tool::ListedTool;

/// A server.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a key of the file with a meaning of its own"
)]
pub struct ServerSettings {
    /// Its name: lower-case letters, digits, `-` and `_`.
    pub name: String,
    /// Where it is declared: `FILE:LINE:COLUMN`, or the flag.
    pub place: String,
    /// How it is reached.
    pub transport: Transport,
    /// Time limit for a call, if it is not the run's.
    pub timeout: Option<Duration>,
    /// Globs for the tools to offer; `None` for all.
    pub tools: Option<Vec<String>>,
    /// It uses the network, if the run allows it.
    pub network: bool,
    /// It may write files, if the run allows it.
    pub write: bool,
    /// Its calls may run at the same time.
    pub parallel: bool,
    /// The run fails if it does not start.
    pub required: bool,
}

/// How a server is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A program that is spoken to on standard input and output.
    Stdio {
        /// The program and its arguments.
        command: Vec<String>,
        /// Additional environment variables.
        env: Vec<(String, SettingValue)>,
        /// Its working directory, if it is not the run's; relative to the run's.
        cwd: Option<String>,
    },
    /// A URL that is asked by the run itself (streamable HTTP).
    Http {
        /// The URL as written, not yet validated.
        url: String,
        /// Additional headers.
        headers: Vec<(String, SettingValue)>,
    },
}

/// The value of an environment variable or a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingValue {
    /// This text.
    Text(String),
    /// The value of the variable with this name, written as `$NAME`.
    Variable(String),
}

impl SettingValue {
    /// Parses the value: `$NAME` or `${NAME}` names a variable, anything else is text.
    #[must_use]
    pub fn parse(text: String) -> Self {
        let name = text.strip_prefix('$').unwrap_or_default();
        let braced = name
            .strip_prefix('{')
            .and_then(|name| name.strip_suffix('}'));
        let name = braced.unwrap_or(name);
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if !name.is_empty() && name.chars().all(is_name) {
            Self::Variable(name.to_owned())
        } else {
            Self::Text(text)
        }
    }

    /// The variable that it names.
    #[must_use]
    pub fn variable(&self) -> Option<&str> {
        match self {
            Self::Variable(name) => Some(name),
            Self::Text(_) => None,
        }
    }
}

impl ServerSettings {
    /// A server that the command line declares. It may do what the run allows to tools.
    #[must_use]
    pub fn of_command(name: String, command: Vec<String>) -> Self {
        Self {
            name,
            place: "--mcp".to_owned(),
            transport: Transport::Stdio {
                command,
                env: Vec::new(),
                cwd: None,
            },
            timeout: None,
            tools: None,
            network: true,
            write: true,
            parallel: false,
            required: true,
        }
    }

    /// The working directory of its program, in this directory of the tools, if it has one of its own.
    #[must_use]
    pub fn directory(&self, of_tools: &Path) -> Option<PathBuf> {
        match &self.transport {
            Transport::Stdio { cwd, .. } => cwd.as_ref().map(|cwd| of_tools.join(cwd)),
            Transport::Http { .. } => None,
        }
    }

    /// Whether this tool is offered.
    #[must_use]
    pub fn offers(&self, tool: &ListedTool) -> bool {
        let matches =
            |globs: &Vec<String>| globs.iter().any(|glob| glob::matches(glob, &tool.name));
        self.tools.as_ref().is_none_or(matches)
    }
}

/// Parses `--mcp-tools`: `SERVER:GLOB`, separated by commas. A server that is named offers only what its globs match.
///
/// # Errors
/// The entry that is not of this form.
pub fn parse_tool_choice(text: &str) -> Result<Vec<(&str, &str)>, &str> {
    let entries = text.split(',').map(str::trim);
    let entry = |entry: &'_ str| match entry.split_once(':') {
        Some((server, glob)) if !server.is_empty() && !glob.is_empty() => Some(()),
        _ => None,
    };
    let mut choice = Vec::new();
    for text in entries {
        entry(text).ok_or(text)?;
        choice.extend(text.split_once(':'));
    }
    Ok(choice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_text_or_names_a_variable() {
        let check = |text: &str, variable: Option<&str>| {
            assert_eq!(
                SettingValue::parse(text.to_owned()).variable(),
                variable,
                "{text}"
            );
        };
        check("$TZ", Some("TZ"));
        check("${WIKI_TOKEN}", Some("WIKI_TOKEN"));
        for text in ["", "TZ", "$", "${}", "$A B", "Bearer $A", "${A", "$A}"] {
            check(text, None);
        }
    }

    #[test]
    fn the_choice_of_tools_names_servers() {
        assert_eq!(
            parse_tool_choice("git:git_*, git:x,wiki:*"),
            Ok(vec![("git", "git_*"), ("git", "x"), ("wiki", "*")])
        );
        for (text, wrong) in [
            ("git", "git"),
            ("", ""),
            ("a:b,", ""),
            (":x", ":x"),
            ("a:", "a:"),
        ] {
            assert_eq!(parse_tool_choice(text), Err(wrong), "{text}");
        }
    }
}
