//! The keywords that strict mode accepts, and those that must occur together. Sources are given for rules that its
//! guide "Structured model outputs" does not state.

use serde_json::{Map, Value};

use super::rejection::{Unfit, unfit};
use super::schema_node::{NumberBound, Types};
use super::words::escaped;

/// The keywords for definitions, the only targets of a reference besides the root (the service: "reference can only
/// point to definitions defined at the top level of the schema").
pub(super) const DEFINITIONS: [&str; 2] = ["$defs", "definitions"];

/// Keywords without effect on validation. Azure rejects `default`, api.openai.com accepts it
/// (openai/openai-agents-python#4390, of 2026-08); `examples` was rejected once (openai/openai-python#2274, of
/// 2025-04). Whether an annotation is accepted is left to the service.
const ANNOTATIONS: &[&str] = &[
    "$comment",
    "default",
    "deprecated",
    "description",
    "examples",
    "readOnly",
    "title",
    "writeOnly",
];

/// Returns why a keyword is rejected, or `None` if it is accepted.
pub(super) fn refusal(name: &str, in_root: bool) -> Option<String> {
    let advice = match name {
        "$ref"
        | "additionalProperties"
        | "anyOf"
        | "const"
        | "enum"
        | "format"
        | "items"
        | "maxItems"
        | "minItems"
        | "pattern"
        | "properties"
        | "required"
        | "type" => return None,
        _ if ANNOTATIONS.contains(&name) || NumberBound::named(name).is_some() => return None,
        "$schema" | "$id" if in_root => return None,
        "$schema" | "$id" => "it is allowed only in the outermost schema",
        name if DEFINITIONS.contains(&name) => {
            if in_root {
                return None;
            }
            "move the definitions to the outermost schema"
        }
        "oneOf" => "use \"anyOf\"",
        "allOf" => "merge its schemas into one",
        "minLength" | "maxLength" => {
            "use a \"pattern\" like \"^.{1,20}$\", or state it in the \"description\""
        }
        "prefixItems" | "additionalItems" => "use an object with a property for each position",
        "patternProperties" | "propertyNames" => {
            "use an array of objects with a property for the name and one for the value"
        }
        "nullable" => "use \"type\" with \"null\" in its list",
        "$anchor" | "$dynamicAnchor" | "$dynamicRef" | "$recursiveAnchor" | "$recursiveRef" => {
            "use \"$ref\" with \"#\" or \"#/$defs/NAME\""
        }
        "not"
        | "if"
        | "then"
        | "else"
        | "dependentRequired"
        | "dependentSchemas"
        | "dependencies"
        | "contains"
        | "minContains"
        | "maxContains"
        | "uniqueItems"
        | "minProperties"
        | "maxProperties"
        | "unevaluatedItems"
        | "unevaluatedProperties"
        | "contentEncoding"
        | "contentMediaType"
        | "contentSchema" => "remove it, and state the rule in the \"description\"",
        _ => return Some(format!("strict mode has no keyword {name:?}: remove it")),
    };
    Some(format!("strict mode does not support {name:?}: {advice}"))
}

/// Checks combinations of keywords.
pub(super) fn check_shape(
    at: &str,
    types: Types,
    schema: &Map<String, Value>,
) -> Result<(), Unfit> {
    let has = |name: &str| schema.contains_key(name);
    if has("$ref") {
        // The service: "$ref cannot have keywords {'description'}".
        return match schema.keys().find(|name| *name != "$ref") {
            Some(other) => unfit(
                at,
                format!(
                    "strict mode allows nothing next to a \"$ref\": move {other:?} to the definition"
                ),
            ),
            None => Ok(()),
        };
    }
    if types.is_empty() && !has("anyOf") {
        // The service: "schema must have a 'type' key", even for a "const".
        return unfit(
            at,
            "it has no \"type\", which strict mode requires for every schema except \"anyOf\" and \"$ref\"",
        );
    }
    if types.is_empty()
        && let Some(name) = schema
            .keys()
            .find(|name| *name != "anyOf" && !ANNOTATIONS.contains(&name.as_str()))
    {
        return unfit(
            &format!("{at}/{}", escaped(name)),
            "this is next to an \"anyOf\" without a \"type\": move it into the alternatives that it applies to",
        );
    }
    if types.has(Types::OBJECT) {
        match schema.get("additionalProperties") {
            Some(Value::Bool(false)) => {}
            Some(_) => {
                return unfit(
                    &format!("{at}/additionalProperties"),
                    "strict mode requires false for every object",
                );
            }
            None => {
                return unfit(
                    at,
                    "\"additionalProperties\": false is missing, which strict mode requires for every object",
                );
            }
        }
        let Some(properties) = schema.get("properties") else {
            return unfit(
                at,
                "\"properties\" is missing, which strict mode requires for every object",
            );
        };
        if !has("required") && !properties.as_object().is_some_and(Map::is_empty) {
            return unfit(
                at,
                "\"required\" is missing: strict mode requires it to list all properties; to make one optional, add \"null\" to its types",
            );
        }
    }
    if types.has(Types::ARRAY) && !has("items") {
        return unfit(
            at,
            "\"items\" is missing, which strict mode requires for every array",
        );
    }
    Ok(())
}
