//! The kinds of failures.

/// The kind of a failure. Each kind has one exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// This request, or the model's answer to it, failed.
    Failed,
    /// The credential was rejected.
    SignIn,
    /// The credential is valid but lacks permission, or the model is not available to it.
    Forbidden,
    /// The plan's window, quota or credits are used up.
    UsageLimit,
    /// The service is overloaded or broken, or something else answered.
    Unreachable,
}
