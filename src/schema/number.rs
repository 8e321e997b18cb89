//! Numbers as JSON Schema defines them: 1 and 1.0 are equal, 64-bit integers keep all digits, and `multipleOf` is
//! evaluated on the decimal digits as written, not on the nearest binary fraction.

use std::cmp::Ordering;

use serde_json::Number;

/// A number, exact if it is a 64-bit integer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Num {
    /// An integer as written.
    Int(i128),
    /// Any other number.
    Float(f64),
}

impl From<&Number> for Num {
    fn from(number: &Number) -> Self {
        if let Some(n) = number.as_i64() {
            Self::Int(n.into())
        } else if let Some(n) = number.as_u64() {
            Self::Int(n.into())
        } else {
            Self::Float(number.as_f64().unwrap_or(f64::NAN))
        }
    }
}

impl Num {
    /// 1.0 is an integer (JSON Schema 2020-12, core, 4.2.1).
    pub(super) fn is_integer(self) -> bool {
        match self {
            Self::Int(_) => true,
            Self::Float(n) => n.fract() == 0.0,
        }
    }

    pub(super) fn order(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => a.cmp(&b),
            // JSON has no NaN.
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
            (Self::Int(a), Self::Float(b)) => int_to_float(a, b),
            (Self::Float(a), Self::Int(b)) => int_to_float(b, a).reverse(),
        }
    }

    /// Whether this is a multiple of `step`, which is greater than 0. Both are taken as the shortest decimal that
    /// parses to the same number, so 0.07 is a multiple of 0.01, as the author of the schema intended.
    pub(super) fn is_multiple_of(self, step: Self) -> bool {
        let ((mut digits, mut power), (step, step_power)) = (self.decimal(), step.decimal());
        if digits == 0 {
            return true;
        }
        if step == 0 {
            return false;
        }
        while power < step_power {
            if digits % 10 != 0 {
                return false;
            }
            digits /= 10;
            power += 1;
        }
        digits %= step; // at most 20 digits: times ten is far below the 128-bit limit
        for _ in step_power..power {
            digits = digits * 10 % step;
        }
        digits == 0
    }

    /// The digits and a power of ten.
    fn decimal(self) -> (i128, i32) {
        let float = match self {
            Self::Int(n) => return (n, 0),
            Self::Float(n) => n,
        };
        let text = format!("{float:e}"); // such as 1.25e-7
        let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let digits = format!("{whole}{fraction}").parse().unwrap_or(0);
        let behind_point = i32::try_from(fraction.len()).unwrap_or(0);
        (digits, power.parse().unwrap_or(0) - behind_point)
    }
}

/// Compares without rounding: not every 64-bit integer has an exact float.
fn int_to_float(int: i128, float: f64) -> Ordering {
    const BEYOND: f64 = 1e30; // greater than every 64-bit integer, and well within 128 bits
    if float >= BEYOND {
        return Ordering::Less;
    }
    if float <= -BEYOND {
        return Ordering::Greater;
    }
    #[allow(clippy::cast_possible_truncation)] // a whole number within range
    let whole = float.floor() as i128;
    let with_fraction = if float.fract() == 0.0 {
        Ordering::Equal
    } else {
        Ordering::Less
    };
    int.cmp(&whole).then(with_fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn num(text: &str) -> Num {
        Num::from(&serde_json::from_str::<Number>(text).expect("a number"))
    }

    #[test]
    fn numbers_are_compared_without_rounding() {
        let check = |a: &str, b: &str, expected: Ordering| {
            assert_eq!(num(a).order(num(b)), expected, "{a} {b}");
            assert_eq!(num(b).order(num(a)), expected.reverse(), "{b} {a}");
        };
        check("1", "1.0", Ordering::Equal);
        check("0", "-0.0", Ordering::Equal);
        check("0.0", "-0.0", Ordering::Equal);
        check("-2", "-1.5", Ordering::Less);
        check("-1", "-1.5", Ordering::Greater);
        check("9007199254740993", "9007199254740992.0", Ordering::Greater);
        check("9007199254740993", "9007199254740992", Ordering::Greater);
        check(
            "18446744073709551615",
            "18446744073709551616",
            Ordering::Less,
        );
        check("18446744073709551615", "1e300", Ordering::Less);
        check("-9223372036854775808", "-1e300", Ordering::Greater);
    }

    #[test]
    fn multiples_are_evaluated_on_decimal_digits() {
        let check = |n: &str, step: &str, expected: bool| {
            assert_eq!(num(n).is_multiple_of(num(step)), expected, "{n} {step}");
        };
        for cents in 0..2000 {
            check(&format!("{}.{:02}", cents / 100, cents % 100), "0.01", true);
            check(
                &format!("{}.{:02}5", cents / 100, cents % 100),
                "0.01",
                false,
            );
        }
        check("-0.3", "0.1", true);
        check("0", "7", true);
        check("0.0", "7", true);
        check("1e300", "7", false);
        check("1e300", "8", true);
        check("1e308", "0.5", true);
        check("5e-324", "5e-324", true);
        check("1e308", "3e-308", false);
        check("18446744073709551615", "5", true);
        check("18446744073709551615", "2", false);
        check("30", "1e1", true);
        check("35", "1e1", false);
    }
}
