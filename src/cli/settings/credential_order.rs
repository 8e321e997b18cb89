//! The order of precedence of credentials, and whether the credentials file is read (pure).

use crate::auth::FoundCredential;

/// The credentials of flags and variables.
#[derive(Debug, Default)]
pub(super) struct GivenCredentials {
    /// The credentials that take precedence over the credentials file, in order.
    pub(super) before: Vec<FoundCredential>,
    /// The credential that comes after the file.
    pub(super) after: Option<FoundCredential>,
}

/// The contents of the credentials file.
#[derive(Debug, Default)]
pub(super) struct StoredCredentials {
    /// The credentials, in order of precedence.
    pub(super) found: Vec<FoundCredential>,
    /// An unusable entry. It is reported only if there is no other credential.
    pub(super) other: Option<FoundCredential>,
}

impl GivenCredentials {
    /// Whether there is no credential.
    pub(super) fn is_empty(&self) -> bool {
        self.before.is_empty() && self.after.is_none()
    }

    /// Whether the credentials file is read; with `all`, even if another credential takes precedence over it. A file that is
    /// not used may be meant for other programs and is not validated; a file in a home that cannot be entered matters only if
    /// there is no other credential.
    pub(super) fn want_file(&self, all: bool, is_closed: bool) -> bool {
        (all || self.before.is_empty()) && (!is_closed || self.is_empty())
    }

    /// All credentials, in order of precedence.
    pub(super) fn in_order(self, stored: StoredCredentials) -> Vec<FoundCredential> {
        let mut found = self.before;
        found.extend(stored.found);
        found.extend(self.after);
        if found.is_empty() {
            found.extend(stored.other);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{CredentialSource, What};

    fn of(name: &'static str) -> FoundCredential {
        FoundCredential {
            what: What::NoKey,
            source: CredentialSource::Variable(name),
        }
    }

    fn given(before: &[&'static str], after: Option<&'static str>) -> GivenCredentials {
        GivenCredentials {
            before: before.iter().map(|name| of(name)).collect(),
            after: after.map(of),
        }
    }

    #[test]
    fn sources_are_in_order_of_precedence() {
        let check = |before: &[&'static str], file: &[&'static str], after, expected: &str| {
            let stored = StoredCredentials {
                found: file.iter().map(|name| of(name)).collect(),
                other: Some(of("OTHER")),
            };
            let found = given(before, after).in_order(stored);
            let names: Vec<String> = found.iter().map(|one| one.source.to_string()).collect();
            assert_eq!(names.join(" "), expected);
        };
        check(&[], &[], None, "OTHER");
        check(&[], &[], Some("OPENAI"), "OPENAI");
        check(&[], &["FILE", "KEY"], Some("OPENAI"), "FILE KEY OPENAI");
        check(
            &["FLAG", "TOKEN"],
            &["FILE"],
            Some("OPENAI"),
            "FLAG TOKEN FILE OPENAI",
        );
        check(&["FLAG"], &[], None, "FLAG");
    }

    #[test]
    fn the_file_is_read_only_if_it_can_matter() {
        let check = |before: &[&'static str], after, all, is_closed, expected: bool| {
            let reads = given(before, after).want_file(all, is_closed);
            assert_eq!(reads, expected, "{before:?} {after:?} {all} {is_closed}");
        };
        for all in [false, true] {
            check(&[], None, all, false, true);
            check(&[], None, all, true, true);
            check(&[], Some("OPENAI"), all, false, true);
            check(&[], Some("OPENAI"), all, true, false);
            check(&["FLAG"], None, all, false, all);
            check(&["FLAG"], None, all, true, false);
        }
    }
}
