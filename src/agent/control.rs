//! Control of a conversation from other threads: stop the turn, stop the run, or steer it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::input::{Flushing, TurnInput};
use super::message::UserMessage;
use crate::api::Interrupt;
use crate::auth::sign_in::Hook;
use crate::failure::StopRequest;

/// A handle that controls a conversation from any thread. Clones share one state. It may be created before the conversation
/// and reused for later ones, but two turns at the same time need two.
#[derive(Clone, Debug, Default)]
pub struct Control(Arc<ControlState>);

#[derive(Debug, Default)]
struct ControlState {
    state: Mutex<State>,
    winding_up: AtomicBool,
    /// Ends the running turn's wait for a server, so that it looks at its inputs.
    interrupt: Interrupt,
    /// A flush of the sink is pending.
    flushing: Arc<AtomicBool>,
}

/// The number of stop requests that a turn receives; further ones would change nothing.
const MAX_TURN_STOPS: u8 = 2;

#[derive(Debug, Default)]
struct State {
    /// The input channel of the running turn.
    turn: Option<Sender<TurnInput>>,
    /// The number of stop requests to the running turn.
    stops: u8,
    /// A turn was announced and has not begun.
    announced: bool,
    /// The announced turn must stop as soon as it begins.
    stop_at_begin: bool,
    /// Why the run was stopped, if it was.
    stopped: Option<StopRequest>,
    /// Steering messages that are not sent yet.
    steering: VecDeque<UserMessage>,
}

impl Control {
    /// A control that is not attached to a conversation yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops the running turn and returns whether there is one. A second call ends the grace period of its tools. The
    /// conversation can continue with another turn.
    #[allow(
        clippy::must_use_candidate,
        reason = "most callers do not care whether a turn was running"
    )]
    pub fn stop_turn(&self) -> bool {
        let mut state = self.state();
        let repeated = state.stops >= MAX_TURN_STOPS;
        if let Some(turn) = &state.turn {
            let is_running = repeated || turn.send(TurnInput::StopTurn).is_ok();
            self.0.interrupt.wake();
            state.stops = state.stops.saturating_add(1);
            return is_running;
        }
        state.stop_at_begin = state.announced;
        state.announced
    }

    /// Announces that a turn is about to begin: until then, [`Control::stop_turn`] stops it as soon as it begins. Without an
    /// announcement, a request to stop a turn that has not begun has no effect.
    pub fn announce_turn(&self) {
        self.state().announced = true;
    }

    /// Withdraws the announcement of a turn that will not begin after all.
    pub(crate) fn withdraw_turn(&self) {
        let mut state = self.state();
        (state.announced, state.stop_at_begin) = (false, false);
    }

    /// Flushes the sink of the running turn, which has something to report that another thread gave it.
    pub(crate) fn flush_sink(&self) {
        let is_pending = self.0.flushing.swap(true, Ordering::Relaxed);
        if let Some(turn) = self.state().turn.as_ref().filter(|_| !is_pending) {
            let _ = turn.send(TurnInput::Flush(Flushing(Arc::clone(&self.0.flushing))));
            self.0.interrupt.wake();
        } else if !is_pending {
            self.0.flushing.store(false, Ordering::Relaxed);
        }
    }

    /// Stops the run: the running turn, and every later one before it begins.
    pub fn stop_run(&self, request: StopRequest) {
        let mut state = self.state();
        state.stopped = Some(request);
        if let Some(turn) = &state.turn {
            let _ = turn.send(TurnInput::StopRun(request));
            self.0.interrupt.wake();
        }
    }

    /// Queues a message for the running turn. The next request with tool results sends it; a message not yet sent
    /// can be taken back with [`Control::take_steering`].
    pub fn steer(&self, message: impl Into<UserMessage>) {
        self.state().steering.push_back(message.into());
    }

    /// Removes and returns the messages passed to [`Control::steer`] and not yet sent, in order.
    #[must_use]
    pub fn take_steering(&self) -> Vec<UserMessage> {
        self.state().steering.drain(..).collect()
    }

    /// The number of messages passed to [`Control::steer`] and not yet sent, and their size in bytes.
    pub(crate) fn waiting_steering(&self) -> (usize, usize) {
        let state = self.state();
        let sizes = state.steering.iter().map(UserMessage::size);
        (state.steering.len(), sizes.sum())
    }

    /// Why the run was stopped, if it was. The last reason wins.
    #[must_use]
    pub fn stopped(&self) -> Option<StopRequest> {
        self.state().stopped
    }

    /// Whether a stopped turn is waiting for its tools to end.
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
    /// If the run was stopped.
    pub(super) fn begin(&self) -> Result<RunningTurn<'_>, StopRequest> {
        let mut state = self.state();
        if let Some(request) = state.stopped {
            return Err(request);
        }
        let (sender, inputs) = mpsc::channel();
        state.announced = false;
        state.stops = 0;
        if std::mem::take(&mut state.stop_at_begin) {
            state.stops = 1;
            let _ = sender.send(TurnInput::StopTurn);
        }
        state.turn = Some(sender.clone());
        Ok(RunningTurn {
            control: self,
            sender,
            inputs,
            interrupt: self.0.interrupt.clone(),
        })
    }

    /// A hook that reports waits of the sign-in to the running turn.
    pub(super) fn hook(&self) -> Hook {
        let control = self.clone();
        Hook::new(move |waiting| {
            if let Some(turn) = &control.state().turn {
                let _ = turn.send(TurnInput::Waiting(waiting.clone()));
                control.0.interrupt.wake();
            }
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The running turn. It ends when this is dropped.
pub(super) struct RunningTurn<'a> {
    control: &'a Control,
    pub(super) sender: Sender<TurnInput>,
    pub(super) inputs: Receiver<TurnInput>,
    pub(super) interrupt: Interrupt,
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
    fn a_stop_request_reaches_a_turn_that_was_announced() {
        let control = Control::new();
        control.announce_turn();
        assert!(control.stop_turn());
        let turn = control.begin().expect("not stopped");
        assert!(matches!(turn.inputs.try_recv(), Ok(TurnInput::StopTurn)));
        drop(turn);
        assert!(!control.stop_turn(), "it applied to that turn alone");
        let turn = control.begin().expect("not stopped");
        assert!(turn.inputs.try_recv().is_err());
    }

    #[test]
    fn repeated_requests_to_a_turn_are_bounded() {
        let control = Control::new();
        let turn = control.begin().expect("not stopped");
        for _ in 0..1000 {
            control.flush_sink();
            assert!(control.stop_turn());
        }
        let inputs: Vec<TurnInput> = turn.inputs.try_iter().collect();
        assert_eq!(inputs.len(), 3, "{inputs:?}");
        // After a flush, another one can be requested.
        drop(inputs);
        control.flush_sink();
        assert_eq!(turn.inputs.try_iter().count(), 1);
    }

    #[test]
    fn a_turn_receives_only_its_own_stop_requests_and_a_stopped_run_begins_no_turn() {
        let control = Control::new();
        assert!(!control.stop_turn(), "no turn runs");
        let turn = control.begin().expect("not stopped");
        assert!(control.clone().stop_turn());
        assert!(matches!(turn.inputs.try_recv(), Ok(TurnInput::StopTurn)));
        drop(turn);
        assert!(!control.stop_turn());
        let turn = control.begin().expect("not stopped");
        assert!(
            turn.inputs.try_recv().is_err(),
            "no input of the previous turn"
        );
        control.stop_run(StopRequest::Timeout);
        assert!(matches!(
            turn.inputs.try_recv(),
            Ok(TurnInput::StopRun(StopRequest::Timeout))
        ));
        drop(turn);
        assert_eq!(control.begin().err(), Some(StopRequest::Timeout));
        assert_eq!(control.stopped(), Some(StopRequest::Timeout));
    }
}
