//! What other threads do about a conversation: stop its turn, stop its run, or steer it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::input::TurnInput;
use super::message::UserMessage;
use crate::auth::sign_in::Hook;
use crate::failure::StopRequest;

/// The control of a conversation, for any thread. Clones are the same control. It may be made before the conversation, and
/// serve conversations that follow one another; two turns at the same time need two.
#[derive(Clone, Debug, Default)]
pub struct Control(Arc<ControlState>);

#[derive(Debug, Default)]
struct ControlState {
    state: Mutex<State>,
    winding_up: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    /// The way to the loop of the turn that runs.
    turn: Option<Sender<TurnInput>>,
    /// Why the run was stopped.
    stopped: Option<StopRequest>,
    /// Messages for the turn that no request has carried yet.
    steering: VecDeque<UserMessage>,
}

impl Control {
    /// A control without a conversation.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops the turn that runs; whether one does. Asked a second time, its tools are given no more time to end by
    /// themselves. The conversation can go on with another turn.
    #[allow(clippy::must_use_candidate, reason = "most callers stop whatever runs")]
    pub fn stop_turn(&self) -> bool {
        let state = self.state();
        let turn = state.turn.as_ref();
        turn.is_some_and(|turn| turn.send(TurnInput::StopTurn).is_ok())
    }

    /// Stops the run: the turn that runs, and every later one before it begins.
    pub fn stop_run(&self, order: StopRequest) {
        let mut state = self.state();
        state.stopped = Some(order);
        if let Some(turn) = &state.turn {
            let _ = turn.send(TurnInput::Order(order));
        }
    }

    /// Hands in a message that the turn's next request behind a call carries. What no request has carried stays, to be
    /// taken back with [`Control::take_steering`].
    pub fn steer(&self, message: impl Into<UserMessage>) {
        self.state().steering.push_back(message.into());
    }

    /// The messages of [`Control::steer`] that no request has carried, in their order; they are taken back.
    #[must_use]
    pub fn take_steering(&self) -> Vec<UserMessage> {
        self.state().steering.drain(..).collect()
    }

    /// Why the run was stopped, if it was; of several reasons the last one.
    #[must_use]
    pub fn stopped(&self) -> Option<StopRequest> {
        self.state().stopped
    }

    /// Whether a turn that stops is ending its tools, which may take a moment.
    #[must_use]
    pub fn is_winding_up(&self) -> bool {
        self.0.winding_up.load(Ordering::Relaxed)
    }

    pub(super) fn set_winding_up(&self, winding_up: bool) {
        self.0.winding_up.store(winding_up, Ordering::Relaxed);
    }

    /// Begins a turn.
    ///
    /// # Errors
    /// When the run was stopped.
    pub(super) fn begin(&self) -> Result<RunningTurn<'_>, StopRequest> {
        let mut state = self.state();
        if let Some(order) = state.stopped {
            return Err(order);
        }
        let (sender, inputs) = mpsc::channel();
        state.turn = Some(sender.clone());
        Ok(RunningTurn {
            control: self,
            sender,
            inputs,
        })
    }

    /// Reports the waits of a sign-in to the turn that runs.
    pub(super) fn hook(&self) -> Hook {
        let control = self.clone();
        Hook::new(move |waiting| {
            if let Some(turn) = &control.state().turn {
                let _ = turn.send(TurnInput::Waits(waiting.clone()));
            }
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A turn that runs, until it is dropped.
pub(super) struct RunningTurn<'a> {
    control: &'a Control,
    pub(super) sender: Sender<TurnInput>,
    pub(super) inputs: Receiver<TurnInput>,
}

impl Drop for RunningTurn<'_> {
    fn drop(&mut self) {
        self.control.state().turn = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_can_be_used_from_any_thread() {
        fn check<T: Clone + Send + Sync>() {}
        check::<Control>();
    }

    #[test]
    fn a_turn_hears_only_what_is_about_it_and_a_stopped_run_begins_none() {
        let control = Control::new();
        assert!(!control.stop_turn(), "none runs");
        let turn = control.begin().expect("not stopped");
        assert!(control.clone().stop_turn());
        assert!(matches!(turn.inputs.try_recv(), Ok(TurnInput::StopTurn)));
        drop(turn);
        assert!(!control.stop_turn());
        let turn = control.begin().expect("not stopped");
        assert!(
            turn.inputs.try_recv().is_err(),
            "nothing of the turn before"
        );
        control.stop_run(StopRequest::Timeout);
        assert!(matches!(
            turn.inputs.try_recv(),
            Ok(TurnInput::Order(StopRequest::Timeout))
        ));
        drop(turn);
        assert_eq!(control.begin().err(), Some(StopRequest::Timeout));
        assert_eq!(control.stopped(), Some(StopRequest::Timeout));
    }
}
