//! What the public specification says about a request's body. `data/request-schema.json` restates it; a small validator
//! checks a body against it and reports every mistake with its position. It supports the keywords of that file and no
//! others. What the services refuse beyond their specification is up to the stand-in.

use std::collections::BTreeSet;
use std::slice;
use std::sync::LazyLock;

use regex_lite::Regex;
use serde_json::{Value, json};

/// What the services accept and the specification does not, in words. It is little: since July 2026 the specification
/// includes `additional_tools`, namespaces of tools and `reasoning.context`.
pub(crate) const EXCEPTIONS: &[&str] = &[
    "in Lite's shape a picture in a message has no `detail`",
    "an item `configuration_update` changes the effort",
];

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("data/request-schema.json")).expect("the schema is JSON")
});

/// Violations of the specification by this body: nothing, or lines that begin with a JSON pointer, which is empty for the
/// body itself.
pub(crate) fn mistakes(body: &Value) -> Vec<String> {
    mistakes_by(&SCHEMA, body)
}

/// Violations of a different schema with the same keywords.
pub(crate) fn mistakes_by(schema: &Value, value: &Value) -> Vec<String> {
    judge(schema, schema, value, "")
}

/// The body without what [`EXCEPTIONS`] lists: in the Lite shape, an image without `detail` gets the service's default. A
/// body has that shape if it has a `reasoning.context`, and has no instructions then.
pub(crate) fn without_exceptions(body: &Value) -> Value {
    let mut body = body.clone();
    if let Some(items) = body.get_mut("input").and_then(Value::as_array_mut) {
        items.retain(|item| item["type"] != "configuration_update" || fields(item).count() != 2);
    }
    if body["reasoning"]["context"] != "all_turns" || body.get("instructions").is_some() {
        return body;
    }
    let items = body.get_mut("input").and_then(Value::as_array_mut);
    for item in items.into_iter().flatten() {
        let parts = item.get_mut("content").and_then(Value::as_array_mut);
        for part in parts.into_iter().flatten() {
            if part["type"] == "input_image" && part.get("detail").is_none() {
                part["detail"] = json!("auto");
            }
        }
    }
    body
}

/// Validates a value against a schema, whose definitions are those of `root`.
fn judge(root: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let mut found = Vec::new();
    if *schema == Value::Bool(false) {
        found.push(format!("{at}: the specification knows no such field"));
    }
    for (keyword, rule) in fields(schema) {
        match keyword.as_str() {
            "$ref" => found.extend(judge(root, definition(root, rule), value, at)),
            "anyOf" => found.extend(any_of(root, rule, value, at)),
            "properties" => {
                for (name, rule) in fields(rule) {
                    if let Some(inner) = value.get(name) {
                        found.extend(judge(root, rule, inner, &below(at, name)));
                    }
                }
            }
            "additionalProperties" => {
                for (name, inner) in fields(value) {
                    if schema["properties"].get(name).is_none() {
                        found.extend(judge(root, rule, inner, &below(at, name)));
                    }
                }
            }
            "items" => {
                for (n, inner) in value.as_array().into_iter().flatten().enumerate() {
                    found.extend(judge(root, rule, inner, &format!("{at}/{n}")));
                }
            }
            _ => found.extend(wrong(keyword, rule, value).map(|what| format!("{at}: {what}"))),
        }
    }
    found
}

/// What is wrong with the value according to a keyword that does not look deeper.
///
/// # Panics
/// At an unknown keyword, whatever the value is: no rule is skipped silently.
fn wrong(keyword: &str, rule: &Value, value: &Value) -> Option<String> {
    let size = match value {
        Value::Array(elements) if keyword.ends_with("Items") => Some(elements.len()),
        Value::String(text) if keyword.ends_with("Length") => Some(text.chars().count()),
        _ => None,
    };
    let size = size.map(|size| u32::try_from(size).map_or(f64::INFINITY, f64::from));
    let number = value.as_f64().filter(|_| keyword.ends_with("imum"));
    let (measure, limit) = (size.or(number), rule.as_f64().unwrap_or_default());
    let (is_wrong, how) = match keyword {
        "$schema" | "$comment" | "$defs" | "title" | "description" => return None,
        "type" => {
            let fits = each(rule).iter().any(|kind| is(value, kind));
            (!fits, format!("is not of type {}", listed(each(rule))))
        }
        "const" | "enum" => {
            let fits = each(rule).contains(value);
            (!fits, format!("is not {}", listed(each(rule))))
        }
        "required" => {
            let mut missing = each(rule).to_vec();
            missing.retain(|name| value.get(name.as_str().unwrap_or_default()).is_none());
            let is_wrong = value.is_object() && !missing.is_empty();
            let missing = listed(&missing).replace(" or ", " and ");
            (is_wrong, format!("lacks {missing}"))
        }
        "minItems" | "minLength" | "minimum" | "maxItems" | "maxLength" | "maximum" => {
            let (least, most) = (keyword.starts_with("min"), keyword.starts_with("max"));
            let beyond = measure.is_some_and(|n| least && n < limit || most && n > limit);
            (beyond, format!("is beyond the {keyword} of {rule}"))
        }
        "pattern" => {
            let pattern = Regex::new(rule.as_str().unwrap_or("(")).expect("a pattern");
            let differs = value.as_str().is_some_and(|text| !pattern.is_match(text));
            (differs, format!("does not match {rule}"))
        }
        unknown => panic!("the schema says `{unknown}`, which nothing checks"),
    };
    is_wrong.then(|| format!("{} {how}", short(value)))
}

/// If no alternative matches, only those are reported that have the value's type and tags.
fn any_of(root: &Value, rules: &Value, value: &Value, at: &str) -> Vec<String> {
    let mut judged = each(rules).iter().map(|rule| judge(root, rule, value, at));
    if judged.any(|found| found.is_empty()) {
        return Vec::new();
    }
    let mut near = alternatives(root, rules);
    let kinds = listed(near.iter().flat_map(|schema| each(&schema["type"])));
    near.retain(|schema| wrong("type", &schema["type"], value).is_none());
    if near.is_empty() {
        return vec![format!("{at}: {} is not of type {kinds}", short(value))];
    }
    for tag in ["type", "role"].iter().filter(|_| value.is_object()) {
        let rules = near.iter().map(|schema| &schema["properties"][tag]);
        let known = listed(rules.flat_map(choices));
        let given = value.get(tag);
        near.retain(|schema| match (schema["properties"].get(tag), given) {
            (Some(rule), Some(given)) => choices(rule).contains(given),
            (Some(_), None) => !each(&schema["required"]).contains(&json!(tag)),
            (None, given) => given.is_none() || known.is_empty(),
        });
        if near.is_empty() {
            let lacking = format!("{at}: the object lacks \"{tag}\"");
            let reported = given.map(|it| format!("{at}/{tag}: {} is not {known}", short(it)));
            return vec![reported.unwrap_or(lacking)];
        }
    }
    let reported = near.iter().map(|schema| judge(root, schema, value, at));
    let reported: BTreeSet<Vec<String>> = reported.collect();
    let in_all = |one: &String| reported.iter().all(|found| found.contains(one));
    if let Some(common) = reported.iter().find(|found| found.iter().all(in_all)) {
        return common.clone();
    }
    let reported = reported.iter().map(|found| found.join("; "));
    vec![reported.collect::<Vec<_>>().join(", or else ")]
}

/// The alternatives; nested ones are flattened.
fn alternatives<'a>(root: &'a Value, rules: &'a Value) -> Vec<&'a Value> {
    let mut all = Vec::new();
    for rule in each(rules) {
        let name = rule.get("$ref");
        let schema = name.map_or(rule, |name| definition(root, name));
        let inner = schema.get("anyOf").map(|rules| alternatives(root, rules));
        all.extend(inner.unwrap_or_else(|| vec![schema]));
    }
    all
}

fn definition<'a>(root: &'a Value, name: &Value) -> &'a Value {
    let pointer = name.as_str().unwrap_or_default().trim_start_matches('#');
    root.pointer(pointer).expect("a definition")
}

/// The values that a schema allows, if it lists them.
fn choices(schema: &Value) -> &[Value] {
    let listed = schema.get("const").or_else(|| schema.get("enum"));
    listed.map_or(&[], each)
}

/// The elements of a list, or the only one.
fn each(value: &Value) -> &[Value] {
    let list = value.as_array();
    list.map_or(slice::from_ref(value), Vec::as_slice)
}

fn fields(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn is(value: &Value, kind: &Value) -> bool {
    match kind.as_str().unwrap_or_default() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        unknown => panic!("the schema speaks of type `{unknown}`"),
    }
}

fn below(at: &str, name: &str) -> String {
    format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn listed<'a>(values: impl IntoIterator<Item = &'a Value>) -> String {
    let all: BTreeSet<String> = values.into_iter().map(Value::to_string).collect();
    all.into_iter().collect::<Vec<_>>().join(" or ")
}

/// The value for a message: a long one is only named.
fn short(value: &Value) -> String {
    match value {
        Value::Object(_) => "the object".to_owned(),
        Value::Array(_) => "the array".to_owned(),
        Value::String(text) if text.len() > 60 => "the text".to_owned(),
        other => other.to_string(),
    }
}

/// What a client sends after a call, without a mistake.
fn right() -> Value {
    json!({
        "model": "m", "instructions": "i", "tool_choice": "auto", "parallel_tool_calls": true,
        "tools": [{"type": "function", "name": "read", "strict": false, "parameters": {}}],
        "reasoning": {"effort": "xhigh"}, "store": false, "stream": true, "metadata": {"a": "b"},
        "include": ["reasoning.encrypted_content"], "prompt_cache_key": "k", "text": {"verbosity": "low"},
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "hi"}]},
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAA"},
            {"type": "message", "role": "assistant", "id": "msg_1", "status": "completed", "content":
                [{"type": "output_text", "text": "t", "annotations": [], "logprobs": []}]},
            {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "read", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": [
                {"type": "input_text", "text": "t"}, {"type": "input_image", "image_url": "data:x"}]},
        ],
    })
}

/// In each line: a position, the value put there in that body, and what is reported, if anything.
fn check(lines: &str) {
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (put, reported) = line.split_once(" => ").unwrap_or((line, ""));
        let (place, value) = put.split_once(' ').expect("a value");
        let (outer, name) = place.rsplit_once('/').expect("a pointer");
        let mut body = right();
        let outer = body.pointer_mut(outer).expect("a place in the body");
        let value: Value = serde_json::from_str(value).expect("JSON");
        match name.parse::<usize>() {
            Ok(n) => outer[n] = value,
            Err(_) => outer[name] = value,
        }
        assert_eq!(mistakes(&body).join("\n"), reported, "{put}");
    }
}

#[test]
fn a_valid_body_has_no_mistakes() {
    check(
        r#"
        /model "m"
        /input "hi"
        /input/0 {"role": "assistant", "content": "t"}
        /input/0 {"id": "msg_0"}
        /top_p 1
        /text/format {"type": "json_schema", "name": "n", "schema": {}, "strict": null}
        /tool_choice {"type": "function", "name": "read"}
        /tools/0 {"type": "web_search"}
        /tools/0 {"type": "mcp", "server_label": "s", "require_approval": "never"}
        "#,
    );
}

#[test]
fn a_mistake_is_reported_with_its_position() {
    check(
        r#"
        /modle 5 => /modle: the specification knows no such field
        /a~b 5 => /a~0b: the specification knows no such field
        /reasoning/efort 5 => /reasoning/efort: the specification knows no such field
        /model 5 => /model: 5 is not of type "string"
        /metadata/a [] => /metadata/a: the array is not of type "string"
        /max_output_tokens 16.5 => /max_output_tokens: 16.5 is not of type "integer" or "null"
        /max_output_tokens 15 => /max_output_tokens: 15 is beyond the minimum of 16
        /top_p 1.5 => /top_p: 1.5 is beyond the maximum of 1
        /context_management [] => /context_management: the array is beyond the minItems of 1
        /input/4/call_id "" => /input/4/call_id: "" is beyond the minLength of 1
        /input/4/namespace "a b" => /input/4/namespace: "a b" does not match "^[a-zA-Z0-9_-]+$"
        /input/1/content null => /input/1/content: null is not of type "array"
        /tools/0 {"type": "function", "name": "n"} => /tools/0: the object lacks "parameters" and "strict"
        "#,
    );
    let (long, longer) = ("é".repeat(64), "é".repeat(65));
    let reported = "/input/4/call_id: the text is beyond the maxLength of 64";
    check(&format!(
        "/input/4/call_id \"{long}\"\n/input/4/call_id \"{longer}\" => {reported}"
    ));
}

#[test]
fn mistakes_refer_to_the_closest_alternative() {
    check(
        r#"
        /input 5 => /input: 5 is not of type "array" or "string"
        /tool_choice "any" => /tool_choice: "any" is not "auto" or "none" or "required"
        /tools/0 {} => /tools/0: the object lacks "type"
        /input/0/role "x" => /input/0/role: "x" is not "assistant" or "developer" or "system" or "user"
        /input/0/content/0 {"type": "input_image"} => /input/0/content/0: the object lacks "detail"
        /tools/0 {"type": "namespace", "name": "n", "description": "", "tools": [{"type": "x"}]} => /tools/0/tools/0/type: "x" is not "custom" or "function"
        /input/2/phase 5 => /input/2/phase: 5 is not "commentary" or "final_answer" or null
        /input/2/status 5 => /input/2/content/0/type: "output_text" is not "input_file" or "input_image" or "input_text", or else /input/2/status: 5 is not "completed" or "in_progress" or "incomplete"
        "#,
    );
}

#[test]
fn only_known_extensions_of_the_services_are_exempt() {
    let wait = json!({"type": "function", "name": "wait", "parameters": {}});
    let tools = json!([right()["tools"][0],
        {"type": "namespace", "name": "functions", "description": "", "tools": [wait]}]);
    let image = json!({"type": "input_image", "image_url": "data:x"});
    let lite = json!({"model": "m", "reasoning": {"context": "all_turns"}, "input": [
        {"type": "additional_tools", "role": "developer", "tools": tools},
        {"role": "user", "content": [image]},
    ]});
    let lacking = ["/input/1/content/0: the object lacks \"detail\""];
    assert_eq!(mistakes(&lite), lacking, "{EXCEPTIONS:?}");
    assert_eq!(mistakes(&without_exceptions(&lite)), [""; 0]);
    let mut changed = lite.clone();
    let change = json!({"type": "configuration_update", "reasoning": {"effort": "high"}});
    let items = changed["input"].as_array_mut().expect("a list");
    items.push(change);
    assert_eq!(mistakes(&changed).len(), 2, "{EXCEPTIONS:?}");
    assert_eq!(mistakes(&without_exceptions(&changed)), [""; 0]);
    let with = |field: &str| {
        let mut other = lite.clone();
        other[field] = json!("i");
        mistakes(&without_exceptions(&other))
    };
    assert_eq!(with("instructions"), lacking);
    assert_eq!(
        with("modle"),
        ["/modle: the specification knows no such field"]
    );
}

/// Panics at a keyword that is not checked, in this schema and in nested ones.
fn walk(root: &Value, schema: &Value) {
    judge(root, schema, &json!(null), "");
    let named = ["$defs", "properties"].map(|keyword| fields(&schema[keyword]));
    let named = named.into_iter().flatten().map(|(_, schema)| schema);
    let others = ["anyOf", "items", "additionalProperties"];
    let others = others.map(|keyword| each(&schema[keyword]));
    let all = named.chain(others.into_iter().flatten());
    all.filter(|schema| schema.is_object())
        .for_each(|schema| walk(root, schema));
}

#[test]
fn every_keyword_of_the_schema_is_checked() {
    walk(&SCHEMA, &SCHEMA);
    walk(&crate::lines::EVENTS, &crate::lines::EVENTS);
}

#[test]
#[should_panic(expected = "the schema says `minProperties`, which nothing checks")]
fn an_unchecked_keyword_is_an_error_in_the_schema() {
    let schema = json!({"properties": {"a": {"anyOf": [{"items": {"minProperties": 1}}]}}});
    walk(&schema, &schema);
}
