//! The manual: texts that `codex help TOPIC` and the man pages share, in `*.txt` files next to this one.

mod markup;
pub(super) mod pages;
pub(super) mod plain;
mod roff;

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::outcome::TABLE;
use crate::wire::compaction::SUMMARY_PROMPT;

/// The text of `codex(1)` about how it works.
const OPERATION: &str = include_str!("codex.txt");
const COMPACTION: &str = include_str!("compaction.txt");
const CONFIG: &str = include_str!("config.txt");
const ENVIRONMENT: &str = include_str!("environment.txt");
const EXAMPLES: &str = include_str!("examples.txt");
const FILES: &str = include_str!("files.txt");
const JSON: &str = include_str!("json.txt");
const MCP: &str = include_str!("mcp.txt");
const MODELS: &str = include_str!("models.txt");
const SANDBOX: &str = include_str!("sandbox.txt");

/// A topic of `codex help`.
#[derive(Debug)]
pub(super) struct HelpTopic {
    pub(super) name: &'static str,
    /// Other words that lead to it.
    aliases: &'static [&'static str],
    /// A few words for the list of topics.
    pub(super) brief: &'static str,
    /// The man page that has the same text.
    page: &'static str,
    text: fn() -> Cow<'static, str>,
}

/// The topics, in listing order.
pub(super) const TOPICS: &[HelpTopic] = &[
    HelpTopic {
        name: "exit-codes",
        aliases: &["exit", "exit-code", "errors"],
        brief: "how a run ended, and what a script should do",
        page: "codex(1)",
        text: || exit_codes().into(),
    },
    HelpTopic {
        name: "environment",
        aliases: &["env", "variables", "network", "proxy"],
        brief: "the variables that are read",
        page: "codex(1)",
        text: || ENVIRONMENT.into(),
    },
    HelpTopic {
        name: "config",
        aliases: &["files", "tools", "settings", "auth"],
        brief: "config.json, your own tools, auth.json",
        page: "codex-config(5)",
        text: || CONFIG.into(),
    },
    HelpTopic {
        name: "models",
        aliases: &["servers", "providers"],
        brief: "choosing a model, models.json, other servers",
        page: "codex-config(5)",
        text: || MODELS.into(),
    },
    HelpTopic {
        name: "mcp",
        aliases: &["mcp.json"],
        brief: "tools of MCP servers, mcp.json",
        page: "codex-config(5)",
        text: || MCP.into(),
    },
    HelpTopic {
        name: "sandbox",
        aliases: &["security", "permissions"],
        brief: "what the tools may access",
        page: "codex-sandbox(7)",
        text: || SANDBOX.into(),
    },
    HelpTopic {
        name: "json",
        aliases: &["events", "scripts"],
        brief: "JSON lines, multi-turn runs, structured output",
        page: "codex-json(5)",
        text: || JSON.into(),
    },
    HelpTopic {
        name: "compaction",
        aliases: &["compact", "context"],
        brief: "how a long conversation is shortened",
        page: "codex(1)",
        text: || compaction().into(),
    },
];

/// The topic of this name.
pub(super) fn topic(name: &str) -> Option<&'static HelpTopic> {
    let is_it = |topic: &&HelpTopic| topic.name == name || topic.aliases.contains(&name);
    TOPICS.iter().find(is_it)
}

impl HelpTopic {
    /// The text for a terminal.
    pub(super) fn plain(&self) -> String {
        let text = (self.text)();
        format!(
            "{}: {}\n\n{}\nThis text is also in `man {}`.\n",
            self.name,
            self.brief,
            plain::render(&markup::parse(&text)),
            self.page.split('(').next().unwrap_or_default(),
        )
    }
}

/// The text about compaction, with the prompt for a summary.
fn compaction() -> String {
    let prompt = SUMMARY_PROMPT.lines().map(|line| format!("    {line}\n"));
    COMPACTION.to_owned() + &prompt.collect::<String>()
}

/// The examples of a command: commands, and comments about them.
pub(super) fn examples(command: &str) -> Vec<&'static str> {
    markup::code_below(EXAMPLES, command)
}

/// The text about exit codes, from their table.
fn exit_codes() -> String {
    let mut text = "# Exit status\n\nThe code, its word in JSON, when it occurs -> what a script should do. They are the same for every \
                    command and form of output.\n"
        .to_owned();
    for row in TABLE {
        let words = row.words();
        let _ = write!(text, "\n: {:<4}{}\n  {words}\n", row.code, row.word);
    }
    text
}

#[cfg(test)]
mod tests;
