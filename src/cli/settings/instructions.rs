//! The instructions of a run: those from the flag or the built-in ones, and additions.

use super::inputs::Agents;
use super::tools::tool_settings::{self, Tooling};
use crate::cli::environment::Environment;
use crate::cli::flags::Args;
use crate::cli::named_files;
use crate::failure::Failure;
use crate::prompt::{self, Audience};

/// Assembles the instructions.
pub(super) fn instructions(
    args: &Args,
    tooling: &Tooling,
    environment: &Environment,
    agents: &Agents,
) -> Result<String, Failure> {
    let setup = &tooling.setup;
    let mut text = match &args.instructions {
        Some(path) => {
            let hidden = tooling.hidden(args, environment);
            named_files::sent(args, "instructions", path, hidden)?
        }
        None => prompt::instructions(
            if args.is_chat {
                Audience::Person
            } else {
                Audience::Program
            },
            !tooling.offered.is_empty(),
            tool_settings::notice(setup).as_deref(),
        ),
    };
    for more in &args.append_instructions {
        let more = prompt::text(more, || {
            format!("the text of {}", args.named("append-instructions"))
        })
        .map_err(|error| Failure::usage(error.to_string()).hint("the service accepts only text"))?;
        if more.trim().is_empty() {
            continue;
        }
        text = format!("{}\n\n{more}", text.trim_end());
    }
    for (file, words) in &agents.found {
        let (text_of_run, file) = (text.trim_end(), file.display());
        text = format!("{text_of_run}\n\nFrom {file}:\n\n{}", words.trim());
    }
    if text.trim().is_empty() {
        return Err(
            Failure::usage("the instructions are empty").hint("the service requires instructions")
        );
    }
    Ok(text)
}
