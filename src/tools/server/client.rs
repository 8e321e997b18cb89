//! What runs the calls of one server, however it is reached.

use std::fmt;
use std::time::{Duration, Instant};

use serde_json::value::RawValue;

use super::start_error::StartError;
use crate::mcp::call_answer::CallAnswer;
use crate::mcp::listed_tool::ListedTool;
use crate::mcp::session::ServerIdentity;

/// How long a server has to start.
pub const START_TIMEOUT: Duration = Duration::from_secs(30);

/// What a server offers, fixed for the run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServerOffer {
    /// What it says about itself.
    pub server: ServerIdentity,
    /// Its tools, in its order.
    pub tools: Vec<ListedTool>,
    /// The number of tools that it lists and that cannot be offered.
    pub left_out: usize,
}

/// A call of a tool.
#[derive(Clone, Copy, Debug)]
pub struct ServerCall<'a> {
    /// The tool, as the server spells it.
    pub tool: &'a str,
    /// Its arguments, a JSON object.
    pub arguments: &'a RawValue,
    /// The time limit.
    pub limit: Duration,
}

/// How a call has ended.
#[derive(Clone, Debug, PartialEq)]
pub enum CallEnd {
    /// The server has answered.
    Answered(CallAnswer),
    /// The time limit has passed. The server was asked to give the call up.
    TimedOut,
    /// The turn was stopped.
    Interrupted,
    /// The server cannot answer, for this reason.
    Lost(String),
}

/// What runs the calls of one server. Its methods are called from several threads.
pub trait ServerClient: fmt::Debug + Send + Sync {
    /// Begins to start it, without waiting.
    fn start(&self);

    /// Waits for what it offers, once: `None` if that is not known by then.
    fn offer(&self, until: Instant) -> Option<Result<ServerOffer, StartError>>;

    /// Runs a call until it ends, on the caller's thread.
    fn call(&self, call: ServerCall<'_>) -> CallEnd;

    /// Ends the calls that run, without ending the server. None begins until `resume`.
    fn interrupt(&self);

    /// Allows calls again.
    fn resume(&self);

    /// Begins to end it; with `hurry`, without the time to end by itself. No call may be running.
    fn close(&self, hurry: bool);

    /// Waits until it has ended.
    fn wait(&self);

    /// The end of what it has written to standard error.
    fn last_words(&self) -> String {
        String::new()
    }

    /// The last lines of that in one, for a message.
    fn quoted(&self) -> String {
        String::new()
    }
}
