//! The limits of a run, from flags (pure).

use std::ffi::{OsStr, OsString};
use std::time::Duration;

use crate::agent::{Budget, CompactMode, Policy};
use crate::cli::flags::{Args, FAILURES};
use crate::cli::values::{cost_of, count_of, duration_of, word_of};
use crate::failure::Failure;
use crate::http::IDLE_TIMEOUT;

/// The limits of a run.
pub(super) struct RunLimits {
    pub(super) policy: Policy,
    /// The idle timeout for connections.
    pub(super) idle_timeout: Duration,
    /// The time limit for the run.
    pub(super) timeout: Option<Duration>,
    /// A failed call makes the run fail.
    pub(super) fail_on_tool_error: bool,
}

impl RunLimits {
    /// The limits that these flags set.
    pub(super) fn of(args: &Args) -> Result<Self, Failure> {
        let policy = policy(args)?;
        let fail_on = word_of(args, "fail-on", args.fail_on.as_deref(), FAILURES)?;
        let idle_timeout = duration_of(args, "idle-timeout", args.idle_timeout.as_deref())?;
        Ok(Self {
            policy,
            idle_timeout: idle_timeout.unwrap_or(IDLE_TIMEOUT),
            timeout: duration_of(args, "timeout", args.timeout.as_deref())?,
            fail_on_tool_error: fail_on.is_some(),
        })
    }
}

/// When the conversation is compacted.
fn compact(args: &Args) -> Result<CompactMode, Failure> {
    let given = args.compact.as_deref();
    match given.and_then(OsStr::to_str) {
        Some("off") => return Ok(CompactMode::Off),
        Some("auto") => return Ok(CompactMode::Auto),
        _ if given.is_none() => return Ok(CompactMode::Auto),
        _ => {}
    }
    let tokens = count_of(args, "compact", given, 1)
        .map_err(|failure| failure.hint("use auto, off, or a number of tokens, 1 or greater"))?;
    Ok(tokens.map_or(CompactMode::Auto, |tokens| CompactMode::At(tokens as u64)))
}

/// The budget and the retries of the run. A limit without a default in the table applies only if it is given.
fn policy(args: &Args) -> Result<Policy, Failure> {
    let count =
        |long: &str, given: &Option<OsString>, least| count_of(args, long, given.as_deref(), least);
    Ok(Policy {
        turn_timeout: duration_of(args, "turn-timeout", args.turn_timeout.as_deref())?,
        budget: Budget {
            // A person watches a chat, and it may go on all day.
            max_requests: count("max-turns", &args.max_turns, 1)?
                .filter(|_| !args.is_chat || args.max_turns.is_some()),
            max_tokens: count("max-tokens", &args.max_tokens, 1)?.map(|count| count as u64),
            max_cost: cost_of(args, "max-cost", args.max_cost.as_deref())?,
            max_calls: count("max-tool-calls", &args.max_tool_calls, 0)?,
        },
        retries: count("retries", &args.retries, 0)?.unwrap_or_default(),
        wait_for_reset: duration_of(args, "wait-for-reset", args.wait_for_reset.as_deref())?,
        buffer: args.buffer,
        compact: compact(args)?,
    })
}
