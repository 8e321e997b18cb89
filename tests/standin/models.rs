//! The lists of models: the API's short one and the subscription's long one with its `ETag`. Requests
//! are checked by `shape` against what the long list says about a model.

use std::sync::Mutex;

use serde_json::{Value, json};

use super::catalogue::{MODELS, Model};
use super::check::Refusal;
use super::http::Recorded;
use super::lock;
use super::reply::Reply;
use super::route::Backend;

/// The query parameter with the client's version.
const VERSION: &str = "client_version";

/// The current list. A test may replace it while the server runs.
pub(super) struct List(Mutex<Edition>);

struct Edition {
    number: u32,
    body: Value,
}

/// What a request may ask of one model.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) lite: bool,
    /// Its effort may change within a conversation.
    pub(super) effort_updates: bool,
    /// What it accepts; `None` means everything.
    pub(super) efforts: Option<Vec<String>>,
    pub(super) images: bool,
    /// The longest input, in tokens.
    pub(super) window: Option<u64>,
}

impl List {
    /// The given list, or the stand-in's own.
    pub(super) fn new(models: Option<Value>) -> Self {
        Self(Mutex::new(Edition {
            number: 1,
            body: body(models.unwrap_or_else(own)),
        }))
    }

    /// Replaces the list, under a new version.
    pub(super) fn replace(&self, models: Value) {
        let mut edition = lock(&self.0);
        edition.number += 1;
        edition.body = body(models);
    }

    /// The version of the list, in quotes.
    pub(super) fn etag(&self) -> String {
        etag(lock(&self.0).number)
    }

    /// The backend's list, or "not modified" to a client that has it.
    pub(super) fn answer(&self, backend: Backend, request: &Recorded) -> Reply {
        let edition = lock(&self.0);
        if backend == Backend::Api {
            let shown = entries(&edition.body).filter(|model| model["supported_in_api"] == true);
            let data: Vec<Value> = shown.map(short).collect();
            return Reply::json(200, &json!({"object": "list", "data": data}));
        }
        let etag = etag(edition.number);
        if request.header("if-none-match") == Some(&etag) {
            return Reply::status(304, &[("etag", &etag)], "");
        }
        Reply::json(200, &edition.body).header("etag", &etag)
    }

    /// What this model accepts according to the list. If the list does not say, the stand-in's own table
    /// applies, and a model in neither is classic and accepts everything.
    pub(super) fn facts(&self, slug: &str) -> Facts {
        let edition = lock(&self.0);
        let listed = entries(&edition.body).find(|model| model["slug"] == slug);
        let known = MODELS.iter().find(|model| model.slug == slug);
        let known = known.map(|model| long(0, model));
        let word = |key: &str| {
            let mut words = [listed, known.as_ref()].into_iter().flatten();
            words.find_map(|model| model.get(key).filter(|word| !word.is_null()))
        };
        let list = |key: &str| word(key).and_then(Value::as_array);
        let window = word("max_context_window").or_else(|| word("context_window"));
        Facts {
            lite: word("use_responses_lite") == Some(&Value::Bool(true)),
            effort_updates: word("supports_reasoning_effort_updates") == Some(&Value::Bool(true)),
            efforts: list("supported_reasoning_levels").map(|levels| {
                let names = levels.iter().filter_map(|level| level["effort"].as_str());
                names.map(str::to_owned).collect()
            }),
            images: list("input_modalities").is_none_or(|kinds| kinds.contains(&json!("image"))),
            window: window.and_then(Value::as_u64),
        }
    }
}

/// Clients send their version, in three numbers, because the service withholds models that are too
/// new for them; the stand-in withholds nothing. The first message is the service's
/// (miuuyy/codex-chatgpt-web#224). It also refuses anything but a version, with an unknown message.
pub(super) fn version(request: &Recorded) -> Result<(), Refusal> {
    let query = request.path.split_once('?').map_or("", |(_, query)| query);
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let message = match pairs.find(|(name, _)| *name == VERSION) {
        Some((_, version)) if is_version(version) => return Ok(()),
        Some((_, version)) => format!(
            "[{{'type': 'value_error', 'loc': ('query', '{VERSION}'), 'msg': 'Value error, not \
             MAJOR.MINOR.PATCH', 'input': '{version}'}}]"
        ),
        None => format!(
            "[{{'type': 'missing', 'loc': ('query', '{VERSION}'), 'msg': 'Field required', \
             'input': None}}]"
        ),
    };
    Err(Refusal::error(&message, "", None))
}

fn is_version(text: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    text.split('.').count() == 3 && text.split('.').all(is_number)
}

fn etag(number: u32) -> String {
    format!("\"standin-models-{number}\"")
}

/// A list of models is wrapped; anything else is sent unchanged.
fn body(models: Value) -> Value {
    match models {
        Value::Array(_) => json!({ "models": models }),
        other => other,
    }
}

fn entries(body: &Value) -> impl Iterator<Item = &Value> {
    body["models"].as_array().into_iter().flatten()
}

/// The stand-in's own list, in which every model has this context window.
pub(crate) fn with_window(tokens: u64) -> Value {
    let mut models = own();
    for model in models.as_array_mut().into_iter().flatten() {
        model["context_window"] = tokens.into();
        model["max_context_window"] = tokens.into();
    }
    models
}

fn own() -> Value {
    let all = MODELS.iter().enumerate();
    all.map(|(place, model)| long(place, model)).collect()
}

fn short(model: &Value) -> Value {
    json!({"id": model["slug"], "object": "model", "created": 1_780_000_000, "owned_by": "openai"})
}

fn long(place: usize, model: &Model) -> Value {
    let levels: Vec<Value> = model
        .efforts
        .iter()
        .map(|effort| json!({"effort": effort, "description": format!("{effort} effort")}))
        .collect();
    let inputs: &[&str] = if model.images {
        &["text", "image"]
    } else {
        &["text"]
    };
    let tiers: Vec<Value> = model
        .tiers
        .iter()
        .map(|id| json!({"id": id, "name": "Fast", "description": "Faster, and it costs more."}))
        .collect();
    json!({
        "slug": model.slug,
        "display_name": model.name,
        "description": format!("{} as the stand-in plays it.", model.name),
        "visibility": model.visibility,
        "priority": place,
        "supported_in_api": model.in_api,
        "context_window": model.context,
        "max_context_window": model.most_context,
        "auto_compact_token_limit": null,
        "effective_context_window_percent": 95,
        "default_reasoning_level": model.effort,
        "supported_reasoning_levels": levels,
        "supports_reasoning_effort_updates": model.effort_updates,
        "default_reasoning_summary": "none",
        "supports_reasoning_summary_parameter": true,
        "support_verbosity": true,
        "default_verbosity": model.verbosity,
        "input_modalities": inputs,
        "supports_parallel_tool_calls": true,
        "supports_image_detail_original": model.images,
        "use_responses_lite": model.lite,
        "prefer_websockets": false,
        "service_tiers": tiers,
        "default_service_tier": null,
        "truncation_policy": {"mode": "tokens", "limit": 10_000},
        "minimal_client_version": "0.1.0",
        "upgrade": null,
        "available_in_plans": model.plans,
        // These are not used here, but the official client reads no list without them.
        "experimental_supported_tools": [],
        "model_messages": {"instructions_template": "You help people in their terminal."},
        "shell_type": "shell_command",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(path: &str) -> String {
        let request = Recorded::get(path);
        version(&request).map_or_else(|refusal| refusal.body, |()| String::new())
    }

    #[test]
    fn the_list_requires_a_version_of_three_numbers() {
        for path in [
            "/models?client_version=0.169.0",
            "/models?a=b&client_version=0.0.0",
        ] {
            assert_eq!(said(path), "", "{path}");
        }
        assert!(said("/models").contains("Field required"));
        assert!(said("/models?version=1.2.3").contains("Field required"));
        for version in ["", "1.2", "1.2.3.4", "1.2.x", "v1.2.3", "1.2.3-beta"] {
            let path = format!("/models?client_version={version}");
            assert!(said(&path).contains("not MAJOR.MINOR.PATCH"), "{path}");
        }
    }

    #[test]
    fn every_model_has_one_row_and_its_default_effort() {
        for (place, model) in MODELS.iter().enumerate() {
            let first = MODELS.iter().position(|other| other.slug == model.slug);
            assert_eq!(first, Some(place), "{}", model.slug);
            assert!(model.efforts.contains(&model.effort), "{}", model.slug);
            assert!(model.context <= model.most_context, "{}", model.slug);
        }
    }

    #[test]
    fn the_list_overrides_the_table_and_unknown_models_accept_everything() {
        let list = List::new(None);
        let spark = list.facts("gpt-5.3-codex-spark");
        assert_eq!(
            (spark.lite, spark.images, spark.window),
            (false, false, Some(128_000))
        );
        assert!(list.facts("gpt-6.1-sol").lite);
        let stranger = list.facts("gpt-x");
        assert_eq!(
            (
                stranger.lite,
                stranger.images,
                stranger.window,
                stranger.efforts
            ),
            (false, true, None, None)
        );

        list.replace(json!([
            {"slug": "gpt-x", "use_responses_lite": true, "context_window": 1000},
            {"slug": "gpt-5.5", "supported_reasoning_levels": [{"effort": "max"}]},
        ]));
        let stranger = list.facts("gpt-x");
        assert_eq!((stranger.lite, stranger.window), (true, Some(1000)));
        let changed = list.facts("gpt-5.5");
        assert_eq!(changed.efforts, Some(vec!["max".to_owned()]));
        assert_eq!(changed.window, Some(272_000));
        assert!(list.facts("gpt-6.1-sol").lite, "it is not listed any more");
    }
}
