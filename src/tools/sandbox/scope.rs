//! How far the confinement of a process reaches.

/// What confines this process, as far as others need to know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SandboxScope {
    /// Signals reach no process outside, so that one to all processes ends just those inside.
    pub signals: bool,
    /// There is a sandbox; and whether it lets tools use the network.
    pub network: Option<bool>,
}
