//! `read`: part of a text file, by lines, or an image.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::arguments::place;
use super::context::{Context, file_error};
use crate::result::CallResult;
use crate::tools::MAX_OUTPUT_BYTES;
use crate::tools::child::capture::clean;
use crate::wire::input::image_type;

/// Maximum number of lines per call.
const MAX_LINES: usize = 2000;

/// How much of a line is shown, in bytes.
const MAX_LINE_BYTES: usize = 4000;

/// How much is read at a time, in bytes: lines that are not returned are counted.
const BUFFER_BYTES: usize = 128 << 10;

/// Largest image, in bytes. It is sent again with every later request.
pub(in crate::tools) const MAX_IMAGE_BYTES: u64 = 5 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "one JSON object")]
pub(super) struct ReadArguments {
    path: PathBuf,
    offset: Option<usize>,
    limit: Option<usize>,
}

pub(super) fn run(arguments: &ReadArguments, context: &Context<'_>) -> CallResult {
    let path = &arguments.path;
    let unreadable = |error| file_error("read", path, &error, false, context);
    // Opening a pipe or a device could block, or never end.
    let place = place(path);
    let size = match std::fs::metadata(&place) {
        Ok(found) if found.is_dir() => {
            return CallResult::failed(format!(
                "{} is a directory; list it with ls",
                path.display()
            ));
        }
        Ok(found) if !found.is_file() => {
            return CallResult::failed(format!("{} is not a regular file", path.display()));
        }
        Ok(found) => found.len(),
        Err(error) => return unreadable(error),
    };
    let mut reader = match File::open(&place) {
        Ok(file) => BufReader::with_capacity(BUFFER_BYTES, file),
        Err(error) => return unreadable(error),
    };
    match reader.fill_buf() {
        Ok(start) => {
            if let Some(kind) = image_type(start) {
                return image(path, kind, size, reader).unwrap_or_else(unreadable);
            }
            if start[..start.len().min(8192)].contains(&0) {
                return CallResult::failed(format!(
                    "{} is a binary file of {size} bytes; use bash to inspect it",
                    path.display()
                ));
            }
        }
        Err(error) => return unreadable(error),
    }
    let first = arguments.offset.unwrap_or(1).max(1);
    let most = arguments.limit.unwrap_or(MAX_LINES).clamp(1, MAX_LINES);
    match lines(reader, first, most) {
        Ok(FilePart {
            text,
            count: 0,
            total,
        }) if first > 1 => {
            CallResult::failed(format!("{text}{} has only {total} lines", path.display()))
        }
        Ok(FilePart { text, count: 0, .. }) => {
            CallResult::done(format!("{text}[{} is empty]", path.display()))
        }
        Ok(FilePart { text, count, total }) if first + count <= total => {
            let next = first + count;
            let end = if text.ends_with('\n') { "" } else { "\n" };
            CallResult::done(format!(
                "{text}{end}[lines {first} to {} of {total}; continue with offset {next}]",
                next - 1
            ))
        }
        Ok(FilePart { text, .. }) => CallResult::done(text),
        Err(error) => unreadable(error),
    }
}

/// Returns an image unchanged.
fn image(path: &Path, kind: &str, size: u64, from: impl Read) -> std::io::Result<CallResult> {
    let shown = path.display();
    if size > MAX_IMAGE_BYTES {
        let most = MAX_IMAGE_BYTES >> 20;
        return Ok(CallResult::failed(format!(
            "{shown} is an image of {size} bytes, but at most {most} MiB are allowed; make it smaller with bash"
        )));
    }
    let mut bytes = Vec::new();
    from.take(MAX_IMAGE_BYTES + 1).read_to_end(&mut bytes)?;
    let mut result = CallResult::done(format!("[{shown}: {kind}, {} bytes]", bytes.len()));
    result.images = vec![format!("data:{kind};base64,{}", STANDARD.encode(bytes))];
    Ok(result)
}

/// Part of a file.
struct FilePart {
    text: String,
    /// Number of lines in `text`.
    count: usize,
    /// Number of lines in the file.
    total: usize,
}

/// Reads at most `most` lines, starting at line `first`, in bounded memory regardless of line length. All other lines are
/// only counted.
fn lines(mut reader: impl BufRead, first: usize, most: usize) -> std::io::Result<FilePart> {
    let mut part = FilePart {
        text: String::new(),
        count: 0,
        total: skip_lines(&mut reader, first - 1)?,
    };
    while part.count < most {
        let mut line = Vec::new();
        reader
            .by_ref()
            .take(MAX_LINE_BYTES as u64 + 1)
            .read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(part);
        }
        let mut cut = 0;
        if line.last() != Some(&b'\n') && line.len() > MAX_LINE_BYTES {
            cut = line.len() - MAX_LINE_BYTES + skip_line(&mut reader)?;
            line.truncate(MAX_LINE_BYTES);
        }
        part.total += 1;
        let mut text = clean(&line);
        if cut > 0 {
            text.push_str(&format!("[{cut} bytes of this line omitted]\n"));
        }
        let full = part.text.len() + text.len() > MAX_OUTPUT_BYTES - MAX_LINE_BYTES;
        if full && part.count > 0 {
            break;
        }
        part.text.push_str(&text);
        part.count += 1;
        if full {
            break;
        }
    }
    part.total += skip_lines(&mut reader, usize::MAX)?;
    Ok(part)
}

/// Skips lines, at most this many. Returns how many there were; the last one of the file may lack its line end.
fn skip_lines(reader: &mut impl BufRead, most: usize) -> std::io::Result<usize> {
    let mut skipped = 0;
    let mut in_line = false;
    while skipped < most {
        let buffer = reader.fill_buf()?;
        let Some(last) = buffer.last() else {
            return Ok(skipped + usize::from(in_line));
        };
        in_line = *last != b'\n';
        let ends = memchr::memchr_iter(b'\n', buffer);
        let count = ends.clone().count();
        let taken = if count < most - skipped {
            buffer.len()
        } else {
            in_line = false;
            ends.take(most - skipped).last().map_or(0, |end| end + 1)
        };
        skipped += count.min(most - skipped);
        reader.consume(taken);
    }
    Ok(skipped)
}

/// Skips the rest of the line. Returns the number of bytes skipped, not counting the line end.
fn skip_line(reader: &mut impl BufRead) -> std::io::Result<usize> {
    let mut skipped = 0;
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(skipped);
        }
        if let Some(at) = memchr::memchr(b'\n', buffer) {
            reader.consume(at + 1);
            return Ok(skipped + at);
        }
        skipped += buffer.len();
        let count = buffer.len();
        reader.consume(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, first: usize, most: usize, expected: (&str, usize, usize)) {
        let part = lines(text.as_bytes(), first, most).expect("memory");
        assert_eq!(
            (&*part.text, part.count, part.total),
            expected,
            "{first} {most}"
        );
    }

    #[test]
    fn lines_are_counted_from_one() {
        check("a\nb\nc\n", 1, 9, ("a\nb\nc\n", 3, 3));
        check("a\nb\nc", 2, 9, ("b\nc", 2, 3));
        check("a\nb\nc", 2, 1, ("b\n", 1, 3));
        check("a\nb\nc", 4, 1, ("", 0, 3));
        check("", 1, 9, ("", 0, 0));
    }

    #[test]
    fn lines_that_are_not_returned_are_counted_wherever_the_buffer_ends() {
        for text in ["a\nbb\n\nccc\nd", "\n\n\n", "a", "a\n", "aaaaaaaaaaaa\nb\n"] {
            let all: Vec<&str> = text.split_inclusive('\n').collect();
            for size in 1..6 {
                for first in 1..7 {
                    for most in 1..6 {
                        let reader = BufReader::with_capacity(size, text.as_bytes());
                        let part = lines(reader, first, most).expect("memory");
                        let expected: String =
                            all.iter().skip(first - 1).take(most).copied().collect();
                        let total = all.len();
                        assert_eq!(
                            (part.text, part.total),
                            (expected, total),
                            "{text:?} {size} {first} {most}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn long_lines_are_cut_with_a_note() {
        let long = "x".repeat(MAX_LINE_BYTES + 10_000);
        let part = lines(format!("{long}\nnext\n").as_bytes(), 1, 9).expect("memory");
        assert!(
            part.text
                .ends_with("x[10000 bytes of this line omitted]\nnext\n")
        );
        check(
            &"x".repeat(MAX_LINE_BYTES),
            1,
            9,
            (&"x".repeat(MAX_LINE_BYTES), 1, 1),
        );
    }

    #[test]
    fn a_part_stays_below_the_output_limit() {
        let text = format!("{}\n", "y".repeat(999)).repeat(500);
        let part = lines(text.as_bytes(), 1, 2000).expect("memory");
        assert!(part.text.len() <= MAX_OUTPUT_BYTES && part.count > 50 && part.total == 500);
    }
}
