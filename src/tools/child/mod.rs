//! The programs that a tool's process starts: supervised until they exit, their output captured in bounded memory,
//! and ended together with everything they started.

pub(super) mod capture;
pub mod reaper;
pub(super) mod serve;
pub(super) mod supervise;
