//! Tests of the screen and of the bytes that draw it.

use super::*;
use crate::chat::style::{Color, Span};

fn screen(columns: u16, rows: u16) -> Screen {
    Screen::new(Size { columns, rows })
}

#[test]
fn text_is_clipped_and_never_halved() {
    let check = |column: u16, text: &str, after: u16, expected: &str| {
        let mut screen = screen(6, 1);
        assert_eq!(
            screen.print(0, column, text, Style::default()),
            after,
            "{text:?}"
        );
        assert_eq!(screen.text(), format!("{expected}\n"));
    };
    check(0, "abc", 3, "abc");
    check(2, "abcdefgh", 6, "  abcd");
    check(0, "日本語", 6, "日本語");
    check(1, "日本語", 5, " 日本");
    check(0, "a\u{301}\u{1b}[\tb\n", 3, "a\u{301}[b");
    check(6, "a", 6, "");
    check(u16::MAX, "a", u16::MAX, "");
    check(4, "👩‍👧\u{200b}x", 6, "    👩‍👧\u{200b}");
    assert_eq!(screen(6, 1).print(1, 0, "abc", Style::default()), 0);
}

#[test]
fn half_a_wide_character_becomes_blank() {
    let check = |column: u16, text: &str, expected: &str| {
        let mut screen = screen(6, 1);
        screen.print(0, 1, "日本", Style::default().reverse());
        screen.print(0, column, text, Style::default());
        assert_eq!(screen.text(), format!("{expected}\n"));
    };
    check(0, "x", "x日本");
    check(1, "x", " x 本");
    check(2, "x", "  x本");
    check(2, "語", "  語");
    check(3, "xy", " 日xy");
    check(0, "語", "語 本");
}

#[test]
fn a_line_is_printed_span_by_span() {
    let mut screen = screen(5, 2);
    let span = |text: &str| Span {
        text: text.to_owned(),
        style: Style::color(Color::Red),
    };
    assert_eq!(
        screen.print_line(0, 0, &Line(vec![span("ab"), span(""), span("cd")])),
        4
    );
    assert_eq!(
        screen.print_line(1, 0, &Line(vec![span("abcd日"), span("e")])),
        4
    );
    assert_eq!(screen.text(), "abcd\nabcd\n");
}
