//! An item of `codex status --check`, as a line for people and as JSON.

use serde_json::{Value, json};

use crate::failure::Failure;

/// What was found.
#[derive(Debug)]
pub(super) struct CheckItem {
    /// Its name in JSON.
    pub(super) name: &'static str,
    /// Its name for people.
    pub(super) label: &'static str,
    pub(super) state: CheckState,
    /// What was found, or what is wrong.
    pub(super) detail: String,
    /// What to do.
    pub(super) hint: Option<String>,
}

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CheckState {
    Fine,
    /// A run works without it.
    Noted,
    /// A run would end with this exit code.
    Failed(u8),
    /// It could not be checked.
    Skipped,
}

impl CheckItem {
    pub(super) fn new(name: &'static str, state: CheckState, detail: impl Into<String>) -> Self {
        Self {
            name,
            label: if name == "certificates" {
                "TLS roots"
            } else {
                name
            },
            state,
            detail: detail.into(),
            hint: None,
        }
    }

    pub(super) fn hint(mut self, hint: &str) -> Self {
        self.hint = Some(hint.to_owned());
        self
    }

    pub(super) fn failed(name: &'static str, failure: &Failure) -> Self {
        let state = CheckState::Failed(failure.outcome().exit_code());
        let item = Self::new(name, state, failure.what());
        match failure.advice() {
            Some(hint) => item.hint(hint),
            None => item,
        }
    }

    /// The line for people, behind its label.
    pub(super) fn line(&self) -> String {
        let detail = &self.detail;
        let words = match self.state {
            CheckState::Fine => format!("ok: {detail}"),
            CheckState::Noted => format!("note: {detail}"),
            CheckState::Failed(code) => format!("problem (exit {code}): {detail}"),
            CheckState::Skipped => format!("not checked: {detail}"),
        };
        match &self.hint {
            Some(hint) => format!("{words}; {hint}"),
            None => words,
        }
    }

    pub(super) fn json(&self) -> Value {
        let (state, code) = match self.state {
            CheckState::Fine => ("ok", None),
            CheckState::Noted => ("note", None),
            CheckState::Failed(code) => ("problem", Some(code)),
            CheckState::Skipped => ("skipped", None),
        };
        let mut json = json!({"name": self.name, "state": state, "detail": self.detail});
        if let Some(hint) = &self.hint {
            json["hint"] = hint.as_str().into();
        }
        if let Some(code) = code {
            json["exit_code"] = code.into();
        }
        json
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_has_a_line_and_an_object() {
        let item = CheckItem::failed("certificates", &Failure::usage("wrong").hint("fix it"));
        assert_eq!(item.label, "TLS roots");
        assert_eq!(item.line(), "problem (exit 2): wrong; fix it");
        let expected = json!({"name": "certificates", "state": "problem", "detail": "wrong",
            "hint": "fix it", "exit_code": 2});
        assert_eq!(item.json(), expected);
    }
}
