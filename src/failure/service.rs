//! What becomes of requests and of answers, in words. What the service itself says is told in `fault`.

use super::fault::of_fault;
use super::network::of_http;
use super::sign_in;
use super::value::Failure;
use crate::api;
use crate::clock::span;
use crate::http;
use crate::outcome::Outcome;
use crate::wire::answer::Trouble;

pub(crate) fn of_api(error: &api::Error) -> Failure {
    match error {
        api::Error::Fault(fault) => of_fault(fault),
        api::Error::TooLong(error) => Failure::new(
            Outcome::Incomplete,
            format!("cannot read the answer: {error}"),
        ),
        api::Error::Cut(http::Error::Silent(time)) => Failure::new(
            Outcome::Incomplete,
            format!("the answer was cut: not a byte came for {}", span(*time)),
        ),
        api::Error::Cut(error) => {
            Failure::new(Outcome::Incomplete, format!("the answer was cut: {error}"))
        }
        api::Error::SignIn(error) => sign_in::of_sign_in(error),
        api::Error::Unreadable => Failure::new(
            Outcome::Unreachable,
            format!("cannot use the service's answer: {error}"),
        )
        .hint("something else may have answered; look at the address"),
        api::Error::Http(host, http::Error::Silent(time)) => Failure::new(
            Outcome::Unreachable,
            format!(
                "the service at {host} has not answered within {}",
                span(*time)
            ),
        )
        .hint("try again later, or give it more time with --idle-timeout"),
        api::Error::Http(host, error) => {
            of_http(&format!("cannot reach the service at {host}"), error)
        }
    }
}

pub(crate) fn of_trouble(trouble: &Trouble, error: Option<&api::Error>) -> Failure {
    let incomplete = |what: &str| {
        Failure::new(
            Outcome::Incomplete,
            format!("the answer is incomplete: {what}"),
        )
    };
    match (trouble, error) {
        (Trouble::Cut, Some(error)) => {
            of_api(error).hint("try again; what was printed, if anything, is a part of the answer")
        }
        (Trouble::Cut, None) => {
            incomplete("the stream ended before the service said that it is complete")
                .hint("try again")
        }
        (Trouble::Differs, _) => {
            incomplete("what was printed is not the message that the service sent in the end")
                .hint("try again; with --buffer an answer is printed only once it is complete")
        }
        (Trouble::TooMuch(excess), _) => Failure::new(
            Outcome::Incomplete,
            format!("cannot read the answer: {excess}"),
        )
        .hint("what was printed is a part of the answer; try again"),
        (Trouble::Another, _) => {
            incomplete("it broke off, and asked for again it does not begin with what was printed")
                .hint("try again; with --buffer an answer is printed only once it is complete")
        }
        (Trouble::Repeats(name), _) => incomplete(&format!(
            "asked to go on, the service sent a call of the tool {name} again that has run"
        ))
        .hint("try again; the tool was not run a second time"),
        (Trouble::Unfinished, _) => {
            incomplete("a message or a call in it has no end").hint("try again")
        }
        (Trouble::Empty, _) => {
            incomplete("it holds no text").hint("try again, or put the question differently")
        }
        (Trouble::Incomplete(reason), _) => match reason.as_deref() {
            Some("max_output_tokens") => {
                incomplete("it reached the model's output limit").hint("ask for less at once")
            }
            Some("content_filter") => {
                incomplete("the content filter stopped it").hint("put the question differently")
            }
            None => incomplete("the service stopped it").hint("try again"),
            Some(other) => {
                incomplete(&format!("the service stopped it ({other})")).hint("try again")
            }
        },
        (Trouble::Refused(words), _) => {
            Failure::new(Outcome::Failed, format!("the model declined: {words}"))
                .hint("put the question differently")
        }
        (Trouble::Waits(kind), _) => Failure::new(
            Outcome::Failed,
            format!(
                "the answer waits for something that codex-run cannot give ({})",
                kind.as_deref().unwrap_or("an item without a type")
            ),
        )
        .hint("ask without hosted tools that need it"),
        (Trouble::Failed(fault), _) => of_fault(fault),
    }
}
