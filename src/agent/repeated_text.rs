//! The printed text of an answer that broke off (pure). The text of a retry is compared with it and only the rest is
//! printed, so nothing appears twice. If the two differ, they are never mixed.

use crate::wire::answer::{Show, Shown};

/// The new text differs from the printed one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Differs;

/// The printed messages of the current answer, and how far the retry has repeated them.
#[derive(Debug, Default)]
pub(super) struct RepeatedText {
    messages: Vec<Shown>,
    /// Index of the message to repeat next, and the number of its bytes that were repeated.
    at: (usize, usize),
}

impl RepeatedText {
    /// The part of `show` that is not printed yet; `None` if all of it is.
    pub(super) fn new_part(&mut self, show: Show) -> Result<Option<Show>, Differs> {
        let (number, repeated) = self.at;
        let Some(message) = self.messages.get(number) else {
            return Ok(Some(show));
        };
        let rest = &message.text[repeated..];
        match show {
            Show::Text(text) if rest.starts_with(&*text) => {
                self.at.1 += text.len();
                Ok(None)
            }
            // It continues beyond the point where the message broke off.
            Show::Text(text) if text.starts_with(rest) && !message.ended => {
                let new = text[rest.len()..].to_owned();
                // This was the last printed message; everything from here on is new.
                self.messages.truncate(number);
                Ok(Some(Show::Text(new)))
            }
            Show::MessageEnd if rest.is_empty() => {
                self.at = (number + 1, 0);
                Ok((!message.ended).then_some(show))
            }
            Show::Text(_) | Show::MessageEnd => Err(Differs),
            Show::Skipped => Ok(Some(show)),
            // Reported during an earlier attempt.
            Show::Summary(_) | Show::Searched(_) => Ok(None),
        }
    }

    /// Whether the retry has repeated everything that was printed.
    pub(super) fn is_repeated(&self) -> bool {
        self.at.0 >= self.messages.len()
    }

    /// Whether anything was printed that has to be repeated.
    pub(super) fn is_begun(&self) -> bool {
        !self.messages.is_empty()
    }

    /// The texts of the printed messages.
    pub(super) fn texts(&self) -> Vec<String> {
        let texts = self.messages.iter().map(|message| &message.text);
        texts
            .filter(|text| !text.trim().is_empty())
            .cloned()
            .collect()
    }

    /// Records that the new answer broke off too, after these messages. Messages that became part of the conversation will
    /// not be repeated.
    pub(super) fn broke_off(&mut self, shown: Vec<Shown>) {
        let mut before = std::mem::take(&mut self.messages).into_iter();
        self.at = (0, 0);
        for new in shown {
            let longer = match before.next() {
                Some(old) if (old.text.len(), old.ended) > (new.text.len(), new.ended) => Shown {
                    kept: new.kept,
                    ..old
                },
                _ => new,
            };
            self.messages.push(longer);
        }
        self.messages.extend(before);
        self.messages.retain(|message| !message.kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Messages written with `|` for the end of each.
    fn messages(answer: &str, kept: usize) -> Vec<Shown> {
        let parts: Vec<&str> = answer.split_inclusive('|').collect();
        let shown = parts.iter().enumerate().map(|(n, part)| Shown {
            text: part.trim_end_matches('|').to_owned(),
            ended: part.ends_with('|'),
            kept: n < kept,
        });
        shown.collect()
    }

    /// The text printed for a new answer that arrives in pieces of `size` characters.
    fn shown(repeated: &mut RepeatedText, answer: &str, size: usize) -> Result<String, Differs> {
        let mut out = String::new();
        let mut text = String::new();
        let mut feed = |show| -> Result<(), Differs> {
            match repeated.new_part(show)? {
                Some(Show::Text(text)) => out.push_str(&text),
                Some(Show::MessageEnd) => out.push('|'),
                Some(Show::Skipped | Show::Summary(_) | Show::Searched(_)) | None => {}
            }
            Ok(())
        };
        for c in answer.chars() {
            if c == '|' {
                if !text.is_empty() {
                    feed(Show::Text(std::mem::take(&mut text)))?;
                }
                feed(Show::MessageEnd)?;
            } else {
                text.push(c);
                if text.chars().count() == size {
                    feed(Show::Text(std::mem::take(&mut text)))?;
                }
            }
        }
        if !text.is_empty() {
            feed(Show::Text(text))?;
        }
        Ok(out)
    }

    /// Every answer of up to two short messages, broken off at every position and retried with every other answer: the printed
    /// text is the new answer, or a difference is reported.
    #[test]
    fn nothing_is_printed_twice_and_nothing_is_mixed() {
        let texts = ["", "a", "b", "ab", "aé", "aéa", "ba"];
        let mut answers: Vec<String> = Vec::new();
        for first in texts {
            for second in texts {
                let both = [first, second].into_iter().filter(|text| !text.is_empty());
                answers.push(both.map(|text| format!("{text}|")).collect());
            }
        }
        for old in &answers {
            for (cut, _) in old.char_indices().chain([(old.len(), ' ')]) {
                for new in &answers {
                    for size in 1..=3 {
                        let mut repeated = RepeatedText::default();
                        repeated.broke_off(messages(&old[..cut], 0));
                        let ended = shown(&mut repeated, new, size)
                            .map(|rest| (rest, repeated.is_repeated()));
                        match ended {
                            Ok((rest, true)) => assert_eq!(format!("{}{rest}", &old[..cut]), *new),
                            Ok((_, false)) | Err(Differs) => {
                                assert!(!new.starts_with(&old[..cut]), "{old} at {cut}, then {new}")
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn an_answer_that_breaks_off_again_and_again() {
        let mut repeated = RepeatedText::default();
        repeated.broke_off(messages("one|two", 0));
        assert_eq!(shown(&mut repeated, "on", 2), Ok(String::new()));
        assert!(!repeated.is_repeated());
        repeated.broke_off(messages("on", 0));
        assert_eq!(
            shown(&mut repeated, "one|two and", 3),
            Ok(" and".to_owned())
        );
        repeated.broke_off(messages("one|two and", 0));
        assert_eq!(
            shown(&mut repeated, "one|two and more|", 4),
            Ok(" more|".to_owned())
        );
        assert!(repeated.is_repeated());
    }

    #[test]
    fn messages_in_the_conversation_are_not_repeated() {
        let mut repeated = RepeatedText::default();
        repeated.broke_off(messages("one|tw", 1));
        assert_eq!(shown(&mut repeated, "two|", 2), Ok("o|".to_owned()));
    }
}
