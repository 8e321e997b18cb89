//! The headers that every request to the service begins with.

use crate::http::ORIGINATOR;
use crate::id::ThreadId;

/// The header that names the shape of Responses Lite.
pub(super) const LITE: &str = "x-openai-internal-codex-responses-lite";

/// The version of the official client whose protocol this is. The subscription backend keeps models, and some answers, from
/// clients that speak an older one. It is not our own version, which stands in the User-Agent.
pub(super) const PROTOCOL: &str = "0.171.0";

/// The type of answer that is asked for, and how this program names itself.
pub(super) fn common(accept: &str) -> Vec<(&'static str, String)> {
    vec![
        ("accept", accept.to_owned()),
        ("originator", ORIGINATOR.to_owned()),
    ]
}

/// The headers that the requests of a conversation have in common.
pub(super) fn of_conversation(thread: &ThreadId) -> Vec<(&'static str, String)> {
    let mut headers = common("text/event-stream");
    headers.push(("session-id", thread.as_str().to_owned()));
    headers.push(("x-client-request-id", thread.as_str().to_owned()));
    headers
}
