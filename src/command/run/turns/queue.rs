//! The lines that wait for their turn, and those that could not be used (pure). Both are bounded, however fast lines arrive and
//! however slowly their events are read.

use std::collections::VecDeque;

use crate::agent::UserMessage;

/// The maximum number of lines that wait.
const MAX_WAITING_LINES: usize = 1000;

/// The maximum size of the messages that wait together, in bytes. A single message is always accepted.
const MAX_WAITING_BYTES: usize = 64 << 20;

/// The maximum number of unusable lines that wait to be reported one by one.
const MAX_ERRORS: usize = 1000;

/// What a line requests, with its images read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LineRequest {
    User(UserMessage),
    Steer(UserMessage),
    Interrupt,
    Settings(SettingsRequest),
}

/// Another model or effort.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SettingsRequest {
    /// The line, counted from 1.
    pub(super) line: u64,
    pub(super) model: Option<String>,
    pub(super) effort: Option<String>,
}

/// Lines that could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LineError {
    /// The first line, counted from 1.
    pub(super) line: u64,
    /// The number of lines.
    pub(super) lines: u64,
    /// Why.
    pub(super) message: String,
}

/// What the reader does with the running turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ToTurn {
    /// A turn is about to begin.
    Announce,
    Steer(UserMessage),
    Interrupt,
}

/// What to do next between turns.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NextStep {
    /// Begin a turn.
    Turn(UserMessage),
    /// Change the model or effort.
    Settings(SettingsRequest),
    /// Report lines that could not be used.
    Errors(Vec<LineError>),
    /// Wait for more lines.
    Wait,
    /// The input has ended, and all turns have run.
    End,
}

/// An entry of the queue.
#[derive(Debug)]
enum Waiting {
    Turn(UserMessage),
    /// Steering that the turn it was meant for did not send.
    Steering(UserMessage),
    Settings(SettingsRequest),
}

/// The queue of lines.
#[derive(Debug, Default)]
pub(super) struct TurnQueue {
    waiting: VecDeque<Waiting>,
    /// Size of the messages that wait, in bytes.
    bytes: usize,
    /// A turn is running, or about to begin.
    running: bool,
    /// The input has ended.
    ended: bool,
    errors: VecDeque<LineError>,
    /// Number of lines that could not be used.
    unusable: u64,
}

impl TurnQueue {
    /// Takes the request of a line. `steering` is the number and size of the steering messages that the running turn has not
    /// sent yet.
    pub(super) fn push(
        &mut self,
        line: u64,
        request: LineRequest,
        steering: (usize, usize),
    ) -> Option<ToTurn> {
        let size = match &request {
            LineRequest::User(message) | LineRequest::Steer(message) => message.size(),
            LineRequest::Interrupt | LineRequest::Settings(_) => 0,
        };
        let (lines, bytes) = (self.waiting.len() + steering.0, self.bytes + steering.1);
        let is_full = lines >= MAX_WAITING_LINES || lines > 0 && bytes + size > MAX_WAITING_BYTES;
        if is_full && request != LineRequest::Interrupt {
            self.fail(
                line,
                "too many lines are waiting (at most 1,000 lines, or 64 MiB)",
            );
            return None;
        }
        let is_busy = self.is_busy();
        match request {
            LineRequest::Steer(message) if is_busy => Some(ToTurn::Steer(message)),
            LineRequest::User(message) | LineRequest::Steer(message) => {
                self.bytes += size;
                self.waiting.push_back(Waiting::Turn(message));
                (!is_busy).then_some(ToTurn::Announce)
            }
            LineRequest::Interrupt => is_busy.then_some(ToTurn::Interrupt),
            LineRequest::Settings(settings) => {
                self.waiting.push_back(Waiting::Settings(settings));
                None
            }
        }
    }

    /// Records that a line could not be used.
    pub(super) fn fail(&mut self, line: u64, message: &str) {
        self.unusable += 1;
        let is_full = self.errors.len() >= MAX_ERRORS;
        match self.errors.back_mut() {
            Some(last) if last.message == message && last.line + last.lines == line => {
                last.lines += 1;
            }
            Some(last) if is_full => {
                last.lines += 1;
                "these lines, or some of them, cannot be used".clone_into(&mut last.message);
            }
            _ => self.errors.push_back(LineError {
                line,
                lines: 1,
                message: message.to_owned(),
            }),
        }
    }

    /// Records that the input has ended.
    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    /// The errors to report.
    pub(super) fn take_errors(&mut self) -> Vec<LineError> {
        self.errors.drain(..).collect()
    }

    /// Number of lines that could not be used.
    pub(super) fn unusable(&self) -> u64 {
        self.unusable
    }

    /// Number of messages that wait.
    pub(super) fn waiting_turns(&self) -> usize {
        let is_turn = |waiting: &&Waiting| !matches!(waiting, Waiting::Settings(_));
        self.waiting.iter().filter(is_turn).count()
    }

    /// Returns what to do between turns.
    pub(super) fn next(&mut self) -> NextStep {
        let errors = self.take_errors();
        if !errors.is_empty() {
            return NextStep::Errors(errors);
        }
        match self.waiting.pop_front() {
            Some(Waiting::Turn(message) | Waiting::Steering(message)) => {
                self.bytes -= message.size();
                self.running = true;
                NextStep::Turn(message)
            }
            Some(Waiting::Settings(settings)) => NextStep::Settings(settings),
            None if self.ended => NextStep::End,
            None => NextStep::Wait,
        }
    }

    /// Records that the turn has ended. Steering messages that it did not send become turns of their own: before the messages
    /// that wait, and after the steering that an earlier turn did not send. Returns whether another turn is about to begin.
    pub(super) fn turn_ended(&mut self, steering: Vec<UserMessage>) -> bool {
        self.running = false;
        let is_earlier = |waiting: &&Waiting| matches!(waiting, Waiting::Steering(_));
        let earlier = self.waiting.iter().take_while(is_earlier).count();
        for (n, message) in steering.into_iter().enumerate() {
            self.bytes += message.size();
            self.waiting.insert(earlier + n, Waiting::Steering(message));
        }
        self.is_busy()
    }

    /// Whether a turn is running or about to begin.
    fn is_busy(&self) -> bool {
        self.running || self.waiting_turns() > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(text: &str) -> LineRequest {
        LineRequest::User(text.into())
    }

    fn steer(text: &str) -> LineRequest {
        LineRequest::Steer(text.into())
    }

    fn settings(line: u64) -> SettingsRequest {
        SettingsRequest {
            line,
            model: Some("gpt-5.5".to_owned()),
            effort: None,
        }
    }

    const NONE: (usize, usize) = (0, 0);

    #[test]
    fn steering_that_was_not_sent_keeps_its_order_before_the_messages_that_wait() {
        let mut queue = TurnQueue::default();
        queue.push(1, user("a"), NONE);
        queue.push(2, user("b"), NONE);
        assert_eq!(queue.next(), NextStep::Turn("a".into()));
        assert!(queue.turn_ended(vec!["1".into(), "2".into()]));
        assert_eq!(queue.next(), NextStep::Turn("1".into()));
        assert!(queue.turn_ended(vec!["3".into(), "4".into()]));
        for expected in ["2", "3", "4", "b"] {
            assert_eq!(queue.next(), NextStep::Turn(expected.into()));
            queue.turn_ended(Vec::new());
        }
    }

    #[test]
    fn lines_keep_their_order() {
        let mut queue = TurnQueue::default();
        assert_eq!(queue.push(1, user("a"), NONE), Some(ToTurn::Announce));
        assert_eq!(queue.push(2, user("b"), NONE), None);
        assert_eq!(
            queue.push(3, LineRequest::Settings(settings(3)), NONE),
            None
        );
        assert_eq!(queue.push(4, user("c"), NONE), None);
        assert_eq!(queue.next(), NextStep::Turn("a".into()));
        assert_eq!(
            queue.push(5, steer("d"), NONE),
            Some(ToTurn::Steer("d".into()))
        );
        assert_eq!(
            queue.push(6, LineRequest::Interrupt, NONE),
            Some(ToTurn::Interrupt)
        );
        // The turn ended before it could send it.
        assert!(queue.turn_ended(vec!["d".into()]));
        queue.end();
        let next: Vec<NextStep> = (0..5)
            .map(|_| {
                let next = queue.next();
                if matches!(next, NextStep::Turn(_)) {
                    queue.turn_ended(Vec::new());
                }
                next
            })
            .collect();
        let turn = |text: &str| NextStep::Turn(text.into());
        let expected = [
            turn("d"),
            turn("b"),
            NextStep::Settings(settings(3)),
            turn("c"),
            NextStep::End,
        ];
        assert_eq!(next, expected);
    }

    #[test]
    fn without_a_turn_steering_is_one_and_an_interrupt_has_no_effect() {
        let mut queue = TurnQueue::default();
        assert_eq!(queue.push(1, LineRequest::Interrupt, NONE), None);
        assert_eq!(queue.push(2, steer("a"), NONE), Some(ToTurn::Announce));
        // It has not begun, but can already be steered and interrupted.
        assert_eq!(
            queue.push(3, steer("b"), NONE),
            Some(ToTurn::Steer("b".into()))
        );
        assert_eq!(
            queue.push(4, LineRequest::Interrupt, NONE),
            Some(ToTurn::Interrupt)
        );
        assert_eq!(queue.next(), NextStep::Turn("a".into()));
        assert!(!queue.turn_ended(Vec::new()));
        assert_eq!(queue.next(), NextStep::Wait);
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut queue = TurnQueue::default();
        for line in 1..=1000 {
            queue.push(line, user("a"), NONE);
        }
        for line in 1001..=3000 {
            queue.push(line, user("a"), NONE);
        }
        let full = "too many lines are waiting (at most 1,000 lines, or 64 MiB)";
        let error = LineError {
            line: 1001,
            lines: 2000,
            message: full.to_owned(),
        };
        assert_eq!(queue.next(), NextStep::Errors(vec![error]));
        assert_eq!(queue.waiting_turns(), 1000);
        assert_eq!(
            queue.push(3001, LineRequest::Interrupt, NONE),
            Some(ToTurn::Interrupt)
        );
        // A single message may be of any size, a second one has to fit.
        let large = "a".repeat(MAX_WAITING_BYTES + 1);
        let mut queue = TurnQueue::default();
        assert_eq!(queue.push(1, user(&large), NONE), Some(ToTurn::Announce));
        queue.push(2, user("b"), NONE);
        assert_eq!(queue.unusable(), 1);
        // Steering that waits counts.
        let mut queue = TurnQueue::default();
        queue.push(1, user("a"), NONE);
        assert_eq!(queue.next(), NextStep::Turn("a".into()));
        assert_eq!(queue.push(2, steer("b"), (1000, 5)), None);
        assert_eq!(queue.unusable(), 1);
    }

    #[test]
    fn errors_are_bounded_and_counted() {
        let mut queue = TurnQueue::default();
        for line in 1..=5000 {
            queue.fail(line, &format!("reason {line}"));
        }
        let errors = queue.take_errors();
        assert_eq!(errors.len(), MAX_ERRORS);
        assert_eq!(errors.iter().map(|error| error.lines).sum::<u64>(), 5000);
        assert_eq!(queue.unusable(), 5000);
    }
}
