//! What the service says, and what becomes of its answers, in words.

use std::time::Duration;

use super::{Failure, sign_in};
use crate::clock::seconds;
use crate::outcome::Outcome;
use crate::wire::answer::Trouble;
use crate::wire::fault::{Fault, Kind};
use crate::{api, http};

pub(super) fn of_api(error: &api::Error) -> Failure {
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

/// A request that did not come through.
pub(super) fn of_http(what: &str, error: &http::Error) -> Failure {
    let failure = Failure::new(Outcome::Unreachable, format!("{what}: {error}"));
    match error {
        http::Error::NoSuchHost => {
            failure.hint("check the network, and the address if you set one")
        }
        http::Error::Connect(_) | http::Error::ConnectTimeout(_) => {
            failure.hint("check the network, and the address and port if you set them")
        }
        http::Error::Tls(_) => failure.hint("a proxy or a wrong clock may be in the way"),
        http::Error::Silent(_)
        | http::Error::Late
        | http::Error::Broken(_)
        | http::Error::Protocol(_) => failure.hint("try again later"),
    }
}

pub(super) fn of_trouble(trouble: &Trouble, error: Option<&api::Error>) -> Failure {
    let incomplete = |what: &str| {
        Failure::new(
            Outcome::Incomplete,
            format!("the answer is incomplete: {what}"),
        )
    };
    match (trouble, error) {
        (Trouble::Cut, Some(error)) => {
            of_api(error).hint("what was printed is a part of the answer; try again")
        }
        (Trouble::Cut, None) => {
            incomplete("the stream ended before the service said that it is complete")
                .hint("try again")
        }
        (Trouble::Differs, _) => {
            incomplete("what was printed is not the message that the service sent in the end")
                .hint("try again; with --buffer an answer is printed only once it is complete")
        }
        (Trouble::Unfinished, _) => {
            incomplete("a message or a call in it has no end").hint("try again")
        }
        (Trouble::Empty, _) => {
            incomplete("it holds no text").hint("try again, or put the question differently")
        }
        (Trouble::Incomplete(reason), _) => match &**reason {
            "max_output_tokens" => {
                incomplete("it reached the model's output limit").hint("ask for less at once")
            }
            "content_filter" => {
                incomplete("the content filter stopped it").hint("put the question differently")
            }
            "" => incomplete("the service stopped it").hint("try again"),
            other => incomplete(&format!("the service stopped it ({other})")).hint("try again"),
        },
        (Trouble::Refused(words), _) => {
            Failure::new(Outcome::Failed, format!("the model declined: {words}"))
                .hint("put the question differently")
        }
        (Trouble::Waits(kind), _) => Failure::new(
            Outcome::Failed,
            format!("the answer waits for something that codex-run cannot give ({kind})"),
        )
        .hint("ask without hosted tools that need it"),
        (Trouble::Failed(fault), _) => of_fault(fault),
    }
}

fn of_fault(fault: &Fault) -> Failure {
    let outcome = match fault.kind {
        Kind::Failed => Outcome::Failed,
        Kind::SignIn => Outcome::SignIn,
        Kind::Forbidden => Outcome::Forbidden,
        Kind::UsageLimit => Outcome::UsageLimit,
        Kind::Unreachable => Outcome::Unreachable,
    };
    let words = match (&*fault.message, &*fault.code) {
        ("", "") => "it gave no reason".to_owned(),
        ("", code) => code.to_owned(),
        (message, "") => message.to_owned(),
        (message, code) => format!("{message} ({code})"),
    };
    let mut marks = Vec::new();
    if let Some(status) = fault.status {
        marks.push(format!("HTTP {status}"));
    }
    if let Some(id) = &fault.request_id {
        marks.push(format!("request {id}"));
    }
    let marks = if marks.is_empty() {
        String::new()
    } else {
        format!(" [{}]", marks.join(", "))
    };
    let what = match fault.kind {
        Kind::Failed => "the service did not answer this request",
        Kind::SignIn => "the service refused the credential",
        Kind::Forbidden => "the service does not allow this",
        Kind::UsageLimit => "the usage limit is reached",
        Kind::Unreachable => "the service cannot answer now",
    };
    let failure = Failure::new(outcome, format!("{what}: {words}{marks}"));
    match (fault.kind, fault.status) {
        _ if fault.page => {
            return failure
                .hint("look at what stands between: a proxy, a firewall, a sign-in page");
        }
        (_, Some(300..=399)) => {
            return failure
                .hint("redirects are not followed; set the address where the service really is");
        }
        (Kind::Failed, Some(404)) => {
            return failure.hint("is the address right? OPENAI_BASE_URL commonly ends in /v1");
        }
        _ => {}
    }
    match fault.kind {
        Kind::Failed => failure.hint("change the request; trying again will not help"),
        Kind::SignIn => failure.hint("renew the token or key; it may have expired or been revoked"),
        Kind::Forbidden => failure.hint("use another model (-m) or another account"),
        Kind::UsageLimit => failure.hint(reset(fault.resets_at)),
        Kind::Unreachable => failure.hint("try again later"),
    }
}

/// A time as people write it.
fn span(time: Duration) -> String {
    format!("{} s", time.as_secs_f64())
}

/// When to come back, as far as the service said.
fn reset(at: Option<u64>) -> String {
    let now = seconds();
    match at.map(|at| at.saturating_sub(now).div_ceil(60)) {
        Some(minutes @ 1..) if minutes >= 60 => {
            format!("it ends in {} h {} min", minutes / 60, minutes % 60)
        }
        Some(minutes @ 1..) => format!("it ends in {minutes} min"),
        _ => "wait, raise the limit, or use another account".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::fault;

    #[test]
    fn a_service_message_carries_status_and_request() {
        let body = br#"{"error":{"message":"No such thing.","code":"x"}}"#;
        let failure = of_fault(&fault::of_answer(404, Some("req_1"), body));
        assert_eq!(
            failure.what,
            "the service did not answer this request: No such thing. (x) [HTTP 404, request req_1]"
        );
    }
}
