//! Failed requests and incomplete answers. Faults that the service reports are in `fault`.

use super::credential::Used;
use super::fault::of_fault;
use super::network::of_http;
use super::sign_in;
use super::value::Failure;
use crate::api::{self, Break, Unanswered, usage};
use crate::clock::span;
use crate::http;
use crate::outcome::Outcome;
use crate::wire::answer::Trouble;

/// A request that got no answer.
pub(crate) fn of_api(error: &api::Error, used: Option<&Used>) -> Failure {
    match error {
        api::Error::Fault(fault) => of_fault(fault, used),
        api::Error::SignIn(error) => sign_in::of_sign_in(error, used),
        api::Error::Http(host, error) => Failure {
            provider: Some(used.and_then(Used::provider).unwrap_or(host).into()),
            ..unreachable(host, error)
        },
    }
}

fn unreachable(host: &str, error: &http::Error) -> Failure {
    match error {
        http::Error::Silent(time) => Failure::new(
            Outcome::Unreachable,
            format!(
                "the service at {host} did not answer within {}",
                span(*time)
            ),
        )
        .hint("try again later, or allow more time with --idle-timeout"),
        error => of_http(&format!("cannot reach the service at {host}"), error),
    }
}

/// A failed request for the limits of the plan.
pub(crate) fn of_limits(error: &usage::Error, used: Option<&Used>) -> Failure {
    match error {
        usage::Error::Unanswered(error) => of_api(error, used),
        usage::Error::Unreadable => {
            Failure::new(Outcome::Unreachable, "cannot read the service's response")
                .hint("a different server may have answered: check the address")
        }
    }
}

/// An attempt without a usable answer.
pub(crate) fn of_unanswered(why: &Unanswered, used: Option<&Used>) -> Failure {
    match why {
        Unanswered::Refused(error) => of_api(error, used),
        Unanswered::BrokeOff(broke) => of_break(broke),
        Unanswered::Unusable(trouble) => of_trouble(trouble, used),
    }
}

fn of_break(broke: &Break) -> Failure {
    let what = match broke {
        Break::TooLong(error) => format!("cannot read the answer: {error}"),
        Break::Connection(http::Error::Silent(time)) => {
            format!(
                "the answer was cut off: nothing arrived for {}",
                span(*time)
            )
        }
        Break::Connection(error) => format!("the answer was cut off: {error}"),
    };
    Failure::new(Outcome::Incomplete, what)
        .hint("try again; anything printed is only part of the answer")
}

fn of_trouble(trouble: &Trouble, used: Option<&Used>) -> Failure {
    let incomplete = |what: &str| {
        Failure::new(
            Outcome::Incomplete,
            format!("the answer is incomplete: {what}"),
        )
    };
    match trouble {
        Trouble::Cut => incomplete("the stream ended before the service reported it complete")
            .hint("try again"),
        Trouble::Differs => {
            incomplete("the service's final message differs from what was printed")
                .hint("try again; --buffer prints an answer only once it is complete")
        }
        Trouble::TooMuch(excess) => Failure::new(
            Outcome::Incomplete,
            format!("cannot read the answer: {excess}"),
        )
        .hint("try again; what was printed is only part of the answer"),
        Trouble::Another => {
            incomplete("it was cut off, and the retry does not begin with what was printed")
                .hint("try again; --buffer prints an answer only once it is complete")
        }
        Trouble::Repeats(name) => incomplete(&format!(
            "when asked to continue, the service repeated a call of the tool {name} that has already run"
        ))
        .hint("try again; the tool was not run a second time"),
        Trouble::Unfinished => incomplete("a message or a call in it is unfinished").hint("try again"),
        Trouble::Empty => {
            incomplete("it contains no text").hint("try again, or rephrase the question")
        }
        Trouble::Incomplete(reason) => match reason.as_deref() {
            Some("max_output_tokens") => {
                incomplete("it reached the model's output limit").hint("ask for less at a time")
            }
            Some("content_filter") => {
                incomplete("the content filter stopped it").hint("rephrase the question")
            }
            None => incomplete("the service stopped it").hint("try again"),
            Some(other) => {
                incomplete(&format!("the service stopped it ({other})")).hint("try again")
            }
        },
        Trouble::Refused(words) => {
            Failure::new(Outcome::Failed, format!("the model declined: {words}"))
                .hint("rephrase the question")
        }
        Trouble::Waits(kind) => Failure::new(
            Outcome::Failed,
            format!(
                "the answer requires something that codex-run cannot provide ({})",
                kind.as_deref().unwrap_or("an item without a type")
            ),
        )
        .hint("ask again without the hosted tools that need it"),
        Trouble::Failed(fault) => of_fault(fault, used),
    }
}
