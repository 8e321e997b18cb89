//! Which models there are, which of them a credential may use, and what each takes. The built-in list is data
//! (`catalogue`); the service's own list (`remote`, kept in `cache`) and the user's (`custom`) come over it. What was
//! asked for and is not taken is made what is (`fit`).

pub mod cache;
pub mod catalogue;
pub mod change;
pub mod choice;
pub mod custom;
pub mod fit;
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

/// The model that a list prefers: the first that is shown.
#[must_use]
pub fn preferred(models: &[Model]) -> Option<&Model> {
    models.iter().find(|model| !model.hidden && !model.older)
}
