//! How long the answers of the issuer may take, and how large they may be.

use std::time::Duration;

use crate::http::TimeLimit;

/// How long an answer may take, as a whole.
pub(in crate::auth) const ANSWER_TIMEOUT: TimeLimit = TimeLimit::Whole(Duration::from_secs(30));

/// How long tokens may take, as a whole. They are worth waiting for: neither a code nor a refresh token can be used
/// twice. Other processes wait for their end.
pub(in crate::auth) const TOKEN_TIMEOUT: Duration = Duration::from_secs(120);

/// How long revoking may take.
pub(in crate::auth) const REVOKE_TIMEOUT: Duration = Duration::from_secs(10);

/// The most of an answer that is read, in bytes.
pub(in crate::auth) const MAX_BODY_BYTES: usize = 1 << 20;
