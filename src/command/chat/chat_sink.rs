//! The sink of a turn: what the agent reports becomes what the screen shows.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::channel::Reporter;
use super::tool_call::starting;
use crate::chat::event::{ChatEvent, NoticeLevel, TurnEvent, UsageWindow};
use crate::clock::{local_short, seconds, span, until};
use crate::failure::of_unanswered;
use crate::output::visible::line;
use crate::output::{LimitWindow, Notice, Sink};
use crate::result::CallResult;

/// The sink of the turns of a chat.
#[derive(Debug)]
pub(super) struct ChatSink {
    reporter: Reporter,
    /// The working directory of the tools.
    directory: PathBuf,
    /// Tokens in the context after the last request.
    context: u64,
    /// The cost of the conversation.
    cost: Option<f64>,
    /// Requests are paid for one by one, and not with a plan.
    pub(super) is_metered: bool,
    /// The model that the service was asked for instead of the chosen one.
    pub(super) other_model: Option<String>,
}

impl ChatSink {
    pub(super) fn new(reporter: Reporter, directory: PathBuf) -> Self {
        Self {
            reporter,
            directory,
            context: 0,
            cost: None,
            is_metered: false,
            other_model: None,
        }
    }

    /// Begins to count for another conversation.
    pub(super) fn begin_conversation(&mut self) {
        (self.context, self.cost) = (0, None);
    }

    /// Reports an event of the turn.
    pub(super) fn turn(&self, event: TurnEvent) -> io::Result<()> {
        self.reporter.event(ChatEvent::Turn(event))
    }

    fn notice(&self, level: NoticeLevel, text: String) -> io::Result<()> {
        self.turn(TurnEvent::Notice(level, text))
    }

    fn usage(&self) -> io::Result<()> {
        self.turn(TurnEvent::Usage {
            context: self.context,
            cost: self.cost,
        })
    }
}

impl Sink for ChatSink {
    fn take(&mut self, notice: Notice<'_>) -> io::Result<()> {
        match notice {
            Notice::Text(text) => self.turn(TurnEvent::Text(text.to_owned())),
            Notice::MessageEnd(_) => self.turn(TurnEvent::MessageEnd),
            Notice::Warning(warning) => self.notice(NoticeLevel::Warning, warning.to_string()),
            Notice::Retry {
                attempt,
                of,
                delay,
                reason,
            } => self.turn(TurnEvent::Waiting(format!(
                "{}; trying again in {} ({attempt} of {of})",
                line(of_unanswered(reason, None).what()),
                span(delay)
            ))),
            Notice::Waiting(waiting) => self.turn(TurnEvent::Waiting(match waiting.delay() {
                Some(delay) => format!("{waiting}; trying again in {}", span(delay)),
                None => waiting.to_string(),
            })),
            Notice::OtherModel { model, reason } => {
                self.other_model = Some(model.to_owned());
                let reason = of_unanswered(reason, None);
                let text = format!("{}; asking {model} instead", reason.what());
                self.notice(NoticeLevel::Warning, text)
            }
            Notice::Resumed { reason } => {
                let reason = of_unanswered(reason, None);
                let text = format!("{}; resuming after its last tool call", reason.what());
                self.notice(NoticeLevel::Note, text)
            }
            Notice::Reset { at, now, reason } => {
                let reason = of_unanswered(reason, None);
                let text = format!("{}; waiting for its end {}", reason.what(), until(at, now));
                self.turn(TurnEvent::Waiting(text))
            }
            Notice::Compacted(compacted) => {
                self.context = compacted.after;
                self.notice(NoticeLevel::Note, compacted.to_string())?;
                self.usage()
            }
            // Only lines of standard input cause these.
            // The other is for a reader of standard error.
            Notice::InputError { .. } | Notice::ServerPrinted { .. } => Ok(()),
            Notice::Steered(text) => {
                let text = text.to_owned();
                self.turn(TurnEvent::Steered { text })
            }
            Notice::ToolStarted(call) => {
                let call = starting(&call, &self.directory);
                self.turn(TurnEvent::ToolStarted(call))
            }
            Notice::ToolPrinted { id, tail } => self.turn(TurnEvent::ToolPrinted {
                id: id.to_owned(),
                tail: tail.to_owned(),
            }),
            Notice::ToolEnded {
                call, took, result, ..
            } => self.turn(ended(call.id, result, took)),
            Notice::ToolStopped { id, took, result } => self.turn(ended(id, result, took)),
            Notice::Limits(windows) => {
                let windows = windows.iter().map(|window| shown(window, seconds()));
                self.turn(TurnEvent::Limits(windows.collect()))
            }
            Notice::Request { usage, .. } => {
                self.context = usage.input.saturating_add(usage.output);
                self.usage()
            }
            Notice::Summary(text) => self.turn(TurnEvent::Summary(text.to_owned())),
            Notice::Searched(search) => {
                let query = search.query.clone().unwrap_or_default();
                self.turn(TurnEvent::Searched(query))
            }
            Notice::Usage { cost, .. } => {
                if let Some(cost) = cost.filter(|_| self.is_metered) {
                    *self.cost.get_or_insert_default() += cost;
                }
                self.usage()
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn follows_tools(&self) -> bool {
        true
    }

    /// The screen has a clock of its own.
    fn pulse(&self) -> Option<Duration> {
        None
    }
}

fn ended(id: &str, result: &CallResult, took: Duration) -> TurnEvent {
    let mut result = Box::new(result.clone());
    // The screen has no use for them, and they may be large.
    result.images.clear();
    result.server_content = None;
    TurnEvent::ToolEnded {
        id: id.to_owned(),
        result,
        took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
    }
}

/// A window of the plan, at this time in Unix seconds.
fn shown(window: &LimitWindow<'_>, now: u64) -> UsageWindow {
    let name = match window.minutes {
        Some(minutes) if minutes > 0 && minutes % 10_080 == 0 => weeks(minutes / 10_080),
        Some(minutes) if minutes > 0 && minutes % 1440 == 0 => format!("{} d", minutes / 1440),
        Some(minutes) if minutes > 0 && minutes % 60 == 0 => format!("{} h", minutes / 60),
        Some(minutes) if minutes > 0 => format!("{minutes} min"),
        _ => window.name.to_owned(),
    };
    UsageWindow {
        name,
        used_percent: window.used,
        resets: window
            .resets_at
            .filter(|at| *at > now)
            .map(|at| local_short(at, now)),
    }
}

fn weeks(count: u64) -> String {
    match count {
        1 => "week".to_owned(),
        count => format!("{count} weeks"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_windows_of_a_plan_are_named_for_their_length() {
        let check = |minutes: Option<u64>, expected: &str| {
            let window = LimitWindow {
                name: "primary",
                used: 12.5,
                minutes,
                resets_at: Some(7200),
            };
            let shown = shown(&window, 0);
            assert_eq!(shown.name, expected);
            assert_eq!(shown.resets.as_deref(), Some("02:00 UTC"));
        };
        check(None, "primary");
        check(Some(0), "primary");
        check(Some(45), "45 min");
        check(Some(300), "5 h");
        check(Some(2880), "2 d");
        check(Some(10_080), "week");
        check(Some(20_160), "2 weeks");
    }
}
