//! The model that was named: by the flag, a resumed conversation, the variable or `config.json` (pure).

use std::fmt;

use super::super::resumed_session::{ResumedSettings, is_given};
use crate::cli::environment::Environment;
use crate::cli::flags::{Args, FlagOrigin};
use crate::failure::Failure;
use crate::id::ModelId;
use crate::prompt;

/// The example of a model id in messages.
pub(super) const EXAMPLE: &str = "gpt-6.2-sol";

/// The variable that names a model.
const VARIABLE: &str = "CODEX_MODEL";

/// Who named a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ModelOrigin {
    /// The flag, or its default in `config.json`.
    Flag(FlagOrigin),
    /// The environment variable.
    Variable,
    /// The resumed conversation.
    Conversation,
    /// The service's list of models, by its default.
    ServiceList,
    /// The built-in list of models.
    BuiltInList,
    /// The program, if no list has a default.
    Program,
}

impl fmt::Display for ModelOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(origin) => f.write_str(&origin.named("model")),
            Self::Variable => f.write_str(VARIABLE),
            Self::Conversation => f.write_str("the conversation"),
            Self::ServiceList => f.write_str("the service's list of models"),
            Self::BuiltInList => f.write_str("the built-in list of models"),
            Self::Program => f.write_str("the program"),
        }
    }
}

/// A model that was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NamedModel {
    pub(super) id: ModelId,
    pub(super) origin: ModelOrigin,
}

/// The named model, if any. A conversation keeps its model unless this run names another.
pub(super) fn named(
    args: &Args,
    environment: &Environment,
    resumed: Option<&ResumedSettings>,
) -> Result<Option<NamedModel>, Failure> {
    let names_another = args.model.is_some() && is_given(args, "model");
    let kept = resumed.and_then(|resumed| resumed.model.as_deref());
    let kept = kept.filter(|_| !names_another);
    if let Some(id) = kept.and_then(|model| model.parse().ok()) {
        let origin = ModelOrigin::Conversation;
        return Ok(Some(NamedModel { id, origin }));
    }
    let (origin, text) = match (args.model.as_deref(), environment.get(VARIABLE)) {
        (Some(text), _) => (ModelOrigin::Flag(args.origin("model")), text),
        (None, Some(text)) => (ModelOrigin::Variable, text),
        (None, None) => return Ok(None),
    };
    let wrong = |what: String| Failure::usage(what).hint(format!("for example: {EXAMPLE}"));
    let text = prompt::text(text, || format!("the model id of {origin}"))
        .map_err(|error| wrong(error.to_string()))?;
    let id = text
        .parse()
        .map_err(|error| wrong(format!("cannot use the model id of {origin}: {error}")))?;
    Ok(Some(NamedModel { id, origin }))
}
