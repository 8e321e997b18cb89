//! What tools are offered, and what is around them.

pub(crate) mod around;
mod decisive;
mod git_directories;
mod hidden;
mod homes;
mod offer;
mod own;
pub(crate) mod trust;
pub(crate) mod variables;
mod writable;
