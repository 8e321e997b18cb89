//! A schema in the subset of strict mode ("Structured model outputs", section "Supported schemas", of OpenAI's guides):
//! parsed once, so that an error in it costs no request, then used to validate the model's answer.
//!
//! Where the guide is silent, errors that the service is known to report are reported locally too; anything else
//! passes, since the service's message is clear enough. Locations are visited in the order of `serde_json::Map`: by
//! name.

use serde_json::{Map, Value};

use super::limits;
use super::read::SchemaReader;
pub use super::rejection::{Rejection, Unfit};
use super::schema_node::{Node, Types};
use super::validation;
use super::words::kind;

/// A parsed schema for strict mode.
#[derive(Clone, Debug)]
pub struct Schema {
    /// The first is the root; nodes refer to each other by number.
    nodes: Vec<Node>,
}

impl Schema {
    /// Parses a schema.
    ///
    /// # Errors
    /// When strict mode does not support it.
    pub fn parse(schema: &Value) -> Result<Self, Unfit> {
        let wrong = |why: String| Unfit {
            at: String::new(),
            why,
        };
        if limits::is_deeper_than(schema, limits::MAX_LEVELS) {
            return Err(wrong(format!(
                "it is nested more than {} levels deep",
                limits::MAX_LEVELS
            )));
        }
        let Value::Object(root) = schema else {
            return Err(wrong(format!(
                "it is {}, but a schema must be an object",
                kind(schema)
            )));
        };
        check_root(root).map_err(wrong)?;
        let nodes = SchemaReader::read(root)?;
        limits::check_loops(&nodes)?;
        Ok(Self {
            nodes: nodes.into_iter().map(|placed| placed.node).collect(),
        })
    }

    /// Validates a value against the schema.
    ///
    /// # Errors
    /// When the value does not match.
    pub fn check(&self, value: &Value) -> Result<(), Rejection> {
        validation::check(&self.nodes, value)
    }
}

/// The guide: "Root objects must not be `anyOf` and must be an object".
fn check_root(root: &Map<String, Value>) -> Result<(), String> {
    if root.contains_key("anyOf") {
        return Err(
            "the outermost schema must not be an \"anyOf\": put it into a property of an object"
                .to_owned(),
        );
    }
    if root.contains_key("$ref") {
        return Err(
            "the outermost schema must not be a \"$ref\": replace it with the object itself"
                .to_owned(),
        );
    }
    match root.get("type") {
        Some(Value::String(name)) if Types::named(name) == Some(Types::OBJECT) => Ok(()),
        Some(other) => Err(format!(
            "the outermost schema must have \"type\": \"object\", not {other}: put it into a property of an object"
        )),
        None => Err("the outermost schema must have \"type\": \"object\"".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(schema: Value, at: &str, why: &str) {
        let unfit = Schema::parse(&schema).expect_err(&schema.to_string());
        assert_eq!((&*unfit.at, &*unfit.why), (at, why), "{schema}");
    }

    /// The schema as the only property of an object.
    fn inside(schema: Value, at: &str, why: &str) {
        let schema = json!({"type": "object", "properties": {"v": schema}, "required": ["v"], "additionalProperties": false});
        check(schema, &format!("/properties/v{at}"), why);
    }

    #[test]
    fn supported_schemas_are_accepted() {
        // Every keyword at once, annotations included.
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "x", "$comment": "x", "title": "x",
            "type": "object", "additionalProperties": false, "required": ["a", "b", "c", "d", "e", "f"],
            "properties": {
                "a": {"type": ["string", "null"], "description": "x", "default": null, "pattern": "x", "format": "date"},
                "b": {"type": "number", "minimum": 0, "maximum": 9, "exclusiveMinimum": -1, "exclusiveMaximum": 10, "multipleOf": 0.5},
                "c": {"type": "array", "items": {"$ref": "#"}, "minItems": 0, "maxItems": 2.0},
                "d": {"anyOf": [{"$ref": "#/$defs/x~1y"}, {"$ref": "#/definitions/z%25"}], "examples": [1]},
                "e": {"type": "string", "enum": ["x"]},
                "f": {"type": "object", "properties": {}, "additionalProperties": false},
            },
            "$defs": {"x/y": {"type": "boolean", "const": true}},
            "definitions": {"z%": {"type": "integer"}},
        });
        let taken = Schema::parse(&schema).map(drop);
        assert_eq!(taken, Ok(()));
    }

    #[test]
    fn the_root_is_an_object() {
        let put = "put it into a property of an object";
        check(
            json!(true),
            "",
            "it is a boolean, but a schema must be an object",
        );
        check(
            json!({}),
            "",
            "the outermost schema must have \"type\": \"object\"",
        );
        let words = format!("the outermost schema must not be an \"anyOf\": {put}");
        check(json!({"anyOf": [{"type": "null"}]}), "", &words);
        let words =
            format!("the outermost schema must have \"type\": \"object\", not \"array\": {put}");
        check(
            json!({"type": "array", "items": {"type": "null"}}),
            "",
            &words,
        );
        let words = format!(
            "the outermost schema must have \"type\": \"object\", not [\"object\",\"null\"]: {put}"
        );
        check(json!({"type": ["object", "null"]}), "", &words);
        check(
            json!({"$ref": "#/$defs/a", "$defs": {"a": {"type": "null"}}}),
            "",
            "the outermost schema must not be a \"$ref\": replace it with the object itself",
        );
    }

    #[test]
    fn keywords_are_rejected_with_advice() {
        inside(
            json!({"oneOf": [{"type": "null"}]}),
            "/oneOf",
            "strict mode does not support \"oneOf\": use \"anyOf\"",
        );
        inside(
            json!({"type": "string", "minLength": 1}),
            "/minLength",
            "strict mode does not support \"minLength\": use a \"pattern\" like \"^.{1,20}$\", or state it in the \"description\"",
        );
        inside(
            json!({"type": "null", "a/b": 1}),
            "/a~1b",
            "strict mode has no keyword \"a/b\": remove it",
        );
        inside(
            json!({"type": "null", "$id": "x"}),
            "/$id",
            "strict mode does not support \"$id\": it is allowed only in the outermost schema",
        );
        inside(
            json!({"type": "string", "format": "uri"}),
            "/format",
            "strict mode does not support the format \"uri\", only date-time, time, date, duration, email, hostname, ipv4, ipv6, uuid: remove it, or use a \"pattern\"",
        );
        inside(
            json!({"type": "string", "pattern": "(?!a)"}),
            "/pattern",
            "this regular expression is not supported: look-around is not supported; rewrite it",
        );
        inside(
            json!({"type": "number", "multipleOf": 0}),
            "/multipleOf",
            "it must be greater than 0",
        );
        inside(
            json!({"type": "number", "minimum": "1"}),
            "/minimum",
            "it is a string, not a number",
        );
        inside(
            json!({"type": "array", "items": {"type": "null"}, "minItems": -1}),
            "/minItems",
            "-1 is not a number of items",
        );
        inside(
            json!({"type": "string", "enum": []}),
            "/enum",
            "it is empty: no value would match",
        );
        inside(
            json!({"type": "string", "enum": ["1", 2]}),
            "/enum/1",
            "2 does not have the schema's type, string",
        );
        inside(
            json!({"type": "float"}),
            "/type",
            "\"float\" is not a type; the types are string, number, boolean, integer, object, array, null",
        );
    }

    #[test]
    fn combinations_of_keywords_are_checked() {
        let no_type = "it has no \"type\", which strict mode requires for every schema except \"anyOf\" and \"$ref\"";
        inside(json!({}), "", no_type);
        inside(json!({"const": 1}), "", no_type);
        inside(
            json!(true),
            "",
            "it is a boolean, but strict mode requires an object with a \"type\"",
        );
        inside(
            json!({"$ref": "#", "description": "x"}),
            "",
            "strict mode allows nothing next to a \"$ref\": move \"description\" to the definition",
        );
        inside(
            json!({"$ref": "#/$defs/a"}),
            "/$ref",
            "there is no definition \"#/$defs/a\"",
        );
        inside(
            json!({"$ref": "#/properties/v"}),
            "/$ref",
            "\"#/properties/v\" is not a definition: strict mode allows only \"#\" and \"#/$defs/NAME\"; move the schema to \"$defs\" of the outermost schema",
        );
        inside(
            json!({"anyOf": [{"type": "null"}], "enum": [null]}),
            "/enum",
            "this is next to an \"anyOf\" without a \"type\": move it into the alternatives that it applies to",
        );
        inside(
            json!({"type": "array"}),
            "",
            "\"items\" is missing, which strict mode requires for every array",
        );
        let object = |rest: Value| {
            let mut object = json!({"type": "object"});
            object
                .as_object_mut()
                .expect("an object")
                .extend(rest.as_object().expect("an object").clone());
            object
        };
        let a = json!({"a": {"type": "null"}});
        inside(
            object(json!({"properties": a, "required": ["a"]})),
            "",
            "\"additionalProperties\": false is missing, which strict mode requires for every object",
        );
        inside(
            object(json!({"properties": a, "required": ["a"], "additionalProperties": true})),
            "/additionalProperties",
            "strict mode requires false for every object",
        );
        inside(
            object(json!({"additionalProperties": false})),
            "",
            "\"properties\" is missing, which strict mode requires for every object",
        );
        inside(
            object(json!({"properties": a, "additionalProperties": false})),
            "",
            "\"required\" is missing: strict mode requires it to list all properties; to make one optional, add \"null\" to its types",
        );
        inside(
            object(json!({"properties": a, "required": [], "additionalProperties": false})),
            "/required",
            "\"a\" is missing: strict mode requires every property to be listed; to make it optional, add \"null\" to its types",
        );
        inside(
            object(json!({"properties": a, "required": ["a", "b"], "additionalProperties": false})),
            "/required/1",
            "there is no property \"b\"",
        );
    }
}
