//! The keys of the question.

use super::*;

const COLUMNS: usize = 20;

fn typed(keys: &str) -> Editor {
    let mut editor = Editor::new(&[]);
    for c in keys.chars() {
        editor.press(KeyPress::plain(Key::Char(c)), COLUMNS);
    }
    editor
}

fn marked(editor: &Editor) -> String {
    let mut text = editor.text.clone();
    text.insert(editor.cursor, '|');
    text
}

fn check(begin: &str, keys: &[KeyPress], expected: &str) {
    let mut editor = typed(begin);
    for key in keys {
        assert!(editor.press(*key, COLUMNS), "{key:?}");
    }
    assert_eq!(marked(&editor), expected, "{begin:?} {keys:?}");
}

#[test]
fn keys_edit_as_in_readline() {
    let ctrl = KeyPress::ctrl;
    let plain = KeyPress::plain;
    let alt = |c| KeyPress::alt(Key::Char(c));
    let alt_backspace = KeyPress::alt(Key::Backspace);
    check("one two", &[ctrl('a')], "|one two");
    check("one two", &[ctrl('a'), ctrl('e')], "one two|");
    check("one two", &[alt('b'), ctrl('k')], "one |");
    check("one two", &[alt('b'), ctrl('u')], "|two");
    check("one two", &[alt('b'), alt('b'), alt('f')], "one| two");
    check("a b.c", &[ctrl('w')], "a |");
    check("a b.c", &[alt_backspace], "a b.|");
    check("a b.c", &[ctrl('a'), alt('d')], "| b.c");
    check("a b c", &[ctrl('w'), ctrl('w'), ctrl('y')], "a b c|");
    let twice = [ctrl('a'), ctrl('k'), ctrl('y'), ctrl('y')];
    check("a b", &twice, "a ba b|");
    check("ab", &[plain(Key::Left), ctrl('j')], "a\n|b");
    check("a", &[KeyPress::alt(Key::Enter)], "a\n|");
    check("a", &[KeyPress::shift(Key::Enter)], "a\n|");
    check("ab", &[plain(Key::Left), plain(Key::Delete)], "a|");
    check("e\u{301}", &[plain(Key::Backspace)], "|");
    check("日本", &[plain(Key::Left), plain(Key::Backspace)], "|本");
    check("a\nb", &[ctrl('a'), ctrl('u')], "a|b");
    check("a\nb", &[plain(Key::Up), ctrl('k')], "a|b");
}

#[test]
fn up_and_down_keep_the_column_and_leave_through_the_history() {
    let up = KeyPress::plain(Key::Up);
    let down = KeyPress::plain(Key::Down);
    check("abcd\nb\nabcd", &[up], "abcd\nb|\nabcd");
    check("abcd\nb\nabcd", &[up, up], "abcd|\nb\nabcd");
    check("abcd\nb\nabcd", &[up, up, down, down], "abcd\nb\nabcd|");
    let mut editor = Editor::new(&["one".into(), "two".into()]);
    editor.press(KeyPress::plain(Key::Char('x')), COLUMNS);
    let mut seen = Vec::new();
    for key in [up, up, up, down, down, down] {
        editor.press(key, COLUMNS);
        seen.push(editor.text().to_owned());
    }
    assert_eq!(seen, ["two", "one", "one", "two", "x", "x"]);
}

#[test]
fn it_is_known_whether_the_beginning_was_typed() {
    let mut editor = typed("/a");
    assert!(editor.begins_typed());
    editor.paste("b");
    assert!(editor.begins_typed());
    editor.press(KeyPress::ctrl('u'), COLUMNS);
    editor.press(KeyPress::ctrl('y'), COLUMNS);
    assert_eq!((editor.text(), editor.begins_typed()), ("/ab", true));
    editor.press(KeyPress::ctrl('a'), COLUMNS);
    editor.paste("/c");
    assert_eq!((editor.text(), editor.begins_typed()), ("/c/ab", false));
    editor.press(KeyPress::ctrl('a'), COLUMNS);
    editor.press(KeyPress::plain(Key::Char('/')), COLUMNS);
    assert_eq!((editor.text(), editor.begins_typed()), ("//c/ab", true));
    editor.press(KeyPress::plain(Key::Backspace), COLUMNS);
    assert_eq!((editor.text(), editor.begins_typed()), ("/c/ab", false));
    let mut editor = typed("");
    editor.paste("x/quit");
    editor.press(KeyPress::ctrl('a'), COLUMNS);
    editor.press(KeyPress::plain(Key::Delete), COLUMNS);
    assert_eq!((editor.text(), editor.begins_typed()), ("/quit", false));
}

#[test]
fn a_question_is_never_too_long() {
    let mut editor = typed("a");
    assert!(!editor.paste(&"x".repeat(MAX_QUESTION_BYTES)));
    assert_eq!(editor.text(), "a");
    assert!(editor.paste(&"x".repeat(MAX_QUESTION_BYTES - 1)));
    editor.press(KeyPress::plain(Key::Char('b')), COLUMNS);
    assert_eq!(editor.text().len(), MAX_QUESTION_BYTES);
}

#[test]
fn a_combining_character_before_a_mark_keeps_the_cursor_outside() {
    let mut editor = typed("\u{301}");
    editor.press(KeyPress::ctrl('a'), COLUMNS);
    editor.press(KeyPress::plain(Key::Char('e')), COLUMNS);
    assert_eq!(marked(&editor), "e\u{301}|");
}
