//! The model of a run: which one, where it is asked, and in which shape (pure).

use super::cache::Cache;
use super::{Backend, Model};
use crate::wire::request::Shape;

/// The model of a run.
#[derive(Clone, Debug)]
pub struct Choice {
    /// What is known of it.
    pub model: Model,
    /// Where it is asked.
    pub backend: Backend,
    /// The shape of the requests.
    pub shape: Shape,
    /// The user has said which shape it is, so the other one is not tried.
    pub settled: bool,
    /// The most tokens of an answer, where the server has to be told.
    pub max_output: Option<u64>,
    /// Where the service's list is kept, and the shapes that turned out to be right.
    pub cache: Cache,
}
