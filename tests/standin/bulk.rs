//! Large answers. Some are made once and kept: a request for one then costs no more than sending it. Others
//! are larger than memory: the same bytes repeated, generated while they are sent.

use std::sync::{Arc, Mutex};

use super::lock;
use super::route::Backend;
use super::stream::{self, Answer, Context};

/// The large answers so far. They repeat their ids, and the usage of the first request.
#[derive(Default)]
pub(super) struct Cache(Mutex<Vec<Kept>>);

struct Kept {
    answer: Answer,
    model: String,
    backend: Backend,
    bytes: Arc<[u8]>,
}

impl Cache {
    /// The bytes of this answer. Other requests for a large one wait while one is made.
    pub(super) fn get(&self, answer: &Answer, context: &Context<'_>) -> Arc<[u8]> {
        let mut all = lock(&self.0);
        let same = |kept: &&Kept| {
            kept.answer == *answer && kept.model == context.model && kept.backend == context.backend
        };
        if let Some(kept) = all.iter().find(same) {
            return Arc::clone(&kept.bytes);
        }
        let bytes: Arc<[u8]> = stream::render(answer, context).into();
        all.push(Kept {
            answer: answer.clone(),
            model: context.model.clone(),
            backend: context.backend,
            bytes: Arc::clone(&bytes),
        });
        bytes
    }
}

/// What follows the body: repeated bytes, and then an ending.
#[derive(Clone, Debug)]
pub(super) struct Flood {
    block: Arc<[u8]>,
    /// Total length of the repeated blocks, in bytes.
    length: usize,
    pub(super) end: Arc<[u8]>,
}

impl Flood {
    /// These bytes, repeated this often. They are first repeated up to about 64 KiB.
    pub(super) fn new(unit: &[u8], times: usize, end: &[u8]) -> Self {
        let together = (64 * 1024 / unit.len().max(1)).clamp(1, times.max(1));
        Self {
            block: unit.repeat(together).into(),
            length: unit.len() * times,
            end: end.into(),
        }
    }

    /// The pieces in which it is sent.
    pub(super) fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let size = self.block.len().max(1);
        let starts = (0..self.length).step_by(size);
        let blocks = starts.map(move |at| &self.block[..size.min(self.length - at)]);
        blocks.chain((!self.end.is_empty()).then_some(&*self.end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_a_number_of_repetitions_and_an_end() {
        for times in [0, 1, 2, 100_000] {
            let flood = Flood::new(b"ab", times, b"c");
            let all: Vec<u8> = flood.pieces().flatten().copied().collect();
            assert_eq!(all, ["ab".repeat(times).as_bytes(), b"c"].concat());
        }
    }
}
