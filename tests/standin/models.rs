//! The lists of models: the API's short one and the subscription's long one with its `ETag`.

use serde_json::{Value, json};

use super::http::Recorded;
use super::reply::Reply;
use super::route::Backend;

/// The version of the subscription's list, in the quotes that belong to it.
const ETAG: &str = "\"standin-models-1\"";

/// What the two lists say of one model.
struct Model {
    slug: &'static str,
    name: &'static str,
    visibility: &'static str,
    in_api: bool,
    context: u64,
    most_context: u64,
    effort: &'static str,
    efforts: &'static [&'static str],
    images: bool,
    lite: bool,
}

const CLASSIC: &[&str] = &["low", "medium", "high", "xhigh"];
const LITE: &[&str] = &["low", "medium", "high", "xhigh", "max", "ultra"];

/// The first is the default, since a list's order is its priority.
const MODELS: &[Model] = &[
    Model {
        slug: "gpt-6.1-sol",
        name: "GPT-6.1 Sol",
        visibility: "list",
        in_api: true,
        context: 272_000,
        most_context: 872_000,
        effort: "low",
        efforts: LITE,
        images: true,
        lite: true,
    },
    Model {
        slug: "gpt-5.6-luna",
        name: "GPT-5.6 Luna",
        visibility: "list",
        in_api: true,
        context: 272_000,
        most_context: 872_000,
        effort: "medium",
        efforts: &["low", "medium", "high", "xhigh", "max"],
        images: true,
        lite: true,
    },
    Model {
        slug: "gpt-5.5",
        name: "GPT-5.5",
        visibility: "list",
        in_api: true,
        context: 272_000,
        most_context: 272_000,
        effort: "medium",
        efforts: CLASSIC,
        images: true,
        lite: false,
    },
    Model {
        slug: "gpt-5.3-codex-spark",
        name: "GPT-5.3 Codex Spark",
        visibility: "list",
        in_api: false,
        context: 128_000,
        most_context: 128_000,
        effort: "medium",
        efforts: CLASSIC,
        images: false,
        lite: false,
    },
    Model {
        slug: "codex-auto-review",
        name: "Codex Auto Review",
        visibility: "hide",
        in_api: false,
        context: 272_000,
        most_context: 872_000,
        effort: "low",
        efforts: LITE,
        images: true,
        lite: true,
    },
];

/// The backend's list, or "not modified" to a client that has it.
pub(super) fn list(backend: Backend, request: &Recorded) -> Reply {
    match backend {
        Backend::Api => {
            let shown = MODELS.iter().filter(|model| model.in_api);
            let data: Vec<Value> = shown.map(short).collect();
            Reply::json(200, &json!({"object": "list", "data": data}))
        }
        Backend::Subscription if request.header("if-none-match") == Some(ETAG) => {
            Reply::status(304, &[("etag", ETAG)], "")
        }
        Backend::Subscription => {
            let all = MODELS.iter().enumerate();
            let models: Vec<Value> = all.map(|(place, model)| long(place, model)).collect();
            Reply::json(200, &json!({ "models": models })).header("etag", ETAG)
        }
    }
}

fn short(model: &Model) -> Value {
    json!({"id": model.slug, "object": "model", "created": 1_780_000_000, "owned_by": "openai"})
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
        "default_reasoning_summary": "none",
        "supports_reasoning_summary_parameter": true,
        "support_verbosity": true,
        "default_verbosity": "low",
        "input_modalities": inputs,
        "supports_parallel_tool_calls": true,
        "supports_image_detail_original": model.images,
        "use_responses_lite": model.lite,
        "prefer_websockets": false,
        "service_tiers": [{"id": "priority", "name": "Fast"}],
        "default_service_tier": null,
        "truncation_policy": {"mode": "tokens", "limit": 10_000},
        "minimal_client_version": "0.1.0",
        "upgrade": null,
        "available_in_plans": ["plus", "pro", "business", "enterprise"],
    })
}
