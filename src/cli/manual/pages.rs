//! The man pages: the texts of the manual, and for `codex(1)` the commands and the flags.

use std::fmt::Write as _;
use std::ptr;

use super::super::flags::{Flag, GROUPS, Takes, flags_of};
use super::super::synopsis::{commands, synopsis};
use super::{CONFIG, ENVIRONMENT, EXAMPLES, FILES, JSON, MCP, MODELS, OPERATION, SANDBOX};
use super::{compaction, exit_codes, markup, roff};

/// The day of the last change of the pages' texts.
const DATE: &str = "2026-11-30";

/// A man page.
pub(crate) struct ManPage {
    /// The name of its file.
    pub(crate) file: &'static str,
    brief: &'static str,
    /// Everything between NAME and SEE ALSO.
    body: fn() -> String,
    /// The last words of SEE ALSO: pages of other programs.
    others: &'static str,
}

/// All pages.
pub(crate) const PAGES: &[ManPage] = &[
    ManPage {
        file: "codex.1",
        brief: "a ChatGPT subscription or an API key in the shell and in CI",
        body: main_page,
        others: "curl(1), jq(1)",
    },
    ManPage {
        file: "codex-config.5",
        brief: "configuration, models, tool manifests, MCP servers and credentials of codex",
        body: || [CONFIG, MODELS, MCP, FILES].map(from_text).concat(),
        others: "",
    },
    ManPage {
        file: "codex-json.5",
        brief: "the JSON lines that codex prints and reads",
        body: || from_text(JSON),
        others: "jq(1)",
    },
    ManPage {
        file: "codex-sandbox.7",
        brief: "what the tools of codex may access",
        body: || from_text(SANDBOX),
        others: "seccomp(2), landlock(7)",
    },
];

impl ManPage {
    /// The name of the page and its section.
    pub(super) fn title(&self) -> (&'static str, &'static str) {
        self.file.rsplit_once('.').unwrap_or((self.file, ""))
    }

    /// The page, in man(7) format.
    pub(crate) fn text(&self) -> String {
        let (name, section) = self.title();
        let mut page = format!(
            ".TH {} {section} {DATE} \"codex-run {}\" \"codex-run\"\n.nh\n.ad l\n",
            roff::escape(&name.to_uppercase()),
            env!("CARGO_PKG_VERSION"),
        );
        let brief = roff::escape(self.brief);
        let _ = writeln!(page, ".SH NAME\n{} \\- {brief}", roff::escape(name));
        page.push_str(&(self.body)());
        page.push_str(".SH SEE ALSO\n");
        let own = PAGES.iter().map(Self::title);
        let mut pages: Vec<String> = own
            .filter(|title| *title != self.title())
            .map(|(name, section)| format!("{name}({section})"))
            .collect();
        pages.extend((!self.others.is_empty()).then(|| self.others.to_owned()));
        page.push_str(&roff::text(&pages.join(", ")));
        page
    }
}

fn from_text(text: &str) -> String {
    roff::render(&markup::parse(text))
}

/// The body of `codex(1)`.
fn main_page() -> String {
    let mut page = ".SH SYNOPSIS\n".to_owned();
    for (n, command) in commands().enumerate() {
        let line_break = if n == 0 { "" } else { ".br\n" };
        let synopsis = synopsis(command);
        let (name, rest) = synopsis.split_once(' ').unwrap_or((&synopsis, ""));
        let name = roff::bold(&format!("codex {name}"));
        let _ = writeln!(
            page,
            "{line_break}{}",
            format!("{name} {}", roff::escape(rest)).trim_end()
        );
    }
    page.push_str(&from_text(OPERATION));
    page.push_str(".SH COMMANDS\n");
    for command in commands() {
        let doc = roff::text(command.doc);
        let _ = write!(page, ".SS codex {}\n{doc}", roff::escape(command.name));
        if command.name == "run" {
            page.push_str(&paragraph("All options of the section OPTIONS."));
            continue;
        }
        let (own, shared): (Vec<&Flag>, Vec<&Flag>) = flags_of(command.name)
            .partition(|flag| !flags_of("run").any(|other| ptr::eq(*flag, other)));
        page.push_str(&options(&own));
        if !shared.is_empty() {
            let names: Vec<String> = shared
                .iter()
                .map(|flag| format!("--{}", flag.long))
                .collect();
            let also = format!("As in `codex run`: {}.", names.join(", "));
            page.push_str(&paragraph(&also));
        }
    }
    page.push_str(".SH OPTIONS\n");
    for group in GROUPS {
        let flags: Vec<&Flag> = flags_of("run")
            .filter(|flag| flag.group == *group)
            .collect();
        if !flags.is_empty() {
            let heading = group.heading();
            let _ = writeln!(
                page,
                ".SS {}{}",
                heading[..1].to_uppercase(),
                roff::escape(&heading[1..])
            );
            page.push_str(&options(&flags));
        }
    }
    page.push_str(&from_text(&exit_codes()));
    page.push_str(&from_text(&compaction()));
    page.push_str(&from_text(ENVIRONMENT));
    page.push_str(&from_text(FILES));
    page.push_str(".SH EXAMPLES\n");
    page.push_str(&from_text(EXAMPLES));
    page
}

fn paragraph(text: &str) -> String {
    format!(".PP\n{}", roff::text(text))
}

/// A list of flags; those with the same text share it.
fn options(flags: &[&Flag]) -> String {
    let mut list = String::new();
    for same in flags.chunk_by(|a, b| a.doc == b.doc) {
        for (n, flag) in same.iter().enumerate() {
            let _ = writeln!(
                list,
                "{}\n{}",
                if n == 0 { ".TP" } else { ".TQ" },
                syntax(flag)
            );
        }
        if let Some(flag) = same.first() {
            list.push_str(&roff::text(&flag.doc()));
        }
    }
    list
}

/// The syntax of a flag, with its value.
fn syntax(flag: &Flag) -> String {
    let short = flag
        .short
        .map(|short| roff::bold(&format!("\\-{short}")) + ", ");
    let value = match flag.takes {
        Takes::Nothing => String::new(),
        Takes::Value(value) | Takes::Values(value) => format!(" {}", roff::italic(value)),
        Takes::Optional(value, _) => format!("[={}]", roff::italic(value)),
    };
    let long = roff::bold(&roff::escape(&format!("--{}", flag.long)));
    format!("{}{long}{value}", short.unwrap_or_default())
}
