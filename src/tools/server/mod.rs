//! MCP servers as tools. `servers` are those of a run: started at the same time, ended together. `client` is what runs
//! the calls of one: a program on standard input and output (`program`, whose thread is `conversation` and whose
//! messages are `speaker`), or one that the program around this one brings. `offer` makes tools of what they list, and
//! `server_tool` runs their calls.

pub mod client;
mod conversation;
mod last_words;
pub mod launch;
pub mod offer;
mod program;
mod server_tool;
pub mod servers;
mod speaker;
pub mod start_error;
