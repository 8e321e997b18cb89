//! Validates a value against a parsed schema, and reports the first mismatch.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::limits::{MAX_LEVELS, is_deeper_than};
use super::rejection::Rejection;
use super::schema_node::{Node, Types, same};
use super::words::{escaped, kind};

/// Validates a value against the first node.
pub(super) fn check(nodes: &[Node], value: &Value) -> Result<(), Rejection> {
    if is_deeper_than(value, MAX_LEVELS) {
        return Err(Rejection {
            at: String::new(),
            why: format!("it is nested more than {MAX_LEVELS} levels deep"),
        });
    }
    let mut fit = Fit {
        nodes,
        place: Vec::new(),
        known: BTreeMap::new(),
    };
    fit.check(0, value).map_err(|miss| Rejection {
        at: miss.at,
        why: miss.why,
    })
}

/// A mismatch, with what is needed to choose the closest of several alternatives.
#[derive(Clone)]
struct Miss {
    at: String,
    why: String,
    depth: usize,
    /// The expected types, if the type is what does not match.
    wanted: Types,
}

struct Fit<'a> {
    nodes: &'a [Node],
    /// The segments of the JSON pointer, each with its slash.
    place: Vec<String>,
    /// Results of alternatives, by node and address of the value. Without this cache, nested alternatives take time
    /// that doubles with every level.
    known: BTreeMap<(usize, usize), Result<(), Miss>>,
}

impl Fit<'_> {
    fn miss(&self, why: String) -> Miss {
        Miss {
            at: self.place.concat(),
            why,
            depth: self.place.len(),
            wanted: Types::default(),
        }
    }

    fn check(&mut self, mut number: usize, value: &Value) -> Result<(), Miss> {
        while let Some(next) = self.nodes[number].refers {
            number = next; // ends, since the parser rejects circular references
        }
        if self.nodes[number].any_of.is_empty() {
            return self.own(number, value);
        }
        let key = (number, std::ptr::from_ref(value).addr());
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let result = match self.own(number, value) {
            Ok(()) => self.any(number, value),
            miss => miss,
        };
        self.known.insert(key, result.clone());
        result
    }

    /// Checks everything but the alternatives.
    fn own(&mut self, number: usize, value: &Value) -> Result<(), Miss> {
        let node = &self.nodes[number];
        if !node.types.is_empty() && !node.types.fit(value) {
            return Err(Miss {
                wanted: node.types,
                ..self.miss(not_of(value, node.types))
            });
        }
        if let Some(why) = node.unlike(value) {
            return Err(self.miss(why));
        }
        match value {
            Value::Object(fields) if node.types.has(Types::OBJECT) => {
                for (name, _) in &node.properties {
                    if !fields.contains_key(name) {
                        return Err(self.miss(format!("{name:?} is missing")));
                    }
                }
                for (name, field) in fields {
                    let Some((_, inner)) = node.properties.iter().find(|(known, _)| known == name)
                    else {
                        return Err(self.miss(format!("unexpected property {name:?}")));
                    };
                    self.inside(escaped(name), *inner, field)?;
                }
            }
            Value::Array(items) => {
                if let Some(inner) = node.items {
                    for (n, item) in items.iter().enumerate() {
                        self.inside(n.to_string(), inner, item)?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn inside(&mut self, piece: String, number: usize, value: &Value) -> Result<(), Miss> {
        self.place.push(format!("/{piece}"));
        let result = self.check(number, value);
        self.place.pop();
        result
    }

    /// Checks that one of the alternatives matches. If none does, the closest one is reported: of the right type, with
    /// the right constants, and wrong only at depth. If every alternative has the wrong type, all types are listed.
    fn any(&mut self, number: usize, value: &Value) -> Result<(), Miss> {
        let (mut wanted, mut best) = (Types::default(), None);
        for alternative in self.alternatives(number) {
            let Err(miss) = self.check(alternative, value) else {
                return Ok(());
            };
            if miss.depth == self.place.len() && !miss.wanted.is_empty() {
                wanted = wanted.and(miss.wanted);
                continue;
            }
            let rank = (self.is_marked(alternative, value), miss.depth);
            if best.as_ref().is_none_or(|(other, _)| rank > *other) {
                best = Some((rank, miss));
            }
        }
        Err(best.map_or_else(
            || Miss {
                wanted,
                ..self.miss(not_of(value, wanted))
            },
            |(_, miss)| miss,
        ))
    }

    /// The alternatives, flattened: one that consists only of alternatives is replaced by these. Each occurs once.
    fn alternatives(&self, number: usize) -> Vec<usize> {
        let (mut seen, mut flat) = (BTreeSet::new(), Vec::new());
        let mut todo: Vec<usize> = self.nodes[number].any_of.iter().rev().copied().collect();
        while let Some(number) = todo.pop() {
            if !seen.insert(number) {
                continue;
            }
            let node = &self.nodes[number];
            if node.types.is_empty() {
                todo.extend(node.any_of.iter().rev().chain(&node.refers));
            } else {
                flat.push(number);
            }
        }
        flat
    }

    /// Whether the constant properties, which identify the alternative, have the right values.
    fn is_marked(&self, number: usize, value: &Value) -> bool {
        self.nodes[number].properties.iter().all(|(name, inner)| {
            let mark = match &self.nodes[*inner] {
                Node {
                    constant: Some(mark),
                    ..
                } => mark,
                Node {
                    one_of: Some(marks),
                    ..
                } if marks.len() == 1 => &marks[0],
                _ => return true,
            };
            value.get(name).is_some_and(|value| same(value, mark))
        })
    }
}

fn not_of(value: &Value, wanted: Types) -> String {
    format!("it is {}, not {}", kind(value), wanted.words())
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::super::limits::TYPED_WEIGHT;
    use super::super::strict::Schema;
    use super::*;

    fn object(properties: Value) -> Value {
        let required: Vec<&String> = properties
            .as_object()
            .into_iter()
            .flat_map(Map::keys)
            .collect();
        json!({"type": "object", "required": required, "additionalProperties": false, "properties": properties})
    }

    fn check(schema: &Value, value: Value, expected: Result<(), (&str, &str)>) {
        let schema = Schema::parse(schema).expect("a schema");
        let result = schema.check(&value);
        let result = result.as_ref().map_err(|miss| (&*miss.at, &*miss.why));
        assert_eq!(result.copied(), expected, "{value}");
    }

    #[test]
    fn the_first_mismatch_is_named() {
        let schema = object(json!({
            "a/b": {"type": "array", "items": {"type": ["integer", "null"]}, "minItems": 1, "maxItems": 2},
            "day": {"type": "string", "format": "date", "pattern": "^2"},
            "kind": {"type": "string", "enum": ["x", "y"]},
            "rate": {"type": "number", "minimum": 1, "exclusiveMaximum": 2, "multipleOf": 0.01},
            "yes": {"type": "boolean", "const": true},
        }));
        let check = |name: &str, with: Value, expected: Result<(), (&str, &str)>| {
            let mut value = json!({"a/b": [1.0, null], "day": "2026-11-28", "kind": "x", "rate": 1.07, "yes": true});
            value[name] = with;
            check(&schema, value, expected);
        };
        check("rate", json!(1), Ok(()));
        check(
            "other",
            json!(1),
            Err(("", "unexpected property \"other\"")),
        );
        check(
            "a/b",
            json!([]),
            Err(("/a~1b", "its number of items is 0, but must be at least 1")),
        );
        check(
            "a/b",
            json!([1, 2, 3]),
            Err(("/a~1b", "its number of items is 3, but must be at most 2")),
        );
        check(
            "a/b",
            json!([1, 1.5]),
            Err(("/a~1b/1", "it is a number, not integer or null")),
        );
        check(
            "day",
            json!("2026-02-29"),
            Err(("/day", "it is not a date like 2026-01-31")),
        );
        check(
            "day",
            json!("1999-01-01"),
            Err(("/day", "it does not match the pattern \"^2\"")),
        );
        check(
            "kind",
            json!("z"),
            Err(("/kind", "it is not one of \"x\", \"y\"")),
        );
        check(
            "rate",
            json!(0.5),
            Err(("/rate", "it is 0.5, but must be at least 1")),
        );
        check(
            "rate",
            json!(2),
            Err(("/rate", "it is 2, but must be less than 2")),
        );
        check(
            "rate",
            json!(1.005),
            Err(("/rate", "it is 1.005, but must be a multiple of 0.01")),
        );
        check("yes", json!(false), Err(("/yes", "it is not true")));
        super::tests::check(&schema, json!([]), Err(("", "it is an array, not object")));
        super::tests::check(&schema, json!({}), Err(("", "\"a/b\" is missing")));
    }

    #[test]
    fn the_best_alternative_explains_the_mismatch() {
        let circle =
            object(json!({"kind": {"type": "string", "const": "circle"}, "r": {"type": "number"}}));
        let box_ = object(
            json!({"kind": {"type": "string", "enum": ["box"]}, "a": {"type": "array", "items": {"type": "number"}}}),
        );
        let schema = object(json!({"v": {"anyOf": [
            {"type": "null"}, {"type": "string", "pattern": "^x"}, {"$ref": "#/$defs/circle"}, {"anyOf": [{"$ref": "#/$defs/box"}]},
        ]}}));
        let schema = {
            let mut schema = schema;
            schema["$defs"] = json!({"circle": circle, "box": box_});
            schema
        };
        let check = |value: Value, expected: Result<(), (&str, &str)>| {
            check(&schema, json!({"v": value}), expected)
        };
        check(json!(null), Ok(()));
        check(json!({"kind": "box", "a": [1]}), Ok(()));
        check(
            json!(5),
            Err(("/v", "it is a number, not string or object or null")),
        );
        check(
            json!("y"),
            Err(("/v", "it does not match the pattern \"^x\"")),
        );
        check(
            json!({"kind": "box", "a": [1, "2"]}),
            Err(("/v/a/1", "it is a string, not number")),
        );
        check(
            json!({"kind": "circle", "a": [1, "2"]}),
            Err(("/v", "\"r\" is missing")),
        );
        check(
            json!({"kind": "circle", "r": "2"}),
            Err(("/v/r", "it is a string, not number")),
        );
    }

    #[test]
    fn time_and_stack_are_bounded() {
        // Two alternatives that continue identically at every level, and 32 schemas between two levels.
        let mut schema = object(json!({"v": {"$ref": "#/$defs/a00"}}));
        let mut definitions = json!({});
        for n in 0..30 {
            definitions[format!("a{n:02}")] =
                json!({"anyOf": [{"$ref": format!("#/$defs/a{:02}", n + 2)}, {"type": "null"}]});
        }
        let next = json!({"type": "array", "items": {"$ref": "#/$defs/a00"}, "maxItems": 1});
        for last in ["a30", "a31"] {
            definitions[last] = json!({"anyOf": [next, next]});
        }
        schema["$defs"] = definitions;
        let deep = |end: Value, levels: usize| json!({"v": (0..levels).fold(end, |inner, _| json!([inner]))});
        check(&schema, deep(json!(null), 126), Ok(()));
        let place = format!("/v{}", "/0".repeat(126));
        check(
            &schema,
            deep(json!(1), 126),
            Err((&place, "it is a number, not array or null")),
        );
        check(
            &schema,
            deep(json!(1), 128),
            Err(("", "it is nested more than 128 levels deep")),
        );

        // The same with types, so that none of them can be skipped.
        let array = |items: &str| json!({"type": ["array", "null"], "items": {"$ref": items}});
        let lead = (0..32 / TYPED_WEIGHT - 1).fold(array("#/$defs/a"), |inner, _| {
            let mut lead = array("#/$defs/b");
            lead["anyOf"] = json!([inner]);
            lead
        });
        let mut schema = object(json!({"v": {"$ref": "#/$defs/a"}}));
        schema["$defs"] = json!({"a": lead, "b": array("#/$defs/b")});
        check(&schema, deep(json!(null), 126), Ok(()));
    }
}
