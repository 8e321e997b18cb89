//! The state of the screen (pure): what an event changes, and which effects it has. Events include the time; nothing is read or
//! written here.
//!
//! What is decided here, beyond CLI.md section 12:
//! - What was typed is never lost. A message that could not be sent because a sign-in is needed becomes the first of the queue,
//!   where it does not stand in the way of `/login`; a sign-in that succeeds sends the queue on. A steering message that no
//!   request has sent becomes the first of the queue, too. A cleared question is in the history.
//! - The queue is sent on by itself only after an answer that is complete. After an interruption or a failure it is held and
//!   shown: Enter sends it on, after adding the question to it, and Up with an empty question takes its last message back into
//!   the question.
//! - Ctrl+C closes a list or a search; else interrupts the turn, and again ends its tools at once; else clears the question.
//!   It leaves as the second in a row (without another key in between) when no turn runs and the question is empty, and as the
//!   third while the turn has not ended.
//! - Tab folds or unfolds the last tool call in view that has more lines than it shows folded. In a question that begins with `/` it completes the command.

mod command;
mod commands;
mod help;
mod keys;
pub mod list;
mod model_choice;
pub mod queue;
pub mod record;
mod search;
mod step;
mod turn;
mod view;

pub use model_choice::EFFORTS;
pub use record::ChatState;

#[cfg(test)]
mod tests;
