//! An answer that says no: what of its head and body matters, cleared of our secrets, to a `Fault`.

use super::redact;
use crate::auth::Authority;
use crate::http;
use crate::wire::fault::{self, Fault};

/// The most of an error's body that is read, in bytes.
const ERROR_BODY: usize = 64 << 10;

/// Sorts an answer that is no success.
pub(super) fn fault(authority: &Authority, answer: http::Answer) -> Fault {
    let redact = |text: &str| redact(authority, text);
    let (status, id) = (answer.status(), request_id(&answer).map(|id| redact(&id)));
    let location = answer.header("location").map(redact);
    // Before it is cut to what is shown, so that no part of a secret stays; and after, as it may have been escaped.
    let body = redact(&String::from_utf8_lossy(&answer.body(ERROR_BODY)));
    let mut fault = fault::of_answer(status, id.as_deref(), body.as_bytes());
    fault.message = redact(&fault.message);
    fault.code = redact(&fault.code);
    if let (300..=399, Some(location)) = (status, location) {
        fault.message = format!("it leads to {location}");
    }
    fault
}

/// What the service calls a request, to be named in a report to it. Control characters have no place in it.
pub(super) fn request_id(answer: &http::Answer) -> Option<String> {
    let id = answer
        .header("x-request-id")
        .or_else(|| answer.header("x-oai-request-id"))?;
    Some(id.chars().filter(|c| !c.is_control()).take(200).collect())
}
