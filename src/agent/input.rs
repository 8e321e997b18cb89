//! What the loop of a turn hears from the other threads.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Instant;

use crate::api;
use crate::auth::sign_in::{RenewalWait, Warning};
use crate::failure::StopRequest;
use crate::output::Sink;
use crate::tools::toolbox::Called;
use crate::wire::answer::{Answer, Show};
use crate::wire::fault::RateWindow;

/// Something that has happened.
#[derive(Debug)]
pub(super) enum TurnInput {
    /// The run is to stop.
    Order(StopRequest),
    /// The turn is to stop.
    StopTurn,
    /// Something about the sign-in is odd.
    Warned(Warning),
    /// The sign-in takes its time before a request.
    Waits(RenewalWait),
    /// An answer came with this about the plan.
    Limits(Vec<RateWindow>),
    /// One read of an answer brought this.
    Shown(Vec<Show>),
    /// No answer has begun.
    Refused(api::Error),
    /// An answer broke off before its end.
    BrokeOff(Box<Answer>, api::Break),
    /// An answer has come to its end.
    Answered(Box<Answer>),
    /// The body of the answer to this request, counted from 1, has come to its end.
    BodyEnded(usize),
    /// The call at this place has ended.
    ToolEnded(usize, Called),
    /// The thread of a call has panicked.
    ToolPanicked,
    /// The thread that reads has panicked.
    Panicked,
}

/// Waits for an input until this time, if there is one, and lets the sink show that it waits.
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
