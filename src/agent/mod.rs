//! The loop of a conversation, turn by turn. One thread reads each answer, every tool call has its own thread, and all of
//! them send inputs to one loop, which reports to a `Sink`. A turn that stops starts nothing new, closes its connections,
//! and waits until all tools have ended.

mod attempt;
mod attempts;
mod budget;
mod calls;
pub mod control;
pub mod conversation;
mod driver;
mod earlier_items;
mod effort;
mod fallback;
mod history;
mod input;
mod latest_output;
pub mod message;
mod policy;
mod printed_answer;
pub mod profile;
mod reader;
mod repeated_text;
pub mod resume;
pub mod round;
mod substitute;
mod substitution;
mod thread;
mod turn_usage;

pub use crate::failure::{Next, Stop, StopRequest};
pub use budget::Budget;
pub use control::Control;
pub use conversation::{Blueprint, Conversation, Reply};
pub use earlier_items::EarlierItems;
pub use fallback::Learned;
pub use message::UserMessage;
pub use policy::Policy;
pub use profile::Profile;
pub use substitute::{Substitute, SubstituteAfter};
