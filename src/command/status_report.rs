//! What `codex status` prints: lines for people, JSON for programs.

use serde_json::{Value, json};

use super::check_item::CheckItem;
use crate::api::usage::{PlanLimits, PlanWindow};
use crate::auth::access_token::Personal;
use crate::auth::identity::is_personal;
use crate::auth::token::claims;
use crate::auth::{FoundCredential, What};
use crate::clock::{from_now, local, seconds};
use crate::output::columns::wrap;
use crate::output::visible;

/// The credential in use.
#[derive(Default)]
pub(super) struct Report {
    method: Option<&'static str>,
    account: Option<String>,
    email: Option<String>,
    plan: Option<String>,
    pub(super) expires: Option<u64>,
    renewable: bool,
    /// It is an access token of a workspace.
    personal: bool,
    source: Option<String>,
    overridden: Vec<String>,
    pub(super) elsewhere: Vec<String>,
    /// Why it cannot be used.
    pub(super) problem: Option<String>,
    pub(super) limits: Option<PlanLimits>,
    /// What a run needs besides the credential.
    pub(super) checks: Vec<CheckItem>,
}

impl Report {
    pub(super) fn of(found: &[FoundCredential]) -> Self {
        let Some(first) = found.first() else {
            return Self::default();
        };
        let mut report = Self {
            source: Some(first.source.to_string()),
            overridden: found[1..]
                .iter()
                .map(|other| other.source.to_string())
                .collect(),
            ..Self::default()
        };
        match &first.what {
            What::Key(_) | What::NoKey | What::NotUsable(_) => report.method = Some("api_key"),
            What::Personal(personal) => report.add_personal(personal),
            What::Token(token) => {
                let claims = claims(token.expose().trim()).unwrap_or_default();
                report.method = Some("access_token");
                report.account = claims.account.map(|id| id.as_str().to_owned());
                (report.email, report.plan) = (claims.email, claims.plan);
                report.expires = claims.expires;
            }
            What::SignIn(Ok(signed_in)) => {
                report.method = Some(match signed_in.refresh {
                    Some(_) => "chatgpt",
                    None => "access_token",
                });
                report.account = Some(signed_in.account.as_str().to_owned());
                report.email.clone_from(&signed_in.email);
                report.plan.clone_from(&signed_in.plan);
                report.expires = signed_in.expires;
                report.renewable = signed_in.refresh.is_some();
                report.personal = is_personal(signed_in.access.expose());
            }
            What::SignIn(Err(_)) | What::NotOurs(_) => {}
        }
        report
    }

    /// Adds what is known about a workspace's access token.
    pub(super) fn add_personal(&mut self, personal: &Personal) {
        self.method = Some("access_token");
        self.personal = true;
        if let Some(identity) = personal.known() {
            self.account = Some(identity.account.as_str().to_owned());
            (self.email, self.plan) = (identity.email, identity.plan);
        }
    }

    /// As JSON, or as lines.
    pub(super) fn text(&self, json: bool, columns: Option<usize>) -> String {
        if json {
            format!("{}\n", self.json())
        } else {
            self.lines(seconds(), columns)
        }
    }

    fn json(&self) -> Value {
        let mut json = json!({
            "method": self.method,
            "account": self.account,
            "email": self.email,
            "plan": self.plan,
            "expires_at": self.expires,
            "source": self.source,
            "overridden": self.overridden,
        });
        if let Some(problem) = &self.problem {
            json["problem"] = problem.as_str().into();
        }
        if !self.elsewhere.is_empty() {
            json["elsewhere"] = self.elsewhere.clone().into();
        }
        if let Some(limits) = &self.limits {
            let window = |window: &PlanWindow| {
                json!({"name": window.name, "used_percent": window.used,
                    "window_seconds": window.seconds, "resets_at": window.resets_at})
            };
            json["limits"] = json!({
                "plan": limits.plan,
                "reached": limits.reached,
                "windows": limits.windows.iter().map(window).collect::<Vec<_>>(),
            });
        }
        if !self.checks.is_empty() {
            json["checks"] = self.checks.iter().map(CheckItem::json).collect();
        }
        json
    }

    fn lines(&self, now: u64, columns: Option<usize>) -> String {
        let mut lines = Vec::new();
        // An account, a plan or a path may contain any text, which must not look like further lines.
        let mut line = |name: &str, value: &str| {
            lines.push(row(name, value, columns));
        };
        match (self.method, &self.problem) {
            (None, Some(_)) if self.source.is_some() => {
                line("method", "none that codex-run can use");
            }
            (None, _) => line("method", "none: not signed in, and no API key is set"),
            (Some("chatgpt"), _) => line("method", "ChatGPT sign-in"),
            (Some("access_token"), _) if self.personal => {
                line("method", "ChatGPT access token of a workspace");
            }
            (Some("access_token"), _) => line("method", "ChatGPT access token"),
            (Some(_), _) => line("method", "API key"),
        }
        if let Some(account) = &self.account {
            match &self.email {
                Some(email) => line("account", &format!("{email} ({account})")),
                None => line("account", account),
            }
        }
        if let Some(plan) = &self.plan {
            line("plan", plan);
        }
        if let Some(expires) = self.expires {
            let renewal = match (expires > now, self.renewable, &self.problem) {
                (true, true, _) => "renewed automatically",
                (true, false, _) => "not renewed",
                (false, true, None) => "expired; renewed on next use",
                (false, ..) => "expired",
            };
            line(
                "expires",
                &format!("{} ({}; {renewal})", local(expires), from_now(expires, now)),
            );
        }
        if let Some(source) = &self.source {
            let why = if self.overridden.is_empty() {
                "the only credential".to_owned()
            } else {
                format!("takes precedence over {}", self.overridden.join(", "))
            };
            line("from", &format!("{source}: {why}"));
        }
        if let (Some(problem), Some(_)) = (&self.problem, &self.source) {
            line("problem", problem);
        }
        for file in &self.elsewhere {
            line(
                "found",
                &format!("{file}, of another program; --auth-file makes codex-run use it"),
            );
        }
        let limits = self.limits.as_ref();
        if limits.is_some_and(|limits| limits.reached) {
            line(
                "limit",
                "reached: no further requests until a window resets",
            );
        }
        for window in limits.map(|limits| &limits.windows[..]).unwrap_or_default() {
            line(&length(window), &bar(window, now, columns));
        }
        lines.push(String::new());
        lines.join("\n")
    }
}

/// A line of a check.
pub(super) fn item_line(item: &CheckItem, columns: Option<usize>) -> String {
    row(item.label, &item.line(), columns) + "\n"
}

/// A name and its value.
fn row(name: &str, value: &str, columns: Option<usize>) -> String {
    let (name, value) = (visible::line(name), visible::line(value));
    let line = format!("{name:<9} {value}");
    match columns {
        Some(columns) => wrap(&line, columns, VALUE_COLUMN),
        None => line,
    }
}

/// Where values begin.
const VALUE_COLUMN: usize = 10;

/// A window's name, by its length.
fn length(window: &PlanWindow) -> String {
    match window.seconds {
        0 => window.name.to_owned(),
        604_800 => "week".to_owned(),
        86_400 => "day".to_owned(),
        seconds if seconds % 86_400 == 0 => format!("{} days", seconds / 86_400),
        seconds if seconds % 3600 == 0 => format!("{} hours", seconds / 3600),
        seconds => format!("{} min", seconds / 60),
    }
}

/// How much of a window is used: a bar of twenty steps, or ten on a narrow terminal, the percentage, and when it resets.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss
)] // between 0 and 20
fn bar(window: &PlanWindow, now: u64, columns: Option<usize>) -> String {
    const MIN_WIDE_COLUMNS: usize = 90;
    const MIN_ONE_LINE_COLUMNS: usize = 60;
    let is_narrow = columns.is_some_and(|columns| columns < MIN_WIDE_COLUMNS);
    let all: usize = if is_narrow { 10 } else { 20 };
    let share = (window.used / 100.0).clamp(0.0, 1.0);
    let steps = (share * all as f64).round() as usize;
    let reset = window.resets_at.map_or(String::new(), |at| {
        let gap = match columns {
            // So wide that the line is broken there.
            Some(columns) if columns < MIN_ONE_LINE_COLUMNS => " ".repeat(columns),
            _ => "  ".to_owned(),
        };
        format!("{gap}resets {} ({})", local(at), from_now(at, now))
    });
    format!(
        "[{}{}] {:>5}%{reset}",
        "#".repeat(steps),
        ".".repeat(all - steps),
        (window.used * 10.0).round() / 10.0
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::CredentialSource;

    #[test]
    fn a_window_is_shown_as_a_bar() {
        let check = |used: f64, seconds: u64, at: u64, expected: &str| {
            let window = PlanWindow {
                name: "primary",
                used,
                seconds,
                resets_at: Some(at),
            };
            assert_eq!(
                format!("{}: {}", length(&window), bar(&window, 1000, None)),
                expected
            );
        };
        check(
            12.5,
            18_000,
            4_600,
            "5 hours: [###.................]  12.5%  resets 1970-01-01 01:16 UTC (in 1 h 0 min)",
        );
        check(
            100.0,
            604_800,
            1000 + 200_000,
            "week: [####################]   100%  resets 1970-01-03 07:50 UTC (in 2 d 7 h)",
        );
        check(
            0.4,
            0,
            990,
            "primary: [....................]   0.4%  resets 1970-01-01 00:16 UTC (10 s ago)",
        );
    }

    #[test]
    fn the_report_names_the_credential_in_use_and_why() {
        let found = |what: What, source| FoundCredential {
            what,
            source: CredentialSource::Variable(source),
        };
        let key = |source| {
            found(
                What::Key(crate::secret::Secret::new("sk-1".to_owned())),
                source,
            )
        };
        let report = Report::of(&[key("CODEX_API_KEY"), key("OPENAI_API_KEY")]);
        assert_eq!(
            report.lines(0, None),
            "method    API key\nfrom      CODEX_API_KEY: takes precedence over OPENAI_API_KEY\n"
        );
        assert_eq!(
            report.json().to_string(),
            r#"{"account":null,"email":null,"expires_at":null,"method":"api_key","overridden":["OPENAI_API_KEY"],"plan":null,"source":"CODEX_API_KEY"}"#
        );
        let nobody = Report {
            elsewhere: vec!["/home/ada/.codex/auth.json".to_owned()],
            ..Report::of(&[])
        };
        assert_eq!(
            nobody.lines(0, None),
            "method    none: not signed in, and no API key is set\n\
             found     /home/ada/.codex/auth.json, of another program; --auth-file makes codex-run use it\n"
        );
    }
}
