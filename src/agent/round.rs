//! The calls of one answer, as a state machine: events in, actions out. It reads no clock and touches no socket, so tests can
//! try every order.

use crate::wire::input::CallOutput;

/// Maximum number of calls that run concurrently.
const MAX_PARALLEL_CALLS: usize = 8;

/// An event.
#[derive(Debug, PartialEq, Eq)]
pub enum RoundEvent {
    /// The call at this index has ended with this output.
    ToolEnded(usize, CallOutput),
    /// The response body has ended, so its connection is free.
    BodyEnded,
    /// The wait for the end of the body has timed out.
    TimedOut,
}

/// An action to take.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// Run the call at this index.
    Run(usize),
    /// All calls have ended, but the body has not: wait for it, with a timeout.
    AwaitBody,
    /// Send the outputs in the next request.
    Send {
        /// One output for each call, in order.
        outputs: Vec<CallOutput>,
    },
}

/// The calls of one answer, from its end until the next request.
#[derive(Debug)]
pub struct Round {
    calls: Vec<CallState>,
    body_ended: bool,
    sent: bool,
}

/// The state of a call. A barrier waits for every call before it, and every call after it waits for the barrier.
#[derive(Debug)]
enum CallState {
    Waiting { barrier: bool },
    Running { barrier: bool },
    Ended(CallOutput),
}

impl Round {
    /// Begins a round with one call for each entry, at least one; `true` marks a barrier, that is, a call that changes files,
    /// so that its position among the others matters. Calls between two barriers run concurrently.
    #[must_use]
    pub fn new(barriers: &[bool]) -> (Self, Vec<Action>) {
        let calls = barriers
            .iter()
            .map(|&barrier| CallState::Waiting { barrier })
            .collect();
        let mut round = Self {
            calls,
            body_ended: false,
            sent: false,
        };
        let started = round.start();
        (round, started)
    }

    /// Handles an event and returns the next actions.
    pub fn step(&mut self, event: RoundEvent) -> Vec<Action> {
        match event {
            RoundEvent::ToolEnded(at, output) => {
                self.calls[at] = CallState::Ended(output);
                let mut actions = self.start();
                actions.extend(self.settle(false));
                actions
            }
            RoundEvent::BodyEnded => {
                self.body_ended = true;
                self.settle(false).into_iter().collect()
            }
            RoundEvent::TimedOut => self.settle(true).into_iter().collect(),
        }
    }

    /// The outputs of the calls that have ended, by index, for a round that is abandoned.
    #[must_use]
    pub fn outputs(self) -> Vec<Option<CallOutput>> {
        let calls = self.calls.into_iter();
        let output = |call| match call {
            CallState::Ended(output) => Some(output),
            CallState::Waiting { .. } | CallState::Running { .. } => None,
        };
        calls.map(output).collect()
    }

    /// Starts the calls that may run now, in the order in which the answer lists them.
    fn start(&mut self) -> Vec<Action> {
        let mut actions = Vec::new();
        let mut running = 0;
        let is_running = |call: &&CallState| matches!(call, CallState::Running { .. });
        let mut room =
            MAX_PARALLEL_CALLS.saturating_sub(self.calls.iter().filter(is_running).count());
        for (at, call) in self.calls.iter_mut().enumerate() {
            let barrier = match *call {
                CallState::Ended(_) => continue,
                CallState::Running { barrier } => barrier,
                CallState::Waiting { barrier } => {
                    if room == 0 || (barrier && running > 0) {
                        break;
                    }
                    *call = CallState::Running { barrier };
                    actions.push(Action::Run(at));
                    room -= 1;
                    barrier
                }
            };
            if barrier {
                break;
            }
            running += 1;
        }
        actions
    }

    fn settle(&mut self, timed_out: bool) -> Option<Action> {
        if self.sent
            || !self
                .calls
                .iter()
                .all(|call| matches!(call, CallState::Ended(_)))
        {
            return None;
        }
        if !self.body_ended && !timed_out {
            return Some(Action::AwaitBody);
        }
        self.sent = true;
        let outputs = self.calls.drain(..).map(|call| match call {
            CallState::Ended(output) => output,
            CallState::Waiting { .. } | CallState::Running { .. } => CallOutput::default(),
        });
        Some(Action::Send {
            outputs: outputs.collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every order of these things.
    fn orders(things: &[usize]) -> Vec<Vec<usize>> {
        if things.is_empty() {
            return vec![Vec::new()];
        }
        let mut all = Vec::new();
        for (i, first) in things.iter().enumerate() {
            let rest: Vec<usize> = things
                .iter()
                .enumerate()
                .filter(|(j, _)| *j != i)
                .map(|(_, t)| *t)
                .collect();
            for mut order in orders(&rest) {
                order.insert(0, *first);
                all.push(order);
            }
        }
        all
    }

    fn send(calls: usize) -> Vec<Action> {
        let outputs = (0..calls).map(output).collect();
        vec![Action::Send { outputs }]
    }

    fn output(at: usize) -> CallOutput {
        CallOutput {
            text: format!("output {at}"),
            images: Vec::new(),
        }
    }

    fn ended(at: usize) -> RoundEvent {
        RoundEvent::ToolEnded(at, output(at))
    }

    #[test]
    fn in_every_order_of_calls_and_body_the_outputs_are_sent_once_in_order() {
        for calls in 1..=4 {
            // The index after the last call means the end of the body.
            let things: Vec<usize> = (0..=calls).collect();
            for order in orders(&things) {
                let (mut round, started) = Round::new(&vec![false; calls]);
                assert_eq!(started, (0..calls).map(Action::Run).collect::<Vec<_>>());
                for (n, thing) in order.iter().enumerate() {
                    let event = if *thing == calls {
                        RoundEvent::BodyEnded
                    } else {
                        ended(*thing)
                    };
                    let expected = match n {
                        n if n == calls => send(calls),
                        n if n + 1 == calls && order[calls] == calls => vec![Action::AwaitBody],
                        _ => Vec::new(),
                    };
                    assert_eq!(round.step(event), expected, "{order:?} at {n}");
                }
                assert_eq!(round.step(RoundEvent::TimedOut), [], "{order:?}");
            }
        }
    }

    #[test]
    fn an_abandoned_round_keeps_the_outputs_of_ended_calls() {
        let (mut round, _) = Round::new(&[false, false, true]);
        round.step(ended(1));
        assert_eq!(round.outputs(), [None, Some(output(1)), None]);
    }

    #[test]
    fn the_wait_for_the_body_begins_once_the_calls_have_ended() {
        let (mut round, _) = Round::new(&[false]);
        assert_eq!(round.step(RoundEvent::TimedOut), []);
        assert_eq!(round.step(ended(0)), [Action::AwaitBody]);
        assert_eq!(round.step(RoundEvent::TimedOut), send(1));
        assert_eq!(round.step(RoundEvent::BodyEnded), []);
    }

    /// Every mix of five calls, barriers and others, ending in every possible order.
    #[test]
    fn a_barrier_runs_between_the_calls_before_and_after_it_in_every_order() {
        for mix in 0..32_usize {
            let barriers: Vec<bool> = (0..5).map(|at| mix & (1 << at) != 0).collect();
            // A path lists which of the running calls ends at each step.
            let mut paths = vec![Vec::<usize>::new()];
            while let Some(mut path) = paths.pop() {
                let (mut round, mut actions) = Round::new(&barriers);
                let (mut running, mut begun, mut ended) = (Vec::new(), Vec::new(), Vec::new());
                for step in 0..5 {
                    for action in actions {
                        if let Action::Run(at) = action {
                            running.push(at);
                            begun.push(at);
                        }
                    }
                    // A call may run if no barrier precedes it and, for a barrier, if no call does.
                    let may_run = |at: &usize| {
                        (0..*at).all(|before| {
                            ended.contains(&before) || !(barriers[before] || barriers[*at])
                        })
                    };
                    let due: Vec<usize> = (0..5)
                        .filter(|at| !ended.contains(at) && may_run(at))
                        .collect();
                    running.sort_unstable();
                    assert_eq!(running, due, "{barriers:?} {path:?} at {step}");
                    if step == path.len() {
                        for other in 1..running.len() {
                            paths.push([&path[..], &[other]].concat());
                        }
                        path.push(0);
                    }
                    let at = running.remove(path[step]);
                    ended.push(at);
                    actions = round.step(self::ended(at));
                }
                assert_eq!(actions, [Action::AwaitBody], "{barriers:?} {path:?}");
                assert!(begun.is_sorted(), "{barriers:?} {path:?}: {begun:?}");
                assert_eq!(round.step(RoundEvent::BodyEnded), send(5));
            }
        }
    }

    #[test]
    fn at_most_eight_calls_run_concurrently() {
        let (mut round, started) = Round::new(&[false; 11]);
        assert_eq!(started.len(), 8);
        round.step(RoundEvent::BodyEnded);
        let mut running = started.len();
        for at in (0..8).rev().chain(8..11) {
            running -= 1;
            let actions = round.step(ended(at));
            running += actions
                .iter()
                .filter(|action| matches!(action, Action::Run(_)))
                .count();
            assert!(running <= 8 && (running > 0 || actions == send(11)));
        }
    }
}
