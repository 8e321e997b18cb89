//! The current time, and times in words.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The current time, in Unix milliseconds.
#[must_use]
pub fn millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}

/// The current time, in Unix seconds.
#[must_use]
pub fn seconds() -> u64 {
    millis() / 1000
}

/// A time in Unix seconds, formatted as RFC 3339: `2026-11-20T17:26:40Z`.
#[must_use]
pub fn date(unix: u64) -> String {
    // The format ends with the year 9999.
    let time = UNIX_EPOCH + Duration::from_secs(unix.min(253_402_300_799));
    humantime::format_rfc3339_seconds(time).to_string()
}

/// A short duration with one decimal: `0.5 s`.
#[must_use]
pub fn span(time: Duration) -> String {
    let tenths = (time.as_millis() + 50) / 100;
    match tenths % 10 {
        0 => format!("{} s", tenths / 10),
        rest => format!("{}.{rest} s", tenths / 10),
    }
}

/// The time until a moment, in the two largest units; both arguments in Unix seconds.
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

/// The end of a wait, in words. `Display` joins both fields: `in 1 h 30 min, 14:05 UTC`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitEnd {
    /// The time left: `in 1 h 30 min`, or `now`.
    pub left: String,
    /// The time of day: `14:05 UTC`, with the date if it is not today.
    pub time: String,
}

impl fmt::Display for WaitEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.left, self.time)
    }
}

/// Describes the end of a wait; both arguments in Unix seconds. The time left is rounded up, since coming back early is
/// useless.
#[must_use]
pub fn until(then: u64, now: u64) -> WaitEnd {
    let left = then.saturating_sub(now);
    let (minutes, hours) = (left.div_ceil(60), left.div_ceil(3600));
    let left = match (left, minutes) {
        (0, _) => "now".to_owned(),
        (1..60, _) => format!("in {left} s"),
        (_, 0..1440) => units((minutes / 60, "h"), (minutes % 60, "min")),
        _ => {
            let days = if hours / 24 == 1 { "day" } else { "days" };
            units((hours / 24, days), (hours % 24, "h"))
        }
    };
    let (date_then, date_now) = (date(then), date(now));
    let (day, time) = (&date_then[..10], &date_then[11..16]);
    let time = if date_now.starts_with(day) {
        format!("{time} UTC")
    } else {
        format!("{day} {time} UTC")
    };
    WaitEnd { left, time }
}

/// A duration in two units; a unit that is zero is omitted.
fn units(large: (u64, &str), small: (u64, &str)) -> String {
    let parts = [large, small].into_iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    format!("in {}", parts.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_formatted_as_dates_and_distances() {
        assert_eq!(date(1_795_195_600), "2026-11-20T17:26:40Z");
        assert_eq!(date(u64::MAX), "9999-12-31T23:59:59Z");
        let spans = [
            (0, "0 s"),
            (449, "0.4 s"),
            (500, "0.5 s"),
            (1960, "2 s"),
            (90_000, "90 s"),
        ];
        for (millis, expected) in spans {
            assert_eq!(span(Duration::from_millis(millis)), expected);
        }
        let check = |then: u64, expected: &str| assert_eq!(from_now(then, 100_000), expected);
        check(100_059, "in 59 s");
        check(100_000, "0 s ago");
        check(103_599, "in 59 min");
        check(103_600, "in 1 h 0 min");
        check(100_000 + 86_400 * 9 + 3600, "in 9 d 1 h");
        check(40_000, "16 h 40 min ago");
    }

    #[test]
    fn the_end_of_a_wait_has_time_left_and_time_of_day() {
        // 2026-11-20 17:26:40 UTC
        let now = 1_795_195_600;
        let until = |then: u64, now: u64| until(then, now).to_string();
        let check = |left: u64, expected: &str| assert_eq!(until(now + left, now), expected);
        check(0, "now, 17:26 UTC");
        check(1, "in 1 s, 17:26 UTC");
        check(59, "in 59 s, 17:27 UTC");
        check(60, "in 1 min, 17:27 UTC");
        check(61, "in 2 min, 17:27 UTC");
        check(3600, "in 1 h, 18:26 UTC");
        check(5400, "in 1 h 30 min, 18:56 UTC");
        check(5399, "in 1 h 30 min, 18:56 UTC");
        check(23_599, "in 6 h 34 min, 23:59 UTC");
        check(23_600, "in 6 h 34 min, 2026-11-21 00:00 UTC");
        check(86_340, "in 23 h 59 min, 2026-11-21 17:25 UTC");
        check(86_341, "in 1 day, 2026-11-21 17:25 UTC");
        check(86_401, "in 1 day 1 h, 2026-11-21 17:26 UTC");
        check(2 * 86_400, "in 2 days, 2026-11-22 17:26 UTC");
        check(2 * 86_400 + 10_800, "in 2 days 3 h, 2026-11-22 20:26 UTC");
        assert_eq!(until(now - 60, now), "now, 17:25 UTC");
        assert_eq!(until(now - 86_400, now), "now, 2026-11-19 17:26 UTC");
        assert!(until(u64::MAX, now).ends_with(" h, 9999-12-31 23:59 UTC"));
        assert_eq!(until(0, 0), "now, 00:00 UTC");
    }
}
