//! When a usage limit ends, as bodies and headers say it.

use serde_json::Value;

/// What lies beyond the year 9999 is no time that somebody meant, in Unix seconds.
const LAST: u64 = 253_402_300_799;

/// When a limit ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resets {
    /// At this time, in Unix seconds.
    At(u64),
    /// After so many seconds.
    After(u64),
}

/// A count of seconds: a number, or a text that is one. Zero, negative and absurd ones are none.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // it saturates, and is looked at afterwards
pub(super) fn number(value: &Value) -> Option<u64> {
    let number = match value {
        Value::String(text) => text.trim().parse::<f64>().ok()?,
        value => value.as_f64()?,
    };
    Some(number as u64).filter(|number| (1..=LAST).contains(number))
}
