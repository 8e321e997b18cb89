//! The body of an error response. It comes in many forms: an `error` that is an object or a string, a `detail` that is
//! a string, an object or a list, the fields at top level, or no JSON at all.

use serde_json::Value;

use super::cause::Cause;
use super::kind::FaultKind;
use super::resets::{Resets, number};

/// The fields of an error body, whatever its form.
#[derive(Default)]
pub(super) struct FaultBody {
    pub(super) message: Option<String>,
    /// The `code` and the `type`: either may identify the error.
    code: Option<String>,
    kind: Option<String>,
    pub(super) plan: Option<String>,
    pub(super) resets: Option<Resets>,
}

impl FaultBody {
    pub(super) fn read(json: &Value) -> Self {
        let error = [&json["error"], &json["detail"]]
            .into_iter()
            .find(|value| value.is_object())
            .unwrap_or(json);
        let text = |value: &Value| {
            let text = value.as_str().filter(|text| !text.is_empty());
            text.map(str::to_owned)
        };
        let first = |values: &[&Value]| values.iter().find_map(|value| text(value));
        let message = first(&[
            &error["message"],
            &json["error"],
            &json["detail"],
            &fields(&json["detail"]).into(),
            &json["message"],
            json,
        ]);
        let code = first(&[&error["code"], &json["detail"]["code"], &json["code"]]);
        Self {
            message,
            code,
            kind: text(&error["type"]),
            plan: text(&error["plan_type"]),
            resets: number(&error["resets_at"])
                .map(Resets::At)
                .or_else(|| number(&error["resets_in_seconds"]).map(Resets::After)),
        }
    }

    /// Whether the body describes an error at all.
    pub(super) fn has_content(&self) -> bool {
        self.message.is_some() || self.shown_code().is_some()
    }

    /// Fills in missing fields from another body.
    pub(super) fn complete(&mut self, other: Self) {
        self.message = self.message.take().or(other.message);
        self.code = self.code.take().or(other.code);
        self.kind = self.kind.take().or(other.kind);
    }

    /// The cause named by the code, the type, or failing those the message.
    pub(super) fn cause(&self) -> Option<Cause> {
        let by_name = [&self.code, &self.kind].map(|name| Cause::from_code(name.as_deref()?));
        let is_limit = |cause: &Cause| cause.kind() == FaultKind::UsageLimit;
        let by_name = by_name
            .into_iter()
            .flatten()
            .find(is_limit)
            .or_else(|| by_name.into_iter().flatten().next());
        let by_message = || Cause::from_message(self.message.as_deref()?);
        match by_name {
            // Waiting helps with a rate limit, but not if the request alone exceeds it, or if the balance is used
            // up.
            Some(Cause::Rate) => by_message()
                .filter(|cause| matches!(cause, Cause::Allowance | Cause::Quota))
                .or(by_name),
            // llama.cpp reports a conversation that is too long as a server error.
            Some(Cause::Broken) => by_message()
                .filter(|cause| *cause == Cause::Context)
                .or(by_name),
            Some(_) => by_name,
            None => by_message(),
        }
    }

    /// The region error that a 401 may really mean.
    pub(super) fn region(&self) -> Option<Cause> {
        let by_name = self
            .cause()
            .filter(|cause| matches!(cause, Cause::Residency | Cause::Region));
        let message = self.message.as_deref().unwrap_or_default();
        let message = message.to_ascii_lowercase();
        let mut words = message.split(|c: char| !c.is_alphanumeric());
        let names = |word: &str| word.starts_with("region") || word.starts_with("geograph");
        by_name.or_else(|| words.any(names).then_some(Cause::Region))
    }

    /// Whether the type blames the request. That is so vague that it counts only if nothing else identifies the cause.
    pub(super) fn is_request_error(&self) -> bool {
        let names = [&self.kind, &self.code];
        let mut names = names.into_iter().flatten();
        names.any(|name| name.starts_with("invalid_request"))
    }

    /// The error code to show.
    pub(super) fn shown_code(&self) -> Option<&str> {
        let known = |name: &&str| Cause::from_code(name).is_some();
        let (kind, code) = (self.kind.as_deref(), self.code.as_deref());
        kind.filter(known)
            .filter(|_| !code.is_some_and(|code| known(&code)))
            .or(code)
    }
}

/// The number of request fields that a message names at most.
const MAX_FIELDS: usize = 3;

/// The field errors in `FastAPI`'s form, with their locations: `body.input.0: Field required`.
fn fields(detail: &Value) -> String {
    let wrong = detail.as_array().into_iter().flatten();
    let lines = wrong.filter_map(|entry| {
        let words = entry["msg"].as_str()?;
        let steps = entry["loc"].as_array().into_iter().flatten();
        let steps: Vec<String> = steps
            .map(|step| {
                step.as_str()
                    .map_or_else(|| step.to_string(), str::to_owned)
            })
            .collect();
        Some(match &steps[..] {
            [] => words.to_owned(),
            steps => format!("{}: {words}", steps.join(".")),
        })
    });
    lines.take(MAX_FIELDS).collect::<Vec<_>>().join("; ")
}
