//! An answer that says no: what of its head and body matters, cleared of our secrets, to a `Fault`.

use super::{Error, redact};
use crate::auth::Authority;
use crate::clock::seconds;
use crate::http;
use crate::wire::fault::{self, Fault, Head};

/// The most of an error's body that is read, in bytes.
const ERROR_BODY: usize = 64 << 10;

/// Sorts an answer from this address that is no success.
pub(super) fn refused(url: &str, authority: &Authority, answer: http::Answer) -> Error {
    match fault(authority, answer) {
        Ok(fault) => Error::Fault(fault),
        Err(error) => Error::Http(http::host(url), error),
    }
}

fn fault(authority: &Authority, answer: http::Answer) -> Result<Fault, http::Error> {
    let head = head(authority, &answer);
    // Before it is cut to what is shown, so that no part of a secret stays; and after, as it may have been escaped.
    let body = redact(
        authority,
        &String::from_utf8_lossy(&answer.body(ERROR_BODY)?),
    );
    let mut fault = fault::of_answer(&head, body.as_bytes(), seconds());
    for words in fault.words() {
        *words = redact(authority, words);
    }
    Ok(fault)
}

/// What matters of an answer's head, should it be, or hold, a refusal.
pub(super) fn head(authority: &Authority, answer: &http::Answer) -> Head {
    Head::read(answer.status(), |name| {
        answer.header(name).map(|value| redact(authority, value))
    })
}
