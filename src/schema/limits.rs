//! Size limits for a schema (OpenAI's guide "Structured model outputs", as of July 2025), and a check for endless
//! references.

use serde_json::Value;

use super::rejection::Unfit;
use super::schema_node::Placed;

/// The nesting limit of a schema's or value's JSON: that of `serde_json`, which also bounds the recursion of
/// validation.
pub(super) const MAX_LEVELS: usize = 128;

/// "up to 5000 object properties total"
const MAX_PROPERTIES: usize = 5_000;

/// "up to 10 levels of nesting", counted here in objects below the outermost.
const MAX_NESTING: usize = 10;

/// "total string length of all property names, definition names, enum values, and const values cannot exceed 120,000
/// characters"
const MAX_CHARACTERS: usize = 120_000;

/// "up to 1000 enum values across all enum properties"
const MAX_ENUM_VALUES: usize = 1_000;

/// "For a single enum property with string values, the total string length of all enum values cannot exceed 15,000
/// characters when there are more than 250 enum values."
const MANY_ENUM_VALUES: usize = 250;
const CHARACTERS_OF_MANY: usize = 15_000;

/// How many schemas may be chained at one location of a value, by `$ref` and `anyOf`. A limit of this program, not the
/// service's: far more than real schemas have, and few enough for the stack.
const MAX_CHAIN: usize = 32;

/// The weight of a schema with a type next to its `anyOf`: validation cannot skip it.
pub(super) const TYPED_WEIGHT: usize = 8;

/// The totals so far.
#[derive(Debug, Default)]
pub(super) struct Totals {
    properties: usize,
    characters: usize,
    values: usize,
}

fn bound(at: &str, n: usize, most: usize, what: &str) -> Result<(), Unfit> {
    if n <= most {
        return Ok(());
    }
    Err(Unfit {
        at: at.to_owned(),
        why: format!("strict mode allows at most {most} {what}: make the schema smaller"),
    })
}

impl Totals {
    pub(super) fn level(at: &str, level: usize) -> Result<(), Unfit> {
        bound(
            at,
            level,
            MAX_NESTING,
            "levels of objects below the outermost",
        )
    }

    pub(super) fn property(&mut self, at: &str, name: &str) -> Result<(), Unfit> {
        self.properties += 1;
        bound(at, self.properties, MAX_PROPERTIES, "properties")?;
        self.name(at, name)
    }

    pub(super) fn name(&mut self, at: &str, name: &str) -> Result<(), Unfit> {
        self.characters += name.chars().count();
        let what = "characters in names and enumerated values in total";
        bound(at, self.characters, MAX_CHARACTERS, what)
    }

    pub(super) fn constant(&mut self, at: &str, value: &Value) -> Result<(), Unfit> {
        match value {
            Value::String(text) => self.name(at, text),
            other => self.name(at, &other.to_string()),
        }
    }

    pub(super) fn values(&mut self, at: &str, values: &[Value]) -> Result<(), Unfit> {
        self.values += values.len();
        bound(
            at,
            self.values,
            MAX_ENUM_VALUES,
            "enumerated values in total",
        )?;
        if values.len() > MANY_ENUM_VALUES {
            let texts = values.iter().filter_map(Value::as_str);
            let characters = texts.map(|text| text.chars().count()).sum();
            let what = format!("characters in an \"enum\" of more than {MANY_ENUM_VALUES} values");
            bound(at, characters, CHARACTERS_OF_MANY, &what)?;
        }
        values.iter().try_for_each(|value| self.constant(at, value))
    }
}

/// Whether JSON is nested deeper than `levels`. Not recursive, so it is safe for any value.
pub(super) fn is_deeper_than(value: &Value, levels: usize) -> bool {
    let mut todo = vec![(value, 1)];
    while let Some((value, level)) = todo.pop() {
        match value {
            Value::Array(_) | Value::Object(_) if level > levels => return true,
            Value::Array(items) => todo.extend(items.iter().map(|item| (item, level + 1))),
            Value::Object(fields) => todo.extend(fields.values().map(|field| (field, level + 1))),
            _ => {}
        }
    }
    false
}

/// Rejects a schema that refers to itself without descending into the value, and chains of references that are too
/// long.
pub(super) fn check_loops(nodes: &[Placed]) -> Result<(), Unfit> {
    let mut lengths = vec![None; nodes.len()];
    for (start, placed) in nodes.iter().enumerate() {
        if length(nodes, start, 0, &mut lengths).is_none() {
            return Err(Unfit {
                at: placed.at.clone(),
                why: "it refers back to itself, or starts too long a chain of schemas, through \"$ref\" and \"anyOf\" alone: put a property or an array in between".to_owned(),
            });
        }
    }
    Ok(())
}

/// The length of the longest chain of schemas from this one, after `before` others; `None` if it is too long.
fn length(
    nodes: &[Placed],
    at: usize,
    before: usize,
    lengths: &mut [Option<usize>],
) -> Option<usize> {
    if before > MAX_CHAIN {
        return None;
    }
    if lengths[at].is_none() {
        let mut longest = 0;
        let node = &nodes[at].node;
        let weight = if node.types.is_empty() {
            1
        } else {
            TYPED_WEIGHT
        };
        for next in node.any_of.iter().chain(&node.refers) {
            longest = longest.max(weight + length(nodes, *next, before + weight, lengths)?);
        }
        lengths[at] = Some(longest);
    }
    lengths[at].filter(|longest| before + longest <= MAX_CHAIN)
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::super::strict::Schema;

    fn object(properties: Map<String, Value>) -> Value {
        let required: Vec<&String> = properties.keys().collect();
        json!({"type": "object", "required": required, "additionalProperties": false, "properties": properties})
    }

    fn one(schema: Value) -> Value {
        object(Map::from_iter([("v".to_owned(), schema)]))
    }

    fn check(schema: &Value, expected: Result<(), (&str, &str)>) {
        let result = Schema::parse(schema);
        match (result, expected) {
            (Ok(_), Ok(())) => {}
            (Err(unfit), Err((at, why))) => {
                assert_eq!(unfit.at, at, "{}", unfit.why);
                assert!(unfit.why.contains(why), "{}", unfit.why);
            }
            (result, expected) => panic!("{:?} is not {expected:?}", result.map(drop)),
        }
    }

    #[test]
    fn schemas_are_limited_in_size() {
        let many = |n: usize| {
            let names = (0..n).map(|n| (format!("p{n:04}"), json!({"type": "null"})));
            object(names.collect())
        };
        check(&many(5000), Ok(()));
        check(
            &many(5001),
            Err(("/properties/p5000", "at most 5000 properties")),
        );
        let nested = |n: usize| (0..n).fold(json!({"type": "null"}), |inner, _| one(inner));
        check(&nested(11), Ok(()));
        let place = "/properties/v".repeat(11);
        check(&nested(12), Err((&place, "at most 10 levels of objects")));
        let list = |n: usize, text: &str| {
            one(
                json!({"type": "string", "enum": (0..n).map(|n| format!("{n}{text}")).collect::<Vec<_>>()}),
            )
        };
        check(&list(1000, ""), Ok(()));
        let place = "/properties/v/enum";
        check(&list(1001, ""), Err((place, "at most 1000 enumerated")));
        let long = "x".repeat(60);
        check(&list(250, &long), Ok(()));
        check(&list(251, &long), Err((place, "at most 15000 characters")));
        let huge = |n: usize| one(json!({"type": "string", "const": "\u{e9}".repeat(n)}));
        check(&huge(119_999), Ok(()));
        let place = "/properties/v/const";
        check(&huge(120_000), Err((place, "at most 120000 characters")));
        let deep = (0..200).fold(
            json!({"type": "null"}),
            |inner, _| json!({"type": "array", "items": inner}),
        );
        check(&one(deep), Err(("", "more than 128 levels deep")));
    }

    #[test]
    fn endless_references_are_rejected() {
        let with = |definitions: Value| {
            let mut schema = one(json!({"$ref": "#/$defs/a"}));
            schema["$defs"] = definitions;
            schema
        };
        let loops = |at: &'static str| Err((at, "it refers back to itself"));
        check(
            &with(json!({"a": {"$ref": "#/$defs/a"}})),
            loops("/$defs/a"),
        );
        check(
            &with(
                json!({"a": {"$ref": "#/$defs/b"}, "b": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/a"}]}}),
            ),
            loops("/$defs/a"),
        );
        let list = json!({"a": {"anyOf": [{"type": "null"}, one(json!({"$ref": "#/$defs/a"}))]}});
        check(&with(list), Ok(()));
        check(&one(json!({"$ref": "#"})), Ok(()));
        let chain = |n: usize| {
            let mut definitions = Map::new();
            for n in 0..n {
                definitions.insert(
                    format!("a{n}"),
                    json!({"$ref": format!("#/$defs/a{}", n + 1)}),
                );
            }
            definitions.insert(format!("a{n}"), json!({"type": "null"}));
            definitions.insert("a".to_owned(), json!({"type": "null"}));
            with(definitions.into())
        };
        check(&chain(32), Ok(()));
        check(&chain(33), loops("/$defs/a0"));
        check(&chain(20_000 / 5), loops("/$defs/a0"));
    }
}
