//! The rule of a time zone as POSIX defines it for the variable `TZ` (XBD 8.3), with the extensions of RFC 9636 (pure).

use super::local_time::LocalTime;

/// The rule where the variable names daylight time and not when it applies, as in `EST5EDT`: that of the United States.
const DEFAULT_CHANGES: &str = ",M3.2.0,M11.1.0";

const DAY_SECONDS: i64 = 86_400;

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ZoneRule {
    standard: LocalTime,
    daylight: Option<DaylightRule>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct DaylightRule {
    time: LocalTime,
    start: YearlyChange,
    end: YearlyChange,
}

/// A change that happens each year.
#[derive(Clone, Debug, PartialEq, Eq)]
struct YearlyChange {
    day: DayOfYear,
    /// Seconds after midnight, of the local time before the change.
    seconds: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum DayOfYear {
    /// Counted from 0; February 29 is a day.
    Counted(i64),
    /// Counted from 1; February 29 is never counted.
    WithoutLeapDay(i64),
    /// A day of the week, 0 for Sunday, in this week of the month; in the last one if `week` is 5.
    OfMonth { month: i64, week: i64, weekday: i64 },
}

impl ZoneRule {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut rest = text;
        let name = name(&mut rest)?;
        let offset = -time(&mut rest, 24)?;
        let standard = LocalTime { offset, name };
        if rest.is_empty() {
            let daylight = None;
            return Some(Self { standard, daylight });
        }
        let name = self::name(&mut rest)?;
        let offset = match rest.chars().next() {
            None | Some(',') => offset + 3600,
            Some(_) => -time(&mut rest, 24)?,
        };
        let mut rest = if rest.is_empty() {
            DEFAULT_CHANGES
        } else {
            rest
        };
        let daylight = DaylightRule {
            time: LocalTime { offset, name },
            start: YearlyChange::parse(&mut rest)?,
            end: YearlyChange::parse(&mut rest)?,
        };
        rest.is_empty().then_some(Self {
            standard,
            daylight: Some(daylight),
        })
    }

    /// The local time at this moment, in Unix seconds.
    pub(super) fn at(&self, unix: i64) -> &LocalTime {
        let Some(daylight) = &self.daylight else {
            return &self.standard;
        };
        let year = year_of((unix + self.standard.offset).div_euclid(DAY_SECONDS));
        let start = daylight.start.at(year) - self.standard.offset;
        let end = daylight.end.at(year) - daylight.time.offset;
        let is_daylight = if start < end {
            (start..end).contains(&unix)
        } else {
            !(end..start).contains(&unix)
        };
        if is_daylight {
            &daylight.time
        } else {
            &self.standard
        }
    }
}

impl YearlyChange {
    /// Takes `,DATE` or `,DATE/TIME` off the text.
    fn parse(rest: &mut &str) -> Option<Self> {
        take(rest, ',')?;
        let day = if take(rest, 'M').is_some() {
            let month = number(rest, 1, 12)?;
            take(rest, '.')?;
            let week = number(rest, 1, 5)?;
            take(rest, '.')?;
            let weekday = number(rest, 0, 6)?;
            DayOfYear::OfMonth {
                month,
                week,
                weekday,
            }
        } else if take(rest, 'J').is_some() {
            DayOfYear::WithoutLeapDay(number(rest, 1, 365)?)
        } else {
            DayOfYear::Counted(number(rest, 0, 365)?)
        };
        let seconds = match take(rest, '/') {
            Some(()) => time(rest, 167)?,
            None => 2 * 3600,
        };
        Some(Self { day, seconds })
    }

    /// The moment in this year, in seconds of local time since 1970.
    fn at(&self, year: i64) -> i64 {
        let day = match self.day {
            DayOfYear::Counted(day) => days(year, 1, 1) + day,
            DayOfYear::WithoutLeapDay(day) => {
                let leap = days(year, 3, 1) - days(year, 2, 1) == 29;
                days(year, 1, 1) + day - 1 + i64::from(leap && day >= 60)
            }
            DayOfYear::OfMonth {
                month,
                week,
                weekday,
            } => {
                let first = days(year, month, 1);
                let next = days(year + month / 12, month % 12 + 1, 1);
                // 1970-01-01 was a Thursday.
                let day = first + (weekday - (first + 4)).rem_euclid(7) + 7 * (week - 1);
                if day < next { day } else { day - 7 }
            }
        };
        day * DAY_SECONDS + self.seconds
    }
}

/// The days from 1970-01-01 to a date of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years begin with March here, so that a leap day is the last of its year.
    let year = if month > 2 { year } else { year - 1 };
    let in_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + in_year
        - 719_468
}

/// The year of a day, counted from 1970-01-01.
fn year_of(day: i64) -> i64 {
    // The mean length of a year is 146,097 days in 400 years; the guess is off by one at most.
    let guess = 1970 + (day * 400).div_euclid(146_097);
    let years = [guess + 1, guess];
    let year = years.into_iter().find(|year| days(*year, 1, 1) <= day);
    year.unwrap_or(guess - 1)
}

/// Takes a character off the text.
fn take(rest: &mut &str, c: char) -> Option<()> {
    *rest = rest.strip_prefix(c)?;
    Some(())
}

/// Takes an abbreviation off the text: letters, or anything in angle brackets.
fn name(rest: &mut &str) -> Option<String> {
    let (name, after) = if let Some(quoted) = rest.strip_prefix('<') {
        quoted.split_once('>')?
    } else {
        let end = rest.find(|c: char| !c.is_ascii_alphabetic());
        rest.split_at(end.unwrap_or(rest.len()))
    };
    *rest = after;
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-');
    (name.len() >= 3 && name.chars().all(is_part)).then(|| name.to_owned())
}

/// Takes a number between these limits off the text.
fn number(rest: &mut &str, least: i64, most: i64) -> Option<i64> {
    let end = rest.find(|c: char| !c.is_ascii_digit());
    let (digits, after) = rest.split_at(end.unwrap_or(rest.len()));
    *rest = after;
    let number = digits.parse().ok()?;
    (least..=most).contains(&number).then_some(number)
}

/// Takes `HH`, `HH:MM` or `HH:MM:SS` with an optional sign off the text, as seconds.
fn time(rest: &mut &str, most_hours: i64) -> Option<i64> {
    let sign = if take(rest, '-').is_some() {
        -1
    } else {
        let _ = take(rest, '+');
        1
    };
    let mut seconds = number(rest, 0, most_hours)? * 3600;
    for unit in [60, 1] {
        if take(rest, ':').is_none() {
            break;
        }
        seconds += number(rest, 0, 59)? * unit;
    }
    Some(sign * seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected values are those of Python's `zoneinfo`.
    #[test]
    fn a_rule_decides_when_local_time_changes() {
        let check = |rule: &str, unix: i64, expected: &str| {
            let rule = ZoneRule::parse(rule).expect(rule);
            let time = rule.at(unix);
            assert_eq!(format!("{} {}", time.name, time.offset), expected, "{unix}");
        };
        let berlin = "CET-1CEST,M3.5.0,M10.5.0/3";
        check(berlin, 1_774_745_999, "CET 3600"); // 2026-03-29 00:59:59 UTC
        check(berlin, 1_774_746_000, "CEST 7200");
        check(berlin, 1_792_889_999, "CEST 7200"); // 2026-10-25 00:59:59 UTC
        check(berlin, 1_792_890_000, "CET 3600");
        let sydney = "AEST-10AEDT,M10.1.0,M4.1.0/3";
        check(sydney, 1_775_318_399, "AEDT 39600"); // 2026-04-04 15:59:59 UTC
        check(sydney, 1_775_318_400, "AEST 36000");
        check(sydney, 1_767_225_600, "AEDT 39600"); // 2026-01-01
        let dublin = "IST-1GMT0,M10.5.0,M3.5.0/1";
        check(dublin, 1_767_225_600, "GMT 0");
        check(dublin, 1_782_864_000, "IST 3600"); // 2026-07-01
        check("EST5EDT", 1_782_864_000, "EDT -14400");
        check("<-03>3", 0, "-03 -10800");
        check("NZST-12NZDT,J60/0,300", 1_709_207_999, "NZST 43200"); // 2024-02-29 11:59:59 UTC
        check("NZST-12NZDT,J60/0,300", 1_709_208_000, "NZDT 46800");
        check("AAA+3:30:15", 0, "AAA -12615");
    }

    #[test]
    fn what_is_not_a_rule() {
        for text in [
            "",
            "UTC",
            "CET",
            "C1",
            "<+03",
            "<>1",
            "CET-1CEST,",
            "CET-1CEST,M13.1.0,M1.1.0",
            "CET-1CEST,M3.5.0",
            "CET-1CEST,M3.5.0,M10.5.0x",
            "CET25",
            "CET-1:60",
            "Europe/Berlin1",
        ] {
            assert_eq!(ZoneRule::parse(text), None, "{text}");
        }
    }

    #[test]
    fn days_and_years_agree() {
        for year in -400..4000 {
            let first = days(year, 1, 1);
            assert_eq!(year_of(first), year);
            assert_eq!(year_of(first - 1), year - 1);
        }
        assert_eq!(days(1970, 1, 1), 0);
        assert_eq!(days(2024, 3, 1) - days(2024, 2, 28), 2);
    }
}
