//! The headers that every request to the service begins with.

use crate::http::ORIGINATOR;

/// The type of answer that is asked for, and how this program names itself.
pub(super) fn common(accept: &str) -> Vec<(&'static str, String)> {
    vec![
        ("accept", accept.to_owned()),
        ("originator", ORIGINATOR.to_owned()),
    ]
}
