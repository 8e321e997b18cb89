//! What is asked of the issuer of tokens: one function for each of its endpoints. Nothing is decided here
//! and nothing is kept.

mod error;
pub(super) mod limit;

use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};

use super::device_poll::{Poll, sort};
use super::form;
use super::identity::TokenIdentity;
use super::pkce::Pkce;
use super::refusal::Refusal;
use super::retry::{self, Heard, Worth};
use super::token_response::Issued;
use crate::clock::seconds;
use crate::http::{self, BaseUrl, Http, IDLE_TIMEOUT, ORIGINATOR, Request, TimeLimit};
use crate::secret::Secret;
use crate::wire::fault::FaultHead;
pub use error::Error;
use limit::{ANSWER_TIMEOUT, MAX_BODY_BYTES, REVOKE_TIMEOUT, TOKEN_TIMEOUT};

/// The address of the issuer.
pub const ISSUER: &str = "https://auth.openai.com";

/// The public client that ChatGPT sign-ins of command-line programs go by. It has no secret.
pub const CLIENT: &str = "app_EMoamEEZ73f0CkXaXp7hrann";

/// What is asked for. `offline_access` brings the refresh token.
const SCOPE: &str = "openid profile email offline_access";

/// The issuer of tokens.
#[derive(Clone, Debug)]
pub struct Issuer {
    base: BaseUrl,
    http: Http,
    /// How long tokens may take.
    tokens: Duration,
}

/// A device sign-in that was begun.
#[derive(Clone, Debug)]
pub struct Device {
    /// Names it to the issuer.
    id: Secret,
    /// What the person types in.
    pub code: Secret,
    /// How long to wait between two questions.
    pub interval: Duration,
}

impl Issuer {
    /// Nothing is sent before the first question.
    #[must_use]
    pub fn new(base: BaseUrl, setup: &http::HttpSetup) -> Self {
        Self {
            base,
            http: Http::new(setup, IDLE_TIMEOUT),
            tokens: TOKEN_TIMEOUT,
        }
    }

    /// Its address, which tells it from others.
    #[must_use]
    pub fn name(&self) -> &str {
        self.base.as_str()
    }

    /// Where a person signs in with a browser.
    #[must_use]
    pub fn authorize_url(&self, redirect: &str, pkce: &Pkce) -> String {
        let query = form::encode(&[
            ("response_type", "code"),
            ("client_id", CLIENT),
            ("redirect_uri", redirect),
            ("scope", SCOPE),
            ("code_challenge", &pkce.challenge),
            ("code_challenge_method", "S256"),
            ("state", pkce.state.expose()),
            ("id_token_add_organizations", "true"),
            ("codex_cli_simplified_flow", "true"),
            ("originator", ORIGINATOR),
        ]);
        self.base.join(&format!("/oauth/authorize?{query}"))
    }

    /// Where a person types in the code of a device sign-in.
    #[must_use]
    pub fn device_url(&self) -> String {
        self.base.join("/codex/device")
    }

    /// Where a device sign-in would lead if it had a page; the exchange wants it named.
    #[must_use]
    pub fn device_redirect(&self) -> String {
        self.base.join("/deviceauth/callback")
    }

    /// Exchanges a code for tokens. `redirect` is the one that the sign-in began with; `heard` is told before it is
    /// tried again.
    ///
    /// # Errors
    /// When there are none.
    pub fn exchange(
        &self,
        code: &Secret,
        verifier: &Secret,
        redirect: &str,
        heard: Heard<'_>,
    ) -> Result<Issued, Error> {
        let form = form::encode(&[
            ("grant_type", "authorization_code"),
            ("client_id", CLIENT),
            ("code", code.expose()),
            ("redirect_uri", redirect),
            ("code_verifier", verifier.expose()),
        ]);
        retry::ask(Worth::Much, heard, || self.tokens(&form, &[code, verifier]))
    }

    /// Spends a refresh token.
    ///
    /// # Errors
    /// When no new tokens came. The old one may be spent all the same.
    pub fn refresh(&self, refresh: &Secret) -> Result<Issued, Error> {
        // As a form, as the standard has it (RFC 6749, section 6); the service takes JSON too.
        let form = form::encode(&[
            ("grant_type", "refresh_token"),
            ("client_id", CLIENT),
            ("refresh_token", refresh.expose()),
        ]);
        self.tokens(&form, &[refresh])
    }

    fn tokens(&self, form: &str, secrets: &[&Secret]) -> Result<Issued, Error> {
        let url = self.base.join("/oauth/token");
        let limit = TimeLimit::Whole(self.tokens);
        let body = self.post(&url, http::FORM, form.as_bytes(), limit, secrets)?;
        Issued::read(&body).ok_or(Error::Unreadable)
    }

    /// Asks whose an access token of a workspace is; `heard` is told before it is tried again.
    ///
    /// # Errors
    /// When the issuer does not say.
    pub fn whoami(&self, access: &Secret, heard: Heard<'_>) -> Result<TokenIdentity, Error> {
        let url = self
            .base
            .join("/api/accounts/v1/user-auth-credential/whoami");
        let body = retry::ask(Worth::Little, heard, || {
            self.call(&url, Some(access), None, ANSWER_TIMEOUT, &[access])
        })?;
        let json = serde_json::from_slice(&body).map_err(|_| Error::Unreadable)?;
        TokenIdentity::read(&json).ok_or(Error::Unreadable)
    }

    /// Makes tokens worthless: all that came from this refresh token, or one access token.
    ///
    /// # Errors
    /// When the issuer did not confirm it.
    pub fn revoke(&self, access: &Secret, refresh: Option<&Secret>) -> Result<(), Error> {
        let body = match refresh {
            Some(refresh) => json!({
                "token": refresh.expose(),
                "token_type_hint": "refresh_token",
                "client_id": CLIENT,
            }),
            None => json!({"token": access.expose(), "token_type_hint": "access_token"}),
        };
        let url = self.base.join("/oauth/revoke");
        let secrets = [Some(access), refresh];
        let secrets: Vec<&Secret> = secrets.into_iter().flatten().collect();
        let text = body.to_string();
        let begun = Instant::now();
        match self.post(
            &url,
            http::JSON,
            text.as_bytes(),
            TimeLimit::Whole(REVOKE_TIMEOUT),
            &secrets,
        ) {
            // The service takes JSON. The standard has a form (RFC 7009, section 2.1), and others take nothing else.
            Err(Error::Refused(refusal)) if matches!(refusal.status, 400 | 415) => {
                let field = |name| Some((name, body[name].as_str()?));
                let fields = ["token", "token_type_hint", "client_id"];
                let pairs: Vec<(&str, &str)> = fields.into_iter().filter_map(field).collect();
                let form = form::encode(&pairs);
                let left = TimeLimit::Whole(REVOKE_TIMEOUT.saturating_sub(begun.elapsed()));
                self.post(&url, http::FORM, form.as_bytes(), left, &secrets)
            }
            other => other,
        }
        .map(drop)
    }

    /// Begins a device sign-in; `heard` is told before it is tried again.
    ///
    /// # Errors
    /// When the issuer has none, or cannot be asked.
    pub fn device(&self, heard: Heard<'_>) -> Result<Device, Error> {
        #[derive(Deserialize)]
        struct Body {
            device_auth_id: String,
            #[serde(alias = "usercode")]
            user_code: String,
            #[serde(default)]
            interval: Value,
        }
        let url = self.base.join("/api/accounts/deviceauth/usercode");
        let body = json!({ "client_id": CLIENT }).to_string();
        let body = retry::ask(Worth::Little, heard, || {
            self.post(&url, http::JSON, body.as_bytes(), ANSWER_TIMEOUT, &[])
        })?;
        let body: Body = serde_json::from_slice(&body).map_err(|_| Error::Unreadable)?;
        // Seconds, as text or as a number.
        let text = body.interval.as_str().unwrap_or_default().trim().parse();
        let seconds = text.ok().or(body.interval.as_u64()).unwrap_or(5);
        Ok(Device {
            id: Secret::new(body.device_auth_id),
            code: Secret::new(body.user_code),
            interval: Duration::from_secs(seconds.clamp(1, 60)),
        })
    }

    /// Asks what became of a device sign-in.
    ///
    /// # Errors
    /// When it is refused or over, or the issuer cannot be asked.
    pub fn poll(&self, device: &Device) -> Result<Poll, Error> {
        #[derive(Deserialize)]
        struct Body {
            authorization_code: String,
            code_verifier: String,
        }
        let url = self.base.join("/api/accounts/deviceauth/token");
        let body = json!({
            "device_auth_id": device.id.expose(),
            "user_code": device.code.expose(),
        })
        .to_string();
        let secrets = [&device.id, &device.code];
        match self.post(&url, http::JSON, body.as_bytes(), ANSWER_TIMEOUT, &secrets) {
            Ok(body) => {
                let body: Body = serde_json::from_slice(&body).map_err(|_| Error::Unreadable)?;
                Ok(Poll::Granted(
                    Secret::new(body.authorization_code),
                    Secret::new(body.code_verifier),
                ))
            }
            Err(Error::Refused(refusal)) => sort(*refusal),
            Err(error) => Err(error),
        }
    }

    fn post(
        &self,
        url: &str,
        kind: &'static str,
        body: &[u8],
        limit: TimeLimit,
        secrets: &[&Secret],
    ) -> Result<Vec<u8>, Error> {
        self.call(url, None, Some((kind, body)), limit, secrets)
    }

    fn call(
        &self,
        url: &str,
        bearer: Option<&Secret>,
        body: Option<(&'static str, &[u8])>,
        limit: TimeLimit,
        secrets: &[&Secret],
    ) -> Result<Vec<u8>, Error> {
        let answer = self
            .http
            .send(&Request {
                url,
                bearer,
                headers: &[("accept", http::JSON.to_owned())],
                body,
                limit,
            })
            .map_err(Error::Http)?;
        let status = answer.status();
        let head = FaultHead::read(status, |name| answer.header(name).map(str::to_owned));
        let proxy = answer.proxy().map(str::to_owned);
        let (body, broken) = answer.partial(MAX_BODY_BYTES);
        let success = (200..=299).contains(&status);
        match broken {
            // New tokens are worth more than a whole answer: the old one is spent.
            Some(_) if success && Issued::read(&body).is_some_and(|issued| issued.is_whole()) => {}
            Some(error) => return Err(Error::Http(error)),
            None => {}
        }
        if success {
            return Ok(body);
        }
        let mut refusal = Refusal::of(status, &String::from_utf8_lossy(&body));
        refusal.retry_after = head.retry_after(seconds());
        refusal.proxy = proxy;
        // An issuer that repeats what it was sent shall not make us print it.
        refusal.redact(secrets);
        Err(Error::Refused(Box::new(refusal)))
    }
}

#[cfg(test)]
mod tests;
