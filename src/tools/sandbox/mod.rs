//! The confinement of tools: the policy as data, path resolution, explanations for people and the model, and
//! enforcement by the kernel.

#[cfg(target_os = "linux")]
mod bindings;
#[cfg(target_os = "linux")]
mod bpf;
#[cfg(target_os = "linux")]
mod caller;
pub mod confine;
mod error;
pub mod failure_note;
#[cfg(target_os = "linux")]
mod file_rules;
#[cfg(target_os = "linux")]
mod landlock;
#[cfg(target_os = "linux")]
pub mod mounts;
#[cfg(target_os = "linux")]
mod notify;
#[cfg(target_os = "linux")]
mod observed;
pub mod paths;
pub mod policy;
#[cfg(target_os = "linux")]
pub(super) mod run_rules;
mod scope;
#[cfg(target_os = "linux")]
mod seccomp;
#[cfg(target_os = "linux")]
mod sockets;
pub mod writable_reach;
