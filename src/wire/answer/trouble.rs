//! What follows from an answer, and what stands in the way of a complete one.

use super::super::fault::Fault;
use super::super::item::Call;
use super::excess::Excess;

/// What stands in the way of a complete answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The stream ended before the service said how the answer ends.
    Cut,
    /// What was shown is not how the message's final text begins.
    Differs,
    /// An answer broke off, and asked for again it does not begin with what was shown of it.
    Another,
    /// It calls this tool again as an answer that broke off has, and that call has run.
    Repeats(String),
    /// It exceeds all measure, so the rest of it was not read.
    TooMuch(Excess),
    /// The service stopped the answer, for this reason, if it gave one.
    Incomplete(Option<String>),
    /// The answer is said to be complete, but a message or call in it is not.
    Unfinished,
    /// There is neither text nor a call.
    Empty,
    /// The model declined, in these words.
    Refused(String),
    /// An item of this type, if it has one, waits for something that this program cannot give.
    Waits(Option<String>),
    /// The service reported this.
    Failed(Fault),
}

impl Trouble {
    /// What the service itself said in it.
    pub fn words_of_the_service(&mut self) -> impl Iterator<Item = &mut String> {
        let (fault, words) = match self {
            Self::Failed(fault) => (Some(fault), None),
            Self::Incomplete(words) | Self::Waits(words) => (None, words.as_mut()),
            Self::Refused(words) | Self::Repeats(words) => (None, Some(words)),
            Self::Cut
            | Self::Differs
            | Self::Another
            | Self::TooMuch(_)
            | Self::Unfinished
            | Self::Empty => (None, None),
        };
        fault.into_iter().flat_map(Fault::words).chain(words)
    }
}

/// What follows from an answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The calls to run, in order; then the conversation goes on.
    Calls(Vec<Call>),
    /// Complete: nothing is left to do.
    Answered,
    /// It cannot be used as a complete answer.
    Trouble(Trouble),
}
