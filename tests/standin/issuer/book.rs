//! The issuer's records: codes that wait for their exchange, and families of tokens. A family is
//! everything that came from one sign-in: each refresh token is used once and replaced by the next
//! one, and using one twice ends the family, since two clients hold it then.

use std::collections::{HashMap, HashSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::super::bound::Bounds;
use super::CLIENT_ID;
use super::token::{AUTH_CLAIM, encoded};

/// The person named by every token.
pub(super) const EMAIL: &str = "ada@example.com";

/// Who signed in, and for what.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) account: String,
    pub(super) plan: String,
    pub(super) scope: String,
    pub(super) bounds: Bounds,
}

/// The three tokens of one response.
#[derive(Debug, Clone)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) id: String,
}

/// What a code was issued for.
pub(super) struct Code {
    pub(super) redirect_uris: Vec<String>,
    pub(super) challenge: String,
    pub(super) person: Person,
}

/// Why a refresh token is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Worthless {
    Unknown,
    Spent,
    Ended,
}

/// The families of one issuer are known by their numbers.
pub(super) type Family = usize;

struct Members {
    person: Person,
    ended: bool,
}

#[derive(Default)]
pub(super) struct Book {
    families: Vec<Members>,
    codes: HashMap<String, Code>,
    /// Every refresh token with its family, and whether it has been used.
    refresh: HashMap<String, (Family, bool)>,
    access: HashMap<String, Family>,
    /// Access tokens that are invalid although their family is not.
    dead: HashSet<String>,
}

impl Book {
    pub(super) fn begin(&mut self, person: Person) -> Family {
        let ended = false;
        self.families.push(Members { person, ended });
        self.families.len() - 1
    }

    pub(super) fn person(&self, family: Family) -> &Person {
        &self.families[family].person
    }

    /// The account of this access token, if it was minted here.
    pub(super) fn person_of(&self, access: &str) -> Option<&Person> {
        Some(self.person(*self.access.get(access)?))
    }

    /// New tokens; the access and id token are valid until `expires` (Unix seconds).
    pub(super) fn mint(&mut self, family: Family, expires: u64, now: u64) -> Tokens {
        let tokens = Tokens {
            access: self.access(family, expires, now),
            refresh: format!("rt_{}", random(32)),
            id: self.id(family, expires, now),
        };
        self.refresh.insert(tokens.refresh.clone(), (family, false));
        tokens
    }

    fn access(&mut self, family: Family, expires: u64, now: u64) -> String {
        let person = self.person(family);
        let token = encoded(&json!({
            "exp": expires,
            "iat": now,
            "iss": super::ISSUER,
            "aud": ["https://api.openai.com/v1"],
            "jti": random(16),
            AUTH_CLAIM: claim(person, false),
            "https://api.openai.com/profile": {"email": EMAIL, "email_verified": true},
        }));
        self.access.insert(token.clone(), family);
        token
    }

    fn id(&self, family: Family, expires: u64, now: u64) -> String {
        encoded(&json!({
            "exp": expires,
            "iat": now,
            "iss": super::ISSUER,
            "aud": [CLIENT_ID],
            "jti": random(16),
            "email": EMAIL,
            "email_verified": true,
            AUTH_CLAIM: claim(self.person(family), true),
        }))
    }

    /// A code for this, which can be exchanged once.
    pub(super) fn code(&mut self, code: Code) -> String {
        let name = format!("ac_{}", random(32));
        self.codes.insert(name.clone(), code);
        name
    }

    /// Redeems a code. The first request for it uses it up, valid or not.
    pub(super) fn exchange(
        &mut self,
        code: &str,
        redirect_uri: &str,
        verifier: &str,
    ) -> Result<Family, &'static str> {
        let Some(made_for) = self.codes.remove(code) else {
            return Err("The authorization code is unknown or was used before.");
        };
        if !made_for.redirect_uris.iter().any(|uri| uri == redirect_uri) {
            return Err("The redirect_uri is not the one that the code was made for.");
        }
        if challenge(verifier) != made_for.challenge {
            return Err("The code_verifier does not fit the code_challenge.");
        }
        Ok(self.begin(made_for.person))
    }

    /// Uses a refresh token, permanently if it `rotates`.
    pub(super) fn redeem(&mut self, refresh: &str, rotates: bool) -> Result<Family, Worthless> {
        let Some((family, spent)) = self.refresh.get_mut(refresh) else {
            return Err(Worthless::Unknown);
        };
        let members = &mut self.families[*family];
        if *spent {
            members.ended = true;
            return Err(Worthless::Spent);
        }
        if members.ended {
            return Err(Worthless::Ended);
        }
        *spent = rotates;
        Ok(*family)
    }

    /// Whether this refresh token would be accepted.
    pub(super) fn is_live(&self, refresh: &str) -> bool {
        let found = self.refresh.get(refresh);
        found.is_some_and(|(family, spent)| !spent && !self.families[*family].ended)
    }

    pub(super) fn is_refresh(&self, token: &str) -> bool {
        self.refresh.contains_key(token)
    }

    /// Ends the family of this refresh or access token. Tokens of other issuers are ignored.
    pub(super) fn end(&mut self, token: &str) {
        let of_refresh = self.refresh.get(token).map(|(family, _)| *family);
        let family = of_refresh.or_else(|| self.access.get(token).copied());
        if let Some(family) = family {
            self.families[family].ended = true;
        }
    }

    /// Ends only this access token.
    pub(super) fn kill(&mut self, access: &str) {
        self.dead.insert(access.to_owned());
    }

    /// Whether the backends must refuse this access token. They decide themselves about one that was not
    /// minted here.
    pub(super) fn is_dead(&self, access: &str) -> bool {
        let family = self.access.get(access);
        self.dead.contains(access) || family.is_some_and(|family| self.families[*family].ended)
    }
}

/// The account claims of a token; the id token has all of them.
fn claim(person: &Person, all: bool) -> serde_json::Value {
    let mut claim = json!({
        "chatgpt_account_id": person.account,
        "chatgpt_plan_type": person.plan,
        "chatgpt_user_id": format!("user-of-{}", person.account),
    });
    person.bounds.claim(&mut claim, all);
    claim
}

/// The S256 challenge of a verifier (RFC 7636 section 4.2).
pub(super) fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

/// This many random bytes as base64url.
pub(super) fn random(bytes: usize) -> String {
    let mut random = vec![0; bytes];
    getrandom::fill(&mut random).expect("the system has random bytes");
    URL_SAFE_NO_PAD.encode(random)
}
