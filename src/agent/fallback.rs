//! What is tried where the service refuses a request as it is: the conversation in another shape, or without the reasoning
//! of earlier answers. Each is tried once and said in a note.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::api;
use crate::wire::request::{Body, Shape};

/// What is left to try.
pub(super) struct Fallback<'a> {
    /// Empty bodies in the shapes that were not tried yet.
    others: VecDeque<Body>,
    /// The shape that turned out to be right, if it is one of them.
    learned: &'a mut Option<Shape>,
    /// The one that is being tried.
    trying: Option<Shape>,
    /// The service is to search the web, for which one shape has no room.
    searches: bool,
    /// The service could not read earlier reasoning, and is asked without it.
    without_reasoning: bool,
    /// It was said that the service keeps reasoning from the model.
    said_withheld: bool,
}

impl<'a> Fallback<'a> {
    pub(super) fn new(others: Vec<Body>, learned: &'a mut Option<Shape>, searches: bool) -> Self {
        Self {
            others: others.into(),
            learned,
            trying: None,
            searches,
            without_reasoning: false,
            said_withheld: false,
        }
    }

    /// Changes the body into what is to be tried now, if this refusal leaves something to try; and what there is to say
    /// about it.
    pub(super) fn next(&mut self, error: &api::Error, body: &mut Arc<Body>) -> Option<String> {
        if error.is_about_shape() {
            let other = self.others.pop_front()?;
            let shape = other.shape();
            *body = Arc::new(body.behind(other));
            self.trying = Some(shape);
            return Some(format!(
                "the service wants this model asked in its {} shape; asking again so",
                shape.name()
            ));
        }
        // Another account or server may have written it.
        if error.is_about_reasoning() && !self.without_reasoning {
            self.without_reasoning = true;
            Arc::make_mut(body).leave_reasoning_out();
            return Some(
                "the service cannot read the reasoning of earlier answers; asking again without it"
                    .to_owned(),
            );
        }
        None
    }

    /// Notes that the shape is the right one, since an answer has come to it.
    pub(super) fn learn(&mut self) {
        if let Some(shape) = self.trying.take() {
            *self.learned = Some(shape);
        }
    }

    /// Whether this refusal means that the service has no room for its own search.
    pub(super) fn forbids_search(&self, error: &api::Error) -> bool {
        self.searches && error.is_refused_shape()
    }

    /// What there is to say, once, where the service keeps reasoning of earlier answers from the model for these reasons.
    pub(super) fn withheld(&mut self, reasons: &[String]) -> Option<String> {
        if reasons.is_empty() || std::mem::replace(&mut self.said_withheld, true) {
            return None;
        }
        let word = |reason: &'_ String| match &**reason {
            "" => "no reason given".to_owned(),
            reason => reason.to_owned(),
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
        let mut learned = None;
        let mut fallback = Fallback::new(Vec::new(), &mut learned, false);
        let reasons = ["b", "", "b"].map(str::to_owned);
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
