//! What the stand-in knows about each model: its list is made from this table, and requests are
//! checked against it. Most is from the catalogue inside the official client 0.171.0; the older
//! classic models, which it no longer lists, are as in `pi` 0.58 and 0.73.

/// One model. Context windows are in tokens.
#[allow(clippy::struct_excessive_bools, reason = "one for each property")]
pub(super) struct Model {
    pub(super) slug: &'static str,
    pub(super) name: &'static str,
    pub(super) visibility: &'static str,
    pub(super) in_api: bool,
    pub(super) context: u64,
    pub(super) most_context: u64,
    pub(super) effort: &'static str,
    pub(super) efforts: &'static [&'static str],
    pub(super) images: bool,
    pub(super) lite: bool,
    pub(super) effort_updates: bool,
    pub(super) verbosity: &'static str,
    /// The ids of the tiers that may be requested.
    pub(super) tiers: &'static [&'static str],
    /// The plans that include it.
    pub(super) plans: &'static [&'static str],
}

const ALL: &[&str] = &["low", "medium", "high", "xhigh", "max", "ultra"];
const TO_MAX: &[&str] = &["low", "medium", "high", "xhigh", "max"];
const TO_XHIGH: &[&str] = &["low", "medium", "high", "xhigh"];
const TO_HIGH: &[&str] = &["low", "medium", "high"];
const MINI: &[&str] = &["medium", "high"];

/// Some of the plans, by the service's names.
const PLANS: &[&str] = &["free", "go", "plus", "pro", "business", "enterprise"];
const PAID: &[&str] = &["go", "plus", "pro", "business", "enterprise"];

/// The first is the default, since the order of a list is its priority.
pub(super) const MODELS: &[Model] = &[
    Model {
        context: 500_000,
        effort_updates: true,
        plans: PAID,
        ..lite("gpt-6.2-sol", "GPT-6.2-Sol", "low", ALL)
    },
    Model {
        effort_updates: true,
        plans: PAID,
        ..lite("gpt-6.2-astra", "GPT-6.2-Astra", "low", ALL)
    },
    Model {
        context: 500_000,
        effort_updates: true,
        ..lite("gpt-6.1-terra", "GPT-6.1 Terra", "low", ALL)
    },
    Model {
        context: 500_000,
        effort_updates: true,
        ..lite("gpt-6.1-sol", "GPT-6.1-Sol", "low", ALL)
    },
    Model {
        effort_updates: true,
        ..lite("gpt-6-astra", "GPT-6 Astra", "low", ALL)
    },
    lite("gpt-6-sol", "GPT-6 Sol", "medium", ALL),
    lite("gpt-6-luna", "GPT-6 Luna", "medium", TO_MAX),
    lite("gpt-5.6-sol", "GPT-5.6 Sol", "low", ALL),
    lite("gpt-5.6-terra", "GPT-5.6 Terra", "medium", ALL),
    lite("gpt-5.6-luna", "GPT-5.6 Luna", "medium", TO_MAX),
    Model {
        visibility: "hide",
        tiers: &[],
        ..lite("gpt-daybreak-blue-latest", "Daybreak Blue", "low", ALL)
    },
    Model {
        visibility: "hide",
        context: 372_000,
        most_context: 372_000,
        verbosity: "high",
        tiers: &[],
        ..lite("gpt-daybreak-red-latest", "Daybreak Red", "medium", ALL)
    },
    classic("gpt-5.5", "GPT-5.5", TO_XHIGH),
    classic("gpt-5.4", "GPT-5.4", TO_XHIGH),
    classic("gpt-5.4-mini", "GPT-5.4 Mini", TO_XHIGH),
    classic("gpt-5.3-codex", "GPT-5.3 Codex", TO_XHIGH),
    Model {
        in_api: false,
        context: 128_000,
        most_context: 128_000,
        images: false,
        ..classic("gpt-5.3-codex-spark", "GPT-5.3 Codex Spark", TO_XHIGH)
    },
    classic("gpt-5.2", "GPT-5.2", TO_XHIGH),
    classic("gpt-5.2-codex", "GPT-5.2 Codex", TO_XHIGH),
    classic("gpt-5.1", "GPT-5.1", TO_HIGH),
    classic("gpt-5.1-codex-max", "GPT-5.1 Codex Max", TO_XHIGH),
    classic("gpt-5.1-codex-mini", "GPT-5.1 Codex Mini", MINI),
    Model {
        visibility: "hide",
        ..lite("codex-auto-review", "Codex Auto Review", "medium", TO_MAX)
    },
];

const fn lite(
    slug: &'static str,
    name: &'static str,
    effort: &'static str,
    efforts: &'static [&'static str],
) -> Model {
    Model {
        slug,
        name,
        visibility: "list",
        in_api: true,
        context: 272_000,
        most_context: 872_000,
        effort,
        efforts,
        images: true,
        lite: true,
        effort_updates: false,
        verbosity: "low",
        tiers: &["priority"],
        plans: PLANS,
    }
}

const fn classic(
    slug: &'static str,
    name: &'static str,
    efforts: &'static [&'static str],
) -> Model {
    Model {
        most_context: 272_000,
        lite: false,
        ..lite(slug, name, "medium", efforts)
    }
}
