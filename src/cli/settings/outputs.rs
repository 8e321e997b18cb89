//! The output format, and whether the conversation is stored, from flags.

use std::path::PathBuf;

use crate::cli::flags::{Args, INPUTS};
use crate::cli::named_files;
use crate::cli::values::word_of;
use crate::command::run::{Form, RunInput, SessionChoice};
use crate::failure::Failure;
use crate::format::OutputSchema;
use crate::prompt;

/// The output format.
pub(super) fn form(args: &Args) -> Result<Form, Failure> {
    match (args.json, args.deltas) {
        (true, deltas) => Ok(Form::Lines { deltas }),
        (false, false) => Ok(Form::Text),
        (false, true) => Err(Failure::usage(format!(
            "{} works only with --json: plain text is always printed as it arrives",
            args.named("deltas")
        ))
        .hint("add --json, or omit it")),
    }
}

/// Where the messages come from.
pub(super) fn input(args: &Args) -> Result<RunInput, Failure> {
    let format = word_of(args, "input", args.input.as_deref(), INPUTS)?;
    if format.is_none() {
        return match &args.turn_timeout {
            Some(_) if !args.is_chat => Err(Failure::usage(format!(
                "{} works only with --input jsonl: without it, a run is a single turn",
                args.named("turn-timeout")
            ))
            .hint("use --timeout")),
            _ => Ok(RunInput::Prompt),
        };
    }
    if !args.json {
        return Err(Failure::usage(format!(
            "{} jsonl needs --json: plain text does not show where a turn ends",
            args.named("input")
        ))
        .hint("add --json"));
    }
    if !args.words.is_empty() {
        return Err(Failure::usage(format!(
            "with {} jsonl, messages come from standard input, not from arguments",
            args.named("input")
        ))
        .hint(r#"send {"type": "user", "text": "..."} as a line"#));
    }
    Ok(RunInput::Lines)
}

/// The schema of the last message.
pub(super) fn schema(args: &Args) -> Result<Option<OutputSchema>, Failure> {
    let Some(path) = &args.output_schema else {
        return Ok(None);
    };
    let flag = args.named("output-schema");
    let text = named_files::text(args, "output-schema", path)?;
    let shown = path.to_string_lossy();
    let wrong = |at: &str, why: &str| {
        let place = match at {
            "" => String::new(),
            at => format!(" at {at}"),
        };
        Failure::usage(format!(
            "cannot use the schema {shown}, named by {flag}:{place} {why}"
        ))
        .hint("in strict mode, objects must require every property and allow no others; `codex help json` lists the other rules")
    };
    let format = OutputSchema::new(&text).map_err(|unfit| wrong(&unfit.at, &unfit.why))?;
    Ok(Some(format))
}

/// The file for the last message.
pub(super) fn last_message(args: &Args) -> Option<PathBuf> {
    args.output_last_message.as_ref().map(PathBuf::from)
}

/// How the conversation is stored. The flag table excludes conflicting flags.
pub(super) fn session_choice(args: &Args) -> Result<SessionChoice, Failure> {
    let id = |long: &str, value: &std::ffi::OsStr| {
        prompt::text(value, || format!("the id of {}", args.named(long))).map_err(|error| {
            Failure::usage(error.to_string()).hint("`codex sessions` lists the ids")
        })
    };
    Ok(match (&args.resume, &args.fork) {
        (Some(value), _) => SessionChoice::Resume(id("resume", value)?),
        (_, Some(value)) => SessionChoice::Fork(id("fork", value)?),
        _ if args.last => SessionChoice::Last,
        _ if args.ephemeral => SessionChoice::Ephemeral,
        _ => SessionChoice::New,
    })
}
