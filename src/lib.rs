//! codex-run
pub mod wire;
pub mod id; pub mod secret; pub mod outcome;
pub mod http; pub mod auth; pub mod api; pub mod tools; pub mod output;
pub mod agent;
