//! `bash`: runs a command and returns its output, in order, and how it ended.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::Deserialize;

use super::context::Context;
use super::program_result::{Started, capture, program_result};
use crate::result::{CallResult, Status};
use crate::tools::MAX_OUTPUT_BYTES;
use crate::tools::child::capture::CapturedOutput;
use crate::tools::child::supervise::{self, End};

/// Longest command passed as an argument, in bytes; Linux allows 128 KiB. A longer one is written to a file.
const MAX_ARGUMENT_BYTES: usize = 100 << 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "one JSON object")]
pub(super) struct BashArguments {
    command: String,
    workdir: Option<PathBuf>,
    timeout: Option<f64>,
}

pub(super) fn run(arguments: &BashArguments, context: &Context<'_>) -> CallResult {
    let limit = match arguments.timeout {
        Some(seconds) => match Duration::try_from_secs_f64(seconds) {
            Ok(asked) if !asked.is_zero() => asked.min(context.timeout),
            _ => {
                let words = "timeout must be a number of seconds above 0";
                return CallResult::new(Status::BadArguments, words);
            }
        },
        None => context.timeout,
    };
    if let Some(workdir) = arguments.workdir.as_ref().filter(|dir| !dir.is_dir()) {
        return CallResult::failed(format!(
            "the command was not run: workdir {} is not a directory",
            workdir.display()
        ));
    }
    let started = Started::now(limit);
    let commands = match commands(arguments, context) {
        Ok(commands) => commands,
        Err(error) => {
            return CallResult::failed(format!(
                "the command could not be written to a file: {error}"
            ));
        }
    };
    let mut capture = capture("output", MAX_OUTPUT_BYTES, context);
    let mut take = |bytes: &[u8]| {
        capture.add(bytes);
        true
    };
    match supervise::watch(
        commands,
        vec![&mut take],
        started.deadline(),
        context.inner(),
        context.live(),
    ) {
        Ok(end) => {
            let CapturedOutput { text, cut } = capture.printed();
            let cuts = cut.into_iter().collect();
            let mut result = program_result(text, cuts, &end, started, context);
            let asked = arguments.timeout.unwrap_or_default();
            let most = context.timeout.as_secs_f64();
            if matches!(end, End::Timeout) && asked > most {
                let advice = format!("the timeout was limited to {most} s by --tool-timeout");
                result.advice = Some(advice);
            }
            result
        }
        Err(error) => CallResult::new(
            Status::NotRun,
            format!("the command could not be started: {error}"),
        ),
    }
}

/// The shells to try: bash, then sh.
fn commands(arguments: &BashArguments, context: &Context<'_>) -> std::io::Result<Vec<Command>> {
    let script = if arguments.command.len() > MAX_ARGUMENT_BYTES {
        let path = std::env::temp_dir().join(format!("command-{}.sh", context.number));
        // An existing file, or even a pipe, is not ours to overwrite.
        let mut file = File::options().write(true).create_new(true).open(&path)?;
        file.write_all(arguments.command.as_bytes())?;
        Some(path)
    } else {
        None
    };
    let command = |shell: &str| {
        let mut command = context.command(shell);
        match &script {
            Some(path) => command.arg(path),
            None => command.arg("-c").arg(&arguments.command),
        };
        command.stdin(Stdio::null());
        if let Some(workdir) = &arguments.workdir {
            command.current_dir(workdir);
        }
        command
    };
    Ok(vec![command("bash"), command("sh")])
}
