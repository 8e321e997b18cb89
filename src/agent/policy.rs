//! What a turn may do.

use std::time::Duration;

use crate::models::price::Price;

/// What a turn may do.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// The most requests that may be made, retries not counted.
    pub max_turns: usize,
    /// The most tokens of all requests after which another one may be made.
    pub max_tokens: Option<u64>,
    /// The most calls that may be run.
    pub max_calls: Option<usize>,
    /// The most tokens that the model takes in, where that is known.
    pub window: Option<u64>,
    /// What tokens cost, where that is known.
    pub price: Option<Price>,
    /// How often a request that failed may be made again.
    pub retries: usize,
    /// How long the end of a usage limit may be waited for.
    pub wait_for_reset: Option<Duration>,
    /// Show nothing of an answer before all of it has come. A finished message is no sign that it has: without a call
    /// behind it, it is asked for again where the answer breaks off.
    pub buffer: bool,
}
