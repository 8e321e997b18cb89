//! What a command printed, in bounded memory: the head and the tail are kept for the model, the whole goes
//! to a file as soon as it is too much for it.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use crate::text::{ceil, floor};

/// The most that the file keeps, in bytes.
const FILE: u64 = 64 << 20;

/// Output as it comes.
pub(super) struct Capture {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    total: u64,
    /// The most that the model gets, in bytes.
    most: usize,
    /// Where the whole goes if it gets long.
    path: PathBuf,
    file: Option<io::Result<File>>,
}

impl Capture {
    /// The file at `path` is made only if there is too much for the model, which gets as much as this.
    pub(super) fn new(path: PathBuf, most: usize) -> Self {
        Self {
            head: Vec::new(),
            tail: VecDeque::new(),
            total: 0,
            most,
            path,
            file: None,
        }
    }

    /// Takes more output.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        if self.total + bytes.len() as u64 > self.most as u64 && self.file.is_none() {
            self.file = Some(self.open());
        }
        if let Some(Ok(file)) = &mut self.file {
            let room = usize::try_from(FILE.saturating_sub(self.total)).unwrap_or(usize::MAX);
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

    /// The file with what came so far.
    fn open(&self) -> io::Result<File> {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&self.path)?;
        let (a, b) = self.tail.as_slices();
        for part in [&self.head, a, b] {
            file.write_all(part)?;
        }
        Ok(file)
    }

    /// What the model gets: all of it, or head and tail with a word about what is missing between them.
    pub(super) fn text(mut self) -> String {
        let half = self.most / 2;
        let tail: &[u8] = self.tail.make_contiguous();
        let missing = self.total - self.head.len() as u64 - tail.len() as u64;
        let place = match &self.file {
            Some(Ok(_)) if self.total > FILE => {
                format!(
                    "; its first {} MiB are in {}",
                    FILE >> 20,
                    self.path.display()
                )
            }
            Some(Ok(_)) => format!("; all of it is in {}", self.path.display()),
            Some(Err(error)) => format!("; it could not be kept in a file: {error}"),
            None => String::new(),
        };
        let total = self.total;
        // What is cut between two bytes of a character is cut before or behind it.
        let (head, tail) = if missing == 0 {
            let whole = clean(&[&self.head, tail].concat());
            if whole.len() <= self.most {
                return whole;
            }
            (
                whole[..floor(&whole, half)].to_owned(),
                whole[after(&whole, half)..].to_owned(),
            )
        } else {
            let (head, tail) = (clean(&self.head), clean(tail));
            let (end, start) = (floor(&head, half), after(&tail, half));
            (
                head[..end].trim_end_matches('\u{fffd}').to_owned(),
                tail[start..].trim_start_matches('\u{fffd}').to_owned(),
            )
        };
        let left_out = match missing {
            0 => "a part of".to_owned(),
            missing => format!("{missing} of"),
        };
        format!("{head}\n[{left_out} {total} bytes are left out here{place}]\n{tail}")
    }
}

/// Where the last part of a text begins that the model gets.
fn after(text: &str, half: usize) -> usize {
    ceil(text, text.len().saturating_sub(half))
}

/// Bytes as text: what is not UTF-8, and NUL, become U+FFFD.
pub(super) fn clean(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace('\0', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::OUTPUT;

    fn capture(pieces: &[&[u8]], name: &str) -> (String, PathBuf) {
        let path =
            std::env::temp_dir().join(format!("codex-run-capture-{name}-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let mut capture = Capture::new(path.clone(), OUTPUT);
        for piece in pieces {
            capture.add(piece);
        }
        (capture.text(), path)
    }

    #[test]
    fn short_output_is_kept_whole_and_makes_no_file() {
        let (text, path) = capture(&[b"a\0b\xff", b"", &vec![b'x'; OUTPUT - 10]], "short");
        assert!(text.starts_with("a\u{fffd}b\u{fffd}x") && text.ends_with('x'));
        assert!(text.len() <= OUTPUT);
        assert!(!path.exists());
    }

    #[test]
    fn what_the_model_gets_stays_small_and_whole_whatever_the_bytes() {
        for (byte, count) in [
            (&b"\xff"[..], 200_000),
            (b"\xff", 40_000),
            ("\u{e9}".as_bytes(), 100_001),
        ] {
            let (text, path) = capture(&[b"x", &byte.repeat(count)], "bytes");
            assert!(text.len() < OUTPUT + 300, "{}", text.len());
            assert!(byte == b"\xff" || !text.contains('\u{fffd}'));
            let _ = std::fs::remove_file(&path);
        }
    }

    #[test]
    fn of_long_output_head_and_tail_are_kept_and_the_file_has_all() {
        let whole: Vec<u8> = (0..100_000u32)
            .flat_map(|n| format!("{n}\n").into_bytes())
            .collect();
        for size in [1, 7, 4096, whole.len()] {
            let pieces: Vec<&[u8]> = whole.chunks(size).collect();
            let (text, path) = capture(&pieces, "long");
            assert!(
                text.starts_with("0\n1\n") && text.ends_with("\n99998\n99999\n"),
                "pieces of {size}"
            );
            let note = format!(
                "[{} of {} bytes are left out here; all of it is in ",
                whole.len() - OUTPUT,
                whole.len()
            );
            assert!(text.contains(&note), "{note}");
            assert_eq!(std::fs::read(&path).expect("the file"), whole);
            let _ = std::fs::remove_file(&path);
        }
    }
}
