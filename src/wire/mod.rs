//! What goes over the wire, as values. Everything here is pure: no clock, no socket, no file, no thread,
//! so every rule of the protocol can be tested by feeding bytes in and looking at what comes out.

pub mod answer;
mod delta;
pub mod event;
pub mod fault;
mod head;
pub mod input;
pub mod item;
mod json;
pub mod replay;
pub mod request;
pub mod response;
mod slots;
pub mod sse;
mod waiting;
