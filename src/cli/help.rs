//! Help texts: `-h` on one screen, `--help` in full.

use std::fmt::Write as _;

use super::flags::{Command, Flag, GROUPS, Takes, command, flags_of};
use super::manual::plain::{LINE_WIDTH, TEXT_INDENT, wrap};
use super::manual::{HelpTopic, TOPICS, examples};
use super::synopsis::{COMMAND_GROUPS, synopsis};

/// The lines of a screen, without the one of the next prompt.
const SCREEN_LINES: usize = 23;

/// The width of the column of headings in the short help.
const HEADING_WIDTH: usize = 10;

/// The number of examples in the short help.
const SHORT_EXAMPLES: usize = 2;

/// What the program is for.
const PURPOSE: &str = "codex: ask a model from the shell and CI, with ChatGPT or an API key";

/// The help for a command, or for all commands.
pub(super) fn text(name: Option<&str>, long: bool) -> String {
    match (name.and_then(command), long) {
        (Some(command), false) => short(command),
        (Some(command), true) => in_full(command),
        (None, false) => overview(),
        (None, true) => overview_in_full(),
    }
}

/// The text of a topic. If it is also a command, the command's help follows.
pub(super) fn of_topic(topic: &HelpTopic) -> String {
    let help = command(topic.name).map(|command| "\n".to_owned() + &in_full(command));
    topic.plain() + &help.unwrap_or_default()
}

/// The first lines, with this between them.
fn title(command: &Command, gap: &str) -> String {
    let (name, brief, usage) = (command.name, command.brief, synopsis(command));
    format!("codex {name}: {brief}\n{gap}usage: codex {usage}\n")
}

/// Whether the argument is one of a few words, for which the usage line has a name.
fn is_one_of(command: &Command) -> bool {
    let is_name = command.usage.chars().all(|c| c.is_ascii_uppercase());
    is_name && !command.words.is_empty()
}

/// The flags of a group for one screen.
struct ShortGroup {
    heading: &'static str,
    /// Flags with a few words each.
    explained: Vec<&'static Flag>,
    /// Lines with the names of the others.
    named: Vec<String>,
}

impl ShortGroup {
    fn lines(&self) -> usize {
        self.explained.len() + self.named.len()
    }
}

/// The short help: every flag with a few words if the screen has room for it, otherwise only the main ones, and as many
/// names of the others as fit.
fn short(command: &Command) -> String {
    let mut text = title(command, "");
    let name = command.name;
    let last = format!("{:<HEADING_WIDTH$}codex {name} --help\n", "more");
    // Around the groups: a blank line, the examples, the last line.
    let room = SCREEN_LINES - text.lines().count() - SHORT_EXAMPLES - 2;
    let mut groups = grouped(name, true);
    if groups.iter().map(ShortGroup::lines).sum::<usize>() > room {
        groups = grouped(name, false);
    }
    while groups.iter().map(ShortGroup::lines).sum::<usize>() > room {
        let longest = groups.iter_mut().max_by_key(|group| group.named.len());
        let Some(names) = longest
            .map(|group| &mut group.named)
            .filter(|names| names.len() > 1)
        else {
            break;
        };
        names.pop();
        if let Some(line) = names.last_mut() {
            line.push_str(" ...");
        }
    }
    let lines: usize = groups.iter().map(ShortGroup::lines).sum();
    let gap = if lines + groups.len() <= room {
        "\n"
    } else {
        ""
    };
    let flags = groups.iter().flat_map(|group| &group.explained);
    let width = flags
        .map(|flag| syntax(flag).len() + 2)
        .max()
        .unwrap_or_default();
    text.push('\n');
    for group in &groups {
        let mut heading = group.heading;
        for flag in &group.explained {
            let _ = writeln!(
                text,
                "{heading:<HEADING_WIDTH$}{:<width$}{}",
                syntax(flag),
                flag.brief()
            );
            heading = "";
        }
        for line in &group.named {
            let _ = writeln!(text, "{heading:<HEADING_WIDTH$}{line}");
            heading = "";
        }
        text.push_str(gap);
    }
    if is_one_of(command) {
        let words = command.words.join(" ");
        let _ = writeln!(text, "{:<HEADING_WIDTH$}{words}", command.usage);
    }
    text + &short_examples(name) + &last
}

/// The flags of a command by groups.
fn grouped(command: &str, all_explained: bool) -> Vec<ShortGroup> {
    let groups = GROUPS.iter().map(|group| {
        let of_group = flags_of(command).filter(|flag| flag.group == *group);
        let (explained, others) = of_group.partition(|flag| all_explained || !flag.rare);
        ShortGroup {
            heading: group.heading(),
            explained,
            named: names(&others),
        }
    });
    groups.filter(|group| group.lines() > 0).collect()
}

/// Lines with the names of flags, two blanks between them.
fn names(flags: &[&Flag]) -> Vec<String> {
    // A blank and an ellipsis fit behind each line.
    let width = LINE_WIDTH - HEADING_WIDTH - 4;
    let mut lines: Vec<String> = Vec::new();
    for flag in flags {
        let short = flag.short.map(|short| format!("-{short}, "));
        let name = format!("{}--{}", short.unwrap_or_default(), flag.long);
        match lines
            .last_mut()
            .filter(|line| line.len() + 2 + name.len() <= width)
        {
            Some(line) => {
                line.push_str("  ");
                line.push_str(&name);
            }
            None => lines.push(name),
        }
    }
    lines
}

/// The lines of the examples, without comments.
fn example_lines(command: &str) -> impl Iterator<Item = &'static str> + use<> {
    let lines = examples(command).into_iter();
    lines.filter(|line| !line.starts_with('#'))
}

/// The first examples.
fn short_examples(command: &str) -> String {
    let headings = ["examples", ""].into_iter();
    let rows = headings.zip(example_lines(command).take(SHORT_EXAMPLES));
    rows.map(|(heading, line)| format!("{heading:<HEADING_WIDTH$}{line}\n"))
        .collect()
}

/// The full help: flags at one indent, and their texts at another.
fn in_full(command: &Command) -> String {
    let mut text = title(command, "\n");
    let _ = write!(text, "\n{}", wrap(command.doc, 0));
    for group in GROUPS {
        let flags: Vec<&Flag> = flags_of(command.name)
            .filter(|flag| flag.group == *group)
            .collect();
        if !flags.is_empty() {
            let _ = writeln!(text, "\n{}:", group.heading());
        }
        for same in flags.chunk_by(|a, b| a.doc == b.doc) {
            for flag in same {
                let _ = writeln!(text, "  {}", syntax(flag));
            }
            text.push_str(&wrap(&same[0].doc(), TEXT_INDENT));
        }
    }
    text.push_str("\nexamples:\n");
    for line in examples(command.name) {
        let _ = writeln!(text, "{}", format!("  {line}").trim_end());
    }
    text.push_str("\nmore: `codex help exit-codes`, `codex help` for all topics, `man codex`\n");
    text
}

fn overview() -> String {
    let mut text = format!("{PURPOSE}\nusage: codex COMMAND [FLAG...] [ARG...]\n\n");
    for (heading, names) in COMMAND_GROUPS {
        let mut heading = *heading;
        for command in names.iter().filter_map(|name| command(name)) {
            let _ = writeln!(
                text,
                "{heading:<HEADING_WIDTH$}{:<12}{}",
                command.name, command.brief
            );
            heading = "";
        }
    }
    let topics: Vec<&str> = TOPICS.iter().map(|topic| topic.name).collect();
    text.push_str(&short_examples("run"));
    let _ = writeln!(text, "{:<HEADING_WIDTH$}{}", "topics", topics.join(" "));
    text.push_str(
        "\n`codex COMMAND -h` lists its flags, --help explains them; `codex help TOPIC`.\n",
    );
    text
}

fn overview_in_full() -> String {
    let mut text = format!("{PURPOSE}\n\nusage: codex COMMAND [FLAG...] [ARG...]\n");
    for (heading, names) in COMMAND_GROUPS {
        let _ = writeln!(text, "\n{heading}:");
        for command in names.iter().filter_map(|name| command(name)) {
            let usage = format!("{} {}", command.name, command.usage);
            let _ = writeln!(text, "  {usage:<31} {}", command.brief);
        }
    }
    text.push_str("\nflags:\n");
    for (flag, brief) in [
        ("COMMAND -h", "a command's flags, on one screen"),
        ("COMMAND --help", "everything about a command"),
        ("-h, --help", "the commands"),
        ("-V, --version", "name and version"),
    ] {
        let _ = writeln!(text, "  {flag:<31} {brief}");
    }
    text.push_str("\ntopics, for `codex help TOPIC`:\n");
    for topic in TOPICS {
        let _ = writeln!(text, "  {:<31} {}", topic.name, topic.brief);
    }
    text.push_str("\nexamples:\n");
    for line in ["login", "run", "chat"]
        .into_iter()
        .flat_map(|name| example_lines(name).take(SHORT_EXAMPLES))
    {
        let _ = writeln!(text, "  {line}");
    }
    text.push_str("\nSee `man codex` for the full manual.\n");
    text
}

/// The syntax of a flag, with its value.
fn syntax(flag: &Flag) -> String {
    let short = flag.short.map(|short| format!("-{short}, "));
    let short = short.unwrap_or_default();
    let long = flag.long;
    match flag.takes {
        Takes::Nothing => format!("{short}--{long}"),
        Takes::Value(value) | Takes::Values(value) => format!("{short}--{long} {value}"),
        Takes::Optional(value, _) => format!("{short}--{long}[={value}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::flags::COMMANDS;
    use crate::cli::manual::topic;

    #[test]
    fn the_short_help_is_one_screen_with_two_examples() {
        for name in COMMANDS
            .iter()
            .map(|command| Some(command.name))
            .chain([None])
        {
            let short = text(name, false);
            let lines: Vec<&str> = short.lines().collect();
            assert!(
                lines.len() <= SCREEN_LINES,
                "{} lines:\n{short}",
                lines.len()
            );
            let wide = lines.iter().find(|line| line.chars().count() > LINE_WIDTH);
            assert!(wide.is_none(), "{wide:?}");
            let first = lines.iter().position(|line| line.starts_with("examples  "));
            let examples = &lines[first.expect("examples")..][..SHORT_EXAMPLES];
            let is_example =
                |line: &&str| !line[HEADING_WIDTH..].starts_with(' ') && line.contains("codex ");
            assert!(examples.iter().all(is_example), "{name:?}: {examples:?}");
            assert!(!short.contains('#'), "no comments: {short}");
        }
    }

    #[test]
    fn no_line_of_any_help_or_topic_is_wider_than_the_screen() {
        let commands = COMMANDS
            .iter()
            .map(|command| text(Some(command.name), true));
        let topics = TOPICS.iter().map(HelpTopic::plain);
        for help in commands.chain(topics).chain([text(None, true)]) {
            let wide = help.lines().find(|line| line.chars().count() > LINE_WIDTH);
            assert!(wide.is_none(), "{wide:?}");
        }
    }

    #[test]
    fn every_flag_is_listed_with_its_short_form() {
        for command in COMMANDS {
            let long = text(Some(command.name), true);
            let short = text(Some(command.name), false);
            for flag in flags_of(command.name) {
                let line = format!("\n  {}\n", syntax(flag));
                assert!(long.contains(&line), "{}: {line}", command.name);
                let name = syntax(flag);
                let name = name.split([' ', '[']).next().unwrap_or_default();
                assert!(
                    short.contains(name) || short.contains(" ..."),
                    "{}: {name}",
                    command.name
                );
            }
            let groups = flags_of(command.name).map(|flag| flag.group.heading());
            for heading in groups {
                assert!(long.contains(&format!("\n{heading}:\n")), "{heading}");
            }
        }
    }

    #[test]
    fn every_command_has_a_group_and_every_topic_is_listed() {
        let mut grouped: Vec<&str> = COMMAND_GROUPS
            .iter()
            .flat_map(|(_, names)| *names)
            .copied()
            .collect();
        let mut all: Vec<&str> = COMMANDS.iter().map(|command| command.name).collect();
        grouped.sort_unstable();
        all.sort_unstable();
        assert_eq!(grouped, all);
        let words = command("help").expect("help").words;
        for word in words {
            assert!(all.contains(word) || topic(word).is_some(), "{word}");
        }
        for topic in TOPICS {
            assert!(words.contains(&topic.name), "{}", topic.name);
            assert!(
                text(None, false).contains(topic.name) && text(None, true).contains(topic.brief)
            );
        }
    }
}
