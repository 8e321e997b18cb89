//! Restrictions of an account's workspace: claims of its tokens that requests repeat as headers.

use serde_json::Value;

/// The residency of a workspace without a region.
const UNRESTRICTED: &str = "no_constraint";

/// Length limit of a residency sent as a header, in bytes.
const MAX_RESIDENCY: usize = 64;

/// The known restrictions of a workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// The region where its data stays, by the name that the service uses.
    pub residency: Option<String>,
    /// Whether it is in the `FedRAMP` environment.
    pub fedramp: Option<bool>,
}

impl Bounds {
    /// Reads the restrictions from the claims about the account.
    #[must_use]
    pub fn of(claims: &Value) -> Self {
        let text = |name: &str| claims[name].as_str().filter(|text| is_residency(text));
        let residency =
            text("chatgpt_compute_residency").or_else(|| text("chatgpt_data_residency"));
        Self {
            residency: residency.map(str::to_owned),
            fedramp: claims["chatgpt_account_is_fedramp"].as_bool(),
        }
    }

    /// Fills in missing restrictions from `other`.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            residency: self.residency.or(other.residency),
            fedramp: self.fedramp.or(other.fedramp),
        }
    }

    /// Returns the region that requests must name, if there is one.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.residency
            .as_deref()
            .filter(|text| *text != UNRESTRICTED)
    }

    /// Returns whether requests must name the `FedRAMP` environment.
    #[must_use]
    pub fn is_fedramp(&self) -> bool {
        self.fedramp == Some(true)
    }
}

/// Returns whether a string is a valid residency, and so a valid header value.
#[must_use]
pub fn is_residency(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=MAX_RESIDENCY).contains(&text.len()) && text.bytes().all(is_word)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_compute_residency_overrides_that_of_the_data() {
        let check = |claims: Value, region: Option<&str>, fedramp: bool| {
            let bounds = Bounds::of(&claims);
            let found = (bounds.region(), bounds.is_fedramp());
            assert_eq!(found, (region, fedramp), "{claims}");
        };
        check(json!({}), None, false);
        check(json!({"chatgpt_data_residency": "eu"}), Some("eu"), false);
        check(
            json!({"chatgpt_compute_residency": "us", "chatgpt_data_residency": "eu"}),
            Some("us"),
            false,
        );
        check(
            json!({"chatgpt_compute_residency": "no_constraint", "chatgpt_data_residency": "eu"}),
            None,
            false,
        );
        check(
            json!({"chatgpt_compute_residency": "", "chatgpt_data_residency": "eu"}),
            Some("eu"),
            false,
        );
        for odd in [
            json!("e u"),
            json!("eu\r\nx: y"),
            json!(7),
            json!("é"),
            json!("e".repeat(65)),
        ] {
            check(json!({"chatgpt_data_residency": odd}), None, false);
        }
        check(json!({"chatgpt_account_is_fedramp": true}), None, true);
        check(json!({"chatgpt_account_is_fedramp": "true"}), None, false);
    }

    #[test]
    fn a_tokens_claims_override_known_values() {
        let bounds = |residency: Option<&str>, fedramp| Bounds {
            residency: residency.map(str::to_owned),
            fedramp,
        };
        let known = || bounds(Some("us"), Some(true));
        assert_eq!(bounds(None, None).or(known()), known());
        let claimed = bounds(Some("no_constraint"), Some(false));
        assert_eq!(claimed.clone().or(known()), claimed);
    }
}
