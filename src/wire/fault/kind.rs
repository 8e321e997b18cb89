//! What kind of no a refusal is.

/// What kind of no it is. Each kind has one exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// This request, or this model's answer to it, cannot be.
    Failed,
    /// The credential is not accepted.
    SignIn,
    /// The credential is good but may not do this, or the model is not to be had.
    Forbidden,
    /// The plan's window, quota or credits are used up.
    UsageLimit,
    /// The service is overloaded, broken or not what answered.
    Unreachable,
}
