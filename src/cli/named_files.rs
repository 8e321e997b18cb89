//! Reads the files that flags and variables name. Each has a size limit, and a file whose contents may arrive slowly, such
//! as a pipe or a terminal, has the timeouts of standard input.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use super::flags::Args;
use crate::command::warn;
use crate::failure::Failure;
use crate::file::open_regular;
use crate::input::{self, InputText, ReadLimits, without_mark};

/// The variables that name certificate files; the first one set is used.
pub(super) const ROOTS: &[&str] = &["CODEX_CA_CERTIFICATE", "SSL_CERT_FILE"];

/// Flags (by long name) and variables that name a file, the file's maximum size in bytes, and the hint for a larger one.
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
        "the service does not accept a schema of that size: make it smaller",
    ),
    (
        "api-key-file",
        64 << 10,
        "it must be a file that contains only the key",
    ),
    (
        "config-file",
        MAX_SETTINGS_BYTES,
        "a settings file is a JSON file of at most 1 MiB",
    ),
    (
        "tool",
        1 << 20,
        "a manifest is a JSON file of at most 1 MiB",
    ),
    (
        "mcp",
        1 << 20,
        "a file of MCP servers is a JSON file of at most 1 MiB",
    ),
    ("CODEX_CA_CERTIFICATE", 16 << 20, ""),
    ("SSL_CERT_FILE", 16 << 20, ""),
];

/// The maximum size of a settings file, in bytes.
const MAX_SETTINGS_BYTES: usize = 1 << 20;

/// The size limit and the hint for a file named by this flag or variable.
fn limit(name: &str) -> (usize, &'static str) {
    let found = LIMITS.iter().find(|(known, ..)| *known == name);
    found.map_or((MAX_SETTINGS_BYTES, ""), |(_, most, hint)| (*most, hint))
}

/// The bytes of a file that this flag names.
pub(super) fn bytes(args: &Args, long: &str, path: &OsStr) -> Result<Vec<u8>, Failure> {
    let flag = args.named(long);
    bytes_of(long, &flag, path, args.quiet, &[])
}

/// The text of a file that is sent to the model. Tools of an earlier run may have left a link to a file that is hidden
/// from them, and must not get it sent; `hidden` lists these places and the links to them.
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

/// The same for a file that is not named by the flag itself; `by` is its origin in messages.
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
            .hint("check the path and its permissions"),
        input::Error::Silent(_) => Failure::usage(format!("cannot use {named}: {error}"))
            .hint("another program has it open: close it there"),
        input::Error::TooLarge(_) => {
            Failure::usage(format!("cannot use {named}: {error}")).hint(too_large)
        }
    })
}

/// The bytes of the certificate file that this variable names, or why it cannot be read.
pub(super) fn certificates(variable: &str, path: &Path) -> Result<Vec<u8>, String> {
    let named = format!("{}, named by {variable}", path.display());
    let file = open(path, &[]);
    let taken = file.and_then(|file| take(file, limit(variable).0, &named, false));
    taken.map_err(|error| error.to_string())
}

/// The bytes of a settings file in the home, or why it cannot be read; `None` if it does not exist. Only a regular file is
/// opened.
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

/// Opens the file, unless its path leads through links into one of these hidden places.
fn open(path: &Path, hidden: &[PathBuf]) -> Result<File, input::Error> {
    // Opening must not block, neither for a pipe's writer nor for a serial line's carrier.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = rustix::fs::open(path, flags, Mode::empty())
        .map(File::from)
        .map_err(|error| input::Error::Unreadable(error.into()))?;
    let is_within = |path: &Path| hidden.iter().any(|place| path.starts_with(place));
    // Check the open file, since the path may resolve differently by now.
    let found = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()));
    match (found, std::path::absolute(path)) {
        (Ok(found), Ok(named)) if is_within(&found) && !is_within(&named) => {
            let found = found.display();
            let words = format!("it resolves to {found}, where credentials are kept");
            Err(input::Error::Unreadable(io::Error::other(words)))
        }
        _ => Ok(file),
    }
}

/// Reads a file to its end. A long wait is reported under the name `named`.
fn take(file: File, most: usize, named: &str, quiet: bool) -> Result<Vec<u8>, input::Error> {
    let waiting = || {
        if !quiet {
            warn(&format!("waiting for the end of {named}"));
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

    /// Flags whose file is not read by this module: it is written, or read by the code for credentials, which opens only
    /// regular files.
    const OTHERS: &[&str] = &["auth-file", "output-last-message"];

    #[test]
    fn every_named_file_has_a_size_limit() {
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
