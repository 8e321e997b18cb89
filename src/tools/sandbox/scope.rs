//! What the sandbox of a process confines.

/// What the sandbox of this process confines, as far as other modules need to know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SandboxScope {
    /// Signals cannot leave the sandbox, so a broadcast signal reaches exactly the processes inside.
    pub signals: bool,
    /// Whether the network is allowed; `None` without a sandbox.
    pub network: Option<bool>,
}
