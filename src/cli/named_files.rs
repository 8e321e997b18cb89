//! Files that flags and variables name: one way to read all of them. Each has a limit in bytes, and what does not come at
//! once, such as a pipe or a terminal, has the clock of standard input.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use super::flags::Args;
use crate::failure::Failure;
use crate::file::open_regular;
use crate::input::{self, InputText, ReadLimits, without_mark};
use crate::output::visible::line;

/// The variables that name files of certificates, the first that is set counts.
pub(super) const ROOTS: &[&str] = &["CODEX_CA_CERTIFICATE", "SSL_CERT_FILE"];

/// What names a file, by its long name or as a variable; the most that is read of it, in bytes; and what to do about one
/// that is larger.
const LIMITS: &[(&str, usize, &str)] = &[
    ("file", 64 << 20, "no model accepts that much: send less"),
    (
        "instructions",
        64 << 20,
        "no model accepts that much: send less",
    ),
    ("image", 20 << 20, "make it smaller"),
    (
        "output-schema",
        1 << 20,
        "the service takes no schema of that size; make it smaller",
    ),
    (
        "api-key-file",
        64 << 10,
        "it must be a file with the key alone in it",
    ),
    (
        "tool",
        1 << 20,
        "a manifest is a JSON file of 1 MiB at most",
    ),
    ("CODEX_CA_CERTIFICATE", 16 << 20, ""),
    ("SSL_CERT_FILE", 16 << 20, ""),
];

/// The most of a file of settings that is read, in bytes.
const MAX_SETTINGS_BYTES: usize = 1 << 20;

/// What is done about one that is named here.
fn limit(name: &str) -> (usize, &'static str) {
    let found = LIMITS.iter().find(|(known, ..)| *known == name);
    found.map_or((MAX_SETTINGS_BYTES, ""), |(_, most, hint)| (*most, hint))
}

/// The bytes of a file that this flag names.
pub(super) fn bytes(args: &Args, long: &str, path: &OsStr) -> Result<Vec<u8>, Failure> {
    let flag = args.named(long);
    bytes_of(long, &flag, path, args.quiet, &[])
}

/// The text of a file that is sent to the model. A link that tools of an earlier run have left must not make one of it
/// that is hidden from them; `hidden` are these places, and the links to them.
pub(super) fn sent(
    args: &Args,
    long: &str,
    path: &OsStr,
    hidden: &[PathBuf],
) -> Result<String, Failure> {
    let flag = args.named(long);
    let bytes = bytes_of(long, &flag, path, args.quiet, hidden)?;
    as_text(bytes, &flag, path)
}

/// The text of a file that this flag names, without a byte order mark.
pub(super) fn text(args: &Args, long: &str, path: &OsStr) -> Result<String, Failure> {
    let flag = args.named(long);
    text_of(long, &flag, path, args.quiet)
}

/// The same for what something else than the flag names; `by` says what.
pub(super) fn text_of(long: &str, by: &str, path: &OsStr, quiet: bool) -> Result<String, Failure> {
    let bytes = bytes_of(long, by, path, quiet, &[])?;
    as_text(bytes, by, path)
}

fn as_text(bytes: Vec<u8>, by: &str, path: &OsStr) -> Result<String, Failure> {
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let shown = path.to_string_lossy();
        Failure::usage(format!(
            "cannot use {shown}, named by {by}: it is not UTF-8 at byte {at}"
        ))
        .hint("it must be a text file; convert it, for example with iconv")
    })?;
    Ok(without_mark(&text).to_owned())
}

fn bytes_of(
    long: &str,
    by: &str,
    path: &OsStr,
    quiet: bool,
    hidden: &[PathBuf],
) -> Result<Vec<u8>, Failure> {
    let (most, too_large) = limit(long);
    let shown = path.to_string_lossy();
    let named = format!("{shown}, named by {by}");
    let file = open(Path::new(path), hidden);
    let taken = file.and_then(|file| take(file, most, &named, quiet));
    taken.map_err(|error| match error {
        input::Error::Unreadable(_) => Failure::usage(format!("cannot read {named}: {error}"))
            .hint("name a file that is there and that you may read"),
        input::Error::Silent(_) => Failure::usage(format!("cannot use {named}: {error}"))
            .hint("something is holding it open: close it"),
        input::Error::TooLarge(_) => {
            Failure::usage(format!("cannot use {named}: {error}")).hint(too_large)
        }
    })
}

/// The bytes of a file of certificates that this variable names, or why there are none.
pub(super) fn certificates(variable: &str, path: &Path) -> Result<Vec<u8>, String> {
    let named = format!("{}, named by {variable}", path.display());
    let file = open(path, &[]);
    let taken = file.and_then(|file| take(file, limit(variable).0, &named, false));
    taken.map_err(|error| error.to_string())
}

/// The bytes of a file of settings in the home, or why there are none; nothing if it is not there. What else is there
/// than a regular file is not opened.
pub(super) fn settings(path: &Path) -> Result<Option<Vec<u8>>, String> {
    let gone = |error: &io::Error| {
        matches!(
            error.kind(),
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
        )
    };
    let file = match open_regular(path, OFlags::RDONLY) {
        Ok(file) => file,
        Err(error) if gone(&error) => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let taken = take(file, MAX_SETTINGS_BYTES, &path.display().to_string(), true);
    taken.map(Some).map_err(|error| error.to_string())
}

/// Opens what is there, unless links lead from elsewhere into one of these places.
fn open(path: &Path, hidden: &[PathBuf]) -> Result<File, input::Error> {
    // Opening it does not wait either: for a pipe's writer, or a line's carrier.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = rustix::fs::open(path, flags, Mode::empty())
        .map(File::from)
        .map_err(|error| input::Error::Unreadable(error.into()))?;
    let is_within = |path: &Path| hidden.iter().any(|place| path.starts_with(place));
    // What is open is looked at, since the way there may be another one by now.
    let found = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()));
    match (found, std::path::absolute(path)) {
        (Ok(found), Ok(named)) if is_within(&found) && !is_within(&named) => {
            let found = found.display();
            let words = format!("it leads to {found}, where credentials are kept");
            Err(input::Error::Unreadable(io::Error::other(words)))
        }
        _ => Ok(file),
    }
}

/// Reads a file to its end. A wait that gets long is reported, by this name.
fn take(file: File, most: usize, named: &str, quiet: bool) -> Result<Vec<u8>, input::Error> {
    let waiting = || {
        if !quiet {
            let words = format!("codex: waiting for the end of {}\n", line(named));
            let _ = io::stderr().write_all(words.as_bytes());
        }
    };
    let limits = ReadLimits {
        most,
        asked: true,
        end: None,
    };
    match input::read(file, limits, waiting)? {
        InputText::Whole(bytes) => Ok(bytes),
        InputText::GivenUp | InputText::Ended => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::flags::{Complete, flags};
    use super::*;

    /// Flags whose file is not read here: it is written, or the sign-in's own code reads it, regular files alone.
    const OTHERS: &[&str] = &["auth-file", "output-last-message"];

    #[test]
    fn every_file_that_is_named_has_a_limit() {
        for flag in flags().filter(|flag| matches!(flag.complete, Complete::Files)) {
            let known = LIMITS.iter().any(|(name, ..)| *name == flag.long);
            assert!(known != OTHERS.contains(&flag.long), "{}", flag.long);
        }
        for variable in ROOTS {
            assert!(
                LIMITS.iter().any(|(name, ..)| name == variable),
                "{variable}"
            );
        }
    }
}
