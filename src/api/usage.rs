//! The usage of a plan: the subscription's usage endpoint, and the parsing of its response (pure).

use std::time::Duration;

use serde::Deserialize;

use super::endpoints::Endpoints;
use super::error;
use super::headers::common;
use super::refusal::refused;
use super::signed::{RequestPath, Signed, UnsignedRequest};
use crate::auth::Authority;
use crate::http::{self, Http, TimeLimit};

/// Time limit for the response.
const USAGE_TIMEOUT: TimeLimit = TimeLimit::Whole(Duration::from_secs(30));

/// Size limit for the response in bytes.
const MAX_BODY_BYTES: usize = 1 << 20;

/// A usage window of the plan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlanWindow {
    /// `primary` or `secondary`.
    pub name: &'static str,
    /// The used share, in percent.
    pub used: f64,
    /// The length in seconds; 0 if unknown.
    pub seconds: u64,
    /// When the window resets, in Unix seconds.
    pub resets_at: Option<u64>,
}

/// The endpoint's response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlanLimits {
    /// The plan, by the service's name.
    pub plan: Option<String>,
    /// Whether the limit has been reached, until a window resets.
    pub reached: bool,
    /// The plan's windows.
    pub windows: Vec<PlanWindow>,
}

/// Why the usage is not available.
#[derive(Debug)]
pub enum Error {
    /// No response arrived, or the service rejected the request.
    Unanswered(error::Error),
    /// The response has an unexpected format.
    Unreadable,
}

#[derive(Deserialize)]
struct UsageBody {
    plan_type: Option<String>,
    rate_limit: Option<Rate>,
}

#[derive(Deserialize)]
struct Rate {
    #[serde(default)]
    limit_reached: bool,
    primary_window: Option<Raw>,
    secondary_window: Option<Raw>,
}

#[derive(Deserialize)]
struct Raw {
    #[serde(default)]
    used_percent: f64,
    limit_window_seconds: Option<f64>,
    reset_after_seconds: Option<f64>,
    reset_at: Option<f64>,
}

/// Fetches the usage of the plan; `now` in Unix seconds.
///
/// # Errors
/// When no response arrives, the service rejects the request, or the response has an unexpected format.
pub fn fetch(
    http: &Http,
    endpoints: &Endpoints,
    authority: &Authority,
    now: u64,
) -> Result<PlanLimits, Error> {
    let signed = Signed {
        http,
        endpoints,
        authority,
    };
    let answer = signed.ask(&UnsignedRequest {
        place: RequestPath::SideService("/wham/usage"),
        headers: &common(http::JSON),
        body: None,
        limit: USAGE_TIMEOUT,
    });
    let answer = answer.map_err(Error::Unanswered)?;
    if answer.status() != 200 {
        return Err(Error::Unanswered(refused(authority, answer)));
    }
    let host = answer.host().to_owned();
    let failed = |error| Error::Unanswered(error::Error::Http(host, error));
    read(&answer.whole(MAX_BODY_BYTES).map_err(failed)?, now).ok_or(Error::Unreadable)
}

/// Parses the endpoint's response; `now` in Unix seconds. `None` if it has an unexpected format.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // seconds, and never below 0
fn read(body: &[u8], now: u64) -> Option<PlanLimits> {
    let body: UsageBody = serde_json::from_slice(body).ok()?;
    let window = |name, raw: Option<Raw>| {
        let raw = raw?;
        let at = raw.reset_at.map(|at| at.max(0.0) as u64);
        let after = raw
            .reset_after_seconds
            .map(|after| now.saturating_add(after.max(0.0) as u64));
        Some(PlanWindow {
            name,
            used: raw.used_percent.clamp(0.0, 1000.0),
            seconds: raw.limit_window_seconds.unwrap_or_default().max(0.0) as u64,
            resets_at: at.filter(|at| *at > 0).or(after),
        })
    };
    let (reached, windows) = match body.rate_limit {
        None => (false, Vec::new()),
        Some(rate) => (
            rate.limit_reached,
            [
                window("primary", rate.primary_window),
                window("secondary", rate.secondary_window),
            ]
            .into_iter()
            .flatten()
            .collect(),
        ),
    };
    Some(PlanLimits {
        plan: body.plan_type,
        reached,
        windows,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_fields_stay_absent() {
        let body = br#"{"plan_type":"plus","rate_limit":{"allowed":true,"limit_reached":false,
            "primary_window":{"used_percent":12.5,"limit_window_seconds":18000,"reset_after_seconds":60,"reset_at":2000},
            "secondary_window":{"used_percent":40,"reset_after_seconds":60}},"credits":null}"#;
        let limits = read(body, 1000).expect("limits");
        assert_eq!(
            (limits.plan.as_deref(), limits.reached),
            (Some("plus"), false)
        );
        let window = |name, used, seconds, at| PlanWindow {
            name,
            used,
            seconds,
            resets_at: Some(at),
        };
        assert_eq!(
            limits.windows,
            [
                window("primary", 12.5, 18000, 2000),
                window("secondary", 40.0, 0, 1060)
            ]
        );
        assert_eq!(read(b"{}", 0), Some(PlanLimits::default()));
        assert!(read(br#"{"rate_limit":{"secondary_window":null}}"#, 0).is_some());
        assert_eq!(read(b"<html>", 0), None);
    }
}
