//! The time at which a usage limit resets, from bodies and headers.

use serde_json::Value;

/// The end of the year 9999, in Unix seconds: later times are errors.
const MAX_UNIX_SECONDS: u64 = 253_402_300_799;

/// When a limit resets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resets {
    /// At this time, in Unix seconds.
    At(u64),
    /// After this many seconds.
    After(u64),
}

/// A number of seconds, given as a number or a string. `None` if it is zero, negative or beyond [`MAX_UNIX_SECONDS`].
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturates, and the range is checked below
pub(super) fn number(value: &Value) -> Option<u64> {
    let number = match value {
        Value::String(text) => text.trim().parse::<f64>().ok()?,
        value => value.as_f64()?,
    };
    Some(number as u64).filter(|number| (1..=MAX_UNIX_SECONDS).contains(number))
}
