//! Effort, summary and verbosity of a run: the values of flags, of a resumed conversation and of the list of models,
//! clamped to what the model supports.

use super::resumed_session::{self, ResumedSettings};
use crate::cli::flags::{Args, EFFORTS, SUMMARIES, VERBOSITIES};
use crate::cli::values::word_of;
use crate::failure::Failure;
use crate::models::choice::Choice;
use crate::models::clamp::{ClampedSettings, RequestedSettings, clamp};

/// The clamped settings. A resumed conversation keeps its effort if it
/// keeps its model.
pub(super) fn fitted(
    args: &Args,
    choice: &Choice,
    resumed: Option<&ResumedSettings>,
    pictures: usize,
) -> Result<ClampedSettings, Failure> {
    let model = &choice.model;
    if args
        .effort
        .as_deref()
        .is_some_and(|effort| effort == "ultra")
    {
        let highest = model.efforts.as_ref().and_then(|efforts| efforts.last());
        let level = model
            .ultra
            .as_ref()
            .or(highest)
            .map_or("max", String::as_str);
        return Err(Failure::usage(
            "ultra is not a model's effort: in the official client it means several agents at once, which codex-run does not support",
        )
        .hint(format!("for {} it sends {level}: use -e {level}", model.id)));
    }
    let asked = RequestedSettings {
        effort: kept_effort(args, choice, resumed).map_or_else(
            || word_of(args, "effort", args.effort.as_deref(), EFFORTS),
            |kept| Ok(Some(kept)),
        )?,
        summary: word_of(args, "summary", args.summary.as_deref(), SUMMARIES)?,
        verbosity: word_of(args, "verbosity", args.verbosity.as_deref(), VERBOSITIES)?,
        pictures,
        // Their defaults differ from those listed, and other servers may not know the words.
        defaults: choice.backend.is_openai(),
    };
    Ok(clamp(&asked, model))
}

/// The clamped settings of the fallback model. A question with pictures is not sent without them.
pub(super) fn instead(
    args: &Args,
    choice: Option<Choice>,
    pictures: usize,
) -> Result<Option<(Choice, ClampedSettings)>, Failure> {
    let sees = |choice: &Choice| pictures == 0 || !choice.model.text_only;
    let both = |choice: Choice| {
        let fitted = fitted(args, &choice, None, pictures)?;
        Ok((choice, fitted))
    };
    choice.filter(sees).map(both).transpose()
}

/// The effort of the resumed conversation, if it applies.
pub(super) fn kept_effort<'a>(
    args: &Args,
    choice: &Choice,
    resumed: Option<&'a ResumedSettings>,
) -> Option<&'a str> {
    let is_given = args.effort.is_some() && resumed_session::is_given(args, "effort");
    let resumed =
        resumed.filter(|resumed| resumed.model.as_ref() == Some(&choice.qualified_name()));
    resumed?.effort.as_deref().filter(|_| !is_given)
}
