//! Overrides of a known model in `models.json` (pure).

use super::Model;
use super::price::Price;
use crate::wire::request::Shape;

/// The overridden properties of a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelOverride {
    /// Its id.
    pub id: String,
    pub(super) name: Option<String>,
    pub(super) context: Option<u64>,
    pub(super) output: Option<u64>,
    pub(super) efforts: Option<Vec<String>>,
    pub(super) reasons: Option<bool>,
    pub(super) supports_verbosity: Option<bool>,
    pub(super) text_only: Option<bool>,
    pub(super) price: Option<Price>,
    /// The request shape.
    pub shape: Option<Shape>,
}

impl ModelOverride {
    /// Applies the overrides to a model.
    pub fn apply(&self, model: &mut Model) {
        fn put<T: Clone>(to: &mut T, from: Option<&T>) {
            if let Some(value) = from {
                to.clone_from(value);
            }
        }
        put(&mut model.name, self.name.as_ref());
        if self.context.is_some() {
            (model.context, model.most_context) = (self.context, None);
        }
        model.output = self.output.or(model.output);
        if self.efforts.is_some() {
            model.efforts.clone_from(&self.efforts);
            model.effort = None;
        }
        put(
            &mut model.plain,
            self.reasons.map(|reasons| !reasons).as_ref(),
        );
        if let Some(takes) = self.supports_verbosity {
            model.no_verbosity = !takes;
        }
        put(&mut model.text_only, self.text_only.as_ref());
        model.price = self.price.or(model.price);
    }
}
