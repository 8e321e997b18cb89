//! An answer that says no: what of its head and body matters, cleared of our secrets, to a `Fault`.

use super::error::Error;
use super::redact::redact;
use crate::auth::Authority;
use crate::clock::seconds;
use crate::http;
use crate::wire::fault::{self, Fault, FaultHead};

/// The most of an error's body that is read, in bytes.
const MAX_ERROR_BYTES: usize = 64 << 10;

/// Sorts an answer that is no success.
pub(super) fn refused(authority: &Authority, answer: http::HttpResponse) -> Error {
    match fault(authority, answer) {
        Ok(fault) => Error::Fault(fault),
        Err(error) => error,
    }
}

/// What the service says in an answer that is no success.
///
/// # Errors
/// When it cannot be read.
pub(super) fn fault(authority: &Authority, answer: http::HttpResponse) -> Result<Fault, Error> {
    let head = head(authority, &answer);
    let proxy = answer.proxy().map(str::to_owned);
    let host = answer.host().to_owned();
    let body = answer.body(MAX_ERROR_BYTES);
    let body = body.map_err(|error| Error::Http(host, error))?;
    // Before it is cut to what is shown, so that no part of a secret stays; and after, as it may have been escaped.
    let body = redact(authority, &String::from_utf8_lossy(&body));
    let mut fault = fault::of_answer(&head, body.as_bytes(), seconds());
    for words in fault.words() {
        *words = redact(authority, words);
    }
    fault.details.proxy = proxy;
    Ok(fault)
}

/// What matters of an answer's head, should it be, or hold, a refusal.
pub(super) fn head(authority: &Authority, answer: &http::HttpResponse) -> FaultHead {
    FaultHead::read(answer.status(), |name| {
        answer.header(name).map(|value| redact(authority, value))
    })
}
