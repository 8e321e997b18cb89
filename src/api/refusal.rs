//! Turns an error response into a `Fault`, with secrets redacted.

use super::error::Error;
use super::redact::redact;
use crate::auth::Authority;
use crate::clock::seconds;
use crate::http;
use crate::wire::fault::{self, Fault, FaultHead};

/// Size limit for an error body in bytes.
const MAX_ERROR_BYTES: usize = 64 << 10;

/// The error for an unsuccessful response.
pub(super) fn refused(authority: &Authority, answer: http::HttpResponse) -> Error {
    match fault(authority, answer) {
        Ok(fault) => Error::Fault(fault),
        Err(error) => error,
    }
}

/// The fault in an unsuccessful response.
///
/// # Errors
/// When the body cannot be read.
pub(super) fn fault(authority: &Authority, answer: http::HttpResponse) -> Result<Fault, Error> {
    let head = head(authority, &answer);
    let proxy = answer.proxy().map(str::to_owned);
    let host = answer.host().to_owned();
    let body = answer.body(MAX_ERROR_BYTES);
    let body = body.map_err(|error| Error::Http(host, error))?;
    // Redact before the text is truncated for display, so that no part of a secret is left; and again later, since it
    // may be escaped at this point.
    let body = redact(authority, &String::from_utf8_lossy(&body));
    let mut fault = fault::from_response(&head, body.as_bytes(), seconds());
    for words in fault.words() {
        *words = redact(authority, words);
    }
    fault.details.proxy = proxy;
    Ok(fault)
}

/// The parts of a response head that matter if the response is, or contains, an error.
pub(super) fn head(authority: &Authority, answer: &http::HttpResponse) -> FaultHead {
    FaultHead::read(answer.status(), |name| {
        answer.header(name).map(|value| redact(authority, value))
    })
}
