//! What keys and pasted text do.

use super::command::completed;
use super::list::ListStep;
use super::record::{ChatState, Panel};
use super::view::View;
use super::{commands, search, turn};
use crate::chat::editor::MAX_QUESTION_BYTES;
use crate::chat::event::{Effect, NoticeLevel};
use crate::chat::key::{Key, KeyPress};

/// A key.
pub fn press(state: &mut ChatState, key: KeyPress, effects: &mut Vec<Effect>) {
    state.hint = None;
    let ctrl_c = std::mem::take(&mut state.ctrl_c);
    let control = |c: char| key == KeyPress::ctrl(c);
    match &mut state.panel {
        Some(Panel::List(_)) if control('c') => state.panel = None,
        Some(Panel::List(list)) => match list.press(key) {
            ListStep::Open => {}
            ListStep::Closed => state.panel = None,
            ListStep::Chosen(choice) => {
                state.panel = None;
                commands::choose(state, choice, effects);
            }
        },
        Some(Panel::Search(_)) => search::press(state, key),
        None if control('c') => interrupt_or_leave(state, ctrl_c, effects),
        None => press_in_question(state, key, effects),
    }
}

/// Pasted text. It is never sent and never a command.
pub fn paste(state: &mut ChatState, text: &str) {
    state.hint = None;
    state.ctrl_c = 0;
    match &mut state.panel {
        Some(Panel::List(list)) => list.narrow(text),
        Some(Panel::Search(_)) => search::type_text(state, text),
        None if !state.question.paste(text) => {
            let most = MAX_QUESTION_BYTES >> 20;
            let text = format!("the question would have more than {most} MiB: nothing was pasted");
            state.hint(NoticeLevel::Warning, text);
        }
        None => {}
    }
}

fn press_in_question(state: &mut ChatState, key: KeyPress, effects: &mut Vec<Effect>) {
    let KeyPress {
        ctrl, alt, shift, ..
    } = key;
    match key.key {
        Key::Char(c) if ctrl && !alt => match c {
            'd' if state.question.is_empty() => effects.push(Effect::Quit),
            's' => turn::submit(state, true, effects),
            'p' => effects.extend(state.models.cycle(shift)),
            'f' => search::begin(state),
            'r' => {
                state.scroll(|_| ());
                state.raw = !state.raw;
            }
            'o' => effects.push(Effect::Page(state.transcript.plain_text())),
            'g' => effects.push(Effect::EditQuestion(state.question.text().to_owned())),
            'z' => effects.push(Effect::Suspend),
            _ => edit(state, key),
        },
        Key::Char('p') if alt => effects.extend(state.models.cycle(true)),
        Key::Up | Key::Down if shift => step_effort(state, key.key == Key::Up, effects),
        Key::Escape if state.sign_in.take().is_some() => {
            state.queue.hold();
            effects.push(Effect::CancelSignIn);
        }
        Key::Escape => turn::interrupt(state, effects),
        Key::Enter if !(ctrl || alt || shift) => turn::submit(state, false, effects),
        Key::PageUp => state.scroll(|view| view.page(true)),
        Key::PageDown => state.scroll(|view| view.page(false)),
        Key::Home => state.scroll(View::rewind),
        Key::End => state.scroll(View::follow),
        Key::Tab if state.is_command() => complete(state),
        Key::Tab => fold(state),
        Key::Up if state.question.is_empty() && state.queue.waiting().len() > 0 => {
            state.question.set(state.queue.last().unwrap_or_default());
        }
        _ => edit(state, key),
    }
}

fn step_effort(state: &mut ChatState, up: bool, effects: &mut Vec<Effect>) {
    if let Some(effect) = state.models.step_effort(up) {
        effects.push(effect);
    } else {
        let way = if up { "more" } else { "less" };
        let text = format!("{} takes no {way} effort", state.models.model());
        state.hint(NoticeLevel::Note, text);
    }
}

fn edit(state: &mut ChatState, key: KeyPress) {
    let columns = state.question_columns();
    state.question.press(key, columns);
}

/// Ctrl+C. What it did last time in a row decides what it does now.
fn interrupt_or_leave(state: &mut ChatState, presses: u32, effects: &mut Vec<Effect>) {
    if state.sign_in.take().is_some() {
        state.queue.hold();
        effects.push(Effect::CancelSignIn);
        return;
    }
    // The one that ends a turn does not arm leaving: a second one may come late.
    state.ctrl_c = presses + 1;
    if state.turn.is_some() {
        state.ctrl_c_in_turn = true;
        if presses < 2 {
            turn::interrupt(state, effects);
        } else {
            if !state.question.is_empty() {
                effects.push(Effect::Remember(state.question_as_typed()));
            }
            effects.push(Effect::Quit);
        }
    } else if !state.question.is_empty() {
        let text = state.question_as_typed();
        state.question.take();
        state.question.remember(&text);
        state.hint(
            NoticeLevel::Note,
            "Ctrl+C again leaves; the text is in the history",
        );
    } else if presses > 0 && !std::mem::take(&mut state.ctrl_c_in_turn) {
        effects.push(Effect::Quit);
    } else {
        state.hint(NoticeLevel::Note, "Ctrl+C again leaves");
    }
}

fn complete(state: &mut ChatState) {
    if let Some(text) = completed(&state.candidates()) {
        state.question.set_typed(text);
    }
}

/// Folds or unfolds the last tool call in view that hides something when it is folded. Its first row stays in view.
fn fold(state: &mut ChatState) {
    state.lay_out(state.view.height());
    let (top, bottom) = (state.view.top(), state.view.bottom());
    let transcript = &mut state.transcript;
    let mut last = None;
    let shown = (top..bottom).rev().find_map(|row| {
        let call = transcript.call_at(row)?;
        // A call has many rows.
        let is_new = last.replace(call) != Some(call);
        (is_new && transcript.folds(call)).then_some((row, call))
    });
    let Some((row, call)) = shown else {
        return state.hint(NoticeLevel::Note, "no tool call in view has more lines");
    };
    let rows = (0..=row).rev();
    let first = rows
        .take_while(|row| transcript.call_at(*row) == Some(call))
        .last();
    transcript.toggle(call);
    state.view.show_from(first.unwrap_or(row));
    state.view.stay();
    state.anchor = None;
    state.lay_out(state.view.height());
}
