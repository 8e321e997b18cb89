//! The line above the question: what is running, what is waiting, and the keys for it. What does not fit is left out whole, the
//! least important first.

use super::super::state::ChatState;
use super::super::style::{Color, Line, Style};
use super::super::width::width;

/// The rank of what is left out first.
const MAX_RANK: u8 = 9;

/// A part of the line, in pieces: what it says, and after it the keys. The pieces with the highest rank are left out first.
struct RulePart {
    says: Vec<(u8, String)>,
    style: Style,
}

impl RulePart {
    fn of<const N: usize>(says: [(u8, &str); N], style: Style) -> Self {
        let says = says.map(|(rank, text)| (rank, text.to_owned())).into();
        Self { says, style }
    }
}

/// The line for this many columns.
pub(super) fn rule(state: &ChatState, columns: usize) -> Line {
    let dim = Style::default().dim();
    let mut parts = parts(state);
    for last in (1..=MAX_RANK).rev() {
        if width_of(&parts) > columns {
            for part in &mut parts {
                part.says.retain(|(rank, _)| *rank < last);
            }
        }
    }
    let mut line = Line::of("─", dim);
    for part in parts.iter().filter(|part| !part.says.is_empty()) {
        let text: String = part.says.iter().map(|(_, text)| text.as_str()).collect();
        line.0.extend(Line::of(format!(" {text} "), part.style).0);
        line.0.extend(Line::of("─", dim).0);
    }
    let rest = "─".repeat(columns.saturating_sub(width_of(&parts)));
    line.0.extend(Line::of(rest, dim).0);
    line
}

/// The columns of the parts, with the lines between them.
fn width_of(parts: &[RulePart]) -> usize {
    let parts = parts.iter().filter(|part| !part.says.is_empty());
    let of_text = |part: &RulePart| part.says.iter().map(|(_, text)| width(text)).sum::<usize>();
    1 + parts.map(|part| of_text(part) + 3).sum::<usize>()
}

/// All parts, in the order of the line.
fn parts(state: &ChatState) -> Vec<RulePart> {
    let mut parts = Vec::new();
    if let Some((text, keys, color)) = state.activity() {
        parts.push(RulePart::of([(1, &*text), (6, keys)], Style::color(color)));
    }
    let waiting = state.queue.waiting().len();
    if waiting > 0 {
        let (what, [first, second]) = if state.queue.is_held() {
            ("held", [": Enter sends it", ", Up edits it"])
        } else {
            ("queued", [": Ctrl+S steers", ", Up takes back"])
        };
        let style = Style::color(Color::Cyan);
        let count = format!("{waiting} {what}");
        // The keys that need an empty question.
        parts.push(if state.question.is_empty() {
            RulePart::of([(3, &*count), (7, first), (9, second)], style)
        } else {
            RulePart::of([(3, &*count)], style)
        });
    }
    if state.view.is_away() {
        let count = state.view.below().to_string();
        let says = [(2, &*count), (4, " rows"), (2, " below"), (5, ": End")];
        parts.push(RulePart::of(says, Style::color(Color::Yellow)));
    }
    if state.raw {
        parts.push(RulePart::of([(8, "raw")], Style::default().dim()));
    }
    parts
}
