//! What standard output has of an answer that broke off (pure). When the answer is asked for again, its text is compared
//! with that and only the rest is shown, so that nothing stands there twice; where it differs, the two are never mixed.

use crate::wire::answer::{Show, Shown};

/// The new text is not the one that was shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Differs;

/// The messages that were shown of the answer in hand, and how far the new answer has repeated them.
#[derive(Debug, Default)]
pub(super) struct RepeatedText {
    messages: Vec<Shown>,
    /// The message that is to be repeated next, and how many bytes of it were.
    at: (usize, usize),
}

impl RepeatedText {
    /// What is still to be shown of this; nothing where all of it was shown before.
    pub(super) fn new_of(&mut self, show: Show) -> Result<Option<Show>, Differs> {
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
            // It goes on where the message broke off.
            Show::Text(text) if text.starts_with(rest) && !message.ended => {
                let new = text[rest.len()..].to_owned();
                // It is the last one, and from here on all is new.
                self.messages.truncate(number);
                Ok(Some(Show::Text(new)))
            }
            Show::MessageEnd if rest.is_empty() => {
                self.at = (number + 1, 0);
                Ok((!message.ended).then_some(show))
            }
            Show::Text(_) | Show::MessageEnd => Err(Differs),
            Show::Skipped => Ok(Some(show)),
            // It was told before.
            Show::Summary(_) | Show::Searched(_) => Ok(None),
        }
    }

    /// Whether the new answer has repeated all that was shown.
    pub(super) fn is_repeated(&self) -> bool {
        self.at.0 >= self.messages.len()
    }

    /// Whether anything was shown that is to be repeated.
    pub(super) fn is_begun(&self) -> bool {
        !self.messages.is_empty()
    }

    /// Notes that the new answer has broken off too, having brought these messages. What joined the conversation is
    /// not asked for again.
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
    fn messages(told: &str, kept: usize) -> Vec<Shown> {
        let parts: Vec<&str> = told.split_inclusive('|').collect();
        let shown = parts.iter().enumerate().map(|(n, part)| Shown {
            text: part.trim_end_matches('|').to_owned(),
            ended: part.ends_with('|'),
            kept: n < kept,
        });
        shown.collect()
    }

    /// What is shown of this new answer, in pieces of so many characters.
    fn shown(said: &mut RepeatedText, told: &str, size: usize) -> Result<String, Differs> {
        let mut out = String::new();
        let mut text = String::new();
        let mut give = |show| -> Result<(), Differs> {
            match said.new_of(show)? {
                Some(Show::Text(text)) => out.push_str(&text),
                Some(Show::MessageEnd) => out.push('|'),
                Some(Show::Skipped | Show::Summary(_) | Show::Searched(_)) | None => {}
            }
            Ok(())
        };
        for c in told.chars() {
            if c == '|' {
                if !text.is_empty() {
                    give(Show::Text(std::mem::take(&mut text)))?;
                }
                give(Show::MessageEnd)?;
            } else {
                text.push(c);
                if text.chars().count() == size {
                    give(Show::Text(std::mem::take(&mut text)))?;
                }
            }
        }
        if !text.is_empty() {
            give(Show::Text(text))?;
        }
        Ok(out)
    }

    /// Every answer of up to two short messages, broken off at every place and asked for again with every other answer:
    /// what stands there in the end is the new answer, or the run says that it differs.
    #[test]
    fn nothing_is_shown_twice_and_nothing_is_mixed() {
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
                        let mut said = RepeatedText::default();
                        said.broke_off(messages(&old[..cut], 0));
                        let ended =
                            shown(&mut said, new, size).map(|rest| (rest, said.is_repeated()));
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
        let mut said = RepeatedText::default();
        said.broke_off(messages("one|two", 0));
        assert_eq!(shown(&mut said, "on", 2), Ok(String::new()));
        assert!(!said.is_repeated());
        said.broke_off(messages("on", 0));
        assert_eq!(shown(&mut said, "one|two and", 3), Ok(" and".to_owned()));
        said.broke_off(messages("one|two and", 0));
        assert_eq!(
            shown(&mut said, "one|two and more|", 4),
            Ok(" more|".to_owned())
        );
        assert!(said.is_repeated());
    }

    #[test]
    fn what_joined_the_conversation_is_not_repeated() {
        let mut said = RepeatedText::default();
        said.broke_off(messages("one|tw", 1));
        assert_eq!(shown(&mut said, "two|", 2), Ok("o|".to_owned()));
    }
}
