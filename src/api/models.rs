//! Fetches the service's list of models. Parsing it is left to `models`.

use std::time::Duration;

use super::endpoints::Endpoints;
use super::error::Error;
use super::headers::{PROTOCOL, common};
use super::refusal::refused;
use super::signed::{RequestPath, Signed, UnsignedRequest};
use crate::auth::Authority;
use crate::http::{self, Http, TimeLimit};

/// Time limit for the response, for callers that need the list.
pub const LIST_TIMEOUT: Duration = Duration::from_secs(20);

/// Size limit for the response in bytes. The subscription's list has half a megabyte of unused text.
const MAX_BODY_BYTES: usize = 16 << 20;

/// The response to a list request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listing {
    /// The list still has this `ETag`.
    Unchanged,
    /// The list as received, with its `ETag`.
    New(Vec<u8>, Option<String>),
}

/// Fetches the list of models, unless it still has this `ETag`. `limit` is the time limit for the response.
///
/// # Errors
/// When no response arrives, or the service rejects the request.
pub fn fetch(
    http: &Http,
    endpoints: &Endpoints,
    authority: &Authority,
    etag: Option<&str>,
    limit: Duration,
) -> Result<Listing, Error> {
    let mut headers = common(http::JSON);
    let path = match authority.account() {
        Some(_) => format!("/models?client_version={PROTOCOL}"),
        None => "/models".to_owned(),
    };
    if let Some(etag) = etag.filter(|etag| etag.bytes().all(|byte| byte.is_ascii_graphic())) {
        headers.push(("if-none-match", etag.to_owned()));
    }
    let signed = Signed {
        http,
        endpoints,
        authority,
    };
    let answer = signed.ask(&UnsignedRequest {
        place: RequestPath::Below(&path),
        headers: &headers,
        body: None,
        limit: TimeLimit::Whole(limit),
    })?;
    match answer.status() {
        304 => Ok(Listing::Unchanged),
        200 => {
            let plain = |etag: &&str| etag.bytes().all(|byte| byte.is_ascii_graphic());
            let etag = answer.header("etag").filter(plain).map(str::to_owned);
            let host = answer.host().to_owned();
            let failed = |error| Error::Http(host, error);
            Ok(Listing::New(
                answer.whole(MAX_BODY_BYTES).map_err(failed)?,
                etag,
            ))
        }
        _ => Err(refused(authority, answer)),
    }
}
