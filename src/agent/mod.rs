//! The loop of a conversation, turn by turn. A thread sends each request and waits for the response; the loop itself reads the
//! answer and reports it to a `Sink`. Every tool call has its own thread. They, and other threads through `Control`, send inputs
//! to the loop, also while it waits for the next bytes of an answer. A turn that stops starts nothing new, closes its
//! connections, and waits until all tools have ended.

mod accounting;
mod attempt;
mod attempts;
mod blueprint;
mod budget;
mod calls;
mod compact_mode;
mod compaction;
mod compaction_request;
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
mod reply;
pub mod resume;
pub mod round;
mod substitute;
mod substitution;
mod thread;
mod turn_usage;

pub use crate::failure::{Next, Stop, StopRequest};
pub use blueprint::Blueprint;
pub use budget::Budget;
pub use compact_mode::CompactMode;
pub use control::Control;
pub use conversation::Conversation;
pub use earlier_items::EarlierItems;
pub use fallback::Learned;
pub use message::UserMessage;
pub use policy::Policy;
pub use profile::Profile;
pub use reply::Reply;
pub use substitute::{Substitute, SubstituteAfter};
