//! The events that a run reports, and the sink that receives them. A run writes only to a `Sink`, which decides whether the
//! output goes to two streams or to a program's window.

pub mod columns;
mod compacted;
pub mod json_lines;
pub mod paint;
pub mod report;
pub mod spinner;
pub mod text;
pub mod visible;
pub mod width;

use std::io;
use std::time::{Duration, Instant};

use crate::api::Unanswered;
use crate::failure::{RenewalWait, RunWarning};
use crate::result::CallResult;
use crate::wire::fault::RateWindow;
use crate::wire::item::SearchCall;
use crate::wire::raw_text::RawText;
use crate::wire::response::Usage;
pub use compacted::CompactedNotice;

/// A tool call.
#[derive(Clone, Copy, Debug)]
pub struct CallNotice<'a> {
    /// Links the call to its output.
    pub id: &'a str,
    /// The tool's name.
    pub name: &'a str,
    /// Its arguments, as the model wrote them.
    pub arguments: &'a str,
    /// What the call is about.
    pub subject: Subject<'a>,
}

/// What a call is about.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// Runs this command.
    Command(&'a str),
    /// Changes these files; the flag says whether the file existed before.
    Changes(&'a [(&'a str, bool)]),
    /// Asks an MCP server.
    ServerCall {
        /// The server.
        server: &'a str,
        /// The tool, as the server spells it.
        tool: &'a str,
        /// The arguments.
        arguments: &'a serde_json::Value,
    },
    /// Anything else, with its arguments.
    Other(&'a serde_json::Value),
}

/// A period of time with a usage limit of the plan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LimitWindow<'a> {
    /// The window's name.
    pub name: &'a str,
    /// Used share, in percent.
    pub used: f64,
    /// Length in minutes, if known.
    pub minutes: Option<u64>,
    /// When it resets, in Unix seconds, if known.
    pub resets_at: Option<u64>,
}

impl<'a> From<&'a RateWindow> for LimitWindow<'a> {
    fn from(limit: &'a RateWindow) -> Self {
        Self {
            name: &limit.name,
            used: limit.used,
            minutes: limit.minutes,
            resets_at: limit.resets_at,
        }
    }
}

/// An event of a run.
#[derive(Clone, Copy, Debug)]
pub enum Notice<'a> {
    /// More text of the current assistant message.
    Text(&'a str),
    /// The current message has ended; this is all of its text.
    MessageEnd(&'a RawText<'a>),
    /// A problem that does not stop the run.
    Warning(&'a RunWarning),
    /// Lines of standard input that cannot be used.
    InputError {
        /// The first line, counted from 1.
        line: u64,
        /// The number of lines.
        lines: u64,
        /// Why.
        message: &'a str,
    },
    /// The request failed and will be retried.
    Retry {
        /// Number of the retry, counted from 1.
        attempt: usize,
        /// The maximum number of retries.
        of: usize,
        /// Delay before the retry.
        delay: Duration,
        /// The reason.
        reason: &'a Unanswered,
    },
    /// Something delays the request.
    Waiting(&'a RenewalWait),
    /// The service does not offer the model, or is too busy for it; the run falls back to another one.
    OtherModel {
        /// The fallback model.
        model: &'a str,
        /// Why the previous one gave no answer.
        reason: &'a Unanswered,
    },
    /// The stream broke off; the run resumes from its last completed call.
    Resumed {
        /// Why it broke off.
        reason: &'a Unanswered,
    },
    /// The usage limit has been reached; the run waits until it resets.
    Reset {
        /// When it resets, in Unix seconds.
        at: u64,
        /// The current time, in Unix seconds.
        now: u64,
        /// The service's refusal.
        reason: &'a Unanswered,
    },
    /// A steering message joined the turn.
    Steered(&'a str),
    /// A tool call started.
    ToolStarted(CallNotice<'a>),
    /// A running tool call has printed something. Reported at most some times a second, to a sink that follows tools.
    ToolPrinted {
        /// The id of the call.
        id: &'a str,
        /// The last part of its output so far.
        tail: &'a str,
    },
    /// An MCP server has ended, and has written this to standard error last.
    ServerPrinted {
        /// The server.
        server: &'a str,
        /// What it has written.
        text: &'a str,
    },
    /// A tool call was stopped with its turn. The model does not get its result.
    ToolStopped {
        /// The id of the call.
        id: &'a str,
        /// How long it took.
        took: Duration,
        /// Its result, with what it had printed.
        result: &'a CallResult,
    },
    /// A tool call ended.
    ToolEnded {
        /// The call.
        call: CallNotice<'a>,
        /// What it is about, in a few words.
        brief: &'a str,
        /// How long it took.
        took: Duration,
        /// Its result.
        result: &'a CallResult,
    },
    /// Usage of the plan's limits, as reported with a response.
    Limits(&'a [LimitWindow<'a>]),
    /// A request ended.
    Request {
        /// Its token usage.
        usage: Usage,
        /// Number of the request, counted from 1.
        number: usize,
    },
    /// The conversation was compacted: calls, results and reasoning have been replaced.
    Compacted(CompactedNotice),
    /// The model's summary of its reasoning.
    Summary(&'a str),
    /// The service searched the web.
    Searched(&'a SearchCall),
    /// The turn ended, with its token usage.
    Usage {
        /// Token usage of all requests.
        usage: Usage,
        /// Number of requests.
        requests: usize,
        /// Cost at list prices, in US dollars, if the model is listed.
        cost: Option<f64>,
    },
}

/// Takes the events of a run.
pub trait Sink {
    /// Takes one event. Text may be held back until `flush`.
    ///
    /// # Errors
    /// If it cannot be delivered, which ends the run.
    fn take(&mut self, notice: Notice<'_>) -> io::Result<()>;

    /// Delivers everything taken so far. Called before the run waits for anything.
    ///
    /// # Errors
    /// If it cannot be delivered, which ends the run.
    fn flush(&mut self) -> io::Result<()>;

    /// Whether to report what tools print while they run.
    fn follows_tools(&self) -> bool {
        false
    }

    /// How often to call `beat` while the run waits; `None` if nothing is animated.
    fn pulse(&self) -> Option<Duration> {
        None
    }

    /// Called at intervals of `pulse` while the run waits, with the current time.
    fn beat(&mut self, _now: Instant) {}

    /// Called when the run stops waiting.
    fn clear(&mut self) {}
}
