//! What a turn has used up.

use crate::models::price::Price;
use crate::wire::response::Usage;

/// What a turn has used up.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// The tokens of all requests.
    pub(super) usage: Usage,
    /// What the requests cost, in US dollars.
    pub(super) cost: f64,
    /// Requests that were made.
    pub(super) requests: usize,
    /// Calls that did not do what they were asked to.
    pub(super) failed: usize,
}

impl Tally {
    /// Counts the tokens of a request, and what they cost.
    pub(super) fn count(&mut self, usage: Usage, price: Option<&Price>) {
        self.usage.add(usage);
        if let Some(price) = price {
            self.cost += price.of(&usage);
        }
    }
}
