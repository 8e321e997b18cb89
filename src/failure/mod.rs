//! Failures in words: what happened, why, and what to do, with the outcome that gives the exit code. Other
//! modules report facts; the wording is in this folder, so that it can be reviewed in one place.

mod credential;
mod exhausted;
mod fault;
mod local;
mod network;
mod prompt;
mod service;
mod sign_in;
pub mod stop;
#[cfg(test)]
pub(crate) mod table;
#[cfg(test)]
mod table_of_texts;
#[cfg(test)]
mod table_tests;
mod value;
mod warning;

pub(crate) use credential::Used;
pub(crate) use exhausted::of_exhausted;
pub(crate) use local::{of_output, of_random, of_session, of_temporary, of_thread, unusable_lines};
pub(crate) use network::of_http_setup;
pub(crate) use prompt::{of_prompt, of_stdin};
pub(crate) use service::{of_api, of_limits, of_unanswered};
pub(crate) use sign_in::{WITHDRAWN, of_credential, of_ended, of_issuer, of_sign_in};
pub use stop::{Next, Stop, StopRequest};
pub(crate) use stop::{grouped, of_order, of_stop};
pub use value::Failure;
pub(crate) use value::bug;
pub use warning::RunWarning;

pub use crate::auth::sign_in::RenewalWait;
