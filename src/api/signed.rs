//! Sends a request with whatever must be in its headers by the credential that signs it, and once more where the
//! refusal of the first one can be answered: with a renewed sign-in, or on the way that a bound workspace has.

use std::time::Duration;

use super::endpoints::Endpoints;
use super::error::Error;
use super::headers::common;
use super::refusal::fault;
use super::workspace::{WorkspaceWay, headers};
use crate::auth::{Authority, Credential};
use crate::http::{self, Http, Request, TimeLimit};
use crate::wire::fault::Cause;

/// How long the answer about the way of a workspace may take.
const CHECK: TimeLimit = TimeLimit::Whole(Duration::from_secs(20));

/// The most of that answer that is read, in bytes.
const MAX_CHECK_BYTES: usize = 1 << 20;

/// Who asks, and where.
#[derive(Clone, Copy)]
pub(super) struct Signed<'a> {
    pub(super) http: &'a Http,
    pub(super) endpoints: &'a Endpoints,
    pub(super) authority: &'a Authority,
}

/// A path that a request goes to.
#[derive(Clone, Copy)]
pub(super) enum RequestPath<'a> {
    /// Below the address of the backend.
    Below(&'a str),
    /// Below that of the subscription's side services.
    Beside(&'a str),
}

/// What is asked.
#[derive(Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) place: RequestPath<'a>,
    pub(super) headers: &'a [(&'static str, String)],
    pub(super) body: Option<(&'static str, &'a [u8])>,
    pub(super) limit: TimeLimit,
}

impl Signed<'_> {
    /// Sends the request; an answer that is neither 401 nor about the way of the workspace is handed back as it is.
    ///
    /// # Errors
    /// When there is no valid credential, no answer comes, or the service refuses the credential or the workspace.
    pub(super) fn ask(&self, question: &Question<'_>) -> Result<http::HttpResponse, Error> {
        let mut credential = self.authority.credential().map_err(Error::SignIn)?;
        let mut way = self.endpoints.route.way();
        let (mut renewed, mut rerouted) = (false, false);
        loop {
            let answer = self.send(question, &credential, &way)?;
            if !matches!(answer.status(), 401 | 432) {
                return Ok(answer);
            }
            let fault = fault(self.authority, answer)?;
            match fault.cause {
                Cause::Region if !rerouted => {
                    rerouted = true;
                    match self.reroute(&credential, &way) {
                        Some(other) => way = other,
                        None => return Err(Error::Fault(fault)),
                    }
                }
                Cause::Credential if !renewed => {
                    renewed = true;
                    match self.authority.instead_of(&credential) {
                        Ok(Some(other)) => credential = other,
                        Ok(None) => return Err(Error::Fault(fault)),
                        Err(error) => return Err(Error::SignIn(error)),
                    }
                }
                _ => return Err(Error::Fault(fault)),
            }
        }
    }

    /// The way to be tried after this one was refused.
    fn reroute(&self, credential: &Credential, used: &WorkspaceWay) -> Option<WorkspaceWay> {
        let Credential::Token { account, .. } = credential else {
            return None;
        };
        self.endpoints.route.after(used, || {
            let question = Question {
                place: RequestPath::Beside("/wham/accounts/check"),
                headers: &common(http::JSON),
                body: None,
                limit: CHECK,
            };
            let answer = self.send(&question, credential, used).ok()?;
            if answer.status() != 200 {
                return None;
            }
            let body = answer.whole(MAX_CHECK_BYTES).ok()?;
            WorkspaceWay::read(&body, account, &self.endpoints.subscription)
        })
    }

    fn send(
        &self,
        question: &Question<'_>,
        credential: &Credential,
        way: &WorkspaceWay,
    ) -> Result<http::HttpResponse, Error> {
        let mut all = question.headers.to_vec();
        all.extend(headers(credential, &self.endpoints.scope));
        let base = match credential {
            Credential::Token { .. } => {
                all.extend(way.header());
                way.base(&self.endpoints.subscription)
            }
            Credential::Key(_) => self.endpoints.api.as_str().to_owned(),
        };
        let url = match question.place {
            RequestPath::Below(path) => format!("{base}{path}"),
            RequestPath::Beside(path) => {
                format!("{}{path}", base.strip_suffix("/codex").unwrap_or(&base))
            }
        };
        // A server that wants no key is shown none.
        let bearer = Some(credential.secret()).filter(|secret| !secret.expose().is_empty());
        let request = Request {
            url: &url,
            bearer,
            headers: &all,
            body: question.body,
            limit: question.limit,
        };
        let failed = |error| Error::Http(http::host(&url), error);
        self.http.send(&request).map_err(failed)
    }
}
