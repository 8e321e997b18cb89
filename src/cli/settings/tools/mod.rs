//! The tools to offer, and their sandbox.

mod credential_homes;
mod deciding_files;
mod git_directories;
mod hidden_paths;
mod manifests;
mod offer;
mod shared_directories;
pub(crate) mod tool_settings;
pub(crate) mod trust;
pub(crate) mod variables;
