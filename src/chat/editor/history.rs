//! The earlier questions, and the one that is being written while they are looked at. What was typed is never lost: an earlier
//! question that was changed becomes the one being written, and what was being written before it becomes an earlier one.

use std::collections::VecDeque;

/// The number of questions that are kept.
const MAX_QUESTIONS: usize = 1_000;

/// The bytes of all questions that are kept. The newest is kept whatever its length.
const MAX_HISTORY_BYTES: usize = 8 << 20;

/// A text with the number of bytes at its beginning that were typed (the rest was pasted).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    pub text: String,
    pub typed: usize,
}

impl Draft {
    /// A text that counts as typed.
    #[must_use]
    pub fn typed(text: String) -> Self {
        let typed = text.len();
        Self { text, typed }
    }
}

/// The earlier questions, oldest first.
#[derive(Debug, Default)]
pub struct History {
    questions: VecDeque<String>,
    bytes: usize,
    /// Which one is looked at, and what was being written.
    looking: Option<(usize, Draft)>,
}

impl History {
    /// Adds a question, unless it is the same as the last one, and stops looking back.
    pub fn add(&mut self, question: &str) {
        self.looking = None;
        if question.is_empty() || self.questions.back().is_some_and(|last| last == question) {
            return;
        }
        self.bytes += question.len();
        self.questions.push_back(question.to_owned());
        while self.questions.len() > MAX_QUESTIONS
            || (self.bytes > MAX_HISTORY_BYTES && self.questions.len() > 1)
        {
            let oldest = self.questions.pop_front().unwrap_or_default();
            self.bytes -= oldest.len();
        }
    }

    /// Stops looking back.
    pub fn leave(&mut self) {
        self.looking = None;
    }

    /// The question before the one that is shown.
    pub fn older(&mut self, shown: &Draft) -> Option<Draft> {
        self.keep_changes(shown);
        let at = match &self.looking {
            Some((at, _)) => *at,
            None => self.questions.len(),
        };
        let at = at.checked_sub(1)?;
        let draft = match self.looking.take() {
            Some((_, draft)) => draft,
            None => shown.clone(),
        };
        self.looking = Some((at, draft));
        Some(Draft::typed(self.questions[at].clone()))
    }

    /// The question after the one that is shown; at last the one that was being written.
    pub fn newer(&mut self, shown: &Draft) -> Option<Draft> {
        self.keep_changes(shown);
        let (at, draft) = self.looking.take()?;
        let Some(next) = self.questions.get(at + 1) else {
            return Some(draft);
        };
        self.looking = Some((at + 1, draft));
        Some(Draft::typed(next.clone()))
    }

    /// An earlier question that was changed becomes the one that is being written.
    fn keep_changes(&mut self, shown: &Draft) {
        let Some((at, draft)) = self.looking.take() else {
            return;
        };
        if self.questions[at] == shown.text {
            self.looking = Some((at, draft));
        } else {
            self.add(&draft.text);
            // The newest questions, at which `older` begins again.
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(questions: &[&str]) -> History {
        let mut history = History::default();
        for question in questions {
            history.add(question);
        }
        history
    }

    #[test]
    fn looking_back_and_forth_returns_to_what_was_being_written() {
        let mut history = history(&["one", "two", "two"]);
        let mut shown = Draft {
            text: "draft".into(),
            typed: 2,
        };
        let mut seen = Vec::new();
        while let Some(older) = history.older(&shown) {
            shown = older;
            seen.push(shown.text.clone());
        }
        while let Some(newer) = history.newer(&shown) {
            shown = newer;
            seen.push(shown.text.clone());
        }
        assert_eq!(seen, ["two", "one", "two", "draft"]);
        assert_eq!(shown.typed, 2);
        assert_eq!(history.newer(&shown), None);
    }

    #[test]
    fn nothing_that_was_typed_is_lost_by_looking_back() {
        let mut history = history(&["one"]);
        history.older(&Draft::typed("draft".into()));
        let changed = Draft::typed("one more".into());
        assert_eq!(history.older(&changed), Some(Draft::typed("draft".into())));
        assert_eq!(history.newer(&Draft::typed("draft".into())), Some(changed));
    }

    #[test]
    fn the_history_is_bounded() {
        let mut history = History::default();
        for n in 0..2 * MAX_QUESTIONS {
            history.add(&n.to_string());
        }
        assert_eq!(history.questions.len(), MAX_QUESTIONS);
        for n in 0..20 {
            history.add(&format!("{n}{}", "x".repeat(1 << 20)));
        }
        assert!(history.bytes <= MAX_HISTORY_BYTES);
    }
}
