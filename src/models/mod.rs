//! Which models there are, which of them a credential may use, and what each takes. The built-in list is data
//! (`catalogue`); the service's own list (`remote`, kept in `cache`) and the user's (`custom`) come over it. What was
//! asked for and is not taken is made what is (`fit`).

pub mod cache;
pub mod catalogue;
pub mod choice;
pub mod clamp;
pub mod custom;
pub mod custom_ids;
pub mod model_override;
pub mod overlay;
pub mod price;
pub mod remote;

use serde::{Deserialize, Serialize};

use crate::wire::input::Pictures;
use crate::wire::request::Shape;
use price::Price;

/// Where a model is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// The subscription's, with a ChatGPT token.
    Subscription,
    /// The public API, with a key.
    Api,
    /// A server of somebody else that speaks the same protocol.
    Other,
}

impl Backend {
    /// What answers keys at this host.
    #[must_use]
    pub fn of_key(host: &str) -> Self {
        let host = host.to_ascii_lowercase();
        // Projects that are bound to a region have a host of their own, such as eu.api.openai.com.
        if host == "api.openai.com" || host.ends_with(".api.openai.com") {
            Self::Api
        } else {
            Self::Other
        }
    }

    /// Whether it is one of OpenAI's, which take what other servers may not know.
    #[must_use]
    pub fn is_of_openai(self) -> bool {
        self != Self::Other
    }
}

/// Plans of a sign-in, by the names that the service has for them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Plans {
    /// These and no others.
    Only(Vec<String>),
    /// Every plan but these.
    AllBut(Vec<String>),
}

impl Plans {
    /// Whether this plan is one of them.
    #[must_use]
    pub fn include(&self, plan: &str) -> bool {
        let names = |plans: &[String]| plans.iter().any(|name| name == plan);
        match self {
            Self::Only(plans) => names(plans),
            Self::AllBut(plans) => !names(plans),
        }
    }
}

/// What is known of a model. What is not known is not there, and then what was asked for is sent as it is.
#[allow(clippy::struct_excessive_bools)] // one for each property
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Model {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// How many tokens it takes in, as its service would have it used.
    pub context: Option<u64>,
    /// How many tokens it takes in at most, where that is more.
    pub most_context: Option<u64>,
    /// How many tokens it gives out at most.
    pub output: Option<u64>,
    /// The levels of effort that it takes.
    pub efforts: Option<Vec<String>>,
    /// The one that it is asked with if nobody says otherwise.
    pub effort: Option<String>,
    /// Within a conversation it can be changed by an item, which leaves what is cached as it is.
    pub effort_updates: bool,
    /// The level that the official client makes of `ultra`, if that is not its highest.
    pub ultra: Option<String>,
    /// It does not think before it answers.
    pub plain: bool,
    /// It takes no word about how it sums up what it thinks.
    pub no_summary: bool,
    /// How many words it makes if nobody says otherwise.
    pub verbosity: Option<String>,
    /// It takes no word about how many words it makes.
    pub no_verbosity: bool,
    /// It takes text only.
    pub text_only: bool,
    /// It can be told to look at pictures in their original size.
    pub original: bool,
    /// It makes one call at a time.
    pub one_call: bool,
    /// It wants its tools in the input, at the subscription backend: the catalogue there calls that Responses Lite.
    pub lite: bool,
    /// The tiers of service that it can be had in, beside the ordinary one.
    pub tiers: Vec<String>,
    /// What it costs with a key.
    pub price: Option<Price>,
    /// The plans of a sign-in that include it, where that is known.
    pub plans: Option<Plans>,
    /// It is not shown to people who did not ask for everything.
    pub hidden: bool,
    /// Services may refuse it by now.
    pub older: bool,
}

impl Model {
    /// A model of which only the id is known.
    #[must_use]
    pub fn unknown(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: id.to_owned(),
            ..Self::default()
        }
    }

    /// Whether this plan includes it, as far as both are known.
    #[must_use]
    pub fn is_on(&self, plan: Option<&str>) -> bool {
        let (Some(plans), Some(plan)) = (&self.plans, plan) else {
            return true;
        };
        plans.include(plan)
    }

    /// The most tokens that it can take in.
    #[must_use]
    pub fn window(&self) -> Option<u64> {
        self.most_context.max(self.context)
    }

    /// How it takes pictures.
    #[must_use]
    pub fn pictures(&self) -> Pictures {
        match (self.text_only, self.original) {
            (true, _) => Pictures::Refused,
            (_, true) => Pictures::Detail("original"),
            _ => Pictures::Detail("auto"),
        }
    }

    /// The shape that it wants at this backend. With a key the public one is right for every model.
    #[must_use]
    pub fn shape(&self, backend: Backend) -> Shape {
        match (backend, self.lite) {
            (Backend::Subscription, true) => Shape::Additional,
            _ => Shape::Classic,
        }
    }
}

/// The model of this id in a list.
#[must_use]
pub fn find<'a>(models: &'a [Model], id: &str) -> Option<&'a Model> {
    models.iter().find(|model| model.id == id)
}

/// The model of this id in a list, or one of which nothing else is known.
#[must_use]
pub fn find_or_unknown(models: &[Model], id: &str) -> Model {
    let found = find(models, id).cloned();
    found.unwrap_or_else(|| Model::unknown(id))
}

/// The models of a list that may be asked though nobody has named them, the preferred one first: those that are shown and
/// not retired, and of these the ones that the plan includes, where it includes any.
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

/// The model that a list prefers.
#[must_use]
pub fn preferred<'a>(models: &'a [Model], plan: Option<&str>) -> Option<&'a Model> {
    defaults(models, plan).first().copied()
}

/// The model that is asked where the service does not have the first of these. Other servers have models of their own, and
/// with a key nothing dearer is bought than what was to be.
#[must_use]
pub fn next_default<'a>(defaults: &[&'a Model], backend: Backend) -> Option<&'a Model> {
    let (first, others) = defaults.split_first()?;
    let is_dearer = |model: &Model| match (&model.price, &first.price) {
        (Some(price), Some(first)) => price.input > first.input || price.output > first.output,
        (Some(_), None) | (None, _) => true,
    };
    let mut others = others.iter().copied();
    match backend {
        Backend::Subscription => others.next(),
        Backend::Api => others.find(|model| !is_dearer(model)),
        Backend::Other => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_one_is_no_dearer_where_that_is_paid_for() {
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
    fn a_plan_that_includes_nothing_is_no_reason_to_ask_nothing() {
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
