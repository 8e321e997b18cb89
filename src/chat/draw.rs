//! The screen as it is drawn from the state. From the top: the transcript; a list or the sign-in; the queue; a hint; a rule that
//! says what goes on; the question; the status line. What does not fit is left out in this order: the queue, the hint, the
//! list, the rule, the transcript, the status line.

mod above;
mod rule;
mod status;

use super::editor::rows::{QuestionRow, shown_row};
use super::screen::Screen;
use super::state::ChatState;
use super::state::record::{Panel, Search};
use super::style::{Color, Line, Style};
use super::width::{clip, width};

/// Shown in place of an empty question.
const PLACEHOLDER: &str = "ask something, or type /help";

/// The columns for the words of a search beside what became of it.
const MIN_WORDS_COLUMNS: usize = 8;

/// Draws the screen, and lays out the transcript for it.
pub fn draw(state: &mut ChatState) -> Screen {
    let size = state.size;
    let mut screen = Screen::new(size);
    if size.rows == 0 || size.columns == 0 {
        return screen;
    }
    let (rows, cursor) = question(state);
    let status_rows = u16::from(size.rows > 1);
    let question_rows = count(&rows);
    let left = size.rows - status_rows - question_rows;
    let list = matches!(state.panel, Some(Panel::List(_)));
    // The transcript keeps a row, but for a list.
    let above = above::above(state, left.saturating_sub(u16::from(!list)));
    let above_rows = count(&above);
    let view_rows = left - above_rows;

    state.lay_out(usize::from(view_rows));
    draw_transcript(state, &mut screen);
    for (line, row) in above.iter().zip(view_rows..) {
        screen.print_line(row, 0, line);
    }
    let first = view_rows + above_rows;
    for (line, row) in rows.iter().zip(first..) {
        screen.print_line(row, 0, line);
    }
    let (row, column) = cursor;
    screen.set_cursor((!list).then_some((first + row, column)));
    if status_rows > 0 {
        let line = status::status(state, usize::from(size.columns));
        screen.print_line(size.rows - 1, 0, &line);
    }
    screen
}

fn count(lines: &[Line]) -> u16 {
    u16::try_from(lines.len()).unwrap_or(u16::MAX)
}

fn draw_transcript(state: &ChatState, screen: &mut Screen) {
    let marked = match &state.panel {
        Some(Panel::Search(search)) => search.found.map(|found| {
            let row = state.transcript.row_of(found);
            (row, state.transcript.marked(row, &search.words))
        }),
        _ => None,
    };
    let marked_row = |at: usize| {
        let (first, rows) = marked.as_ref()?;
        rows.get(at.checked_sub(*first)?)
    };
    for (at, row) in (state.view.top()..state.view.bottom()).zip(0..) {
        let Some(line) = marked_row(at).or_else(|| state.transcript.row(at)) else {
            break;
        };
        screen.print_line(row, 0, line);
    }
}

/// The rows of the question, at most a third of the screen, and the row and column of the cursor in them.
fn question(state: &mut ChatState) -> (Vec<Line>, (u16, u16)) {
    let mark = state.mark_columns();
    if let Some(Panel::Search(search)) = &state.panel {
        return search_row(search, usize::from(state.size.columns));
    }
    let most = usize::from(state.size.rows / 3).max(1);
    let style = state.question_style();
    let (rows, (row, column)) = state.question.layout(state.question_columns());
    let top = state
        .question_top
        .min(row)
        .max((row + 1).saturating_sub(most));
    let top = top.min(rows.len().saturating_sub(most));
    state.question_top = top;
    let shown: Vec<QuestionRow> = rows.iter().skip(top).take(most).copied().collect();
    let mut lines = Vec::new();
    for (at, part) in (top..).zip(shown) {
        let mut line = match (mark, at) {
            (0, _) => Line::default(),
            (_, 0) => Line::of("› ", Style::color(Color::Cyan).bold()),
            _ => Line::of("  ", Style::default()),
        };
        let text = shown_row(state.question.text(), part);
        line.0.extend(Line::of(text, style).0);
        lines.push(line);
    }
    if state.question.is_empty() && mark > 0 {
        lines[0]
            .0
            .extend(Line::of(PLACEHOLDER, Style::default().dim()).0);
    }
    let column = u16::try_from(column).unwrap_or(u16::MAX);
    let row = u16::try_from(row - top).unwrap_or(u16::MAX);
    (lines, (row, column.saturating_add(mark)))
}

/// The search in place of the question. Of words that are too long the end is shown.
fn search_row(search: &Search, columns: usize) -> (Vec<Line>, (u16, u16)) {
    let label = clip("find: ", columns / 2);
    let room = columns.saturating_sub(label.len() + 1);
    let failed = "  (not found)";
    let says_so = search.failed && room >= failed.len() + MIN_WORDS_COLUMNS;
    let room = room - if says_so { failed.len() } else { 0 };
    let words = super::clean::clean(&search.words);
    let mut shown = &words[..];
    while width(shown) > room {
        let mut rest = shown.chars();
        rest.next();
        shown = rest.as_str();
    }
    // The label has the colour of a failure where there is no room for its words.
    let color = if search.failed {
        Color::Yellow
    } else {
        Color::Cyan
    };
    let mut line = Line::of(label, Style::color(color));
    line.0.extend(Line::of(shown, Style::default()).0);
    if says_so {
        line.0.extend(Line::of(failed, Style::color(color)).0);
    }
    let column = u16::try_from(label.len() + width(shown)).unwrap_or(u16::MAX);
    (vec![line], (0, column))
}

#[cfg(test)]
mod tests;
