//! How the service ends an answer.

use serde_json::value::RawValue;

use super::super::fault::{self, Fault};
use super::super::json::short;

/// Size limit in bytes of a field that is searched for the reason of a failure.
pub(super) const MAX_REASON_BYTES: usize = 16 << 10;

/// How the service ended an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Completed,
    /// With the reason, if given.
    Incomplete(Option<String>),
    Failed(Fault),
}

/// The fault described by a response object.
pub(super) fn fault_in(response: Option<&RawValue>) -> Fault {
    fault::from_response_object(&short(
        response.map_or("null", RawValue::get),
        MAX_REASON_BYTES,
    ))
}
