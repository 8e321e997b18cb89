//! Applies `models.json` to the known models (pure).

use super::custom::Provider;
use super::{Backend, Model};
use crate::wire::request::Shape;

/// Applies overrides and added models, and returns the request shapes that they name.
pub fn apply_overrides(
    models: &mut Vec<Model>,
    backend: Backend,
    providers: &[Provider],
) -> Vec<(String, Shape)> {
    let name = match backend {
        Backend::Subscription => "openai-codex",
        Backend::Api | Backend::Other => "openai",
    };
    let mut shapes = Vec::new();
    for provider in providers.iter().filter(|provider| provider.name == name) {
        for change in &provider.changes {
            if let Some(model) = models.iter_mut().find(|model| model.id == change.id) {
                change.apply(model);
            }
            shapes.extend(change.shape.map(|shape| (change.id.clone(), shape)));
        }
        for listed in &provider.models {
            let id = &listed.model.id;
            shapes.extend(listed.shape.map(|shape| (id.clone(), shape)));
            match models.iter_mut().find(|model| model.id == *id) {
                Some(model) => model.clone_from(&listed.model),
                None => models.push(listed.model.clone()),
            }
        }
    }
    shapes
}
