//! A synchronous client of the OpenAI Responses API: it asks a model, streams the answer, runs the tools
//! that the model calls as subprocesses, and goes on until the answer is complete.
//!
//! A conversation, with the sign-in that `codex login` has stored:
//!
//! ```no_run
//! use std::path::Path;
//!
//! use codex_run::conversation::{Access, Quiet, ConversationBuilder};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let home = std::env::var("HOME")?;
//!     let access = Access::stored(&Path::new(&home).join(".codex-run"))?;
//!     let mut conversation = ConversationBuilder::new(access, "gpt-5.5")?.open()?;
//!     let reply = conversation.ask("Name a prime number.", &mut Quiet)?;
//!     println!("{}", reply.message());
//!     let reply = conversation.ask("And the next one?", &mut Quiet)?;
//!     println!("{}", reply.message());
//!     Ok(())
//! }
//! ```
//!
//! More examples, which run, are in [`talk`]: answers as they arrive, tools, a turn that is stopped or steered, stored
//! conversations, signing in.
//!
//! The data's path is one sentence, and the modules are its words: standard input and arguments become a
//! [`prompt`], the prompt a request, the service's bytes frames, frames events, events text and tool calls
//! ([`wire`]), and those [`output`]. [`agent`] drives it; [`command`] and [`cli`] are the command `codex`.
//!
//! What arrives as bytes can be looked at without a socket:
//!
//! ```
//! use codex_run::wire::answer::{Answer, Show, Verdict};
//! use codex_run::wire::sse::Decoder;
//!
//! let stream = concat!(
//!     "data: {\"type\":\"response.output_text.delta\",\"output_index\":0,\"delta\":\"hel\"}\n\n",
//!     "data: {\"type\":\"response.output_item.done\",\"output_index\":0,\"item\":",
//!     "{\"type\":\"message\",\"content\":[{\"type\":\"output_text\",\"text\":\"hello\"}]}}\n\n",
//!     "data: {\"type\":\"response.completed\",\"response\":{\"status\":\"completed\"}}\n\n",
//! );
//! let (mut decoder, mut answer, mut show) = (Decoder::default(), Answer::default(), Vec::new());
//! for piece in stream.as_bytes().chunks(7) {
//!     decoder.feed(piece, |frame| answer.take(frame, &mut show))?;
//! }
//! let text: String = show
//!     .iter()
//!     .filter_map(|show| match show {
//!         Show::Text(text) => Some(text.as_str()),
//!         _ => None,
//!     })
//!     .collect();
//! assert_eq!(text, "hello");
//! assert_eq!(answer.verdict(), Verdict::Answered);
//! # Ok::<(), codex_run::wire::sse::TooLong>(())
//! ```

pub mod clock; // the time, and how it is told
pub mod exhausted; // what the system has no more of
pub mod file; // held directories, and files replaced in one step
pub mod format; // structured output
pub mod id; // names that were checked once
pub mod jsonc; // JSON whose mistakes are told with their places
pub mod outcome; // how a run ended, and its exit code
pub mod result; // what a call of a tool gave, as facts
pub mod schema; // does this value fit
pub mod secret; // a token that does not print itself

pub mod text; // cutting text where a character ends, and one line of it

pub mod wire; // bytes to frames to events to items, and back to a request

pub mod models; // which models there are, and what each takes

pub mod input; // reading a descriptor within limits
pub mod prompt; // the words to send
pub mod stdin; // standard input with its clock

pub mod http; // the one user of ureq

pub mod auth; // who is asking

pub mod api; // one request and the stream that answers it

pub mod tools; // the calls of a model, as subprocesses

pub mod session; // the stored conversation

pub mod failure; // facts to words, hint and exit code

pub mod output; // what a run has to report, and the sinks that take it

pub mod agent; // drives a conversation

pub mod conversation; // conversations for programs

pub mod command; // what each command does

pub mod cli; // argv and environment in, exit code out
