//! The Responses protocol as values. Everything here is pure (no clock, socket, file or thread), so every rule of the
//! protocol can be tested on bytes alone.

pub mod answer;
pub mod compaction;
mod conversation;
mod delta_form;
pub mod event;
pub mod fault;
pub mod fingerprint;
pub mod input;
pub mod item;
mod json;
mod output_items;
mod pending_item;
pub mod raw_text;
pub mod replay;
pub mod request;
mod request_head;
pub mod response;
pub mod sse;
