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
    /// The provider of `models.json` that it is a model of, where it is one of the user's own servers.
    pub provider: Option<String>,
    /// The shape of the requests.
    pub shape: Shape,
    /// The shapes that are tried where the service refuses this one; none where the user has said which it is.
    pub others: Vec<Shape>,
    /// The service is to search the web, and which shape it is asked in is not settled.
    pub searches: bool,
    /// The most tokens of an answer, where the server has to be told.
    pub max_output: Option<u64>,
    /// Where the service's list is kept, and the shapes that turned out to be right.
    pub cache: Cache,
}

impl Choice {
    /// The model as `-m` takes it.
    #[must_use]
    pub fn spelled(&self) -> String {
        match &self.provider {
            Some(provider) => format!("{provider}/{}", self.model.id),
            None => self.model.id.clone(),
        }
    }
}

/// The shape that a model is asked in first, and those that are tried behind it. A web search needs one that carries the
/// service's own tools; nothing where the user has named one that does not.
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
    fn shapes_are_tried_in_order_and_a_search_only_where_it_has_a_place() {
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
