//! Token prices, in US dollars, and what requests cost at these prices. Costs are added up as integers, so that no sum
//! drifts.

use serde::{Deserialize, Serialize};

use super::cost::Cost;
use crate::wire::response::Usage;

/// Input tokens above which a request is billed at the long-context price, if there is one.
const LONG_CONTEXT_TOKENS: u64 = 272_000;

/// Prices per million tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Input.
    pub input: f64,
    /// Cached input.
    pub cached: Option<f64>,
    /// Input written to the cache.
    pub written: Option<f64>,
    /// Output, including reasoning.
    pub output: f64,
    /// The prices of a request with a long context.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub long: Option<Long>,
}

/// Prices per million tokens of a request with a long context.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Long {
    /// Input.
    pub input: f64,
    /// Cached input.
    pub cached: f64,
    /// Output, including reasoning.
    pub output: f64,
}

impl Price {
    /// Returns the cost of a request.
    #[must_use]
    pub fn of(&self, usage: &Usage) -> Cost {
        let (input, cached, output) = match &self.long {
            Some(long) if usage.input > LONG_CONTEXT_TOKENS => {
                (long.input, long.cached, long.output)
            }
            _ => (self.input, self.cached.unwrap_or(self.input), self.output),
        };
        let [input, cached, output] = [input, cached, output].map(Cost::per_token);
        // Writing to the cache costs the same multiple of the input price as in a short request.
        let written = match self.written {
            Some(written) => Cost::per_token(written).scaled(input, Cost::per_token(self.input)),
            None => input,
        };
        let cached_tokens = usage.cached.min(usage.input);
        let written_tokens = usage.written.min(usage.input - cached_tokens);
        let fresh = usage.input - cached_tokens - written_tokens;
        [
            input.times(fresh),
            cached.times(cached_tokens),
            written.times(written_tokens),
            output.times(usage.output),
        ]
        .into_iter()
        .fold(Cost::default(), Cost::plus)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_token_has_its_price() {
        let price = Price {
            input: 2.0,
            cached: Some(0.2),
            written: Some(2.5),
            output: 10.0,
            long: Some(Long {
                input: 4.0,
                cached: 0.4,
                output: 15.0,
            }),
        };
        let check = |input, cached, written, output, dollars: &str| {
            let usage = Usage {
                input,
                cached,
                written,
                output,
                reasoning: output,
            };
            let cost = price.of(&usage);
            assert_eq!(Some(cost), Cost::parse(dollars), "{usage:?}");
        };
        check(0, 0, 0, 0, "0");
        check(100_000, 0, 0, 0, "0.2");
        check(100_000, 50_000, 0, 1_000, "0.12");
        check(100_000, 50_000, 50_000, 0, "0.135");
        check(300_000, 0, 0, 1_000, "1.215");
        check(300_000, 0, 300_000, 0, "1.5");
        check(1, 1, 0, 0, "0.0000002");
        // Inconsistent counts must not give a negative price.
        check(10, 1_000_000, 1_000_000, 0, "0.000002");
        let plain = Price {
            input: 1.0,
            output: 1.0,
            ..Price::default()
        };
        let usage = Usage {
            input: 1_000_000,
            cached: 1_000_000,
            ..Usage::default()
        };
        assert_eq!(Some(plain.of(&usage)), Cost::parse("1"));
        let free = Price {
            written: Some(1.0),
            ..Price::default()
        };
        let written = Usage {
            input: 5,
            written: 5,
            ..Usage::default()
        };
        assert_eq!(Some(free.of(&written)), Cost::parse("0.000005"));
    }

    #[test]
    fn ten_thousand_requests_cost_exactly_ten_thousand_times_as_much() {
        let price = Price {
            input: 0.1,
            output: 0.3,
            ..Price::default()
        };
        let usage = Usage {
            input: 1,
            output: 1,
            ..Usage::default()
        };
        let total = (0..10_000).fold(Cost::default(), |sum, _| sum.plus(price.of(&usage)));
        assert_eq!(total.to_string(), "$0.004");
        assert!((total.dollars() - 0.004).abs() < f64::EPSILON);
    }
}
