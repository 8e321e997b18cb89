//! A file in large blocks of whole lines: searching and counting go over a block at a time instead of line by line.

use std::io::{self, Read};

/// Size of a block, in bytes, unless a line is longer.
const BLOCK_BYTES: usize = 256 << 10;

/// Reads blocks into a buffer that outlives it, so that a search of many files allocates once.
pub(super) struct LineBlocks<'a, R> {
    from: R,
    buffer: &'a mut Vec<u8>,
    block_bytes: usize,
    /// Longest part of a line that is returned, in bytes; the rest of the line is skipped.
    max_line_bytes: usize,
    /// Number of bytes in the buffer, and of those that were returned.
    held: usize,
    returned: usize,
    /// The rest of a line that is too long is being skipped.
    skipping: bool,
    ended: bool,
}

impl<'a, R: Read> LineBlocks<'a, R> {
    pub(super) fn new(from: R, buffer: &'a mut Vec<u8>, max_line_bytes: usize) -> Self {
        Self {
            from,
            buffer,
            block_bytes: BLOCK_BYTES,
            max_line_bytes,
            held: 0,
            returned: 0,
            skipping: false,
            ended: false,
        }
    }

    /// The same, with blocks of another size, in bytes.
    #[cfg(test)]
    pub(super) fn by(mut self, block_bytes: usize) -> Self {
        self.block_bytes = block_bytes;
        self
    }

    /// The bytes at the beginning of the file, before any block was taken.
    pub(super) fn start(&mut self) -> io::Result<&[u8]> {
        self.fill()?;
        Ok(&self.buffer[..self.held])
    }

    /// The next lines. Only the last line of a block may lack its line end: at the end of the file, or because it is too
    /// long. Empty at the end of the file.
    pub(super) fn next(&mut self) -> io::Result<&[u8]> {
        self.buffer.copy_within(self.returned..self.held, 0);
        self.held -= self.returned;
        self.returned = 0;
        loop {
            self.fill()?;
            if self.skipping {
                let end = memchr::memchr(b'\n', &self.buffer[..self.held]);
                let skipped = end.map_or(self.held, |end| end + 1);
                self.buffer.copy_within(skipped..self.held, 0);
                self.held -= skipped;
                self.skipping = end.is_none() && !self.ended;
                if self.held == 0 && self.ended {
                    return Ok(&[]);
                }
                continue;
            }
            let last = memchr::memrchr(b'\n', &self.buffer[..self.held]);
            self.returned = match last {
                // The rest of the buffer is one line, and more of it may follow.
                Some(last) if !self.ended => last + 1,
                None if !self.ended && self.held < self.max_line_bytes => {
                    self.block_bytes = (self.block_bytes * 2).min(self.max_line_bytes);
                    continue;
                }
                None if !self.ended => {
                    self.skipping = true;
                    self.held
                }
                _ => self.held,
            };
            return Ok(&self.buffer[..self.returned]);
        }
    }

    /// Reads until the buffer has the size of a block, or the file ends.
    fn fill(&mut self) -> io::Result<()> {
        if self.buffer.len() < self.block_bytes {
            self.buffer.resize(self.block_bytes, 0);
        }
        while self.held < self.block_bytes && !self.ended {
            match self
                .from
                .read(&mut self.buffer[self.held..self.block_bytes])
            {
                Ok(0) => self.ended = true,
                Ok(count) => self.held += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Number of lines in a block; the last one may lack its line end.
pub(super) fn count_lines(block: &[u8]) -> usize {
    let ends = memchr::memchr_iter(b'\n', block).count();
    ends + usize::from(block.last().is_some_and(|last| *last != b'\n'))
}

/// The first line of a block, with its line end, and the rest.
pub(super) fn split_line(block: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memchr(b'\n', block).map_or(block.len(), |end| end + 1);
    block.split_at(end)
}

/// The last lines of a block, at most `count`.
pub(super) fn last_lines(block: &[u8], count: usize) -> &[u8] {
    let mut begin = block.len();
    for _ in 0..count {
        if begin == 0 {
            break;
        }
        begin = memchr::memrchr(b'\n', &block[..begin - 1]).map_or(0, |end| end + 1);
    }
    &block[begin..]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a few bytes at a time.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(buffer.len()).min(self.0.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    #[test]
    fn blocks_hold_whole_lines_and_long_ones_are_cut() {
        for text in [
            "",
            "a",
            "\n",
            "a\nbb\n",
            "a\n\nccccc",
            "aaaaaaaaaa\nb\ncccccccccccc",
            "12345678\n9\n",
        ] {
            for (block, read) in [(1, 1), (2, 3), (4, 1), (8, 8), (64, 5)] {
                let mut buffer = Vec::new();
                let from = Slow(text.as_bytes(), read);
                let mut blocks = LineBlocks::new(from, &mut buffer, 8).by(block);
                let mut lines: Vec<Vec<u8>> = Vec::new();
                loop {
                    let mut block = blocks.next().expect("memory");
                    if block.is_empty() {
                        break;
                    }
                    while !block.is_empty() {
                        let (line, rest) = split_line(block);
                        lines.push(line.strip_suffix(b"\n").unwrap_or(line).to_vec());
                        block = rest;
                    }
                }
                let expected: Vec<&[u8]> = text
                    .lines()
                    .map(|line| &line.as_bytes()[..line.len().min(block.max(8))])
                    .collect();
                assert_eq!(
                    lines, expected,
                    "{text:?} in blocks of {block}, read by {read}"
                );
            }
        }
    }

    #[test]
    fn lines_are_counted_and_taken_from_the_end() {
        for (text, count) in [("", 0), ("a", 1), ("a\n", 1), ("a\n\n", 2), ("a\nb", 2)] {
            assert_eq!(count_lines(text.as_bytes()), count, "{text:?}");
        }
        assert_eq!(last_lines(b"a\nb\nc\n", 2), b"b\nc\n");
        assert_eq!(last_lines(b"a\nb\nc", 2), b"b\nc");
        assert_eq!(last_lines(b"a\n", 5), b"a\n");
        assert_eq!(last_lines(b"a\n", 0), b"");
    }
}
