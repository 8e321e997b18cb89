//! The tools that a model may call. Each is one value (`tool`); kinds of tools differ in their runner: built-in ones
//! (`builtin`), the user's programs (`manifest`, `program`) and functions of the program that uses this library
//! (`function`), and MCP servers (`server`). `toolbox` holds those of a run and dispatches calls to them.
//!
//! A call runs in its own process, so that it cannot affect the run: `launch` starts that process as `setup` says,
//! with a request (`tool_request`), and `exchange` gives it the arguments and awaits its result; it confines itself (`sandbox`), does the work (`builtin`, with `child` for the
//! programs it starts, none of which outlive it), and returns its result; `live_output` is what it prints meanwhile, for
//! a reader that follows it. `git` detects changes to what git later executes.

mod arguments;
pub mod builtin;
pub mod child;
pub mod environment;
mod exchange;
pub mod function;
mod git;
mod job;
pub mod launch;
mod limited_file;
pub mod live_output;
mod lock;
pub mod manifest;
pub mod program;
mod python;
mod removal;
pub mod sandbox;
pub mod scratch;
pub mod sensitive;
pub mod server;
pub mod setup;
pub mod tool;
pub mod tool_request;
pub mod toolbox;
pub mod topic;
pub mod worktree;

/// How much of a tool's output goes to the model, in bytes.
pub const MAX_OUTPUT_BYTES: usize = 64 << 10;
