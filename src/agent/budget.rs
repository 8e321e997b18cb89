//! What a conversation may use up over all of its turns, and whether there is room for more (pure).

use crate::failure::{Next, Stop};

/// What a conversation may use up over all of its turns. Without a limit by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// The most requests, retries not counted.
    pub max_requests: Option<usize>,
    /// The most tokens, taken in and given out, after which another request may be made.
    pub max_tokens: Option<u64>,
    /// The most calls of tools that may be run.
    pub max_calls: Option<usize>,
}

/// What the turns of a conversation have used up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Spent {
    /// Requests, retries not counted.
    pub(super) requests: usize,
    /// Tokens of all requests, retries included.
    pub(super) tokens: u64,
    /// Calls that were run.
    pub(super) calls: usize,
}

impl Budget {
    /// Checks that there is room for a turn.
    ///
    /// # Errors
    /// When there is none for its first request.
    pub(super) fn check_turn(&self, spent: &Spent) -> Result<(), Stop> {
        self.check_request(spent, Next::Turn)
    }

    /// Checks that there is room for the calls of an answer and for the request with their results.
    ///
    /// # Errors
    /// When there is none. A call whose result could not be sent is not to be run.
    pub(super) fn check_calls(&self, spent: &Spent, calls: usize) -> Result<(), Stop> {
        self.check_request(spent, Next::Request)?;
        let wanted = spent.calls + calls;
        match self.max_calls {
            Some(limit) if wanted > limit => Err(Stop::Calls { wanted, limit }),
            _ => Ok(()),
        }
    }

    fn check_request(&self, spent: &Spent, next: Next) -> Result<(), Stop> {
        if let Some(limit) = self.max_requests.filter(|limit| spent.requests >= *limit) {
            return Err(Stop::Turns { limit, next });
        }
        let used = spent.tokens;
        match self.max_tokens {
            Some(limit) if used > limit => Err(Stop::Tokens { used, limit, next }),
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
        };
        let spent = Spent {
            requests: spent[0],
            tokens: spent[1] as u64,
            calls: spent[2],
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
    fn what_all_turns_have_used_up_decides() {
        let on = "and the model wanted to go on";
        check([None; 3], [usize::MAX, usize::MAX, 9], "", "");
        check([Some(3), None, None], [2, 0, 0], "", "");
        check(
            [Some(3), None, None],
            [3, 0, 0],
            "stopped by --max-turns 3: all of them are used, and a further turn was asked for",
            "stopped by --max-turns 3: the model wanted to go on",
        );
        check([None, Some(50), None], [1, 50, 0], "", "");
        check(
            [None, Some(50), None],
            [1, 51, 0],
            "stopped by --max-tokens 50: 51 tokens are used, and a further turn was asked for",
            &format!("stopped by --max-tokens 50: 51 tokens are used, {on}"),
        );
        check([None, None, Some(5)], [4, 0, 3], "", "");
        check(
            [None, None, Some(5)],
            [4, 0, 4],
            "",
            "stopped by --max-tool-calls 5: the model wanted 6 tool calls in all",
        );
        check(
            [Some(4), Some(1), Some(0)],
            [4, 2, 0],
            "stopped by --max-turns 4: all of them are used, and a further turn was asked for",
            "stopped by --max-turns 4: the model wanted to go on",
        );
    }
}
