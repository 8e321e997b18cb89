//! Timeouts and size limits for the issuer's responses.

use std::time::Duration;

use crate::http::TimeLimit;

/// Timeout of a whole response.
pub(in crate::auth) const ANSWER_TIMEOUT: TimeLimit = TimeLimit::Whole(Duration::from_secs(30));

/// Timeout of a whole token response. It is long because neither a code nor a refresh token can be used twice. Other
/// processes wait for the lock meanwhile.
pub(in crate::auth) const TOKEN_TIMEOUT: Duration = Duration::from_secs(120);

/// Timeout of a revocation.
pub(in crate::auth) const REVOKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Size limit for a response body, in bytes.
pub(in crate::auth) const MAX_BODY_BYTES: usize = 1 << 20;
