//! Fallbacks for a request that the service refuses: a different request shape, no reasoning from earlier answers, a
//! different model. Each is tried once and reported.

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;

use super::profile::Profile;
use super::substitute::{Substitute, SubstituteAfter};
use crate::api::{self, Client, Unanswered};
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
    /// The forms of requests to the current model.
    forms: Forms,
    /// Those of the model that a substitute has replaced, until the substitute answers.
    replaced: Option<Forms>,
    /// The substitutes for the model, in order.
    substitutes: Vec<PreparedSubstitute>,
    /// How many of them this turn is done with.
    passed: usize,
    /// The substitute that the current turn has asked last, as its index.
    asked: Option<usize>,
    learned: Learned,
    /// Withheld reasoning was reported.
    withheld_reported: bool,
}

/// The forms of requests to one model that are left.
#[derive(Debug, Default)]
struct Forms {
    /// Empty bodies in the shapes that are not tried yet.
    others: VecDeque<RequestBody>,
    /// The shape that is being tried.
    trying: Option<Shape>,
    /// "Model not found", which may be due to the shape. It is reported if no shape is accepted.
    not_found: Option<api::Error>,
    /// The service must search the web, which the Lite shape cannot express.
    searches: bool,
    /// Earlier reasoning was removed because the service could not decrypt it.
    without_reasoning: bool,
}

/// A substitute with its empty bodies.
#[derive(Clone, Debug)]
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
            forms: Forms {
                others: others.into(),
                searches,
                ..Forms::default()
            },
            replaced: None,
            substitutes: Vec::new(),
            passed: 0,
            asked: None,
            learned: Learned::default(),
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
        let mut substitutes = mem::take(&mut self.substitutes);
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

    /// The substitute that the current turn has asked last, or that an earlier one has kept, as its index.
    pub(super) fn asked(&self) -> Option<usize> {
        self.asked.or(self.learned.substitute)
    }

    /// Begins a turn: it may ask every substitute.
    pub(super) fn begin_turn(&mut self) {
        (self.passed, self.asked) = (0, None);
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
        let forms = &mut self.forms;
        if error.is_about_shape()
            && let Some(other) = forms.others.pop_front()
        {
            let shape = other.shape();
            *body = Arc::new(body.with_head(other));
            forms.trying = Some(shape);
            if error.is_about_model() {
                forms.not_found.get_or_insert(error);
            }
            return Ok(RunWarning::OtherShape(shape));
        }
        // Another account or server may have encrypted it.
        if error.is_about_reasoning() && !forms.without_reasoning {
            forms.without_reasoning = true;
            Arc::make_mut(body).remove_reasoning();
            return Ok(RunWarning::WithoutReasoning);
        }
        match forms.not_found.take() {
            Some(not_found) if error.is_about_request() => Err(not_found),
            not_found => {
                forms.not_found = not_found;
                Err(error)
            }
        }
    }

    /// The model to ask after this failure of the model with the provider and id `current`, which was the last attempt. The body
    /// becomes one for it.
    pub(super) fn next_model(
        &mut self,
        why: &Unanswered,
        body: &mut Arc<RequestBody>,
        current: (Option<&str>, &str),
    ) -> Option<Box<Substitute>> {
        let is_current =
            |profile: &Profile| (profile.provider.as_deref(), &*profile.model.id) == current;
        let fits = |prepared: &PreparedSubstitute| {
            let Substitute { after, profile, .. } = &prepared.substitute;
            after.includes(why) && !is_current(profile)
        };
        let left = self.substitutes.get(self.passed..)?;
        let at = self.passed + left.iter().position(fits)?;
        let prepared = self.substitutes[at].clone();
        self.passed = at + 1;
        *body = Arc::new(body.for_other_model(prepared.body));
        let forms = Forms {
            others: prepared.others.into(),
            searches: prepared.substitute.searches,
            without_reasoning: self.forms.without_reasoning,
            ..Forms::default()
        };
        let before = mem::replace(&mut self.forms, forms);
        self.replaced.get_or_insert(before);
        self.asked = Some(prepared.index);
        self.learned.substitute = self.asked;
        let client = prepared.substitute.client.as_ref().map(Client::renewed);
        Some(Box::new(Substitute {
            client,
            ..prepared.substitute
        }))
    }

    /// Returns to the model that the substitutes have replaced.
    pub(super) fn restore_model(&mut self) {
        if let Some(forms) = self.replaced.take() {
            self.forms = forms;
            self.learned.substitute = None;
        }
    }

    /// Keeps the model from now on: a part of its answer was reported, or a call of it will run.
    pub(super) fn keep_model(&mut self) {
        self.substitutes.clear();
        self.replaced = None;
    }

    /// Records that the service accepts the model and the shape, since an answer has arrived.
    pub(super) fn learn(&mut self) {
        self.forms.not_found = None;
        if let Some(shape) = self.forms.trying.take() {
            self.learned.shape = Some(shape);
        }
    }

    /// Whether this refusal means that the request shape does not allow a web search.
    pub(super) fn forbids_search(&self, error: &api::Error) -> bool {
        self.forms.searches && error.is_refused_shape()
    }

    /// Whether to report withheld reasoning, which is done once.
    pub(super) fn reports_withheld(&mut self) -> bool {
        !mem::replace(&mut self.withheld_reported, true)
    }
}
