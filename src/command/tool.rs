//! `codex tool NAME`: one built-in tool in its own process, in the sandbox that a run would give it.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread;

use super::signals::take_over;
use super::stdout::Stdout;
use super::stop_requests::{ENDED, until_ended};
use super::undo::{UndoStage, end_tools_on_panic, on_panic};
use crate::agent::StopRequest;
use crate::exhausted::at_start;
use crate::result::Durations;
use crate::stdin::{self, StdinKind};
use crate::tools::builtin::table::find_tool;
use crate::tools::builtin::{self, Context};
use crate::tools::child::reaper;
use crate::tools::launch::{LaunchError, set_close_on_exec};
use crate::tools::live_output::line_of;
use crate::tools::sandbox::confine::{self, SandboxScope};
use crate::tools::setup::ToolSetup;
use crate::tools::tool::Tool;
use crate::tools::tool_request::ToolRequest;
use crate::tools::toolbox::Toolbox;
use crate::wire::item::Call;

/// Why a tool did not run to completion.
#[derive(Debug)]
pub enum Error {
    /// The sandbox cannot be set up.
    Sandbox(confine::Error),
    /// A system call failed.
    Io(io::Error),
    /// A stop request ended it.
    Stopped(StopRequest),
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Runs the tool for a user, the way a run does. Returns whether it succeeded.
///
/// # Errors
/// If the tool could not run to completion, or its result could not be written.
pub fn run(
    setup: ToolSetup,
    offered: Vec<Tool>,
    name: &str,
    mut stdout: Stdout,
) -> Result<bool, Error> {
    if let Some(policy) = &setup.policy {
        confine::check(policy).map_err(Error::Sandbox)?;
    }
    set_close_on_exec();
    if stdin::source() == StdinKind::Terminal {
        let argument = find_tool(name).and_then(|tool| tool.topic.argument());
        let example = argument.map_or(String::new(), |argument| {
            format!(", such as {{\"{argument}\": \"...\"}}")
        });
        super::warn(&format!(
            "waiting for the arguments of {name} as JSON on standard input{example}; end with Ctrl+D"
        ));
    }
    let mut arguments = Vec::new();
    io::stdin().lock().read_to_end(&mut arguments)?;
    // A command may kill the process that is supposed to clean up after it; this process then ends its orphans.
    let adopted = reaper::adopt_orphans();
    let call = Call {
        call_id: String::new(),
        name: name.to_owned(),
        arguments: String::from_utf8_lossy(&arguments).into_owned(),
        unfinished: false,
    };
    // A signal, or a closed standard output, ends the tool with everything it started, and then this process.
    let mut signals = take_over(&[])?;
    let (ended, ends) = UnixStream::pair()?;
    signals.push((ENDED, ended));
    let tools = Toolbox::open(setup, offered).map_err(|error| match error {
        LaunchError::Place(place, error) => Error::Sandbox(confine::Error::Place(place, error)),
        LaunchError::Temporary(_, error) | LaunchError::Signal(error) => Error::Io(error),
    })?;
    let tools = Arc::new(tools);
    let _undo = end_tools_on_panic(&tools);
    let result = thread::scope(|scope| {
        let calling = thread::Builder::new().spawn_scoped(scope, || {
            let ends = ends;
            let called = tools.call(&call, 1, None);
            drop(ends);
            match called.exhausted {
                Some(error) => Err(Error::Io(error)),
                None => Ok(called.result),
            }
        });
        let calling = calling.map_err(at_start)?;
        // A second stop request cuts the tool's grace period short.
        let stopped = until_ended(&signals, || tools.end());
        let called = calling.join();
        match stopped {
            Some(request) => Err(Error::Stopped(request)),
            None => called.map_err(|_| Error::Io(io::Error::other("the call panicked")))?,
        }
    });
    if adopted {
        reaper::end_all(SandboxScope::default(), || false);
    }
    if let Err((path, error)) = tools.clean() {
        super::warn(&format!(
            "the temporary directory {} could not be removed: {error}",
            path.display()
        ));
    }
    let result = result?;
    let mut text = result.text(Durations::Shown);
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    stdout.print(&text)?;
    Ok(result.status.is_ok())
}

/// Runs the tool in this process: standard output is a socket that brings the arguments and takes the result. The
/// sandbox is set up first; programs that the tool starts get `environment`.
///
/// # Errors
///
/// If the sandbox cannot be set up, standard output cannot be read or written, or this process cannot create a session.
pub fn run_held(
    request: &ToolRequest,
    environment: &[(OsString, OsString)],
    mut stdout: Stdout,
) -> Result<bool, Error> {
    confine::prevent_inspection();
    let reach = match &request.policy {
        Some(policy) if request.inherits_rules => confine::confine_by_stdin(policy),
        Some(policy) => confine::confine(policy),
        None => Ok(SandboxScope::default()),
    };
    let reach = reach.map_err(Error::Sandbox)?;
    reaper::lead_session()?;
    confine::end_with_parent();
    let _undo = on_panic(UndoStage::AfterReport, move || {
        reaper::end_all(reach, || true);
    });
    let arguments = if request.serves {
        Vec::new()
    } else {
        stdout.read_to_end()?
    };
    // If its reader has gone away, that is noticed elsewhere.
    let report = |text: &str| drop(io::stdout().write_all(line_of(text).as_bytes()));
    let report: &dyn Fn(&str) = &report;
    let context = Context {
        number: request.number,
        timeout: request.timeout,
        policy: request.policy.as_ref(),
        reach,
        report: request.live.then_some(report),
        environment,
    };
    let result = match &request.program {
        Some(program) if request.serves => {
            if let Some(end) = builtin::server::run(program, &context)? {
                super::warn(&end);
            }
            return Ok(true);
        }
        Some(program) => builtin::program::run(program, &arguments, &context),
        None => builtin::run(&request.name, &arguments, &context).ok_or_else(|| {
            let words = format!("there is no tool {}", request.name);
            io::Error::new(io::ErrorKind::NotFound, words)
        })?,
    };
    let json = serde_json::to_vec(&result).map_err(io::Error::from)?;
    stdout.write_all(&json)?;
    Ok(result.status.is_ok())
}
