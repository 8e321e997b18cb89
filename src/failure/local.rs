//! Failures of this machine: files, threads, random numbers and the output streams.

use std::io;
use std::path::Path;

use rustix::io::Errno;

use super::value::Failure;
use crate::outcome::Outcome;
use crate::session::{self, MIN_PART_CHARACTERS};

/// How many ids are listed where a part of one is ambiguous.
const MAX_CANDIDATES: usize = 10;

/// A stored conversation that cannot be continued.
pub(crate) fn of_session(error: &session::Error) -> Failure {
    use session::Error;
    match error {
        Error::Missing(id) => Failure::usage(format!("no stored conversation has the id {id}"))
            .hint("`codex sessions` lists the stored conversations"),
        Error::Short(part) => Failure::usage(format!("{part:?} is too short for part of an id"))
            .hint(format!(
                "give at least {MIN_PART_CHARACTERS} characters; `codex sessions` lists the ids"
            )),
        Error::Ambiguous { part, ids } => {
            let shown = ids.iter().take(MAX_CANDIDATES).map(String::as_str);
            let mut list = shown.collect::<Vec<_>>().join(", ");
            if ids.len() > MAX_CANDIDATES {
                list.push_str(&format!(" and {} more", ids.len() - MAX_CANDIDATES));
            }
            let count = ids.len();
            Failure::usage(format!("{count} stored conversations match {part}: {list}"))
                .hint("use a longer part of the id; `codex sessions` shows how each one begins")
        }
        Error::NoneHere(directory) => Failure::usage(format!(
            "no stored conversation was started in {}",
            directory.display()
        ))
        .hint("`codex sessions` lists the conversations of all directories; --resume takes an id"),
        Error::Busy(path) => Failure::usage(format!(
            "another run is using the conversation {}",
            path.display()
        ))
        .hint("wait for it to end, or continue with a copy: --fork ID"),
        Error::Io(path, error) => {
            let outcome = Outcome::Io;
            Failure::new(outcome, format!("cannot use {}: {error}", path.display()))
                .hint("make it readable and writable, or start a new conversation")
                .because_of(error)
        }
        Error::Damaged(path, damage) => {
            Failure::usage(format!("cannot continue {}: {damage}", path.display()))
                .hint("repair that line, or start a new conversation")
        }
        Error::NotRemoved(path, damage) => {
            Failure::usage(format!("cannot remove {}: {damage}", path.display()))
                .hint("if you do not need the file, remove it with rm")
        }
    }
}

/// A temporary directory that cannot be created in `place`.
pub(crate) fn of_temporary(place: &Path, error: &io::Error) -> Failure {
    let place = place.display();
    let what = format!("cannot create a temporary directory in {place}: {error}");
    Failure::new(Outcome::Io, what)
        .hint("tools need one; set TMPDIR to a different directory")
        .because_of(error)
}

/// A thread or process that cannot be started, or a resource it needs.
pub(crate) fn of_thread(error: &io::Error) -> Failure {
    Failure::new(
        Outcome::Io,
        format!("cannot start a thread or a process: {error}"),
    )
    .hint("the system may be out of memory or processes")
    .because_of(error)
}

pub(crate) fn of_output(error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Failure::new(Outcome::Closed, "");
    }
    if error.raw_os_error() == Some(Errno::BADF.raw_os_error()) {
        return Failure::new(Outcome::Io, "standard output is closed").hint(
            "it must be open for writing: `> FILE` keeps the output, `> /dev/null` discards it",
        );
    }
    Failure::new(
        Outcome::Io,
        format!("cannot write to standard output: {error}"),
    )
    .hint("free some space, or send the output elsewhere; what was written is incomplete")
    .because_of(error)
}

/// The system provides no random numbers. There is no hint: no setting of the program changes that.
pub(crate) fn of_random(error: getrandom::Error) -> Failure {
    Failure::new(
        Outcome::Io,
        format!("cannot get random numbers from the system: {error}"),
    )
}

/// Lines of standard input that cannot be used: the first one, counted from 1, and their number.
pub(crate) fn unusable_lines(first: u64, lines: u64) -> String {
    match lines {
        1 => format!("line {first} of standard input cannot be used"),
        _ => format!(
            "lines {first} to {} of standard input cannot be used",
            first + lines - 1
        ),
    }
}
