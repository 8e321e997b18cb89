//! The choice of another model or effort between the turns of a conversation.

use super::clamping;
use super::model::{ModelScope, ScopeInputs};
use crate::cli::flags::{Args, EFFORTS};
use crate::command::run::{ModelSwitch, SwitchedModel};
use crate::failure::Failure;
use crate::models::choice::Choice;
use crate::models::clamp::{RequestedSettings, clamp};

/// The choice among these models. Summary and verbosity stay as the flags set them.
pub(super) fn model_switch(
    args: &Args,
    scope: ModelScope,
    inputs: ScopeInputs,
) -> Result<ModelSwitch, Failure> {
    let summary = clamping::summary(args)?.map(str::to_owned);
    let verbosity = clamping::verbosity(args)?.map(str::to_owned);
    let price_flag = price_flag(args);
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
            check(price_flag.as_deref(), &chosen.choice)?;
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

/// Rejects a model without a price if the cost is limited.
pub(super) fn check_price(args: &Args, choice: &Choice) -> Result<(), Failure> {
    check(price_flag(args).as_deref(), choice)
}

/// The flag that limits the cost, if it is given, as a message calls it.
fn price_flag(args: &Args) -> Option<String> {
    args.max_cost.as_ref().map(|_| args.named("max-cost"))
}

fn check(price_flag: Option<&str>, choice: &Choice) -> Result<(), Failure> {
    let Some(flag) = price_flag.filter(|_| choice.model.price.is_none()) else {
        return Ok(());
    };
    let name = choice.qualified_name();
    Err(Failure::usage(format!(
        "cannot apply {flag}: the price of {name} is not known"
    ))
    .hint("add its \"cost\" to models.json, use another model, or limit tokens with --max-tokens"))
}
