//! The tools that a model may call. Each is one value (`tool`); a kind of tools differs from the others in what runs it:
//! the built-in ones (`builtin`), programs of the user's own (`manifest`, `program`) and functions of the program that
//! uses this library (`function`). `toolbox` has those of a run and finds the one that a call names.
//!
//! A call runs as a process of its own, so that nothing it does can reach into the run: `launch` starts it as `setup`
//! says, with an `order`; it confines itself (`sandbox`), does the work (`builtin`, with `child` for the programs it
//! starts, of which nothing is left behind), and gives back its result. `git` notices what it has changed that runs later.

mod arguments;
pub mod builtin;
pub mod child;
pub mod environment;
pub mod function;
mod git;
mod job;
pub mod launch;
mod limited_file;
mod lock;
pub mod manifest;
mod pipe;
pub mod program;
mod removal;
pub mod sandbox;
pub mod scratch;
pub mod sensitive;
pub mod setup;
pub mod tool;
pub mod tool_order;
pub mod toolbox;
pub mod topic;
pub mod worktree;

/// The most of a tool's output that goes to the model, in bytes.
pub const MAX_OUTPUT_BYTES: usize = 64 << 10;
