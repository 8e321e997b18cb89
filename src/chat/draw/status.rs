//! The status line. When it is narrow its parts are left out, the least important first; model, sandbox mode and network stay
//! as long as there are 20 columns, in a short form if need be.

use super::super::clean::clean;
use super::super::state::ChatState;
use super::super::style::{Color, Line, Style};
use super::super::width::{clip, width};

/// The use of a plan window, in percent, from which on its reset is shown.
const HIGH_PERCENT: f64 = 80.0;

/// The rank of the directory, which is the first to be left out.
const DIRECTORY: u8 = 6;

/// A part of the line. Parts of rank 0 stay.
struct StatusPart {
    rank: u8,
    text: String,
    style: Style,
}

/// The line for this many columns.
pub(super) fn status(state: &ChatState, columns: usize) -> Line {
    let mut parts = parts(state);
    while total(&parts, 3) > columns {
        let Some(last) = parts
            .iter()
            .enumerate()
            .max_by_key(|(_, part)| part.rank)
            .filter(|(_, part)| part.rank > 0)
            .map(|(at, _)| at)
        else {
            return short(state, columns);
        };
        let room = (columns + width(&parts[last].text)).saturating_sub(total(&parts, 3));
        if parts[last].rank == DIRECTORY
            && let Some(end) = end_of(&parts[last].text, room)
        {
            parts[last].text = end;
            break;
        }
        parts.remove(last);
    }
    line(parts, " · ")
}

/// Model, sandbox mode and network in their shortest forms, and the effort if there is room for it.
fn short(state: &ChatState, columns: usize) -> Line {
    let sandbox = match state.sandbox.as_str() {
        "read-only" => "ro",
        "workspace-write" => "rw",
        "danger-full-access" => "FULL",
        other => other,
    };
    let network = if state.network { "+net" } else { "-net" };
    let mut parts = kept(state);
    sandbox.clone_into(&mut parts[1].text);
    network.clone_into(&mut parts[2].text);
    let others = width(sandbox) + width(network) + 2;
    let room = columns.saturating_sub(others).max(1);
    if width(&parts[0].text) > room {
        parts[0].text = format!("{}…", clip(&parts[0].text, room - 1));
    }
    if let Some(effort) = effort(state)
        && total(&parts, 1) + 1 + width(&effort.text) <= columns
    {
        parts.insert(1, effort);
    }
    line(parts, " ")
}

fn line(parts: Vec<StatusPart>, between: &str) -> Line {
    let dim = Style::default().dim();
    let mut line = Line::default();
    for (at, part) in parts.into_iter().enumerate() {
        if at > 0 {
            line.0.extend(Line::of(between, dim).0);
        }
        line.0.extend(Line::of(part.text, part.style).0);
    }
    line
}

fn total(parts: &[StatusPart], between: usize) -> usize {
    let texts: usize = parts.iter().map(|part| width(&part.text)).sum();
    texts + between * parts.len().saturating_sub(1)
}

/// The model, the sandbox mode and the network.
fn kept(state: &ChatState) -> Vec<StatusPart> {
    let dim = Style::default().dim();
    let part = |text: &str, style| StatusPart {
        rank: 0,
        text: clean(text).into_owned(),
        style,
    };
    let sandbox = match state.sandbox.as_str() {
        "danger-full-access" => Style::color(Color::Red).bold(),
        "workspace-write" => Style::color(Color::Yellow),
        _ => dim,
    };
    let (network, style) = if state.network {
        ("network", Style::color(Color::Yellow))
    } else {
        ("no network", dim)
    };
    vec![
        part(state.models.model(), Style::default()),
        part(&state.sandbox, sandbox),
        part(network, style),
    ]
}

/// The effort that the model uses.
fn effort(state: &ChatState) -> Option<StatusPart> {
    let effort = state.models.effort_in_use()?;
    Some(StatusPart {
        rank: 2,
        text: clean(effort).into_owned(),
        style: Style::default(),
    })
}

/// All parts, in the order of the line.
fn parts(state: &ChatState) -> Vec<StatusPart> {
    let dim = Style::default().dim();
    let part = |rank, text: String, style| StatusPart { rank, text, style };
    let mut kept = kept(state).into_iter();
    let mut parts: Vec<StatusPart> = kept.next().into_iter().collect();
    parts.extend(effort(state));
    if state.signed_out {
        let style = Style::color(Color::Yellow);
        parts.push(part(1, "not signed in".to_owned(), style));
    }
    if let Some(context) = state.usage.context {
        let window = state.models.entry().and_then(|entry| entry.window);
        parts.push(part(3, context_text(context, window), dim));
    }
    if let Some(cost) = state.usage.cost {
        parts.push(part(5, format!("${cost:.2}"), dim));
    }
    for plan in &state.usage.windows {
        let mut text = format!("{} {:.0}%", plan.name, plan.used_percent);
        let high = plan.used_percent >= HIGH_PERCENT;
        if let (true, Some(resets)) = (high, &plan.resets) {
            text = format!("{text} until {resets}");
        }
        let style = if high {
            Style::color(Color::Yellow)
        } else {
            dim
        };
        parts.push(part(4, clean(&text).into_owned(), style));
    }
    parts.extend(kept);
    if !state.directory.is_empty() {
        parts.push(part(DIRECTORY, clean(&state.directory).into_owned(), dim));
    }
    parts
}

/// The context used, and of how many tokens it is.
fn context_text(used: u64, window: Option<u64>) -> String {
    match window {
        Some(window) if window > 0 => {
            let percent = used.saturating_mul(100) / window;
            format!("{} of {} ({percent}%)", tokens(used), tokens(window))
        }
        _ => format!("{} tokens", tokens(used)),
    }
}

/// A number of tokens in at most five characters, rounded down.
fn tokens(count: u64) -> String {
    match count {
        0..1_000 => count.to_string(),
        1_000..1_000_000 => format!("{}k", count / 1_000),
        _ => format!("{}.{}M", count / 1_000_000, count / 100_000 % 10),
    }
}

/// The last names of a path that fit, with an ellipsis before them.
fn end_of(path: &str, columns: usize) -> Option<String> {
    let ends = path.match_indices('/').map(|(at, _)| &path[at..]);
    let fits = |end: &&str| end.len() > 1 && width(end) < columns;
    ends.into_iter().find(fits).map(|end| format!("…{end}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let check = |count, expected: &str| assert_eq!(tokens(count), expected);
        check(999, "999");
        check(12_999, "12k");
        check(1_250_000, "1.2M");
        assert_eq!(context_text(13_600, Some(272_000)), "13k of 272k (5%)");
        assert_eq!(context_text(13_600, None), "13k tokens");
        let check = |columns, end: Option<&str>| {
            assert_eq!(end_of("~/a/long/directory", columns).as_deref(), end);
        };
        check(10, None);
        check(11, Some("…/directory"));
        check(16, Some("…/long/directory"));
    }
}
