//! Inputs of the loop, sent by the other threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use super::latest_output::LatestOutput;
use crate::api::{self, Stream};
use crate::auth::sign_in::{RenewalWait, Warning};
use crate::failure::{Stop, StopRequest};
use crate::output::Sink;
use crate::tools::toolbox::Called;

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
    /// Nothing: the wait for an input has ended.
    Nothing,
    /// The response has begun.
    Begun(Box<Stream>),
    /// The request failed before an answer began.
    Refused(api::Error),
    /// A running call has printed something.
    ToolPrinted(Arc<LatestOutput>),
    /// The call at this index has ended.
    ToolEnded(usize, Called),
    /// The thread of a call panicked.
    ToolPanicked,
    /// The thread that sends the request panicked.
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

/// Returns the next input; stop requests, panics of the sending thread and the end of the turn's time are errors. After
/// `until`, it returns `Nothing`. Meanwhile the sink animates the wait.
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
            Ok(input) => {
                if let Some(input) = checked(input, sink)? {
                    return Ok(input);
                }
            }
            Err(RecvTimeoutError::Disconnected) => return Err(Stop::Panicked),
            Err(RecvTimeoutError::Timeout) => {}
        }
        let now = Instant::now();
        check_deadline(deadline, now)?;
        if until.is_some_and(|until| now >= until) {
            return Ok(TurnInput::Nothing);
        }
    }
}

/// Returns an input that has come already, if there is one. Errors are those of [`next`].
pub(super) fn waiting(
    inputs: &Receiver<TurnInput>,
    sink: &mut dyn Sink,
) -> Result<Option<TurnInput>, Stop> {
    loop {
        match inputs.try_recv() {
            Ok(input) => {
                if let Some(input) = checked(input, sink)? {
                    return Ok(Some(input));
                }
            }
            Err(TryRecvError::Empty) => return Ok(None),
            Err(TryRecvError::Disconnected) => return Err(Stop::Panicked),
        }
    }
}

/// Lets the sink animate the wait that follows, and returns when to look at the inputs again, if nothing comes before.
///
/// # Errors
/// If the turn's time has ended.
pub(super) fn until(
    deadline: Option<TurnDeadline>,
    sink: &mut dyn Sink,
) -> Result<Option<Instant>, Stop> {
    let now = Instant::now();
    check_deadline(deadline, now)?;
    sink.beat(now);
    let pulse = sink.pulse().map(|pulse| now + pulse);
    let end = deadline.map(|deadline| deadline.at);
    Ok(pulse.into_iter().chain(end).min())
}

/// The input, unless it stops the turn or is dealt with here.
fn checked(input: TurnInput, sink: &mut dyn Sink) -> Result<Option<TurnInput>, Stop> {
    match input {
        TurnInput::StopRun(request) => Err(Stop::Ordered(request)),
        TurnInput::StopTurn => Err(Stop::Interrupted),
        TurnInput::Flush(pending) => {
            drop(pending);
            sink.flush().map_err(Stop::Output)?;
            Ok(None)
        }
        TurnInput::Panicked => Err(Stop::Panicked),
        input => Ok(Some(input)),
    }
}

fn check_deadline(deadline: Option<TurnDeadline>, now: Instant) -> Result<(), Stop> {
    match deadline.filter(|deadline| now >= deadline.at) {
        Some(deadline) => Err(Stop::TurnTimeout(deadline.limit)),
        None => Ok(()),
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
