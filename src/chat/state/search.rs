//! The search in the transcript: from the end of the view upwards as the words are typed.

use super::record::{ChatState, Panel, Search};
use super::view::View;
use crate::chat::key::{Key, KeyPress};

/// The longest text to search for, in bytes.
const MAX_WORDS_BYTES: usize = 200;

/// Ctrl+F: begins a search.
pub fn begin(state: &mut ChatState) {
    state.scroll(|_| ());
    state.panel = Some(Panel::Search(Search {
        before: state.anchor,
        ..Search::default()
    }));
}

/// A key while the search is open. Escape leaves the view at what was found; Ctrl+C returns to where it was.
pub fn press(state: &mut ChatState, key: KeyPress) {
    let Some(Panel::Search(search)) = &mut state.panel else {
        return;
    };
    match (key.key, key.ctrl, key.alt) {
        (Key::Escape, ..) => state.panel = None,
        (Key::Char('c'), true, _) => {
            state.anchor = search.before;
            state.panel = None;
            if state.anchor.is_some() {
                state.view.stay();
                state.lay_out(state.view.height());
            } else {
                state.scroll(View::follow);
            }
        }
        (Key::Char('f'), true, _) | (Key::Enter | Key::Up, ..) => find(state, Step::Up),
        (Key::Down, ..) => find(state, Step::Down),
        (Key::Backspace, ..) => {
            search.words.pop();
            find(state, Step::Again);
        }
        (Key::Char('u'), true, _) => search.words.clear(),
        (Key::Char(c), false, false) => type_text(state, c.encode_utf8(&mut [0; 4])),
        (Key::PageUp, ..) => state.scroll(|view| view.page(true)),
        (Key::PageDown, ..) => state.scroll(|view| view.page(false)),
        _ => {}
    }
}

/// Adds to the words.
pub fn type_text(state: &mut ChatState, text: &str) {
    let Some(Panel::Search(search)) = &mut state.panel else {
        return;
    };
    let text = text.lines().next().unwrap_or_default();
    if search.words.len() + text.len() <= MAX_WORDS_BYTES {
        search.words.push_str(text);
        find(state, Step::Again);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// From the row that was found on upwards, with it.
    Again,
    Up,
    Down,
}

fn find(state: &mut ChatState, step: Step) {
    state.lay_out(state.view.height());
    let Some(Panel::Search(search)) = &mut state.panel else {
        return;
    };
    if search.words.is_empty() {
        (search.found, search.failed) = (None, false);
        return;
    }
    let transcript = &state.transcript;
    let last = state.view.bottom().saturating_sub(1);
    let row = match (search.found.map(|found| transcript.row_of(found)), step) {
        (Some(row), Step::Up) => row.checked_sub(1),
        (Some(row), Step::Down) => Some(row + 1),
        (Some(row), Step::Again) => Some(row),
        (None, _) => Some(last),
    };
    let found = row.and_then(|row| transcript.find(&search.words, row, step != Step::Down));
    search.failed = found.is_none();
    if let Some(row) = found {
        search.found = transcript.anchor(row);
        state.scroll(|view| view.show(row));
    }
}
