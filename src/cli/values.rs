//! What flags are given, judged: numbers, times, words of a list.

use std::ffi::OsStr;
use std::time::Duration;

use super::flags::Args;
use super::nearest::unknown;
use crate::failure::Failure;

/// How long a tool call may take if nobody says otherwise.
const TOOL_TIMEOUT: Duration = Duration::from_secs(120);

/// A whole number, which is `least` or more.
pub(super) fn count(
    flag: &str,
    value: Option<&OsStr>,
    least: usize,
) -> Result<Option<usize>, Failure> {
    let Some(text) = value else { return Ok(None) };
    let number = text.to_str().and_then(|text| text.parse().ok());
    match number.filter(|number| *number >= least) {
        Some(number) => Ok(Some(number)),
        None => Err(
            Failure::usage(format!("{flag} does not take {:?}", text.to_string_lossy()))
                .hint(format!("it takes a whole number from {least} on")),
        ),
    }
}

pub(super) fn one_of(
    flag: &str,
    value: &OsStr,
    known: &[&'static str],
) -> Result<&'static str, Failure> {
    let value = value.to_string_lossy();
    known
        .iter()
        .find(|word| **word == value)
        .copied()
        .ok_or_else(|| {
            unknown(
                &format!("value of {flag}:"),
                &value,
                known,
                &format!("{flag} takes {}", known.join(", ")),
            )
        })
}

/// The longest time, in milliseconds: ten years are as good as for ever, and keep every later sum in range.
const MOST: u64 = 315_360_000_000;

/// A time as people write it.
pub(super) fn duration(flag: &str, value: Option<&OsStr>) -> Result<Option<Duration>, Failure> {
    let Some(value) = value else { return Ok(None) };
    let wrong = || {
        Failure::usage(format!(
            "{flag} does not take {:?}",
            value.to_string_lossy()
        ))
        .hint("a time above 0 is written 300ms, 90s, 15m, 2h, or as plain seconds")
    };
    let text = value.to_str().ok_or_else(wrong)?;
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "ms" => 1,
        "s" | "" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(wrong()),
    };
    let number: u64 = if digits.bytes().all(|b| b.is_ascii_digit()) {
        digits.parse().map_err(|_| wrong())?
    } else {
        0
    };
    match number.checked_mul(unit) {
        Some(0) | None => Err(wrong()),
        Some(millis) => Ok(Some(Duration::from_millis(millis.min(MOST)))),
    }
}

/// The time limit of a tool call.
pub(super) fn tool_timeout(args: &Args) -> Result<Duration, Failure> {
    Ok(
        duration(&args.named("tool-timeout"), args.tool_timeout.as_deref())?
            .unwrap_or(TOOL_TIMEOUT),
    )
}

#[cfg(test)]
mod tests {
    use super::super::flags::EFFORTS;
    use super::*;

    #[test]
    fn times_are_written_as_people_do() {
        let check = |text: &str, millis: Option<u64>| {
            let time = duration("--timeout", Some(OsStr::new(text))).ok().flatten();
            assert_eq!(time, millis.map(Duration::from_millis), "{text}");
        };
        check("300ms", Some(300));
        check("90s", Some(90_000));
        check("15m", Some(900_000));
        check("2h", Some(7_200_000));
        check("7", Some(7000));
        check("99999999999999999h", None);
        check("999999999h", Some(315_360_000_000));
        for text in [
            "",
            "0",
            "0s",
            "s",
            "-1",
            "+1",
            "1.5",
            "1 s",
            "1d",
            "1S",
            "\u{e9}",
            "99999999999999999999",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn a_value_that_is_none_of_them_is_answered_with_the_nearest() {
        let words =
            |value: &str| one_of("--effort", OsStr::new(value), EFFORTS).map_err(|f| f.words());
        assert_eq!(words("low"), Ok("low"));
        assert_eq!(
            words("hihg"),
            Err("unknown value of --effort: \"hihg\"; did you mean high?\nhint: ".to_owned())
        );
    }
}
