//! What to do next. A turn is one answer of the model and the tool calls in it; this state machine is told
//! what happened and says what to do. It reads no clock and touches no socket, so tests can try every order.

use crate::wire::input::Output;

/// The most calls that run at the same time.
const AT_ONCE: usize = 8;

/// What happened.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// The call at this place has ended with this output.
    ToolEnded(usize, Output),
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
        outputs: Vec<Output>,
        /// The connection is still taken: make a new one.
        reconnect: bool,
    },
}

/// The calls of one answer, from its end until the next request.
#[derive(Debug)]
pub struct Turn {
    calls: Vec<State>,
    body_ended: bool,
    sent: bool,
}

/// Where a call is.
#[derive(Debug)]
enum State {
    /// It has not started; whether it changes files.
    Waiting(bool),
    Running(bool),
    Ended(Output),
}

impl Turn {
    /// Begins the turn: the answer has ended with these calls, at least one, and each says whether it changes
    /// files. Those that do run one after the other, in the order that the model gave them.
    #[must_use]
    pub fn new(calls: &[bool]) -> (Self, Vec<Action>) {
        let calls = calls
            .iter()
            .map(|changes| State::Waiting(*changes))
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
    pub fn step(&mut self, event: Event) -> Vec<Action> {
        match event {
            Event::ToolEnded(at, output) => {
                self.calls[at] = State::Ended(output);
                let mut actions = self.start();
                actions.extend(self.settle(false));
                actions
            }
            Event::BodyEnded => {
                self.body_ended = true;
                self.settle(false).into_iter().collect()
            }
            Event::PatienceEnded => self.settle(true).into_iter().collect(),
        }
    }

    /// Starts what may start now.
    fn start(&mut self) -> Vec<Action> {
        let mut room = AT_ONCE
            - self
                .calls
                .iter()
                .filter(|call| matches!(call, State::Running(_)))
                .count();
        let mut changing = self
            .calls
            .iter()
            .any(|call| matches!(call, State::Running(true)));
        let mut actions = Vec::new();
        for (at, call) in self.calls.iter_mut().enumerate() {
            let State::Waiting(changes) = *call else {
                continue;
            };
            if room == 0 {
                break;
            }
            // One that must wait keeps its place among those that change files.
            if !(changes && changing) {
                *call = State::Running(changes);
                actions.push(Action::Run(at));
                room -= 1;
            }
            changing |= changes;
        }
        actions
    }

    fn settle(&mut self, impatient: bool) -> Option<Action> {
        if self.sent
            || !self
                .calls
                .iter()
                .all(|call| matches!(call, State::Ended(_)))
        {
            return None;
        }
        if !self.body_ended && !impatient {
            return Some(Action::AwaitBody);
        }
        self.sent = true;
        let outputs = self.calls.drain(..).map(|call| match call {
            State::Ended(output) => output,
            State::Waiting(_) | State::Running(_) => Output::default(),
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

    fn output(at: usize) -> Output {
        Output {
            text: format!("output {at}"),
            image: None,
        }
    }

    fn ended(at: usize) -> Event {
        Event::ToolEnded(at, output(at))
    }

    #[test]
    fn in_every_order_of_calls_and_body_the_outputs_are_sent_once_in_order() {
        for calls in 1..=4 {
            // The place behind the last call stands for the end of the body.
            let things: Vec<usize> = (0..=calls).collect();
            for order in orders(&things) {
                let (mut turn, started) = Turn::new(&vec![false; calls]);
                assert_eq!(started, (0..calls).map(Action::Run).collect::<Vec<_>>());
                for (n, thing) in order.iter().enumerate() {
                    let event = if *thing == calls {
                        Event::BodyEnded
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
                assert_eq!(turn.step(Event::PatienceEnded), [], "{order:?}");
            }
        }
    }

    #[test]
    fn patience_ends_only_once_the_calls_have_ended() {
        let (mut turn, _) = Turn::new(&[false]);
        assert_eq!(turn.step(Event::PatienceEnded), []);
        assert_eq!(turn.step(ended(0)), [Action::AwaitBody]);
        assert_eq!(turn.step(Event::PatienceEnded), send(1, true));
        assert_eq!(turn.step(Event::BodyEnded), []);
    }

    /// Every mix of up to five calls, those that change files and those that do not, ending in every order.
    #[test]
    fn calls_that_change_files_run_one_after_the_other_in_their_order() {
        for mix in 0..32_usize {
            let changes: Vec<bool> = (0..5).map(|at| mix & (1 << at) != 0).collect();
            let mut pending = vec![(Turn::new(&changes), Vec::<usize>::new())];
            while let Some(((mut turn, actions), path)) = pending.pop() {
                let mut running: Vec<usize> = Vec::new();
                let mut begun: Vec<usize> = Vec::new();
                let mut path = path;
                let mut note = |actions: &[Action], running: &mut Vec<usize>| {
                    for action in actions {
                        if let Action::Run(at) = action {
                            running.push(*at);
                            begun.push(*at);
                        }
                    }
                };
                note(&actions, &mut running);
                // The path chooses, at each step, which of the running calls ends.
                let mut step = 0;
                while !running.is_empty() {
                    assert!(
                        running.iter().filter(|at| changes[**at]).count() <= 1,
                        "{changes:?} {path:?}"
                    );
                    if step == path.len() {
                        for other in 1..running.len() {
                            let mut fork = path.clone();
                            fork.push(other);
                            pending.push((Turn::new(&changes), fork));
                        }
                        path.push(0);
                    }
                    let at = running.remove(path[step]);
                    step += 1;
                    note(&turn.step(ended(at)), &mut running);
                }
                let order: Vec<usize> = begun.iter().copied().filter(|at| changes[*at]).collect();
                assert!(
                    order.is_sorted() && begun.len() == 5,
                    "{changes:?} {path:?}: {begun:?}"
                );
            }
        }
    }

    #[test]
    fn no_more_than_eight_run_at_the_same_time() {
        let (mut turn, started) = Turn::new(&[false; 11]);
        assert_eq!(started.len(), 8);
        turn.step(Event::BodyEnded);
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
