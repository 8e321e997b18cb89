//! Drives a conversation, one turn after the other: a thread reads each answer, tools run on threads of their own, and
//! everything reaches one loop as an input. The loop reports to a `Sink`. Once a turn is to stop it starts nothing more,
//! shuts the connections, and waits for the tools until all of them have ended.

mod attempts;
mod budget;
mod calls;
pub mod control;
pub mod conversation;
mod driver;
mod fallback;
mod history;
mod input;
pub mod message;
mod policy;
mod printed_answer;
pub mod profile;
mod reader;
mod repeated_text;
pub mod resume;
pub mod round;
mod thread;
mod turn_usage;

pub use crate::failure::{Next, Stop, StopRequest};
pub use budget::Budget;
pub use control::Control;
pub use conversation::{Blueprint, Conversation, Reply};
pub use fallback::{Learned, Substitute};
pub use message::UserMessage;
pub use policy::Policy;
pub use profile::Profile;
