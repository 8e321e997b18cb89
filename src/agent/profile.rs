//! How a model is asked: all that its requests have in common but their shape, their tools and the conversation.

use crate::format::OutputSchema;
use crate::models::choice::Choice;
use crate::models::clamp::ClampedSettings;
use crate::models::{Backend, Model};
use crate::wire::request::{Function, RequestBody, RequestHead, Shape, WebSearch};

/// How a model is asked.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The model.
    pub model: Model,
    /// Where it is asked.
    pub backend: Backend,
    /// The shape of the requests.
    pub shape: Shape,
    /// The shapes that are tried in this order where the service refuses the one before.
    pub others: Vec<Shape>,
    /// Who it is to be.
    pub instructions: String,
    /// How much it is to think; its own default if not given.
    pub effort: Option<String>,
    /// How it is to sum up what it thinks; not at all if not given.
    pub summary: Option<String>,
    /// How many words it is to make; its own default if not given.
    pub verbosity: Option<String>,
    /// How the service may search the web.
    pub search: Option<WebSearch>,
    /// The most tokens of an answer, where the server has to be told.
    pub max_output: Option<u64>,
    /// What the last message must match.
    pub format: Option<OutputSchema>,
}

impl Profile {
    /// The model that was chosen, which thinks and writes as clamped.
    #[must_use]
    pub fn new(choice: &Choice, clamped: &ClampedSettings, instructions: &str) -> Self {
        Self {
            model: choice.model.clone(),
            backend: choice.backend,
            shape: choice.shape,
            others: choice.others.clone(),
            instructions: instructions.to_owned(),
            effort: clamped.effort.clone(),
            summary: clamped.summary.clone(),
            verbosity: clamped.verbosity.clone(),
            search: None,
            max_output: choice.max_output,
            format: None,
        }
    }

    /// Bodies without an item: in its shape, and in the others that may be tried.
    pub(super) fn bodies(
        &self,
        tools: &[Function<'_>],
        cache_key: &str,
    ) -> (RequestBody, Vec<RequestBody>) {
        let body = |shape: Shape| {
            RequestBody::new(&RequestHead {
                shape,
                model: &self.model.id,
                instructions: &self.instructions,
                tools,
                developer: self.backend.is_of_openai(),
                search: self.search,
                parallel: !self.model.one_call,
                reasons: !self.model.plain,
                effort: self.effort.as_deref(),
                summary: self.summary.as_deref(),
                verbosity: self.verbosity.as_deref(),
                max_output: self.max_output,
                pictures: self.model.pictures(),
                cache_key,
                format: self.format.as_ref().map(OutputSchema::json),
            })
        };
        let others = self.others.iter().map(|shape| body(*shape)).collect();
        (body(self.shape), others)
    }
}
