//! JSON lines: one object per line for each event of a run. They follow the official `codex exec --json`, whose readers
//! ignore the additional fields and event types. `events.schema.json` describes them.

mod call_item;
mod event_line;
mod failed_turn;
mod final_text;
mod held;

use std::io::{self, Write};
use std::time::Duration;

use serde_json::{Value, json};

use super::{CallNotice, LimitWindow, Notice, Sink};
use crate::failure::of_unanswered;
use crate::result::CallResult;
use crate::wire::raw_text::RawText;
use crate::wire::response::Usage;
use call_item::call_item;
use event_line::{beginning, line};
pub use failed_turn::{TurnFailed, run_failed, turn_failed};
use held::HeldBack;

/// Version of the format: raised when a field is removed or changed, not when one is added.
pub const SCHEMA_VERSION: u32 = 1;

/// JSON Schema of the lines.
pub const EVENTS: &str = include_str!("events.schema.json");

/// Writes notices as JSON lines.
pub struct JsonLines<W> {
    out: W,
    /// Also report text as it arrives.
    deltas: bool,
    /// Report only how the run ends, not what went wrong along the way.
    quiet: bool,
    /// Warnings that came before the first line.
    held_warnings: Option<Vec<String>>,
    /// What is not yet written.
    held: Vec<u8>,
    /// Number of items so far.
    items: usize,
    /// The open message: its item number, and its text so far if a message that does not end is an item too.
    message: Option<(usize, String)>,
    /// A turn that fails may be followed by another one.
    has_turns: bool,
    /// Running calls: call id, item number, and the item as it started.
    running: Vec<(String, usize, Value)>,
    usage: Usage,
    requests: usize,
    cost: Option<f64>,
}

/// Contents of the first line.
#[derive(Clone, Copy, Debug)]
pub struct ThreadStarted<'a> {
    /// The conversation's id.
    pub thread: &'a str,
    /// The model.
    pub model: &'a str,
    /// The tools' working directory.
    pub cwd: &'a str,
    /// This program's version.
    pub version: &'a str,
}

/// Contents of the last line of a turn that succeeded.
#[derive(Clone, Debug)]
pub struct TurnCompleted<'a> {
    /// The model that answered.
    pub model: &'a str,
    /// How long the turn took.
    pub took: Duration,
    /// The last message of the model.
    pub message: RawText<'a>,
    /// The message is known to be JSON.
    pub is_json: bool,
}

impl<W: Write> JsonLines<W> {
    /// Creates a writer to `out`.
    pub fn new(out: W, deltas: bool, quiet: bool) -> Self {
        Self {
            out,
            deltas,
            quiet,
            held_warnings: None,
            held: Vec::new(),
            items: 0,
            message: None,
            has_turns: false,
            running: Vec::new(),
            usage: Usage::default(),
            requests: 0,
            cost: None,
        }
    }

    /// Writes a message that does not end with its turn, too.
    #[must_use]
    pub fn with_turns(mut self, has_turns: bool) -> Self {
        self.has_turns = has_turns;
        self
    }

    /// Holds warnings back until the first turn begins.
    #[must_use]
    pub fn waiting(mut self) -> Self {
        self.held_warnings = Some(Vec::new());
        self
    }

    /// Writes the first line.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn begin(&mut self, beginning: &ThreadStarted<'_>) -> io::Result<()> {
        let ThreadStarted {
            thread,
            model,
            cwd,
            version,
        } = beginning;
        let fields = json!({"thread_id": thread, "schema": SCHEMA_VERSION, "version": version, "model": model, "cwd": cwd});
        self.add("thread.started", fields);
        self.flush()
    }

    /// Writes the first line of a turn, and the warnings that came before it.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn begin_turn(&mut self) -> io::Result<()> {
        self.add("turn.started", json!({}));
        for message in self.held_warnings.take().unwrap_or_default() {
            self.whole(json!({"type": "error", "message": message}));
        }
        self.flush()
    }

    /// Writes the last line of a successful turn.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn completed(&mut self, completed: &TurnCompleted<'_>) -> io::Result<()> {
        let TurnCompleted {
            model,
            took,
            message,
            is_json,
        } = completed;
        let mut fields = json!({"usage": usage_fields(&self.usage), "model": model});
        if let Some(cost) = self.cost {
            fields["cost_usd"] = cost.into();
        }
        fields["duration_ms"] = millis(*took);
        fields["requests"] = self.requests.into();
        let fields = line("turn.completed", fields);
        // The message follows as the last fields.
        self.held
            .extend_from_slice(fields.trim_end_matches("}\n").as_bytes());
        let mut out = HeldBack::new(&mut self.held, &mut self.out);
        out.write_all(b",\"final_message\":")?;
        final_text::write_string(message, &mut out)?;
        if *is_json {
            out.write_all(b",\"final_json\":")?;
            final_text::write_json(message, &mut out)?;
        }
        out.write_all(b"}\n")?;
        out.flush()
    }

    /// Writes the last lines of a turn that failed, after which the run continues. A message that the turn has begun is an item of
    /// its own.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn turn_failed(&mut self, lines: &str) -> io::Result<()> {
        if let Some((number, text)) = self.message.take() {
            let mut item = json!({"type": "agent_message", "text": text, "partial": true});
            self.item("item.completed", number, &mut item);
        }
        for (_, number, mut item) in std::mem::take(&mut self.running) {
            item["status"] = "stopped".into();
            self.item("item.completed", number, &mut item);
        }
        self.held.extend_from_slice(lines.as_bytes());
        self.flush()
    }

    fn add(&mut self, kind: &str, fields: Value) {
        self.held.extend_from_slice(line(kind, fields).as_bytes());
    }

    /// Adds an item.
    fn item(&mut self, event: &str, number: usize, item: &mut Value) {
        item["id"] = format!("item_{number}").into();
        self.held
            .extend_from_slice(beginning(event, "item").as_bytes());
        // A value is always JSON, and a vector takes everything.
        let _ = serde_json::to_writer(&mut self.held, item);
        self.held.extend_from_slice(b"}\n");
    }

    fn next_item(&mut self) -> usize {
        self.items += 1;
        self.items - 1
    }

    fn whole(&mut self, mut item: Value) {
        let number = self.next_item();
        self.item("item.completed", number, &mut item);
    }

    fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if self.message.is_none() {
            self.message = Some((self.next_item(), String::new()));
        }
        let Some((number, message)) = &mut self.message else {
            return;
        };
        if self.has_turns {
            message.push_str(text);
        }
        if self.deltas {
            let held = &mut self.held;
            held.extend_from_slice(beginning("item.delta", "delta").as_bytes());
            // A string is always JSON, and a vector takes everything.
            let _ = serde_json::to_writer(&mut *held, text);
            held.extend_from_slice(format!(",\"item_id\":\"item_{number}\"}}\n").as_bytes());
        }
    }

    /// Adds a message that has ended. It may be as long as an answer can be, so it is written without a copy of its text.
    fn ended_message(&mut self, text: &RawText<'_>) -> io::Result<()> {
        let Some((number, _)) = self.message.take() else {
            return Ok(());
        };
        let mut out = HeldBack::new(&mut self.held, &mut self.out);
        let start = beginning("item.completed", "item");
        let start = format!("{start}{{\"id\":\"item_{number}\",\"text\":");
        out.write_all(start.as_bytes())?;
        final_text::write_string(text, &mut out)?;
        out.write_all(b",\"type\":\"agent_message\"}}\n")
    }

    fn started(&mut self, call: &CallNotice<'_>) {
        let number = self.next_item();
        let mut item = call_item(call, None);
        self.item("item.started", number, &mut item);
        self.running.push((call.id.to_owned(), number, item));
    }

    fn ended(&mut self, call: &CallNotice<'_>, result: &CallResult) {
        let place = self.running.iter().position(|(id, ..)| id == call.id);
        let number = match place {
            Some(place) => self.running.swap_remove(place).1,
            None => self.next_item(),
        };
        let mut item = call_item(call, Some(result));
        self.item("item.completed", number, &mut item);
    }
}

/// Token counts, under the official field names.
fn usage_fields(usage: &Usage) -> Value {
    json!({
        "input_tokens": usage.input,
        "cached_input_tokens": usage.cached,
        "cache_write_input_tokens": usage.written,
        "output_tokens": usage.output,
        "reasoning_output_tokens": usage.reasoning,
    })
}

fn millis(time: Duration) -> Value {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).into()
}

/// A retry and its reason; uncounted attempts have the number 0.
fn retry(attempt: usize, delay: Value, reason: &str) -> Value {
    json!({"attempt": attempt, "delay_ms": delay, "reason": reason})
}

fn windows(windows: &[LimitWindow<'_>]) -> Value {
    let list = windows.iter().map(|window| {
        json!({"name": window.name, "used_percent": window.used, "window_minutes": window.minutes,
            "resets_at": window.resets_at})
    });
    Value::Array(list.collect())
}

impl<W: Write> Sink for JsonLines<W> {
    fn take(&mut self, notice: Notice<'_>) -> io::Result<()> {
        match notice {
            Notice::Text(text) => self.text(text),
            Notice::MessageEnd(text) => self.ended_message(text)?,
            Notice::Searched(search) => {
                // The official events always have a query, so a missing one becomes the empty string.
                let query = search.query.as_deref().unwrap_or_default();
                self.whole(json!({"type": "web_search", "query": query}))
            }
            Notice::Summary(text) => self.whole(json!({"type": "reasoning", "text": text})),
            Notice::ToolStarted(call) => self.started(&call),
            Notice::ToolEnded { call, result, .. } => self.ended(&call, result),
            Notice::Warning(warning) if !self.quiet => {
                let message = warning.to_string();
                match &mut self.held_warnings {
                    // Nothing may precede the first line.
                    Some(held_warnings) => held_warnings.push(message),
                    None => self.whole(json!({"type": "error", "message": message})),
                }
            }
            Notice::Warning(_)
            | Notice::Steered(_)
            | Notice::ToolPrinted { .. }
            | Notice::ServerPrinted { .. }
            | Notice::ToolStopped { .. } => {}
            Notice::InputError {
                line,
                lines,
                message,
            } => {
                let fields = json!({"line": line, "lines": lines, "message": message});
                self.add("input_error", fields);
            }
            Notice::Retry {
                attempt,
                delay,
                reason,
                ..
            } => {
                let again = retry(attempt, millis(delay), of_unanswered(reason, None).what());
                self.add("retry", again);
            }
            Notice::Waiting(waiting) => {
                let delay = millis(waiting.delay().unwrap_or_default());
                self.add("retry", retry(0, delay, &waiting.to_string()));
            }
            Notice::OtherModel { model, reason } => {
                let mut fields = retry(0, 0.into(), of_unanswered(reason, None).what());
                fields["model"] = model.into();
                self.add("retry", fields);
            }
            Notice::Resumed { reason } => {
                self.add(
                    "retry",
                    retry(0, 0.into(), of_unanswered(reason, None).what()),
                );
            }
            Notice::Reset { at, now, reason } => {
                let delay = at.saturating_sub(now).saturating_mul(1000);
                let mut fields = retry(0, delay.into(), of_unanswered(reason, None).what());
                fields["retry_at"] = at.into();
                self.add("retry", fields);
            }
            Notice::Compacted(compacted) => self.add("compacted", compacted.fields()),
            Notice::Limits(list) => self.add("limits", json!({"windows": windows(list)})),
            Notice::Request { usage, number } => {
                let mut fields = usage_fields(&usage);
                fields["request"] = number.into();
                self.add("usage", fields);
            }
            Notice::Usage {
                usage,
                requests,
                cost,
            } => {
                (self.usage, self.requests, self.cost) = (usage, requests, cost);
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.held.is_empty() {
            return Ok(());
        }
        HeldBack::new(&mut self.held, &mut self.out).flush()
    }
}

#[cfg(test)]
mod tests;
