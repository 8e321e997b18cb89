//! What stands where in the three formats of the credentials file (pure): ours, which is pi's too, and the
//! official client's.

use std::time::{Duration, SystemTime};

use super::document::Document;
use crate::auth::bounds::{Bounds, is_residency};
use crate::auth::token::{Claims, SignedIn, TokenError};
use crate::secret::Secret;

/// The entry of a sign-in, and that of a key, in our format and pi's.
const SIGN_IN: &str = "openai-codex";
const KEY: &str = "openai";

/// How long a token is taken to be good in the official file where it does not tell itself, in seconds.
const EIGHT_DAYS: u64 = 8 * 24 * 3600;

/// Whose format a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// An object with an entry for each provider. pi's, and ours.
    Entries,
    /// `{"tokens": {..}, "last_refresh": ..}`: the official client's.
    Official,
}

/// What a file holds for us.
#[derive(Clone, Debug)]
pub struct Contents {
    /// Whose format it has.
    pub format: Format,
    /// The sign-in; or why there is something in its place that cannot be used.
    pub sign_in: Option<Result<SignedIn, TokenError>>,
    /// The key, as it stands there.
    pub key: Option<Secret>,
    /// The key comes first, because the file says so.
    pub key_first: bool,
}

impl Format {
    /// The format of a file, which shows in its keys.
    #[must_use]
    pub fn of(document: &Document) -> Self {
        let official = ["tokens", "OPENAI_API_KEY", "auth_mode"];
        if official.iter().any(|key| document.get(key).is_some()) {
            Self::Official
        } else {
            Self::Entries
        }
    }

    /// What a file of this format holds.
    #[must_use]
    pub fn read(self, document: &Document) -> Contents {
        match self {
            Self::Entries => Contents {
                format: self,
                sign_in: document
                    .object(SIGN_IN)
                    .filter(|entry| entry.get("access").is_some())
                    .map(|entry| entry_sign_in(&entry)),
                key: document
                    .object(KEY)
                    .and_then(|entry| entry.string("key"))
                    .map(Secret::new),
                key_first: false,
            },
            Self::Official => Contents {
                format: self,
                sign_in: document
                    .object("tokens")
                    .filter(|tokens| tokens.get("access_token").is_some())
                    .map(|tokens| official_sign_in(document, &tokens)),
                key: document.string("OPENAI_API_KEY").map(Secret::new),
                key_first: match document.string("auth_mode").as_deref() {
                    Some(mode) => mode == "apikey",
                    None => document.string("OPENAI_API_KEY").is_some(),
                },
            },
        }
    }

    /// Puts a sign-in into a file; `now` is in Unix seconds.
    pub fn set_sign_in(self, document: &mut Document, signed_in: &SignedIn, now: u64) {
        let (outer, names) = match self {
            Self::Entries => (SIGN_IN, ["access", "refresh", "accountId"]),
            Self::Official => ("tokens", ["access_token", "refresh_token", "account_id"]),
        };
        let mut entry = document.object(outer).unwrap_or_default();
        match (self, &signed_in.id) {
            (Self::Entries, _) => entry.set("type", "oauth"),
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
        // The tokens commonly say whose they are. Where only the id token did, which has no place here, it is kept.
        let told = crate::auth::token::claims(signed_in.access.expose());
        if self == Self::Entries {
            let told = told.unwrap_or_default();
            match (&signed_in.email, told.email) {
                (Some(email), None) => entry.set("email", email),
                _ => entry.remove("email"),
            }
            let (bounds, told) = (&signed_in.bounds, told.bounds);
            match (&bounds.residency, told.residency) {
                (Some(residency), None) => entry.set("residency", residency),
                _ => entry.remove("residency"),
            }
            match (bounds.fedramp, told.fedramp) {
                (Some(fedramp), None) => entry.set("fedramp", fedramp),
                _ => entry.remove("fedramp"),
            }
        }
        document.set_object(outer, &entry);
        if self == Self::Official {
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(now);
            let time = humantime::format_rfc3339_nanos(time).to_string();
            document.set("last_refresh", time);
        }
    }

    /// What a new sign-in changes beyond its tokens, and a renewal leaves alone: nothing of the old one stays, and
    /// in a file that says what comes first it does.
    pub fn begin_sign_in(self, document: &mut Document, signed_in: &SignedIn) {
        if self == Self::Official {
            document.set("auth_mode", "chatgpt");
            if let (Some(mut tokens), None) = (document.object("tokens"), &signed_in.id) {
                tokens.remove("id_token");
                document.set_object("tokens", &tokens);
            }
        }
    }

    /// Puts a key into a file.
    pub fn set_key(self, document: &mut Document, key: &Secret) {
        match self {
            Self::Entries => {
                let mut entry = document.object(KEY).unwrap_or_default();
                entry.set("type", "api_key");
                entry.set("key", key.expose());
                document.set_object(KEY, &entry);
            }
            Self::Official => {
                document.set("auth_mode", "apikey");
                document.set("OPENAI_API_KEY", key.expose());
            }
        }
    }

    /// Takes the sign-in out of a file.
    pub fn remove_sign_in(self, document: &mut Document) {
        match self {
            Self::Entries => document.remove(SIGN_IN),
            Self::Official => {
                document.remove("tokens");
                document.remove("last_refresh");
                if document.string("OPENAI_API_KEY").is_some() {
                    document.set("auth_mode", "apikey");
                } else {
                    document.remove("auth_mode");
                    document.remove("OPENAI_API_KEY");
                }
            }
        }
    }

    /// Takes the key out of a file.
    pub fn remove_key(self, document: &mut Document) {
        match self {
            Self::Entries => document.remove(KEY),
            Self::Official => {
                document.remove("OPENAI_API_KEY");
                if document.string("auth_mode").as_deref() == Some("apikey") {
                    document.remove("auth_mode");
                }
            }
        }
    }
}

fn entry_sign_in(entry: &Document) -> Result<SignedIn, TokenError> {
    let secret = |key: &str| entry.string(key).map(Secret::new);
    let expires = entry.get("expires").and_then(|text| {
        // Milliseconds, as other programs may have written them.
        let millis: f64 = text.parse().ok()?;
        let time = Duration::try_from_secs_f64(millis / 1000.0).ok()?;
        Some(time.as_secs())
    });
    let known = Claims {
        account: entry.string("accountId").and_then(|id| id.parse().ok()),
        email: entry.string("email"),
        plan: None,
        expires,
        bounds: Bounds {
            residency: entry.string("residency").filter(|text| is_residency(text)),
            fedramp: entry.get("fedramp").and_then(|text| text.parse().ok()),
        },
    };
    SignedIn::new(
        secret("access").ok_or(TokenError::Shape)?,
        secret("refresh"),
        None,
        known,
    )
}

fn official_sign_in(document: &Document, tokens: &Document) -> Result<SignedIn, TokenError> {
    let secret = |key: &str| tokens.string(key).map(Secret::new);
    let known = Claims {
        account: tokens.string("account_id").and_then(|id| id.parse().ok()),
        ..Claims::default()
    };
    let access = secret("access_token").ok_or(TokenError::Shape)?;
    let mut signed_in = SignedIn::new(access, secret("refresh_token"), secret("id_token"), known)?;
    if signed_in.expires.is_none() {
        let last = document
            .string("last_refresh")
            .and_then(|text| humantime::parse_rfc3339_weak(&text).ok());
        let last = last.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
        signed_in.expires = last.map(|time| time.as_secs().saturating_add(EIGHT_DAYS));
    }
    Ok(signed_in)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::token::tests::token_of;

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
    fn our_format_is_the_promised_one() {
        let mut document = Document::default();
        let one = signed_in(NOW + 60);
        Format::Entries.set_sign_in(&mut document, &one, NOW);
        Format::Entries.set_key(&mut document, &Secret::new("sk-1".to_owned()));
        let access = one.access.expose();
        let expected = format!(
            "{{\n  \"openai-codex\": {{\n    \"type\": \"oauth\",\n    \"access\": \"{access}\",\n    \
             \"refresh\": \"rt_1\",\n    \"expires\": {}000,\n    \"accountId\": \"acct-1\"\n  }},\n  \
             \"openai\": {{\n    \"type\": \"api_key\",\n    \"key\": \"sk-1\"\n  }}\n}}",
            NOW + 60
        );
        assert_eq!(document.text(0), expected);
        let document = Document::read(&expected).expect("JSON");
        assert_eq!(Format::of(&document), Format::Entries);
        let back = Format::Entries.read(&document);
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
    fn the_official_format_keeps_what_is_not_ours() {
        let text = concat!(
            "{\n  \"auth_mode\": \"chatgpt\",\n  \"OPENAI_API_KEY\": null,\n  \"tokens\": {\n",
            "    \"id_token\": \"old\",\n    \"access_token\": \"a\",\n    \"refresh_token\": \"r\",\n",
            "    \"account_id\": \"acct-1\",\n    \"oauth_provenance\": {\"issuer\":\"x\"},\n",
            "    \"login_owner_id\": \"owner\"\n  },\n",
            "  \"last_refresh\": \"2026-11-20T17:26:40.868227507Z\",\n  \"more\": [1]\n}"
        );
        let mut document = Document::read(text).expect("JSON");
        assert_eq!(Format::of(&document), Format::Official);
        let old = Format::Official.read(&document).sign_in.expect("there");
        let old = old.expect("usable");
        // The access token tells no end, so the file's last refresh does.
        assert_eq!(old.expires, Some(1_795_195_600 + EIGHT_DAYS));
        Format::Official.set_sign_in(&mut document, &signed_in(NOW), 1_795_195_600);
        let expected = text
            .replace("\"old\"", "\"id.e30.x\"")
            .replace("\"a\"", &format!("\"{}\"", signed_in(NOW).access.expose()))
            .replace("\"r\"", "\"rt_1\"")
            .replace(".868227507Z", ".000000000Z");
        assert_eq!(document.text(0), expected);
        Format::Official.remove_sign_in(&mut document);
        assert_eq!(document.text(0), "{\n  \"more\": [1]\n}");
    }

    #[test]
    fn what_cannot_be_used_is_told_from_what_is_not_there() {
        let check = |text: &str, expected: &str| {
            let document = Document::read(text).expect("JSON");
            let found = match Format::of(&document).read(&document).sign_in {
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
