//! Why the service says no, as far as somebody who meets it would act differently. The kind, and with it the exit
//! code, follows from the cause; so does whether the same request may succeed a moment later.

use super::kind::FaultKind;

/// Why the service says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Something about this request, which stays as it is.
    Request,
    /// The conversation is longer than the model can take in.
    Context,
    /// The request is larger than the service takes at all.
    Size,
    /// The request alone is larger than what may be used in a minute, so that waiting does not help.
    Allowance,
    /// The service's policy does not allow it.
    Policy,
    /// An image cannot be used.
    Image,
    /// The project, or its data, belongs in a region that this address or model does not serve.
    Residency,
    /// The workspace is bound to a region that the request does not come from, or that cannot be found.
    Region,
    /// There is nothing at this address.
    Place,
    /// Something came that is neither an answer nor an error.
    Document,
    /// The service failed at it and gave a reason that we do not know.
    Unknown,
    /// The credential is not accepted.
    Credential,
    /// The model does not exist, or not for this account.
    Model,
    /// The model is kept for newer clients.
    Version,
    /// The plan does not include this use.
    Plan,
    /// The workspace was deactivated.
    Workspace,
    /// The service is not offered in this country.
    Country,
    /// A page that stands between says no.
    Blocked,
    /// The credential may not do this.
    Denied,
    /// A window of the plan is used up.
    Window,
    /// The workspace has no credits left, and whoever asks could buy some.
    OwnerCredits,
    /// The workspace has no credits left, and its owner could buy some.
    MemberCredits,
    /// The workspace's limit is reached, and whoever asks could raise it.
    OwnerLimit,
    /// The workspace's limit is reached, and its owner could raise it.
    MemberLimit,
    /// The money of an API account, or what may be spent of it, is used up.
    Quota,
    /// Too many requests or tokens in a short time.
    Rate,
    /// The service, or the model, is overloaded.
    Capacity,
    /// The service failed at it.
    Broken,
    /// The answer leads elsewhere.
    Moved,
    /// A web page in place of an answer.
    Page,
    /// A proxy wants to know who asks.
    Proxy,
}

impl Cause {
    /// The kind of no that it is.
    #[must_use]
    pub fn kind(self) -> FaultKind {
        match self {
            Self::Request
            | Self::Context
            | Self::Size
            | Self::Allowance
            | Self::Policy
            | Self::Image
            | Self::Place
            | Self::Document
            | Self::Unknown => FaultKind::Failed,
            Self::Credential => FaultKind::SignIn,
            Self::Model
            | Self::Version
            | Self::Plan
            | Self::Workspace
            | Self::Residency
            | Self::Region
            | Self::Country
            | Self::Blocked
            | Self::Denied => FaultKind::Forbidden,
            Self::Window
            | Self::OwnerCredits
            | Self::MemberCredits
            | Self::OwnerLimit
            | Self::MemberLimit
            | Self::Quota => FaultKind::UsageLimit,
            Self::Rate | Self::Capacity | Self::Broken | Self::Moved | Self::Page | Self::Proxy => {
                FaultKind::Unreachable
            }
        }
    }

    /// Whether the same request may succeed a moment later.
    pub(super) fn may_pass(self) -> bool {
        matches!(
            self,
            Self::Rate | Self::Capacity | Self::Broken | Self::Unknown
        )
    }

    /// What a code, or a type, says by itself.
    pub(super) fn of_code(code: &str) -> Option<Self> {
        let code = code.to_ascii_lowercase();
        Some(match &*code {
            "usage_limit_reached" => Self::Window,
            "insufficient_quota"
            | "quota_exceeded"
            | "billing_hard_limit_reached"
            | "credit_balance_exhausted"
            | "organization_spend_limit_exceeded"
            | "project_spend_limit_exceeded"
            | "organization_usage_limit_exceeded" => Self::Quota,
            "usage_not_included" => Self::Plan,
            "model_not_found" => Self::Model,
            "deactivated_workspace" => Self::Workspace,
            "unsupported_country_region_territory" => Self::Country,
            "invalid_api_key" | "token_expired" | "token_invalidated" => Self::Credential,
            "context_length_exceeded" | "exceed_context_size_error" => Self::Context,
            "invalid_prompt" => Self::Request,
            "data_residency_mismatch" | "incorrect_hostname" => Self::Residency,
            "rate_limit_exceeded" => Self::Rate,
            "slow_down" | "server_is_overloaded" | "overloaded" | "overloaded_error" => {
                Self::Capacity
            }
            "server_error" => Self::Broken,
            _ if code.contains("image") => Self::Image,
            // The policies have names of their own: cyber_policy, bio_policy and more to come.
            _ if code.ends_with("_policy")
                || code.contains("policy_violation")
                || code.starts_with("misalignment") =>
            {
                Self::Policy
            }
            _ => return None,
        })
    }

    /// What a message says by itself, where the service sends no code. Only what cannot be a quotation counts.
    pub(super) fn of_message(message: &str) -> Option<Self> {
        let (begins, holds) = (
            |words: &str| message.starts_with(words),
            |words: &str| message.contains(words),
        );
        if begins("Incorrect API key provided") {
            Some(Self::Credential)
        } else if begins("Model not found")
            || holds("does not exist or you do not have access")
            || holds("is not supported when using Codex")
        {
            Some(Self::Model)
        } else if holds("requires a newer version of Codex") {
            Some(Self::Version)
        } else if begins("Country, region, or territory not supported") {
            Some(Self::Country)
        } else if holds("is not authorized in this region") {
            Some(Self::Region)
        } else if holds("is not available for your project's geography") {
            Some(Self::Residency)
        } else if begins("You exceeded your current quota") {
            Some(Self::Quota)
        } else if begins("Request too large for") {
            Some(Self::Allowance)
        } else if is_about_context(message) {
            Some(Self::Context)
        } else if holds("does not represent a valid image") {
            Some(Self::Image)
        } else if is_deactivated(message) {
            Some(Self::Workspace)
        } else {
            None
        }
    }

    /// What the header `x-codex-rate-limit-reached-type` says.
    pub(super) fn of_reached(kind: &str) -> Option<Self> {
        Some(match kind {
            "rate_limit_reached" => Self::Window,
            "workspace_owner_credits_depleted" => Self::OwnerCredits,
            "workspace_member_credits_depleted" => Self::MemberCredits,
            "workspace_owner_usage_limit_reached" => Self::OwnerLimit,
            "workspace_member_usage_limit_reached" => Self::MemberLimit,
            _ => return None,
        })
    }
}

/// Whether the conversation is too long, in the words of the service and of LM Studio, llama.cpp, Ollama and vLLM.
fn is_about_context(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    let holds = |words: &[&str]| words.iter().any(|words| message.contains(words));
    let names = holds(&[
        "context length",
        "context size",
        "context window",
        "when context",
        "maximum model length",
        "fit into the model",
    ]);
    names
        && holds(&[
            "exceed",
            "overflow",
            "too long",
            "longer than",
            "greater than",
            "is only",
            "maximum context length is",
            "reached context length",
        ])
}

fn is_deactivated(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    message.contains("workspace") && message.contains("deactivated")
}
