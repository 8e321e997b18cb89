//! What tools are offered, and what is around them.

pub(crate) mod around;
mod decisive;
mod hidden;
mod homes;
mod own;
pub(crate) mod trust;
pub(crate) mod variables;
mod writable;
