//! Inputs of the loop, sent by the other threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::latest_output::LatestOutput;
use crate::api;
use crate::auth::sign_in::{RenewalWait, Warning};
use crate::failure::{Stop, StopRequest};
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
    /// Flush the sink: another thread has given it something to report.
    Flush(Flushing),
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
    /// A running call has printed something.
    ToolPrinted(Arc<LatestOutput>),
    /// The call at this index has ended.
    ToolEnded(usize, Called),
    /// The thread of a call panicked.
    ToolPanicked,
    /// The reading thread panicked.
    Panicked,
}

/// A pending flush of the sink. Until it is dropped, no other one is requested.
#[derive(Debug)]
pub(super) struct Flushing(pub(super) Arc<AtomicBool>);

impl Drop for Flushing {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// The time limit for a turn.
#[derive(Clone, Copy, Debug)]
pub(super) struct TurnDeadline {
    /// When the turn must end.
    pub(super) at: Instant,
    /// How long it may take.
    pub(super) limit: Duration,
}

/// Returns the next input; stop requests, panics of the reader and the end of the turn's time are errors. After `until`, it
/// returns an empty `Shown`. Meanwhile the sink animates the wait.
pub(super) fn next(
    inputs: &Receiver<TurnInput>,
    until: Option<Instant>,
    deadline: Option<TurnDeadline>,
    sink: &mut dyn Sink,
) -> Result<TurnInput, Stop> {
    let end = deadline.map(|deadline| deadline.at);
    let wake = until.into_iter().chain(end).min();
    loop {
        match wait(inputs, wake, sink) {
            Ok(TurnInput::StopRun(request)) => return Err(Stop::Ordered(request)),
            Ok(TurnInput::StopTurn) => return Err(Stop::Interrupted),
            Ok(TurnInput::Flush(pending)) => {
                drop(pending);
                sink.flush().map_err(Stop::Output)?;
            }
            Ok(TurnInput::Panicked) | Err(RecvTimeoutError::Disconnected) => {
                return Err(Stop::Panicked);
            }
            Ok(input) => return Ok(input),
            Err(RecvTimeoutError::Timeout) => {}
        }
        let now = Instant::now();
        if let Some(deadline) = deadline.filter(|deadline| now >= deadline.at) {
            return Err(Stop::TurnTimeout(deadline.limit));
        }
        if until.is_some_and(|until| now >= until) {
            return Ok(TurnInput::Shown(Vec::new()));
        }
    }
}

/// Checks whether the turn was stopped before it began.
pub(super) fn check_stop(inputs: &Receiver<TurnInput>) -> Result<(), Stop> {
    match inputs.try_recv() {
        Ok(TurnInput::StopTurn) => Err(Stop::Interrupted),
        Ok(TurnInput::StopRun(request)) => Err(Stop::Ordered(request)),
        _ => Ok(()),
    }
}

/// Waits for an input until `until`, if given, and lets the sink animate the wait meanwhile.
fn wait(
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
