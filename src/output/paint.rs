//! Colours for lines on standard error. Only the start of a line and a tool's status are ever coloured. Deciding
//! whether to use colours is left to the caller.

use std::borrow::Cow;

/// The meaning of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// Why the command failed.
    Error,
    /// How to fix it.
    Hint,
    /// Anything else.
    Note,
    /// A tool that succeeded.
    Good,
    /// A tool that failed.
    Bad,
}

/// Whether to use colours. The default is not to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Paint(bool);

impl Paint {
    /// Uses colours if `wanted`.
    #[must_use]
    pub fn new(wanted: bool) -> Self {
        Self(wanted)
    }

    /// Returns the text in the colour of this ink.
    #[must_use]
    pub fn mark(self, ink: Ink, words: &str) -> Cow<'_, str> {
        // ECMA-48, 8.3.117: bold red; cyan, readable on light and dark backgrounds; faint; green; red.
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
    fn text_is_unchanged_without_colours_and_resets_them_with() {
        let check = |ink, expected: &str| {
            assert_eq!(Paint::default().mark(ink, "codex:"), "codex:");
            assert_eq!(Paint::new(true).mark(ink, "codex:"), expected);
        };
        check(Ink::Error, "\x1b[1;31mcodex:\x1b[0m");
        check(Ink::Hint, "\x1b[36mcodex:\x1b[0m");
        check(Ink::Note, "\x1b[2mcodex:\x1b[0m");
    }
}
