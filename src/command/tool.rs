//! `codex tool NAME`: one built-in tool in a process of its own, behind the walls that a run would put around it.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;

use super::signals::take_over;
use super::stdout::Stdout;
use super::stop_requests::next;
use crate::agent::StopRequest as End;
use crate::exhausted::at_start;
use crate::result::Durations;
use crate::stdin::{self, StdinKind};
use crate::tools::builtin::table::find_tool;
use crate::tools::builtin::{self, Context};
use crate::tools::child::reaper;
use crate::tools::launch::{Unready, keep_descriptors};
use crate::tools::sandbox::confine::{self, SandboxScope};
use crate::tools::setup::ToolSetup;
use crate::tools::tool::Tool;
use crate::tools::tool_order::ToolOrder;
use crate::tools::toolbox::Toolbox;
use crate::wire::item::Call;

/// Stands among the signals for the end of the tool.
const ENDED: i32 = 0;

/// Why a tool did not run to its end.
#[derive(Debug)]
pub enum Error {
    /// There are no walls here.
    Sandbox(confine::Error),
    /// The system refused something.
    Io(io::Error),
    /// An end was ordered.
    Ordered(End),
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Runs the tool, which a person has asked for, as a run does; whether it did what it was asked to.
///
/// # Errors
/// When it could not be run to its end, or its answer could not be written.
pub fn run(
    setup: ToolSetup,
    offered: Vec<Tool>,
    name: &str,
    mut stdout: Stdout,
) -> Result<bool, Error> {
    if let Some(policy) = &setup.policy {
        confine::check(policy).map_err(Error::Sandbox)?;
    }
    keep_descriptors();
    if stdin::source() == StdinKind::Terminal {
        let argument = find_tool(name).and_then(|tool| tool.topic.argument());
        let example = argument.map_or(String::new(), |argument| {
            format!(", such as {{\"{argument}\": \"...\"}}")
        });
        super::warn(&format!(
            "waiting for the arguments of {name} as JSON on standard input{example}; Ctrl+D ends them"
        ));
    }
    let mut arguments = Vec::new();
    io::stdin().lock().read_to_end(&mut arguments)?;
    // A command may kill the very process that is to end it; what it leaves then falls to us.
    let adopted = reaper::adopt_orphans();
    let call = Call {
        call_id: String::new(),
        name: name.to_owned(),
        arguments: String::from_utf8_lossy(&arguments).into_owned(),
        unfinished: false,
    };
    // Signals, and a reader that goes away, end the tool with all it has started, and then us.
    let mut signals = take_over()?;
    let (ended, ends) = UnixStream::pair()?;
    signals.push((ENDED, ended));
    let tools = Toolbox::open(setup, offered).map_err(|unready| match unready {
        Unready::Place(place, error) => Error::Sandbox(confine::Error::Place(place, error)),
        Unready::Temporary(_, error) | Unready::Signal(error) => Error::Io(error),
    })?;
    let result = thread::scope(|scope| {
        let calling = thread::Builder::new().spawn_scoped(scope, || {
            let ends = ends;
            let called = tools.call(&call, 1);
            drop(ends);
            match called.exhausted {
                Some(error) => Err(Error::Io(error)),
                None => Ok(called.result),
            }
        });
        let calling = calling.map_err(at_start)?;
        // A second order cuts short the moment that the tool is given.
        let mut ordered = None;
        loop {
            match next(&signals, None, ordered.is_none()) {
                End::Signal(ENDED) => break,
                order => {
                    ordered.get_or_insert(order);
                    tools.end();
                }
            }
        }
        let called = calling.join();
        match ordered {
            Some(order) => Err(Error::Ordered(order)),
            None => called.map_err(|_| Error::Io(io::Error::other("the call panicked")))?,
        }
    });
    if adopted {
        reaper::end_all(SandboxScope::default(), || false);
    }
    if let Err((path, error)) = tools.clean() {
        super::warn(&format!(
            "the temporary directory {} is left: {error}",
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

/// Runs the tool in this very process, for the process that reads standard output, which gets the result.
/// The walls come first; what it starts then has this environment.
///
/// # Errors
/// When the walls cannot be put up, standard input cannot be read or standard output cannot be written, or this
/// process cannot found a session.
pub fn run_held(
    order: &ToolOrder,
    environment: &[(OsString, OsString)],
    mut stdout: Stdout,
) -> Result<bool, Error> {
    let reach = match &order.policy {
        Some(policy) => confine::confine(policy).map_err(Error::Sandbox)?,
        None => SandboxScope::default(),
    };
    confine::shut();
    reaper::lead_session()?;
    confine::end_with_parent();
    let mut arguments = Vec::new();
    io::stdin().lock().read_to_end(&mut arguments)?;
    let context = Context {
        number: order.number,
        timeout: order.timeout,
        policy: order.policy.as_ref(),
        reach,
        environment,
    };
    let result = match &order.program {
        Some(program) => builtin::program::run(program, &arguments, &context),
        None => builtin::run(&order.name, &arguments, &context).ok_or_else(|| {
            let words = format!("there is no tool {}", order.name);
            io::Error::new(io::ErrorKind::NotFound, words)
        })?,
    };
    let json = serde_json::to_vec(&result).map_err(io::Error::from)?;
    stdout.write_all(&json)?;
    Ok(result.status.is_ok())
}
