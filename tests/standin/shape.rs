//! What a model requires of a request's body, with the messages of the services: Lite models use a
//! different shape than classic ones, and each accepts only certain efforts, images and lengths. Lite
//! models accept two forms: with the header of Lite and by its rules, as the official client (0.171.0)
//! sends it, or without it, but with tools and instructions in the input all the same, as `pi` (1.6.0)
//! does.
//!
//! On the public API either shape is accepted for every model. The API has no Lite, but the official
//! client (0.169.0) sends Lite models that shape to any configured address, including `/v1`, and the
//! stand-in is only useful if the real clients work with it.

use serde_json::{Value, json};

use super::check::Refusal;
use super::http::Recorded;
use super::models::Facts;
use super::route::Backend;
use super::stream;

/// The header that says `true` when the body is in the Lite shape.
pub(super) const LITE: &str = "x-openai-internal-codex-responses-lite";

/// The service's name of the shape.
const SHAPE: &str = "X-OpenAI-Internal-Codex-Responses-Lite";

/// Efforts that clients know and the protocol does not: they are sent as different ones.
const CLIENTS_OWN: &str = "ultra";

/// Checks an otherwise valid body against what its model accepts.
pub(super) fn check(
    backend: Backend,
    request: &Recorded,
    body: &Value,
    facts: &Facts,
) -> Result<(), Refusal> {
    let items = body["input"].as_array().map_or(&[][..], Vec::as_slice);
    if backend == Backend::Subscription {
        let says_lite = request
            .header(LITE)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"));
        match (facts.lite, says_lite) {
            (true, true) => lite(body, items)?,
            (true, false) if has_all_in_input(body) => lists(items)?,
            (true, false) => return Err(not_lite(body)),
            (false, true) => return Err(not_classic()),
            (false, false) if additional(items).next().is_some() => return Err(not_classic()),
            (false, false) => {}
        }
    }
    words(body, facts)?;
    if !facts.images && images(items).next().is_some() {
        let message = format!("The '{}' model does not support image inputs.", model(body));
        return Err(unsupported(&message, "input"));
    }
    window(body, items, facts)
}

/// Whether tools and instructions are items of the input, and only there.
fn has_all_in_input(body: &Value) -> bool {
    body["tools"].is_null() && body["instructions"].is_null()
}

/// A Lite request to a classic model. The message is that of openai/codex#30224, the rest of the
/// body those of Wei-Shaw/sub2api#4357.
fn not_classic() -> Refusal {
    let message = format!("This model is not supported when using {SHAPE}.");
    unsupported(&message, "model")
}

/// A classic request to a Lite model, for which the service has no message of its own. Luna is not
/// found at all (openai/codex#32528), the others lack part of the shape (earendil-works/pi#6516).
fn not_lite(body: &Value) -> Refusal {
    let model = model(body);
    if model.contains("luna") {
        let error = json!({"message": format!("Model not found {model}"),
            "type": "invalid_request_error", "param": "model", "code": null});
        return Refusal::new(404, &json!({ "error": error }));
    }
    all_turns(body).err().unwrap_or_else(|| {
        let message = format!("This model is only supported when using {SHAPE}.");
        unsupported(&message, "model")
    })
}

/// Tools in the input are in a developer item.
fn lists(items: &[Value]) -> Result<(), Refusal> {
    for list in additional(items) {
        if list["role"] != "developer" || !list["tools"].is_array() {
            let message = "Invalid 'input': 'additional_tools' has the role 'developer' and a \
                           list of tools.";
            return Err(Refusal::error(message, "input", Some("invalid_value")));
        }
    }
    Ok(())
}

/// The rules of the Lite shape.
fn lite(body: &Value, items: &[Value]) -> Result<(), Refusal> {
    lists(items)?;
    let lists = additional(items).map(|list| &list["tools"]);
    let mut tools = lists
        .chain([&body["tools"]])
        .filter_map(Value::as_array)
        .flatten();
    if !tools.all(is_client_run) {
        let message = format!(
            "{SHAPE} only supports function tools, custom tools, and client-executed tool search."
        );
        return Err(unsupported(&message, "tools"));
    }
    for name in ["tools", "instructions"] {
        if !body[name].is_null() {
            let message = format!("{SHAPE} requires `{name}` to be in `input`.");
            return Err(unsupported(&message, name));
        }
    }
    // A missing value counts as true, as on the API.
    if body["parallel_tool_calls"] != false {
        let message = format!("{SHAPE} requires `parallel_tool_calls` to be false.");
        return Err(unsupported(&message, "parallel_tool_calls"));
    }
    all_turns(body)?;
    for image in images(items) {
        if !image["detail"].is_null() {
            let message = format!("{SHAPE} does not support `detail` of images.");
            return Err(unsupported(&message, "input"));
        }
        let url = image["image_url"].as_str().unwrap_or_default();
        if url.starts_with("http://") || url.starts_with("https://") {
            let message = format!("{SHAPE} does not support remote image URLs.");
            return Err(unsupported(&message, "input"));
        }
    }
    Ok(())
}

fn all_turns(body: &Value) -> Result<(), Refusal> {
    if body["reasoning"]["context"] == "all_turns" {
        return Ok(());
    }
    let message = format!("{SHAPE} requires `reasoning.context` to be `all_turns`.");
    Err(unsupported(&message, "reasoning.context"))
}

/// Whether the client runs this tool, and all tools in it if it is a namespace.
fn is_client_run(tool: &Value) -> bool {
    match tool["type"].as_str() {
        Some("function" | "custom") => true,
        Some("tool_search") => tool["execution"] != "server",
        Some("namespace") => {
            let inner = tool["tools"].as_array();
            inner.is_some_and(|tools| tools.iter().all(is_client_run))
        }
        _ => false,
    }
}

/// An effort that the model accepts.
pub(super) fn effort(model: &str, value: &Value, facts: &Facts) -> Result<(), Refusal> {
    let (Some(effort), Some(efforts)) = (value.as_str(), &facts.efforts) else {
        return Ok(());
    };
    let efforts: Vec<&str> = efforts
        .iter()
        .map(String::as_str)
        .filter(|effort| *effort != CLIENTS_OWN)
        .collect();
    if efforts.contains(&effort) {
        return Ok(());
    }
    let message = format!(
        "Unsupported value: '{effort}' is not supported with the '{model}' model. Supported values \
         are: {}.",
        listed(&efforts)
    );
    Err(unsupported(&message, "reasoning.effort"))
}

/// A value from a short list.
fn words(body: &Value, facts: &Facts) -> Result<(), Refusal> {
    effort(model(body), &body["reasoning"]["effort"], facts)?;
    let fixed: [(&str, &str, &[&str]); 2] = [
        ("text", "verbosity", &["low", "medium", "high"]),
        ("reasoning", "summary", &["auto", "concise", "detailed"]),
    ];
    for (part, name, values) in fixed {
        let value = &body[part][name];
        if !value.is_null() && !values.iter().any(|known| value == known) {
            let value = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            let values = listed(values);
            let message = format!("Invalid value: '{value}'. Supported values are: {values}.");
            let param = format!("{part}.{name}");
            return Err(Refusal::error(&message, &param, Some("invalid_value")));
        }
    }
    Ok(())
}

/// An input that is longer than the context window. The tokens of an image do not depend on its bytes,
/// so images are skipped.
fn window(body: &Value, items: &[Value], facts: &Facts) -> Result<(), Refusal> {
    let Some(window) = facts.window else {
        return Ok(());
    };
    let pictures: usize = images(items)
        .filter_map(|image| image["image_url"].as_str())
        .map(str::len)
        .sum();
    let tokens = stream::tokens(body["input"].to_string().len().saturating_sub(pictures));
    if u64::try_from(tokens).unwrap_or(u64::MAX) <= window {
        return Ok(());
    }
    let message = "Your input exceeds the context window of this model. Please adjust your input \
                   and try again.";
    let code = Some("context_length_exceeded");
    Err(Refusal::error(message, "input", code))
}

fn model(body: &Value) -> &str {
    body["model"].as_str().unwrap_or_default()
}

/// The items that contain the tools of Lite requests.
fn additional(items: &[Value]) -> impl Iterator<Item = &Value> {
    items
        .iter()
        .filter(|item| item["type"] == "additional_tools")
}

/// The images in messages and in tool outputs.
fn images(items: &[Value]) -> impl Iterator<Item = &Value> {
    items
        .iter()
        .flat_map(|item| [&item["content"], &item["output"]])
        .filter_map(Value::as_array)
        .flatten()
        .filter(|part| part["type"] == "input_image")
}

/// `'a'`, `'a' and 'b'`, `'a', 'b', and 'c'`.
fn listed(values: &[&str]) -> String {
    let quoted: Vec<String> = values.iter().map(|value| format!("'{value}'")).collect();
    match quoted.as_slice() {
        [first, second] => format!("{first} and {second}"),
        [before @ .., last] if !before.is_empty() => format!("{}, and {last}", before.join(", ")),
        _ => quoted.concat(),
    }
}

fn unsupported(message: &str, param: &str) -> Refusal {
    Refusal::error(message, param, Some("unsupported_value"))
}

#[cfg(test)]
mod tests;
