//! A synchronous client for the OpenAI Responses API. It sends a request to a model, streams the answer, runs the tools
//! that the model calls, and repeats until the answer is complete.
//!
//! A conversation that uses the sign-in stored by `codex login`:
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
//! More examples, which are run as tests, are in [`conversation`]: streamed answers, tools, turns that are stopped or
//! steered, stored conversations, sign-in.
//!
//! The public modules are [`conversation`] (with the sign-in), [`output`] (the events of a conversation), [`models`],
//! [`failure`] (errors as messages with an exit code), and the values that they hand out: [`auth`], [`wire`], [`secret`].
//! Everything else belongs to the command `codex`.
//!
//! The bytes of a response can be decoded without a socket:
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

#![allow(
    unreachable_pub,
    reason = "`pub` in a module that is `pub(crate)` below means: for the whole crate. This list decides what is public"
)]

pub(crate) mod clock; // the time and durations, as text and as Unix seconds
pub(crate) mod exhausted; // errors that mean the machine is out of a resource
pub(crate) mod file; // directories held open, and files replaced atomically
pub(crate) mod format; // structured output
pub(crate) mod id; // ids of models, accounts and conversations, validated once
pub(crate) mod jsonc; // JSON with comments, whose errors have a line and column
pub(crate) mod outcome; // how a run ended, and its exit code
pub(crate) mod result; // the result of a tool call, as facts
pub(crate) mod schema; // JSON Schema validation
pub mod secret; // a token or key that does not print itself
pub(crate) mod text; // truncating text at a character boundary, and flattening it to one line

pub mod wire; // bytes to frames to events to items, and items to a request

pub mod models; // which models exist, and what each accepts

pub(crate) mod mcp; // the Model Context Protocol as values

pub(crate) mod input; // reading a file descriptor within limits
pub(crate) mod prompt; // the text to send
pub(crate) mod stdin; // standard input with its timeout

pub(crate) mod http; // the only user of ureq

pub mod auth; // credentials and sign-in

pub(crate) mod api; // one request and the stream that answers it

pub(crate) mod tools; // the model's tool calls, as subprocesses

pub(crate) mod remote; // MCP servers behind a URL
pub(crate) mod session; // stored conversations

pub mod failure; // errors to message, hint and exit code

pub mod output; // the events of a conversation, and the sinks that take them

pub(crate) mod agent; // the loop of a conversation

pub mod conversation; // conversations for programs

#[allow(dead_code, unused_imports)] // until the command uses it
pub(crate) mod chat; // the full screen
pub(crate) mod command; // the commands of `codex`

#[doc(hidden)]
pub mod cli; // argv and environment in, exit code out; public for `main` only
