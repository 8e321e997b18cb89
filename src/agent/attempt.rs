//! The outcome of one request, and an answer that a turn continues from.

use super::attempts::Wait;
use crate::api;
use crate::wire::answer::Answer;
use crate::wire::item::Call;

/// The outcome of one request.
pub(super) enum Attempt {
    /// The request failed before an answer began.
    Refused(api::Error),
    /// The answer broke off.
    BrokeOff(Box<Answer>, api::Break),
    /// The answer is complete.
    Ended(Box<Answer>),
}

/// An answer that the turn continues from.
pub(super) enum Answered {
    /// The last one, without calls.
    Whole(Box<Answer>),
    /// One with calls.
    Calls(AnswerCalls),
}

/// The calls of one answer.
pub(super) struct AnswerCalls {
    /// At least one.
    pub(super) calls: Vec<Call>,
    /// The wait before the next request, if the answer broke off after the calls.
    pub(super) retry: Option<Wait>,
}
