//! A subschema as used for validation, with references resolved to node numbers.

use serde_json::{Number, Value};

use super::format::StringFormat;
use super::number::Num;
use super::pattern::SchemaPattern;

/// How many values of an enumeration a message lists.
const MAX_LISTED_VALUES: usize = 20;

/// The constraints of a subschema. All of them apply, each only to values of its type.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    /// Empty if there is an `anyOf` or a `$ref` instead.
    pub(super) types: Types,
    pub(super) refers: Option<usize>,
    pub(super) any_of: Vec<usize>,
    pub(super) one_of: Option<Vec<Value>>,
    pub(super) constant: Option<Value>,
    /// By name. All are required, and no others are allowed.
    pub(super) properties: Vec<(String, usize)>,
    pub(super) items: Option<usize>,
    pub(super) min_items: Option<u64>,
    pub(super) max_items: Option<u64>,
    pub(super) pattern: Option<SchemaPattern>,
    pub(super) format: Option<&'static StringFormat>,
    pub(super) bounds: Vec<(NumberBound, Number)>,
}

impl Node {
    /// The mismatch of the value itself, regardless of nested values.
    pub(super) fn unlike(&self, value: &Value) -> Option<String> {
        if let Some(constant) = self.constant.as_ref().filter(|other| !same(other, value)) {
            return Some(format!("it is not {constant}"));
        }
        if let Some(known) = &self.one_of
            && !known.iter().any(|known| same(known, value))
        {
            let mut words: Vec<String> = known
                .iter()
                .take(MAX_LISTED_VALUES)
                .map(Value::to_string)
                .collect();
            if known.len() > MAX_LISTED_VALUES {
                words.push(format!("and {} more", known.len() - MAX_LISTED_VALUES));
            }
            return Some(format!("it is not one of {}", words.join(", ")));
        }
        match value {
            Value::String(text) => {
                if let Some(pattern) = self.pattern.as_ref().filter(|pattern| !pattern.fits(text)) {
                    return Some(format!("it does not match the pattern {:?}", pattern.text));
                }
                let format = self.format.filter(|format| !(format.fits)(text))?;
                Some(format!("it is not {}", format.words))
            }
            Value::Number(number) => {
                let (bound, limit) =
                    (self.bounds.iter()).find(|(bound, limit)| !bound.holds(number, limit))?;
                Some(format!(
                    "it is {number}, but must be {} {limit}",
                    bound.words()
                ))
            }
            Value::Array(items) => {
                let length = items.len() as u64;
                if let Some(least) = self.min_items.filter(|least| length < *least) {
                    return Some(format!(
                        "its number of items is {length}, but must be at least {least}"
                    ));
                }
                let most = self.max_items.filter(|most| length > *most)?;
                Some(format!(
                    "its number of items is {length}, but must be at most {most}"
                ))
            }
            _ => None,
        }
    }
}

/// A node and its location.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) at: String,
    pub(super) node: Node,
}

/// A numeric limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NumberBound {
    Minimum,
    Maximum,
    ExclusiveMinimum,
    ExclusiveMaximum,
    MultipleOf,
}

impl NumberBound {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "minimum" => Self::Minimum,
            "maximum" => Self::Maximum,
            "exclusiveMinimum" => Self::ExclusiveMinimum,
            "exclusiveMaximum" => Self::ExclusiveMaximum,
            "multipleOf" => Self::MultipleOf,
            _ => return None,
        })
    }

    pub(super) fn holds(self, number: &Number, limit: &Number) -> bool {
        let (number, limit) = (Num::from(number), Num::from(limit));
        match self {
            Self::Minimum => number.order(limit).is_ge(),
            Self::Maximum => number.order(limit).is_le(),
            Self::ExclusiveMinimum => number.order(limit).is_gt(),
            Self::ExclusiveMaximum => number.order(limit).is_lt(),
            Self::MultipleOf => number.is_multiple_of(limit),
        }
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Minimum => "at least",
            Self::Maximum => "at most",
            Self::ExclusiveMinimum => "greater than",
            Self::ExclusiveMaximum => "less than",
            Self::MultipleOf => "a multiple of",
        }
    }
}

/// A set of types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Types(u8);

const NAMES: [&str; 7] = [
    "string", "number", "boolean", "integer", "object", "array", "null",
];

impl Types {
    pub(super) const NUMBER: Self = Self(1 << 1);
    pub(super) const INTEGER: Self = Self(1 << 3);
    pub(super) const OBJECT: Self = Self(1 << 4);
    pub(super) const ARRAY: Self = Self(1 << 5);

    pub(super) fn named(name: &str) -> Option<Self> {
        let at = NAMES.iter().position(|known| *known == name)?;
        Some(Self(1 << at))
    }

    /// All type names, for a message.
    pub(super) fn names() -> String {
        NAMES.join(", ")
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn fit(self, value: &Value) -> bool {
        let kind = match value {
            Value::String(_) => Self(1),
            Value::Number(number) if Num::from(number).is_integer() => {
                Self::NUMBER.and(Self::INTEGER)
            }
            Value::Number(_) => Self::NUMBER,
            Value::Bool(_) => Self(1 << 2),
            Value::Object(_) => Self::OBJECT,
            Value::Array(_) => Self::ARRAY,
            Value::Null => Self(1 << 6),
        };
        self.has(kind)
    }

    /// In words, such as "string or null".
    pub(super) fn words(self) -> String {
        let names: Vec<&str> = (0..NAMES.len())
            .filter(|at| self.0 & (1 << at) != 0)
            .map(|at| NAMES[at])
            .collect();
        names.join(" or ")
    }
}

/// Whether two values are equal as JSON Schema defines it: 1 equals 1.0 (2020-12, core, 4.2.2).
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => Num::from(a).order(Num::from(b)).is_eq(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_match_their_types() {
        let check = |name: &str, value: Value, expected: bool| {
            let types = Types::named(name).expect("a type");
            assert_eq!(types.fit(&value), expected, "{name} {value}");
            assert_eq!(types.words(), name);
        };
        check("integer", json!(1.0), true);
        check("integer", json!(1e300), true);
        check("integer", json!(u64::MAX), true);
        check("integer", json!(1.5), false);
        check("number", json!(1), true);
        check("string", json!("x"), true);
        check("boolean", json!(0), false);
        check("null", json!(null), true);
        check("object", json!([]), false);
        check("array", json!([]), true);
        assert_eq!(Types::named("float"), None);
    }

    #[test]
    fn equal_numbers_in_different_notations_are_the_same() {
        let check = |a: Value, b: Value, expected: bool| assert_eq!(same(&a, &b), expected);
        check(json!({"a": [1, -0.0]}), json!({"a": [1.0, 0]}), true);
        check(json!({"a": 1}), json!({"b": 1}), false);
        check(json!([1]), json!([1, 1]), false);
        check(json!(u64::MAX), json!(u64::MAX - 1), false);
        check(json!(true), json!(1), false);
    }
}
