//! The retry delay that the service requests, in a header or in its message. A time that is zero, negative or not a
//! number is ignored.

use std::time::{Duration, UNIX_EPOCH};

/// Upper limit of a delay in seconds: a year, so that sums with it do not overflow.
const MAX_SECONDS: f64 = 365.0 * 86_400.0;

/// The words before a delay in a message.
const DELAY_PREFIX: &str = "try again in";

/// The requested delay. `header` returns a header by its lower-case name; `now`, in Unix seconds if known, is needed
/// for dates.
pub(super) fn requested<'a>(
    header: impl Fn(&str) -> Option<&'a str>,
    message: &str,
    now: Option<u64>,
) -> Option<Duration> {
    let number = |name| header(name)?.trim().parse::<f64>().ok();
    number("retry-after-ms")
        .and_then(|millis| bounded(millis / 1000.0))
        .or_else(|| number("retry-after").and_then(bounded))
        .or_else(|| until(header("retry-after")?, now?))
        .or_else(|| in_message(message))
}

fn bounded(seconds: f64) -> Option<Duration> {
    // Also false for NaN.
    let usable = seconds > 0.0 && seconds.is_finite();
    let time = usable.then(|| Duration::from_secs_f64(seconds.min(MAX_SECONDS)))?;
    (!time.is_zero()).then_some(time)
}

/// The time until an HTTP date (RFC 9110, section 5.6.7).
#[allow(clippy::cast_precision_loss)] // seconds since 1970 are exact
fn until(date: &str, now: u64) -> Option<Duration> {
    let then = httpdate::parse_http_date(date.trim()).ok()?;
    let then = then.duration_since(UNIX_EPOCH).ok()?.as_secs();
    bounded(then.saturating_sub(now) as f64)
}

/// The delay in a message, such as `Please try again in 1m3.5s.`
fn in_message(message: &str) -> Option<Duration> {
    let message = message.to_ascii_lowercase();
    message
        .match_indices(DELAY_PREFIX)
        .find_map(|(at, _)| span(&message[at + DELAY_PREFIX.len()..]))
}

/// The sum of the numbers with units at the start of a string.
fn span(text: &str) -> Option<Duration> {
    let mut seconds = 0.0;
    let mut rest = text.trim_start();
    while let Some((part, after)) = number_with_unit(rest) {
        seconds += part;
        let after = after.trim_start();
        rest = after.strip_prefix("and ").unwrap_or(after).trim_start();
    }
    bounded(seconds)
}

/// The number with unit at the start of a string, in seconds, and the rest of the string.
fn number_with_unit(text: &str) -> Option<(f64, &str)> {
    let whole = digits(text);
    // A full stop after the number ends the sentence.
    let fraction = text[whole..].strip_prefix('.').map_or(0, digits);
    let end = if fraction > 0 {
        whole + 1 + fraction
    } else {
        whole
    };
    let number: f64 = text[..end].parse().ok()?;
    let rest = text[end..].trim_start();
    let unit = rest
        .find(|c: char| !c.is_ascii_alphabetic())
        .unwrap_or(rest.len());
    let seconds = match &rest[..unit] {
        "ms" | "millisecond" | "milliseconds" => 0.001,
        "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
        "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3600.0,
        "d" | "day" | "days" => 86_400.0,
        _ => return None,
    };
    Some((number * seconds, &rest[unit..]))
}

/// The number of digits at the start of a string.
fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

#[cfg(test)]
mod tests {
    use super::super::head::FaultHead;
    use super::*;

    fn check(headers: &[(&str, &str)], message: &str, millis: Option<u128>) {
        let head = FaultHead::of(429, headers);
        let requested = requested(|name| head.get(name), message, Some(1_000_000_000));
        assert_eq!(
            requested.map(|time| time.as_millis()),
            millis,
            "{headers:?} {message}"
        );
    }

    #[test]
    fn headers_come_before_the_message() {
        let (ms, after) = ("retry-after-ms", "retry-after");
        check(&[(ms, "300"), (after, "2")], "try again in 5s", Some(300));
        check(&[(ms, "12.5")], "", Some(12));
        check(&[(after, "2")], "try again in 5s", Some(2000));
        check(&[(after, " 1.5 ")], "", Some(1500));
        check(
            &[(after, "Sun, 09 Sep 2001 01:46:50 GMT")],
            "",
            Some(10_000),
        );
        check(&[(after, "Sun, 09 Sep 2001 01:46:40 GMT")], "", None);
        check(&[(after, "Sun Sep  9 01:46:41 2001")], "", Some(1000));
        check(&[(after, "Fri, 31 Dec 1999 23:59:59 GMT")], "", None);
        check(&[(ms, "0"), (after, "2")], "", Some(2000));
        check(&[(after, "0")], "try again in 5s", Some(5000));
        let date = FaultHead::of(429, &[(after, "Sun, 09 Sep 2001 01:46:50 GMT")]);
        assert_eq!(
            super::requested(|name| date.get(name), "", None),
            None,
            "the time is unknown"
        );
    }

    #[test]
    fn nonsense_is_ignored() {
        let year = Some(31_536_000_000);
        for (value, expected) in [
            ("", None),
            ("-1", None),
            ("0", None),
            ("-0.0", None),
            ("NaN", None),
            ("inf", None),
            ("-inf", None),
            ("1e-300", None),
            ("soon", None),
            ("1e300", year),
            ("99999999999999999999999", year),
            ("Mon, 99 Foo 2001 25:61:61 GMT", None),
            ("Fri, 31 Dec 9999 23:59:59 GMT", year),
        ] {
            check(&[("retry-after", value)], "", expected);
        }
        check(&[("retry-after-ms", "1e308")], "", year);
        check(&[("retry-after-ms", "-5")], "", None);
    }

    #[test]
    fn messages_name_a_delay_in_many_forms() {
        let cases: &[(&str, Option<u128>)] = &[
            ("Please try again in 3.89s. Visit https://x", Some(3890)),
            ("Try again in 20ms.", Some(20)),
            ("try again in 1m30s", Some(90_000)),
            ("try again in 6m0s.", Some(360_000)),
            ("try again in 2 seconds", Some(2000)),
            ("try again in 1h2m", Some(3_720_000)),
            ("TRY AGAIN IN 1.5S", Some(1500)),
            ("try again in 1 hour and 2 minutes", Some(3_720_000)),
            ("try again in 1m3.5s.", Some(63_500)),
            ("try again in 1 day", Some(86_400_000)),
            ("try again in 2s 3 requests", Some(2000)),
            ("try again in a moment, or try again in 4s", Some(4000)),
            ("try again in 5.", None),
            ("try again in 5", None),
            ("try again in 0s", None),
            ("try again in -3s", None),
            ("try again in 3 sessions", None),
            ("try again in \u{661}s", None),
            ("try again in", None),
            ("wait 3s", None),
            ("try again in 99999999999999999999d", Some(31_536_000_000)),
            ("\u{130}try again in 7s", Some(7000)),
        ];
        for (message, expected) in cases {
            check(&[], message, *expected);
        }
        let digits = "9".repeat(400);
        check(&[], &format!("try again in {digits}s"), None);
    }
}
