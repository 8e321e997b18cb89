//! What a turn has used up, and whether there is room for more (pure).

use super::policy::Policy;
use crate::failure::Stop;
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
    /// Calls that the model has wanted.
    pub(super) calls: usize,
    /// Calls that did not do what they were asked to.
    pub(super) failed: usize,
}

impl Tally {
    /// Counts the tokens of a request, and what they cost.
    pub(super) fn count(&mut self, usage: Usage, policy: &Policy) {
        self.usage.add(usage);
        if let Some(price) = &policy.price {
            self.cost += price.of(&usage);
        }
    }

    /// Counts this number of calls.
    ///
    /// # Errors
    /// When no room is left for them and the request behind them.
    pub(super) fn afford(&mut self, calls: usize, policy: &Policy) -> Result<(), Stop> {
        let used = self.usage.input.saturating_add(self.usage.output);
        if let Some(limit) = policy.max_tokens.filter(|limit| used > *limit) {
            return Err(Stop::Tokens { used, limit });
        }
        self.calls += calls;
        let wanted = self.calls;
        match policy.max_calls {
            Some(limit) if wanted > limit => Err(Stop::Calls { wanted, limit }),
            _ => Ok(()),
        }
    }
}
