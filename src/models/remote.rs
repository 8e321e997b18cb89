//! The service's list of models, parsed as far as it is understood (pure). Unknown fields and values are ignored.

use serde_json::Value;

use super::{Model, Plans, find};
use crate::id::ModelId;

/// Maximum number of models.
const MAX_MODELS: usize = 500;

/// Parses the service's response on top of the known models; `None` if it is not such a list.
#[must_use]
pub fn parse(body: &[u8], known: &[Model]) -> Option<Vec<Model>> {
    let json: Value = serde_json::from_slice(body).ok()?;
    let list = json["models"].as_array()?;
    let mut found: Vec<(i64, Model)> = list
        .iter()
        .filter_map(|entry| {
            let id = entry["slug"].as_str()?;
            id.parse::<ModelId>().ok()?;
            let place = entry["priority"].as_i64().unwrap_or(i64::MAX);
            Some((place, model(id, entry, find(known, id))))
        })
        .collect();
    found.sort_by_key(|(place, _)| *place);
    found.truncate(MAX_MODELS);
    Some(found.into_iter().map(|(_, model)| model).collect())
}

/// Builds a model from the service's entry; properties missing there come from the known model.
fn model(id: &str, entry: &Value, known: Option<&Model>) -> Model {
    let mut model = known.cloned().unwrap_or_else(|| Model::unknown(id));
    let text = |key: &str| entry[key].as_str().map(str::to_owned);
    let list = |key: &str| entry[key].as_array();
    if let Some(name) = text("display_name") {
        model.name = name;
    }
    let tokens = |key: &str| entry[key].as_u64().filter(|count| *count > 0);
    if let Some(context) = tokens("context_window") {
        model.context = Some(context);
        model.most_context = tokens("max_context_window");
    }
    model.compact_at = tokens("auto_compact_token_limit");
    if let Some(levels) = list("supported_reasoning_levels") {
        let names = levels.iter().filter_map(|level| level["effort"].as_str());
        let names: Vec<String> = names
            .filter(|name| *name != "ultra")
            .map(str::to_owned)
            .collect();
        model.plain = names.is_empty();
        model.efforts = Some(names);
    }
    model.effort = text("default_reasoning_level").or(model.effort);
    model.ultra = text("multi_agent_reasoning_effort").or(model.ultra);
    if let Some(takes) = entry["supports_reasoning_summary_parameter"].as_bool() {
        model.no_summary = !takes;
    }
    if let Some(takes) = entry["support_verbosity"].as_bool() {
        model.no_verbosity = !takes;
        model.verbosity = text("default_verbosity").filter(|_| takes);
    }
    if let Some(inputs) = list("input_modalities") {
        model.text_only = !inputs.iter().any(|input| input == "image");
    }
    let flag = |key: &str, known: bool| entry[key].as_bool().unwrap_or(known);
    model.original = flag("supports_image_detail_original", model.original);
    model.one_call = !flag("supports_parallel_tool_calls", !model.one_call);
    model.effort_updates = flag("supports_reasoning_effort_updates", model.effort_updates);
    model.lite = flag("use_responses_lite", model.lite);
    if let Some(tiers) = list("service_tiers") {
        let ids = tiers.iter().filter_map(|tier| tier["id"].as_str());
        model.tiers = ids.map(str::to_owned).collect();
    }
    // The list is specific to this account and overrides the known plans.
    model.plans = list("available_in_plans")
        .filter(|plans| !plans.is_empty())
        .map(|plans| {
            let names = plans.iter().filter_map(Value::as_str);
            Plans::Only(names.map(str::to_owned).collect())
        });
    model.hidden = entry["visibility"]
        .as_str()
        .is_some_and(|word| word != "list");
    // The service has it.
    model.older = false;
    model
}

/// Returns the ids in a model list of the public API; `None` if it is not such a list.
#[must_use]
pub fn ids(body: &[u8]) -> Option<Vec<String>> {
    let json: Value = serde_json::from_slice(body).ok()?;
    let list = json["data"].as_array()?;
    let ids = list.iter().filter_map(|entry| entry["id"].as_str());
    let ids = ids.filter(|id| id.parse::<ModelId>().is_ok());
    Some(ids.take(MAX_MODELS).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::{Backend, catalogue, preferred};

    #[test]
    fn the_list_overrides_the_known_models() {
        let known = catalogue::of(Backend::Subscription);
        let body = br#"{"models":[
            {"slug":"gpt-5.5","priority":2,"visibility":"list","new":[1]},
            {"slug":"gpt-9","priority":1,"visibility":"list","display_name":"Nine","context_window":1000,
             "supported_reasoning_levels":[{"effort":"low"},{"effort":"beyond"},{"effort":"ultra"},7],
             "input_modalities":["text"],"use_responses_lite":true,"support_verbosity":false,
             "supports_reasoning_effort_updates":true,"available_in_plans":["plus","pro"]},
            {"slug":"gpt-5.3-codex","priority":"odd","visibility":"hide","supports_parallel_tool_calls":false},
            {"slug":""}, "odd"]}"#;
        let models = parse(body, &known).expect("a list");
        let ids: Vec<&str> = models.iter().map(|model| &*model.id).collect();
        assert_eq!(ids, ["gpt-9", "gpt-5.5", "gpt-5.3-codex"]);
        assert_eq!(
            preferred(&models, None).map(|model| &*model.name),
            Some("Nine")
        );
        assert_eq!(
            models[0].efforts,
            Some(vec!["low".to_owned(), "beyond".to_owned()])
        );
        assert!(models[0].text_only && models[0].lite && models[0].no_verbosity);
        assert!(models[0].effort_updates && !models[1].effort_updates);
        let first = |plan| preferred(&models, Some(plan)).map(|model| &*model.id);
        assert_eq!(
            (first("pro"), first("free")),
            (Some("gpt-9"), Some("gpt-5.5"))
        );
        assert_eq!(
            models[1].price,
            find(&known, "gpt-5.5").and_then(|model| model.price)
        );
        assert!(models[2].hidden && models[2].one_call && !models[2].older);
        for body in ["", "{}", "[]", r#"{"models":{}}"#] {
            assert_eq!(parse(body.as_bytes(), &known), None, "{body}");
        }
        assert_eq!(
            ids_of(r#"{"data":[{"id":"a"},{"id":7},{}]}"#),
            Some(vec!["a".to_owned()])
        );
        assert_eq!(ids_of(r#"{"models":[]}"#), None);
    }

    fn ids_of(body: &str) -> Option<Vec<String>> {
        ids(body.as_bytes())
    }
}
