//! The colours of what goes beside the answer. Only standard error is ever coloured, and of its lines only what
//! they begin with, and how a tool went; who wants colours is found out elsewhere.

use std::borrow::Cow;

/// What a line tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// Why the command did not end well.
    Error,
    /// What to do about it.
    Hint,
    /// Anything else.
    Note,
    /// A tool that did what it was asked to.
    Good,
    /// A tool that did not.
    Bad,
}

/// Colours, or none. The default is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Paint(bool);

impl Paint {
    /// Colours, if they are wanted.
    #[must_use]
    pub fn new(wanted: bool) -> Self {
        Self(wanted)
    }

    /// These words in this ink.
    #[must_use]
    pub fn mark(self, ink: Ink, words: &str) -> Cow<'_, str> {
        // ECMA-48, 8.3.117: bold and red; cyan, which is read on light and on dark; faint; green; red.
        let code = match ink {
            _ if !self.0 => return Cow::Borrowed(words),
            Ink::Error => "1;31",
            Ink::Hint => "36",
            Ink::Note => "2",
            Ink::Good => "32",
            Ink::Bad => "31",
        };
        Cow::Owned(format!("\x1b[{code}m{words}\x1b[0m"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_as_they_were_without_colours_and_end_them_with() {
        let check = |ink, expected: &str| {
            assert_eq!(Paint::default().mark(ink, "codex:"), "codex:");
            assert_eq!(Paint::new(true).mark(ink, "codex:"), expected);
        };
        check(Ink::Error, "\x1b[1;31mcodex:\x1b[0m");
        check(Ink::Hint, "\x1b[36mcodex:\x1b[0m");
        check(Ink::Note, "\x1b[2mcodex:\x1b[0m");
    }
}
