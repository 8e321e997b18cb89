//! `grep`: lines that match a regular expression, except in ignored files.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;

use memchr::memmem::Finder;
use regex_lite::{Regex, RegexBuilder};
use serde::Deserialize;

use super::arguments::place;
use super::context::{Context, file_error};
use super::glob::glob;
use super::line_blocks::{LineBlocks, count_lines, last_lines, split_line};
use super::lines::LimitedLines;
use super::literal::required_literal;
use super::rg;
use super::walk::walk;
use crate::result::{CallResult, Status};
use crate::text::first_characters;

/// Maximum number of lines by default.
const DEFAULT_LIMIT: usize = 200;

/// How much of a line is searched, in bytes.
const MAX_SEARCHED_BYTES: usize = 1 << 20;

/// A file with a NUL in its first bytes, this many, is binary.
const BINARY_BYTES: usize = 64 << 10;

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
    let literal = if arguments.ignore_case {
        None
    } else {
        required_literal(&arguments.pattern)
    };
    let mut search = FileSearch {
        deadline,
        regex,
        literal: literal.map(|literal| Finder::new(&literal).into_owned()),
        around: arguments.context,
        lines: LimitedLines::new(limit),
        buffer: Vec::new(),
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
    /// Finds a text that every match contains: only lines with it are matched.
    literal: Option<Finder<'static>>,
    /// Number of context lines around a match.
    around: usize,
    lines: LimitedLines,
    /// The buffer of all files.
    buffer: Vec<u8>,
}

/// The place in a file, and what is needed to show context lines.
#[derive(Default)]
struct Position {
    /// Number of lines so far.
    number: usize,
    /// The last lines that were not shown, with their numbers.
    before: VecDeque<(usize, String)>,
    /// The last line that was shown.
    shown: Option<usize>,
    /// Number of context lines still to be shown.
    after: usize,
}

impl FileSearch {
    /// Searches a file. Returns whether to continue.
    fn file(&mut self, path: &Path) -> std::io::Result<bool> {
        let file = File::open(path)?;
        let mut buffer = std::mem::take(&mut self.buffer);
        let going = self.blocks(path, LineBlocks::new(file, &mut buffer, MAX_SEARCHED_BYTES));
        self.buffer = buffer;
        going
    }

    fn blocks(
        &mut self,
        path: &Path,
        mut blocks: LineBlocks<'_, impl Read>,
    ) -> std::io::Result<bool> {
        let start = blocks.start()?;
        if start[..start.len().min(BINARY_BYTES)].contains(&0) {
            return Ok(true);
        }
        let mut position = Position::default();
        while Instant::now() < self.deadline {
            let block = blocks.next()?;
            if block.is_empty() {
                break;
            }
            if !self.block(path, block, &mut position) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Searches whole lines. Returns whether to continue.
    fn block(&mut self, path: &Path, mut block: &[u8], position: &mut Position) -> bool {
        while !block.is_empty() && Instant::now() < self.deadline {
            let start = match &self.literal {
                None => 0,
                Some(literal) => match literal.find(block) {
                    None => block.len(),
                    Some(at) => memchr::memrchr(b'\n', &block[..at]).map_or(0, |end| end + 1),
                },
            };
            let (others, rest) = block.split_at(start);
            let (line, rest) = split_line(rest);
            if !self.others(path, others, position) {
                return false;
            }
            let text = text_of(line, position.number + 1);
            let going = if !line.is_empty() && self.regex.is_match(&text) {
                self.matched(path, &text, position)
            } else {
                self.others(path, line, position)
            };
            if !going {
                return false;
            }
            block = rest;
        }
        true
    }

    /// Shows a matching line, after the lines before it. Returns whether to continue.
    fn matched(&mut self, path: &Path, text: &str, position: &mut Position) -> bool {
        position.number += 1;
        let number = position.number;
        let first = position.before.front().map_or(number, |(first, _)| *first);
        let apart = position.shown.is_none_or(|shown| first != shown + 1);
        if self.around > 0 && !self.lines.is_empty() && apart && !self.lines.add(b"--\n") {
            return false;
        }
        for (number, text) in position.before.drain(..) {
            if !self.show(path, '-', number, &text) {
                return false;
            }
        }
        (position.shown, position.after) = (Some(number), self.around);
        self.show(path, ':', number, text)
    }

    /// Counts lines that do not match, and shows those that follow a match. Returns whether to continue.
    fn others(&mut self, path: &Path, mut lines: &[u8], position: &mut Position) -> bool {
        while position.after > 0 && !lines.is_empty() {
            let (line, rest) = split_line(lines);
            position.number += 1;
            position.after -= 1;
            position.shown = Some(position.number);
            let text = text_of(line, position.number);
            if !self.show(path, '-', position.number, &text) {
                return false;
            }
            lines = rest;
        }
        position.number += count_lines(lines);
        let mut last = last_lines(lines, self.around);
        let mut number = position.number - count_lines(last);
        while !last.is_empty() {
            let (line, rest) = split_line(last);
            number += 1;
            position
                .before
                .push_back((number, text_of(line, number).into_owned()));
            if position.before.len() > self.around {
                position.before.pop_front();
            }
            last = rest;
        }
        true
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

/// The text of a line, without its line end and, in the first line, without a byte order mark.
fn text_of(line: &[u8], number: usize) -> Cow<'_, str> {
    let end = line.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r'));
    let line = &line[..end.map_or(0, |end| end + 1)];
    let mark = "\u{feff}".as_bytes();
    let line = line
        .strip_prefix(mark)
        .filter(|_| number == 1)
        .unwrap_or(line);
    String::from_utf8_lossy(line)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// What `rg` prints for this text, line by line.
    fn expected(text: &str, pattern: &str, around: usize) -> String {
        let regex = Regex::new(pattern).expect("a pattern");
        let lines: Vec<&str> = text.lines().collect();
        let found: Vec<bool> = lines.iter().map(|line| regex.is_match(line)).collect();
        let near = |n: usize| {
            let from = n.saturating_sub(around);
            found[from..(n + around + 1).min(lines.len())].contains(&true)
        };
        let mut out = String::new();
        let mut last = None;
        for n in (0..lines.len()).filter(|n| near(*n)) {
            if around > 0 && last.is_some_and(|last| n > last + 1) {
                out.push_str("--\n");
            }
            let mark = if found[n] { ':' } else { '-' };
            out.push_str(&format!("f{mark}{}{mark}{}\n", n + 1, lines[n]));
            last = Some(n);
        }
        out
    }

    #[test]
    fn a_search_by_blocks_finds_what_a_search_by_lines_finds() {
        let lines = ["", "ab", "xaby", "abx\u{e9}", "b", "other"];
        for seed in 0_usize..400 {
            let pick = |n: usize| lines[(seed * 31 + n * n * 7 + seed / 7 * n) % lines.len()];
            let text: Vec<&str> = (0..seed % 12).map(pick).collect();
            let text = text.join("\n");
            for pattern in ["ab", "^ab", "b|o", "a?b", "x.*y|q", "b$", "zz"] {
                for around in 0..3 {
                    let mut search = FileSearch {
                        deadline: Instant::now() + Duration::from_secs(600),
                        regex: Regex::new(pattern).expect("a pattern"),
                        literal: required_literal(pattern)
                            .map(|literal| Finder::new(&literal).into_owned()),
                        around,
                        lines: LimitedLines::new(1000),
                        buffer: Vec::new(),
                    };
                    let mut buffer = Vec::new();
                    let blocks = LineBlocks::new(text.as_bytes(), &mut buffer, 64).by(1 + seed % 9);
                    assert!(search.blocks(Path::new("f"), blocks).expect("memory"));
                    let found = search.lines.answer().output;
                    let found = found.strip_prefix("[nothing found]").unwrap_or(&found);
                    let expected = expected(&text, pattern, around);
                    assert_eq!(found, expected, "{pattern} around {around} in {text:?}");
                }
            }
        }
    }
}
