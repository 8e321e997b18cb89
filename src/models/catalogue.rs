//! The built-in list of models, as data: the facts about each slug, from the official client's list and public price
//! lists. `catalogue.json` becomes constants when the program is compiled: the build script puts it into a call of `entries!`.

use super::price::{Long, Price};
use super::{Backend, Model, Plans};

/// An entry of the list.
#[derive(Clone, Copy)]
struct CatalogueEntry {
    id: &'static str,
    name: &'static str,
    output: u64,
    efforts: &'static [&'static str],
    effort: &'static str,
    effort_updates: bool,
    ultra: Option<&'static str>,
    verbosity: &'static str,
    inputs: &'static [&'static str],
    detail: Option<&'static str>,
    lite: bool,
    tiers: &'static [&'static str],
    price: Option<Price>,
    hidden: bool,
    /// Differences with a sign-in; absent if the model is not available with one.
    chatgpt: Option<AccessDifference>,
    /// Properties that apply with an API key; `None` if the model is not available with one.
    api: Option<AccessDifference>,
}

/// The properties that depend on the kind of credential.
#[derive(Clone, Copy)]
struct AccessDifference {
    context: u64,
    /// The maximum context window, if larger.
    most: Option<u64>,
    /// It accepts effort `none`.
    none: bool,
    /// The plans that do not include the model.
    not_on: &'static [&'static str],
    retired: bool,
}

const NO_ENTRY: CatalogueEntry = CatalogueEntry {
    id: "",
    name: "",
    output: 0,
    efforts: &[],
    effort: "",
    effort_updates: false,
    ultra: None,
    verbosity: "",
    inputs: &[],
    detail: None,
    lite: false,
    tiers: &[],
    price: None,
    hidden: false,
    chatgpt: None,
    api: None,
};
const NO_DIFFERENCE: AccessDifference = AccessDifference {
    context: 0,
    most: None,
    none: false,
    not_on: &[],
    retired: false,
};
const NO_PRICE: Price = Price {
    input: 0.0,
    cached: None,
    written: None,
    output: 0.0,
    long: None,
};
const NO_LONG_PRICE: Long = Long {
    input: 0.0,
    cached: 0.0,
    output: 0.0,
};

/// The constant of a JSON object: what its kind is without a key, and then each key of it.
macro_rules! object {
    ($empty:ident, $set:ident, {$($key:tt: $value:tt),*}) => {{
        let mut made = $empty;
        $($set!(made, $key, $value);)*
        made
    }};
}

macro_rules! entry {
    ($made:ident, "id", $value:tt) => {
        $made.id = $value
    };
    ($made:ident, "name", $value:tt) => {
        $made.name = $value
    };
    ($made:ident, "output", $value:tt) => {
        $made.output = $value
    };
    ($made:ident, "efforts", $value:tt) => {
        $made.efforts = &$value
    };
    ($made:ident, "effort", $value:tt) => {
        $made.effort = $value
    };
    ($made:ident, "effort_updates", $value:tt) => {
        $made.effort_updates = $value
    };
    ($made:ident, "ultra", $value:tt) => {
        $made.ultra = Some($value)
    };
    ($made:ident, "verbosity", $value:tt) => {
        $made.verbosity = $value
    };
    ($made:ident, "inputs", $value:tt) => {
        $made.inputs = &$value
    };
    ($made:ident, "detail", $value:tt) => {
        $made.detail = Some($value)
    };
    ($made:ident, "lite", $value:tt) => {
        $made.lite = $value
    };
    ($made:ident, "tiers", $value:tt) => {
        $made.tiers = &$value
    };
    ($made:ident, "hidden", $value:tt) => {
        $made.hidden = $value
    };
    ($made:ident, "price", $value:tt) => {
        $made.price = Some(object!(NO_PRICE, price, $value))
    };
    ($made:ident, "chatgpt", $value:tt) => {
        $made.chatgpt = Some(object!(NO_DIFFERENCE, difference, $value))
    };
    ($made:ident, "api", $value:tt) => {
        $made.api = Some(object!(NO_DIFFERENCE, difference, $value))
    };
}

macro_rules! difference {
    ($made:ident, "context", $value:tt) => {
        $made.context = $value
    };
    ($made:ident, "most", $value:tt) => {
        $made.most = Some($value)
    };
    ($made:ident, "none", $value:tt) => {
        $made.none = $value
    };
    ($made:ident, "not_on", $value:tt) => {
        $made.not_on = &$value
    };
    ($made:ident, "retired", $value:tt) => {
        $made.retired = $value
    };
}

macro_rules! price {
    ($made:ident, "input", $value:tt) => {
        $made.input = $value as f64
    };
    ($made:ident, "cached", $value:tt) => {
        $made.cached = Some($value as f64)
    };
    ($made:ident, "written", $value:tt) => {
        $made.written = Some($value as f64)
    };
    ($made:ident, "output", $value:tt) => {
        $made.output = $value as f64
    };
    ($made:ident, "long", $value:tt) => {
        $made.long = Some(object!(NO_LONG_PRICE, long, $value))
    };
}

macro_rules! long {
    ($made:ident, $key:tt, $value:tt) => { long!(@ $made, $key, $value as f64) };
    (@ $made:ident, "input", $value:expr) => { $made.input = $value };
    (@ $made:ident, "cached", $value:expr) => { $made.cached = $value };
    (@ $made:ident, "output", $value:expr) => { $made.output = $value };
}

macro_rules! entries {
    ([$($entry:tt),*]) => {
        /// The list.
        static ENTRIES: &[CatalogueEntry] = &[$(object!(NO_ENTRY, entry, $entry)),*];
    };
}

include!(concat!(env!("OUT_DIR"), "/catalogue.rs"));

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
    fn model(&self, backend: Backend) -> Option<Model> {
        let way = match backend {
            Backend::Subscription => self.chatgpt,
            Backend::Api | Backend::Other => self.api,
        }?;
        let none: &[&str] = if way.none { &["none"] } else { &[] };
        Some(Model {
            id: self.id.to_owned(),
            name: self.name.to_owned(),
            context: Some(way.context),
            most_context: way.most,
            output: Some(self.output),
            efforts: Some(owned(&[none, self.efforts].concat())),
            effort: Some(self.effort.to_owned()),
            effort_updates: self.effort_updates,
            ultra: self.ultra.map(str::to_owned),
            verbosity: Some(self.verbosity.to_owned()),
            text_only: !self.inputs.contains(&"image"),
            original: self.detail == Some("original"),
            lite: self.lite,
            tiers: owned(self.tiers),
            price: self.price,
            plans: (!way.not_on.is_empty()).then(|| Plans::AllBut(owned(way.not_on))),
            hidden: self.hidden,
            older: way.retired,
            ..Model::default()
        })
    }
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// Returns the models of a backend, in order of preference.
#[must_use]
pub fn of(backend: Backend) -> Vec<Model> {
    let models = ENTRIES.iter().map(|entry| entry.model(backend));
    models.flatten().collect()
}

/// Returns all models.
#[must_use]
pub fn all() -> Vec<Known> {
    let known = |entry: &CatalogueEntry| {
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
    ENTRIES.iter().filter_map(known).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::{find, preferred};

    #[test]
    fn every_entry_is_complete() {
        assert_eq!(ENTRIES.len(), 23);
        for entry in ENTRIES {
            let id = entry.id;
            let is_level = |effort: &&str| super::super::clamp::EFFORTS.contains(effort);
            assert!(entry.efforts.iter().all(is_level), "{id}");
            assert!(entry.efforts.contains(&entry.effort), "{id}");
            assert!(
                !entry.name.is_empty() && !entry.verbosity.is_empty(),
                "{id}"
            );
            assert!(entry.output > 0 && !entry.inputs.is_empty(), "{id}");
            let is_kind = |input: &&str| matches!(*input, "text" | "image");
            assert!(entry.inputs.iter().all(is_kind), "{id}");
            let ways = [&entry.chatgpt, &entry.api];
            let price = entry
                .price
                .map_or(1.0, |price| price.input.min(price.output));
            assert!(price > 0.0, "{id}");
            let ways: Vec<&AccessDifference> = ways.into_iter().flatten().collect();
            assert!(!ways.is_empty(), "{id}");
            for way in ways {
                assert!(way.context > 0, "{id}");
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
