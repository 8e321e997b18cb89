//! `codex status`: which credential is used, why that one, and how long it lasts. It asks nobody, unless the
//! limits of the plan are wanted.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::stdout::Stdout;
use super::{Keeper, authority, warn};
use crate::api::usage::{Limits, Window};
use crate::api::{self, Client, Endpoints};
use crate::auth::critical::Critical;
use crate::auth::sign_in;
use crate::auth::token::{SignedIn, claims, date};
use crate::auth::{self, Authority, Found, What, choose};
use crate::http::Http;
use crate::id::ThreadId;

/// Everything that the command is told.
#[derive(Debug)]
pub struct Settings {
    /// The credentials that were found, in the order in which they count.
    pub found: Vec<Found>,
    /// Where a sign-in is kept.
    pub keeper: Option<Keeper>,
    /// What is to be told about the file.
    pub warnings: Vec<String>,
    /// Credentials files of other programs.
    pub elsewhere: Vec<PathBuf>,
    /// Where the two backends are.
    pub endpoints: Endpoints,
    /// As JSON.
    pub json: bool,
    /// With the limits of the plan.
    pub limits: bool,
    /// How this program names itself.
    pub user_agent: String,
}

/// Why there is no good answer.
#[derive(Debug)]
pub enum Error {
    /// Nobody is signed in. It was told on standard output already.
    NotSignedIn(auth::Error),
    /// The sign-in has ended and cannot be renewed. That was told already too.
    Ended(sign_in::Error),
    /// The limits cannot be had.
    Limits(api::Error),
    /// Standard output cannot be written.
    Output(io::Error),
}

/// What is used.
#[derive(Default)]
struct Report {
    method: Option<&'static str>,
    account: Option<String>,
    email: Option<String>,
    plan: Option<String>,
    expires: Option<u64>,
    renewable: bool,
    source: Option<String>,
    overridden: Vec<String>,
    elsewhere: Vec<String>,
    /// Why it is of no use.
    problem: Option<String>,
}

/// Tells which credential is used.
///
/// # Errors
/// When none can be used, or the limits cannot be had.
pub fn run(settings: Settings, critical: &Critical) -> Result<(), Error> {
    for warning in &settings.warnings {
        warn(warning);
    }
    let chosen = choose(&settings.found);
    let mut report = Report::of(&settings.found);
    let authority = match chosen {
        Err(error) => {
            report.problem = Some(error.to_string());
            let files = settings.elsewhere.iter();
            report.elsewhere = files.map(|file| file.display().to_string()).collect();
            report.print(None, settings.json).map_err(Error::Output)?;
            return Err(Error::NotSignedIn(error));
        }
        Ok(chosen) => authority(
            chosen,
            settings.keeper.clone(),
            &settings.user_agent,
            critical,
        ),
    };
    if let Some(Authority::SignIn(sign_in)) = &authority
        && let Err(error) = sign_in.check()
    {
        report.problem = Some(error.to_string());
        report.print(None, settings.json).map_err(Error::Output)?;
        return Err(Error::Ended(error));
    }
    if report.method == Some("access_token") && report.expires.is_some_and(|end| end <= now()) {
        report.problem = Some(sign_in::Error::Ended.to_string());
        report.print(None, settings.json).map_err(Error::Output)?;
        return Err(Error::Ended(sign_in::Error::Ended));
    }
    let limits = match authority {
        Some(authority) if settings.limits && authority.account().is_some() => {
            let http = Http::new(&settings.user_agent);
            let thread = ThreadId::new(0, [0; 10]);
            let client = Client::new(http, &settings.endpoints, authority, &thread);
            let limits = client.limits(now());
            for warning in client.authority().warnings() {
                warn(&warning.to_string());
            }
            Some(limits)
        }
        _ => None,
    };
    let (limits, error) = match limits {
        Some(Err(error)) => (None, Some(error)),
        Some(Ok(limits)) => (Some(limits), None),
        None => (None, None),
    };
    report
        .print(limits.as_ref(), settings.json)
        .map_err(Error::Output)?;
    if settings.limits && limits.is_none() && error.is_none() {
        warn("a key has no plan and so no limits that could be asked for");
    }
    error.map_or(Ok(()), |error| Err(Error::Limits(error)))
}

impl Report {
    fn of(found: &[Found]) -> Self {
        let Some(first) = found.first() else {
            return Self::default();
        };
        let mut report = Self {
            source: Some(first.source.clone()),
            overridden: found[1..]
                .iter()
                .map(|other| other.source.clone())
                .collect(),
            ..Self::default()
        };
        match &first.what {
            What::Key(_) => report.method = Some("api_key"),
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
            }
            What::SignIn(Err(_)) => {}
        }
        report
    }

    fn print(&self, limits: Option<&Limits>, json: bool) -> io::Result<()> {
        let text = if json {
            format!("{}\n", self.json(limits))
        } else {
            self.text(limits, now())
        };
        Stdout::open()?.write_all(text.as_bytes())
    }

    fn json(&self, limits: Option<&Limits>) -> Value {
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
        if let Some(limits) = limits {
            let window = |window: &Window| {
                json!({"name": window.name, "used_percent": window.used,
                    "window_seconds": window.seconds, "resets_at": window.resets_at})
            };
            json["limits"] = json!({
                "plan": limits.plan,
                "reached": limits.reached,
                "windows": limits.windows.iter().map(window).collect::<Vec<_>>(),
            });
        }
        json
    }

    fn text(&self, limits: Option<&Limits>, now: u64) -> String {
        let mut lines = Vec::new();
        let mut line = |name: &str, value: &str| lines.push(format!("{name:<9} {value}"));
        match (self.method, &self.problem) {
            (None, _) => line("method", "none: nobody is signed in, and no key is set"),
            (Some("chatgpt"), _) => line("method", "ChatGPT sign-in"),
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
            let then = match (expires > now, self.renewable, &self.problem) {
                (true, true, _) => "renewed by itself",
                (true, false, _) => "nothing renews it",
                (false, true, None) => "ended; renewed at the next use",
                (false, ..) => "ended",
            };
            line(
                "expires",
                &format!("{} ({}; {then})", date(expires), from_now(expires, now)),
            );
        }
        if let Some(source) = &self.source {
            let why = if self.overridden.is_empty() {
                "the only credential there is".to_owned()
            } else {
                format!("comes before {}", self.overridden.join(", "))
            };
            line("from", &format!("{source}: {why}"));
        }
        if let (Some(problem), Some(_)) = (&self.problem, &self.source) {
            line("problem", problem);
        }
        for file in &self.elsewhere {
            line(
                "found",
                &format!("{file}, of another program; --auth-file uses it in place"),
            );
        }
        for window in limits.map(|limits| &limits.windows[..]).unwrap_or_default() {
            line(&length(window), &bar(window, now));
        }
        lines.push(String::new());
        lines.join("\n")
    }
}

/// A window's name: its length, as people call it.
fn length(window: &Window) -> String {
    match window.seconds {
        0 => window.name.to_owned(),
        604_800 => "week".to_owned(),
        86_400 => "day".to_owned(),
        seconds if seconds % 86_400 == 0 => format!("{} days", seconds / 86_400),
        seconds if seconds % 3600 == 0 => format!("{} hours", seconds / 3600),
        seconds => format!("{} min", seconds / 60),
    }
}

/// How much of a window is used up: twenty steps, the percentage, and when it begins anew.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // between 0 and 20
fn bar(window: &Window, now: u64) -> String {
    let steps = (window.used / 5.0).round().clamp(0.0, 20.0) as usize;
    let reset = window.resets_at.map_or(String::new(), |at| {
        format!("  resets {} ({})", date(at), from_now(at, now))
    });
    format!(
        "[{}{}] {:>5}%{reset}",
        "#".repeat(steps),
        ".".repeat(20 - steps),
        (window.used * 10.0).round() / 10.0
    )
}

/// How far away a moment is, in the two largest units.
fn from_now(then: u64, now: u64) -> String {
    let seconds = then.abs_diff(now);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let span = match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, ..) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    };
    if then > now {
        format!("in {span}")
    } else {
        format!("{span} ago")
    }
}

/// Whose sign-in it is, in a few words.
pub(super) fn who(signed_in: &SignedIn) -> String {
    let name = match &signed_in.email {
        Some(email) => email.clone(),
        None => signed_in.account.as_str().to_owned(),
    };
    match &signed_in.plan {
        Some(plan) => format!("{name} ({plan})"),
        None => name,
    }
}

/// The time, in Unix seconds.
pub(super) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_shown_as_a_bar() {
        let check = |used: f64, seconds: u64, at: u64, expected: &str| {
            let window = Window {
                name: "primary",
                used,
                seconds,
                resets_at: Some(at),
            };
            assert_eq!(
                format!("{}: {}", length(&window), bar(&window, 1000)),
                expected
            );
        };
        check(
            12.5,
            18_000,
            4_600,
            "5 hours: [###.................]  12.5%  resets 1970-01-01T01:16:40Z (in 1 h 0 min)",
        );
        check(
            100.0,
            604_800,
            1000 + 200_000,
            "week: [####################]   100%  resets 1970-01-03T07:50:00Z (in 2 d 7 h)",
        );
        check(
            0.4,
            0,
            990,
            "primary: [....................]   0.4%  resets 1970-01-01T00:16:30Z (10 s ago)",
        );
    }

    #[test]
    fn it_says_which_credential_is_used_and_why() {
        let found = |what: What, source: &str| Found {
            what,
            source: source.to_owned(),
        };
        let key = |source| {
            found(
                What::Key(crate::secret::Secret::new("sk-1".to_owned())),
                source,
            )
        };
        let report = Report::of(&[key("CODEX_API_KEY"), key("OPENAI_API_KEY")]);
        assert_eq!(
            report.text(None, 0),
            "method    API key\nfrom      CODEX_API_KEY: comes before OPENAI_API_KEY\n"
        );
        assert_eq!(
            report.json(None).to_string(),
            r#"{"account":null,"email":null,"expires_at":null,"method":"api_key","overridden":["OPENAI_API_KEY"],"plan":null,"source":"CODEX_API_KEY"}"#
        );
        let nobody = Report {
            elsewhere: vec!["/home/ada/.codex/auth.json".to_owned()],
            ..Report::of(&[])
        };
        assert_eq!(
            nobody.text(None, 0),
            "method    none: nobody is signed in, and no key is set\n\
             found     /home/ada/.codex/auth.json, of another program; --auth-file uses it in place\n"
        );
    }
}
