//! Why a turn stopped without an answer, as a value and in words.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use super::credential::Used;
use super::local::{of_output, of_thread};
use super::service::{of_api, of_unanswered};
use super::value::{Failure, bug};
use crate::api::{self, Unanswered};
use crate::outcome::Outcome;
use crate::wire::answer::Trouble;

/// An end that was ordered from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopRequest {
    /// This signal came.
    Signal(i32),
    /// The run's time is over.
    Timeout,
    /// Nobody reads the output any more.
    Closed,
}

/// What a budget has no room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// A further request of the turn, which the model wants.
    Request,
    /// A further turn, of which nothing was sent.
    Turn,
}

/// Why a turn stopped without an answer.
#[derive(Debug)]
pub enum Stop {
    /// The last attempt gave no answer that can be used.
    Unanswered {
        /// Why.
        why: Box<Unanswered>,
        /// A part of an answer was shown.
        partial: bool,
    },
    /// The service refused every shape that has room for a web search; what it said to the last one.
    NoSearch(Box<api::Error>),
    /// No further request may be made.
    Turns {
        /// The most requests of all turns.
        limit: usize,
        /// What there is no room for.
        next: Next,
    },
    /// More tokens were used than may be.
    Tokens {
        /// The tokens that were used.
        used: u64,
        /// The most tokens of all turns.
        limit: u64,
        /// What there is no room for.
        next: Next,
    },
    /// The model wants more calls than may be run.
    Calls {
        /// The calls that it wants, those that were run included.
        wanted: usize,
        /// The most calls of all turns.
        limit: usize,
    },
    /// The request is longer than the model takes in, and was not sent.
    TooLong {
        /// About how many tokens the request has.
        tokens: u64,
        /// The most tokens that the model takes in.
        window: u64,
    },
    /// The turn was stopped, and the run goes on.
    Interrupted,
    /// The run was stopped.
    Ordered(StopRequest),
    /// The system gave no thread, or no process for a call.
    Thread(io::Error),
    /// The sink could not deliver.
    Output(io::Error),
    /// A defect of this program.
    Panicked,
}

impl Stop {
    /// The attempt that was the last one.
    #[must_use]
    pub fn unanswered(why: Unanswered, partial: bool) -> Self {
        let why = Box::new(why);
        Self::Unanswered { why, partial }
    }

    /// The exit code of a command that ends with it.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        of_stop(self, None).outcome().exit_code()
    }

    /// When the usage limit ends that was reached, in Unix seconds.
    #[must_use]
    pub fn retry_at(&self) -> Option<u64> {
        of_stop(self, None).retry_at()
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(of_stop(self, None).what())
    }
}

impl StdError for Stop {}

impl From<&Stop> for Failure {
    fn from(stop: &Stop) -> Self {
        of_stop(stop, None)
    }
}

fn of_next(next: Next) -> &'static str {
    match next {
        Next::Request => "the model wanted to continue",
        Next::Turn => "another turn was requested",
    }
}

/// Why a turn that was asked with this credential stopped.
pub(crate) fn of_stop(stop: &Stop, used: Option<&Used>) -> Failure {
    match stop {
        Stop::Panicked => bug("a thread panicked"),
        Stop::Output(error) => of_output(error),
        Stop::Thread(error) => of_thread(error),
        Stop::Ordered(order) => of_order(*order),
        Stop::Interrupted => Failure::new(Outcome::Interrupted, "the turn was interrupted"),
        Stop::Turns { limit, next } => Failure::new(
            Outcome::Budget,
            match next {
                Next::Request => format!("stopped by --max-turns {limit}: {}", of_next(*next)),
                Next::Turn => format!(
                    "stopped by --max-turns {limit}: all turns are used, and {}",
                    of_next(*next)
                ),
            },
        )
        .hint("raise --max-turns"),
        Stop::Tokens { used, limit, next } => Failure::new(
            Outcome::Budget,
            format!(
                "stopped by --max-tokens {limit}: {used} tokens are used, and {}",
                of_next(*next)
            ),
        )
        .hint("raise --max-tokens"),
        Stop::Calls { wanted, limit } => Failure::new(
            Outcome::Budget,
            format!("stopped by --max-tool-calls {limit}: the model requested {wanted} tool calls in total"),
        )
        .hint("raise --max-tool-calls; the calls of the last answer were not run"),
        Stop::TooLong { tokens, window } => too_long(*tokens, *window),
        Stop::NoSearch(error) => Failure::new(
            Outcome::Failed,
            format!(
                "cannot search the web: the service refused every request shape that supports web search: {}",
                of_api(error, used).what
            ),
        )
        .hint("ask without web search, or use another model (-m)"),
        Stop::Unanswered { why, partial } => {
            let failure = of_unanswered(why, used);
            match **why {
                Unanswered::Refused(_) => {
                    let mut failure = failure.of_part(*partial);
                    if *partial && failure.outcome == Outcome::Unreachable {
                        // The answer was cut before, and now that is for good.
                        failure.outcome = Outcome::Incomplete;
                    }
                    failure
                }
                Unanswered::Unusable(Trouble::Failed(_)) => failure.of_part(*partial),
                // The others say so themselves.
                Unanswered::BrokeOff(_) | Unanswered::Unusable(_) => failure,
            }
        }
    }
}

/// What is not sent because it would be too long.
fn too_long(tokens: u64, window: u64) -> Failure {
    let (tokens, window) = (grouped(tokens), grouped(window));
    Failure::new(
        Outcome::Failed,
        format!("the request is too long: about {tokens} tokens, but the model accepts {window}"),
    )
    .hint("send less, or use a model that accepts more (-m)")
}

/// A number with its thousands told apart.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// An end that was ordered from outside.
pub(crate) fn of_order(order: StopRequest) -> Failure {
    match order {
        StopRequest::Timeout => timeout(),
        StopRequest::Closed => Failure::new(Outcome::Closed, ""),
        StopRequest::Signal(signal) => {
            let (outcome, what) = match signal {
                signal_hook::consts::SIGINT => (Outcome::Interrupted, "interrupted"),
                signal_hook::consts::SIGHUP => {
                    (Outcome::Hangup, "hung up: the terminal was closed")
                }
                _ => (Outcome::Terminated, "terminated"),
            };
            Failure {
                signal: Some(signal),
                ..Failure::new(outcome, what)
            }
        }
    }
}

fn timeout() -> Failure {
    Failure::new(Outcome::Timeout, "stopped: --timeout has expired").hint("raise --timeout")
}
