//! The built-in list of models, as data: the facts about each slug, from the official client's list and public price
//! lists.

use serde::Deserialize;

use super::price::Price;
use super::{Backend, Model, Plans};

const JSON: &str = include_str!("catalogue.json");

/// An entry of the list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CatalogueEntry {
    id: String,
    name: String,
    output: u64,
    efforts: Vec<String>,
    effort: String,
    #[serde(default)]
    effort_updates: bool,
    ultra: Option<String>,
    verbosity: String,
    inputs: Vec<String>,
    detail: Option<String>,
    #[serde(default)]
    lite: bool,
    tiers: Vec<String>,
    price: Option<Price>,
    #[serde(default)]
    hidden: bool,
    /// Differences with a sign-in; absent if the model is not available with one.
    chatgpt: Option<AccessDifference>,
    /// Properties that apply with an API key; `None` if the model is not available with one.
    api: Option<AccessDifference>,
}

/// The properties that depend on the kind of credential.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccessDifference {
    context: u64,
    /// The maximum context window, if larger.
    most: Option<u64>,
    /// It accepts effort `none`.
    #[serde(default)]
    none: bool,
    /// The plans that do not include the model.
    #[serde(default)]
    not_on: Vec<String>,
    #[serde(default)]
    retired: bool,
}

/// Whether a model is available with a kind of credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// Available.
    Current,
    /// Retired: it was available once, and the service may refuse it now.
    Retired,
    /// Never available.
    Never,
}

impl Availability {
    fn of(way: Option<&AccessDifference>) -> Self {
        match way {
            Some(way) if way.retired => Self::Retired,
            Some(_) => Self::Current,
            None => Self::Never,
        }
    }
}

/// A model of the list and its availability.
#[derive(Clone, Debug)]
pub struct Known {
    /// The model, with the properties for a sign-in if one can use it.
    pub model: Model,
    /// Availability with a sign-in.
    pub chatgpt: Availability,
    /// Availability with an API key.
    pub api: Availability,
}

impl CatalogueEntry {
    fn model(self, backend: Backend) -> Option<Model> {
        let way = match backend {
            Backend::Subscription => self.chatgpt,
            Backend::Api | Backend::Other => self.api,
        }?;
        let mut efforts = self.efforts;
        if way.none {
            efforts.insert(0, "none".to_owned());
        }
        Some(Model {
            id: self.id,
            name: self.name,
            context: Some(way.context),
            most_context: way.most,
            output: Some(self.output),
            efforts: Some(efforts),
            effort: Some(self.effort),
            effort_updates: self.effort_updates,
            ultra: self.ultra,
            verbosity: Some(self.verbosity),
            text_only: !self.inputs.iter().any(|input| input == "image"),
            original: self.detail.as_deref() == Some("original"),
            lite: self.lite,
            tiers: self.tiers,
            price: self.price,
            plans: (!way.not_on.is_empty()).then_some(Plans::AllBut(way.not_on)),
            hidden: self.hidden,
            older: way.retired,
            ..Model::default()
        })
    }
}

fn entries() -> Vec<CatalogueEntry> {
    // A test checks that it parses.
    serde_json::from_str(JSON).unwrap_or_default()
}

/// Returns the models of a backend, in order of preference.
#[must_use]
pub fn of(backend: Backend) -> Vec<Model> {
    let entries = entries().into_iter();
    entries.filter_map(|entry| entry.model(backend)).collect()
}

/// Returns all models.
#[must_use]
pub fn all() -> Vec<Known> {
    let known = |entry: CatalogueEntry| {
        let [chatgpt, api] = [&entry.chatgpt, &entry.api].map(|way| Availability::of(way.as_ref()));
        let backend = match chatgpt {
            Availability::Never => Backend::Api,
            Availability::Current | Availability::Retired => Backend::Subscription,
        };
        let model = entry.model(backend)?;
        Some(Known {
            model,
            chatgpt,
            api,
        })
    };
    entries().into_iter().filter_map(known).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::{find, preferred};

    #[test]
    fn every_entry_is_complete() {
        let entries: Vec<CatalogueEntry> = serde_json::from_str(JSON).expect("the catalogue");
        assert_eq!(entries.len(), 23);
        for entry in entries {
            let id = &entry.id;
            let is_level = |effort: &String| super::super::clamp::EFFORTS.contains(&&**effort);
            assert!(entry.efforts.iter().all(is_level), "{id}");
            assert!(entry.efforts.contains(&entry.effort), "{id}");
            let is_kind = |input: &String| input == "text" || input == "image";
            assert!(entry.inputs.iter().all(is_kind), "{id}");
            let ways = [&entry.chatgpt, &entry.api];
            let ways: Vec<&AccessDifference> = ways.into_iter().flatten().collect();
            assert!(!ways.is_empty(), "{id}");
            for way in ways {
                assert!(way.most.is_none_or(|most| most > way.context), "{id}");
            }
        }
    }

    #[test]
    fn backends_differ_in_their_models_and_limits() {
        let (chatgpt, api) = (of(Backend::Subscription), of(Backend::Api));
        let first = |models: &[Model], plan| preferred(models, plan).map(|model| model.id.clone());
        for plan in [None, Some("plus"), Some("a new one")] {
            assert_eq!(first(&chatgpt, plan).as_deref(), Some("gpt-6.2-sol"));
        }
        assert_eq!(
            first(&chatgpt, Some("free")).as_deref(),
            Some("gpt-6.1-terra")
        );
        assert_eq!(first(&api, None).as_deref(), Some("gpt-6.2-sol"));
        assert!(find(&api, "gpt-5.3-codex-spark").is_none());
        let spark = find(&chatgpt, "gpt-5.3-codex-spark").expect("it is there");
        assert!(spark.text_only && !spark.lite && spark.older);
        let window = |models: &[Model], id| find(models, id).and_then(Model::window);
        assert_eq!(window(&chatgpt, "gpt-5.5"), Some(272_000));
        assert_eq!(window(&api, "gpt-5.5"), Some(1_050_000));
        let usual = |models: &[Model], id| find(models, id).and_then(|model| model.context);
        assert_eq!(usual(&chatgpt, "gpt-6.2-sol"), Some(500_000));
        assert_eq!(usual(&api, "gpt-6.2-sol"), Some(272_000));
        let updates = chatgpt.iter().filter(|model| model.effort_updates);
        let updates: Vec<&str> = updates.map(|model| &*model.id).collect();
        assert_eq!(
            updates,
            [
                "gpt-6.2-sol",
                "gpt-6.2-astra",
                "gpt-6.1-terra",
                "gpt-6.1-sol",
                "gpt-6-astra"
            ]
        );
    }

    #[test]
    fn a_model_can_be_retired_for_only_one_kind_of_credential() {
        use Availability::{Current, Never, Retired};
        let all = all();
        assert_eq!(all.len(), 23);
        let check = |id: &str, standing| {
            let known = all.iter().find(|known| known.model.id == id).expect(id);
            assert_eq!((known.chatgpt, known.api), standing, "{id}");
        };
        check("gpt-6.2-sol", (Current, Current));
        check("gpt-5.5", (Current, Current));
        check("gpt-5.3-codex-spark", (Retired, Never));
        for id in [
            "gpt-5.4",
            "gpt-5.4-mini",
            "gpt-5.3-codex",
            "gpt-5.2",
            "gpt-5.2-codex",
            "gpt-5.1",
            "gpt-5.1-codex-max",
            "gpt-5.1-codex-mini",
        ] {
            check(id, (Retired, Current));
        }
    }
}
