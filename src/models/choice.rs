//! The model of a run, its backend and its request shape (pure).

use super::cache::Cache;
use super::{Backend, Model};
use crate::wire::request::Shape;

/// The model of a run.
#[derive(Clone, Debug)]
pub struct Choice {
    /// The model's properties.
    pub model: Model,
    /// The backend.
    pub backend: Backend,
    /// The custom provider of the model in `models.json`, if it has one.
    pub provider: Option<String>,
    /// The request shape.
    pub shape: Shape,
    /// The shapes to try if the service refuses this one; empty if the user has chosen the shape.
    pub others: Vec<Shape>,
    /// A web search by the service is requested and the shape is not settled.
    pub searches: bool,
    /// The output token limit to send, if the server requires one.
    pub max_output: Option<u64>,
    /// The cache of the service's list and of the shapes that have worked.
    pub cache: Cache,
}

impl Choice {
    /// Returns the model's name as `-m` accepts it.
    #[must_use]
    pub fn qualified_name(&self) -> String {
        match &self.provider {
            Some(provider) => format!("{provider}/{}", self.model.id),
            None => self.model.id.clone(),
        }
    }
}

/// Returns the first shape to use and those to try after it. A web search needs a shape that carries hosted tools;
/// `None` if the user chose one that does not.
#[must_use]
pub fn shapes(first: Shape, settled: bool, searches: bool) -> Option<(Shape, Vec<Shape>)> {
    let fits = |shape: &Shape| !searches || shape.carries_hosted_tools();
    if settled {
        return fits(&first).then(|| (first, Vec::new()));
    }
    let mut order = first.others();
    order.insert(0, first);
    order.retain(fits);
    let first = order.remove(0);
    Some((first, order))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Shape::{Additional, Classic, Lite};

    #[test]
    fn shapes_are_tried_in_order_and_a_search_only_with_hosted_tools() {
        let check = |first, settled, searches, expected: Option<(Shape, &[Shape])>| {
            let expected = expected.map(|(first, others)| (first, others.to_vec()));
            assert_eq!(shapes(first, settled, searches), expected, "{first:?}");
        };
        check(
            Additional,
            false,
            false,
            Some((Additional, &[Lite, Classic])),
        );
        check(Classic, false, false, Some((Classic, &[Additional, Lite])));
        check(Lite, false, false, Some((Lite, &[Additional, Classic])));
        check(Additional, false, true, Some((Additional, &[Classic])));
        check(Lite, false, true, Some((Additional, &[Classic])));
        check(Lite, true, false, Some((Lite, &[])));
        check(Classic, true, true, Some((Classic, &[])));
        check(Lite, true, true, None);
    }
}
