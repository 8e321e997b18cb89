//! Large answers, made once and kept: a request for one then costs no more than its sending.

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
    /// The bytes of this answer. Whoever else wants a large one waits while one is made.
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
