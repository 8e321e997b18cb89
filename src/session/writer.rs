//! Appending to a stored conversation. Nothing is written behind a line that could not be written, since one would be
//! missing.

use std::fs::File;
use std::io::{self, Write};
use std::mem;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::journal::Journal;
use super::line::{SESSION_VERSION, Spelling};
use crate::file;
use crate::id::ThreadId;

/// What a run begins with.
#[derive(Clone, Copy, Debug)]
pub struct TurnHeader<'a> {
    /// When, in Unix seconds.
    pub now: u64,
    /// The directory that it works in.
    pub cwd: &'a Path,
    /// The model that it asks.
    pub model: &'a str,
    /// The provider of `models.json` that it is a model of, where it is one of the user's own servers.
    pub provider: Option<&'a str>,
    /// The effort that its requests name, before those changes of it that are items of the conversation.
    pub effort: Option<&'a str>,
    /// This program's version.
    pub version: &'a str,
}

/// Appends to a conversation that it holds.
#[derive(Debug)]
pub struct Writer {
    file: File,
    path: PathBuf,
    spelling: Spelling,
    state: WriterState,
}

/// Whether lines are written.
#[derive(Debug)]
enum WriterState {
    Writing,
    /// A line could not be written, which was not reported yet.
    Failed(io::Error),
    /// A line could not be written, and that was reported.
    Reported,
}

impl Writer {
    /// Appends to this file, which is held and has this path, in the spelling that it has.
    pub(super) fn new(file: File, path: PathBuf, spelling: Spelling) -> Self {
        Self {
            file,
            path,
            spelling,
            state: WriterState::Writing,
        }
    }

    /// Writes the first lines of a file.
    pub(super) fn begin(&mut self, id: &ThreadId, beginning: &TurnHeader<'_>) -> io::Result<()> {
        let line = json!({"type": self.spelling.session(), "version": SESSION_VERSION, "id": id.as_str(),
            "created_at": beginning.now, "cwd": beginning.cwd.to_string_lossy(), "codex_run": beginning.version});
        self.line(line.to_string().as_bytes());
        self.turn(beginning);
        match self.take_failure() {
            Some((_, error)) => Err(error),
            None => Ok(()),
        }
    }

    /// Notes that a run begins.
    pub fn turn(&mut self, beginning: &TurnHeader<'_>) {
        let mut line = json!({"type": self.spelling.turn(), "at": beginning.now, "model": beginning.model,
            "cwd": beginning.cwd.to_string_lossy()});
        for (name, value) in [
            ("provider", beginning.provider),
            ("effort", beginning.effort),
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
        // A long item is not copied for the sake of its line end.
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

impl Journal for Writer {
    fn item(&mut self, item: &[u8]) {
        // A service does not write our lines, nor one that could not be read back: it would end the conversation.
        if self.spelling.is_item(item) {
            self.line(item);
        }
    }

    fn model(&mut self, at: u64, model: &str, effort: Option<&str>) {
        let mut line = json!({"type": self.spelling.turn(), "at": at, "model": model});
        if let Some(effort) = effort {
            line["effort"] = effort.into();
        }
        self.line(line.to_string().as_bytes());
    }

    fn misplaced(&self) -> Option<PathBuf> {
        let held = self.file.metadata().map(|found| file::of_file(&found));
        let found = held.is_ok_and(|held| file::leads_to(&self.path, held));
        // A file that could not be written was reported before.
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
