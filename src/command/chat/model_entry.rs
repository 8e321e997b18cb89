//! A model as the screen knows it.

use crate::chat::event::ModelEntry;
use crate::chat::state::EFFORTS;
use crate::models::Model;

/// The entry of a model with this effort, or else its default one.
#[must_use]
pub(crate) fn model_entry(model: &Model, effort: Option<String>) -> ModelEntry {
    let all = || EFFORTS.iter().map(|effort| (*effort).to_owned()).collect();
    let efforts = match &model.efforts {
        _ if model.plain => Vec::new(),
        Some(efforts) => efforts.clone(),
        None => all(),
    };
    ModelEntry {
        id: model.id.clone(),
        efforts,
        effort: effort.or_else(|| model.effort.clone()),
        window: model.window(),
    }
}
