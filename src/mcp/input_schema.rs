//! The JSON Schema of a tool's arguments, as a server writes it, in the form that the service accepts: an object with
//! properties, in its own document, of known types. What the service refuses would refuse the whole request.

use serde_json::{Map, Value, json};

/// Maximum nesting. What is deeper accepts anything.
const MAX_DEPTH: usize = 24;

/// Keywords that say nothing about values, or name other documents.
const DROPPED: &[&str] = &[
    "$schema",
    "$id",
    "id",
    "$comment",
    "$anchor",
    "$vocabulary",
    "$dynamicRef",
    "$dynamicAnchor",
    "$recursiveRef",
    "$recursiveAnchor",
];

/// Keywords that the service does not accept for the arguments as a whole.
const NOT_ON_TOP: &[&str] = &[
    "anyOf", "oneOf", "allOf", "not", "enum", "const", "if", "then", "else",
];

const TYPES: &[&str] = &[
    "object", "array", "string", "number", "integer", "boolean", "null",
];

/// The schema as the service accepts it. One that is not an object accepts any arguments.
pub(super) fn accepted(schema: Value) -> Value {
    let Value::Object(mut top) = clean(schema, 0) else {
        return json!({"type": "object", "properties": {}});
    };
    if let Some(target) = local_target(&top) {
        top.remove("$ref");
        for (key, value) in target {
            top.entry(key).or_insert(value);
        }
    }
    let mut properties = match top.remove("properties") {
        Some(Value::Object(properties)) => properties,
        _ => Map::new(),
    };
    for word in NOT_ON_TOP {
        // Arguments of the alternatives can still be given; the server checks them together.
        let branches = top.remove(*word);
        for branch in branches
            .as_ref()
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            for (name, schema) in branch["properties"].as_object().into_iter().flatten() {
                properties.entry(name).or_insert_with(|| schema.clone());
            }
        }
    }
    top.insert("type".to_owned(), "object".into());
    top.insert("properties".to_owned(), properties.into());
    top.into()
}

/// The schema in this document that the arguments as a whole refer to.
fn local_target(top: &Map<String, Value>) -> Option<Map<String, Value>> {
    let mut path = top
        .get("$ref")?
        .as_str()?
        .strip_prefix("#/")?
        .splitn(2, '/');
    let target = top.get(path.next()?)?.get(path.next()?)?;
    target.as_object().cloned()
}

/// Removes what the service does not accept anywhere.
fn clean(schema: Value, depth: usize) -> Value {
    let Value::Object(mut fields) = schema else {
        return json!({});
    };
    if depth > MAX_DEPTH {
        return json!({});
    }
    fields.retain(|key, value| match &**key {
        key if DROPPED.contains(&key) || key.starts_with("x-") => false,
        "$ref" => value.as_str().is_some_and(|place| place.starts_with('#')),
        "type" => retain_types(value),
        "description" | "title" | "pattern" | "format" => value.is_string(),
        "required" => value
            .as_array()
            .is_some_and(|names| names.iter().all(Value::is_string)),
        "enum" => value.as_array().is_some_and(|values| !values.is_empty()),
        _ => true,
    });
    for (key, value) in &mut fields {
        let inner = value.take();
        *value = match &**key {
            "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas" => {
                let schemas = match inner {
                    Value::Object(schemas) => schemas,
                    _ => Map::new(),
                };
                let each = |(name, schema)| (name, clean(schema, depth + 1));
                Value::Object(schemas.into_iter().map(each).collect())
            }
            "additionalProperties"
            | "unevaluatedProperties"
            | "additionalItems"
            | "unevaluatedItems"
                if inner.is_boolean() =>
            {
                inner
            }
            "items"
            | "additionalProperties"
            | "unevaluatedProperties"
            | "additionalItems"
            | "unevaluatedItems"
            | "contains"
            | "propertyNames"
            | "not"
            | "if"
            | "then"
            | "else" => clean(inner, depth + 1),
            "anyOf" | "oneOf" | "allOf" | "prefixItems" => match inner {
                Value::Array(schemas) if !schemas.is_empty() => {
                    let each = |schema| clean(schema, depth + 1);
                    schemas.into_iter().map(each).collect()
                }
                _ => json!([{}]),
            },
            _ => inner,
        };
    }
    let has = |name: &str| match &fields["type"] {
        Value::String(only) => only == name,
        Value::Array(all) => all.iter().any(|one| one == name),
        _ => false,
    };
    if fields.contains_key("type") {
        let (array, object) = (has("array"), has("object"));
        if array {
            fields.entry("items").or_insert_with(|| json!({}));
        }
        if object {
            fields.entry("properties").or_insert_with(|| json!({}));
        }
    }
    fields.into()
}

/// Removes unknown types. Returns whether one is left.
fn retain_types(value: &mut Value) -> bool {
    let is_known = |one: &Value| one.as_str().is_some_and(|one| TYPES.contains(&one));
    if let Value::Array(all) = value {
        all.retain(is_known);
        return !all.is_empty();
    }
    is_known(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_service_cannot_take_is_removed() {
        let check = |schema: Value, expected: Value| {
            assert_eq!(accepted(schema.clone()), expected, "{schema}");
            assert_eq!(
                accepted(expected.clone()),
                expected,
                "once is enough: {schema}"
            );
        };
        let any = json!({"type": "object", "properties": {}});
        for nothing in [
            json!(null),
            json!(true),
            json!([]),
            json!({}),
            json!({"type": "string"}),
        ] {
            check(nothing, any.clone());
        }
        check(
            json!({"$schema": "http://json-schema.org/draft-07/schema#", "type": "object",
                "properties": {"$schema": {"type": "string", "x-mcp-header": "A"}, "x-y": true},
                "required": ["x-y"], "additionalProperties": false}),
            json!({"type": "object", "properties": {"$schema": {"type": "string"}, "x-y": {}},
                "required": ["x-y"], "additionalProperties": false}),
        );
        check(
            json!({"type": "object", "properties": {
                "a": {"type": "array"}, "b": {"type": ["object", "int", "null"]}, "c": {"type": "any", "enum": []},
                "d": {"$ref": "https://example.com/x.json"}, "e": {"$ref": "#/$defs/e"},
                "f": {"items": [{"type": "string"}], "anyOf": [], "description": 7, "default": {"$id": 1}}},
                "$defs": {"e": {"type": "string", "$id": "e"}}}),
            json!({"type": "object", "properties": {
                "a": {"type": "array", "items": {}}, "b": {"type": ["object", "null"], "properties": {}}, "c": {},
                "d": {}, "e": {"$ref": "#/$defs/e"}, "f": {"items": {}, "anyOf": [{}], "default": {"$id": 1}}},
                "$defs": {"e": {"type": "string"}}}),
        );
        check(
            json!({"oneOf": [{"properties": {"a": {"type": "string"}}}, {"properties": {"b": true}, "required": ["b"]}],
                "properties": {"a": {"type": "integer"}}}),
            json!({"type": "object", "properties": {"a": {"type": "integer"}, "b": {}}}),
        );
        check(
            json!({"$ref": "#/definitions/A", "definitions": {"A": {"type": "object", "properties": {"a": {}}}}}),
            json!({"type": "object", "properties": {"a": {}}, "definitions":
                {"A": {"type": "object", "properties": {"a": {}}}}}),
        );
    }

    #[test]
    fn nesting_is_bounded() {
        let mut deep = json!({});
        for _ in 0..60 {
            deep = json!({"items": deep});
        }
        let text = accepted(deep).to_string();
        assert_eq!(text.matches("items").count(), MAX_DEPTH + 1);
    }
}
