//! Appends to a stored conversation. After a failed write, nothing more is written: a line would be missing in between.

use std::fs::{self, File};
use std::io::{self, Write};
use std::mem;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::compaction::CompactionRecord;
use super::journal::Journal;
use super::line::{ItemFields, LineFormat, OverviewLine, SESSION_VERSION};
use super::list::MAX_SHORT_BYTES;
use super::stored::{StoredConversation, first_words};
use crate::file;
use crate::id::ThreadId;

/// The metadata of a new run.
#[derive(Clone, Copy, Debug)]
pub struct TurnHeader<'a> {
    /// The start time, in Unix seconds.
    pub now: u64,
    /// The working directory.
    pub cwd: &'a Path,
    /// The model.
    pub model: &'a str,
    /// The custom provider of the model in `models.json`, if it has one.
    pub provider: Option<&'a str>,
    /// The effort that its requests name, before changes made by items in the conversation.
    pub effort: Option<&'a str>,
    /// This program's version.
    pub version: &'a str,
}

/// Appends to a conversation whose lock it holds.
#[derive(Debug)]
pub struct Writer {
    file: File,
    path: PathBuf,
    line_format: LineFormat,
    /// What the lines so far say. The lines of later turns repeat its working directory and its provider.
    overview: OverviewLine,
    /// A line was written.
    is_changed: bool,
    state: WriterState,
    /// The file is new, and no item was added.
    pub(super) is_empty: bool,
}

/// The state of the writer.
#[derive(Debug)]
enum WriterState {
    Writing,
    /// A write failed, which has not been reported yet.
    Failed(io::Error),
    /// A write failed and was reported.
    Reported,
}

impl Writer {
    /// Creates a writer for a locked file.
    pub(super) fn new(file: File, path: PathBuf, line_format: LineFormat) -> Self {
        Self {
            file,
            path,
            line_format,
            overview: OverviewLine::default(),
            is_changed: false,
            state: WriterState::Writing,
            is_empty: false,
        }
    }

    /// Continues this conversation.
    pub(super) fn resume(&mut self, stored: &StoredConversation) {
        self.overview.turns = stored.turns;
        self.overview.first.clone_from(&stored.first);
    }

    /// Writes the first lines of the file.
    pub(super) fn begin(&mut self, id: &ThreadId, beginning: &TurnHeader<'_>) -> io::Result<()> {
        let line = json!({"type": self.line_format.session(), "version": SESSION_VERSION, "id": id.as_str(),
            "created_at": beginning.now, "cwd": beginning.cwd.to_string_lossy(), "codex_run": beginning.version});
        self.line(line.to_string().as_bytes());
        self.turn(beginning);
        match self.take_failure() {
            Some((_, error)) => Err(error),
            None => Ok(()),
        }
    }

    /// Records the first turn of a run.
    pub fn turn(&mut self, beginning: &TurnHeader<'_>) {
        self.overview.cwd = beginning.cwd.to_string_lossy().into_owned();
        self.overview.provider = beginning.provider.map(str::to_owned);
        self.turn_line(beginning.now, beginning.model, beginning.effort);
    }

    fn turn_line(&mut self, at: u64, model: &str, effort: Option<&str>) {
        self.overview.turns += 1;
        let line = json!({"type": self.line_format.turn(), "at": at, "cwd": self.overview.cwd});
        self.line_of_model(line, model, effort);
    }

    /// Writes a line about the model, with its provider and effort.
    fn line_of_model(&mut self, mut line: Value, model: &str, effort: Option<&str>) {
        model.clone_into(&mut self.overview.model);
        let provider = self.overview.provider.as_deref();
        for (name, value) in [
            ("model", Some(model)),
            ("provider", provider),
            ("effort", effort),
        ] {
            if let Some(value) = value {
                line[name] = value.into();
            }
        }
        self.line(line.to_string().as_bytes());
    }

    fn line(&mut self, line: &[u8]) {
        if !matches!(self.state, WriterState::Writing) {
            return;
        }
        self.is_changed = true;
        // A long item is not copied just to append its line end.
        let written = if line.len() < 1 << 16 {
            self.file.write_all(&[line, b"\n"].concat())
        } else {
            self.file
                .write_all(line)
                .and_then(|()| self.file.write_all(b"\n"))
        };
        if let Err(error) = written {
            self.state = WriterState::Failed(error);
        }
    }
}

impl Writer {
    /// Ends a long file with an overview, so that a list need not read all of it.
    fn add_overview(&mut self) {
        let length = self.file.metadata().map_or(0, |found| found.len());
        if let Some(kind) = self.line_format.overview()
            && self.is_changed
            && length > MAX_SHORT_BYTES
        {
            let line = self.overview.line(&kind);
            self.line(line.as_bytes());
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.is_empty {
            self.add_overview();
        } else if self.misplaced().is_none() {
            // There is nothing to resume.
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Journal for Writer {
    fn item(&mut self, item: &[u8]) {
        // A service must not write metadata lines, nor a line that cannot be read back, which would break the
        // conversation.
        if let Some(fields) =
            ItemFields::read(item).filter(|fields| self.line_format.is_item(fields))
        {
            if self.overview.first.is_empty() && fields.role().as_deref() == Some("user") {
                self.overview.first = first_words(fields.content);
            }
            self.is_empty = false;
            self.line(item);
        }
    }

    fn turn(&mut self, at: u64, model: &str, effort: Option<&str>) {
        self.turn_line(at, model, effort);
    }

    fn withdraw(&mut self, items: usize) {
        if let Some(kind) = self.line_format.withdrawn() {
            self.line(json!({"type": kind, "items": items}).to_string().as_bytes());
        }
    }

    fn compacted(&mut self, compaction: &CompactionRecord<'_>) {
        if let Some(kind) = self.line_format.compacted() {
            self.line(&compaction.line(&kind));
        }
    }

    fn length(&mut self, tokens: u64) {
        if let Some(kind) = self.line_format.length() {
            self.line(
                json!({"type": kind, "tokens": tokens})
                    .to_string()
                    .as_bytes(),
            );
        }
    }

    fn model(&mut self, at: u64, model: &str, provider: Option<&str>, effort: Option<&str>) {
        self.overview.provider = provider.map(str::to_owned);
        let line = json!({"type": self.line_format.turn(), "at": at});
        self.line_of_model(line, model, effort);
    }

    fn misplaced(&self) -> Option<PathBuf> {
        let held = self.file.metadata().map(|found| file::of_file(&found));
        let found = held.is_ok_and(|held| file::resolves_to(&self.path, held));
        // A failed write was already reported.
        (!found && matches!(self.state, WriterState::Writing)).then(|| self.path.clone())
    }

    fn take_failure(&mut self) -> Option<(PathBuf, io::Error)> {
        match mem::replace(&mut self.state, WriterState::Reported) {
            WriterState::Failed(error) => Some((self.path.clone(), error)),
            other => {
                self.state = other;
                None
            }
        }
    }
}
