//! JSON Schema validation. This module: the arguments of tools (types, required and additional properties, items and
//! enumerations); other keywords are left to the tool. `strict`: the answer of a model, against all of the subset that
//! strict mode supports. `unique`: the JSON of such an answer, without duplicate keys.

use serde_json::Value;

mod format;
mod keyword;
mod limits;
mod number;
mod pattern;
mod read;
mod rejection;
mod schema_node;
pub mod strict; // schemas for strict mode
#[cfg(test)]
mod suite;
pub mod unique; // JSON without duplicate keys
mod validation;
mod words;

use words::{escaped, kind};

/// Where and why a value does not match its schema: the first mismatch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The location, as a JSON pointer (RFC 6901); empty for the whole value.
    pub place: String,
    /// What is wrong there.
    pub what: String,
}

/// Validates a value against a schema.
///
/// # Errors
/// When the value does not match.
pub fn check(schema: &Value, value: &Value) -> Result<(), Mismatch> {
    at("", schema, value)
}

fn at(place: &str, schema: &Value, value: &Value) -> Result<(), Mismatch> {
    let wrong = |what: String| {
        Err(Mismatch {
            place: place.to_owned(),
            what,
        })
    };
    let types: Vec<&str> = match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if !types.is_empty() && !types.iter().any(|name| is(name, value)) {
        return wrong(format!("it is {}, not {}", kind(value), types.join(" or ")));
    }
    if let Some(known) = schema["enum"].as_array()
        && !known.contains(value)
    {
        let known: Vec<String> = known.iter().map(Value::to_string).collect();
        return wrong(format!("it is not one of {}", known.join(", ")));
    }
    if let Some(object) = value.as_object() {
        let required = schema["required"].as_array().into_iter().flatten();
        for name in required.filter_map(Value::as_str) {
            if !object.contains_key(name) {
                return wrong(format!("{name:?} is missing"));
            }
        }
        for (name, value) in object {
            let inner = format!("{place}/{}", escaped(name));
            match schema["properties"].get(name) {
                Some(schema) => at(&inner, schema, value)?,
                None if schema["additionalProperties"] == false => {
                    return wrong(format!("unexpected property {name:?}"));
                }
                None => {}
            }
        }
    }
    if let (Some(items), schema @ Value::Object(_)) = (value.as_array(), &schema["items"]) {
        for (n, item) in items.iter().enumerate() {
            at(&format!("{place}/{n}"), schema, item)?;
        }
    }
    Ok(())
}

/// Whether a value has the type with this name. An unknown name matches everything.
fn is(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        // 1.0 is an integer (JSON Schema 2020-12, validation, 6.1.1).
        "integer" => {
            value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|n| n.fract() == 0.0)
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_mismatch_is_named() {
        let schema = json!({
            "type": "object",
            "properties": {
                "id": {"type": "string"},
                "n": {"type": ["integer", "null"]},
                "tags": {"type": "array", "items": {"enum": ["a", "b"]}},
            },
            "required": ["id"],
            "additionalProperties": false,
        });
        let words =
            |value: Value| check(&schema, &value).map_err(|m| format!("{}: {}", m.place, m.what));
        assert_eq!(words(json!({"id": "x", "n": null, "tags": ["a"]})), Ok(()));
        assert_eq!(words(json!({"id": "x", "n": 2.0})), Ok(()));
        let check =
            |value: Value, expected: &str| assert_eq!(words(value), Err(expected.to_owned()));
        check(json!([]), ": it is an array, not object");
        check(json!({}), ": \"id\" is missing");
        check(json!({"id": 7}), "/id: it is a number, not string");
        check(
            json!({"id": "x", "n": 1.5}),
            "/n: it is a number, not integer or null",
        );
        check(
            json!({"id": "x", "tags": ["a", "c"]}),
            "/tags/1: it is not one of \"a\", \"b\"",
        );
        check(
            json!({"id": "x", "a/b": 1}),
            ": unexpected property \"a/b\"",
        );
    }
}
