//! Fallbacks for a request that the service refuses: a different request shape, no reasoning from earlier answers, a
//! different model. Each is tried once and reported.

use std::collections::VecDeque;
use std::sync::Arc;

use super::substitute::{Substitute, SubstituteAfter};
use crate::api::{self, Unanswered};
use crate::failure::RunWarning;
use crate::wire::request::{Function, RequestBody, Shape};

/// What the answers have shown about the model and its request shape.
#[derive(Clone, Debug, Default)]
pub struct Learned {
    /// The substitute that is used instead of the model, as its index.
    pub substitute: Option<usize>,
    /// The request shape that was accepted, if it is not the one tried first.
    pub shape: Option<Shape>,
}

/// The fallbacks that are left.
#[derive(Debug)]
pub(super) struct Fallback {
    /// Empty bodies in the shapes that are not tried yet.
    others: VecDeque<RequestBody>,
    /// The substitutes for the model that are not tried yet, in order.
    substitutes: VecDeque<PreparedSubstitute>,
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
    index: usize,
    substitute: Substitute,
    body: RequestBody,
    others: Vec<RequestBody>,
}

impl Fallback {
    /// `others` are empty bodies in the other shapes.
    pub(super) fn new(others: Vec<RequestBody>, searches: bool) -> Self {
        Self {
            others: others.into(),
            substitutes: VecDeque::new(),
            learned: Learned::default(),
            trying: None,
            not_found: None,
            searches,
            without_reasoning: false,
            withheld_reported: false,
        }
    }

    /// Adds substitute models.
    pub(super) fn with_substitutes(
        mut self,
        substitutes: Vec<Substitute>,
        tools: &[Function<'_>],
        cache_key: &str,
    ) -> Self {
        let prepared = substitutes.into_iter().enumerate();
        let prepared = prepared.map(|(index, substitute)| {
            let (body, others) = substitute.profile.bodies(tools, cache_key);
            PreparedSubstitute {
                index,
                substitute,
                body,
                others,
            }
        });
        self.substitutes = prepared.collect();
        self
    }

    /// The fallbacks for another model that the user has chosen. Substitutes that the user has named stay.
    pub(super) fn for_model(&mut self, others: Vec<RequestBody>, searches: bool) -> Self {
        let mut substitutes = std::mem::take(&mut self.substitutes);
        substitutes.retain(|prepared| prepared.substitute.after != SubstituteAfter::Missing);
        Self {
            substitutes,
            ..Self::new(others, searches)
        }
    }

    /// What the answers have shown about the model and its request shape.
    pub(super) fn learned(&self) -> &Learned {
        &self.learned
    }

    /// Changes the body to the next form to try after this refusal. Returns the warning to report.
    ///
    /// # Errors
    /// The refusal to report, if there is no form left to try.
    pub(super) fn next_form(
        &mut self,
        error: api::Error,
        body: &mut Arc<RequestBody>,
    ) -> Result<RunWarning, api::Error> {
        if error.is_about_shape()
            && let Some(other) = self.others.pop_front()
        {
            let shape = other.shape();
            *body = Arc::new(body.with_head(other));
            self.trying = Some(shape);
            if error.is_about_model() {
                self.not_found.get_or_insert(error);
            }
            return Ok(RunWarning::OtherShape(shape));
        }
        // Another account or server may have encrypted it.
        if error.is_about_reasoning() && !self.without_reasoning {
            self.without_reasoning = true;
            Arc::make_mut(body).remove_reasoning();
            return Ok(RunWarning::WithoutReasoning);
        }
        match self.not_found.take() {
            Some(not_found) if error.is_about_request() => Err(not_found),
            not_found => {
                self.not_found = not_found;
                Err(error)
            }
        }
    }

    /// The model to ask after this failure of the model with the id `current`, which was the last attempt. The body becomes one
    /// for it.
    pub(super) fn next_model(
        &mut self,
        why: &Unanswered,
        body: &mut Arc<RequestBody>,
        current: &str,
    ) -> Option<Box<Substitute>> {
        let is_other = |substitute: &Substitute| {
            substitute.client.is_some() || substitute.profile.model.id != current
        };
        let fits = |prepared: &PreparedSubstitute| {
            prepared.substitute.after.includes(why) && is_other(&prepared.substitute)
        };
        let at = self.substitutes.iter().position(fits)?;
        let prepared = self.substitutes.drain(..=at).next_back()?;
        self.others = prepared.others.into();
        *body = Arc::new(body.for_other_model(prepared.body));
        (self.trying, self.not_found) = (None, None);
        self.searches = prepared.substitute.searches;
        self.learned.substitute = Some(prepared.index);
        Some(Box::new(prepared.substitute))
    }

    /// Keeps the model from now on: a part of its answer was reported, or a call of it will run.
    pub(super) fn keep_model(&mut self) {
        self.substitutes.clear();
    }

    /// Records that the service accepts the model and the shape, since an answer has arrived.
    pub(super) fn learn(&mut self) {
        self.not_found = None;
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
