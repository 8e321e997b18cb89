//! Client of the token issuer (the OAuth authorization server): one function per endpoint. Policy and storage are
//! left to the callers.

mod error;
pub(super) mod limit;

use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};

use super::device_poll::{Poll, poll_state};
use super::form;
use super::identity::TokenIdentity;
use super::pkce::Pkce;
use super::refusal::Refusal;
use super::retry::{self, OnRetry, RetryScope};
use super::token_response::Issued;
use crate::clock::seconds;
use crate::http::{self, BaseUrl, Http, IDLE_TIMEOUT, ORIGINATOR, Request, TimeLimit};
use crate::secret::Secret;
use crate::wire::fault::FaultHead;
pub use error::Error;
use limit::{ANSWER_TIMEOUT, MAX_BODY_BYTES, REVOKE_TIMEOUT, TOKEN_TIMEOUT};

/// The address of the issuer.
pub const ISSUER: &str = "https://auth.openai.com";

/// The public OAuth client for ChatGPT sign-ins from command-line programs. It has no secret.
pub const CLIENT: &str = "app_EMoamEEZ73f0CkXaXp7hrann";

/// The requested scopes. `offline_access` requests a refresh token.
const SCOPE: &str = "openid profile email offline_access";

/// The token issuer.
#[derive(Clone, Debug)]
pub struct Issuer {
    base: BaseUrl,
    http: Http,
    /// The timeout for token requests.
    tokens: Duration,
}

/// A device sign-in in progress.
#[derive(Clone, Debug)]
pub struct Device {
    /// Identifies it to the issuer.
    id: Secret,
    /// The code that the user enters.
    pub code: Secret,
    /// The polling interval.
    pub interval: Duration,
}

impl Issuer {
    /// Creates a client. It connects on the first request.
    #[must_use]
    pub fn new(base: BaseUrl, setup: &http::HttpSetup) -> Self {
        Self {
            base,
            http: Http::new(setup, IDLE_TIMEOUT),
            tokens: TOKEN_TIMEOUT,
        }
    }

    /// Returns its base address, which identifies it.
    #[must_use]
    pub fn name(&self) -> &str {
        self.base.as_str()
    }

    /// Returns the authorization URL to open in a browser.
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

    /// Returns the page where the user enters the device code.
    #[must_use]
    pub fn device_url(&self) -> String {
        self.base.join("/codex/device")
    }

    /// Returns the redirect URI of a device sign-in. It has no page, but the exchange must name it.
    #[must_use]
    pub fn device_redirect(&self) -> String {
        self.base.join("/deviceauth/callback")
    }

    /// Exchanges an authorization code for tokens. `redirect` is the redirect URI that the sign-in started with;
    /// `on_retry` is called before each retry.
    ///
    /// # Errors
    /// If no tokens are issued.
    pub fn exchange(
        &self,
        code: &Secret,
        verifier: &Secret,
        redirect: &str,
        on_retry: OnRetry<'_>,
    ) -> Result<Issued, Error> {
        let form = form::encode(&[
            ("grant_type", "authorization_code"),
            ("client_id", CLIENT),
            ("code", code.expose()),
            ("redirect_uri", redirect),
            ("code_verifier", verifier.expose()),
        ]);
        retry::with_retries(RetryScope::AnyConnection, on_retry, || {
            self.tokens(&form, &[code, verifier])
        })
    }

    /// Spends a refresh token.
    ///
    /// # Errors
    /// If no new tokens arrive. The old refresh token may be spent nevertheless.
    pub fn refresh(&self, refresh: &Secret) -> Result<Issued, Error> {
        // Sent as a form, as the standard requires (RFC 6749, section 6); the service accepts JSON too.
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

    /// Requests the identity of a personal access token; `on_retry` is called before each retry.
    ///
    /// # Errors
    /// If the issuer does not report it.
    pub fn whoami(&self, access: &Secret, on_retry: OnRetry<'_>) -> Result<TokenIdentity, Error> {
        let url = self
            .base
            .join("/api/accounts/v1/user-auth-credential/whoami");
        let body = retry::with_retries(RetryScope::DroppedConnection, on_retry, || {
            self.call(&url, Some(access), None, ANSWER_TIMEOUT, &[access])
        })?;
        let json = serde_json::from_slice(&body).map_err(|_| Error::Unreadable)?;
        TokenIdentity::read(&json).ok_or(Error::Unreadable)
    }

    /// Revokes all tokens derived from this refresh token, or a single access token.
    ///
    /// # Errors
    /// If the issuer did not confirm it.
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
            // The service takes JSON. The standard requires a form (RFC 7009, section 2.1), and other issuers accept
            // nothing else.
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

    /// Starts a device sign-in; `on_retry` is called before each retry.
    ///
    /// # Errors
    /// If the issuer does not offer it or the request fails.
    pub fn device(&self, on_retry: OnRetry<'_>) -> Result<Device, Error> {
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
        let body = retry::with_retries(RetryScope::DroppedConnection, on_retry, || {
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

    /// Polls a device sign-in.
    ///
    /// # Errors
    /// If it was refused or has expired, or the request fails.
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
            Err(Error::Refused(refusal)) => poll_state(*refusal),
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
        let (body, broken) = answer.read_up_to(MAX_BODY_BYTES);
        let success = (200..=299).contains(&status);
        match broken {
            // A broken response that contains the new tokens is accepted, because the old refresh token is spent.
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
        // An issuer may echo the secrets it was sent; they must not be printed.
        refusal.redact(secrets);
        Err(Error::Refused(Box::new(refusal)))
    }
}

#[cfg(test)]
mod tests;
