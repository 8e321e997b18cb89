//! The buffers of a connection. They begin small, since most exchanges are short, and the input grows while reads fill it.

use ureq::unversioned::transport::Buffers;

use super::limit::{FIRST_READ_BYTES, READ_BYTES};

/// Size of the output buffer, in bytes; a larger request is written in parts.
const OUTPUT_BYTES: usize = 64 << 10;

/// Bytes that were read and not used yet, and room for the next ones; and room for the request.
#[derive(Debug, Default)]
pub(super) struct ConnectionBuffers {
    input: Vec<u8>,
    /// Where the bytes that were read begin and end in `input`.
    begin: usize,
    end: usize,
    output: Vec<u8>,
    /// The last use took some of the input, so that there may be more to use.
    progress: bool,
}

impl ConnectionBuffers {
    /// Makes room for a read: at the end of the buffer, which grows if the last read filled it.
    fn make_room(&mut self) {
        let was_full = self.end == self.input.len();
        if self.begin == self.end {
            (self.begin, self.end) = (0, 0);
        } else if self.end > self.input.len() / 2 {
            self.input.copy_within(self.begin..self.end, 0);
            (self.begin, self.end) = (0, self.end - self.begin);
        }
        if was_full && self.input.len() < READ_BYTES {
            let room = (2 * self.input.len()).clamp(FIRST_READ_BYTES, READ_BYTES);
            self.input.resize(room, 0);
        }
    }

    fn make_output(&mut self) {
        if self.output.is_empty() {
            self.output = vec![0; OUTPUT_BYTES];
        }
    }
}

impl Buffers for ConnectionBuffers {
    fn output(&mut self) -> &mut [u8] {
        self.make_output();
        &mut self.output
    }

    fn input(&self) -> &[u8] {
        &self.input[self.begin..self.end]
    }

    fn input_append_buf(&mut self) -> &mut [u8] {
        self.make_room();
        &mut self.input[self.end..]
    }

    fn input_appended(&mut self, amount: usize) {
        self.end += amount;
    }

    fn input_consume(&mut self, amount: usize) {
        self.progress = amount > 0;
        self.begin += amount;
    }

    fn tmp_and_output(&mut self) -> (&mut [u8], &mut [u8]) {
        self.make_output();
        self.make_room();
        (&mut self.input[self.end..], &mut self.output)
    }

    fn can_use_input(&self) -> bool {
        self.progress && self.begin < self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads as much as there is room for, at most this much.
    fn read(buffers: &mut ConnectionBuffers, next: &mut u8, most: usize) -> usize {
        let room = buffers.input_append_buf();
        let count = room.len().min(most);
        for byte in &mut room[..count] {
            *byte = *next;
            *next = next.wrapping_add(1);
        }
        buffers.input_appended(count);
        count
    }

    #[test]
    fn bytes_stay_in_order_and_a_full_buffer_grows_up_to_its_limit() {
        let mut buffers = ConnectionBuffers::default();
        let (mut written, mut expected) = (0, 0_u8);
        for round in 0..200 {
            let most = if round % 3 == 0 { usize::MAX } else { 1000 };
            assert!(read(&mut buffers, &mut written, most) > 0, "round {round}");
            let used = buffers.input().len() - round % 7;
            for byte in &buffers.input()[..used] {
                assert_eq!(*byte, expected);
                expected = expected.wrapping_add(1);
            }
            buffers.input_consume(used);
            assert_eq!(buffers.can_use_input(), round % 7 > 0);
        }
        assert_eq!(buffers.input.len(), READ_BYTES);
    }

    #[test]
    fn short_exchanges_need_little_room() {
        let mut buffers = ConnectionBuffers::default();
        let mut written = 0;
        for _ in 0..100 {
            assert_eq!(read(&mut buffers, &mut written, 9000), 9000);
            buffers.input_consume(9000);
        }
        assert_eq!(buffers.input.len(), FIRST_READ_BYTES);
        let (room, output) = buffers.tmp_and_output();
        assert_eq!((room.len(), output.len()), (FIRST_READ_BYTES, OUTPUT_BYTES));
        // What was read and not used stays where it is.
        assert_eq!(read(&mut buffers, &mut written, 9), 9);
        let (room, _) = buffers.tmp_and_output();
        assert_eq!(room.len(), FIRST_READ_BYTES - 9);
        assert_eq!(buffers.input().len(), 9);
    }
}
