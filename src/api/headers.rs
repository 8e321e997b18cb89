//! Headers common to all requests to the service.

use crate::http::ORIGINATOR;
use crate::id::ThreadId;

/// The header that selects the Responses Lite shape.
pub(super) const LITE: &str = "x-openai-internal-codex-responses-lite";

/// The version of the official client whose protocol this is. The subscription backend withholds models, and some
/// responses, from clients with an older one. This program's own version is in the User-Agent.
pub(super) const PROTOCOL: &str = "0.171.0";

/// The accepted content type, and this program's name.
pub(super) fn common(accept: &str) -> Vec<(&'static str, String)> {
    vec![
        ("accept", accept.to_owned()),
        ("originator", ORIGINATOR.to_owned()),
    ]
}

/// The headers common to the requests of a conversation.
pub(super) fn conversation_headers(thread: &ThreadId) -> Vec<(&'static str, String)> {
    let mut headers = common("text/event-stream");
    headers.push(("session-id", thread.as_str().to_owned()));
    headers.push(("x-client-request-id", thread.as_str().to_owned()));
    headers
}
