//! The models of `--fallback-model`, or the one that replaces a default model that the service does not have.

use super::clamping;
use super::credentials::Credentials;
use super::endpoints::host;
use super::model::{ChosenModel, ModelScope, ModelSettings, ScopeInputs, find_substitute};
use super::model_switch::{check_price, model_switch};
use crate::agent::SubstituteAfter;
use crate::auth::FoundCredential;
use crate::cli::environment::Environment;
use crate::cli::flags::Args;
use crate::command::run::{ModelSwitch, OtherService, SubstituteModel};
use crate::failure::{Failure, Used};
use crate::models::choice::Choice;
use crate::prompt;

/// The same choice, without models that this service does not list: a user who names one means one of the first service.
/// `current` is the model that the conversation has moved to.
fn among_listed(switch: ModelSwitch, current: &Choice) -> ModelSwitch {
    let ModelSwitch { models, choose } = switch;
    let provider = current.provider.clone();
    let mut ids: Vec<String> = models.iter().map(|model| model.id.clone()).collect();
    ids.push(current.model.id.clone());
    ModelSwitch {
        models,
        choose: Box::new(move |name, effort| {
            let of_provider = provider.as_deref().and_then(|provider| {
                let id = name.strip_prefix(provider)?;
                id.strip_prefix('/')
            });
            if ids.iter().any(|id| id == of_provider.unwrap_or(name)) {
                return choose(name, effort);
            }
            Err(Failure::usage(format!(
                "cannot switch to the model {name}: the conversation has moved to another service, which does not list it"
            ))
            .hint("choose a model of that service, or begin a new conversation"))
        }),
    }
}

/// What substitutes depend on in addition.
pub(super) struct SubstituteInputs<'a> {
    /// The models of the first model's service.
    pub(super) scope: &'a ModelScope,
    pub(super) inputs: &'a ScopeInputs,
    /// Number of images.
    pub(super) images: usize,
    /// There can be several turns.
    pub(super) can_switch: bool,
}

/// The substitutes of a run.
#[derive(Default)]
pub(super) struct Substitutes {
    pub(super) models: Vec<SubstituteModel>,
    /// Notes about them.
    pub(super) notes: Vec<String>,
}

impl Substitutes {
    /// Finds the models of the flag. `default` is the one for a default model, which applies without the flag.
    pub(super) fn find(
        args: &Args,
        environment: &Environment,
        default: Option<Choice>,
        of: &SubstituteInputs<'_>,
    ) -> Result<Self, Failure> {
        let mut substitutes = Self::default();
        let Some(list) = &args.fallback_model else {
            let default = default.filter(|choice| check_price(args, choice).is_ok());
            let default = clamping::substitute(args, default, of.images)?;
            substitutes.models = default
                .into_iter()
                .map(|(choice, clamped)| SubstituteModel {
                    choice,
                    clamped,
                    after: SubstituteAfter::Missing,
                    service: None,
                })
                .collect();
            return Ok(substitutes);
        };
        let flag = args.named("fallback-model");
        let wrong = |what: String| {
            Failure::usage(what).hint("separate models by single commas, such as gpt-5.5,gpt-5.4")
        };
        let list = prompt::text(list, || format!("the list of {flag}"));
        let list = list.map_err(|error| wrong(error.to_string()))?;
        for name in list.split(',').map(str::trim) {
            if name.is_empty() {
                return Err(wrong(format!("{flag} has an empty entry")));
            }
            substitutes.add(name, args, environment, of)?;
        }
        Ok(substitutes)
    }

    fn add(
        &mut self,
        name: &str,
        args: &Args,
        environment: &Environment,
        of: &SubstituteInputs<'_>,
    ) -> Result<(), Failure> {
        let (chosen, other) = find_substitute(name, args, environment, of.scope, of.inputs)?;
        let ChosenModel {
            choice,
            endpoints,
            notes,
            ..
        } = chosen;
        check_price(args, &choice)?;
        let clamped = clamping::clamped(args, &choice, None, of.images)?;
        let notes = notes.iter().map(ToString::to_string);
        let service = match other {
            None => None,
            Some(ModelSettings {
                credentials, scope, ..
            }) => {
                let Credentials {
                    found,
                    sign_in_source,
                    warnings,
                    ..
                } = credentials;
                self.notes.extend(warnings);
                let store = sign_in_source.as_ref().map(|source| &source.store);
                let used = Used::of(&found, store, Some(host(&found, &endpoints)));
                let inputs = ScopeInputs {
                    found: found.clone(),
                    ..of.inputs.clone()
                };
                let switch = of.can_switch.then(|| model_switch(args, scope, inputs));
                let switch = switch.transpose()?;
                Some(OtherService {
                    model_switch: switch.map(|switch| among_listed(switch, &choice)),
                    found,
                    sign_in_source,
                    endpoints,
                    used,
                })
            }
        };
        self.notes.extend(notes);
        self.models.push(SubstituteModel {
            choice,
            clamped,
            after: SubstituteAfter::MissingOrBusy,
            service,
        });
        Ok(())
    }

    /// These credentials of the first model, and those for other services.
    pub(super) fn all_credentials(&self, first: &[FoundCredential]) -> Vec<FoundCredential> {
        let services = self
            .models
            .iter()
            .filter_map(|model| model.service.as_ref());
        let others = services.flat_map(|service| &service.found);
        first.iter().chain(others).cloned().collect()
    }
}
