//! The service's list of models: asked for, not read. What stands in it is for `models` to say.

use std::time::Duration;

use super::endpoints::Endpoints;
use super::error::Error;
use super::headers::{PROTOCOL, common};
use super::refusal::refused;
use super::signed::{Question, RequestPath, Signed};
use crate::auth::Authority;
use crate::http::{self, Http, TimeLimit};

/// How long the answer may take where it is worth waiting for.
pub const LIST_TIMEOUT: Duration = Duration::from_secs(20);

/// The most of it that is read, in bytes. The subscription's has half a megabyte of texts that we do not use.
const MAX_BODY_BYTES: usize = 16 << 20;

/// What the service answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listing {
    /// The list is the one that has this mark already.
    Unchanged,
    /// A list, as it came, with its mark.
    New(Vec<u8>, Option<String>),
}

/// Asks for the list of models, unless it is still the one with this mark. The answer may take this long.
///
/// # Errors
/// When no answer comes, or a refusal.
pub fn fetch(
    http: &Http,
    endpoints: &Endpoints,
    authority: &Authority,
    mark: Option<&str>,
    patience: Duration,
) -> Result<Listing, Error> {
    let mut headers = common(http::JSON);
    let path = match authority.account() {
        Some(_) => format!("/models?client_version={PROTOCOL}"),
        None => "/models".to_owned(),
    };
    if let Some(mark) = mark.filter(|mark| mark.bytes().all(|byte| byte.is_ascii_graphic())) {
        headers.push(("if-none-match", mark.to_owned()));
    }
    let signed = Signed {
        http,
        endpoints,
        authority,
    };
    let answer = signed.ask(&Question {
        place: RequestPath::Below(&path),
        headers: &headers,
        body: None,
        limit: TimeLimit::Whole(patience),
    })?;
    match answer.status() {
        304 => Ok(Listing::Unchanged),
        200 => {
            let plain = |mark: &&str| mark.bytes().all(|byte| byte.is_ascii_graphic());
            let mark = answer.header("etag").filter(plain).map(str::to_owned);
            let host = answer.host().to_owned();
            let failed = |error| Error::Http(host, error);
            Ok(Listing::New(
                answer.whole(MAX_BODY_BYTES).map_err(failed)?,
                mark,
            ))
        }
        _ => Err(refused(authority, answer)),
    }
}
