//! Parses argv with lexopt and the table of flags into an invocation. Only the syntax is validated here.

use std::ffi::OsString;

use lexopt::{Arg, Parser};

use super::exec;
use super::flags::{self, Args, COMMANDS, FlagOrigin, Takes, command, flags_of};
use super::manual::{HelpTopic, topic};
use super::nearest::unknown;
use super::output_form::ReportingFlags;
use crate::failure::Failure;
use crate::text::first_characters;
use crate::tools::tool_request::ToolRequest;

/// The hint for a misused flag.
const EXPLAINED: &str = "the command's --help explains its flags";

/// A parsed command line.
#[derive(Debug)]
pub(super) enum Invocation {
    Run(Box<Args>),
    Chat(Box<Args>),
    Login(Box<Args>),
    Logout(Box<Args>),
    Status(Box<Args>),
    Token(Box<Args>),
    Models(Box<Args>),
    Sessions(Box<Args>),
    ShowSession(OsString),
    RemoveSessions(Vec<OsString>),
    ListServers(Box<Args>),
    Schema,
    Tool(String, Box<Args>),
    /// Hidden: a tool started by a run, which reads its standard output.
    HeldTool(Box<ToolRequest>),
    Completion(String),
    /// Hidden: the values of a kind for the completion scripts, and the word that they are for.
    Complete(String, String),
    /// `-h` (false) or `--help` (true) of a command, or of all.
    Help(Option<&'static str>, bool),
    Topic(&'static HelpTopic),
    Version,
    /// Hidden: what `make generate` writes into `man/` and `completions/`; `pages` lists the files of `man/`.
    Generate(String),
}

/// Parses the arguments after the program's name. Flags about how to report failures are noted in `seen` immediately,
/// because they also apply to errors in later arguments.
pub(super) fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    seen: &ReportingFlags,
) -> Result<Invocation, Failure> {
    let mut parser = Parser::from_args(arguments);
    let name = match parser.next().map_err(unreadable)? {
        Some(Arg::Short('h')) => return Ok(Invocation::Help(None, false)),
        Some(Arg::Long("help")) => return Ok(Invocation::Help(None, true)),
        Some(Arg::Short('V') | Arg::Long("version")) => return Ok(Invocation::Version),
        Some(Arg::Long("generate")) => {
            let what = parser.value().map_err(unreadable)?;
            return Ok(Invocation::Generate(what.to_string_lossy().into_owned()));
        }
        Some(Arg::Value(name)) if name == "__complete" => {
            let words = parser.raw_args().map_err(unreadable)?;
            let mut words = words.map(|word| word.to_string_lossy().into_owned());
            let mut word = || words.next().unwrap_or_default();
            return Ok(Invocation::Complete(word(), word()));
        }
        Some(Arg::Value(name)) => name.to_string_lossy().into_owned(),
        Some(other) => {
            let flag = spelled(&other);
            return Err(unknown(
                "flag",
                &flag,
                &["-h", "--help", "-V", "--version"],
                "put a command's flags after its name",
            ));
        }
        None => {
            return Err(Failure::usage("no command given")
                .hint("`codex run \"say hello\"` asks a model; `codex help` lists the commands"));
        }
    };
    let Some(command) = command(&name) else {
        if name.contains(char::is_whitespace) {
            return Err(prompt_without_command(&name));
        }
        let names: Vec<&str> = COMMANDS.iter().map(|command| command.name).collect();
        return Err(unknown(
            "command",
            &name,
            &names,
            "`codex run PROMPT` asks a model, `codex help` lists the commands",
        ));
    };
    let mut args = Args {
        is_run: matches!(command.name, "run" | "exec"),
        is_chat: command.name == "chat",
        ..Args::default()
    };
    let mut given = Vec::new();
    while let Some(arg) = parser.next().map_err(unreadable)? {
        let flag = match &arg {
            Arg::Short('h') => return Ok(Invocation::Help(Some(command.name), false)),
            Arg::Long("help") => return Ok(Invocation::Help(Some(command.name), true)),
            Arg::Short('V') | Arg::Long("version") if command.name == "exec" => {
                return Ok(Invocation::Version);
            }
            Arg::Long("held") if command.name == "tool" => {
                let words = parser.raw_args().map_err(unreadable)?;
                return ToolRequest::parse(words)
                    .map(|request| Invocation::HeldTool(Box::new(request)))
                    .ok_or_else(|| Failure::usage("--held is reserved for `codex run`"));
            }
            Arg::Value(word) => {
                args.words.push(word.clone());
                continue;
            }
            Arg::Short(short) => flags_of(command.name)
                .chain(flags_of(related_command(command.name)))
                .find(|flag| flag.short == Some(*short)),
            Arg::Long(long) => flags_of(command.name)
                .chain(flags_of(related_command(command.name)))
                .find(|flag| flag.long == *long),
        };
        let Some(flag) = flag else {
            return Err(no_flag(command.name, &spelled(&arg)));
        };
        given.push(flag);
        let value = match flag.takes {
            Takes::Value(_) | Takes::Values(_) => parser.value().map_err(unreadable)?,
            Takes::Optional(_, default) => {
                parser.optional_value().unwrap_or_else(|| default.into())
            }
            Takes::Nothing => OsString::new(),
        };
        flag.set_value(&mut args, value, FlagOrigin::Flag);
        seen.note(&args);
    }
    // `codex login status` is `codex status`, and accepts its flags.
    let name = match (command.name, args.words.first()) {
        ("login", Some(word)) if word == "status" => "status",
        (name, _) => name,
    };
    if let Some(flag) = given.iter().find(|flag| !flag.commands.contains(&name)) {
        if name == "chat" {
            return Err(not_in_chat(&format!("--{}", flag.long)));
        }
        return Err(no_flag(name, &format!("--{}", flag.long)));
    }
    args.ended_flags = seen.behind() == Some(args.words.len());
    finish(command.name, args)
}

/// A prompt in the place of a command.
fn prompt_without_command(prompt: &str) -> Failure {
    const MAX_PROMPT_CHARACTERS: usize = 100;
    let is_plain = |c: char| !c.is_control() && !matches!(c, '"' | '$' | '`' | '\\' | '!');
    let is_short = prompt.chars().count() <= MAX_PROMPT_CHARACTERS;
    let run = if is_short && prompt.chars().all(is_plain) {
        format!("codex run \"{prompt}\"")
    } else {
        "codex run PROMPT".to_owned()
    };
    let shown = first_characters(prompt, MAX_PROMPT_CHARACTERS);
    Failure::usage(format!("unknown command {shown:?}; did you mean {run}?"))
}

/// The command whose flags are also known to this one, if only to refuse them.
fn related_command(command: &str) -> &'static str {
    match command {
        "login" => "status",
        "chat" => "run",
        _ => "",
    }
}

/// An argument of `run` that means nothing on a screen.
fn not_in_chat(spelled: &str) -> Failure {
    Failure::usage(format!("{spelled} cannot be used in a chat"))
        .hint("use `codex run`, which prints the answer and exits")
}

/// A flag that the command does not have.
fn no_flag(command: &str, spelled: &str) -> Failure {
    if let Some(refusal) = exec::refusal(spelled).filter(|_| command == "exec") {
        return refusal;
    }
    let mut known: Vec<String> = flags_of(command)
        .map(|flag| format!("--{}", flag.long))
        .collect();
    known.push("--help".to_owned());
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let hint = format!("`codex {command} --help` explains its flags; -- ends the flags");
    unknown("flag", spelled, &known, &hint)
}

fn finish(command: &str, mut args: Args) -> Result<Invocation, Failure> {
    match command {
        "run" => return Ok(Invocation::Run(Box::new(args))),
        "exec" if args.words == ["help"] && !args.ended_flags => {
            return Ok(Invocation::Help(Some("exec"), true));
        }
        "exec" => {
            exec::translate(&mut args)?;
            return Ok(Invocation::Run(Box::new(args)));
        }
        "chat" if args.words.iter().any(|word| word == "-") => return Err(not_in_chat("-")),
        "chat" => return Ok(Invocation::Chat(Box::new(args))),
        "sessions" => return sessions(args),
        _ => {}
    }
    let listed = flags::command(command)
        .map(|command| command.words)
        .unwrap_or_default();
    if listed.is_empty()
        && let Some(extra) = args.words.first()
    {
        return Err(Failure::usage(format!(
            "`codex {command}` takes no arguments, but got {}",
            extra.display()
        )));
    }
    let word =
        (!args.words.is_empty()).then(|| args.words.remove(0).to_string_lossy().into_owned());
    if let Some(extra) = args.words.first() {
        return Err(Failure::usage(format!(
            "`codex {command}` takes only one argument; unexpected {}",
            extra.display()
        )));
    }
    match word {
        None if command == "login" => Ok(Invocation::Login(Box::new(args))),
        None if command == "logout" => Ok(Invocation::Logout(Box::new(args))),
        None if command == "status" => Ok(Invocation::Status(Box::new(args))),
        None if command == "token" => Ok(Invocation::Token(Box::new(args))),
        None if command == "models" => Ok(Invocation::Models(Box::new(args))),
        None if command == "help" => Ok(Invocation::Help(None, true)),
        None if command == "version" => Ok(Invocation::Version),
        None => Err(Failure::usage(format!(
            "`codex {command}` needs an argument: {}",
            listed.join(", ")
        ))),
        // It may be a secret passed in the wrong place, so it is not repeated.
        Some(word) if command == "login" && !listed.contains(&&*word) => Err(Failure::usage(
            "`codex login` takes no argument except status",
        )
        .hint("a key or token is read from standard input: codex login --with-api-key < key.txt")),
        Some(word)
            if !listed.contains(&&*word) && (command != "help" || topic(&word).is_none()) =>
        {
            let one = format!("use one of {}", listed.join(", "));
            let (what, otherwise) = match command {
                "help" => ("topic", "`codex help` lists the commands and topics"),
                _ => ("argument", &*one),
            };
            Err(unknown(what, &word, listed, otherwise))
        }
        Some(word) => Ok(match command {
            "login" => Invocation::Status(Box::new(args)),
            "tool" => Invocation::Tool(word, Box::new(args)),
            "mcp" => Invocation::ListServers(Box::new(args)),
            "schema" => Invocation::Schema,
            "completion" => Invocation::Completion(word),
            _ => match topic(&word) {
                Some(topic) => Invocation::Topic(topic),
                None => Invocation::Help(flags::command(&word).map(|command| command.name), true),
            },
        }),
    }
}

/// `codex sessions`, its `show` and its `rm`.
fn sessions(mut args: Args) -> Result<Invocation, Failure> {
    if args.words.is_empty() {
        return Ok(Invocation::Sessions(Box::new(args)));
    }
    let word = args.words.remove(0).to_string_lossy().into_owned();
    let actions = command("sessions").map_or(&[][..], |command| command.actions);
    let actions: Vec<&str> = actions.iter().map(|action| action.word).collect();
    if !actions.contains(&&*word) {
        let hint = "`codex sessions show ID` shows a conversation";
        return Err(unknown("argument", &word, &actions, hint));
    }
    if let Some(given) = args.given.first() {
        let flag = given.long;
        return Err(
            Failure::usage(format!("`codex sessions {word}` does not take --{flag}"))
                .hint("it is for the list of conversations"),
        );
    }
    match (&*word, args.words.len()) {
        (_, 0) => Err(
            Failure::usage(format!("`codex sessions {word}` needs an id"))
                .hint("`codex sessions` lists the ids"),
        ),
        ("show", 1) => Ok(Invocation::ShowSession(args.words.remove(0))),
        ("show", _) => Err(Failure::usage("`codex sessions show` takes one id")),
        _ => Ok(Invocation::RemoveSessions(args.words)),
    }
}

fn spelled(arg: &Arg<'_>) -> String {
    match arg {
        Arg::Short(short) => format!("-{short}"),
        Arg::Long(long) => format!("--{long}"),
        Arg::Value(word) => word.to_string_lossy().into_owned(),
    }
}

fn unreadable(error: lexopt::Error) -> Failure {
    match error {
        lexopt::Error::MissingValue {
            option: Some(option),
        } => Failure::usage(format!("{option} needs a value")).hint(EXPLAINED),
        // The value is not repeated: it may be a secret in the wrong place.
        lexopt::Error::UnexpectedValue { option, .. } => {
            Failure::usage(format!("{option} takes no value")).hint(EXPLAINED)
        }
        other => Failure::usage(other.to_string()),
    }
}

#[cfg(test)]
mod tests;
