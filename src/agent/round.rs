//! What to do next. A turn is one answer of the model and the tool calls in it; this state machine is told
//! what happened and says what to do. It reads no clock and touches no socket, so tests can try every order.

use crate::wire::input::CallOutput;

/// The most calls that run at the same time.
const MAX_PARALLEL_CALLS: usize = 8;

/// What happened.
#[derive(Debug, PartialEq, Eq)]
pub enum RoundEvent {
    /// The call at this place has ended with this output.
    ToolEnded(usize, CallOutput),
    /// The answer's body has come to its end, so its connection is free.
    BodyEnded,
    /// Nothing more was waited for.
    PatienceEnded,
}

/// What to do now.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// Run the call at this place.
    Run(usize),
    /// All calls have ended, but the body has not: wait for it a little while.
    AwaitBody,
    /// Send these outputs, in the order of the calls, in the next request.
    Send {
        /// The outputs, one for each call.
        outputs: Vec<CallOutput>,
        /// The connection is still taken: make a new one.
        reconnect: bool,
    },
}

/// The calls of one answer, from its end until the next request.
#[derive(Debug)]
pub struct Round {
    calls: Vec<CallState>,
    body_ended: bool,
    sent: bool,
}

/// Where a call is. A barrier waits for every call before it, and every call behind waits for it.
#[derive(Debug)]
enum CallState {
    Waiting { barrier: bool },
    Running { barrier: bool },
    Ended(CallOutput),
}

impl Round {
    /// Begins the turn: the answer has ended with these calls, at least one, and each says whether it is a barrier:
    /// whether it changes files, so that its place among the other calls matters. What lies between two barriers runs
    /// at the same time.
    #[must_use]
    pub fn new(barriers: &[bool]) -> (Self, Vec<Action>) {
        let calls = barriers
            .iter()
            .map(|&barrier| CallState::Waiting { barrier })
            .collect();
        let mut turn = Self {
            calls,
            body_ended: false,
            sent: false,
        };
        let started = turn.start();
        (turn, started)
    }

    /// Says what to do next.
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
            RoundEvent::PatienceEnded => self.settle(true).into_iter().collect(),
        }
    }

    /// The outputs of the calls that have ended, each at its call's place, where the turn is given up.
    #[must_use]
    pub fn outputs(self) -> Vec<Option<CallOutput>> {
        let calls = self.calls.into_iter();
        let output = |call| match call {
            CallState::Ended(output) => Some(output),
            CallState::Waiting { .. } | CallState::Running { .. } => None,
        };
        calls.map(output).collect()
    }

    /// Starts the calls whose turn it is, in the order of the answer.
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

    fn settle(&mut self, impatient: bool) -> Option<Action> {
        if self.sent
            || !self
                .calls
                .iter()
                .all(|call| matches!(call, CallState::Ended(_)))
        {
            return None;
        }
        if !self.body_ended && !impatient {
            return Some(Action::AwaitBody);
        }
        self.sent = true;
        let outputs = self.calls.drain(..).map(|call| match call {
            CallState::Ended(output) => output,
            CallState::Waiting { .. } | CallState::Running { .. } => CallOutput::default(),
        });
        Some(Action::Send {
            outputs: outputs.collect(),
            reconnect: !self.body_ended,
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

    fn send(calls: usize, reconnect: bool) -> Vec<Action> {
        let outputs = (0..calls).map(output).collect();
        vec![Action::Send { outputs, reconnect }]
    }

    fn output(at: usize) -> CallOutput {
        CallOutput {
            text: format!("output {at}"),
            image: None,
        }
    }

    fn ended(at: usize) -> RoundEvent {
        RoundEvent::ToolEnded(at, output(at))
    }

    #[test]
    fn in_every_order_of_calls_and_body_the_outputs_are_sent_once_in_order() {
        for calls in 1..=4 {
            // The place behind the last call stands for the end of the body.
            let things: Vec<usize> = (0..=calls).collect();
            for order in orders(&things) {
                let (mut turn, started) = Round::new(&vec![false; calls]);
                assert_eq!(started, (0..calls).map(Action::Run).collect::<Vec<_>>());
                for (n, thing) in order.iter().enumerate() {
                    let event = if *thing == calls {
                        RoundEvent::BodyEnded
                    } else {
                        ended(*thing)
                    };
                    let expected = match n {
                        n if n == calls => send(calls, false),
                        n if n + 1 == calls && order[calls] == calls => vec![Action::AwaitBody],
                        _ => Vec::new(),
                    };
                    assert_eq!(turn.step(event), expected, "{order:?} at {n}");
                }
                assert_eq!(turn.step(RoundEvent::PatienceEnded), [], "{order:?}");
            }
        }
    }

    #[test]
    fn a_turn_that_is_given_up_keeps_what_has_ended() {
        let (mut turn, _) = Round::new(&[false, false, true]);
        turn.step(ended(1));
        assert_eq!(turn.outputs(), [None, Some(output(1)), None]);
    }

    #[test]
    fn patience_ends_only_once_the_calls_have_ended() {
        let (mut turn, _) = Round::new(&[false]);
        assert_eq!(turn.step(RoundEvent::PatienceEnded), []);
        assert_eq!(turn.step(ended(0)), [Action::AwaitBody]);
        assert_eq!(turn.step(RoundEvent::PatienceEnded), send(1, true));
        assert_eq!(turn.step(RoundEvent::BodyEnded), []);
    }

    /// Every mix of five calls, barriers and others, ending in every order that can be.
    #[test]
    fn a_barrier_runs_between_the_calls_before_and_behind_it_in_every_order() {
        for mix in 0..32_usize {
            let barriers: Vec<bool> = (0..5).map(|at| mix & (1 << at) != 0).collect();
            // Each path says which of the running calls ends at each step.
            let mut paths = vec![Vec::<usize>::new()];
            while let Some(mut path) = paths.pop() {
                let (mut turn, mut actions) = Round::new(&barriers);
                let (mut running, mut begun, mut ended) = (Vec::new(), Vec::new(), Vec::new());
                for step in 0..5 {
                    for action in actions {
                        if let Action::Run(at) = action {
                            running.push(at);
                            begun.push(at);
                        }
                    }
                    // What may run is what no barrier holds back: neither one before it nor, for a barrier, any call.
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
                    actions = turn.step(self::ended(at));
                }
                assert_eq!(actions, [Action::AwaitBody], "{barriers:?} {path:?}");
                assert!(begun.is_sorted(), "{barriers:?} {path:?}: {begun:?}");
                assert_eq!(turn.step(RoundEvent::BodyEnded), send(5, false));
            }
        }
    }

    #[test]
    fn no_more_than_eight_run_at_the_same_time() {
        let (mut turn, started) = Round::new(&[false; 11]);
        assert_eq!(started.len(), 8);
        turn.step(RoundEvent::BodyEnded);
        let mut running = started.len();
        for at in (0..8).rev().chain(8..11) {
            running -= 1;
            let actions = turn.step(ended(at));
            running += actions
                .iter()
                .filter(|action| matches!(action, Action::Run(_)))
                .count();
            assert!(running <= 8 && (running > 0 || actions == send(11, false)));
        }
    }
}
