//! The output of a run: the answer on standard output as text, or all events as JSON lines, and diagnostics on standard
//! error.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use super::super::screen::{self, DrawnSpinner};
use super::super::stderr::Stderr;
use super::super::stdout::{Stdout, columns};
use super::error::Error;
use super::session_start::StartedSession;
use super::settings::{Form, RunInput, RunSettings};
use crate::agent::Reply;
use crate::failure::{Failure, RunWarning};
use crate::output::json_lines::{JsonLines, ThreadStarted, TurnCompleted};
use crate::output::paint::Paint;
use crate::output::report;
use crate::output::spinner::Spinner;
use crate::output::text::Text;
use crate::output::{Notice, Sink};

/// The sink of a run.
pub(super) enum RunOutput {
    Text(Text<Stdout, Stderr>),
    /// Text is held back; only the last message is printed, at the end.
    Held(Text<Stdout, Stderr>),
    Lines(Box<JsonLines<Stdout>>, Text<io::Sink, Stderr>, Instant),
}

impl RunOutput {
    /// Opens standard output. Nothing is printed yet.
    pub(super) fn open(settings: &RunSettings, screen: &DrawnSpinner) -> Result<Self, Error> {
        let terminals = (io::stdout().is_terminal(), io::stderr().is_terminal());
        let out = Stdout::open().map_err(Error::Output)?;
        let spinner = settings
            .spinner
            .filter(|_| !screen::is_shared())
            .map(|frames| {
                let (allowed, columns) = (screen::in_foreground, screen::stderr_columns);
                Spinner::new(frames, screen.shared(), allowed, columns)
            });
        let columns = terminals
            .1
            .then_some(screen::stderr_columns as fn() -> usize);
        let together = terminals == (true, true) || screen::is_one_file();
        let summaries = settings.clamped.summary.is_some();
        let level = settings.level;
        if let Form::Lines { deltas } = settings.form {
            let diagnostics = Text::new(io::sink(), Stderr::default(), level, terminals);
            let diagnostics = diagnostics
                .with(settings.paint, spinner)
                .within(columns)
                .summaries(summaries);
            let quiet = level == crate::output::text::Level::Quiet;
            let has_turns = settings.input == RunInput::Lines;
            let lines = JsonLines::new(out, deltas, quiet);
            let lines = lines.with_turns(has_turns).waiting();
            return Ok(Self::Lines(Box::new(lines), diagnostics, Instant::now()));
        }
        let text = Text::new(out, Stderr::default(), level, terminals)
            .with(settings.paint, spinner)
            .within(columns)
            .together(together)
            .summaries(summaries);
        Ok(match settings.schema {
            Some(_) => Self::Held(text),
            None => Self::Text(text),
        })
    }

    /// Reports the beginning of the run.
    pub(super) fn begin_run(
        &mut self,
        settings: &RunSettings,
        session: &StartedSession,
    ) -> Result<(), Error> {
        let Self::Lines(lines, ..) = self else {
            return Ok(());
        };
        let started = ThreadStarted {
            thread: session.thread.as_str(),
            model: &settings.choice.model.id,
            cwd: &settings.tools.directory.to_string_lossy(),
            version: env!("CARGO_PKG_VERSION"),
        };
        lines.begin(&started).map_err(Error::Output)
    }

    /// Reports the beginning of a turn.
    pub(super) fn begin_turn(&mut self) -> io::Result<()> {
        match self {
            Self::Lines(lines, _, begun) => {
                *begun = Instant::now();
                lines.begin_turn()
            }
            Self::Text(_) | Self::Held(_) => Ok(()),
        }
    }

    /// Reports a turn that failed, after which the run continues.
    pub(super) fn turn_failed(&mut self, failure: &Failure, paint: Paint) -> io::Result<()> {
        self.clear();
        report::report(failure, paint, columns(&io::stderr()), Stderr::default());
        match self {
            Self::Lines(lines, ..) => lines.turn_failed(&report::last_lines(failure)),
            Self::Text(_) | Self::Held(_) => Ok(()),
        }
    }

    /// Reports notes, on standard error only, and warnings, to standard error and in JSON lines.
    pub(super) fn warn(&mut self, notes: &[String], warnings: &[String]) {
        for note in notes {
            let note = RunWarning::Note(note.clone());
            let _ = match self {
                Self::Text(text) | Self::Held(text) => text.take(Notice::Warning(&note)),
                Self::Lines(_, diagnostics, _) => diagnostics.take(Notice::Warning(&note)),
            };
        }
        for warning in warnings {
            let warning = RunWarning::Note(warning.clone());
            let _ = self.take(Notice::Warning(&warning));
        }
    }

    /// Prints the held-back message.
    pub(super) fn print(&mut self, message: &str) -> io::Result<()> {
        match self {
            Self::Held(text) => {
                text.take(Notice::Text(message))?;
                text.finish()
            }
            Self::Text(_) | Self::Lines(..) => Ok(()),
        }
    }

    /// Flushes the remaining output.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        match self {
            Self::Text(text) | Self::Held(text) => text.finish(),
            Self::Lines(lines, diagnostics, _) => {
                diagnostics.clear();
                lines.flush()
            }
        }
    }

    /// Reports that the turn has succeeded. `is_json` means that its last message is known to be JSON.
    pub(super) fn completed(&mut self, reply: &Reply, is_json: bool) -> io::Result<()> {
        match self {
            Self::Lines(lines, _, begun) => lines.completed(&TurnCompleted {
                model: &reply.model,
                took: begun.elapsed(),
                message: reply.raw_message(),
                is_json,
            }),
            Self::Text(_) | Self::Held(_) => Ok(()),
        }
    }
}

impl Sink for RunOutput {
    fn take(&mut self, notice: Notice<'_>) -> io::Result<()> {
        match self {
            Self::Held(_) if matches!(notice, Notice::Text(_) | Notice::MessageEnd(_)) => Ok(()),
            Self::Text(text) | Self::Held(text) => text.take(notice),
            Self::Lines(lines, diagnostics, _) => {
                lines.take(notice)?;
                diagnostics.take(notice)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Text(text) | Self::Held(text) => text.flush(),
            Self::Lines(lines, diagnostics, _) => lines.flush().and_then(|()| diagnostics.flush()),
        }
    }

    fn pulse(&self) -> Option<Duration> {
        match self {
            Self::Text(text) | Self::Held(text) => text.pulse(),
            Self::Lines(_, diagnostics, _) => diagnostics.pulse(),
        }
    }

    fn beat(&mut self, now: Instant) {
        match self {
            Self::Text(text) | Self::Held(text) => text.beat(now),
            Self::Lines(_, diagnostics, _) => diagnostics.beat(now),
        }
    }

    fn clear(&mut self) {
        match self {
            Self::Text(text) | Self::Held(text) => text.clear(),
            Self::Lines(_, diagnostics, _) => diagnostics.clear(),
        }
    }
}
