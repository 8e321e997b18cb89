//! Why a turn stopped without an answer, as a value and as a failure.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::time::Duration;

use super::credential::Used;
use super::local::{of_output, of_thread};
use super::service::{of_api, of_unanswered};
use super::value::{Failure, bug};
use crate::api::{self, Unanswered};
use crate::clock::span;
use crate::models::cost::Cost;
use crate::outcome::Outcome;
use crate::wire::answer::Trouble;

/// A stop request from outside the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopRequest {
    /// This signal arrived.
    Signal(i32),
    /// The run's deadline has passed.
    Timeout,
    /// The reader of the output has gone.
    Closed,
}

/// What the exhausted budget prevents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// A further request of the turn, which the model needs.
    Request,
    /// A further turn; nothing of it was sent.
    Turn,
    /// The compaction of the conversation, and the request after it.
    Compaction,
}

/// Why a turn stopped without an answer.
#[derive(Debug)]
pub enum Stop {
    /// The last attempt gave no usable answer.
    Unanswered {
        /// Why.
        why: Box<Unanswered>,
        /// A part of an answer was printed.
        partial: bool,
    },
    /// The service refused every request shape that supports web search; the error of the last one.
    NoSearch(Box<api::Error>),
    /// The limit on requests has been reached.
    Turns {
        /// The maximum number of requests of all turns.
        limit: usize,
        /// What would have exceeded the limit.
        next: Next,
    },
    /// The limit on tokens has been exceeded.
    Tokens {
        /// The tokens used so far.
        used: u64,
        /// The maximum number of tokens of all turns.
        limit: u64,
        /// What would have exceeded the limit.
        next: Next,
    },
    /// The limit on the cost has been reached.
    Cost {
        /// The cost so far, at list prices.
        used: Cost,
        /// The maximum cost of all turns.
        limit: Cost,
        /// What would have exceeded the limit.
        next: Next,
    },
    /// The model requests more calls than may be run.
    Calls {
        /// The calls requested in total, including those that were run.
        wanted: usize,
        /// The maximum number of calls of all turns.
        limit: usize,
    },
    /// The request is longer than the model accepts, and was not sent.
    TooLong {
        /// The estimated length of the request, in tokens.
        tokens: u64,
        /// The model's context window, in tokens.
        window: u64,
    },
    /// The conversation is too long, and could not be compacted.
    NotCompacted(Box<Unanswered>),
    /// The first answer after a compaction was above the limit again.
    StillTooLong {
        /// The tokens that the service reported.
        tokens: u64,
        /// The number of tokens above which the conversation is compacted.
        limit: u64,
    },
    /// The turn was stopped; the run continues.
    Interrupted,
    /// The turn exceeded its time limit; the run continues.
    TurnTimeout(Duration),
    /// The run was stopped.
    Ordered(StopRequest),
    /// The system provided no thread, or no process for a call.
    Thread(io::Error),
    /// The sink could not write.
    Output(io::Error),
    /// A bug in this program.
    Panicked,
}

impl Stop {
    /// The stop after the last attempt.
    #[must_use]
    pub fn unanswered(why: Unanswered, partial: bool) -> Self {
        let why = Box::new(why);
        Self::Unanswered { why, partial }
    }

    /// The exit code of a command that ends with this.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        of_stop(self, None).outcome().exit_code()
    }

    /// When the usage limit that was reached resets, in Unix seconds.
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

/// What helps if a conversation cannot be compacted.
const RESUME_WHOLE: &str = "resume it with --compact off, or with a model that accepts more (-m)";

fn of_next(next: Next) -> &'static str {
    match next {
        Next::Request => "the model wanted to continue",
        Next::Turn => "another turn was requested",
        Next::Compaction => "the conversation has to be compacted before the next request",
    }
}

/// The failure of a turn that used this credential.
pub(crate) fn of_stop(stop: &Stop, used: Option<&Used>) -> Failure {
    match stop {
        Stop::Panicked => bug("a thread panicked"),
        Stop::Output(error) => of_output(error),
        Stop::Thread(error) => of_thread(error),
        Stop::Ordered(order) => of_order(*order),
        Stop::Interrupted => Failure::new(Outcome::Interrupted, "the turn was interrupted"),
        Stop::TurnTimeout(limit) => Failure::new(
            Outcome::Timeout,
            format!("the turn took longer than {}", span(*limit)),
        )
        .hint("raise --turn-timeout"),
        Stop::Turns { limit, next } => over_budget(
            &counted(*limit as u64, "request"),
            of_next(*next),
        )
        .hint("raise --max-turns"),
        Stop::Tokens { used, limit, next } => over_budget(
            &counted(*limit, "token"),
            &format!("{used} were used, and {}", of_next(*next)),
        )
        .hint("raise --max-tokens"),
        Stop::Cost { used, limit, next } => over_budget(
            &limit.to_string(),
            &format!("{used} was used, and {}", of_next(*next)),
        )
        .hint("raise --max-cost"),
        Stop::Calls { wanted, limit } => over_budget(
            &counted(*limit as u64, "tool call"),
            &format!("the model requested {wanted} in total"),
        )
        .hint("raise --max-tool-calls; the calls of the last answer were not run"),
        Stop::TooLong { tokens, window } => too_long(*tokens, *window),
        Stop::NotCompacted(why) => {
            let why = of_unanswered(why, used);
            let what = format!("cannot compact the conversation: {}", why.what);
            Failure::new(Outcome::Failed, what).hint(RESUME_WHOLE)
        }
        Stop::StillTooLong { tokens, limit } => Failure::new(
            Outcome::Failed,
            format!(
                "the conversation is too long even after it was compacted: {} tokens, and the limit is {}",
                grouped(*tokens),
                grouped(*limit)
            ),
        )
        .hint(RESUME_WHOLE),
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
                    let mut failure = failure.noting_partial(*partial);
                    if *partial && failure.outcome == Outcome::Unreachable {
                        // The answer was cut off earlier, and no retry completed it.
                        failure.outcome = Outcome::Incomplete;
                    }
                    failure
                }
                Unanswered::Unusable(Trouble::Failed(_)) => failure.noting_partial(*partial),
                // The other messages already mention it.
                Unanswered::BrokeOff(_) | Unanswered::Unusable(_) => failure,
            }
        }
    }
}

/// A budget that does not allow the next step. The flag that sets it is left to the hint: the library has no flags.
fn over_budget(limit: &str, why: &str) -> Failure {
    let what = format!("the limit of {limit} has been reached: {why}");
    Failure::new(Outcome::Budget, what)
}

/// A count with its noun, such as `2 requests`.
fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// A request that is too long to send.
fn too_long(tokens: u64, window: u64) -> Failure {
    let (tokens, window) = (grouped(tokens), grouped(window));
    Failure::new(
        Outcome::Failed,
        format!("the request is too long: about {tokens} tokens, but the model accepts {window}"),
    )
    .hint("send less, or use a model that accepts more (-m)")
}

/// A number with commas between the thousands.
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

/// A stop request from outside the run.
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
                signal_hook::consts::SIGTERM => (Outcome::Terminated, "terminated"),
                // Only a full screen catches others.
                _ => {
                    let name = signal_hook::low_level::signal_name(signal);
                    let what = format!("ended by {}", name.unwrap_or("a signal"));
                    return Failure {
                        signal: Some(signal),
                        ..Failure::new(Outcome::Terminated, what)
                    };
                }
            };
            Failure {
                signal: Some(signal),
                ..Failure::new(outcome, what)
            }
        }
    }
}

fn timeout() -> Failure {
    Failure::new(Outcome::Timeout, "the time limit has expired").hint("raise --timeout")
}
