//! What to do next. A turn is one answer of the model and the tool calls in it; this state machine is told
//! what happened and says what to do. It reads no clock and touches no socket, so tests can try every order.

/// The most calls that run at the same time.
const AT_ONCE: usize = 8;

/// What happened.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// The call at this place has ended with this output.
    ToolEnded(usize, String),
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
        outputs: Vec<String>,
        /// The connection is still taken: make a new one.
        reconnect: bool,
    },
}

/// The calls of one answer, from its end until the next request.
#[derive(Debug)]
pub struct Turn {
    outputs: Vec<Option<String>>,
    started: usize,
    body_ended: bool,
    sent: bool,
}

impl Turn {
    /// Begins the turn: the answer has ended with this many calls, at least one.
    #[must_use]
    pub fn new(calls: usize) -> (Self, Vec<Action>) {
        let started = calls.min(AT_ONCE);
        let turn = Self {
            outputs: vec![None; calls],
            started,
            body_ended: false,
            sent: false,
        };
        (turn, (0..started).map(Action::Run).collect())
    }

    /// Says what to do next.
    pub fn step(&mut self, event: Event) -> Option<Action> {
        match event {
            Event::ToolEnded(at, output) => {
                self.outputs[at] = Some(output);
                if self.started < self.outputs.len() {
                    self.started += 1;
                    return Some(Action::Run(self.started - 1));
                }
                self.settle(false)
            }
            Event::BodyEnded => {
                self.body_ended = true;
                self.settle(false)
            }
            Event::PatienceEnded => self.settle(true),
        }
    }

    fn settle(&mut self, impatient: bool) -> Option<Action> {
        if self.sent || self.outputs.iter().any(Option::is_none) {
            return None;
        }
        if !self.body_ended && !impatient {
            return Some(Action::AwaitBody);
        }
        self.sent = true;
        let outputs = self
            .outputs
            .iter_mut()
            .map(|output| output.take().unwrap_or_default())
            .collect();
        Some(Action::Send {
            outputs,
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

    fn send(calls: usize, reconnect: bool) -> Option<Action> {
        let outputs = (0..calls).map(|at| format!("output {at}")).collect();
        Some(Action::Send { outputs, reconnect })
    }

    #[test]
    fn in_every_order_of_calls_and_body_the_outputs_are_sent_once_in_order() {
        for calls in 1..=4 {
            // The place behind the last call stands for the end of the body.
            let things: Vec<usize> = (0..=calls).collect();
            for order in orders(&things) {
                let (mut turn, started) = Turn::new(calls);
                assert_eq!(started, (0..calls).map(Action::Run).collect::<Vec<_>>());
                for (n, thing) in order.iter().enumerate() {
                    let event = if *thing == calls {
                        Event::BodyEnded
                    } else {
                        Event::ToolEnded(*thing, format!("output {thing}"))
                    };
                    let expected = match n {
                        n if n == calls => send(calls, false),
                        n if n + 1 == calls && order[calls] == calls => Some(Action::AwaitBody),
                        _ => None,
                    };
                    assert_eq!(turn.step(event), expected, "{order:?} at {n}");
                }
                assert_eq!(turn.step(Event::PatienceEnded), None, "{order:?}");
            }
        }
    }

    #[test]
    fn patience_ends_only_once_the_calls_have_ended() {
        let (mut turn, _) = Turn::new(1);
        assert_eq!(turn.step(Event::PatienceEnded), None);
        assert_eq!(
            turn.step(Event::ToolEnded(0, "output 0".into())),
            Some(Action::AwaitBody)
        );
        assert_eq!(turn.step(Event::PatienceEnded), send(1, true));
        assert_eq!(turn.step(Event::BodyEnded), None);
    }

    #[test]
    fn no_more_than_eight_run_at_the_same_time() {
        let (mut turn, started) = Turn::new(11);
        assert_eq!(started.len(), 8);
        turn.step(Event::BodyEnded);
        let mut running = started.len();
        for at in (0..11).rev().filter(|at| *at < 8).chain(8..11) {
            match turn.step(Event::ToolEnded(at, format!("output {at}"))) {
                Some(Action::Run(_)) => {}
                None => running -= 1,
                Some(action) => assert_eq!(Some(action), send(11, false)),
            }
            assert!(running <= 8);
        }
    }
}
