//! Limits on all turns of a conversation together, and the check whether more fits (pure).

use crate::failure::{Next, Stop};
use crate::models::cost::Cost;

/// Limits on all turns of a conversation together. No limit by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// Maximum number of requests, not counting retries.
    pub max_requests: Option<usize>,
    /// Number of input and output tokens after which no further request is made.
    pub max_tokens: Option<u64>,
    /// Cost at list prices after which no further request is made.
    pub max_cost: Option<Cost>,
    /// Maximum number of tool calls.
    pub max_calls: Option<usize>,
}

/// Usage of all turns of a conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Spent {
    /// Requests, not counting retries.
    pub(super) requests: usize,
    /// Tokens of all requests, including retries.
    pub(super) tokens: u64,
    /// Their cost at list prices, as far as the prices are known.
    pub(super) cost: Cost,
    /// Tool calls that were started.
    pub(super) calls: usize,
    /// An answer was not counted, because the service did not report its tokens. That was reported.
    pub(super) is_partial: bool,
}

impl Budget {
    /// Whether it depends on the tokens that the service reports.
    pub(super) fn needs_usage(&self) -> bool {
        self.max_tokens.is_some() || self.max_cost.is_some()
    }

    /// Checks that another turn fits.
    ///
    /// # Errors
    /// If its first request does not.
    pub(super) fn check_turn(&self, spent: &Spent) -> Result<(), Stop> {
        self.check_request(spent, Next::Turn)
    }

    /// Checks that the calls of an answer and the request with their results fit.
    ///
    /// # Errors
    /// If they do not. A call whose result could not be sent must not run.
    pub(super) fn check_calls(&self, spent: &Spent, calls: usize) -> Result<(), Stop> {
        self.check_request(spent, Next::Request)?;
        let wanted = spent.calls + calls;
        match self.max_calls {
            Some(limit) if wanted > limit => Err(Stop::Calls { wanted, limit }),
            _ => Ok(()),
        }
    }

    /// Checks that a compaction fits, with this many requests in all.
    ///
    /// # Errors
    /// If it does not. A compaction without the request that it makes room for would be wasted.
    pub(super) fn check_compaction(&self, spent: &Spent, requests: usize) -> Result<(), Stop> {
        let spent = Spent {
            requests: spent.requests + requests - 1,
            ..*spent
        };
        self.check_request(&spent, Next::Compaction)
    }

    fn check_request(&self, spent: &Spent, next: Next) -> Result<(), Stop> {
        if let Some(limit) = self.max_requests.filter(|limit| spent.requests >= *limit) {
            return Err(Stop::Turns { limit, next });
        }
        let used = spent.tokens;
        if let Some(limit) = self.max_tokens.filter(|limit| used > *limit) {
            return Err(Stop::Tokens { used, limit, next });
        }
        let used = spent.cost;
        match self.max_cost {
            Some(limit) if used >= limit => Err(Stop::Cost { used, limit, next }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(limits: [Option<usize>; 3], spent: [usize; 3], turn: &str, two_calls: &str) {
        let budget = Budget {
            max_requests: limits[0],
            max_tokens: limits[1].map(|limit| limit as u64),
            max_calls: limits[2],
            max_cost: None,
        };
        let spent = Spent {
            requests: spent[0],
            tokens: spent[1] as u64,
            calls: spent[2],
            cost: Cost::default(),
            is_partial: false,
        };
        let shown = |checked: Result<(), Stop>| match checked {
            Ok(()) => String::new(),
            Err(stop) => stop.to_string(),
        };
        assert_eq!(
            shown(budget.check_turn(&spent)),
            turn,
            "{budget:?} {spent:?}"
        );
        let calls = shown(budget.check_calls(&spent, 2));
        assert_eq!(calls, two_calls, "{budget:?} {spent:?}");
    }

    #[test]
    fn the_usage_of_all_turns_counts() {
        let on = "and the model wanted to continue";
        check([None; 3], [usize::MAX, usize::MAX, 9], "", "");
        check([Some(3), None, None], [2, 0, 0], "", "");
        check(
            [Some(3), None, None],
            [3, 0, 0],
            "the limit of 3 requests has been reached: another turn was requested",
            "the limit of 3 requests has been reached: the model wanted to continue",
        );
        check([None, Some(50), None], [1, 50, 0], "", "");
        check(
            [None, Some(50), None],
            [1, 51, 0],
            "the limit of 50 tokens has been reached: 51 were used, and another turn was requested",
            &format!("the limit of 50 tokens has been reached: 51 were used, {on}"),
        );
        check([None, None, Some(5)], [4, 0, 3], "", "");
        check(
            [None, None, Some(5)],
            [4, 0, 4],
            "",
            "the limit of 5 tool calls has been reached: the model requested 6 in total",
        );
        check(
            [Some(4), Some(1), Some(0)],
            [4, 2, 0],
            "the limit of 4 requests has been reached: another turn was requested",
            "the limit of 4 requests has been reached: the model wanted to continue",
        );
    }
    #[test]
    fn a_cost_is_used_up_when_it_is_reached() {
        let cost = |text: &str| Cost::parse(text).expect("a cost");
        let budget = Budget {
            max_cost: Some(cost("0.50")),
            ..Budget::default()
        };
        let check = |used: &str, expected: &str| {
            let spent = Spent {
                cost: cost(used),
                ..Spent::default()
            };
            let stop = budget.check_calls(&spent, 1).err();
            let shown = stop.map_or_else(String::new, |stop| stop.to_string());
            assert_eq!(shown, expected, "{used}");
        };
        check("0.499999999999", "");
        let on = "and the model wanted to continue";
        check(
            "0.5",
            &format!("the limit of $0.50 has been reached: $0.50 was used, {on}"),
        );
        check(
            "1.2500001",
            &format!("the limit of $0.50 has been reached: $1.2500001 was used, {on}"),
        );
    }
}
