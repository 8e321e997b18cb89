//! The outcome of one attempt to renew a sign-in.

/// The outcome of one attempt to renew a sign-in.
pub(super) enum RenewalAttempt {
    /// A valid token is available, renewed by this or another process.
    Done,
    /// Another process holds the lock.
    Busy,
    /// The state has changed: plan again.
    Replan,
}
