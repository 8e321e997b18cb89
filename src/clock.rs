//! The time, and how it is told.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The time, in Unix milliseconds.
#[must_use]
pub fn millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}

/// The time, in Unix seconds.
#[must_use]
pub fn seconds() -> u64 {
    millis() / 1000
}

/// A moment in Unix seconds as people and programs read it: `2026-11-20T17:26:40Z` (RFC 3339).
#[must_use]
pub fn date(unix: u64) -> String {
    // What lies beyond the year 9999 has no such form.
    let time = UNIX_EPOCH + Duration::from_secs(unix.min(253_402_300_799));
    humantime::format_rfc3339_seconds(time).to_string()
}

/// How far away a moment is, in the two largest units; both in Unix seconds.
#[must_use]
pub fn from_now(then: u64, now: u64) -> String {
    let seconds = then.abs_diff(now);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let span = match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, ..) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    };
    if then > now {
        format!("in {span}")
    } else {
        format!("{span} ago")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_told_as_dates_and_distances() {
        assert_eq!(date(1_795_195_600), "2026-11-20T17:26:40Z");
        assert_eq!(date(u64::MAX), "9999-12-31T23:59:59Z");
        let check = |then: u64, expected: &str| assert_eq!(from_now(then, 100_000), expected);
        check(100_059, "in 59 s");
        check(100_000, "0 s ago");
        check(103_599, "in 59 min");
        check(103_600, "in 1 h 0 min");
        check(100_000 + 86_400 * 9 + 3600, "in 9 d 1 h");
        check(40_000, "16 h 40 min ago");
    }
}
