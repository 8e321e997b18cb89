//! The string formats of strict mode, each checked by the grammar of its RFC. Pure: no clock, no calendar beyond the
//! length of a month, and no tables, so only the ASCII form of an internationalized host name is checked.

use std::net::{Ipv4Addr, Ipv6Addr};

/// A format: its name, its description, and the check.
#[derive(Debug)]
pub(super) struct StringFormat {
    pub(super) name: &'static str,
    /// What the text must be, to complete "it is not ...".
    pub(super) words: &'static str,
    pub(super) fits: fn(&str) -> bool,
}

/// In the order of OpenAI's guide "Structured model outputs", section "Supported properties".
pub(super) const FORMATS: &[StringFormat] = &[
    StringFormat {
        name: "date-time",
        words: "a date and time like 2026-01-31T23:59:59Z",
        fits: date_time,
    },
    StringFormat {
        name: "time",
        words: "a time like 23:59:59Z",
        fits: time,
    },
    StringFormat {
        name: "date",
        words: "a date like 2026-01-31",
        fits: date,
    },
    StringFormat {
        name: "duration",
        words: "a duration like P1DT12H",
        fits: duration,
    },
    StringFormat {
        name: "email",
        words: "an email address",
        fits: email,
    },
    StringFormat {
        name: "hostname",
        words: "a host name",
        fits: hostname,
    },
    StringFormat {
        name: "ipv4",
        words: "an IPv4 address",
        fits: |text| text.parse::<Ipv4Addr>().is_ok(),
    },
    StringFormat {
        name: "ipv6",
        words: "an IPv6 address",
        fits: |text| text.parse::<Ipv6Addr>().is_ok(),
    },
    StringFormat {
        name: "uuid",
        words: "a UUID",
        fits: uuid,
    },
];

/// A number of exactly `width` ASCII digits.
fn digits(text: &str, width: usize) -> Option<u32> {
    (text.len() == width && text.bytes().all(|b| b.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

/// RFC 3339, section 5.6: full-date.
fn date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts[..] else {
        return false;
    };
    let (Some(year), Some(month), Some(day)) = (digits(year, 4), digits(month, 2), digits(day, 2))
    else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return false,
    };
    (1..=last).contains(&day)
}

/// RFC 3339, section 5.6: date-time.
fn date_time(text: &str) -> bool {
    text.split_once(['T', 't'])
        .is_some_and(|(day, rest)| date(day) && time(rest))
}

/// RFC 3339, section 5.6: full-time. A leap second is the last one of a day in UTC (section 5.7).
fn time(text: &str) -> bool {
    let Some(at) = text.find(['Z', 'z', '+', '-']) else {
        return false;
    };
    let (clock, zone) = text.split_at(at);
    let Some(offset) = offset(zone) else {
        return false;
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let parts: Vec<&str> = clock.split(':').collect();
    let [hour, minute, second] = parts[..] else {
        return false;
    };
    let (Some(hour), Some(minute), Some(second)) =
        (digits(hour, 2), digits(minute, 2), digits(second, 2))
    else {
        return false;
    };
    if fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    if hour > 23 || minute > 59 || second > 60 {
        return false;
    }
    let day = 24 * 60;
    let utc = (60 * hour + minute).cast_signed() - offset;
    second < 60 || utc.rem_euclid(day) == day - 1
}

/// The offset of a zone from UTC in minutes, positive if ahead.
fn offset(zone: &str) -> Option<i32> {
    if matches!(zone, "Z" | "z") {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let (hour, minute) = zone.get(1..)?.split_once(':')?;
    let (hour, minute) = (digits(hour, 2)?, digits(minute, 2)?);
    (hour < 24 && minute < 60).then(|| sign * (60 * hour + minute).cast_signed())
}

/// RFC 3339, appendix A: units may be omitted only at either end.
fn duration(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('P') else {
        return false;
    };
    if let Some(weeks) = rest.strip_suffix('W') {
        return !weeks.is_empty() && weeks.bytes().all(|b| b.is_ascii_digit());
    }
    match rest.split_once('T') {
        Some(("", time)) => units(time, "HMS"),
        Some((date, time)) => units(date, "YMD") && units(time, "HMS"),
        None => units(rest, "YMD"),
    }
}

/// Whether the text is a sequence of numbers with units, at least one, in this order and without gaps.
fn units(mut text: &str, order: &str) -> bool {
    let mut last = None;
    while !text.is_empty() {
        let width = text.bytes().take_while(u8::is_ascii_digit).count();
        let Some(unit) = text[width..].chars().next() else {
            return false;
        };
        let Some(at) = order.find(unit).filter(|_| width > 0) else {
            return false;
        };
        if last.is_some_and(|last| at != last + 1) {
            return false;
        }
        last = Some(at);
        text = &text[width + 1..]; // a unit is one byte
    }
    last.is_some()
}

/// RFC 1123, section 2.1: labels of letters, digits and hyphens. Hyphens in the third and fourth position are reserved
/// for `xn--` (RFC 5891, section 4.2.3.1), after which nothing more is checked.
fn hostname(text: &str) -> bool {
    text.len() <= 253
        && text.split('.').all(|label| {
            let bytes = label.as_bytes();
            let inner = bytes
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || *b == b'-');
            let kept = bytes.get(2..4) == Some(b"--");
            let own = label.len() > 4 && bytes[..2].eq_ignore_ascii_case(b"xn");
            (1..=63).contains(&bytes.len())
                && inner
                && bytes[0] != b'-'
                && !label.ends_with('-')
                && (!kept || own)
        })
}

/// RFC 5321, section 4.1.2: Mailbox.
fn email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let domain_fits = match domain
        .strip_prefix('[')
        .map(|inner| inner.strip_suffix(']'))
    {
        None => hostname(domain),
        Some(None) => false,
        Some(Some(inner)) => match inner.get(..5) {
            Some(tag) if tag.eq_ignore_ascii_case("IPv6:") => {
                inner[5..].parse::<Ipv6Addr>().is_ok()
            }
            _ => inner.parse::<Ipv4Addr>().is_ok(),
        },
    };
    let quoted = local
        .strip_prefix('"')
        .and_then(|inner| inner.strip_suffix('"'));
    let local_fits = match quoted {
        Some(inner) => quoted_string(inner),
        None => local.split('.').all(|atom| {
            !atom.is_empty()
                && atom
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b))
        }),
    };
    domain_fits && local_fits && local.len() <= 64
}

/// The content of a quoted string: printable ASCII, with a backslash before quotes and backslashes.
fn quoted_string(inner: &str) -> bool {
    let mut bytes = inner.bytes();
    while let Some(byte) = bytes.next() {
        let fits = match byte {
            b'\\' => bytes.next().is_some_and(|b| (b' '..=b'~').contains(&b)),
            b'"' => false,
            _ => (b' '..=b'~').contains(&byte),
        };
        if !fits {
            return false;
        }
    }
    true
}

/// RFC 4122, section 3.
fn uuid(text: &str) -> bool {
    let widths = [8, 4, 4, 4, 12];
    let parts: Vec<&str> = text.split('-').collect();
    parts.len() == widths.len()
        && parts
            .iter()
            .zip(widths)
            .all(|(part, width)| part.len() == width && part.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_match_their_rfcs() {
        // These cases are missing in the suite.
        let check = |name: &str, text: &str, expected: bool| {
            let format = FORMATS.iter().find(|format| format.name == name);
            let fits = format.expect("a format").fits;
            assert_eq!(fits(text), expected, "{name} {text}");
        };
        check("date-time", "2026-01-31T23:59:59Z", true);
        check("date-time", "2026-01-31 23:59:59Z", false);
        check("time", "23:59:59.Z", false);
        check("time", "+01:00", false);
        check("duration", "P1DT", false);
        check("duration", "P1Y2M3DT4H5M6S", true);
        check("duration", "P\u{e9}", false);
        check("email", "\"a\\\"b\"@example.com", true);
        check("email", "\"", false);
        check("email", "a@[\u{e9}\u{e9}\u{e9}]", false);
        check("hostname", "a\u{e9}--b", false);
        check("hostname", "xn--", false);
        check("hostname", "XN--bcher-kva.example", true);
        check("uuid", "", false);
        check("ipv6", "::1", true);
    }
}
