//! In which order credentials count, and whether the credentials file is read for them (pure).

use crate::auth::FoundCredential;

/// What flags and variables name.
#[derive(Debug, Default)]
pub(super) struct GivenCredentials {
    /// What counts before the credentials file, in its order.
    pub(super) before: Vec<FoundCredential>,
    /// What counts behind it.
    pub(super) after: Option<FoundCredential>,
}

/// What the credentials file holds.
#[derive(Debug, Default)]
pub(super) struct StoredCredentials {
    /// The credentials, in the order in which they count.
    pub(super) found: Vec<FoundCredential>,
    /// An entry that cannot be used. It is named only where there is nothing else.
    pub(super) other: Option<FoundCredential>,
}

impl GivenCredentials {
    /// Whether there is nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.before.is_empty() && self.after.is_none()
    }

    /// Whether the credentials file is read; with `all`, also where something comes before it. One that is not used may be
    /// meant for other programs, and is not judged; one in a home that is closed is missed only where nothing else is
    /// there.
    pub(super) fn want_file(&self, all: bool, is_closed: bool) -> bool {
        (all || self.before.is_empty()) && (!is_closed || self.is_empty())
    }

    /// All credentials, in the order in which they count.
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
            what: What::Nobody,
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
    fn each_source_has_its_place() {
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
    fn the_file_is_read_where_it_can_matter() {
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
