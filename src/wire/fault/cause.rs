//! The cause of a failure: a separate one for each remedy. The kind, and with it the exit code, follows from the cause;
//! so does whether a retry may succeed.

use super::kind::FaultKind;

/// Why the service rejected or failed a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The request itself is wrong; a retry would not help.
    Request,
    /// The conversation exceeds the model's context window.
    Context,
    /// The request exceeds the service's size limit.
    Size,
    /// The request alone exceeds the rate limit per minute, so waiting does not help.
    Allowance,
    /// The service's policy forbids it.
    Policy,
    /// An image is unusable.
    Image,
    /// The project or its data is bound to a region that this address or model does not serve.
    Residency,
    /// The workspace is bound to a region, and the request comes from a different or unknown region.
    Region,
    /// Nothing exists at this address.
    Place,
    /// The response is neither an answer nor an error.
    Document,
    /// The service failed with an unknown reason.
    Unknown,
    /// The credential was rejected.
    Credential,
    /// The model does not exist, or is not available to this account.
    Model,
    /// The model requires a newer client.
    Version,
    /// The plan does not include this use.
    Plan,
    /// The workspace was deactivated.
    Workspace,
    /// The service is not available in this country.
    Country,
    /// A web page from an intermediary blocked the request.
    Blocked,
    /// The credential lacks permission.
    Denied,
    /// A usage window of the plan is exhausted.
    Window,
    /// The workspace is out of credits, and the user can buy some.
    OwnerCredits,
    /// The workspace is out of credits, and its owner can buy some.
    MemberCredits,
    /// The workspace's limit has been reached, and the user can raise it.
    OwnerLimit,
    /// The workspace's limit has been reached, and its owner can raise it.
    MemberLimit,
    /// The balance or the spending limit of an API account is used up.
    Quota,
    /// Too many requests or tokens in a short time.
    Rate,
    /// The service, or the model, is overloaded.
    Capacity,
    /// The service failed.
    Broken,
    /// The response is a redirect.
    Moved,
    /// The response is an HTML page, not an API response.
    Page,
    /// A proxy requires authentication.
    Proxy,
}

impl Cause {
    /// The kind of failure.
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

    /// Whether a retry of the same request may succeed soon.
    pub(super) fn may_pass(self) -> bool {
        matches!(
            self,
            Self::Rate | Self::Capacity | Self::Broken | Self::Unknown
        )
    }

    /// The cause that a code or a type identifies by itself.
    pub(super) fn from_code(code: &str) -> Option<Self> {
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
            // Each policy has a separate code: cyber_policy, bio_policy and others.
            _ if code.ends_with("_policy")
                || code.contains("policy_violation")
                || code.starts_with("misalignment") =>
            {
                Self::Policy
            }
            _ => return None,
        })
    }

    /// The cause that a message identifies by itself, for services that send no code. Only wording that cannot be a
    /// quotation counts.
    pub(super) fn from_message(message: &str) -> Option<Self> {
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

    /// The cause that the header `x-codex-rate-limit-reached-type` names.
    pub(super) fn from_reached_header(kind: &str) -> Option<Self> {
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

/// Whether the message says that the conversation is too long, in the wording of the service, LM Studio, llama.cpp,
/// Ollama or vLLM.
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
