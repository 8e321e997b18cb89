//! Token prices, in US dollars.

use serde::{Deserialize, Serialize};

use crate::wire::response::Usage;

/// Input tokens above which a request is billed at the long-context price, if there is one.
const LONG_CONTEXT_TOKENS: u64 = 272_000;

/// Tokens per price.
const MILLION: f64 = 1_000_000.0;

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
    pub fn of(&self, usage: &Usage) -> f64 {
        let (input, cached, output) = match &self.long {
            Some(long) if usage.input > LONG_CONTEXT_TOKENS => {
                (long.input, long.cached, long.output)
            }
            _ => (self.input, self.cached.unwrap_or(self.input), self.output),
        };
        // Writing to the cache costs the same multiple of the input price as in a short request.
        let written =
            self.written.unwrap_or(self.input) / self.input.max(f64::MIN_POSITIVE) * input;
        let cached_tokens = usage.cached.min(usage.input);
        let written_tokens = usage.written.min(usage.input - cached_tokens);
        let fresh = usage.input - cached_tokens - written_tokens;
        (tokens(fresh) * input
            + tokens(cached_tokens) * cached
            + tokens(written_tokens) * written
            + tokens(usage.output) * output)
            / MILLION
    }
}

#[allow(clippy::cast_precision_loss)] // no run has 2^53 tokens
fn tokens(count: u64) -> f64 {
    count as f64
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
        let check = |input, cached, written, output, dollars: f64| {
            let usage = Usage {
                input,
                cached,
                written,
                output,
                reasoning: output,
            };
            let cost = price.of(&usage);
            assert!((cost - dollars).abs() < 1e-9, "{usage:?}: {cost}");
        };
        check(0, 0, 0, 0, 0.0);
        check(100_000, 0, 0, 0, 0.2);
        check(100_000, 50_000, 0, 1_000, 0.1 + 0.01 + 0.01);
        check(100_000, 50_000, 50_000, 0, 0.01 + 0.125);
        check(300_000, 0, 0, 1_000, 1.2 + 0.015);
        // Inconsistent counts must not give a negative price.
        check(10, 1_000_000, 1_000_000, 0, 0.000_002);
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
        assert!((plain.of(&usage) - 1.0).abs() < 1e-9);
    }
}
