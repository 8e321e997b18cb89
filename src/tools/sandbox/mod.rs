//! What confines a tool: the policy as data, the paths that it speaks of, what it means in words, and how the kernel
//! enforces it.

#[cfg(target_os = "linux")]
mod bindings;
#[cfg(target_os = "linux")]
mod caller;
pub mod confine;
mod error;
pub mod explanation;
#[cfg(target_os = "linux")]
mod landlock;
#[cfg(target_os = "linux")]
pub mod mounts;
#[cfg(target_os = "linux")]
mod notify;
pub mod places;
pub mod policy;
pub mod reach;
mod scope;
#[cfg(target_os = "linux")]
mod seccomp;
#[cfg(target_os = "linux")]
mod sockets;
