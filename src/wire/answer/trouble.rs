//! The verdict on an answer, and the reasons why it is not complete.

use super::super::fault::Fault;
use super::super::item::Call;
use super::excess::Excess;

/// Why an answer is not complete.
#[derive(Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The stream ended before the service reported how the answer ends.
    Cut,
    /// The shown text is not a prefix of the message's final text.
    Differs,
    /// A retry of an interrupted answer does not begin with the text already shown.
    Another,
    /// A retry of an interrupted answer repeats a call of this tool that has already run.
    Repeats(String),
    /// It exceeds a size limit, so the rest was not read.
    TooMuch(Excess),
    /// The service stopped the answer, for this reason, if given.
    Incomplete(Option<String>),
    /// The answer is reported as complete, but a message or call in it is not.
    Unfinished,
    /// Neither text nor a call.
    Empty,
    /// The model declined, in these words.
    Refused(String),
    /// An item, of this type if it has one, waits for a result that this program cannot supply.
    Waits(Option<String>),
    /// The service reported this failure.
    Failed(Fault),
}

impl Trouble {
    /// The service's text in it.
    pub fn service_texts(&mut self) -> impl Iterator<Item = &mut String> {
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

/// The verdict on an answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Calls to run, in order; then the conversation continues.
    Calls(Vec<Call>),
    /// Complete; no calls to run.
    Answered,
    /// Not usable as a complete answer.
    Trouble(Trouble),
}
