//! `rg`, where it is installed: what it prints, line by line, up to a limit.

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::{Answer, Context};
use crate::tools::capture::clean;
use crate::tools::child::{self, End};

/// Runs `rg` with these arguments on this path; `None` where it is not installed.
pub(super) fn run(
    arguments: &[&str],
    path: &Path,
    limit: usize,
    context: &Context<'_>,
) -> Option<Answer> {
    let mut command = context.command("rg");
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

/// Takes only files of the kind that `kind` makes.
pub(super) const OF_KIND: &str = "--type=wanted";

/// A glob as a kind of file. As `--glob` it would bring back what is ignored; but a kind goes by names alone, so there
/// is none for a glob with a slash.
pub(super) fn kind(glob: &str) -> Option<String> {
    (!glob.contains('/')).then(|| format!("--type-add=wanted:{glob}"))
}

/// Lines as they come, up to a limit.
pub(super) struct Lines {
    text: Vec<u8>,
    count: usize,
    limit: usize,
    /// There was more.
    more: bool,
}

impl Lines {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            text: Vec::new(),
            count: 0,
            limit,
            more: false,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Takes more; whether still more is wanted.
    pub(super) fn add(&mut self, bytes: &[u8]) -> bool {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            // Room for a few words behind them.
            if self.count == self.limit
                || self.text.len() + piece.len() > crate::tools::OUTPUT - 512
            {
                self.more = true;
                return false;
            }
            self.text.extend_from_slice(piece);
            self.count += usize::from(piece.ends_with(b"\n"));
        }
        true
    }

    /// The lines, with a word about what is missing.
    pub(super) fn answer(&self) -> Answer {
        if self.is_empty() {
            return Answer::ok("[nothing found]");
        }
        let mut text = clean(&self.text);
        if self.more {
            text.push_str("[there is more; narrow it down, or raise limit]");
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
