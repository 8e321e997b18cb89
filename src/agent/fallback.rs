//! What is tried where the service refuses a request as it is: the conversation in another shape, without the reasoning of
//! earlier answers, or with another model. Each is tried once and said in a note.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::api;
use crate::models::price::Price;
use crate::wire::request::{Body, Shape};

/// Another model, for a conversation that has no answer yet, and how it is asked.
#[derive(Clone, Debug)]
pub struct Instead {
    /// The model.
    pub other: Other,
    /// A body without an item.
    pub body: Body,
    /// The same in other shapes, in the order in which they are tried.
    pub others: Vec<Body>,
}

/// What changes with the model.
#[derive(Clone, Debug)]
pub struct Other {
    /// Its id.
    pub model: String,
    /// How much it is to think.
    pub effort: Option<String>,
    /// What had to be changed of what was asked for, for people.
    pub note: Option<String>,
    /// The most tokens that it takes in, where that is known.
    pub window: Option<u64>,
    /// What its tokens cost, where that is known.
    pub price: Option<Price>,
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
    /// Its form; and what there is to say about it.
    Form(String),
    /// Its model, because of this refusal.
    Model(Other, Box<api::Error>),
}

/// What is left to try.
pub(super) struct Fallback<'a> {
    /// Empty bodies in the shapes that were not tried yet.
    others: VecDeque<Body>,
    /// What is asked instead of a model that the service does not have.
    instead: Option<Instead>,
    learned: &'a mut Learned,
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

impl<'a> Fallback<'a> {
    pub(super) fn new(
        others: Vec<Body>,
        instead: Option<Instead>,
        learned: &'a mut Learned,
        searches: bool,
    ) -> Self {
        Self {
            others: others.into(),
            instead,
            learned,
            trying: None,
            not_found: None,
            searches,
            without_reasoning: false,
            said_withheld: false,
        }
    }

    /// Changes the body into what is to be tried now, if this refusal leaves something to try. Another model is tried only
    /// where the answer has not begun.
    ///
    /// # Errors
    /// When nothing is left to try: the refusal that counts.
    pub(super) fn next(
        &mut self,
        error: api::Error,
        body: &mut Arc<Body>,
        has_begun: bool,
    ) -> Result<Changed, api::Error> {
        if error.is_about_shape()
            && let Some(other) = self.others.pop_front()
        {
            let shape = other.shape();
            *body = Arc::new(body.behind(other));
            self.trying = Some(shape);
            if error.is_about_model() {
                self.not_found.get_or_insert(error);
            }
            return Ok(Changed::Form(format!(
                "the service wants this model asked in its {} shape; asking again so",
                shape.name()
            )));
        }
        // Another account or server may have written it.
        if error.is_about_reasoning() && !self.without_reasoning {
            self.without_reasoning = true;
            Arc::make_mut(body).leave_reasoning_out();
            return Ok(Changed::Form(
                "the service cannot read the reasoning of earlier answers; asking again without it"
                    .to_owned(),
            ));
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
            *body = Arc::new(body.behind(instead.body));
            self.trying = None;
            self.learned.model = Some(instead.other.model.clone());
            return Ok(Changed::Model(instead.other, Box::new(error)));
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

    /// What there is to say, once, where the service keeps reasoning of earlier answers from the model for these reasons.
    pub(super) fn withheld(&mut self, reasons: &[Option<String>]) -> Option<String> {
        if reasons.is_empty() || std::mem::replace(&mut self.said_withheld, true) {
            return None;
        }
        let word = |reason: &Option<String>| {
            let reason = reason.as_deref().unwrap_or("no reason given");
            reason.to_owned()
        };
        let mut kinds: Vec<String> = reasons.iter().map(word).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let items = match reasons.len() {
            1 => "one item".to_owned(),
            several => format!("{several} items"),
        };
        let kinds = kinds.join(", ");
        Some(format!(
            "the service kept reasoning of earlier answers from the model: {items} ({kinds})"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_withheld_is_said_once_with_its_reasons() {
        let mut learned = Learned::default();
        let mut fallback = Fallback::new(Vec::new(), None, &mut learned, false);
        let reasons = [Some("b"), None, Some("b")].map(|reason| reason.map(str::to_owned));
        assert_eq!(fallback.withheld(&[]), None);
        assert_eq!(
            fallback.withheld(&reasons).as_deref(),
            Some(
                "the service kept reasoning of earlier answers from the model: 3 items (b, no reason given)"
            )
        );
        assert_eq!(fallback.withheld(&reasons), None);
    }
}
