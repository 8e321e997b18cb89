//! The full screen of `codex chat`. State and drawing are pure: a `ChatEvent` goes in, the state changes, and `Effect`s say what
//! to do; a `Screen` of cells is drawn from the state. The terminal is the only file here that reads or writes. Running the
//! turns, storing conversations and signing in are up to `command/chat`.

mod changes;
pub mod clean;
pub mod decode;
pub mod draw;
pub mod editor;
pub mod event;
mod grid;
pub mod key;
pub mod line_diff;
pub mod markdown;
pub mod screen;
mod sequence;
pub mod state;
pub mod style;
pub mod terminal;
pub mod transcript;
pub mod wrap;

pub use crate::output::width;

#[cfg(test)]
#[path = "../../tests/it/emulator.rs"]
#[allow(dead_code, reason = "the tests of the program use more of it")]
mod emulator;
