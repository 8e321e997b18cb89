//! Field names and edits of the credentials file's formats (pure): codex-run's, which pi shares, and the official
//! client's.

use std::time::{Duration, SystemTime};

use super::document::Document;
use crate::auth::identity::is_personal;
use crate::auth::signed_in::SignedIn;
use crate::auth::token::claims;
use crate::secret::Secret;

/// The keys of the sign-in and of the API key, in codex-run's and pi's format.
pub(super) const SIGN_IN: &str = "openai-codex";
pub(super) const KEY: &str = "openai";

/// The types of the entries under these keys.
pub(super) const OAUTH: &str = "oauth";
pub(super) const API_KEY: &str = "api_key";

/// The official client's field for a personal access token.
pub(super) const PERSONAL: &str = "personal_access_token";

/// The official client's field for the credential in use, and the known values.
pub(super) const MODE: &str = "auth_mode";
pub(super) const MODE_SIGN_IN: &str = "chatgpt";
pub(super) const MODE_KEY: &str = "apikey";
pub(super) const MODE_PERSONAL: &str = "personalAccessToken";
pub(super) const MODES: &[&str] = &[MODE_SIGN_IN, MODE_KEY, MODE_PERSONAL, "chatgptAuthTokens"];

/// The format of a credentials file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreFormat {
    /// An object with one entry per provider: the format of pi and codex-run.
    Entries,
    /// `{"tokens": {..}, "last_refresh": ..}`: the official client's format.
    Official,
}

impl StoreFormat {
    /// Detects the format of a file by its keys.
    #[must_use]
    pub fn of(document: &Document) -> Self {
        let official = ["tokens", "OPENAI_API_KEY", "auth_mode", PERSONAL];
        if official.iter().any(|key| document.get(key).is_some()) {
            Self::Official
        } else {
            Self::Entries
        }
    }

    /// Stores a sign-in; `now` is in Unix seconds.
    pub fn set_sign_in(self, document: &mut Document, signed_in: &SignedIn, now: u64) {
        if self == Self::Official && is_personal(signed_in.access.expose()) {
            document.set(PERSONAL, signed_in.access.expose());
            return;
        }
        let (outer, names) = match self {
            Self::Entries => (SIGN_IN, ["access", "refresh", "accountId"]),
            Self::Official => ("tokens", ["access_token", "refresh_token", "account_id"]),
        };
        let mut entry = document.object(outer).unwrap_or_default();
        match (self, &signed_in.id) {
            (Self::Entries, _) => entry.set("type", OAUTH),
            (Self::Official, Some(id)) => entry.set("id_token", id.expose()),
            (Self::Official, None) => {}
        }
        entry.set(names[0], signed_in.access.expose());
        match &signed_in.refresh {
            Some(refresh) => entry.set(names[1], refresh.expose()),
            None if self == Self::Official => entry.set(names[1], ""),
            None => entry.remove(names[1]),
        }
        if self == Self::Entries {
            match signed_in.expires {
                Some(expires) => entry.set("expires", expires.saturating_mul(1000)),
                None => entry.remove("expires"),
            }
        }
        entry.set(names[2], signed_in.account.as_str());
        if self == Self::Entries {
            set_unclaimed(&mut entry, signed_in);
        }
        document.set_object(outer, &entry);
        if self == Self::Official {
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(now);
            let time = humantime::format_rfc3339_nanos(time).to_string();
            document.set("last_refresh", time);
        }
    }

    /// Applies the changes of a new sign-in that a renewal does not make: removes the rest of the old sign-in and
    /// selects the new one.
    pub fn begin_sign_in(self, document: &mut Document, signed_in: &SignedIn) {
        if self != Self::Official {
            return;
        }
        if is_personal(signed_in.access.expose()) {
            document.set(MODE, MODE_PERSONAL);
            document.remove("tokens");
            document.remove("last_refresh");
            return;
        }
        document.set(MODE, MODE_SIGN_IN);
        document.remove(PERSONAL);
        if let (Some(mut tokens), None) = (document.object("tokens"), &signed_in.id) {
            tokens.remove("id_token");
            document.set_object("tokens", &tokens);
        }
    }

    /// Stores an API key.
    pub fn set_key(self, document: &mut Document, key: &Secret) {
        match self {
            Self::Entries => {
                let mut entry = document.object(KEY).unwrap_or_default();
                entry.set("type", API_KEY);
                entry.set("key", key.expose());
                document.set_object(KEY, &entry);
            }
            Self::Official => {
                document.set(MODE, MODE_KEY);
                document.set("OPENAI_API_KEY", key.expose());
            }
        }
    }

    /// Removes the sign-in.
    pub fn remove_sign_in(self, document: &mut Document) {
        match self {
            Self::Entries => document.remove(SIGN_IN),
            Self::Official => {
                for name in ["tokens", "last_refresh", PERSONAL] {
                    document.remove(name);
                }
                if foreign_mode(document).is_some() {
                    return;
                }
                if document.string("OPENAI_API_KEY").is_some() {
                    document.set(MODE, MODE_KEY);
                } else {
                    document.remove(MODE);
                    document.remove("OPENAI_API_KEY");
                }
            }
        }
    }

    /// Removes the API key.
    pub fn remove_key(self, document: &mut Document) {
        match self {
            Self::Entries => document.remove(KEY),
            Self::Official => {
                document.remove("OPENAI_API_KEY");
                if document.string(MODE).as_deref() == Some(MODE_KEY) {
                    document.remove(MODE);
                }
            }
        }
    }
}

/// Stores the identity fields that the access token's claims lack, such as those of the ID token or the issuer.
fn set_unclaimed(entry: &mut Document, signed_in: &SignedIn) {
    let claimed = claims(signed_in.access.expose()).unwrap_or_default();
    let bounds = &signed_in.bounds;
    let texts = [
        ("email", &signed_in.email, claimed.email),
        ("plan", &signed_in.plan, claimed.plan),
        ("residency", &bounds.residency, claimed.bounds.residency),
    ];
    for (name, known, claimed) in texts {
        match (known, claimed) {
            (Some(known), None) => entry.set(name, known),
            _ => entry.remove(name),
        }
    }
    match (bounds.fedramp, claimed.bounds.fedramp) {
        (Some(fedramp), None) => entry.set("fedramp", fedramp),
        _ => entry.remove("fedramp"),
    }
}

/// Returns the official client's credential mode if it is unknown.
pub(super) fn foreign_mode(document: &Document) -> Option<String> {
    let mode = document.string(MODE)?;
    (!MODES.contains(&&*mode)).then_some(mode)
}

#[cfg(test)]
mod tests {
    use super::super::contents::{Contents, EIGHT_DAYS};
    use super::*;
    use crate::auth::token::tests::token_of;
    use crate::auth::token::{Claims, TokenError};

    const NOW: u64 = 1_790_000_000;

    fn signed_in(expires: u64) -> SignedIn {
        SignedIn::new(
            token_of("acct-1", expires),
            Some(Secret::new("rt_1".to_owned())),
            Some(Secret::new("id.e30.x".to_owned())),
            Claims::default(),
        )
        .expect("a sign-in")
    }

    #[test]
    fn the_file_format_is_stable() {
        let mut document = Document::default();
        let one = signed_in(NOW + 60);
        StoreFormat::Entries.set_sign_in(&mut document, &one, NOW);
        StoreFormat::Entries.set_key(&mut document, &Secret::new("sk-1".to_owned()));
        let access = one.access.expose();
        let expected = format!(
            "{{\n  \"openai-codex\": {{\n    \"type\": \"oauth\",\n    \"access\": \"{access}\",\n    \
             \"refresh\": \"rt_1\",\n    \"expires\": {}000,\n    \"accountId\": \"acct-1\"\n  }},\n  \
             \"openai\": {{\n    \"type\": \"api_key\",\n    \"key\": \"sk-1\"\n  }}\n}}",
            NOW + 60
        );
        assert_eq!(document.text(0), expected);
        let document = Document::read(&expected).expect("JSON");
        assert_eq!(StoreFormat::of(&document), StoreFormat::Entries);
        let back = Contents::read(StoreFormat::Entries, &document);
        let back_in = back.sign_in.expect("there").expect("usable");
        assert_eq!(
            (back_in.expires, back_in.account.as_str()),
            (Some(NOW + 60), "acct-1")
        );
        assert_eq!(
            back.key.map(|k| k.expose().to_owned()).as_deref(),
            Some("sk-1")
        );
    }

    #[test]
    fn the_official_format_keeps_other_fields() {
        let text = concat!(
            "{\n  \"auth_mode\": \"chatgpt\",\n  \"OPENAI_API_KEY\": null,\n  \"tokens\": {\n",
            "    \"id_token\": \"old\",\n    \"access_token\": \"a\",\n    \"refresh_token\": \"r\",\n",
            "    \"account_id\": \"acct-1\",\n    \"oauth_provenance\": {\"issuer\":\"x\"},\n",
            "    \"login_owner_id\": \"owner\"\n  },\n",
            "  \"last_refresh\": \"2026-11-20T17:26:40.868227507Z\",\n  \"more\": [1]\n}"
        );
        let mut document = Document::read(text).expect("JSON");
        assert_eq!(StoreFormat::of(&document), StoreFormat::Official);
        let old = Contents::read(StoreFormat::Official, &document)
            .sign_in
            .expect("there");
        let old = old.expect("usable");
        // The access token has no expiry, so it is derived from the last refresh.
        assert_eq!(old.expires, Some(1_795_195_600 + EIGHT_DAYS));
        StoreFormat::Official.set_sign_in(&mut document, &signed_in(NOW), 1_795_195_600);
        let expected = text
            .replace("\"old\"", "\"id.e30.x\"")
            .replace("\"a\"", &format!("\"{}\"", signed_in(NOW).access.expose()))
            .replace("\"r\"", "\"rt_1\"")
            .replace(".868227507Z", ".000000000Z");
        assert_eq!(document.text(0), expected);
        StoreFormat::Official.remove_sign_in(&mut document);
        assert_eq!(document.text(0), "{\n  \"more\": [1]\n}");
    }

    #[test]
    fn an_unusable_sign_in_is_distinguished_from_a_missing_one() {
        let check = |text: &str, expected: &str| {
            let document = Document::read(text).expect("JSON");
            let found = match Contents::read(StoreFormat::of(&document), &document).sign_in {
                None => "none",
                Some(Ok(_)) => "good",
                Some(Err(TokenError::Shape)) => "shape",
                Some(Err(TokenError::NoAccount)) => "account",
            };
            assert_eq!(found, expected, "{text}");
        };
        check("{}", "none");
        check(r#"{"openai-codex": {"type": "oauth"}}"#, "none");
        check(r#"{"openai-codex": {"access": "opaque"}}"#, "shape");
        check(r#"{"openai-codex": {"access": 3}}"#, "shape");
        check(r#"{"openai-codex": {"access": "a.e30.c"}}"#, "account");
        check(
            r#"{"openai-codex": {"access": "opaque", "accountId": "a", "expires": 1.5e12}}"#,
            "good",
        );
        check(r#"{"auth_mode": "apikey", "OPENAI_API_KEY": "sk"}"#, "none");
        check(
            r#"{"tokens": {"access_token": "opaque", "account_id": "a"}}"#,
            "good",
        );
        check(r#"{"tokens": null}"#, "none");
    }
}
