//! The usage of a turn.

use crate::models::cost::Cost;
use crate::models::price::Price;
use crate::wire::response::Usage;

/// The usage of a turn.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Tokens of all requests.
    pub(super) usage: Usage,
    /// Cost of all requests, as far as the prices are known.
    pub(super) cost: Cost,
    /// The service did not report the tokens of an answer.
    pub(super) is_partial: bool,
    /// Number of requests, including retries.
    pub(super) requests: usize,
    /// Number of tool calls that failed.
    pub(super) failed: usize,
}

impl Tally {
    /// Adds the tokens of a request and their cost. Returns the cost.
    pub(super) fn count(&mut self, usage: Usage, price: Option<&Price>) -> Cost {
        self.usage.add(usage);
        let cost = price.map(|price| price.of(&usage)).unwrap_or_default();
        self.cost = self.cost.plus(cost);
        cost
    }
}
