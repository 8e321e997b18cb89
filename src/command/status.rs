//! `codex status`: which credential is used, why, and when it expires. It sends no request unless the limits of the plan, or a
//! check of everything, are requested.

use std::io;
use std::path::PathBuf;

use super::check_item::CheckItem;
use super::status_check::check;
pub use super::status_check::{CheckSettings, ReadRunSettings};
use super::status_report::{Report, item_line};
use super::stdout::Stdout;
use super::{SignInSource, authority, warn};
use crate::api::{Endpoints, usage};
use crate::auth::critical_section::Critical;
use crate::auth::{self, Authority, CredentialSource, FoundCredential, choose, sign_in};
use crate::clock::{local, seconds};
use crate::failure::{self, Failure, Used};
use crate::http::{Http, HttpSetup, IDLE_TIMEOUT};
use crate::outcome::Outcome;

/// The settings of the command.
#[derive(Debug)]
pub struct StatusSettings {
    /// The credentials found, in order of precedence.
    pub found: Vec<FoundCredential>,
    /// Where the sign-in is stored.
    pub sign_in_source: Option<SignInSource>,
    /// Warnings about the credentials file.
    pub warnings: Vec<String>,
    /// Credentials files of other programs.
    pub elsewhere: Vec<PathBuf>,
    /// Print JSON.
    pub json: bool,
    /// The endpoints to request the limits of the plan from, if wanted.
    pub limits: Option<Endpoints>,
    /// What else to check, if wanted.
    pub check: Option<CheckSettings>,
    /// The user agent and the network settings.
    pub setup: HttpSetup,
}

/// Why the command fails.
#[derive(Debug)]
pub enum Error {
    /// There is no usable credential. Standard output already reports that.
    NotSignedIn(auth::Error),
    /// The sign-in has expired and cannot be renewed. Standard output already reports that.
    SignIn(sign_in::Error),
    /// The access token of this flag, variable or file has expired and cannot be renewed.
    Ended(CredentialSource, u64),
    /// The limits cannot be fetched.
    Limits(usage::Error),
    /// A run would fail for another reason. Standard output already reports that.
    Check(Box<Failure>),
    /// Standard output cannot be written.
    Output(io::Error),
}

impl Error {
    /// The failure of a command that used this credential.
    pub(crate) fn failure(self, used: Option<&Used>) -> Failure {
        match self {
            Error::NotSignedIn(error) => {
                failure::of_credential(&error).with_outcome(Outcome::SignIn)
            }
            Error::SignIn(error) => failure::of_sign_in(&error, used),
            Error::Ended(source, when) => failure::of_ended(&source, when),
            Error::Limits(error) => failure::of_limits(&error, used),
            Error::Check(failure) => *failure,
            Error::Output(error) => failure::of_output(&error),
        }
    }
}

/// Reports which credential is used.
///
/// # Errors
/// If none can be used, or the limits cannot be fetched.
pub fn run(mut settings: StatusSettings, critical: &Critical) -> Result<(), Error> {
    let mut stdout = Stdout::open().map_err(Error::Output)?;
    for warning in &settings.warnings {
        warn(warning);
    }
    let mut report = Report::of(&settings.found);
    let to_check = settings.check.take();
    let mut ended = match choose(&settings.found) {
        Err(error) => {
            report.problem = Some(error.to_string());
            let files = settings.elsewhere.iter();
            report.elsewhere = files.map(|file| file.display().to_string()).collect();
            Err(Error::NotSignedIn(error))
        }
        Ok(chosen) => {
            let sign_in_source = settings.sign_in_source.clone();
            match authority(chosen, sign_in_source, &settings.setup, critical) {
                Some(authority) => look(&settings, &authority, &mut report),
                None => Err(Error::NotSignedIn(auth::Error::Missing)),
            }
        }
    };
    if let Some(to_check) = to_check {
        // A check may take long, so its items are printed as they are found.
        let mut printed = Ok(());
        if !settings.json {
            printed = stdout.print(&report.text(false, stdout.columns()));
        }
        let mut print = |item: &CheckItem| {
            if !settings.json && printed.is_ok() {
                let line = item_line(item, stdout.columns());
                printed = stdout.print(&line);
            }
        };
        let are_limits_missing = matches!(ended, Err(Error::Limits(_)));
        let usable = ended.is_ok() || are_limits_missing;
        let checked = check(
            (&settings.found, &settings.sign_in_source),
            &settings.setup,
            to_check,
            usable,
            critical,
            &mut print,
        );
        if checked.is_for_server && !are_limits_missing {
            ended = Ok(());
        }
        report.checks = checked.items;
        ended = match (checked.settings, ended, checked.other) {
            (Some(failure), _, _) | (None, Ok(()), Some(failure)) => {
                Err(Error::Check(Box::new(failure)))
            }
            (None, ended, _) => ended,
        };
        printed.map_err(Error::Output)?;
        if !settings.json {
            return ended;
        }
    }
    let text = report.text(settings.json, stdout.columns());
    stdout.print(&text).map_err(Error::Output)?;
    ended
}

/// Checks the credential and fetches the limits of the plan into the report.
fn look(
    settings: &StatusSettings,
    authority: &Authority,
    report: &mut Report,
) -> Result<(), Error> {
    if let Authority::SignIn(sign_in) = authority {
        // A refusal is reported even while the token seems valid: the service may know better.
        let refused = sign_in.refused().map_or(Ok(()), Err);
        if let Err(error) = sign_in.check().and(refused) {
            report.problem = Some(error.to_string());
            return Err(Error::SignIn(error));
        }
    } else if let Some(end) = report.expires.filter(|end| *end <= seconds()) {
        report.problem = Some(format!("it expired at {}", local(end)));
        return Err(Error::Ended(settings.found[0].source.clone(), end));
    }
    let Some(endpoints) = &settings.limits else {
        return Ok(());
    };
    if authority.account().is_none() {
        warn("an API key has no plan, so there are no limits to show");
        return Ok(());
    }
    let http = Http::new(&settings.setup, IDLE_TIMEOUT);
    let limits = usage::fetch(&http, endpoints, authority, seconds());
    for warning in authority.warnings() {
        warn(&warning.to_string());
    }
    // The request may have renewed it.
    match authority {
        Authority::SignIn(sign_in) => report.expires = sign_in.saved().expires,
        Authority::Personal(personal) => report.add_personal(personal),
        Authority::Fixed(_) => {}
    }
    report.limits = Some(limits.map_err(Error::Limits)?);
    Ok(())
}
