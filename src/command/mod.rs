//! What each command does, top to bottom. It is given settings: flags, argv and the environment were read
//! before, and the words for what goes wrong are found after.

pub mod run;
pub mod stdout;
pub mod tool;
mod watch;
