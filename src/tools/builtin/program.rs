//! A user's program as a tool: it gets the arguments as one JSON object on standard input, writes its result to
//! standard output and its errors to standard error.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Seek, Write};
use std::os::fd::OwnedFd;

use super::context::Context;
use super::program_result::{Started, capture, program_result};
use crate::result::{CallResult, Cut, Status};
use crate::tools::MAX_OUTPUT_BYTES;
use crate::tools::child::capture::CapturedOutput;
use crate::tools::child::supervise::{self, End};

/// How much of standard error the model gets, in bytes.
const MAX_STDERR_BYTES: usize = MAX_OUTPUT_BYTES / 4;

/// Runs the program.
#[must_use]
pub fn run(program: &[OsString], arguments: &[u8], context: &Context<'_>) -> CallResult {
    let not_run = |error: std::io::Error| {
        let words = format!("the tool could not be started: {error}");
        CallResult::new(Status::NotRun, words)
    };
    let Some((name, rest)) = program.split_first() else {
        return not_run(std::io::ErrorKind::NotFound.into());
    };
    let started = Started::now(context.timeout);
    let mut command = context.command(name);
    match input(arguments) {
        Ok(input) => command.args(rest).stdin(input),
        Err(error) => return not_run(error),
    };
    let (mut output, mut complaints) = (
        capture("output", MAX_OUTPUT_BYTES - MAX_STDERR_BYTES, context),
        capture("complaints", MAX_STDERR_BYTES, context),
    );
    let mut take = |bytes: &[u8]| {
        output.add(bytes);
        true
    };
    let mut take_complaints = |bytes: &[u8]| {
        complaints.add(bytes);
        true
    };
    let takers: Vec<supervise::OutputReader<'_>> = vec![&mut take, &mut take_complaints];
    let deadline = started.deadline();
    let (inner, live) = (context.inner(), context.live());
    let end = match supervise::watch(vec![command], takers, deadline, inner, live) {
        Ok(end) => end,
        Err(error) => return not_run(error),
    };
    let output = output.printed();
    if matches!(&end, End::Exited(status) if status.exit_status() == Some(0)) {
        return CallResult {
            cuts: output.cut.into_iter().collect(),
            ..CallResult::new(Status::Exited(0), output.text)
        };
    }
    let CapturedOutput { mut text, cut } = output;
    let complaints = complaints.printed();
    if !text.is_empty() && !text.ends_with('\n') && !complaints.text.is_empty() {
        text.push('\n');
    }
    let cut_of_complaints = complaints.cut.map(|cut| Cut {
        at: text.len() + cut.at,
        ..cut
    });
    text.push_str(&complaints.text);
    let cuts = cut.into_iter().chain(cut_of_complaints).collect();
    program_result(text, cuts, &end, started, context)
}

/// The arguments as an in-memory file, so that no writer has to wait for the program to read them.
#[cfg(target_os = "linux")]
fn input(arguments: &[u8]) -> std::io::Result<OwnedFd> {
    use rustix::fs::{MemfdFlags, memfd_create};
    filled(
        File::from(memfd_create("arguments", MemfdFlags::CLOEXEC)?),
        arguments,
    )
}

/// The arguments as an unnamed file.
#[cfg(not(target_os = "linux"))]
fn input(arguments: &[u8]) -> std::io::Result<OwnedFd> {
    let path = std::env::temp_dir().join(format!("arguments-{}", std::process::id()));
    let mut options = File::options();
    let file = options
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path)?;
    std::fs::remove_file(&path)?;
    filled(file, arguments)
}

fn filled(mut file: File, arguments: &[u8]) -> std::io::Result<OwnedFd> {
    file.write_all(arguments)?;
    file.rewind()?;
    Ok(file.into())
}
