//! codex-run
pub mod agent;
pub mod api;
pub mod auth;
pub mod cli;
pub mod command;
pub mod http;
pub mod id;
pub mod outcome;
pub mod output;
pub mod prompt;
pub mod secret;
pub mod stdin;
pub mod tools;
pub mod wire;
