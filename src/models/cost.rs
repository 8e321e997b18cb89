//! An amount of US dollars, as an integer.

use std::fmt;

/// Units per dollar. A price of a millionth of a dollar for a million tokens is one unit a token.
const UNITS: u128 = 1_000_000_000_000;

/// Decimal places of a unit.
const PLACES: usize = 12;

/// The units of a token at a price of one dollar for a million tokens.
const UNITS_PER_TOKEN: f64 = 1_000_000.0;

/// An amount of US dollars. Sums and products do not overflow: they stay at the largest amount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cost {
    /// In millionths of a millionth of a dollar.
    units: u128,
}

impl Cost {
    /// Parses a decimal number of dollars, such as `0.5` or `2`, with at most 12 decimal places.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, places) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if (whole.is_empty() && places.is_empty()) || !digits(whole) || !digits(places) {
            return None;
        }
        if places.len() > PLACES || whole.len() > PLACES {
            return None;
        }
        format!("{whole}{places:0<PLACES$}")
            .parse()
            .ok()
            .map(|units| Self { units })
    }

    /// The cost of a token at this price, in dollars per million tokens. The price is rounded to a millionth of a dollar.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a cast saturates
    pub(super) fn per_token(price: f64) -> Self {
        Self {
            units: (price * UNITS_PER_TOKEN).round() as u128,
        }
    }

    /// The cost of this many.
    #[must_use]
    pub(super) fn times(self, count: u64) -> Self {
        Self {
            units: self.units.saturating_mul(count.into()),
        }
    }

    /// This amount, scaled as `from` is to `to`; unscaled if `from` is nothing.
    #[must_use]
    pub(super) fn scaled(self, to: Self, from: Self) -> Self {
        match self.units.saturating_mul(to.units).checked_div(from.units) {
            Some(units) => Self { units },
            None => self,
        }
    }

    /// The sum of both.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            units: self.units.saturating_add(other.units),
        }
    }

    /// The amount in dollars, as the nearest floating-point number, for output.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // the result is the nearest number
    pub fn dollars(self) -> f64 {
        self.units as f64 / UNITS as f64
    }
}

/// The exact amount with a dollar sign.
impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.units / UNITS, self.units % UNITS);
        let places = format!("{rest:0PLACES$}");
        match places.trim_end_matches('0') {
            "" => write!(f, "${whole}"),
            one if one.len() == 1 && rest >= UNITS / 100 => write!(f, "${whole}.{one}0"),
            places => write!(f, "${whole}.{places}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_parsed_and_shown_exactly() {
        let check = |text: &str, shown: &str| {
            let cost = Cost::parse(text).map(|cost| cost.to_string());
            assert_eq!(cost.as_deref().unwrap_or("not a cost"), shown, "{text}");
        };
        check("2", "$2");
        check("02.50", "$2.50");
        check(".5", "$0.50");
        check("5.", "$5");
        check("0.000000000001", "$0.000000000001");
        check("0.0125", "$0.0125");
        check("0", "$0");
        check("999999999999", "$999999999999");
        for wrong in [
            "",
            ".",
            "-1",
            "+1",
            "1e3",
            "1,5",
            "$1",
            " 1",
            "0.0000000000001",
            "9999999999999",
            "inf",
        ] {
            check(wrong, "not a cost");
        }
    }

    #[test]
    fn sums_and_products_do_not_overflow() {
        let most = Cost::per_token(f64::MAX);
        assert_eq!(most.times(u64::MAX).plus(most), most);
        assert_eq!(Cost::per_token(f64::NAN), Cost::default());
        assert!(Cost::parse("0.1") < Cost::parse("0.11"));
        assert_eq!(most.scaled(most, Cost::default()), most);
    }
}
