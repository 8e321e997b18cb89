//! What is tried where the service refuses a request as it is: the conversation in another shape, without the reasoning of
//! earlier answers, or with another model. Each is tried once and said in a note.

use std::collections::VecDeque;
use std::sync::Arc;

use super::profile::Profile;
use crate::api;
use crate::failure::RunWarning;
use crate::wire::request::{Function, RequestBody, Shape};

/// Another model, for a conversation that has no answer yet, and how it is asked.
#[derive(Clone, Debug)]
pub struct Substitute {
    /// How it is asked.
    pub profile: Profile,
    /// What had to be changed of what was asked for, for people.
    pub note: Option<String>,
}

/// What answers have shown about the model and how it is asked.
#[derive(Clone, Debug, Default)]
pub struct Learned {
    /// The model that answered, where it is not the one that was to.
    pub model: Option<String>,
    /// The shape that turned out to be right, where it is not the one that was tried first.
    pub shape: Option<Shape>,
}

/// What has been changed in a request that is made again.
#[derive(Debug)]
pub(super) enum Changed {
    /// Its form, for this reason.
    Form(RunWarning),
    /// Its model, because of this refusal.
    Model(Box<Substitute>, Box<api::Error>),
}

/// What is left to try.
#[derive(Debug)]
pub(super) struct Fallback {
    /// Empty bodies in the shapes that were not tried yet.
    others: VecDeque<RequestBody>,
    /// What is asked instead of a model that the service does not have.
    instead: Option<Instead>,
    learned: Learned,
    /// The one that is being tried.
    trying: Option<Shape>,
    /// The service said that it does not have the model, which may be about the shape. It counts if no shape is right.
    not_found: Option<api::Error>,
    /// The service is to search the web, for which one shape has no room.
    searches: bool,
    /// The service could not read earlier reasoning, and is asked without it.
    without_reasoning: bool,
    /// It was said that the service keeps reasoning from the model.
    said_withheld: bool,
}

/// Another model, with its bodies without an item.
#[derive(Debug)]
struct Instead {
    substitute: Substitute,
    body: RequestBody,
    others: Vec<RequestBody>,
}

impl Fallback {
    /// `others` are bodies without an item in other shapes.
    pub(super) fn new(others: Vec<RequestBody>, searches: bool) -> Self {
        Self {
            others: others.into(),
            instead: None,
            learned: Learned::default(),
            trying: None,
            not_found: None,
            searches,
            without_reasoning: false,
            said_withheld: false,
        }
    }

    /// The same with another model to ask.
    pub(super) fn with(
        mut self,
        substitute: Substitute,
        tools: &[Function<'_>],
        cache_key: &str,
    ) -> Self {
        let (body, others) = substitute.profile.bodies(tools, cache_key);
        self.instead = Some(Instead {
            substitute,
            body,
            others,
        });
        self
    }

    /// What the answers have shown.
    pub(super) fn learned(&self) -> &Learned {
        &self.learned
    }

    /// Changes the body into what is to be tried now, if this refusal leaves something to try. Another model is tried only
    /// where the answer has not begun.
    ///
    /// # Errors
    /// When nothing is left to try: the refusal that counts.
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
        // Another account or server may have written it.
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
            && let Some(instead) = self.instead.take()
        {
            self.others = instead.others.into();
            *body = Arc::new(body.with_head(instead.body));
            self.trying = None;
            let substitute = Box::new(instead.substitute);
            self.learned.model = Some(substitute.profile.model.id.clone());
            return Ok(Changed::Model(substitute, Box::new(error)));
        }
        Err(error)
    }

    /// Notes that the model and the shape are right, since an answer has come to them.
    pub(super) fn learn(&mut self) {
        (self.instead, self.not_found) = (None, None);
        if let Some(shape) = self.trying.take() {
            self.learned.shape = Some(shape);
        }
    }

    /// Whether this refusal means that the service has no room for its own search.
    pub(super) fn forbids_search(&self, error: &api::Error) -> bool {
        self.searches && error.is_refused_shape()
    }

    /// Whether it is to be reported, for the first time, that the service keeps reasoning from the model.
    pub(super) fn reports_withheld(&mut self) -> bool {
        !std::mem::replace(&mut self.said_withheld, true)
    }
}
