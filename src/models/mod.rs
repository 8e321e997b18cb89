//! The models: which exist, which are available with a credential, and what each supports. The built-in list is data
//! (`catalogue`); the service's list (`remote`, cached in `cache`) and the user's (`custom`) override it. Requested
//! settings are clamped to what the model supports (`clamp`).

pub mod cache;
pub mod catalogue;
pub mod choice;
pub mod clamp;
pub mod cost;
pub mod custom;
pub mod custom_ids;
pub mod model_override;
pub mod overlay;
pub mod price;
pub mod remote;

use serde::{Deserialize, Serialize};

use crate::wire::input::ImageSupport;
use crate::wire::request::Shape;
use price::Price;

/// The service that runs a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// The subscription backend, with a ChatGPT token.
    Subscription,
    /// The public API, with an API key.
    Api,
    /// Another server with the same protocol.
    Other,
}

impl Backend {
    /// Returns the backend of an API key at this host.
    #[must_use]
    pub fn of_key(host: &str) -> Self {
        let host = host.to_ascii_lowercase();
        // Regional projects have separate hosts, such as eu.api.openai.com.
        if host == "api.openai.com" || host.ends_with(".api.openai.com") {
            Self::Api
        } else {
            Self::Other
        }
    }

    /// Returns whether it is one of OpenAI's, which accept fields that other servers may not know.
    #[must_use]
    pub fn is_openai(self) -> bool {
        self != Self::Other
    }
}

/// A set of subscription plans, by the service's names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Plans {
    /// Only these.
    Only(Vec<String>),
    /// All but these.
    AllBut(Vec<String>),
}

impl Plans {
    /// Returns whether the set includes this plan.
    #[must_use]
    pub fn include(&self, plan: &str) -> bool {
        let names = |plans: &[String]| plans.iter().any(|name| name == plan);
        match self {
            Self::Only(plans) => names(plans),
            Self::AllBut(plans) => !names(plans),
        }
    }
}

/// The properties of a model. A setting for an unknown property is sent as requested.
#[allow(clippy::struct_excessive_bools)] // one for each property
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Model {
    /// Its id.
    pub id: String,
    /// Its display name.
    pub name: String,
    /// The recommended context window, in tokens.
    pub context: Option<u64>,
    /// The maximum context window in tokens, if larger.
    pub most_context: Option<u64>,
    /// The length from which on a conversation is compacted, in tokens, if the service recommends one.
    pub compact_at: Option<u64>,
    /// The maximum output, in tokens.
    pub output: Option<u64>,
    /// The effort levels that it supports.
    pub efforts: Option<Vec<String>>,
    /// The default effort.
    pub effort: Option<String>,
    /// The effort can be changed within a conversation by an item, which preserves the prompt cache.
    pub effort_updates: bool,
    /// The level that the official client uses for `ultra`, if not the highest.
    pub ultra: Option<String>,
    /// It does not reason.
    pub plain: bool,
    /// It does not support a reasoning summary.
    pub no_summary: bool,
    /// The default verbosity.
    pub verbosity: Option<String>,
    /// It does not support verbosity.
    pub no_verbosity: bool,
    /// It accepts text only.
    pub text_only: bool,
    /// It supports images in their original size.
    pub original: bool,
    /// It does not support parallel tool calls.
    pub one_call: bool,
    /// It expects tools in the input at the subscription backend; the service's catalogue calls that Responses Lite.
    pub lite: bool,
    /// The service tiers besides the default.
    pub tiers: Vec<String>,
    /// The price with an API key.
    pub price: Option<Price>,
    /// The subscription plans that include it, if known.
    pub plans: Option<Plans>,
    /// It is listed only on request.
    pub hidden: bool,
    /// It is retired; the service may refuse it.
    pub older: bool,
}

impl Model {
    /// Creates a model with nothing known but its id.
    #[must_use]
    pub fn unknown(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: id.to_owned(),
            ..Self::default()
        }
    }

    /// Returns whether the plan includes it; `true` if either is unknown.
    #[must_use]
    pub fn is_on(&self, plan: Option<&str>) -> bool {
        let (Some(plans), Some(plan)) = (&self.plans, plan) else {
            return true;
        };
        plans.include(plan)
    }

    /// Returns the maximum context window, in tokens.
    #[must_use]
    pub fn window(&self) -> Option<u64> {
        self.most_context.max(self.context)
    }

    /// Returns how images are sent.
    #[must_use]
    pub fn image_support(&self) -> ImageSupport {
        match (self.text_only, self.original) {
            (true, _) => ImageSupport::Refused,
            (_, true) => ImageSupport::Detail("original"),
            _ => ImageSupport::Detail("auto"),
        }
    }

    /// Returns the request shape at this backend. With an API key the public shape works for every model.
    #[must_use]
    pub fn shape(&self, backend: Backend) -> Shape {
        match (backend, self.lite) {
            (Backend::Subscription, true) => Shape::Additional,
            _ => Shape::Classic,
        }
    }
}

/// Finds a model by id.
#[must_use]
pub fn find<'a>(models: &'a [Model], id: &str) -> Option<&'a Model> {
    models.iter().find(|model| model.id == id)
}

/// Finds a model by id, or creates one with nothing known but its id.
#[must_use]
pub fn find_or_unknown(models: &[Model], id: &str) -> Model {
    let found = find(models, id).cloned();
    found.unwrap_or_else(|| Model::unknown(id))
}

/// Returns the candidates for the default model, in order of preference: listed, not retired and, if any are,
/// included in the plan.
#[must_use]
pub fn defaults<'a>(models: &'a [Model], plan: Option<&str>) -> Vec<&'a Model> {
    let shown = models.iter().filter(|model| !model.hidden && !model.older);
    let shown: Vec<&Model> = shown.collect();
    let on_plan: Vec<&Model> = shown
        .iter()
        .copied()
        .filter(|model| model.is_on(plan))
        .collect();
    if on_plan.is_empty() { shown } else { on_plan }
}

/// Returns the preferred default model.
#[must_use]
pub fn preferred<'a>(models: &'a [Model], plan: Option<&str>) -> Option<&'a Model> {
    defaults(models, plan).first().copied()
}

/// Returns the model to use if the service does not have the first candidate. Other servers have different models,
/// and with an API key the replacement must not be more expensive.
#[must_use]
pub fn next_default<'a>(defaults: &[&'a Model], backend: Backend) -> Option<&'a Model> {
    let (first, others) = defaults.split_first()?;
    let costs_more = |model: &Model| match (&model.price, &first.price) {
        (Some(price), Some(first)) => price.input > first.input || price.output > first.output,
        (Some(_), None) | (None, _) => true,
    };
    let mut others = others.iter().copied();
    match backend {
        Backend::Subscription => others.next(),
        Backend::Api => others.find(|model| !costs_more(model)),
        Backend::Other => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_an_api_key_the_next_default_is_not_more_expensive() {
        let next = |backend| {
            let models = catalogue::of(backend);
            let next = next_default(&defaults(&models, None), backend);
            next.map(|model| model.id.clone())
        };
        let named = |id: &str| Some(id.to_owned());
        assert_eq!(next(Backend::Subscription), named("gpt-6.2-astra"));
        assert_eq!(next(Backend::Api), named("gpt-6.1-terra"));
        assert_eq!(next(Backend::Other), None);
        assert_eq!(next_default(&[], Backend::Subscription), None);
    }

    #[test]
    fn a_plan_without_models_still_has_a_default() {
        let model = |id: &str, plans: &[&str]| Model {
            plans: Some(Plans::Only(plans.iter().map(|&plan| plan.into()).collect())),
            ..Model::unknown(id)
        };
        let models = [model("a", &["pro"]), model("b", &["pro", "plus"])];
        let first = |plan| preferred(&models, plan).map(|model| &*model.id);
        assert_eq!(first(Some("plus")), Some("b"));
        assert_eq!((first(Some("new")), first(None)), (Some("a"), Some("a")));
    }
}
