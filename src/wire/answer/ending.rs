//! How the service ends an answer.

use serde_json::value::RawValue;

use super::super::fault::{self, Fault};
use super::super::json::short;

/// The longest field, in bytes, in which the service's reasons for a failure are looked for.
pub(super) const MAX_REASON_BYTES: usize = 16 << 10;

/// How the service ended an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Completed,
    /// With the reason, if it gave one.
    Incomplete(Option<String>),
    Failed(Fault),
}

/// What went wrong, by the response object that says so.
pub(super) fn fault_in(response: Option<&RawValue>) -> Fault {
    fault::of_response(&short(
        response.map_or("null", RawValue::get),
        MAX_REASON_BYTES,
    ))
}
