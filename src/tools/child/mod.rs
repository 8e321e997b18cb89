//! The programs that a tool's own process starts: watched to their end, their output kept in bounded memory, and ended
//! with all that they have started.

pub(super) mod capture;
pub mod reaper;
pub(super) mod supervise;
