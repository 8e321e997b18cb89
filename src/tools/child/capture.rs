//! A program's output in bounded memory: the head and the tail are kept for the model; once there is more, all of it
//! goes to a file.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use crate::result::{Cut, KeptOutput};

/// Maximum size of the file, in bytes.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// Collects output as it arrives.
pub(in crate::tools) struct Capture {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    total: u64,
    /// How much the model gets, in bytes.
    most: usize,
    /// Directory and name of the file for long output.
    directory: PathBuf,
    name: String,
    file: Option<io::Result<File>>,
}

/// A program's output as it appears in a result.
pub(in crate::tools) struct CapturedOutput {
    /// The text. NUL and anything that is not UTF-8 become U+FFFD.
    pub(in crate::tools) text: String,
    /// The part omitted from the text.
    pub(in crate::tools) cut: Option<Cut>,
}

impl Capture {
    /// Creates a collector. The file is created only if there are more than `most` bytes.
    pub(in crate::tools) fn new(directory: PathBuf, name: String, most: usize) -> Self {
        Self {
            head: Vec::new(),
            tail: VecDeque::new(),
            total: 0,
            most,
            directory,
            name,
            file: None,
        }
    }

    /// Adds output.
    pub(in crate::tools) fn add(&mut self, bytes: &[u8]) {
        if self.total + bytes.len() as u64 > self.most as u64 && self.file.is_none() {
            self.file = Some(self.open());
        }
        if let Some(Ok(file)) = &mut self.file {
            let room =
                usize::try_from(MAX_FILE_BYTES.saturating_sub(self.total)).unwrap_or(usize::MAX);
            if let Err(error) = file.write_all(&bytes[..bytes.len().min(room)]) {
                self.file = Some(Err(error));
            }
        }
        self.total += bytes.len() as u64;
        let half = self.most / 2;
        let room = half - self.head.len();
        let (head, rest) = bytes.split_at(bytes.len().min(room));
        self.head.extend_from_slice(head);
        let rest = &rest[rest.len().saturating_sub(half)..];
        let excess = (self.tail.len() + rest.len()).saturating_sub(half);
        self.tail.drain(..excess);
        self.tail.extend(rest);
    }

    /// Creates the file with the output so far.
    fn open(&self) -> io::Result<File> {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(self.directory.join(&self.name))?;
        let (a, b) = self.tail.as_slices();
        for part in [&self.head, a, b] {
            file.write_all(part)?;
        }
        Ok(file)
    }

    /// The output, either all of it or its head and tail.
    pub(in crate::tools) fn printed(mut self) -> CapturedOutput {
        let half = self.most / 2;
        let file = self.file.take();
        self.tail.make_contiguous();
        let (tail, _) = self.tail.as_slices();
        let is_whole = self.total == (self.head.len() + tail.len()) as u64;
        let whole = if is_whole {
            [&self.head, tail].concat()
        } else {
            Vec::new()
        };
        let (head, tail) = if is_whole {
            let text = clean(&whole);
            if text.len() <= self.most {
                return CapturedOutput { text, cut: None };
            }
            // Invalid UTF-8 takes more room as text.
            (&*whole, &*whole)
        } else {
            // If the cut splits a character, drop the character.
            (complete(&self.head), resumed(tail))
        };
        let (head, tail) = (&head[..fitting(head, half)], &tail[excess(tail, half)..]);
        let text = clean(head);
        let cut = Cut {
            at: text.len(),
            left_out: self.total - head.len() as u64 - tail.len() as u64,
            of: self.total,
            kept: self.kept(file.unwrap_or_else(|| self.open())),
        };
        CapturedOutput {
            text: text + &clean(tail),
            cut: Some(cut),
        }
    }

    /// Where the full output is kept.
    fn kept(&self, file: io::Result<File>) -> KeptOutput {
        let name = self.name.clone();
        match file {
            Ok(_) if self.total > MAX_FILE_BYTES => KeptOutput::Beginning {
                file: name,
                bytes: MAX_FILE_BYTES,
            },
            Ok(_) => KeptOutput::Whole { file: name },
            Err(error) => KeptOutput::Nowhere {
                reason: error.to_string(),
            },
        }
    }
}

/// Each character's length in bytes, and its length in the text: U+FFFD takes three.
fn lengths(bytes: &[u8]) -> impl Iterator<Item = (usize, usize)> {
    bytes.utf8_chunks().flat_map(|chunk| {
        let valid = chunk.valid().chars().map(|c| match c {
            '\0' => (1, REPLACEMENT_LENGTH),
            c => (c.len_utf8(), c.len_utf8()),
        });
        let invalid = Some(chunk.invalid().len()).filter(|length| *length > 0);
        valid.chain(invalid.map(|length| (length, REPLACEMENT_LENGTH)))
    })
}

/// Length of U+FFFD, in bytes.
const REPLACEMENT_LENGTH: usize = 3;

/// How many of the first bytes fit into a string of at most `most` bytes.
fn fitting(bytes: &[u8], most: usize) -> usize {
    let mut text = 0;
    let fits = lengths(bytes).take_while(|(_, length)| {
        text += length;
        text <= most
    });
    fits.map(|(length, _)| length).sum()
}

/// How many of the first bytes must be dropped to fit into a string of at most `most` bytes.
fn excess(bytes: &[u8], most: usize) -> usize {
    let mut rest: usize = lengths(bytes).map(|(_, length)| length).sum();
    let left_out = lengths(bytes).take_while(|(_, length)| {
        let is_too_much = rest > most;
        rest -= length;
        is_too_much
    });
    left_out.map(|(length, _)| length).sum()
}

/// Drops an incomplete character at the end.
fn complete(bytes: &[u8]) -> &[u8] {
    let begun = match bytes.utf8_chunks().last() {
        Some(chunk)
            if std::str::from_utf8(chunk.invalid())
                .is_err_and(|error| error.error_len().is_none()) =>
        {
            chunk.invalid().len()
        }
        _ => 0,
    };
    &bytes[..bytes.len() - begun]
}

/// Drops an incomplete character at the start.
fn resumed(bytes: &[u8]) -> &[u8] {
    let is_continued = |byte: &&u8| **byte & 0b1100_0000 == 0b1000_0000;
    &bytes[bytes.iter().take(3).take_while(is_continued).count()..]
}

/// Converts bytes to text: NUL and anything that is not UTF-8 become U+FFFD.
pub(in crate::tools) fn clean(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace('\0', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::MAX_OUTPUT_BYTES;

    /// Captures these pieces; also returns the path of the file for long output.
    fn capture(pieces: &[&[u8]], name: &str) -> (CapturedOutput, PathBuf) {
        let name = format!("codex-run-capture-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(&name);
        let _ = std::fs::remove_file(&path);
        let mut capture = Capture::new(std::env::temp_dir(), name, MAX_OUTPUT_BYTES);
        for piece in pieces {
            capture.add(piece);
        }
        (capture.printed(), path)
    }

    #[test]
    fn short_output_is_complete_and_creates_no_file() {
        let (printed, path) = capture(
            &[b"a\0b\xff", b"", &vec![b'x'; MAX_OUTPUT_BYTES - 10]],
            "short",
        );
        let text = printed.text;
        assert!(text.starts_with("a\u{fffd}b\u{fffd}x") && text.ends_with('x'));
        assert!(text.len() <= MAX_OUTPUT_BYTES && printed.cut.is_none());
        assert!(!path.exists());
    }

    #[test]
    fn text_for_the_model_is_limited_and_valid_for_any_bytes() {
        for (byte, count) in [
            (&b"\xff"[..], 200_000),
            (b"\xff", 40_000),
            (b"\0", 40_000),
            ("\u{e9}".as_bytes(), 100_001),
            ("\u{1f600}".as_bytes(), 100_001),
        ] {
            let whole = [b"x", &*byte.repeat(count)].concat();
            let (CapturedOutput { text, cut }, path) = capture(&[&whole], "bytes");
            let cut = cut.expect("a cut");
            assert!(text.len() <= MAX_OUTPUT_BYTES, "{}", text.len());
            assert!(byte.len() == 1 || !text.contains('\u{fffd}'));
            // The omitted bytes and the shown bytes add up to the whole output.
            let shown = text.len() as u64 - 1;
            let shown = if byte.len() == 1 { shown / 3 } else { shown } + 1;
            assert_eq!((cut.left_out + shown, cut.of), (cut.of, whole.len() as u64));
            assert!(text.is_char_boundary(cut.at));
            assert_eq!(std::fs::read(&path).expect("the file"), whole);
            let _ = std::fs::remove_file(&path);
        }
    }

    #[test]
    fn long_output_keeps_head_and_tail_and_the_file_has_everything() {
        let whole: Vec<u8> = (0..100_000u32)
            .flat_map(|n| format!("{n}\n").into_bytes())
            .collect();
        for size in [1, 7, 4096, whole.len()] {
            let pieces: Vec<&[u8]> = whole.chunks(size).collect();
            let (CapturedOutput { text, cut }, path) = capture(&pieces, "long");
            let half = MAX_OUTPUT_BYTES / 2;
            assert_eq!(&text.as_bytes()[..half], &whole[..half], "pieces of {size}");
            assert_eq!(&text.as_bytes()[half..], &whole[whole.len() - half..]);
            let file = path
                .file_name()
                .and_then(|name| name.to_str())
                .expect("a name")
                .to_owned();
            let expected = Cut {
                at: half,
                left_out: (whole.len() - MAX_OUTPUT_BYTES) as u64,
                of: whole.len() as u64,
                kept: KeptOutput::Whole { file },
            };
            assert_eq!(cut, Some(expected));
            assert_eq!(std::fs::read(&path).expect("the file"), whole);
            let _ = std::fs::remove_file(&path);
        }
    }
}
