//! Fetches the service's list of models. Parsing it is left to `models`.

use std::time::{Duration, UNIX_EPOCH};

use super::endpoints::Endpoints;
use super::error::Error;
use super::headers::{PROTOCOL, common};
use super::refusal::refused;
use super::signed::{RequestPath, Signed, UnsignedRequest};
use crate::auth::Authority;
use crate::http::{self, Http, HttpResponse, TimeLimit};

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

/// How the service answers the request for the list of models.
#[derive(Debug)]
pub struct ListProbe {
    /// The service's time, in Unix seconds, if it says so.
    pub date: Option<u64>,
    /// The status code.
    pub status: u16,
    /// Why it does not give the list, if it does not.
    pub refused: Option<Error>,
}

/// Asks for the list of models and does not read it: the cheapest request that needs the credential. `limit` is the time limit
/// for the beginning of the response.
///
/// # Errors
/// When no response arrives, or the service rejects the credential.
pub fn probe(
    http: &Http,
    endpoints: &Endpoints,
    authority: &Authority,
    limit: Duration,
) -> Result<ListProbe, Error> {
    let signed = Signed {
        http,
        endpoints,
        authority,
    };
    let answer = ask(&signed, &common(http::JSON), limit)?;
    let date = answer.header("date").and_then(|date| {
        let date = httpdate::parse_http_date(date).ok()?;
        Some(date.duration_since(UNIX_EPOCH).ok()?.as_secs())
    });
    let status = answer.status();
    let is_list = matches!(status, 200 | 304);
    Ok(ListProbe {
        date,
        status,
        refused: (!is_list).then(|| refused(authority, answer)),
    })
}

/// Asks for the list.
fn ask(
    signed: &Signed<'_>,
    headers: &[(&'static str, String)],
    limit: Duration,
) -> Result<HttpResponse, Error> {
    signed.ask(&UnsignedRequest {
        place: RequestPath::Below(&path(signed.authority)),
        headers,
        body: None,
        limit: TimeLimit::Whole(limit),
    })
}

/// The path of the list for this credential.
fn path(authority: &Authority) -> String {
    match authority.account() {
        Some(_) => format!("/models?client_version={PROTOCOL}"),
        None => "/models".to_owned(),
    }
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
    if let Some(etag) = etag.filter(|etag| etag.bytes().all(|byte| byte.is_ascii_graphic())) {
        headers.push(("if-none-match", etag.to_owned()));
    }
    let signed = Signed {
        http,
        endpoints,
        authority,
    };
    let answer = ask(&signed, &headers, limit)?;
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
