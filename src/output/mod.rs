//! What a run has to tell, and whoever takes it. A run speaks to a `Sink` only; where the words end up,
//! on two streams or in a program's own window, is the sink's affair.

pub mod json_lines;
pub mod paint;
pub mod report;
pub mod spinner;
pub mod text;
pub mod visible;

use std::io;
use std::time::{Duration, Instant};

use crate::api::{self, Unanswered};
use crate::failure::{RenewalWait, RunWarning};
use crate::result::CallResult;
use crate::wire::fault::RateWindow;
use crate::wire::item::SearchCall;
use crate::wire::response::Usage;

/// A tool call.
#[derive(Clone, Copy, Debug)]
pub struct CallNotice<'a> {
    /// Ties the call to its output.
    pub id: &'a str,
    /// The tool's name.
    pub name: &'a str,
    /// What it is about.
    pub subject: Subject<'a>,
}

/// What a call is about.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// It runs this command.
    Command(&'a str),
    /// It changes these files, and whether each was there before.
    Changes(&'a [(&'a str, bool)]),
    /// Something else, with these arguments.
    Other(&'a serde_json::Value),
}

/// A window of time in which a plan allows so much.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LimitWindow<'a> {
    /// Its name.
    pub name: &'a str,
    /// How much is used up, in percent.
    pub used: f64,
    /// How long it is, in minutes, if that is known.
    pub minutes: Option<u64>,
    /// When it begins anew, in Unix seconds, if that is known.
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

/// Something that a run has to tell.
#[derive(Clone, Copy, Debug)]
pub enum Notice<'a> {
    /// More of the assistant's message in hand.
    Text(&'a str),
    /// The message in hand has ended.
    MessageEnd,
    /// Something is odd, but the run goes on.
    Warning(&'a RunWarning),
    /// The request has failed and is made again.
    Retry {
        /// Which retry it is, counted from 1.
        attempt: usize,
        /// How many there may be.
        of: usize,
        /// After how long.
        delay: Duration,
        /// Why.
        reason: &'a Unanswered,
    },
    /// Something takes its time before the request can be made.
    Waits(&'a RenewalWait),
    /// The service does not have the model, and another one is asked.
    OtherModel {
        /// That one.
        model: &'a str,
        /// What the service said.
        reason: &'a api::Error,
    },
    /// The answer has broken off, and the run goes on from its last finished call.
    GoesOn {
        /// Why it broke off.
        reason: &'a Unanswered,
    },
    /// The usage limit is reached, and its end is waited for.
    Reset {
        /// When it ends, in Unix seconds.
        at: u64,
        /// The time, in Unix seconds.
        now: u64,
        /// What the service said.
        reason: &'a Unanswered,
    },
    /// A tool call begins.
    ToolStarted(CallNotice<'a>),
    /// A tool call has ended.
    ToolEnded {
        /// The call.
        call: CallNotice<'a>,
        /// What it was to do, in a few words.
        brief: &'a str,
        /// How long it took.
        took: Duration,
        /// Its result.
        result: &'a CallResult,
    },
    /// How much of the plan is used up, as the service said with an answer.
    Limits(&'a [LimitWindow<'a>]),
    /// A request has ended.
    Request {
        /// Its tokens.
        usage: Usage,
        /// Which it was, counted from 1.
        number: usize,
    },
    /// What the model says of what it thought.
    Summary(&'a str),
    /// The service has searched the web.
    Searched(&'a SearchCall),
    /// The run has ended.
    Usage {
        /// The tokens of all requests.
        usage: Usage,
        /// How many requests were made.
        requests: usize,
        /// What they cost by the list of prices, in US dollars, where it names one.
        cost: Option<f64>,
    },
}

/// Whoever takes what a run has to tell.
pub trait Sink {
    /// Takes a notice. Text may be held back until `flush`.
    ///
    /// # Errors
    /// When it cannot be delivered; the run ends then.
    fn take(&mut self, notice: Notice<'_>) -> io::Result<()>;

    /// Delivers what was taken so far. Called before the run waits for anything.
    ///
    /// # Errors
    /// When it cannot be delivered; the run ends then.
    fn flush(&mut self) -> io::Result<()>;

    /// How often `beat` is to be called while the run waits; not at all, where nothing moves.
    fn pulse(&self) -> Option<Duration> {
        None
    }

    /// The run waits, and this is the time.
    fn beat(&mut self, _now: Instant) {}

    /// The run waits for nothing more.
    fn clear(&mut self) {}
}
