//! Sends a request with the headers that its credential requires, and retries once after a rejection that can be
//! resolved: with a refreshed sign-in, or on the route of a region-bound workspace.

use std::time::Duration;

use super::endpoints::Endpoints;
use super::error::Error;
use super::headers::common;
use super::refusal::fault;
use super::workspace::{WorkspaceTarget, headers};
use crate::auth::{Authority, Credential};
use crate::http::{self, Http, Request, TimeLimit};
use crate::wire::fault::Cause;

/// Time limit for the request for a workspace's route.
const ROUTE_TIMEOUT: TimeLimit = TimeLimit::Whole(Duration::from_secs(20));

/// Size limit for its response in bytes.
const MAX_CHECK_BYTES: usize = 1 << 20;

/// The signer and the endpoints of a request.
#[derive(Clone, Copy)]
pub(super) struct Signed<'a> {
    pub(super) http: &'a Http,
    pub(super) endpoints: &'a Endpoints,
    pub(super) authority: &'a Authority,
}

/// The path of a request.
#[derive(Clone, Copy)]
pub(super) enum RequestPath<'a> {
    /// Below the backend's base URL.
    Below(&'a str),
    /// Below the base URL of the subscription's side services.
    SideService(&'a str),
}

/// A request to sign and send.
#[derive(Clone, Copy)]
pub(super) struct UnsignedRequest<'a> {
    pub(super) place: RequestPath<'a>,
    pub(super) headers: &'a [(&'static str, String)],
    pub(super) body: Option<(&'static str, &'a [u8])>,
    pub(super) limit: TimeLimit,
}

impl Signed<'_> {
    /// Sends the request. A response other than 401 that does not concern the workspace's route is returned unchanged.
    ///
    /// # Errors
    /// When there is no valid credential, no response arrives, or the service rejects the credential or the workspace.
    pub(super) fn ask(&self, request: &UnsignedRequest<'_>) -> Result<http::HttpResponse, Error> {
        let mut credential = self.authority.credential().map_err(Error::SignIn)?;
        let mut target = self.endpoints.route.target();
        let (mut renewed, mut rerouted) = (false, false);
        loop {
            let answer = self.send(request, &credential, &target)?;
            if !matches!(answer.status(), 401 | 432) {
                return Ok(answer);
            }
            let fault = fault(self.authority, answer)?;
            match fault.cause {
                Cause::Region if !rerouted => {
                    rerouted = true;
                    match self.reroute(&credential, &target) {
                        Some(other) => target = other,
                        None => return Err(Error::Fault(fault)),
                    }
                }
                Cause::Credential if !renewed => {
                    renewed = true;
                    match self.authority.replacement_for(&credential) {
                        Ok(Some(other)) => credential = other,
                        Ok(None) => return Err(Error::Fault(fault)),
                        Err(error) => return Err(Error::SignIn(error)),
                    }
                }
                _ => return Err(Error::Fault(fault)),
            }
        }
    }

    /// The route to try after this one was rejected.
    fn reroute(&self, credential: &Credential, used: &WorkspaceTarget) -> Option<WorkspaceTarget> {
        let Credential::Token { account, .. } = credential else {
            return None;
        };
        self.endpoints.route.after(used, || {
            let request = UnsignedRequest {
                place: RequestPath::SideService("/wham/accounts/check"),
                headers: &common(http::JSON),
                body: None,
                limit: ROUTE_TIMEOUT,
            };
            let answer = self.send(&request, credential, used).ok()?;
            if answer.status() != 200 {
                return None;
            }
            let body = answer.whole(MAX_CHECK_BYTES).ok()?;
            WorkspaceTarget::read(&body, account, &self.endpoints.subscription)
        })
    }

    fn send(
        &self,
        request: &UnsignedRequest<'_>,
        credential: &Credential,
        target: &WorkspaceTarget,
    ) -> Result<http::HttpResponse, Error> {
        let mut all = request.headers.to_vec();
        all.extend(headers(credential, &self.endpoints.scope));
        let base = match credential {
            Credential::Token { .. } => {
                all.extend(target.header());
                target.base(&self.endpoints.subscription)
            }
            Credential::Key(_) => self.endpoints.api.as_str().to_owned(),
        };
        let url = match request.place {
            RequestPath::Below(path) => format!("{base}{path}"),
            RequestPath::SideService(path) => {
                format!("{}{path}", base.strip_suffix("/codex").unwrap_or(&base))
            }
        };
        // A server without keys gets no Authorization header.
        let bearer = Some(credential.secret()).filter(|secret| !secret.expose().is_empty());
        let request = Request {
            url: &url,
            bearer,
            headers: &all,
            body: request.body,
            limit: request.limit,
        };
        let failed = |error| Error::Http(http::host(&url), error);
        self.http.send(&request).map_err(failed)
    }
}
