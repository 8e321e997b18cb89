//! Styled text.

/// A colour of the terminal's palette.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Color {
    #[default]
    Default,
    Red,
    Green,
    Yellow,
    Blue,
    Magenta,
    Cyan,
    /// Bright black.
    Gray,
}

/// How text looks. Without colours (`NO_COLOR`) the other attributes remain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[allow(clippy::struct_excessive_bools)] // SGR attributes are independent
pub struct Style {
    pub color: Color,
    pub bold: bool,
    pub dim: bool,
    pub italic: bool,
    pub underline: bool,
    pub reverse: bool,
}

impl Style {
    /// Text in this colour.
    #[must_use]
    pub fn color(color: Color) -> Self {
        Self {
            color,
            ..Self::default()
        }
    }

    /// The same, bold.
    #[must_use]
    pub fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    /// The same, dim.
    #[must_use]
    pub fn dim(self) -> Self {
        Self { dim: true, ..self }
    }

    /// The same, with foreground and background exchanged.
    #[must_use]
    pub fn reverse(self) -> Self {
        Self {
            reverse: true,
            ..self
        }
    }
}

/// Text in one style. It contains no line end and no control character.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Span {
    pub text: String,
    pub style: Style,
}

/// A line of styled text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line(pub Vec<Span>);

impl Line {
    /// A line in one style.
    #[must_use]
    pub fn of(text: impl Into<String>, style: Style) -> Self {
        let text = text.into();
        Self(vec![Span { text, style }])
    }
}
