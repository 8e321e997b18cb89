//! Another model, for a run without an answer: which failures it is asked after.

use std::sync::Arc;

use super::compaction::Compaction;
use super::effort::TurnEffort;
use super::profile::Profile;
use crate::api::{Client, Unanswered};
use crate::models::Model;
use crate::wire::fault::{Cause, Fault};
use crate::wire::request::RequestBody;

/// Another model, for a run without an answer.
#[derive(Clone, Debug)]
pub struct Substitute {
    /// The model and its request settings.
    pub profile: Profile,
    /// The failures after which it is asked.
    pub after: SubstituteAfter,
    /// A note for the user about settings that were clamped.
    pub note: Option<String>,
    /// As in [`super::Blueprint`].
    pub searches: bool,
    /// The client of its service, if that is not the service of the first model.
    pub client: Option<Client>,
}

/// The failures after which another model is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubstituteAfter {
    /// The service does not offer the model.
    Missing,
    /// The service does not offer the model, or not on this plan, or it is too busy for it after all retries.
    MissingOrBusy,
}

/// The model that a substitute has replaced, with the state of its turn. It comes back if no substitute answers.
#[derive(Debug)]
pub(super) struct ReplacedModel {
    pub(super) client: Client,
    pub(super) body: Arc<RequestBody>,
    pub(super) model: Model,
    pub(super) provider: Option<String>,
    pub(super) effort: TurnEffort,
    pub(super) compaction: Compaction,
}

impl SubstituteAfter {
    /// Whether another model is asked after this failure.
    pub(super) fn includes(self, why: &Unanswered) -> bool {
        why.fault().is_some_and(|fault| {
            is_missing(fault) || (self == Self::MissingOrBusy && is_not_on_plan_or_busy(fault))
        })
    }
}

/// Whether the service does not offer the model, or not to this account or client.
fn is_missing(fault: &Fault) -> bool {
    matches!(fault.cause, Cause::Model | Cause::Version)
}

/// Whether the plan does not include the model, or the service is too busy for it. A region, a network or a usage limit is the
/// same for every model.
fn is_not_on_plan_or_busy(fault: &Fault) -> bool {
    match fault.cause {
        Cause::Plan | Cause::Rate | Cause::Allowance | Cause::Capacity => true,
        Cause::Broken => fault.status == Some(503),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Error;
    use crate::wire::answer::Trouble;
    use crate::wire::fault::{self, FaultHead};

    #[test]
    fn another_model_is_asked_only_where_it_may_help() {
        let check = |status: u16, body: &str, missing: bool, busy: bool| {
            let head = FaultHead::read(status, |_| None);
            let body = format!(r#"{{"error":{{{body}}}}}"#);
            let fault = fault::from_response(&head, body.as_bytes(), 0);
            for why in [
                Unanswered::Refused(Error::Fault(fault.clone())),
                Unanswered::Unusable(Trouble::Failed(fault)),
            ] {
                let asked = [SubstituteAfter::Missing, SubstituteAfter::MissingOrBusy];
                let asked = asked.map(|after| after.includes(&why));
                assert_eq!(asked, [missing, busy], "{status} {body}");
            }
        };
        check(404, r#""code":"model_not_found""#, true, true);
        let words = "The 'm' model is not supported when using Codex with a ChatGPT account.";
        check(400, &format!(r#""message":"{words}""#), true, true);
        let words = "The 'm' model requires a newer version of Codex.";
        check(400, &format!(r#""message":"{words}""#), true, true);
        check(403, r#""code":"usage_not_included""#, false, true);
        check(429, "", false, true);
        check(429, r#""code":"rate_limit_exceeded""#, false, true);
        check(429, r#""message":"Request too large for m""#, false, true);
        check(503, "", false, true);
        check(500, r#""code":"server_is_overloaded""#, false, true);
        check(529, r#""type":"overloaded_error""#, false, true);
        check(429, r#""type":"usage_limit_reached""#, false, false);
        check(429, r#""code":"insufficient_quota""#, false, false);
        for status in [400, 401, 403, 404, 407, 413, 432, 500, 502, 504] {
            check(status, "", false, false);
        }
        let country = r#""code":"unsupported_country_region_territory""#;
        check(403, country, false, false);
        check(400, r#""code":"context_length_exceeded""#, false, false);
    }
}
