//! The head of an error response: status and relevant headers. An error event in a stream may carry such headers too,
//! in its JSON.

use std::time::Duration;

use serde_json::Value;

use super::cause::Cause;
use super::delay;
use super::resets::{Resets, number};
use super::text::{decoded, shown};

/// Headers relevant to errors, apart from those of the limits.
const NAMES: &[&str] = &[
    "x-request-id",
    "x-oai-request-id",
    "cf-ray",
    "server",
    "location",
    "retry-after-ms",
    "retry-after",
    "x-should-retry",
    "x-openai-authorization-error",
    "x-error-json",
    "x-codex-plan-type",
    "x-codex-limit-name",
    "x-codex-rate-limit-reached-type",
    ACTIVE,
];

/// The header that names the active limit. A named limit has a separate family of headers.
const ACTIVE: &str = "x-codex-active-limit";

/// The header family that is always present.
const COMMON: &str = "x-codex";

/// The two windows of a limit.
const WINDOWS: [&str; 2] = ["primary", "secondary"];

/// The fields of a window.
const FIELDS: [&str; 4] = [USED, AT, AFTER, MINUTES];
const USED: &str = "used-percent";
const AT: &str = "reset-at";
const AFTER: &str = "reset-after-seconds";
const MINUTES: &str = "window-minutes";

/// A usage window of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct RateWindow {
    /// `primary` or `secondary`, after the name of the limit if it has one.
    pub name: String,
    /// The used share, in percent.
    pub used: f64,
    /// The length, in minutes.
    pub minutes: Option<u64>,
    /// When the window resets, in Unix seconds.
    pub resets_at: Option<u64>,
}

/// The status, and the headers relevant to errors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FaultHead {
    pub(super) status: Option<u16>,
    headers: Vec<(String, String)>,
}

impl FaultHead {
    /// Collects the relevant headers; `header` returns one by its lower-case name.
    #[must_use]
    pub fn read(status: u16, header: impl Fn(&str) -> Option<String>) -> Self {
        let mut head = Self {
            status: Some(status),
            headers: Vec::new(),
        };
        head.take(&header);
        head
    }

    /// Collects the relevant headers of an error event.
    pub(super) fn in_event(json: &Value) -> Self {
        let mut head = Self::default();
        if let Value::Object(headers) = &json["headers"] {
            head.take(&|name| {
                let (_, value) = headers
                    .iter()
                    .find(|(key, _)| key.eq_ignore_ascii_case(name))?;
                match value {
                    Value::String(text) => Some(text.clone()),
                    Value::Number(number) => Some(number.to_string()),
                    Value::Bool(yes) => Some(yes.to_string()),
                    _ => None,
                }
            });
        }
        head
    }

    fn take(&mut self, header: &dyn Fn(&str) -> Option<String>) {
        let mut take = |name: String| {
            if let Some(value) = header(&name) {
                self.headers.push((name, value));
            }
        };
        for name in NAMES {
            take((*name).to_owned());
        }
        let families = [Some(COMMON.to_owned()), header(ACTIVE).and_then(family)];
        for family in families.into_iter().flatten() {
            for window in WINDOWS {
                for field in FIELDS {
                    take(format!("{family}-{window}-{field}"));
                }
            }
        }
    }

    #[cfg(test)]
    pub(super) fn of(status: u16, headers: &[(&str, &str)]) -> Self {
        let find = |name: &str| headers.iter().find(|(key, _)| *key == name);
        Self::read(status, |name| {
            find(name).map(|(_, value)| (*value).to_owned())
        })
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(key, _)| key == name)?;
        Some(value)
    }

    /// A header for display: on one line, at most `most` bytes.
    pub(super) fn shown(&self, name: &str, most: usize) -> Option<String> {
        shown(self.get(name)?, most)
    }

    /// The retry delay that the service requests; `now` in Unix seconds.
    #[must_use]
    pub fn retry_after(&self, now: u64) -> Option<Duration> {
        delay::requested(|name| self.get(name), "", Some(now))
    }

    /// The service's request id, for bug reports.
    pub(super) fn request_id(&self) -> Option<String> {
        self.shown("x-request-id", 200)
            .or_else(|| self.shown("x-oai-request-id", 200))
    }

    /// The error in a header, as JSON in base64.
    pub(super) fn error_json(&self) -> Option<Value> {
        serde_json::from_slice(&decoded(self.get("x-error-json")?)?).ok()
    }

    /// Whether the service forbids a retry.
    pub(super) fn forbids_retry(&self) -> bool {
        self.get("x-should-retry")
            .is_some_and(|value| value.trim().eq_ignore_ascii_case("false"))
    }

    /// Whether the response came from or through Cloudflare.
    pub(super) fn is_from_cloudflare(&self) -> bool {
        let server = self.get("server").unwrap_or_default();
        server.to_ascii_lowercase().contains("cloudflare")
    }

    /// The usage limit reached, if a header names it or a window is exhausted.
    pub(super) fn reached(&self) -> Option<Cause> {
        self.reached_kind()
            .or_else(|| self.used_up().next().map(|_| Cause::Window))
    }

    /// The usage limit reached, if a header names it.
    pub(super) fn reached_kind(&self) -> Option<Cause> {
        Cause::from_reached_header(self.get("x-codex-rate-limit-reached-type")?.trim())
    }

    /// When the exhausted windows reset: the latest of them.
    pub(super) fn resets(&self) -> Option<Resets> {
        let latest = |field: &str| {
            self.used_up()
                .filter_map(|window| number(&Value::from(self.get(&format!("{window}-{field}"))?)))
                .max()
        };
        latest(AT)
            .map(Resets::At)
            .or_else(|| latest(AFTER).map(Resets::After))
    }

    /// The usage windows in the headers; `now` in Unix seconds.
    #[must_use]
    pub fn limits(&self, now: u64) -> Vec<RateWindow> {
        let field = |window: &str, field: &str| {
            number(&Value::from(self.get(&format!("{window}-{field}"))?))
        };
        let windows = self.headers.iter().filter_map(|(name, value)| {
            let window = name.strip_suffix(USED)?.strip_suffix('-')?;
            let used: f64 = value
                .trim()
                .parse()
                .ok()
                .filter(|used: &f64| used.is_finite())?;
            let (minutes, at) = (field(window, MINUTES), field(window, AT));
            let after = field(window, AFTER).map(|after| now.saturating_add(after));
            // A window without any data is skipped.
            let has_data = used > 0.0 || minutes.is_some_and(|minutes| minutes > 0) || at.is_some();
            let name = window
                .strip_prefix("x-codex-")
                .or(window.strip_prefix("x-"))?;
            has_data.then(|| RateWindow {
                name: name.to_owned(),
                used,
                minutes,
                resets_at: at.or(after),
            })
        });
        windows.collect()
    }

    /// The header prefixes of the exhausted windows.
    fn used_up(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().filter_map(|(name, value)| {
            let window = name.strip_suffix(USED)?.strip_suffix('-')?;
            let used: f64 = value.trim().parse().ok()?;
            (used >= 100.0).then_some(window)
        })
    }
}

/// The header prefix of a limit, if it is not the common one and its name is valid in a header name.
fn family(limit: String) -> Option<String> {
    let family = format!("x-{}", limit.trim().to_ascii_lowercase().replace('_', "-"));
    let usable = family.len() < 64
        && family
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    (usable && family != COMMON).then_some(family)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(headers: &[(&str, &str)], expected: Option<Resets>) {
        assert_eq!(
            FaultHead::of(429, headers).resets(),
            expected,
            "{headers:?}"
        );
    }

    #[test]
    fn an_exhausted_window_has_its_reset_time() {
        let (primary, secondary) = (
            ("x-codex-primary-reset-at", "1000"),
            ("x-codex-secondary-reset-at", "2000"),
        );
        let used = |primary, secondary| {
            [
                ("x-codex-primary-used-percent", primary),
                ("x-codex-secondary-used-percent", secondary),
            ]
        };
        let all = |used: [(&'static str, &'static str); 2]| [used[0], used[1], primary, secondary];
        check(&all(used("100", "80")), Some(Resets::At(1000)));
        check(&all(used("99.9", "100.0")), Some(Resets::At(2000)));
        check(&all(used("101", "100")), Some(Resets::At(2000)));
        check(&all(used("80", "80")), None);
        check(&all(used("NaN", "much")), None);
        check(&[primary, secondary], None);
        let after = ("x-codex-primary-reset-after-seconds", "60");
        check(&[used("100", "")[0], after], Some(Resets::After(60)));
        let absurd = ("x-codex-primary-reset-at", "-1");
        check(&[used("100", "")[0], absurd], None);
    }

    #[test]
    fn a_named_limit_has_separate_headers() {
        let headers = [
            ("x-codex-active-limit", "codex_other"),
            ("x-codex-primary-used-percent", "10"),
            ("x-codex-primary-reset-at", "1000"),
            ("x-codex-other-primary-used-percent", "100"),
            ("x-codex-other-primary-reset-at", "3000"),
        ];
        check(&headers, Some(Resets::At(3000)));
        let strange = [("x-codex-active-limit", "a b\u{7}")];
        check(&strange, None);
    }

    #[test]
    fn an_event_carries_headers_in_any_case() {
        let event = serde_json::json!({"headers": {"X-Codex-Primary-Used-Percent": "100",
            "X-Codex-Primary-Reset-At": 1000, "X-Request-Id": "r\u{1b}1", "Retry-After": null}});
        let head = FaultHead::in_event(&event);
        assert_eq!(head.resets(), Some(Resets::At(1000)));
        assert_eq!(head.request_id().as_deref(), Some("r^[1"));
        assert_eq!(head.get("retry-after"), None);
        assert_eq!(
            FaultHead::in_event(&serde_json::json!({"headers": 1})),
            FaultHead::default()
        );
    }
}
