//! What is typed: keys and pasted text.

/// A key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// A character, as typed: `A` has no shift. With `ctrl` it is the lower-case letter.
    Char(char),
    Enter,
    Tab,
    Backspace,
    Delete,
    Escape,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,
}

/// A key with the modifiers held down with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyPress {
    pub key: Key,
    pub ctrl: bool,
    pub alt: bool,
    /// Only for keys that are not characters, and for control characters where the terminal tells them apart.
    pub shift: bool,
}

/// What the terminal sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    Key(KeyPress),
    /// Text that was pasted, with `\n` as its line end.
    Paste(String),
}

impl KeyPress {
    /// A key without modifiers.
    #[must_use]
    pub fn plain(key: Key) -> Self {
        Self {
            key,
            ctrl: false,
            alt: false,
            shift: false,
        }
    }

    /// A letter with Ctrl.
    #[must_use]
    pub fn ctrl(letter: char) -> Self {
        Self {
            ctrl: true,
            ..Self::plain(Key::Char(letter))
        }
    }

    /// A key with Alt.
    #[must_use]
    pub fn alt(key: Key) -> Self {
        Self {
            alt: true,
            ..Self::plain(key)
        }
    }

    /// A key with Shift.
    #[must_use]
    pub fn shift(key: Key) -> Self {
        Self {
            shift: true,
            ..Self::plain(key)
        }
    }
}
