//! Fallbacks for a request that the service refuses: a different request shape, no reasoning from earlier answers, a
//! different model. Each is tried once and reported as a warning.

use std::collections::VecDeque;
use std::sync::Arc;

use super::profile::Profile;
use crate::api;
use crate::failure::RunWarning;
use crate::wire::request::{Function, RequestBody, Shape};

/// Another model, for a conversation without an answer.
#[derive(Clone, Debug)]
pub struct Substitute {
    /// The model and its request settings.
    pub profile: Profile,
    /// A note for the user about settings that were clamped.
    pub note: Option<String>,
}

/// What the answers have shown about the model and its request shape.
#[derive(Clone, Debug, Default)]
pub struct Learned {
    /// The model that answered, if it is not the configured one.
    pub model: Option<String>,
    /// The request shape that was accepted, if it is not the one tried first.
    pub shape: Option<Shape>,
}

/// The change to a request that is repeated.
#[derive(Debug)]
pub(super) enum Changed {
    /// Its form, with the warning to report.
    Form(RunWarning),
    /// Its model, after this refusal.
    Model(Box<Substitute>, Box<api::Error>),
}

/// The fallbacks that are left.
#[derive(Debug)]
pub(super) struct Fallback {
    /// Empty bodies in the shapes that are not tried yet.
    others: VecDeque<RequestBody>,
    /// The substitute for a model that the service does not have.
    substitute: Option<PreparedSubstitute>,
    learned: Learned,
    /// The shape that is being tried.
    trying: Option<Shape>,
    /// "Model not found", which may be due to the shape. It is reported if no shape is accepted.
    not_found: Option<api::Error>,
    /// The service must search the web, which the Lite shape cannot express.
    searches: bool,
    /// Earlier reasoning was removed because the service could not decrypt it.
    without_reasoning: bool,
    /// Withheld reasoning was reported.
    withheld_reported: bool,
}

/// A substitute with its empty bodies.
#[derive(Debug)]
struct PreparedSubstitute {
    substitute: Substitute,
    body: RequestBody,
    others: Vec<RequestBody>,
}

impl Fallback {
    /// `others` are empty bodies in the other shapes.
    pub(super) fn new(others: Vec<RequestBody>, searches: bool) -> Self {
        Self {
            others: others.into(),
            substitute: None,
            learned: Learned::default(),
            trying: None,
            not_found: None,
            searches,
            without_reasoning: false,
            withheld_reported: false,
        }
    }

    /// Adds a substitute model.
    pub(super) fn with_substitute(
        mut self,
        substitute: Substitute,
        tools: &[Function<'_>],
        cache_key: &str,
    ) -> Self {
        let (body, others) = substitute.profile.bodies(tools, cache_key);
        self.substitute = Some(PreparedSubstitute {
            substitute,
            body,
            others,
        });
        self
    }

    /// What the answers have shown about the model and its request shape.
    pub(super) fn learned(&self) -> &Learned {
        &self.learned
    }

    /// Changes the body to the next form to try after this refusal. A different model is tried only if the answer has
    /// not begun.
    ///
    /// # Errors
    /// The refusal to report, if there is nothing left to try.
    pub(super) fn next(
        &mut self,
        error: api::Error,
        body: &mut Arc<RequestBody>,
        has_begun: bool,
    ) -> Result<Changed, api::Error> {
        if error.is_about_shape()
            && let Some(other) = self.others.pop_front()
        {
            let shape = other.shape();
            *body = Arc::new(body.with_head(other));
            self.trying = Some(shape);
            if error.is_about_model() {
                self.not_found.get_or_insert(error);
            }
            return Ok(Changed::Form(RunWarning::OtherShape(shape)));
        }
        // Another account or server may have encrypted it.
        if error.is_about_reasoning() && !self.without_reasoning {
            self.without_reasoning = true;
            Arc::make_mut(body).remove_reasoning();
            return Ok(Changed::Form(RunWarning::WithoutReasoning));
        }
        let error = match self.not_found.take() {
            Some(not_found) if error.is_about_request() => not_found,
            not_found => {
                self.not_found = not_found;
                error
            }
        };
        if error.is_about_model()
            && !has_begun
            && let Some(prepared) = self.substitute.take()
        {
            self.others = prepared.others.into();
            *body = Arc::new(body.with_head(prepared.body));
            self.trying = None;
            let substitute = Box::new(prepared.substitute);
            self.learned.model = Some(substitute.profile.model.id.clone());
            return Ok(Changed::Model(substitute, Box::new(error)));
        }
        Err(error)
    }

    /// Records that the service accepts the model and the shape, since an answer has arrived.
    pub(super) fn learn(&mut self) {
        (self.substitute, self.not_found) = (None, None);
        if let Some(shape) = self.trying.take() {
            self.learned.shape = Some(shape);
        }
    }

    /// Whether this refusal means that the request shape does not allow a web search.
    pub(super) fn forbids_search(&self, error: &api::Error) -> bool {
        self.searches && error.is_refused_shape()
    }

    /// Whether to report withheld reasoning, which is done once.
    pub(super) fn reports_withheld(&mut self) -> bool {
        !std::mem::replace(&mut self.withheld_reported, true)
    }
}
