//! What the real services refuse in a request's body, with their messages. The credential was
//! checked before, by `token`; rules that depend on the model are in `shape`.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::compaction;
use super::http::Recorded;
use super::id;
use super::models::{Facts, List};
use super::route::Backend;
use super::shape;

/// Longest session id or cache key, in characters.
const LONGEST_ID: usize = 64;

/// Fields that the subscription's backend calls unsupported. The last five are refused as a guess: no
/// client is known to send them there. It once refused `max_output_tokens`, which pi 1.6 sends with
/// every request; codex-run sends none.
const UNSUPPORTED: &[&str] = &[
    "temperature",
    "stop",
    "prompt_cache_options",
    "top_p",
    "metadata",
    "truncation",
    "user",
    "previous_response_id",
];

/// A refusal: a status and a JSON body.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) body: String,
}

impl Refusal {
    pub(super) fn new(status: u16, body: &Value) -> Self {
        let body = body.to_string();
        Self { status, body }
    }

    /// 400 in the format of the subscription's backend.
    fn detail(sentence: &str) -> Self {
        Self::new(400, &json!({ "detail": sentence }))
    }

    /// 400 in the format of the API. An empty `param` means none.
    pub(super) fn error(message: &str, param: &str, code: Option<&str>) -> Self {
        let param = (!param.is_empty()).then_some(param);
        let error = json!({"message": message, "type": "invalid_request_error",
            "param": param, "code": code});
        Self::new(400, &json!({ "error": error }))
    }
}

/// Checks a body and returns it as JSON.
pub(super) fn body(
    backend: Backend,
    request: &Recorded,
    models: &List,
    ids: &id::Ids,
) -> Result<Value, Refusal> {
    encoding(request)?;
    let body: Value = serde_json::from_slice(&request.body).map_err(|error| {
        let message = format!("We could not parse the JSON body of your request: {error}");
        Refusal::error(&message, "", None)
    })?;
    if !body.is_object() {
        return Err(Refusal::error("The body must be a JSON object.", "", None));
    }
    let Some(model) = body["model"].as_str().filter(|model| !model.is_empty()) else {
        let message = "Missing required parameter: 'model'.";
        let code = Some("missing_required_parameter");
        return Err(Refusal::error(message, "model", code));
    };
    known(backend, model)?;
    match backend {
        Backend::Subscription => subscription(&body)?,
        Backend::Api => api(&body)?,
    }
    lengths(request, &body)?;
    shape::check(backend, request, &body, &models.facts(model))?;
    let items = body["input"].as_array().map_or(&[][..], Vec::as_slice);
    pairs(items)?;
    compaction::check(items)?;
    outputs(items)?;
    seals(items)?;
    reasoning(items, ids)?;
    updates(model, items, &models.facts(model))?;
    Ok(body)
}

fn encoding(request: &Recorded) -> Result<(), Refusal> {
    match request.header("content-encoding") {
        None | Some("identity") => Ok(()),
        Some(other) => {
            let message = format!("The stand-in reads no {other} bodies: send it plain.");
            let error = json!({"message": message, "type": "invalid_request_error",
                "param": null, "code": "unsupported_content_encoding"});
            Err(Refusal::new(415, &json!({ "error": error })))
        }
    }
}

/// A model that ends in `-missing` does not exist; all others do.
fn known(backend: Backend, model: &str) -> Result<(), Refusal> {
    if !model.ends_with("-missing") {
        return Ok(());
    }
    Err(match backend {
        Backend::Subscription => Refusal::detail(&format!(
            "The '{model}' model is not supported when using Codex with a ChatGPT account."
        )),
        Backend::Api => {
            let message =
                format!("The model `{model}` does not exist or you do not have access to it.");
            let error = json!({"message": message, "type": "invalid_request_error",
                "param": null, "code": "model_not_found"});
            Refusal::new(404, &json!({ "error": error }))
        }
    })
}

fn subscription(body: &Value) -> Result<(), Refusal> {
    if body["store"] != false {
        return Err(Refusal::detail("Store must be set to false"));
    }
    if body["stream"] != true {
        return Err(Refusal::detail("Stream must be set to true"));
    }
    for name in UNSUPPORTED {
        if body.get(name).is_some() {
            let sentence = format!("Unsupported parameter: {name}");
            return Err(Refusal::detail(&sentence));
        }
    }
    let Some(items) = body["input"].as_array() else {
        return Err(Refusal::detail("Input must be a list"));
    };
    if items.iter().any(|item| item["role"] == "system") {
        return Err(Refusal::detail("System messages are not allowed"));
    }
    let instructions = body["instructions"].as_str().unwrap_or_default();
    let is_developer =
        |item: &Value| item["role"] == "developer" && item["type"] != "additional_tools";
    if instructions.is_empty() && !items.iter().any(is_developer) {
        return Err(Refusal::detail("Instructions are required"));
    }
    Ok(())
}

fn api(body: &Value) -> Result<(), Refusal> {
    if body["stream"] != true {
        let message = "The stand-in only streams: set 'stream' to true.";
        return Err(Refusal::error(message, "stream", None));
    }
    if let Some(id) = body["previous_response_id"].as_str() {
        let message = format!("Previous response with id '{id}' not found.");
        let code = Some("previous_response_not_found");
        return Err(Refusal::error(&message, "previous_response_id", code));
    }
    match &body["input"] {
        Value::Array(_) | Value::String(_) => Ok(()),
        Value::Null => Err(Refusal::error(
            "Missing required parameter: 'input'.",
            "input",
            Some("missing_required_parameter"),
        )),
        _ => Err(Refusal::error(
            "Invalid type for 'input': expected a string or an array of objects.",
            "input",
            Some("invalid_type"),
        )),
    }
}

fn lengths(request: &Recorded, body: &Value) -> Result<(), Refusal> {
    let sent = [
        ("session-id", request.header("session-id")),
        ("prompt_cache_key", body["prompt_cache_key"].as_str()),
    ];
    for (name, value) in sent {
        let length = value.unwrap_or_default().chars().count();
        if length > LONGEST_ID {
            let message = format!(
                "Invalid '{name}': string too long. Expected a string with maximum length \
                 {LONGEST_ID}, but got a string with length {length} instead."
            );
            let code = Some("string_above_max_length");
            return Err(Refusal::error(&message, name, code));
        }
    }
    Ok(())
}

/// Every call has exactly one output after it, and every output a call before it. A call id may
/// be used again once its first call is answered.
fn pairs(items: &[Value]) -> Result<(), Refusal> {
    let refuse = |message: String| Err(Refusal::error(&message, "input", None));
    let mut open: HashMap<&str, (usize, &str)> = HashMap::new();
    let mut answered: HashSet<&str> = HashSet::new();
    for (place, item) in items.iter().enumerate() {
        let (words, is_output) = match item["type"].as_str().unwrap_or_default() {
            "function_call" => ("function call", false),
            "function_call_output" => ("function call", true),
            "custom_tool_call" => ("custom tool call", false),
            "custom_tool_call_output" => ("custom tool call", true),
            _ => continue,
        };
        let Some(id) = item["call_id"].as_str() else {
            return refuse(format!(
                "Missing required parameter: 'input[{place}].call_id'."
            ));
        };
        if is_output {
            if open.remove(id).is_some() {
                answered.insert(id);
            } else if answered.contains(id) {
                return refuse(format!("More than one tool output found for {words} {id}."));
            } else {
                return refuse(format!(
                    "No tool call found for {words} output with call_id {id}."
                ));
            }
        } else if open.insert(id, (place, words)).is_some() {
            return refuse(format!("No tool output found for {words} {id}."));
        }
    }
    let first = open.iter().min_by_key(|(_, (place, _))| *place);
    match first {
        Some((id, (_, words))) => refuse(format!("No tool output found for {words} {id}.")),
        None => Ok(()),
    }
}

/// An output is not blank (earendil-works/pi#8720). The message of the service is not known.
fn outputs(items: &[Value]) -> Result<(), Refusal> {
    let is_blank = |text: &Value| text.as_str().is_some_and(|text| text.trim().is_empty());
    for (place, item) in items.iter().enumerate() {
        let kind = item["type"].as_str().unwrap_or_default();
        if !matches!(kind, "function_call_output" | "custom_tool_call_output") {
            continue;
        }
        let blank = match item["output"].as_array() {
            Some(parts) => parts.is_empty() || parts.iter().any(|part| is_blank(&part["text"])),
            None => is_blank(&item["output"]),
        };
        if blank {
            let message =
                format!("Invalid 'input[{place}].output': expected text that is not blank.");
            return Err(Refusal::error(&message, "input", Some("invalid_value")));
        }
    }
    Ok(())
}

/// An item that names its id follows the reasoning that produced it (openai/codex#33044), and reasoning is encrypted,
/// since nothing is stored.
fn reasoning(items: &[Value], ids: &id::Ids) -> Result<(), Refusal> {
    let mut there: HashSet<&str> = HashSet::new();
    for item in items {
        let id = item["id"].as_str().unwrap_or_default();
        if item["type"] == "reasoning" {
            if item["encrypted_content"].as_str().is_none_or(str::is_empty) {
                let message = format!(
                    "Item with id '{id}' not found. Items are not persisted when `store` is set to false. \
                     Try again with `store` set to true, or remove this item from your input."
                );
                let error = json!({"message": message, "type": "invalid_request_error",
                    "param": "input", "code": null});
                return Err(Refusal::new(404, &json!({ "error": error })));
            }
            there.insert(id);
            continue;
        }
        let needed = ids.reasoning_of(id);
        if let Some(needed) = needed.filter(|needed| !there.contains(&**needed)) {
            let kind = item["type"].as_str().unwrap_or_default();
            let message = format!(
                "Item '{id}' of type '{kind}' was provided without its required 'reasoning' item: '{needed}'."
            );
            return Err(Refusal::error(&message, "input", None));
        }
    }
    Ok(())
}

/// Within a conversation the effort may change only if the model's entry in the list allows it.
fn updates(model: &str, items: &[Value], facts: &Facts) -> Result<(), Refusal> {
    for item in items {
        if item["type"] != "configuration_update" {
            continue;
        }
        if !facts.effort_updates {
            let message = "Invalid value: 'configuration_update'.";
            return Err(Refusal::error(message, "input", Some("invalid_value")));
        }
        shape::effort(model, &item["reasoning"]["effort"], facts)?;
    }
    Ok(())
}

/// Encrypted reasoning of the stand-in is sent back byte for byte; that of other services is not checked.
fn seals(items: &[Value]) -> Result<(), Refusal> {
    for item in items {
        let Some(content) = item["encrypted_content"].as_str() else {
            continue;
        };
        if content.starts_with(id::SEAL) && !id::is_sealed(content) {
            let ends: Vec<char> = content.chars().collect();
            let first: String = ends.iter().take(4).collect();
            let last: String = ends.iter().skip(ends.len().saturating_sub(4)).collect();
            let message = format!("The encrypted content {first}...{last} could not be verified.");
            let code = Some("invalid_encrypted_content");
            return Err(Refusal::error(&message, "input", code));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kinds: &str, complaint: &str) {
        let item = |word: &str| {
            let (kind, id) = word.split_at(1);
            let kind = match kind {
                "c" => "function_call",
                "C" => "custom_tool_call",
                "o" => "function_call_output",
                _ => "custom_tool_call_output",
            };
            json!({"type": kind, "call_id": id})
        };
        let items: Vec<Value> = kinds.split_whitespace().map(item).collect();
        let said = pairs(&items).map_or_else(|refusal| refusal.body, |()| String::new());
        assert!(said.contains(complaint), "{kinds}: {said}");
        assert_eq!(said.is_empty(), complaint.is_empty(), "{kinds}: {said}");
    }

    #[test]
    fn an_output_must_not_be_blank() {
        let check = |output: Value, blank: bool| {
            let item = json!({"type": "function_call_output", "call_id": "1", "output": output});
            assert_eq!(outputs(&[item]).is_err(), blank, "{output}");
        };
        check(json!(""), true);
        check(json!(" \n\t"), true);
        check(json!(" x"), false);
        check(json!([]), true);
        check(json!([{"type": "input_text", "text": "\n"}]), true);
        check(
            json!([{"type": "input_image", "image_url": "data:x"}]),
            false,
        );
    }

    #[test]
    fn an_id_requires_its_reasoning() {
        let ids = id::Ids::default();
        let done = |item: Value| {
            let event = json!({"type": "response.output_item.done", "item": item});
            format!("data: {event}\n\n")
        };
        let thought = json!({"type": "reasoning", "id": "rs_1", "encrypted_content": "g"});
        let message = json!({"type": "message", "id": "msg_1", "role": "assistant"});
        let answer = done(thought.clone()) + &done(message.clone());
        ids.answered(answer.as_bytes());
        let said = |items: &[Value]| {
            reasoning(items, &ids).map_or_else(|refusal| refusal.body, |()| String::new())
        };
        assert_eq!(said(&[thought.clone(), message.clone()]), "");
        assert_eq!(said(&[json!({"type": "message", "role": "assistant"})]), "");
        assert!(said(&[message, thought]).contains(
            "Item 'msg_1' of type 'message' was provided without its required 'reasoning' item: 'rs_1'."
        ));
        let unsealed = json!({"type": "reasoning", "id": "rs_1", "summary": []});
        assert!(said(&[unsealed]).contains("Item with id 'rs_1' not found."));
    }

    #[test]
    fn calls_and_outputs_must_come_in_pairs() {
        check("c1 o1 c2 o2", "");
        check("c1 C2 O2 o1", "");
        check("c1 o1 c1 o1", "");
        check("c1 c2 o1", "No tool output found for function call 2.");
        check("C1", "No tool output found for custom tool call 1.");
        check("c1 c1 o1 o1", "No tool output found for function call 1.");
        check("c1 o1 o1", "More than one tool output");
        check(
            "o1 c1",
            "No tool call found for function call output with call_id 1.",
        );
    }
}
