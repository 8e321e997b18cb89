//! The tools to offer, and their sandbox.

mod credential_homes;
mod git_directories;
mod hidden_paths;
pub(crate) mod manifests;
mod offer;
mod remote_servers;
mod servers;
mod shared_directories;
pub(crate) mod tool_settings;
pub(crate) mod trust;
mod trusted_files;
pub(crate) mod variable_guard;
pub(crate) mod variables;
