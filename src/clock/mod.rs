//! The current time, and times in words: in UTC for programs, in local time for people.

mod local_time;
mod zone;
mod zone_rule;

use std::fmt;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub use zone::TimeZone;

/// The time zone of times in words. Without one they are in UTC.
static ZONE: OnceLock<TimeZone> = OnceLock::new();

/// Sets the time zone of times in words, once for the process.
pub fn use_zone(zone: TimeZone) {
    let _ = ZONE.set(zone);
}

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

/// The last moment that has a date, in Unix seconds: the end of the year 9999.
const MAX_SECONDS: u64 = 253_402_300_799;

/// A time in Unix seconds, formatted as RFC 3339: `2026-11-20T17:26:40Z`.
#[must_use]
pub fn date(unix: u64) -> String {
    let time = UNIX_EPOCH + Duration::from_secs(unix.min(MAX_SECONDS));
    humantime::format_rfc3339_seconds(time).to_string()
}

/// A time in Unix seconds for people, in local time: `2026-11-20 18:26 CET`.
#[must_use]
pub fn local(unix: u64) -> String {
    let LocalDate { day, time, zone } = LocalDate::of(unix, ZONE.get());
    format!("{day} {time} {zone}")
}

/// A time for people in few columns: `18:26 CET` if that is today, else `2026-11-20`; both arguments in Unix seconds.
#[must_use]
pub fn local_short(unix: u64, now: u64) -> String {
    let of = |unix| LocalDate::of(unix, ZONE.get());
    let LocalDate { day, time, zone } = of(unix);
    if of(now).day == day {
        format!("{time} {zone}")
    } else {
        day
    }
}

/// A local time: `2026-11-20`, `18:26` and `CET`.
struct LocalDate {
    day: String,
    time: String,
    zone: String,
}

impl LocalDate {
    fn of(unix: u64, zone: Option<&TimeZone>) -> Self {
        let unix = unix.min(MAX_SECONDS);
        let signed = i64::try_from(unix).unwrap_or_default();
        let found = zone.and_then(|zone| zone.at(signed));
        let shifted = signed + found.map_or(0, |time| time.offset);
        let text = date(u64::try_from(shifted).unwrap_or_default());
        let zone = match found.map(|time| &*time.name) {
            // Zones without an abbreviation of their own are named by their offset.
            Some(name) if name.starts_with(['+', '-']) => format!("UTC{name}"),
            Some(name) => name.to_owned(),
            None => "UTC".to_owned(),
        };
        Self {
            day: text[..10].to_owned(),
            time: text[11..16].to_owned(),
            zone,
        }
    }
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

/// The end of a wait, in words. `Display` joins both fields: `in 1 h 30 min, 14:05 CET`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitEnd {
    /// The time left: `in 1 h 30 min`, or `now`.
    pub left: String,
    /// The local time of day: `14:05 CET`, with the date if it is not today.
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
    let date = |unix| LocalDate::of(unix, ZONE.get());
    let LocalDate { day, time, zone } = date(then);
    let time = if date(now).day == day {
        format!("{time} {zone}")
    } else {
        format!("{day} {time} {zone}")
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
    fn people_read_local_time_with_its_zone() {
        let check = |rule: &str, expected: &str| {
            let zone = TimeZone::from_rule(rule);
            let LocalDate { day, time, zone } = LocalDate::of(1_795_217_200, zone.as_ref());
            assert_eq!(format!("{day} {time} {zone}"), expected);
        };
        check("none", "2026-11-20 23:26 UTC");
        check("CET-1CEST,M3.5.0,M10.5.0/3", "2026-11-21 00:26 CET");
        check("<-03>3", "2026-11-20 20:26 UTC-03");
        assert_eq!(local(u64::MAX), "9999-12-31 23:59 UTC");
        let now = 1_795_217_200;
        assert_eq!(local_short(now - 3600, now), "22:26 UTC");
        assert_eq!(local_short(now + 3600, now), "2026-11-21");
        assert_eq!(
            LocalDate::of(0, TimeZone::from_rule("EST5").as_ref()).day,
            "1970-01-01"
        );
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
