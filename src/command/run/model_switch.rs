//! Another model, or another effort, for the turns that follow.

use std::fmt;

use crate::failure::Failure;
use crate::models::Model;
use crate::models::choice::Choice;
use crate::models::clamp::ClampedSettings;

/// Chooses among the models of the service and credential that a conversation uses.
pub struct ModelSwitch {
    /// The models that the credential can use, in the order of the list.
    pub models: Vec<Model>,
    /// Chooses the model with this id, and clamps the effort to what it accepts.
    pub choose: Box<ChooseModel>,
}

/// Chooses the model with this id and this effort.
pub type ChooseModel = dyn Fn(&str, Option<&str>) -> Result<SwitchedModel, Failure> + Send;

/// A model that was chosen.
#[derive(Clone, Debug)]
pub struct SwitchedModel {
    /// The model.
    pub choice: Choice,
    /// Its settings, clamped to what it accepts.
    pub clamped: ClampedSettings,
    /// What the user should know about the choice.
    pub notes: Vec<String>,
}

impl fmt::Debug for ModelSwitch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelSwitch")
            .field("models", &self.models.len())
            .finish_non_exhaustive()
    }
}
