//! The model and its effort, and how keys and commands change them.

use crate::chat::event::{Effect, ModelEntry};

/// The efforts of a model that is not in the list, lowest first.
pub const EFFORTS: [&str; 7] = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];

/// The chosen model and effort, and those there are.
#[derive(Debug, Default)]
pub struct ModelChoice {
    models: Vec<ModelEntry>,
    model: String,
    effort: Option<String>,
    /// The chosen model, if it is not in the list.
    other: Option<ModelEntry>,
}

impl ModelChoice {
    /// The choice at the start: this model with this effort, among these models.
    #[must_use]
    pub fn new(models: Vec<ModelEntry>, model: ModelEntry, effort: Option<String>) -> Self {
        let mut choice = Self {
            models,
            ..Self::default()
        };
        choice.changed(model, effort);
        choice
    }

    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    #[must_use]
    pub fn effort(&self) -> Option<&str> {
        self.effort.as_deref()
    }

    #[must_use]
    pub fn models(&self) -> &[ModelEntry] {
        &self.models
    }

    /// Whether this model is in the list.
    #[must_use]
    pub fn lists(&self, id: &str) -> bool {
        self.models.iter().any(|entry| entry.id == id)
    }

    /// What is known about the chosen model.
    #[must_use]
    pub fn entry(&self) -> Option<&ModelEntry> {
        let mut all = self.models.iter().chain(&self.other);
        all.find(|entry| entry.id == self.model)
    }

    /// The effort that the model uses: the chosen one, or else its default.
    #[must_use]
    pub fn effort_in_use(&self) -> Option<&str> {
        self.effort().or_else(|| self.entry()?.effort.as_deref())
    }

    /// The efforts that the chosen model accepts, lowest first.
    #[must_use]
    pub fn efforts(&self) -> Vec<&str> {
        match self.entry() {
            Some(entry) => entry.efforts.iter().map(String::as_str).collect(),
            None => EFFORTS.to_vec(),
        }
    }

    /// The model was changed, or its effort.
    pub fn changed(&mut self, entry: ModelEntry, effort: Option<String>) {
        self.model.clone_from(&entry.id);
        self.effort = effort;
        self.other = (!self.lists(&entry.id)).then_some(entry);
    }

    /// Chooses the next model of the list, or the one before.
    pub fn cycle(&mut self, back: bool) -> Option<Effect> {
        let count = self.models.len();
        let at = self.models.iter().position(|entry| entry.id == self.model);
        let to = match (at, back) {
            (Some(at), false) => (at + 1) % count,
            (Some(at), true) => (at + count - 1) % count,
            (None, false) => 0,
            (None, true) => count.saturating_sub(1),
        };
        let id = self.models.get(to)?.id.clone();
        (id != self.model).then(|| self.choose(&id))
    }

    /// Chooses a model by its id, with the effort that was last used with it here, or else its own. `ID:LEVEL` gives the effort.
    pub fn choose(&mut self, name: &str) -> Effect {
        let (id, level) = match name.rsplit_once(':') {
            Some((id, level)) if !self.lists(name) && EFFORTS.contains(&level) => (id, Some(level)),
            _ => (name, None),
        };
        let entry = self.models.iter().find(|entry| entry.id == id);
        let effort = match (level, entry) {
            (Some(level), _) => Some(level.to_owned()),
            (None, Some(entry)) if entry.effort.is_some() || entry.efforts.is_empty() => {
                entry.effort.clone()
            }
            _ => self.effort.clone(),
        };
        self.set(id.to_owned(), effort)
    }

    /// Chooses an effort. The model keeps it when others were chosen in between.
    pub fn choose_effort(&mut self, level: &str) -> Effect {
        self.set(self.model.clone(), Some(level.to_owned()))
    }

    /// The next effort upwards or downwards that the model accepts, if there is one.
    pub fn step_effort(&mut self, up: bool) -> Option<Effect> {
        let efforts = self.efforts();
        let rank = |level: &str| EFFORTS.iter().position(|other| *other == level);
        let now = self.effort_in_use();
        let to = match efforts.iter().position(|level| Some(*level) == now) {
            Some(at) if up => efforts.get(at + 1),
            Some(at) => at.checked_sub(1).and_then(|to| efforts.get(to)),
            None if up => efforts
                .iter()
                .find(|level| rank(level) > now.and_then(rank)),
            None => efforts
                .iter()
                .rfind(|level| rank(level) < now.and_then(rank)),
        };
        let to = (*to?).to_owned();
        Some(self.choose_effort(&to))
    }

    fn set(&mut self, model: String, effort: Option<String>) -> Effect {
        if let Some(entry) = self.models.iter_mut().find(|entry| entry.id == model) {
            entry.effort.clone_from(&effort);
        }
        self.model.clone_from(&model);
        self.effort.clone_from(&effort);
        Effect::SetModel { model, effort }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str, efforts: &[&str], effort: Option<&str>) -> ModelEntry {
        ModelEntry {
            id: id.into(),
            efforts: efforts.iter().copied().map(str::to_owned).collect(),
            effort: effort.map(str::to_owned),
            window: None,
        }
    }

    fn choice() -> ModelChoice {
        let models = vec![
            entry("a", &["low", "medium", "high"], Some("medium")),
            entry("b", &["high", "xhigh"], Some("high")),
            entry("c", &[], None),
        ];
        let current = models[0].clone();
        ModelChoice::new(models, current, Some("medium".into()))
    }

    fn check(choice: &ModelChoice, model: &str, effort: Option<&str>) {
        assert_eq!((choice.model(), choice.effort()), (model, effort));
    }

    #[test]
    fn models_go_round_and_keep_their_efforts() {
        let mut choice = choice();
        choice.step_effort(true);
        check(&choice, "a", Some("high"));
        choice.cycle(false);
        check(&choice, "b", Some("high"));
        choice.cycle(false);
        check(&choice, "c", None);
        choice.cycle(false);
        check(&choice, "a", Some("high"));
        choice.cycle(true);
        check(&choice, "c", None);
        choice.choose("unknown");
        check(&choice, "unknown", None);
        choice.cycle(true);
        check(&choice, "c", None);
        choice.choose("b:xhigh");
        check(&choice, "b", Some("xhigh"));
        assert_eq!(ModelChoice::default().cycle(true), None);
    }

    #[test]
    fn efforts_stop_at_what_the_model_accepts() {
        let mut choice = choice();
        assert!(choice.step_effort(false).is_some());
        assert_eq!(choice.step_effort(false), None);
        check(&choice, "a", Some("low"));
        choice.changed(entry("b", &[], None), Some("low".into()));
        assert!(choice.step_effort(true).is_some());
        check(&choice, "b", Some("high"));
        choice.changed(entry("b", &[], None), Some("max".into()));
        assert!(choice.step_effort(false).is_some());
        check(&choice, "b", Some("xhigh"));
        choice.choose("c");
        assert_eq!(choice.step_effort(true), None);
        choice.choose("unknown");
        assert!(choice.step_effort(true).is_some());
        check(&choice, "unknown", Some("none"));
        choice.changed(entry("unknown", &["low", "high"], Some("low")), None);
        assert_eq!(choice.efforts(), ["low", "high"]);
        assert_eq!(choice.effort_in_use(), Some("low"));
        assert!(choice.step_effort(true).is_some());
        check(&choice, "unknown", Some("high"));
    }
}
