//! The choice of another model or effort between the turns of a conversation.

use super::clamping;
use super::model::{ModelScope, ScopeInputs};
use crate::cli::flags::{Args, EFFORTS};
use crate::command::run::{ModelSwitch, SwitchedModel};
use crate::failure::Failure;
use crate::models::clamp::{RequestedSettings, clamp};

/// The choice among these models. Summary and verbosity stay as the flags set them.
pub(super) fn model_switch(
    args: &Args,
    scope: ModelScope,
    inputs: ScopeInputs,
) -> Result<ModelSwitch, Failure> {
    let summary = clamping::summary(args)?.map(str::to_owned);
    let verbosity = clamping::verbosity(args)?.map(str::to_owned);
    Ok(ModelSwitch {
        models: scope.models(&inputs),
        choose: Box::new(move |name, effort| {
            if let Some(effort) = effort.filter(|effort| !EFFORTS.contains(effort)) {
                return Err(
                    Failure::usage(format!("{effort:?} is not a reasoning effort"))
                        .hint(format!("use one of {}", EFFORTS.join(", "))),
                );
            }
            let chosen = scope.choose(name, &inputs)?;
            let requested = RequestedSettings {
                effort,
                summary: summary.as_deref(),
                verbosity: verbosity.as_deref(),
                images: 0,
                defaults: chosen.choice.backend.is_openai(),
            };
            let clamped = clamp(&requested, &chosen.choice.model);
            let notes = chosen.notes.iter().map(ToString::to_string);
            let notes = notes.chain(clamped.note()).collect();
            Ok(SwitchedModel {
                choice: chosen.choice,
                clamped,
                notes,
            })
        }),
    })
}
