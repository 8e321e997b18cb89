//! The built-in list of models, as data: what is known of each slug, from the official client's own list and from public
//! price lists.

use serde::Deserialize;

use super::price::Price;
use super::{Backend, Model};

const JSON: &str = include_str!("catalogue.json");

/// A line of the list.
#[allow(clippy::struct_excessive_bools)] // one for each word of the data
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    name: String,
    context: u64,
    /// The subscription backend takes this much, where that is more.
    most_context: Option<u64>,
    /// The public API takes this much, where that is more.
    api_context: Option<u64>,
    output: u64,
    efforts: Vec<String>,
    effort: String,
    /// With a key it can be told not to think at all.
    #[serde(default)]
    api_none: bool,
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
    uses: Vec<String>,
    #[serde(default)]
    hidden: bool,
    #[serde(default)]
    older: bool,
}

impl Entry {
    fn is_for(&self, backend: Backend) -> bool {
        let word = match backend {
            Backend::Subscription => "chatgpt",
            Backend::Api | Backend::Other => "api",
        };
        self.uses.iter().any(|used| used == word)
    }

    fn model(self, backend: Backend) -> Model {
        let subscription = backend == Backend::Subscription;
        let mut efforts = self.efforts;
        if self.api_none && !subscription {
            efforts.insert(0, "none".to_owned());
        }
        Model {
            id: self.id,
            name: self.name,
            context: Some(self.context),
            most_context: if subscription {
                self.most_context
            } else {
                self.api_context
            },
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
            hidden: self.hidden,
            // With a key the older ones are models like any other.
            older: self.older && subscription,
            ..Model::default()
        }
    }
}

fn entries() -> Vec<Entry> {
    // A test reads it as strictly as this.
    serde_json::from_str(JSON).unwrap_or_default()
}

/// The models that this backend has, the one that it prefers first.
#[must_use]
pub fn of(backend: Backend) -> Vec<Model> {
    let mine = entries().into_iter().filter(|entry| entry.is_for(backend));
    mine.map(|entry| entry.model(backend)).collect()
}

/// All models, and whether each can be used with a sign-in and with a key.
#[must_use]
pub fn all() -> Vec<(Model, bool, bool)> {
    let used = |entry: &Entry, backend| entry.is_for(backend);
    entries()
        .into_iter()
        .map(|entry| {
            let (chatgpt, api) = (
                used(&entry, Backend::Subscription),
                used(&entry, Backend::Api),
            );
            let backend = if chatgpt {
                Backend::Subscription
            } else {
                Backend::Api
            };
            (entry.model(backend), chatgpt, api)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::{find, preferred};

    #[test]
    fn every_entry_is_whole() {
        let entries: Vec<Entry> = serde_json::from_str(JSON).expect("the catalogue");
        assert_eq!(entries.len(), 21);
        for entry in entries {
            let id = &entry.id;
            assert!(entry.efforts.contains(&entry.effort), "{id}");
            assert!(
                entry
                    .efforts
                    .iter()
                    .all(|effort| super::super::fit::EFFORTS.contains(&&**effort)),
                "{id}"
            );
            assert!(
                entry
                    .inputs
                    .iter()
                    .all(|input| input == "text" || input == "image"),
                "{id}"
            );
            assert!(
                entry
                    .uses
                    .iter()
                    .all(|used| used == "chatgpt" || used == "api"),
                "{id}"
            );
            assert!(
                !entry.uses.is_empty()
                    && entry.most_context.is_none_or(|most| most > entry.context),
                "{id}"
            );
        }
    }

    #[test]
    fn backends_differ_in_what_they_have_and_take() {
        let (chatgpt, api) = (of(Backend::Subscription), of(Backend::Api));
        assert_eq!(
            preferred(&chatgpt).map(|model| &*model.id),
            Some("gpt-6.1-sol")
        );
        assert!(find(&api, "gpt-5.3-codex-spark").is_none());
        let spark = find(&chatgpt, "gpt-5.3-codex-spark").expect("it is there");
        assert!(spark.text_only && !spark.lite && spark.older);
        let window = |models: &[Model]| find(models, "gpt-5.5").and_then(Model::window);
        assert_eq!(
            (window(&chatgpt), window(&api)),
            (Some(272_000), Some(1_050_000))
        );
        assert_eq!(all().len(), 21);
        let updates = chatgpt.iter().filter(|model| model.effort_updates);
        let updates: Vec<&str> = updates.map(|model| &*model.id).collect();
        assert_eq!(updates, ["gpt-6.1-sol", "gpt-6-astra", "gpt-6.1-terra"]);
    }
}
