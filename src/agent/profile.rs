//! The model and the request settings: everything that the requests of a conversation share, except its id, tools and items.

use crate::format::OutputSchema;
use crate::models::choice::Choice;
use crate::models::clamp::ClampedSettings;
use crate::models::{Backend, Model};
use crate::wire::request::{Function, RequestBody, RequestHead, Shape, WebSearch};

/// The model and its request settings.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The model.
    pub model: Model,
    /// Its provider in `models.json`, if it has one.
    pub provider: Option<String>,
    /// The backend that serves it.
    pub backend: Backend,
    /// The shape of the requests.
    pub shape: Shape,
    /// Other shapes, tried in this order if the service refuses the previous one.
    pub others: Vec<Shape>,
    /// The instructions (system prompt).
    pub instructions: String,
    /// Reasoning effort; the model's default if `None`.
    pub effort: Option<String>,
    /// Kind of reasoning summary; none if `None`.
    pub summary: Option<String>,
    /// Verbosity; the model's default if `None`.
    pub verbosity: Option<String>,
    /// Web search by the service.
    pub search: Option<WebSearch>,
    /// Maximum number of output tokens, for servers that require it.
    pub max_output: Option<u64>,
    /// The schema that the final message must match.
    pub format: Option<OutputSchema>,
}

impl Profile {
    /// The profile of a chosen model with clamped settings.
    #[must_use]
    pub fn new(choice: &Choice, clamped: &ClampedSettings, instructions: &str) -> Self {
        Self {
            model: choice.model.clone(),
            provider: choice.provider.clone(),
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

    /// Empty request bodies: one in the first shape, and one in each of the others.
    pub(super) fn bodies(
        &self,
        tools: &[Function<'_>],
        cache_key: &str,
    ) -> (RequestBody, Vec<RequestBody>) {
        let body = |shape: Shape| self.body(shape, tools, cache_key);
        let others = self.others.iter().map(|shape| body(*shape)).collect();
        (body(self.shape), others)
    }

    /// An empty request body in this shape.
    pub(super) fn body(
        &self,
        shape: Shape,
        tools: &[Function<'_>],
        cache_key: &str,
    ) -> RequestBody {
        RequestBody::new(&RequestHead {
            shape,
            model: &self.model.id,
            instructions: &self.instructions,
            tools,
            developer: self.backend.is_openai(),
            search: self.search,
            parallel: !self.model.one_call,
            reasons: !self.model.plain,
            effort: self.effort.as_deref(),
            summary: self.summary.as_deref(),
            verbosity: self.verbosity.as_deref(),
            max_output: self.max_output,
            images: self.model.image_support(),
            cache_key,
            format: self.format.as_ref().map(OutputSchema::json),
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A profile with defaults for tests.
    pub(in crate::agent) const PROFILE: fn() -> Profile = || Profile {
        model: Model::unknown("m"),
        provider: None,
        backend: Backend::Subscription,
        shape: Shape::Classic,
        others: Vec::new(),
        instructions: "i".to_owned(),
        effort: None,
        summary: None,
        verbosity: None,
        search: None,
        max_output: None,
        format: None,
    };
}
