//! Tests of the screen and of the bytes that draw it.

use super::*;
use crate::chat::emulator::{Emulator, Look};
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
    check(0, "a\u{202e}\u{301}b\u{2066}c", 3, "a\u{301}bc");
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

/// Random numbers that are the same every time (xorshift64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % limit
    }

    fn cell(&mut self, limit: u16) -> u16 {
        u16::try_from(self.below(usize::from(limit))).expect("it is below")
    }

    fn style(&mut self) -> Style {
        let color = [Color::Default, Color::Red, Color::Cyan, Color::Gray][self.below(4)];
        let mut with = |chance: usize| self.below(chance) == 0;
        Style {
            color,
            bold: with(3),
            dim: with(5),
            italic: with(5),
            underline: with(5),
            reverse: with(5),
        }
    }

    fn change(&mut self, screen: &mut Screen) {
        const TEXTS: [&str; 14] = [
            "a",
            "word",
            "  ",
            " ",
            "some words in a row",
            "日本",
            "e\u{301}",
            "👩‍👧",
            "❤\u{fe0f}",
            "👍🏽",
            "🇩🇪",
            "日a本",
            "──────",
            "          ",
        ];
        let Size { columns, rows } = screen.size();
        for _ in 0..self.below(12) {
            let style = if self.below(2) == 0 {
                Style::default()
            } else {
                self.style()
            };
            let text = TEXTS[self.below(TEXTS.len())];
            screen.print(self.cell(rows), self.cell(columns), text, style);
        }
        let at = (self.cell(rows), self.cell(columns));
        screen.set_cursor((self.below(4) > 0).then_some(at));
    }
}

fn look(style: Style, colors: bool) -> Look {
    let color = match style.color {
        Color::Red if colors => 31,
        Color::Cyan if colors => 36,
        Color::Gray if colors => 90,
        _ => 0,
    };
    Look {
        color,
        background: 0,
        bold: style.bold,
        dim: style.dim,
        italic: style.italic,
        underline: style.underline,
        reverse: style.reverse,
    }
}

/// Compares what a terminal shows with the screen. `exact` is not for terminals that do not join emoji: there, the cells of
/// clusters that terminals disagree about are not compared.
fn assert_shows(terminal: &Emulator, screen: &Screen, colors: bool, exact: bool) {
    for row in 0..screen.size().rows {
        let cells = screen.0.row(row);
        for (column, (shown, cell)) in terminal.row(usize::from(row)).iter().zip(cells).enumerate()
        {
            let head = if cell.glyph == Glyph::Tail {
                &cells[column - 1]
            } else {
                cell
            };
            if !exact && changes::is_disputed(std::slice::from_ref(head)) {
                continue;
            }
            let text = match &cell.glyph {
                Glyph::Char(c) => c.to_string(),
                Glyph::Cluster(cluster) => cluster.to_string(),
                Glyph::Tail => String::new(),
            };
            let mut expected = look(cell.style, colors);
            if *cell == Cell::BLANK && !shown.look.reverse && !shown.look.underline {
                expected = shown.look; // a blank looks the same in all of these
            }
            assert_eq!(
                (&shown.text, shown.look),
                (&text, expected),
                "row {row}, column {column}"
            );
        }
    }
    let cursor = screen
        .cursor()
        .map(|(row, column)| (usize::from(row), usize::from(column)));
    assert_eq!(terminal.cursor(), cursor);
    assert!(terminal.has_default_look());
    assert_eq!(terminal.unknown, [""; 0]);
    assert_eq!(terminal.scrolled, 0);
}

#[test]
fn the_changes_turn_one_screen_into_another() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for round in 0..3000 {
        let size = Size {
            columns: random.cell(24) + 1,
            rows: random.cell(4) + 1,
        };
        let (joins, colors) = (round % 2 == 0, round % 3 > 0);
        let mut terminal = Emulator::new(size.columns.into(), size.rows.into());
        if !joins {
            terminal = terminal.without_joining();
            terminal.feed(b"\x1b[?7l"); // as `terminal.rs` does
        }
        terminal.feed("left by an interrupted program\x1b[H日".as_bytes());
        terminal.scrolled = 0;
        let mut shown = Screen::new(size);
        random.change(&mut shown);
        terminal.feed(&shown.changes_from(None, colors));
        assert_shows(&terminal, &shown, colors, joins);
        for _ in 0..8 {
            let mut next = if random.below(4) == 0 {
                Screen::new(size)
            } else {
                shown.clone()
            };
            random.change(&mut next);
            terminal.feed(&next.changes_from(Some(&shown), colors));
            assert_shows(&terminal, &next, colors, joins);
            assert_eq!(next.changes_from(Some(&next), colors), b"");
            shown = next;
        }
    }
}

#[test]
fn another_size_clears_the_terminal() {
    let mut terminal = Emulator::new(8, 2);
    let mut before = screen(8, 2);
    before.print(0, 0, "abcdefgh", Style::default());
    terminal.feed(&before.changes_from(None, true));
    terminal.resize(5, 3);
    let mut after = screen(5, 3);
    after.print(2, 0, "abcde", Style::color(Color::Red));
    terminal.feed(&after.changes_from(Some(&before), true));
    assert_shows(&terminal, &after, true, true);
    assert_eq!(
        screen(0, 0).changes_from(Some(&after), true),
        b"\x1b[?2026h\x1b[?25l\x1b[m\x1b[2J\x1b[?2026l"
    );
    assert_eq!(screen(0, 3).text(), "\n\n\n");
}

#[test]
fn few_bytes_are_written() {
    let frame = |body: &str| format!("\x1b[?2026h\x1b[?25l{body}\x1b[?2026l");
    let check = |from: &str, to: &str, style: Style, expected: &str| {
        let (mut before, mut after) = (screen(20, 4), screen(20, 4));
        before.print(1, 0, from, style);
        after.print(1, 0, to, style);
        before.set_cursor(Some((0, 0)));
        after.set_cursor(Some((1, 3)));
        let bytes = after.changes_from(Some(&before), true);
        assert_eq!(
            String::from_utf8(bytes).expect("text"),
            expected,
            "{from:?} to {to:?}"
        );
    };
    let plain = Style::default();
    let at = "\x1b[2;4H";
    check("same", "same", plain, at);
    check(
        "same",
        "sane",
        plain,
        &frame("\x1b[2;3Hn\x1b[2;4H\x1b[?25h"),
    );
    check(
        "abcdef",
        "Abcdef!",
        plain,
        &frame("\x1b[2;1HA\x1b[7G!\x1b[2;4H\x1b[?25h"),
    );
    check(
        "abcdef",
        "AbcdeF",
        plain,
        &frame("\x1b[2;1HAbcdeF\x1b[2;4H\x1b[?25h"),
    );
    check(
        "abcdefghij",
        "abc",
        plain,
        &frame("\x1b[2;4H\x1b[K\x1b[2;4H\x1b[?25h"),
    );
    check("abcd", "ab", plain, &frame("\x1b[2;3H  \x1b[2;4H\x1b[?25h"));
    check(
        "",
        "a b",
        Style::color(Color::Red).bold(),
        &frame("\x1b[2;1H\x1b[0;1;31ma b\x1b[m\x1b[2;4H\x1b[?25h"),
    );
    let mut hidden = screen(20, 4);
    hidden.print(3, 19, "x", plain);
    let bytes = hidden.changes_from(Some(&screen(20, 4)), true);
    assert_eq!(bytes, b"\x1b[?2026h\x1b[4;20Hx\x1b[?2026l");
}
