//! The values that `codex __complete` offers to the completion scripts, from what is on this machine. What cannot be read is
//! left out.

use std::collections::HashSet;
use std::fmt::Write as _;

use super::model::models_json;
use super::tools::{manifests, variables};
use crate::cli::environment::Environment;
use crate::cli::flags::{CompletedKind, EFFORTS};
use crate::models::cache::CacheFile;
use crate::models::catalogue::{self, Availability};
use crate::models::custom::Provider;
use crate::models::custom_ids::listed_models;
use crate::models::overlay::apply_overrides;
use crate::models::{Backend, Model};
use crate::output::visible::line;
use crate::session::Sessions;
use crate::text::{first_characters, one_line};
use crate::tools::builtin::table::TOOLS;
use crate::tools::sensitive;

/// The number of conversations with a description. More would take longer than a person wants to wait for a key.
const MAX_DESCRIBED_SESSIONS: usize = 100;

/// The length of a description, in characters.
const MAX_DESCRIPTION_CHARACTERS: usize = 60;

/// A value, and what it is.
type Candidate = (String, String);

/// The values of this kind, each on a line with a tab and what it is, if that is known. Of a list, `word` is what is there
/// already: the values are the list with one more element.
pub(crate) fn candidates(kind: &str, word: &str, environment: &Environment) -> String {
    let Some(kind) = CompletedKind::ALL.into_iter().find(|of| of.name() == kind) else {
        return String::new();
    };
    let home = environment.home();
    let providers = models_json::providers(environment).unwrap_or_default();
    let models = || models(environment, &providers);
    let found = match kind {
        CompletedKind::Models | CompletedKind::ModelList => described(&models()),
        CompletedKind::ModelEfforts => with_efforts(&models(), word),
        CompletedKind::Sessions => home.map_or_else(Vec::new, |home| {
            Sessions::new(&home).beginnings(MAX_DESCRIBED_SESSIONS)
        }),
        CompletedKind::Tools => {
            let built_in = TOOLS.iter().map(|tool| (tool.name, tool.description));
            let built_in = built_in.map(|(name, is)| (name.to_owned(), is.to_owned()));
            let own = home.iter().flat_map(|home| manifests::names(home));
            built_in.chain(own).collect()
        }
        CompletedKind::Variables => {
            let mut names = variables::names(environment, &providers);
            names.sort_unstable();
            names
                .into_iter()
                .map(|name| (name, String::new()))
                .collect()
        }
    };
    lines(if kind.is_list() {
        in_list(word, found)
    } else {
        found
    })
}

/// The models that may be named: those of the service's last lists, of the built-in list, and of `models.json`.
fn models(environment: &Environment, providers: &[Provider]) -> Vec<Model> {
    let lists = CacheFile::hold(environment.home().as_deref()).read();
    let built_in = catalogue::all()
        .into_iter()
        .filter(|known| [known.chatgpt, known.api].contains(&Availability::Current));
    let listed = lists.models().cloned();
    let mut all: Vec<Model> = listed.chain(built_in.map(|known| known.model)).collect();
    for backend in [Backend::Subscription, Backend::Api] {
        apply_overrides(&mut all, backend, providers);
    }
    all.extend(listed_models(providers).map(|(id, listed)| {
        let mut model = listed.model.clone();
        if model.name == model.id {
            model.name.clone_from(&id);
        }
        Model { id, ..model }
    }));
    let mut seen = HashSet::new();
    all.retain(|model| seen.insert(model.id.clone()) && !model.hidden && !model.older);
    all
}

fn described(models: &[Model]) -> Vec<Candidate> {
    let model = |model: &Model| (model.id.clone(), model.name.clone());
    models.iter().map(model).collect()
}

/// The models, and the efforts of the one that a colon follows at the end of this word.
fn with_efforts(models: &[Model], word: &str) -> Vec<Candidate> {
    let mut all = described(models);
    let last = word.rsplit(',').next().unwrap_or_default();
    let named = last.rsplit_once(':').map_or(last, |(name, _)| name);
    let model = models
        .iter()
        .find(|model| model.id == named && named != last);
    let levels = |model: &Model| {
        let known = model.efforts.clone();
        known.unwrap_or_else(|| EFFORTS.iter().map(|&effort| effort.to_owned()).collect())
    };
    let levels = model.map(levels).unwrap_or_default().into_iter();
    all.extend(levels.map(|effort| (format!("{named}:{effort}"), String::new())));
    all
}

/// The list with each of these instead of its last element, without those that it has already: of a model, with any effort.
fn in_list(list: &str, found: Vec<Candidate>) -> Vec<Candidate> {
    fn name(element: &str) -> &str {
        match element.rsplit_once(':') {
            Some((name, effort)) if EFFORTS.contains(&effort) => name,
            _ => element,
        }
    }
    let before = list.rfind(',').map_or("", |at| &list[..=at]);
    let given: Vec<&str> = before.split(',').map(|part| name(part.trim())).collect();
    let found = found.into_iter();
    let new = found.filter(|(value, _)| !given.contains(&name(value)));
    new.map(|(value, is)| (format!("{before}{value}"), is))
        .collect()
}

/// The lines. A value that a shell would have to quote, and a description that may hold a credential, are left out.
fn lines(found: Vec<Candidate>) -> String {
    let is_plain = |value: &str| {
        let is_safe = |c: char| c.is_ascii_alphanumeric() || "-_.:/@+,=".contains(c);
        !value.is_empty() && value.chars().all(is_safe)
    };
    let mut text = String::new();
    for (value, is) in found.into_iter().filter(|(value, _)| is_plain(value)) {
        let is = Some(is).filter(|is| *is != value && !sensitive::value(is));
        let is = is.unwrap_or_default();
        let shown = is.chars().filter(|c| c.is_whitespace() || !c.is_control());
        let shown = one_line(&shown.collect::<String>());
        let first = first_characters(&shown, MAX_DESCRIPTION_CHARACTERS);
        let cut = if first.len() < shown.len() { "…" } else { "" };
        let _ = match first {
            "" => writeln!(text, "{value}"),
            first => writeln!(text, "{value}\t{}{cut}", line(first)),
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&str]) -> Vec<Candidate> {
        let candidate = |value: &&str| ((*value).to_owned(), String::new());
        values.iter().map(candidate).collect()
    }

    #[test]
    fn a_list_goes_on_with_what_it_does_not_have() {
        let check = |list: &str, expected: &[&str]| {
            let found = in_list(list, of(&["a", "b", "b:high", "s/m:8b"]));
            assert_eq!(found, of(expected), "{list}");
        };
        check("", &["a", "b", "b:high", "s/m:8b"]);
        check("a", &["a", "b", "b:high", "s/m:8b"]);
        check("a,", &["a,b", "a,b:high", "a,s/m:8b"]);
        check("b:low, s/m:8b,x", &["b:low, s/m:8b,a"]);
    }

    #[test]
    fn efforts_follow_a_colon() {
        let model = |id: &str, efforts: Option<&[&str]>| Model {
            efforts: efforts.map(|all| all.iter().map(|&effort| effort.to_owned()).collect()),
            ..Model::unknown(id)
        };
        let models = [model("a", Some(&["low", "max"])), model("s/m:8b", None)];
        let check = |list: &str, expected: &[&str]| {
            let found = with_efforts(&models, list).into_iter().skip(models.len());
            let values: Vec<String> = found.map(|(value, _)| value).collect();
            assert_eq!(values, expected, "{list}");
        };
        check("s/m:8b,a:", &["a:low", "a:max"]);
        check("a:l", &["a:low", "a:max"]);
        check("a", &[]);
        check("s/m:8b", &[]);
        let all = with_efforts(&models, "s/m:8b:").len();
        assert_eq!(all, models.len() + EFFORTS.len());
    }

    #[test]
    fn a_value_is_plain_and_its_description_on_one_line() {
        let check = |value: &str, is: &str, expected: &str| {
            let line = lines(vec![(value.to_owned(), is.to_owned())]);
            assert_eq!(line, expected, "{value:?} {is:?}");
        };
        check("a", "", "a\n");
        check("a", "a", "a\n");
        check("s/m:8b", "so\u{1b}[2J\r\nit\tis\0", "s/m:8b\tso[2J it is\n");
        check("a", "turn \u{202e}it", "a\tturn <U+202E>it\n");
        check("a", "use sk-invented-0123456789abcdef", "a\n");
        check("a", &"x".repeat(70), &format!("a\t{}…\n", "x".repeat(60)));
        for value in ["", "a b", "$(a)", "a;b", "'a'", "a\n", "\u{1b}a"] {
            check(value, "", "");
        }
    }
}
