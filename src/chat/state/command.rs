//! The commands of the question: what a text that begins with `/` means, and how Tab completes it. Commands come from the keys
//! only: pasted text that begins with `/` is a message.

/// A command with its argument, and what it does.
pub struct CommandHelp {
    pub name: &'static str,
    pub argument: &'static str,
    pub brief: &'static str,
}

/// Every command, in the order of the help.
pub const COMMANDS: [CommandHelp; 10] = [
    help("model", "[NAME]", "list the models, or use this one"),
    help("effort", "[LEVEL]", "list the efforts, or use this one"),
    help("compact", "", "shorten this conversation"),
    help("resume", "[ID]", "open a stored conversation"),
    help(
        "fork",
        "[ID]",
        "continue a copy of this conversation, or of a stored one",
    ),
    help("new", "", "begin a new conversation"),
    help("copy", "", "copy the last answer"),
    help("login", "", "sign in"),
    help("help", "", "show keys and commands"),
    help("quit", "", "leave"),
];

const fn help(name: &'static str, argument: &'static str, brief: &'static str) -> CommandHelp {
    CommandHelp {
        name,
        argument,
        brief,
    }
}

/// A command that was entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChatCommand {
    Model(Option<String>),
    Effort(Option<String>),
    Compact,
    Resume(Option<String>),
    Fork(Option<String>),
    New,
    Copy,
    Login,
    Help,
    Quit,
}

/// What was entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entered {
    Nothing,
    Message(String),
    Command(ChatCommand),
    /// Neither: this is wrong with it.
    Wrong(String),
}

/// Whether a question is a command, or the beginning of one.
#[must_use]
pub fn is_command(question: &str, begins_typed: bool) -> bool {
    begins_typed && question.starts_with('/') && !question.starts_with("//")
}

/// Reads a question. White space at its end, and empty lines at its beginning, are no part of a message.
#[must_use]
pub fn read(question: &str, begins_typed: bool) -> Entered {
    let message = question.trim_end();
    if !is_command(question, begins_typed) {
        let escaped = begins_typed && message.starts_with("//");
        let message = message.get(usize::from(escaped)..).unwrap_or_default();
        let first = message.len() - message.trim_start().len();
        let line = message[..first].rfind('\n').map_or(0, |end| end + 1);
        return match &message[line..] {
            "" => Entered::Nothing,
            message => Entered::Message(message.to_owned()),
        };
    }
    let mut words = message[1..].split_whitespace();
    let name = words.next().unwrap_or_default();
    let argument = words.next().map(str::to_owned);
    let Some(help) = COMMANDS.iter().find(|help| help.name == name) else {
        return Entered::Wrong(format!(
            "unknown command /{name}: /help lists the commands; begin with // to send a text that starts with /"
        ));
    };
    if words.next().is_some() || (argument.is_some() && help.argument.is_empty()) {
        let most = if help.argument.is_empty() {
            "no argument"
        } else {
            "one argument"
        };
        return Entered::Wrong(format!("/{name} takes {most}"));
    }
    Entered::Command(match name {
        "model" => ChatCommand::Model(argument),
        "effort" => ChatCommand::Effort(argument),
        "compact" => ChatCommand::Compact,
        "resume" => ChatCommand::Resume(argument),
        "fork" => ChatCommand::Fork(argument),
        "new" => ChatCommand::New,
        "copy" => ChatCommand::Copy,
        "login" => ChatCommand::Login,
        "help" => ChatCommand::Help,
        _ => ChatCommand::Quit,
    })
}

/// A message as it has to be typed for the same message to be sent again.
#[must_use]
pub fn as_typed(message: &str) -> String {
    let escape = if message.starts_with('/') { "/" } else { "" };
    format!("{escape}{message}")
}

/// What a command that is being typed can become: its name, or its argument among these models and efforts. Each candidate is
/// the whole question.
#[must_use]
pub fn candidates(question: &str, models: &[&str], efforts: &[&str]) -> Vec<String> {
    let begin = |text: &String| text.starts_with(question);
    match question.split_once(' ') {
        Some(("/model", _)) => {
            let texts = models.iter().map(|id| format!("/model {id}"));
            texts.filter(begin).collect()
        }
        Some(("/effort", _)) => {
            let texts = efforts.iter().map(|level| format!("/effort {level}"));
            texts.filter(begin).collect()
        }
        Some(_) => Vec::new(),
        None => {
            let texts = COMMANDS.iter().map(|help| format!("/{}", help.name));
            texts.filter(begin).collect()
        }
    }
}

/// The question completed as far as it is certain, with a space after a name that takes an argument.
#[must_use]
pub fn completed(candidates: &[String]) -> Option<String> {
    let (first, others) = candidates.split_first()?;
    let mut length = first.len();
    for other in others {
        let same = first.bytes().zip(other.bytes()).take_while(|(a, b)| a == b);
        length = length.min(same.count());
    }
    let mut text = first[..crate::text::floor(first, length)].to_owned();
    let takes = |help: &CommandHelp| text[1..] == *help.name && !help.argument.is_empty();
    if others.is_empty() && COMMANDS.iter().any(takes) {
        text.push(' ');
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_come_from_the_keys_and_two_slashes_are_text() {
        let message = |text: &str| Entered::Message(text.into());
        let check = |question: &str, typed, expected| assert_eq!(read(question, typed), expected);
        check("", true, Entered::Nothing);
        check(" \n ", false, Entered::Nothing);
        check("\n\n  a\n b \n", true, message("  a\n b"));
        check("//usr/bin", true, message("/usr/bin"));
        check("//", true, message("/"));
        check("/quit", false, message("/quit"));
        check("//x", false, message("//x"));
        check("/quit ", true, Entered::Command(ChatCommand::Quit));
        let model = ChatCommand::Model(Some("gpt".into()));
        check("/model\tgpt\n", true, Entered::Command(model));
        check("/model", true, Entered::Command(ChatCommand::Model(None)));
        for wrong in ["/", "/usr/bin fails", "/new x", "/model a b", "/Quit"] {
            assert!(matches!(read(wrong, true), Entered::Wrong(_)), "{wrong}");
        }
        for text in ["/usr", "//x", "x", "/"] {
            check(&as_typed(text), true, message(text));
        }
    }

    #[test]
    fn every_command_is_read_and_completed() {
        for help in COMMANDS {
            let name = format!("/{}", help.name);
            assert!(matches!(read(&name, true), Entered::Command(_)), "{name}");
            assert!(candidates(&name[..2], &[], &[]).contains(&name));
        }
        let check = |question: &str, expected: Option<&str>| {
            let found = candidates(question, &["gpt-a", "gpt-b"], &["low", "high"]);
            assert_eq!(completed(&found).as_deref(), expected, "{question}");
        };
        check("/mo", Some("/model "));
        check("/q", Some("/quit"));
        check("/", Some("/"));
        check("/x", None);
        check("/model g", Some("/model gpt-"));
        check("/model gpt-b", Some("/model gpt-b"));
        check("/effort h", Some("/effort high"));
        check("/resume x", None);
    }
}
