//! The rows between the transcript and the question.

use super::super::clean::clean;
use super::super::event::NoticeLevel;
use super::super::state::ChatState;
use super::super::state::list::ChoiceList;
use super::super::state::record::{Panel, ScreenSignIn};
use super::super::style::{Color, Line, Style};
use super::super::width::{clip, width};
use super::super::wrap::wrap;
use super::rule::rule;
use crate::output::columns::{shorten, shorten_start};
use crate::text::first_bytes;

/// The rows of a hint.
const MAX_HINT_ROWS: usize = 3;

/// The messages of the queue that are shown.
const MAX_QUEUE_ROWS: usize = 4;

/// The entries of a list that are shown.
const MAX_LIST_ROWS: usize = 12;

/// The part of a message that can be in one row, in bytes.
const MAX_ROW_BYTES: usize = 1_000;

/// The rows, at most this many.
pub(super) fn above(state: &ChatState, most: u16) -> Vec<Line> {
    let columns = usize::from(state.size.columns);
    let mut left = usize::from(most);
    if left == 0 {
        return Vec::new();
    }
    let list = matches!(state.panel, Some(Panel::List(_)));
    let ruled = !list || left > 2;
    left -= usize::from(ruled);
    let panel = match (&state.panel, &state.sign_in) {
        (Some(Panel::List(list)), _) => list_rows(list, columns, left),
        (_, Some(sign_in)) => sign_in_rows(sign_in, columns),
        _ => Vec::new(),
    };
    let panel = first(panel, left);
    left -= panel.len();
    let hint = first(hint_rows(state, columns), left.min(MAX_HINT_ROWS));
    left -= hint.len();
    let queue = first(queue_rows(state), (left / 2).min(MAX_QUEUE_ROWS));
    let mut rows = panel;
    rows.extend(queue);
    rows.extend(hint);
    if ruled {
        rows.push(rule(state, columns));
    }
    rows
}

fn first(mut lines: Vec<Line>, most: usize) -> Vec<Line> {
    lines.truncate(most);
    lines
}

fn list_rows(list: &ChoiceList, columns: usize, left: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    if left > 1 {
        let title = list_title(list, columns);
        lines.push(Line::of(title, Style::color(Color::Cyan)));
    }
    let entries = list.entries();
    if entries.is_empty() {
        lines.push(Line::of("  no match", Style::default().dim()));
    }
    let room = left.saturating_sub(lines.len()).clamp(1, MAX_LIST_ROWS);
    let top = (list.selected() + 1).saturating_sub(room);
    for (at, entry) in entries.iter().enumerate().skip(top).take(room) {
        let selected = at == list.selected();
        let mark = if selected { "› " } else { "  " };
        let current = if entry.is_current { " (current)" } else { "" };
        let label = one_row(&entry.label, columns.saturating_sub(2 + current.len()));
        let style = Style {
            reverse: selected,
            ..Style::default()
        };
        lines.push(Line::of(format!("{mark}{label}{current}"), style));
    }
    lines
}

/// The title of a list with the text that narrows it, and the keys as far as they fit.
fn list_title(list: &ChoiceList, columns: usize) -> String {
    let filter = clean(list.filter());
    let (mut title, mut keys) = (list.title.to_owned(), vec!["Enter selects", "Esc closes"]);
    if filter.is_empty() {
        keys.insert(0, "type to filter");
    } else {
        let room = columns.saturating_sub(width(&title) + 2);
        title = format!("{title}: {}", shorten_start(&filter, room));
    }
    while !keys.is_empty() {
        let whole = format!("{title}  {}", keys.join(", "));
        if width(&whole) <= columns {
            return whole;
        }
        keys.remove(0);
    }
    shorten(&title, columns).into_owned()
}

fn sign_in_rows(sign_in: &ScreenSignIn, columns: usize) -> Vec<Line> {
    let style = Style::default();
    let texts = match sign_in {
        ScreenSignIn::Starting => vec![(
            "sign-in: requesting a code… (Esc cancels)".to_owned(),
            style,
        )],
        // The code first: it stays on a small screen.
        ScreenSignIn::Code { address, code } => vec![
            (format!("sign-in: enter {code}"), style.bold()),
            (format!("at {address}"), style),
            ("waiting for it… (Esc cancels)".to_owned(), style.dim()),
        ],
    };
    let rows = texts
        .into_iter()
        .flat_map(|(text, style)| wrap(&Line::of(clean(&text), style), columns));
    rows.collect()
}

fn hint_rows(state: &ChatState, columns: usize) -> Vec<Line> {
    let (text, style) = match &state.hint {
        Some((NoticeLevel::Note, text)) => (text.clone(), Style::default().dim()),
        Some((NoticeLevel::Warning, text)) => (text.clone(), Style::color(Color::Yellow)),
        Some((NoticeLevel::Error, text)) => (text.clone(), Style::color(Color::Red)),
        None if state.panel.is_none() => (state.candidates().join("  "), Style::default().dim()),
        None => return Vec::new(),
    };
    if text.is_empty() {
        return Vec::new();
    }
    let text = clean(first_bytes(&text, MAX_ROW_BYTES));
    wrap(&Line::of(text, style), columns)
}

fn queue_rows(state: &ChatState) -> Vec<Line> {
    let columns = usize::from(state.size.columns);
    let row = |label: &str, text: &str, color| {
        let text = one_row(text, columns.saturating_sub(label.len()));
        let mut line = Line::of(label, Style::color(color));
        line.0.extend(Line::of(text, Style::default().dim()).0);
        line
    };
    let label = if state.queue.is_held() {
        "held: "
    } else {
        "queued: "
    };
    let (steering, waiting) = (state.queue.steering(), state.queue.waiting());
    let count = steering.len() + waiting.len();
    let steering = steering.map(|text| ("steering: ", text, Color::Magenta));
    let all = steering.chain(waiting.map(|text| (label, text, Color::Cyan)));
    let shown = if count > MAX_QUEUE_ROWS {
        MAX_QUEUE_ROWS - 1
    } else {
        count
    };
    let mut rows: Vec<Line> = all
        .take(shown)
        .map(|(label, text, color)| row(label, text, color))
        .collect();
    if count > shown {
        let more = format!("{} more", count - shown);
        rows.push(Line::of(more, Style::default().dim()));
    }
    rows
}

/// Text in one row: line ends are visible, and what does not fit is replaced by an ellipsis.
fn one_row(text: &str, columns: usize) -> String {
    let text = first_bytes(text, MAX_ROW_BYTES).replace('\n', " ↵ ");
    let text = clean(&text);
    if width(&text) <= columns {
        return text.into_owned();
    }
    format!("{}…", clip(&text, columns.saturating_sub(1)))
}
