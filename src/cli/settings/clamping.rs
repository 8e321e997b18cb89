//! Effort, summary and verbosity of a run: the values of flags, of a resumed conversation and of the list of models,
//! clamped to what the model supports.

use super::resumed_session::{self, ResumedSettings};
use crate::cli::flags::{Args, EFFORTS, SUMMARIES, VERBOSITIES};
use crate::cli::values::word_of;
use crate::failure::Failure;
use crate::models::choice::Choice;
use crate::models::clamp::{ClampedSettings, RequestedSettings, clamp};

/// The clamped settings. A resumed conversation keeps its effort if it keeps its model.
pub(super) fn clamped(
    args: &Args,
    choice: &Choice,
    resumed: Option<&ResumedSettings>,
    images: usize,
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
            "effort ultra is not supported: in the official client it runs several agents at once",
        )
        .hint(format!(
            "the official client sends {level} to {}: use -e {level}",
            model.id
        )));
    }
    let asked = RequestedSettings {
        effort: kept_effort(args, choice, resumed).map_or_else(
            || word_of(args, "effort", args.effort.as_deref(), EFFORTS),
            |kept| Ok(Some(kept)),
        )?,
        summary: summary(args)?,
        verbosity: verbosity(args)?,
        images,
        // Defaults are sent only to OpenAI's services: other servers have different ones, and may not know these words.
        defaults: choice.backend.is_openai(),
    };
    Ok(clamp(&asked, model))
}

/// The requested reasoning summary.
pub(super) fn summary(args: &Args) -> Result<Option<&str>, Failure> {
    word_of(args, "summary", args.summary.as_deref(), SUMMARIES)
}

/// The requested verbosity.
pub(super) fn verbosity(args: &Args) -> Result<Option<&str>, Failure> {
    word_of(args, "verbosity", args.verbosity.as_deref(), VERBOSITIES)
}

/// The substitute model with its clamped settings; `None` if it does not accept the images, because a question is not sent
/// without its images.
pub(super) fn substitute(
    args: &Args,
    choice: Option<Choice>,
    images: usize,
) -> Result<Option<(Choice, ClampedSettings)>, Failure> {
    let sees = |choice: &Choice| images == 0 || !choice.model.text_only;
    let both = |choice: Choice| {
        let clamped = clamped(args, &choice, None, images)?;
        Ok((choice, clamped))
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
