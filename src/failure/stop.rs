//! Why a run stopped, as a value and in words.

use std::io;

use super::local::{of_output, of_thread};
use super::service::{of_api, of_trouble};
use super::value::{Failure, bug};
use crate::api;
use crate::outcome::Outcome;
use crate::wire::answer::Trouble;

/// An end that was ordered from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// This signal came.
    Signal(i32),
    /// The run's time is over.
    Timeout,
    /// Nobody reads the output any more.
    Closed,
}

/// How a run ended.
#[derive(Debug)]
pub enum End {
    /// The answer is complete and delivered.
    Answered,
    /// The answer cannot be used as a complete one; the error, if any, is what broke it off. Whether a part of it was
    /// shown.
    Trouble(Box<Trouble>, Option<Box<api::Error>>, bool),
    /// No answer began; whether a part of one was shown before, which was to be asked for again.
    Refused(Box<api::Error>, bool),
    /// This many requests were made and the model wants to go on.
    Turns(usize),
    /// So many tokens were used, of which at most so many were to be, and the model wants to go on.
    Tokens(u64, u64),
    /// The model wants so many calls in all, of which at most so many were to be.
    Calls(usize, usize),
    /// The conversation has about so many tokens, and the model takes in so many.
    TooLong(u64, u64),
    /// The service refused every shape that has room for a web search; what it said to the last one.
    NoSearch(Box<api::Error>),
    /// It was ordered.
    Ordered(Order),
    /// The answer is complete and delivered, but this many calls failed, which was to count.
    ToolsFailed(usize),
    /// The system gave no thread, or no process for a call.
    Thread(io::Error),
    /// The sink could not deliver.
    Output(io::Error),
    /// A defect of this program.
    Panicked,
}

pub(crate) fn of_end(end: End) -> Failure {
    match end {
        // Nothing failed; whoever asks anyway learns of a defect.
        End::Answered | End::Panicked => bug("a part of it stopped"),
        End::Output(error) => of_output(&error),
        End::Thread(error) => of_thread(&error),
        End::Ordered(order) => of_order(order),
        End::Turns(turns) => Failure::new(
            Outcome::Budget,
            format!("stopped by --max-turns {turns}: the model wanted to go on"),
        )
        .hint("raise --max-turns"),
        End::Tokens(used, most) => Failure::new(
            Outcome::Budget,
            format!("stopped by --max-tokens {most}: {used} tokens are used, and the model wanted to go on"),
        )
        .hint("raise --max-tokens"),
        End::Calls(wanted, most) => Failure::new(
            Outcome::Budget,
            format!("stopped by --max-tool-calls {most}: the model wanted {wanted} tool calls in all"),
        )
        .hint("raise --max-tool-calls; the calls of its last answer were not run"),
        End::TooLong(tokens, window) => too_long(tokens, window),
        End::NoSearch(error) => Failure::new(
            Outcome::Failed,
            format!(
                "cannot search the web: the service refused every shape of the request that has room for its search: {}",
                of_api(&error).what
            ),
        )
        .hint("leave the search out, or use another model (-m)"),
        End::ToolsFailed(calls) => {
            let calls = match calls {
                1 => "a tool call".to_owned(),
                calls => format!("{calls} tool calls"),
            };
            Failure::new(
                Outcome::Failed,
                format!("{calls} failed, which --fail-on tool-error does not let pass"),
            )
            .hint("the answer is complete; without -q, standard error says how each call went")
        }
        End::Refused(error, partial) => {
            let mut failure = of_api(&error).of_part(partial);
            if partial && failure.outcome == Outcome::Unreachable {
                // The answer was cut before, and now that is for good.
                failure.outcome = Outcome::Incomplete;
            }
            failure
        }
        End::Trouble(trouble, error, partial) => {
            // The others say so themselves.
            let partial = partial && matches!(*trouble, Trouble::Failed(_));
            of_trouble(&trouble, error.as_deref()).of_part(partial)
        }
    }
}

/// What is not sent because it would be too long.
fn too_long(tokens: u64, window: u64) -> Failure {
    let (tokens, window) = (grouped(tokens), grouped(window));
    Failure::new(
        Outcome::Failed,
        format!("the request is too long: about {tokens} tokens, and the model takes in {window}"),
    )
    .hint("send less, or use a model that takes in more (-m)")
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

/// Why an answer cannot be used, without what to do about it.
pub(crate) fn of_answer(trouble: &Trouble, error: Option<&api::Error>) -> String {
    of_trouble(trouble, error).what
}

/// Why there is no list of models, without what to do about it.
pub(crate) fn of_list(error: &api::Error) -> String {
    of_api(error).what
}

/// An end that was ordered from outside.
pub(crate) fn of_order(order: Order) -> Failure {
    match order {
        Order::Timeout => timeout(),
        Order::Closed => Failure::new(Outcome::Closed, ""),
        Order::Signal(signal) => {
            let (outcome, what) = match signal {
                signal_hook::consts::SIGINT => (Outcome::Interrupted, "interrupted"),
                signal_hook::consts::SIGHUP => (Outcome::Hangup, "ended: the terminal hung up"),
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
    Failure::new(Outcome::Timeout, "stopped: the time of --timeout is over").hint("raise --timeout")
}
