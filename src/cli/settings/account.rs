//! The settings of `login`, `logout`, `status` and `token`.

use std::time::Instant;

use super::credentials::{self, Credentials, SECRETS, surroundings};
use super::endpoints;
use crate::api::Endpoints;
use crate::auth::opener::openers;
use crate::cli::config;
use crate::cli::environment::Environment;
use crate::cli::flags::Args;
use crate::cli::network;
use crate::cli::values::exclusive;
use crate::command::login::LoginMethod;
use crate::command::status::ReadRunSettings;
use crate::command::{SignInSource, login, logout, status, token};
use crate::failure::Failure;

/// The settings of `codex login`.
pub(crate) fn login(
    args: &Args,
    environment: &Environment,
) -> Result<login::LoginSettings, Failure> {
    exclusive(args, "login")?;
    let method = if args.no_browser {
        LoginMethod::Browser(Vec::new())
    } else if args.device_auth {
        LoginMethod::Device(None)
    } else if args.with_api_key {
        LoginMethod::Key
    } else if args.with_access_token {
        LoginMethod::Token
    } else {
        match openers(&surroundings(environment)) {
            Ok(openers) => LoginMethod::Browser(openers),
            Err(why) => LoginMethod::Device(Some(why)),
        }
    };
    let sign_in_source = required_source(args, environment)?;
    Ok(login::LoginSettings {
        method,
        warnings: credentials::narrowed(&sign_in_source.store),
        sign_in_source,
        before: variables(environment, &SECRETS[..2]),
        secrets: SECRETS,
        home: environment.home(),
        endpoints: listing(environment),
        setup: network::setup(environment),
    })
}

/// The endpoints for fetching the list of models after a sign-in. An invalid address must not prevent a sign-in: the commands
/// that need it report it. A token of a different issuer is not sent to the built-in service.
fn listing(environment: &Environment) -> Option<Endpoints> {
    let is_set = |name| environment.get(name).is_some();
    let fits = is_set("CODEX_RUN_BASE_URL") || !is_set("CODEX_RUN_ISSUER");
    let endpoints = fits.then(|| endpoints::endpoints(&[], environment));
    endpoints?.ok()
}

/// Which of these variables are set.
fn variables(environment: &Environment, names: &[&str]) -> Vec<String> {
    let set = names.iter().filter(|name| environment.get(name).is_some());
    set.map(|name| (*name).to_owned()).collect()
}

/// The settings of `codex logout`.
pub(crate) fn logout(
    args: &Args,
    environment: &Environment,
) -> Result<logout::LogoutSettings, Failure> {
    Ok(logout::LogoutSettings {
        sign_in_source: required_source(args, environment)?,
        local: args.local,
        all: args.all,
        left: variables(environment, SECRETS),
        setup: network::setup(environment),
    })
}

/// The settings of `codex status`.
pub(crate) fn status(
    args: &Args,
    environment: &Environment,
) -> Result<status::StatusSettings, Failure> {
    let Credentials {
        found,
        sign_in_source,
        warnings,
        ..
    } = credentials::find(args, environment, true, false)?;
    let endpoints = endpoints::endpoints(&found, environment);
    let mut limits = None;
    let mut check = None;
    if args.limits || args.check {
        let endpoints = endpoints?;
        limits = args.limits.then(|| endpoints.clone());
        check = args.check.then(|| status::CheckSettings {
            run: plain_run(args, environment),
            home: environment.home(),
            backend: endpoints::backend(&found, &endpoints),
            endpoints,
        });
    }
    Ok(status::StatusSettings {
        limits,
        check,
        elsewhere: credentials::elsewhere(environment),
        found,
        sign_in_source,
        warnings,
        json: args.json,
        setup: network::setup(environment),
    })
}

/// Reads the settings of a run with these credentials and no other flag.
fn plain_run(args: &Args, environment: &Environment) -> Box<ReadRunSettings> {
    let mut run = Args {
        is_run: true,
        words: vec!["hi".into()],
        given: args.given.clone(),
        api_key_file: args.api_key_file.clone(),
        auth_file: args.auth_file.clone(),
        ..Args::default()
    };
    let environment = environment.clone();
    Box::new(move || {
        config::apply(&mut run, "run", &environment)?;
        super::run::run(&run, &environment, Instant::now()).map(Box::new)
    })
}

/// The settings of `codex token`, which prints no keys: the file is read even if a key takes precedence.
pub(crate) fn token(
    args: &Args,
    environment: &Environment,
) -> Result<token::TokenSettings, Failure> {
    let given = environment.get("CODEX_ACCESS_TOKEN").is_some();
    let Credentials {
        found,
        sign_in_source,
        warnings,
        ..
    } = credentials::find(args, environment, !given, true)?;
    Ok(token::TokenSettings {
        found,
        sign_in_source,
        warnings,
        setup: network::setup(environment),
    })
}

/// Where the sign-in is stored. Fails if there is no place for it.
fn required_source(args: &Args, environment: &Environment) -> Result<SignInSource, Failure> {
    credentials::sign_in_source(args, environment)?.ok_or_else(|| {
        Failure::usage("there is no directory for a sign-in: HOME is not set")
            .hint("set HOME, or set CODEX_RUN_HOME to a directory")
    })
}
