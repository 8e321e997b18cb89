//! `rg`, where it is installed: what it prints, line by line, up to a limit.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::{Answer, Context};
use crate::tools::OUTPUT;
use crate::tools::capture::clean;
use crate::tools::child::{self, End};

/// Runs `rg` with these arguments on this path; `None` where it is not installed.
pub(super) fn run(
    arguments: &[&str],
    path: &Path,
    limit: usize,
    context: &Context<'_>,
) -> Option<Answer> {
    // Whatever watches a program no longer ends by a signal at once, which we must if we do the work ourselves.
    let mut command = context.command(installed(context)?);
    command
        .args([
            "--no-config",
            "--color=never",
            "--hidden",
            "--no-require-git",
        ])
        .args(["--glob=!.git", "--sort=path"])
        .args(arguments)
        .arg("--")
        .arg(path)
        .stdin(Stdio::null());
    let mut lines = Lines::new(limit);
    let mut complaints = Vec::new();
    let mut take = |bytes: &[u8]| lines.add(bytes);
    let mut take_complaints = |bytes: &[u8]| {
        complaints.extend_from_slice(&bytes[..bytes.len().min(4096)]);
        complaints.truncate(4096);
        true
    };
    let deadline = Instant::now() + context.timeout;
    match child::watch(
        vec![command],
        vec![&mut take, &mut take_complaints],
        deadline,
        context.reach,
    ) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => Some(Answer::not(
            format!("rg could not be started: {error}"),
            "not run",
        )),
        // 0: found, 1: not found, 2: something went wrong, though some may be found (rg(1)).
        Ok(End::Exited(status)) if status.exit_status() == Some(2) && lines.is_empty() => {
            Some(Answer::failed(clean(&complaints)))
        }
        Ok(End::Exited(_) | End::Enough) => Some(lines.answer()),
        Ok(End::Timeout | End::Unwanted) => Some(lines.late(context.timeout)),
    }
}

/// Where it is installed.
fn installed(context: &Context<'_>) -> Option<PathBuf> {
    let (_, path) = context
        .environment
        .iter()
        .find(|(name, _)| name == "PATH")?;
    std::env::split_paths(path)
        .map(|directory| directory.join("rg"))
        .find(|program| program.is_file())
}

/// Takes only files of the kind that `kind` makes.
pub(super) const OF_KIND: &str = "--type=wanted";

/// A glob as a kind of file. As `--glob` it would bring back what is ignored; but a kind goes by names alone, so there
/// is none for a glob with a slash.
pub(super) fn kind(glob: &str) -> Option<String> {
    let plain = !glob.contains('/') && !glob.is_empty();
    plain.then(|| format!("--type-add=wanted:{glob}"))
}

/// Lines as they come, up to a limit.
pub(super) struct Lines {
    text: Vec<u8>,
    count: usize,
    limit: usize,
    /// The beginning of a line whose end has not come.
    begun: Vec<u8>,
    /// Why there is more: the limit, or the most that a model gets.
    more: Option<&'static str>,
}

impl Lines {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            text: Vec::new(),
            count: 0,
            limit,
            begun: Vec::new(),
            more: None,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Takes more; whether still more is wanted.
    pub(super) fn add(&mut self, bytes: &[u8]) -> bool {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            // No line gets longer than a model would see.
            let room = OUTPUT.saturating_sub(self.begun.len());
            self.begun
                .extend_from_slice(&piece[..piece.len().min(room)]);
            if piece.ends_with(b"\n") && !self.end_line() {
                return false;
            }
        }
        true
    }

    /// Takes the line in hand, without `./` before it and a carriage return behind it.
    fn end_line(&mut self) -> bool {
        let line = std::mem::take(&mut self.begun);
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = line.strip_prefix(b"./").unwrap_or(line);
        if self.count == self.limit {
            self.more = Some("narrow it down, or raise limit");
            return false;
        }
        // Room for a few words behind them.
        if self.text.len() + line.len() > OUTPUT - 512 {
            self.more = Some("narrow it down");
            return false;
        }
        self.text.extend_from_slice(line);
        self.text.push(b'\n');
        self.count += 1;
        true
    }

    /// The lines, with a word about what is missing.
    pub(super) fn answer(&self) -> Answer {
        if self.is_empty() {
            return Answer::ok("[nothing found]");
        }
        let mut text = clean(&self.text);
        if let Some(advice) = self.more {
            text.push_str(&format!("[there is more; {advice}]"));
        }
        Answer::ok(text)
    }

    /// The lines that came before the time was over.
    pub(super) fn late(&self, limit: Duration) -> Answer {
        let text = clean(&self.text);
        let limit = limit.as_secs_f64();
        Answer::not(
            format!("{text}[ended after {limit} s, its time limit; narrow it down]"),
            "timeout",
        )
    }
}
