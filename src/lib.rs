//! codex-run
pub mod id;
pub mod outcome;
pub mod secret;
pub mod wire;
