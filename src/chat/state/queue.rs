//! The messages that wait for the running turn: those to ask after it, and those that steer it. Nothing is dropped: a steering
//! message that was not sent becomes the first to ask.

use std::collections::VecDeque;

/// The number of messages that may wait.
pub const MAX_QUEUED: usize = 50;

/// The queue.
#[derive(Debug, Default)]
pub struct Queue {
    waiting: VecDeque<String>,
    steering: VecDeque<String>,
    /// Whether the messages stay here until the user sends them on.
    held: bool,
}

impl Queue {
    /// Whether no more messages fit in.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.waiting.len() + self.steering.len() >= MAX_QUEUED
    }

    /// The messages to ask, in order.
    pub fn waiting(&self) -> impl ExactSizeIterator<Item = &str> {
        self.waiting.iter().map(String::as_str)
    }

    /// The steering messages that no request has sent yet, in order.
    pub fn steering(&self) -> impl ExactSizeIterator<Item = &str> {
        self.steering.iter().map(String::as_str)
    }

    #[must_use]
    pub fn is_held(&self) -> bool {
        self.held
    }

    /// Adds a message at the end.
    pub fn push(&mut self, message: String) {
        self.waiting.push_back(message);
    }

    /// Adds a message at the beginning.
    pub fn put_back(&mut self, message: String) {
        self.waiting.push_front(message);
    }

    /// Adds a message that steers the running turn.
    pub fn steer(&mut self, message: String) {
        self.steering.push_back(message);
    }

    /// Removes a steering message that was sent.
    pub fn steered(&mut self, message: &str) {
        if let Some(at) = self.steering.iter().position(|other| other == message) {
            self.steering.remove(at);
        }
    }

    /// The turn has ended: what did not steer it is asked next.
    pub fn turn_ended(&mut self) {
        while let Some(message) = self.steering.pop_back() {
            self.waiting.push_front(message);
        }
    }

    /// The messages stay until [`Queue::release`]. An empty queue is never held.
    pub fn hold(&mut self) {
        self.held = !self.waiting.is_empty();
    }

    /// The messages are asked one after another again.
    pub fn release(&mut self) {
        self.held = false;
    }

    /// Takes the first message.
    pub fn first(&mut self) -> Option<String> {
        let message = self.waiting.pop_front();
        self.held = self.held && !self.waiting.is_empty();
        message
    }

    /// Takes the last message.
    pub fn last(&mut self) -> Option<String> {
        let message = self.waiting.pop_back();
        self.held = self.held && !self.waiting.is_empty();
        message
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_keep_their_order_and_steering_ones_come_back_first() {
        let mut queue = Queue::default();
        queue.push("c".into());
        queue.push("d".into());
        for message in ["x", "a", "b"] {
            queue.steer(message.into());
        }
        queue.steered("x");
        queue.steered("unknown");
        queue.turn_ended();
        queue.hold();
        assert_eq!(queue.waiting().collect::<String>(), "abcd");
        assert_eq!(queue.last().as_deref(), Some("d"));
        assert_eq!(queue.first().as_deref(), Some("a"));
        assert!(queue.is_held());
        queue.first();
        queue.first();
        assert!(!queue.is_held());
        assert_eq!(queue.first(), None);
    }
}
