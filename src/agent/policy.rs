//! How a conversation goes about its turns.

use std::time::Duration;

use super::budget::Budget;

/// How a conversation goes about its turns.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// What all turns together may use up.
    pub budget: Budget,
    /// How often a request that failed may be made again.
    pub retries: usize,
    /// How long the end of a usage limit may be waited for.
    pub wait_for_reset: Option<Duration>,
    /// Show nothing of an answer before all of it has come. A finished message is no sign that it has: without a call
    /// behind it, it is asked for again where the answer breaks off.
    pub buffer: bool,
}

/// No budget, five retries, no wait for the end of a usage limit, and answers as they arrive.
impl Default for Policy {
    fn default() -> Self {
        Self {
            budget: Budget::default(),
            retries: 5,
            wait_for_reset: None,
            buffer: false,
        }
    }
}
