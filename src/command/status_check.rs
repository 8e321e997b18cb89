//! `codex status --check`: looks at what a run needs besides the credential, without a request to a model.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{Access, access, statvfs};

use super::check_item::{CheckItem, CheckState};
use super::run::{self, RunSettings};
use super::time_limit::{NoResult, within};
use super::{SignInSource, authority, warn};
use crate::api::Endpoints;
use crate::api::models::probe;
use crate::auth::critical_section::{Critical, MAX_DELAY};
use crate::auth::{FoundCredential, choose};
use crate::clock::seconds;
use crate::failure::{self, Failure, Stop, Used};
use crate::http::{self, BaseUrl, Http, HttpSetup, IDLE_TIMEOUT, Network};
use crate::models::Backend;
use crate::outcome::Outcome;
use crate::tools::sandbox::confine;

/// The time limit for the answer of the service.
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long each item may take: a file may be a pipe that does not end, and a request may renew the sign-in first.
const ITEM_TIMEOUT: Duration = Duration::from_secs(15);

/// The largest difference between two clocks that does no harm.
const MAX_CLOCK_DIFFERENCE: Duration = Duration::from_secs(120);

/// Reads the settings of a run without flags; the error is why it would not start.
pub type ReadRunSettings = dyn FnOnce() -> Result<Box<RunSettings>, Failure> + Send;

/// What to check.
pub struct CheckSettings {
    /// The settings of a run without flags.
    pub run: Box<ReadRunSettings>,
    /// The home of codex-run, if there is one.
    pub home: Option<PathBuf>,
    /// The backends of the credential.
    pub endpoints: Endpoints,
    /// The backend of the credential.
    pub backend: Backend,
}

impl fmt::Debug for CheckSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckSettings")
            .field("home", &self.home)
            .field("endpoints", &self.endpoints)
            .finish_non_exhaustive()
    }
}

/// The items, and what would end a run.
pub(super) struct Checked<'a> {
    pub(super) items: Vec<CheckItem>,
    /// A run asks a server in `models.json`, which has a credential of its own.
    pub(super) is_for_server: bool,
    /// A run would not get as far as to look at its credential.
    pub(super) settings: Option<Failure>,
    /// The first of the others, in the order in which a run meets them.
    pub(super) other: Option<Failure>,
    /// Takes each item as it is found.
    report: &'a mut dyn FnMut(&CheckItem),
}

impl Checked<'_> {
    fn add(&mut self, item: CheckItem) {
        (self.report)(&item);
        self.items.push(item);
    }

    fn fail(&mut self, name: &'static str, failure: Failure) {
        self.add(CheckItem::failed(name, &failure));
        self.other.get_or_insert(failure);
    }

    fn skip(&mut self, name: &'static str, why: &str) {
        self.add(CheckItem::new(name, CheckState::Skipped, why));
    }
}

/// The result of an item within its time limit; otherwise the failure, which is `late` if the limit has passed.
fn in_time<T: Send + 'static>(
    late: Failure,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    within(ITEM_TIMEOUT, work).map_err(|error| match error {
        NoResult::Late => late,
        NoResult::Thread(error) => failure::of_thread(&error),
        NoResult::Panicked => failure::of_stop(&Stop::Panicked, None),
    })
}

/// The failure of an item that took too long.
fn late(outcome: Outcome, what: &str, hint: &str) -> Failure {
    let limit = ITEM_TIMEOUT.as_secs();
    Failure::new(outcome, format!("{what} within {limit} s")).hint(hint)
}

/// Checks everything. The service is asked if there is a credential that can be used, among those `found` unless a run finds
/// others. Each item is reported as it is found.
pub(super) fn check<'a>(
    (found, sign_in_source): (&[FoundCredential], &Option<SignInSource>),
    setup: &HttpSetup,
    check: CheckSettings,
    has_credential: bool,
    critical: &Critical,
    report: &'a mut dyn FnMut(&CheckItem),
) -> Checked<'a> {
    let mut checked = Checked {
        items: Vec::new(),
        is_for_server: false,
        settings: None,
        other: None,
        report,
    };
    let CheckSettings {
        run,
        home,
        endpoints,
        backend,
    } = check;
    let run = check_settings(run, &mut checked);
    checked.is_for_server = run
        .as_ref()
        .is_some_and(|run| run.choice.provider.is_some());
    check_home(home, &mut checked);
    match run.as_deref() {
        Some(run) => check_sandbox(run, &mut checked),
        None => checked.skip("sandbox", "see settings"),
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
    let has_roots = check_network(&setup.network, address, &mut checked);
    let has_credential = has_credential || checked.is_for_server;
    let authority = match choose(found) {
        Ok(chosen) if has_credential => authority(chosen, source.clone(), setup, critical),
        Err(error) if has_credential => {
            checked.other.get_or_insert(failure::of_credential(&error));
            None
        }
        _ => None,
    };
    let why = match &authority {
        None => Some("there is no usable credential"),
        Some(_) if !has_roots => Some("see TLS roots"),
        Some(_) => None,
    };
    if let Some(why) = why {
        checked.skip("service", why);
        checked.skip("clock", why);
    }
    let (Some(authority), None) = (authority, why) else {
        return checked;
    };
    let host = http::host(address.as_str());
    let begun = Instant::now();
    let (setup, asked) = (setup.clone(), endpoints.clone());
    let what = format!("{host}, or the issuer of the sign-in, did not answer");
    let hint = "check the network, or try again later";
    let answer = in_time(late(Outcome::Unreachable, &what, hint), move || {
        let http = Http::new(&setup, IDLE_TIMEOUT);
        probe(&http, &asked, &authority, PROBE_TIMEOUT)
    });
    let took = begun.elapsed().as_millis();
    let mut date = None;
    let failure = match answer {
        Ok(Ok(answer)) => {
            date = answer.date;
            // Another server may have no list of models. That it answers is enough.
            let has_list = backend != Backend::Other || !matches!(answer.status, 404 | 405 | 501);
            answer.refused.filter(|_| has_list).map(Ok)
        }
        Ok(Err(error)) => Some(Ok(error)),
        Err(failure) => Some(Err(failure)),
    };
    match failure {
        Some(Ok(error)) => {
            let store = source.as_ref().map(|source| &source.store);
            let used = Used::of(found, store, Some(host));
            checked.fail("service", failure::of_api(&error, used.as_ref()));
        }
        Some(Err(failure)) => checked.fail("service", failure),
        None => {
            let detail = format!("{host} answered in {took} ms");
            checked.add(CheckItem::new("service", CheckState::Fine, detail));
        }
    }
    checked.add(of_clock(date, seconds()));
    // An exit now would lose the sign-in.
    if !critical.close(Duration::ZERO) {
        warn("the sign-in is being renewed; waiting for its end, at most 130 s");
        let _ = critical.close(MAX_DELAY);
    }
    checked
}

fn check_settings(
    run: Box<ReadRunSettings>,
    checked: &mut Checked<'_>,
) -> Option<Box<RunSettings>> {
    let hint = "a run waits for a file that they name, such as a pipe: name a regular file";
    let late = late(Outcome::Usage, "the settings could not be read", hint);
    match in_time(late, run).and_then(|run| run) {
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
    }
}

fn check_home(home: Option<PathBuf>, checked: &mut Checked<'_>) {
    let hint = "check the file system of the home";
    let late = late(Outcome::Io, "the home could not be examined", hint);
    match in_time(late, move || of_home(home.as_deref())) {
        Ok(item) => checked.add(item),
        Err(failure) => checked.fail("home", failure),
    }
}

fn check_sandbox(run: &RunSettings, checked: &mut Checked<'_>) {
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

/// The proxy and the trusted roots for this address. Returns whether the roots could be read.
fn check_network(network: &Network, address: &BaseUrl, checked: &mut Checked<'_>) -> bool {
    let unusable = |error| failure::of_http_setup(&http::Error::Setup(error));
    match network.proxy_for(address) {
        Ok(proxy) => {
            let detail = proxy.unwrap_or_else(|| "none".to_owned());
            checked.add(CheckItem::new("proxy", CheckState::Fine, detail));
        }
        Err(error) => checked.fail("proxy", unusable(error)),
    }
    let hint = "CODEX_CA_CERTIFICATE or SSL_CERT_FILE must name a regular file";
    let late = late(Outcome::Usage, "the certificates could not be read", hint);
    let (network, address) = (network.clone(), address.clone());
    match in_time(late, move || network.roots_for(&address)) {
        Ok(Ok(roots)) => {
            let local = || "the service is on this machine, without TLS".to_owned();
            let detail = roots.unwrap_or_else(local);
            checked.add(CheckItem::new("certificates", CheckState::Fine, detail));
            true
        }
        Ok(Err(error)) => {
            checked.fail("certificates", unusable(error));
            true
        }
        Err(failure) => {
            checked.fail("certificates", failure);
            false
        }
    }
}

/// Whether conversations and a renewed sign-in can be stored.
fn of_home(home: Option<&Path>) -> CheckItem {
    const NAME: &str = "home";
    const HINT: &str = "runs still work, but store no conversation and no renewed sign-in";
    let noted = |detail: String| CheckItem::new(NAME, CheckState::Noted, detail).hint(HINT);
    let Some(home) = home else {
        return noted("no home directory can be accessed".to_owned());
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
    fn a_home_that_cannot_be_made_is_a_note() {
        let home = of_home(Some(Path::new("/nonexistent-home/x")));
        assert!(matches!(home.state, CheckState::Fine | CheckState::Noted));
        assert_eq!(of_home(None).state, CheckState::Noted);
    }
}
