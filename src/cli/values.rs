//! Parses and validates the values of flags: numbers, durations, words of a list.

use std::ffi::OsStr;
use std::time::Duration;

use super::flags::{Args, Flag, default, flags_of};
use super::nearest::unknown;
use crate::failure::Failure;
use crate::models::cost::Cost;

/// A whole number of at least `least`.
fn count(flag: &str, value: Option<&OsStr>, least: usize) -> Result<Option<usize>, Failure> {
    let Some(text) = value else { return Ok(None) };
    let number = text.to_str().and_then(|text| text.parse().ok());
    match number.filter(|number| *number >= least) {
        Some(number) => Ok(Some(number)),
        None => Err(Failure::usage(format!(
            "invalid value for {flag}: {:?}",
            text.to_string_lossy()
        ))
        .hint(format!("use a whole number, {least} or greater"))),
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
                &format!("value for {flag}:"),
                &value,
                known,
                &match known {
                    [only] => format!("use {only}"),
                    _ => format!("use one of {}", known.join(", ")),
                },
            )
        })
}

/// The longest duration, in milliseconds: ten years are practically unlimited, and no later sum overflows.
const MAX_MILLIS: u64 = 315_360_000_000;

/// A duration such as `90s` or `15m`.
pub(super) fn duration(flag: &str, value: Option<&OsStr>) -> Result<Option<Duration>, Failure> {
    let Some(value) = value else { return Ok(None) };
    let wrong = || {
        Failure::usage(format!(
            "invalid value for {flag}: {:?}",
            value.to_string_lossy()
        ))
        .hint(
            "use a duration greater than 0, such as 300ms, 90s, 15m or 2h, or a number of seconds",
        )
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
        Some(millis) => Ok(Some(Duration::from_millis(millis.min(MAX_MILLIS)))),
    }
}

/// The number of this flag or its default, at least `least`.
pub(super) fn count_of(
    args: &Args,
    long: &str,
    given: Option<&OsStr>,
    least: usize,
) -> Result<Option<usize>, Failure> {
    count(&args.named(long), or_default(long, given), least)
}

/// The duration of this flag or its default.
pub(super) fn duration_of(
    args: &Args,
    long: &str,
    given: Option<&OsStr>,
) -> Result<Option<Duration>, Failure> {
    duration(&args.named(long), or_default(long, given))
}

/// The amount of this flag.
pub(super) fn cost_of(
    args: &Args,
    long: &str,
    given: Option<&OsStr>,
) -> Result<Option<Cost>, Failure> {
    let Some(text) = given else { return Ok(None) };
    let cost = text.to_str().and_then(Cost::parse);
    match cost.filter(|cost| *cost > Cost::default()) {
        Some(cost) => Ok(Some(cost)),
        None => Err(Failure::usage(format!(
            "invalid value for {}: {:?}",
            args.named(long),
            text.to_string_lossy()
        ))
        .hint("use an amount in US dollars greater than 0, such as 2 or 0.50")),
    }
}

/// The word of this flag or its default, from a list.
pub(super) fn word_of(
    args: &Args,
    long: &str,
    given: Option<&OsStr>,
    known: &[&'static str],
) -> Result<Option<&'static str>, Failure> {
    let word = or_default(long, given).map(|word| one_of(&args.named(long), word, known));
    word.transpose()
}

fn or_default<'a>(long: &str, given: Option<&'a OsStr>) -> Option<&'a OsStr> {
    given.or_else(|| default(long).map(OsStr::new))
}

/// The time limit for a tool call.
pub(super) fn tool_timeout(args: &Args) -> Result<Duration, Failure> {
    let limit = duration_of(args, "tool-timeout", args.tool_timeout.as_deref())?;
    Ok(limit.unwrap_or(Duration::from_millis(MAX_MILLIS)))
}

/// Rejects mutually exclusive flags.
pub(super) fn exclusive(args: &Args, command: &str) -> Result<(), Failure> {
    let given: Vec<&Flag> = flags_of(command)
        .filter(|flag| args.given.iter().any(|given| given.long == flag.long))
        .collect();
    for flag in &given {
        if let Some(other) = given
            .iter()
            .find(|other| flag.excludes.contains(&other.long))
        {
            return Err(Failure::usage(format!(
                "{} and {} are mutually exclusive",
                args.named(flag.long),
                args.named(other.long)
            ))
            .hint("use only one of them"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::flags::{Complete, EFFORTS, FlagOrigin, Takes};
    use super::*;

    #[test]
    fn every_default_is_a_valid_value_of_its_flag() {
        let args = Args::default();
        for flag in flags_of("run").chain(flags_of("tool")) {
            let Some(default) = flag.default else {
                continue;
            };
            let taken = match flag.takes {
                Takes::Value("N") => count_of(&args, flag.long, None, 0).is_ok_and(|n| n.is_some()),
                Takes::Value("DUR") => {
                    duration_of(&args, flag.long, None).is_ok_and(|time| time.is_some())
                }
                Takes::Nothing => default == "no",
                _ => matches!(flag.complete, Complete::Words(words) if words.contains(&default)),
            };
            assert!(taken, "--{} {default}", flag.long);
        }
        // Other commands have no such flag; their connections have the same idle timeout.
        let idle = duration_of(&args, "idle-timeout", None).ok().flatten();
        assert_eq!(idle, Some(crate::http::IDLE_TIMEOUT));
    }

    #[test]
    fn mutually_exclusive_flags_are_named_as_given() {
        let check = |command: &str,
                     given: &[(&'static str, FlagOrigin)],
                     expected: Option<&str>| {
            let mut args = Args::default();
            for (long, origin) in given {
                let flag = flags_of(command).find(|flag| flag.long == *long);
                flag.expect("a flag")
                    .set_value(&mut args, "x".into(), origin.clone());
            }
            let refused = exclusive(&args, command)
                .err()
                .map(|failure| failure.words());
            let expected = expected
                .map(|pair| format!("{pair} are mutually exclusive\nhint: use only one of them"));
            assert_eq!(refused, expected);
        };
        let flag = || FlagOrigin::Flag;
        check("run", &[("tools", flag()), ("tool", flag())], None);
        check(
            "run",
            &[("no-tools", flag()), ("tool", flag())],
            Some("--tool and --no-tools"),
        );
        check(
            "run",
            &[("ephemeral", flag()), ("last", flag())],
            Some("--last and --ephemeral"),
        );
        check(
            "run",
            &[
                ("verbose", FlagOrigin::Config("F:1:2".to_owned())),
                ("quiet", flag()),
            ],
            Some("--quiet and \"verbose\" in F:1:2"),
        );
        check(
            "login",
            &[("with-api-key", flag()), ("no-browser", flag())],
            Some("--no-browser and --with-api-key"),
        );
    }

    #[test]
    fn durations_have_units_and_an_upper_limit() {
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
    fn an_unknown_value_comes_with_the_nearest_one() {
        let words =
            |value: &str| one_of("--effort", OsStr::new(value), EFFORTS).map_err(|f| f.words());
        assert_eq!(words("low"), Ok("low"));
        assert_eq!(
            words("hihg"),
            Err("unknown value for --effort: \"hihg\"; did you mean high?\nhint: ".to_owned())
        );
    }
}
