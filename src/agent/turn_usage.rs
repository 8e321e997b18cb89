//! The usage of a turn.

use crate::models::price::Price;
use crate::wire::response::Usage;

/// The usage of a turn.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Tokens of all requests.
    pub(super) usage: Usage,
    /// Cost of all requests, in US dollars.
    pub(super) cost: f64,
    /// Number of requests, including retries.
    pub(super) requests: usize,
    /// Number of tool calls that failed.
    pub(super) failed: usize,
}

impl Tally {
    /// Adds the tokens of a request and their cost.
    pub(super) fn count(&mut self, usage: Usage, price: Option<&Price>) {
        self.usage.add(usage);
        if let Some(price) = price {
            self.cost += price.of(&usage);
        }
    }
}
