//! Inputs of the loop, sent by the other threads.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Instant;

use crate::api;
use crate::auth::sign_in::{RenewalWait, Warning};
use crate::failure::StopRequest;
use crate::output::Sink;
use crate::tools::toolbox::Called;
use crate::wire::answer::{Answer, Show};
use crate::wire::fault::RateWindow;

/// An input of the loop.
#[derive(Debug)]
pub(super) enum TurnInput {
    /// Stop the run.
    StopRun(StopRequest),
    /// Stop the turn.
    StopTurn,
    /// A warning about the sign-in.
    Warned(Warning),
    /// The request waits for the sign-in to be renewed.
    Waiting(RenewalWait),
    /// The rate limit windows that came with a response.
    Limits(Vec<RateWindow>),
    /// The new content of one read from the stream.
    Shown(Vec<Show>),
    /// The request failed before an answer began.
    Refused(api::Error),
    /// An answer ended prematurely.
    BrokeOff(Box<Answer>, api::Break),
    /// An answer is complete.
    Answered(Box<Answer>),
    /// The response body of this request, counted from 1, has ended.
    BodyEnded(usize),
    /// The call at this index has ended.
    ToolEnded(usize, Called),
    /// The thread of a call panicked.
    ToolPanicked,
    /// The reading thread panicked.
    Panicked,
}

/// Waits for an input until `until`, if given, and lets the sink animate the wait meanwhile.
pub(super) fn wait(
    inputs: &Receiver<TurnInput>,
    until: Option<Instant>,
    sink: &mut dyn Sink,
) -> Result<TurnInput, RecvTimeoutError> {
    loop {
        let now = Instant::now();
        sink.beat(now);
        let left = until.map(|until| until.saturating_duration_since(now));
        let pulse = sink
            .pulse()
            .filter(|pulse| left.is_none_or(|left| *pulse < left));
        let input = match pulse.or(left) {
            Some(time) => inputs.recv_timeout(time),
            None => inputs.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match input {
            Err(RecvTimeoutError::Timeout) if pulse.is_some() => {}
            input => return input,
        }
    }
}
