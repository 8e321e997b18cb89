//! The contents of a credentials file in each format (pure).

use std::fmt;
use std::time::{Duration, SystemTime};

use super::document::Document;
use super::format::{
    API_KEY, KEY, MODE, MODE_KEY, MODE_PERSONAL, OAUTH, PERSONAL, SIGN_IN, StoreFormat,
    foreign_mode,
};
use crate::auth::signed_in::SignedIn;
use crate::auth::token::{Claims, TokenError};
use crate::auth::workspace::{Bounds, is_residency};
use crate::secret::Secret;

/// Assumed lifetime of a token without an expiry in the official client's file, in seconds.
pub(super) const EIGHT_DAYS: u64 = 8 * 24 * 3600;

/// The credentials in a file.
#[derive(Clone, Debug)]
pub struct Contents {
    /// The file's format.
    pub format: StoreFormat,
    /// The sign-in, or the reason that the entry is not one.
    pub sign_in: Option<Result<SignedIn, TokenError>>,
    /// The personal access token that the official client stores next to the sign-in.
    pub personal: Option<Secret>,
    /// The API key, not yet validated.
    pub key: Option<Secret>,
    /// The kind of credential that the file selects.
    pub first: CredentialKind,
    /// Entries of a different type in the places of credentials.
    pub others: Vec<Other>,
}

/// A kind of credential that a file can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    /// A sign-in.
    SignIn,
    /// A personal access token of a workspace.
    Personal,
    /// An API key.
    Key,
}

/// An entry of a different type where a credential belongs, kept there by another program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Other {
    /// The kind of credential that belongs there.
    pub place: CredentialKind,
    /// The entry's name.
    pub entry: String,
    /// The entry's type.
    pub kind: String,
}

impl fmt::Display for Other {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { entry, kind, .. } = self;
        write!(
            f,
            "an entry \"{entry}\" of type {kind}, which belongs to another program"
        )
    }
}

impl Contents {
    /// Reads the credentials of a file.
    #[must_use]
    pub fn read(format: StoreFormat, document: &Document) -> Self {
        match format {
            StoreFormat::Entries => Self::from_entries(document),
            StoreFormat::Official => Self::from_official(document),
        }
    }

    fn from_entries(document: &Document) -> Self {
        let sign_in = CredentialEntry::of(document, SIGN_IN, OAUTH);
        let key = CredentialEntry::of(document, KEY, API_KEY);
        let others = [
            sign_in.other(CredentialKind::SignIn, SIGN_IN),
            key.other(CredentialKind::Key, KEY),
        ];
        Contents {
            format: StoreFormat::Entries,
            sign_in: sign_in
                .ours()
                .filter(|entry| entry.get("access").is_some())
                .map(entry_sign_in),
            personal: None,
            key: key
                .ours()
                .and_then(|key| key.string("key"))
                .map(Secret::new),
            first: CredentialKind::SignIn,
            others: others.into_iter().flatten().collect(),
        }
    }

    fn from_official(document: &Document) -> Self {
        let personal = document.string(PERSONAL).map(Secret::new);
        let key = document.string("OPENAI_API_KEY").map(Secret::new);
        let mode = document.string(MODE);
        Contents {
            format: StoreFormat::Official,
            sign_in: document
                .object("tokens")
                .filter(|tokens| tokens.get("access_token").is_some())
                .map(|tokens| official_sign_in(document, &tokens)),
            first: match mode.as_deref() {
                Some(MODE_KEY) => CredentialKind::Key,
                Some(MODE_PERSONAL) => CredentialKind::Personal,
                None if personal.is_some() => CredentialKind::Personal,
                None if key.is_some() => CredentialKind::Key,
                _ => CredentialKind::SignIn,
            },
            personal,
            key,
            others: foreign_mode(document).map_or_else(Vec::new, |kind| {
                let other = |place| Other {
                    place,
                    entry: MODE.to_owned(),
                    kind: kind.clone(),
                };
                vec![other(CredentialKind::SignIn), other(CredentialKind::Key)]
            }),
        }
    }

    /// Returns the entry of a different type where this kind belongs.
    #[must_use]
    pub fn other(&self, place: CredentialKind) -> Option<&Other> {
        self.others.iter().find(|other| other.place == place)
    }
}

/// The entry with a name.
enum CredentialEntry {
    Nothing,
    Ours(Document),
    Other(String),
}

impl CredentialEntry {
    /// Classifies an entry. An entry that codex-run can use has the type `own` or no type.
    fn of(document: &Document, name: &str, own: &str) -> Self {
        let text = document.get(name).map(str::trim);
        if text.is_none_or(|text| text == "null") {
            return Self::Nothing;
        }
        let Some(entry) = document.object(name) else {
            return Self::Other("unknown".to_owned());
        };
        match entry.get("type") {
            None | Some("null") => Self::Ours(entry),
            Some(_) => match entry.string("type") {
                Some(kind) if kind == own => Self::Ours(entry),
                kind => Self::Other(kind.unwrap_or_else(|| "unknown".to_owned())),
            },
        }
    }

    fn ours(&self) -> Option<&Document> {
        match self {
            Self::Ours(entry) => Some(entry),
            _ => None,
        }
    }

    fn other(&self, place: CredentialKind, entry: &str) -> Option<Other> {
        match self {
            Self::Other(kind) => Some(Other {
                place,
                entry: entry.to_owned(),
                kind: kind.clone(),
            }),
            _ => None,
        }
    }
}

fn entry_sign_in(entry: &Document) -> Result<SignedIn, TokenError> {
    let secret = |key: &str| entry.string(key).map(Secret::new);
    let expires = entry.get("expires").and_then(|text| {
        // Milliseconds, perhaps as a fraction: other programs write this field too.
        let millis: f64 = text.parse().ok()?;
        let time = Duration::try_from_secs_f64(millis / 1000.0).ok()?;
        Some(time.as_secs())
    });
    let known = Claims {
        account: entry.string("accountId").and_then(|id| id.parse().ok()),
        email: entry.string("email"),
        plan: entry.string("plan"),
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
