//! `codex status --check`: looks at what a run needs besides the credential, without a request to a model.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{Access, access, statvfs};
use serde_json::{Value, json};

use super::run::{self, RunSettings};
use super::{SignInSource, authority};
use crate::api::Endpoints;
use crate::api::models::probe;
use crate::auth::critical_section::Critical;
use crate::auth::{FoundCredential, choose};
use crate::clock::seconds;
use crate::failure::{self, Failure, Used};
use crate::http::{self, BaseUrl, Http, HttpSetup, IDLE_TIMEOUT, Network};
use crate::models::Backend;
use crate::tools::sandbox::confine;

/// How long the service may take to answer.
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);

/// The difference between two clocks that does no harm.
const MAX_CLOCK_DIFFERENCE: Duration = Duration::from_secs(120);

/// What to check.
#[derive(Debug)]
pub struct CheckSettings {
    /// The settings of a run without flags, or why it would not start.
    pub run: Result<Box<RunSettings>, Failure>,
    /// The home of codex-run, if there is one.
    pub home: Option<PathBuf>,
    /// The backends of the credential.
    pub endpoints: Endpoints,
    /// The backend of the credential.
    pub backend: Backend,
}

impl CheckSettings {
    /// Whether a run asks a server in `models.json`, which has a credential of its own.
    pub(super) fn is_for_server(&self) -> bool {
        let run = self.run.as_ref();
        run.is_ok_and(|run| run.choice.provider.is_some())
    }
}

/// What was found.
#[derive(Debug)]
pub(super) struct CheckItem {
    /// Its name in JSON.
    pub(super) name: &'static str,
    /// Its name for people.
    pub(super) label: &'static str,
    pub(super) state: CheckState,
    /// What was found, or what is wrong.
    pub(super) detail: String,
    /// What to do.
    pub(super) hint: Option<String>,
}

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CheckState {
    Fine,
    /// A run works without it.
    Noted,
    /// A run would end with this exit code.
    Failed(u8),
    /// It could not be checked.
    Skipped,
}

impl CheckItem {
    fn new(name: &'static str, state: CheckState, detail: impl Into<String>) -> Self {
        Self {
            name,
            label: if name == "certificates" {
                "TLS roots"
            } else {
                name
            },
            state,
            detail: detail.into(),
            hint: None,
        }
    }

    fn hint(mut self, hint: &str) -> Self {
        self.hint = Some(hint.to_owned());
        self
    }

    fn failed(name: &'static str, failure: &Failure) -> Self {
        let state = CheckState::Failed(failure.outcome().exit_code());
        let item = Self::new(name, state, failure.what());
        match failure.advice() {
            Some(hint) => item.hint(hint),
            None => item,
        }
    }

    /// The line for people, behind its label.
    pub(super) fn line(&self) -> String {
        let detail = &self.detail;
        let words = match self.state {
            CheckState::Fine => format!("ok: {detail}"),
            CheckState::Noted => format!("note: {detail}"),
            CheckState::Failed(code) => format!("problem (exit {code}): {detail}"),
            CheckState::Skipped => format!("not checked: {detail}"),
        };
        match &self.hint {
            Some(hint) => format!("{words}; {hint}"),
            None => words,
        }
    }

    pub(super) fn json(&self) -> Value {
        let (state, code) = match self.state {
            CheckState::Fine => ("ok", None),
            CheckState::Noted => ("note", None),
            CheckState::Failed(code) => ("problem", Some(code)),
            CheckState::Skipped => ("skipped", None),
        };
        let mut json = json!({"name": self.name, "state": state, "detail": self.detail});
        if let Some(hint) = &self.hint {
            json["hint"] = hint.as_str().into();
        }
        if let Some(code) = code {
            json["exit_code"] = code.into();
        }
        json
    }
}

/// The items, and what would end a run.
#[derive(Debug, Default)]
pub(super) struct Checked {
    pub(super) items: Vec<CheckItem>,
    /// A run would not get as far as to look at its credential.
    pub(super) settings: Option<Failure>,
    /// The first of the others, in the order in which a run meets them.
    pub(super) other: Option<Failure>,
}

impl Checked {
    fn add(&mut self, item: CheckItem) {
        self.items.push(item);
    }

    fn fail(&mut self, name: &'static str, failure: Failure) {
        self.add(CheckItem::failed(name, &failure));
        self.other.get_or_insert(failure);
    }
}

/// Checks everything. The service is asked if there is a credential that can be used, among those `found` unless a run finds
/// others.
pub(super) fn check(
    (found, sign_in_source): (&[FoundCredential], &Option<SignInSource>),
    setup: &HttpSetup,
    check: CheckSettings,
    has_credential: bool,
    critical: &Critical,
) -> Checked {
    let mut checked = Checked::default();
    let CheckSettings {
        run,
        home,
        endpoints,
        backend,
    } = check;
    let run = match run {
        Ok(run) => {
            let detail = "config.json, models.json and the variables are valid";
            checked.add(CheckItem::new("settings", CheckState::Fine, detail));
            Some(run)
        }
        Err(failure) => {
            checked.add(CheckItem::failed("settings", &failure));
            checked.settings = Some(failure);
            None
        }
    };
    checked.add(of_home(home.as_deref()));
    match run.as_deref() {
        Some(run) => check_sandbox(run, &mut checked),
        None => checked.add(CheckItem::new(
            "sandbox",
            CheckState::Skipped,
            "see settings",
        )),
    }
    let (found, source, endpoints, backend) = match run.as_deref() {
        Some(run) => (
            &run.found[..],
            &run.sign_in_source,
            &run.endpoints,
            run.choice.backend,
        ),
        None => (found, sign_in_source, &endpoints, backend),
    };
    let address = match backend {
        Backend::Subscription => &endpoints.subscription,
        Backend::Api | Backend::Other => &endpoints.api,
    };
    check_network(&setup.network, address, &mut checked);
    let skipped = |name| CheckItem::new(name, CheckState::Skipped, "there is no usable credential");
    let authority = match choose(found) {
        Ok(chosen) if has_credential => authority(chosen, source.clone(), setup, critical),
        Err(error) if has_credential => {
            checked.other.get_or_insert(failure::of_credential(&error));
            None
        }
        _ => None,
    };
    let Some(authority) = authority else {
        checked.add(skipped("service"));
        checked.add(skipped("clock"));
        return checked;
    };
    let host = http::host(address.as_str());
    let begun = Instant::now();
    let http = Http::new(setup, IDLE_TIMEOUT);
    let answer = probe(&http, endpoints, &authority, PROBE_TIMEOUT);
    let took = begun.elapsed().as_millis();
    let mut date = None;
    let error = match answer {
        Ok(answer) => {
            date = answer.date;
            // Another server may have no list of models. That it answers is enough.
            let has_list = backend != Backend::Other || !matches!(answer.status, 404 | 405 | 501);
            answer.refused.filter(|_| has_list)
        }
        Err(error) => Some(error),
    };
    if let Some(error) = error {
        let store = source.as_ref().map(|source| &source.store);
        let used = Used::of(found, store, Some(host));
        checked.fail("service", failure::of_api(&error, used.as_ref()));
    } else {
        let detail = format!("{host} answered in {took} ms");
        checked.add(CheckItem::new("service", CheckState::Fine, detail));
    }
    checked.add(of_clock(date, seconds()));
    checked
}

fn check_sandbox(run: &RunSettings, checked: &mut Checked) {
    let Some(policy) = &run.tools.policy else {
        let detail = "tools are not confined (danger-full-access)";
        return checked.add(CheckItem::new("sandbox", CheckState::Noted, detail));
    };
    match confine::check(policy) {
        Ok(()) => {
            let mode = if policy.write {
                "workspace-write"
            } else {
                "read-only"
            };
            let detail = format!("tools can be confined ({mode})");
            checked.add(CheckItem::new("sandbox", CheckState::Fine, detail));
        }
        Err(error) => checked.fail("sandbox", run::Error::Sandbox(error).failure(None)),
    }
}

/// The proxy and the trusted roots for this address.
fn check_network(network: &Network, address: &BaseUrl, checked: &mut Checked) {
    let unusable = |error| failure::of_http_setup(&http::Error::Setup(error));
    match network.proxy_for(address) {
        Ok(proxy) => {
            let detail = proxy.unwrap_or_else(|| "none".to_owned());
            checked.add(CheckItem::new("proxy", CheckState::Fine, detail));
        }
        Err(error) => checked.fail("proxy", unusable(error)),
    }
    match network.roots_for(address) {
        Ok(Some(roots)) => checked.add(CheckItem::new("certificates", CheckState::Fine, roots)),
        Ok(None) => {
            let detail = "the service is on this machine, without TLS";
            checked.add(CheckItem::new("certificates", CheckState::Fine, detail));
        }
        Err(error) => checked.fail("certificates", unusable(error)),
    }
}

/// Whether conversations and a renewed sign-in can be stored.
fn of_home(home: Option<&Path>) -> CheckItem {
    const NAME: &str = "home";
    const HINT: &str = "runs still work, but store no conversation and no renewed sign-in";
    let noted = |detail: String| CheckItem::new(NAME, CheckState::Noted, detail).hint(HINT);
    let Some(home) = home else {
        return noted("there is none that can be accessed".to_owned());
    };
    let shown = home.display();
    // A home that is not there yet is made in the nearest directory that is.
    let Some(place) = home.ancestors().find(|place| place.exists()) else {
        return noted(format!("{shown} cannot be created"));
    };
    let writable = access(place, Access::WRITE_OK | Access::EXEC_OK);
    if let Err(error) = writable {
        return noted(format!(
            "cannot write to {}: {}",
            place.display(),
            io::Error::from(error)
        ));
    }
    if statvfs(place).is_ok_and(|disk| disk.f_blocks > 0 && disk.f_bavail == 0) {
        return noted(format!("there is no space left for {shown}"));
    }
    let detail = if place == home {
        format!("{shown} is writable")
    } else {
        format!("{shown} will be created when needed")
    };
    CheckItem::new(NAME, CheckState::Fine, detail)
}

/// Compares the service's clock with this machine's; both in Unix seconds.
fn of_clock(service: Option<u64>, now: u64) -> CheckItem {
    const NAME: &str = "clock";
    let Some(service) = service else {
        return CheckItem::new(
            NAME,
            CheckState::Skipped,
            "the service did not report its time",
        );
    };
    let difference = service.abs_diff(now);
    if difference <= MAX_CLOCK_DIFFERENCE.as_secs() {
        return CheckItem::new(NAME, CheckState::Fine, "it agrees with the service's");
    }
    let direction = if now < service { "behind" } else { "ahead of" };
    let amount = match (
        difference / 86_400,
        difference / 3600 % 24,
        difference / 60 % 60,
    ) {
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    };
    let detail = format!("it is {amount} {direction} the service's");
    CheckItem::new(NAME, CheckState::Noted, detail)
        .hint("set it: sign-ins and certificates expire by this machine's clock")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_wrong_is_noted() {
        let check = |service: Option<u64>, expected: &str| {
            assert!(
                of_clock(service, 1_000_000).line().starts_with(expected),
                "{expected}"
            );
        };
        check(None, "not checked: ");
        check(Some(1_000_120), "ok: it agrees with the service's");
        check(Some(999_880), "ok: ");
        check(
            Some(1_000_121),
            "note: it is 2 min behind the service's; set it",
        );
        check(
            Some(1_000_000 - 7_260),
            "note: it is 2 h 1 min ahead of the service's",
        );
        check(Some(1_000_000 + 90_000), "note: it is 1 d 1 h behind");
    }

    #[test]
    fn an_item_has_a_line_and_an_object() {
        let item = CheckItem::failed("certificates", &Failure::usage("wrong").hint("fix it"));
        assert_eq!(item.label, "TLS roots");
        assert_eq!(item.line(), "problem (exit 2): wrong; fix it");
        let expected = json!({"name": "certificates", "state": "problem", "detail": "wrong",
            "hint": "fix it", "exit_code": 2});
        assert_eq!(item.json(), expected);
        let home = of_home(Some(Path::new("/nonexistent-home/x")));
        assert!(matches!(home.state, CheckState::Fine | CheckState::Noted));
        assert_eq!(of_home(None).state, CheckState::Noted);
    }
}
