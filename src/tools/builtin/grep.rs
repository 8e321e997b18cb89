//! `grep`: lines that match a regular expression, except in ignored files.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::Instant;

use regex_lite::{Regex, RegexBuilder};
use serde::Deserialize;

use super::arguments::place;
use super::context::{Context, file_error};
use super::glob::glob;
use super::lines::LimitedLines;
use super::read::skip_line;
use super::rg;
use super::walk::walk;
use crate::result::{CallResult, Status};
use crate::text::first_characters;

/// Maximum number of lines by default.
const DEFAULT_LIMIT: usize = 200;

/// How much of a line is searched, in bytes.
const MAX_SEARCHED_BYTES: u64 = 1 << 20;

/// How much of a line is shown, in characters.
const MAX_SHOWN_CHARACTERS: usize = 500;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "one JSON object")]
pub(super) struct GrepArguments {
    pattern: String,
    path: Option<PathBuf>,
    glob: Option<String>,
    #[serde(default)]
    ignore_case: bool,
    #[serde(default)]
    context: usize,
    limit: Option<usize>,
}

pub(super) fn run(arguments: &GrepArguments, context: &Context<'_>) -> CallResult {
    let path = &place(arguments.path.as_deref().unwrap_or(Path::new(".")));
    let is_dir = match std::fs::metadata(path) {
        // Reading a pipe or a device might never end.
        Ok(found) if !found.is_dir() && !found.is_file() => {
            return CallResult::failed(format!("{} is not a regular file", path.display()));
        }
        Ok(found) => found.is_dir(),
        Err(error) => return file_error("search", path, &error, false, context),
    };
    if arguments.pattern.contains('\n') {
        return CallResult::new(
            Status::BadArguments,
            "the pattern contains a line break, but lines are searched one by one",
        );
    }
    let wanted = match arguments.glob.as_deref().map(|text| (text, glob(text))) {
        None => None,
        Some((_, Some(glob))) => Some(glob),
        Some((text, None)) => {
            return CallResult::new(Status::BadArguments, format!("{text:?} is not a glob"));
        }
    };
    if !is_dir && is_binary(path) {
        return CallResult::failed(format!("{} is a binary file", path.display()));
    }
    let limit = arguments.limit.unwrap_or(DEFAULT_LIMIT).max(1);
    if let Some(answer) = with_rg(arguments, path, limit, context) {
        return answer;
    }
    let regex = RegexBuilder::new(&arguments.pattern)
        .case_insensitive(arguments.ignore_case)
        .build();
    let regex = match regex {
        Ok(regex) => regex,
        Err(error) => {
            let words = format!(
                "{:?} is not a regular expression: {error}",
                arguments.pattern
            );
            return CallResult::new(Status::BadArguments, words);
        }
    };
    let deadline = Instant::now() + context.timeout;
    let mut search = FileSearch {
        deadline,
        regex,
        around: arguments.context,
        lines: LimitedLines::new(limit),
    };
    if !is_dir {
        return match search.file(path) {
            Ok(_) if Instant::now() >= deadline => search.lines.timed_out(context.timeout),
            Ok(_) => search.lines.answer(),
            Err(error) => file_error("read", path, &error, false, context),
        };
    }
    let walked = walk(path, deadline, &mut |found| {
        let inner = found.path.strip_prefix(path).unwrap_or(&found.path);
        let meant = found.is_file
            && wanted
                .as_ref()
                .is_none_or(|glob| glob.is_match(&inner.to_string_lossy()));
        // Unreadable files are skipped, as `rg` does.
        !meant || search.file(&found.path).unwrap_or(true)
    });
    match walked {
        Ok(true) => search.lines.answer(),
        Ok(false) => search.lines.timed_out(context.timeout),
        Err(error) => file_error("search", path, &error, false, context),
    }
}

/// Whether a file is binary.
fn is_binary(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(8192).read_to_end(&mut start));
    read.is_ok() && start.contains(&0)
}

fn with_rg(
    arguments: &GrepArguments,
    path: &Path,
    limit: usize,
    context: &Context<'_>,
) -> Option<CallResult> {
    let around = format!("--context={}", arguments.context);
    let columns = format!("--max-columns={MAX_SHOWN_CHARACTERS}");
    let mut flags = vec![
        "--crlf",
        "--no-heading",
        "--line-number",
        "--with-filename",
        &columns,
    ];
    flags.extend([
        "--max-columns-preview",
        &around,
        "--regexp",
        &arguments.pattern,
    ]);
    if arguments.ignore_case {
        flags.push("--ignore-case");
    }
    let kind = match &arguments.glob {
        Some(glob) => Some(rg::kind(glob)?),
        None => None,
    };
    if let Some(kind) = &kind {
        flags.extend([kind, rg::OF_KIND]);
    }
    rg::run(&flags, path, limit, context)
}

/// A search in many files, with output in `rg`'s format: `path:line:text` for matches, `path-line-text` for context
/// lines.
struct FileSearch {
    deadline: Instant,
    regex: Regex,
    /// Number of context lines around a match.
    around: usize,
    lines: LimitedLines,
}

impl FileSearch {
    /// Searches a file. Returns whether to continue.
    fn file(&mut self, path: &Path) -> std::io::Result<bool> {
        let mut reader = BufReader::with_capacity(64 << 10, File::open(path)?);
        if reader.fill_buf()?.contains(&0) {
            return Ok(true); // binary
        }
        let mut before: VecDeque<(usize, String)> = VecDeque::new();
        // The last line shown of this file.
        let mut shown = None;
        let (mut number, mut after) = (0, 0);
        let mut line = Vec::new();
        loop {
            line.clear();
            // A line may be as long as a file; only its beginning is searched.
            let taken = reader
                .by_ref()
                .take(MAX_SEARCHED_BYTES)
                .read_until(b'\n', &mut line)?;
            if taken == 0 || Instant::now() >= self.deadline {
                return Ok(true);
            }
            if !line.ends_with(b"\n") {
                skip_line(&mut reader)?;
            }
            number += 1;
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_end_matches(['\n', '\r']);
            // A byte order mark is not part of the text.
            let text = text
                .strip_prefix('\u{feff}')
                .filter(|_| number == 1)
                .unwrap_or(text);
            if self.regex.is_match(text) {
                let first = before.front().map_or(number, |(first, _)| *first);
                if self.around > 0
                    && !self.lines.is_empty()
                    && shown.is_none_or(|shown| first != shown + 1)
                    && !self.lines.add(b"--\n")
                {
                    return Ok(false);
                }
                for (number, text) in before.drain(..) {
                    if !self.show(path, '-', number, &text) {
                        return Ok(false);
                    }
                }
                if !self.show(path, ':', number, text) {
                    return Ok(false);
                }
                (shown, after) = (Some(number), self.around);
            } else if after > 0 {
                if !self.show(path, '-', number, text) {
                    return Ok(false);
                }
                (shown, after) = (Some(number), after - 1);
            } else if self.around > 0 {
                before.push_back((number, text.to_owned()));
                if before.len() > self.around {
                    before.pop_front();
                }
            }
        }
    }

    fn show(&mut self, path: &Path, mark: char, number: usize, text: &str) -> bool {
        let short = first_characters(text, MAX_SHOWN_CHARACTERS);
        let cut = if short.len() < text.len() {
            " [cut]"
        } else {
            ""
        };
        let line = format!("{}{mark}{number}{mark}{short}{cut}\n", path.display());
        self.lines.add(line.as_bytes())
    }
}
