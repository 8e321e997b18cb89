//! The settings of `codex chat`: those of a run, and what a screen needs in addition.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::time::Instant;

use super::account::login;
use super::credentials::SECRETS;
use super::endpoints::host;
use super::key_commands;
use super::model::models_json;
use super::run::run;
use crate::chat::event::ModelEntry;
use crate::cli::environment::Environment;
use crate::cli::flags::{Args, EFFORTS, SANDBOXES};
use crate::cli::terminal;
use crate::cli::values::word_of;
use crate::command::chat::{ChatSettings, UserPrograms, model_entry};
use crate::command::login::{LoginMethod, LoginSettings};
use crate::command::run::{ModelSwitch, RunSettings};
use crate::failure::{self, Failure, Used};
use crate::prompt;

/// The settings of `codex chat`.
pub(crate) fn chat(
    mut args: Box<Args>,
    environment: Environment,
    begun: Instant,
) -> Result<ChatSettings, Failure> {
    let settings = run(&args, &environment, begun)?;
    let used = used(&settings);
    let first = first(&args)?;
    let models = match &settings.model_switch {
        Some(switch) => models(&args, switch, &settings)?,
        None => Vec::new(),
    };
    let sandbox = word_of(&args, "sandbox", args.sandbox.as_deref(), SANDBOXES)?;
    let login = login(&args, &environment).map(|login| LoginSettings {
        method: LoginMethod::Device(None),
        ..login
    });
    let network = args.network || sandbox == Some("danger-full-access");
    let directory = shown(&settings.tools.directory, environment.get("HOME"));
    let has_screen = terminal::has_screen(&environment);
    let colors = terminal::has_colors(args.color.as_deref(), &environment);
    let programs = programs(&environment)?;
    // These belong to the first question, or to the first conversation.
    for list in [&mut args.image, &mut args.file, &mut args.words] {
        list.clear();
    }
    (args.resume, args.fork, args.last) = (None, None, false);
    Ok(ChatSettings {
        run: settings,
        used,
        reread: Box::new(move || {
            let settings = run(&args, &environment, begun)?;
            let used = self::used(&settings);
            Ok((settings, used))
        }),
        first,
        models,
        sandbox: sandbox.unwrap_or_default(),
        network,
        directory,
        login,
        has_screen,
        colors,
        programs,
    })
}

/// The credential of these settings.
fn used(settings: &RunSettings) -> Option<Used> {
    let store = settings.sign_in_source.as_ref().map(|source| &source.store);
    let host = host(&settings.found, &settings.endpoints);
    Used::of(&settings.found, store, Some(host))
}

/// The first question, if it is given.
fn first(args: &Args) -> Result<Option<String>, Failure> {
    let words = args.words.iter();
    let words = words.map(|word| prompt::text(word, || "the question".to_owned()));
    let words: Result<Vec<String>, prompt::Error> = words.collect();
    let text = words.map_err(|error| failure::of_prompt(&error))?.join(" ");
    Ok(Some(text).filter(|text| !text.trim().is_empty()))
}

/// The models to go through: those of the flag, or those that the credential can use. The one in use is among the latter.
fn models(
    args: &Args,
    switch: &ModelSwitch,
    settings: &RunSettings,
) -> Result<Vec<ModelEntry>, Failure> {
    let Some(list) = &args.models else {
        let current = &settings.choice.model;
        let listed = switch.models.iter();
        let listed = listed.filter(|model| !model.hidden && !model.older);
        let mut entries: Vec<ModelEntry> = listed.map(|model| model_entry(model, None)).collect();
        if entries.iter().all(|entry| entry.id != current.id) {
            entries.insert(0, model_entry(current, None));
        }
        return Ok(entries);
    };
    let mut entries: Vec<ModelEntry> = Vec::new();
    for part in list.to_string_lossy().split(',').map(str::trim) {
        let (name, effort) = match part.rsplit_once(':') {
            Some((name, effort)) if EFFORTS.contains(&effort) => (name, Some(effort)),
            _ => (part, None),
        };
        if name.is_empty() {
            let flag = args.named("models");
            return Err(Failure::usage(format!("{flag} has an empty entry"))
                .hint("separate models by single commas, such as gpt-5.5,gpt-5.4:high"));
        }
        let chosen = (switch.choose)(name, effort)?;
        let effort = chosen.clamped.effort.filter(|_| effort.is_some());
        let entry = model_entry(&chosen.choice.model, effort);
        if entries.iter().all(|other| other.id != entry.id) {
            entries.push(entry);
        }
    }
    Ok(entries)
}

/// A directory with `~` for the user's home.
fn shown(directory: &Path, home: Option<&OsStr>) -> String {
    let below = home.and_then(|home| directory.strip_prefix(home).ok());
    match below {
        Some(below) if below.as_os_str().is_empty() => "~".to_owned(),
        Some(below) => format!("~/{}", below.display()),
        None => directory.display().to_string(),
    }
}

/// The pager and the editor.
fn programs(environment: &Environment) -> Result<UserPrograms, Failure> {
    let first = |names: &[&str], otherwise: &str| {
        let found = names.iter().find_map(|name| environment.get(name));
        found.map_or_else(|| otherwise.into(), OsStr::to_owned)
    };
    let providers = models_json::providers(environment)?;
    let keys = providers.iter().filter_map(|provider| {
        let key = provider.api_key.as_deref()?;
        key_commands::variable(key, environment)
    });
    let secrets = SECRETS.iter().copied().chain(keys);
    Ok(UserPrograms {
        pager: first(&["PAGER"], "less"),
        editor: first(&["VISUAL", "EDITOR"], "vi"),
        secrets: secrets.map(OsString::from).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_shown_below_the_home() {
        let check = |directory: &str, home: Option<&str>, expected: &str| {
            assert_eq!(shown(Path::new(directory), home.map(OsStr::new)), expected);
        };
        check("/home/ada/x/y", Some("/home/ada"), "~/x/y");
        check("/home/ada", Some("/home/ada"), "~");
        check("/home/adam", Some("/home/ada"), "/home/adam");
        check("/srv", None, "/srv");
    }
}
