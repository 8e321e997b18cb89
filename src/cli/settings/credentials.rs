//! Finds credentials in order of precedence, and where the sign-in is stored: flags, the environment and the
//! credentials file.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::credential_order::{GivenCredentials, StoredCredentials};
use crate::auth::access_token::Personal;
use crate::auth::identity::is_personal;
use crate::auth::issuer::{ISSUER, Issuer};
use crate::auth::opener::BrowserEnvironment;
use crate::auth::store::{Contents, CredentialKind, CredentialStore, StoreFormat, StorePath};
use crate::auth::{CredentialSource, FoundCredential, What};
use crate::cli::environment::Environment;
use crate::cli::flags::Args;
use crate::cli::named_files;
use crate::cli::network;
use crate::command::SignInSource;
use crate::failure::Failure;
use crate::http::BaseUrl;
use crate::secret::Secret;

/// The variables that hold credentials. They are not passed to child processes.
pub(super) const SECRETS: &[&str] = &["CODEX_ACCESS_TOKEN", "CODEX_API_KEY", "OPENAI_API_KEY"];

/// The credentials of a command.
#[derive(Default)]
pub(super) struct Credentials {
    /// The credentials found, in order of precedence.
    pub(super) found: Vec<FoundCredential>,
    /// Where the sign-in is stored, if there is a place for it.
    pub(super) sign_in_source: Option<SignInSource>,
    /// The credentials file that was read for them, whose secrets are all among `found`.
    pub(super) read: Option<PathBuf>,
    /// Warnings about the credentials file.
    pub(super) warnings: Vec<String>,
}

/// Finds the credentials. With `all`, the file is read even if another credential takes precedence over it; with `narrow`,
/// its mode is restricted to its owner.
pub(super) fn find(
    args: &Args,
    environment: &Environment,
    all: bool,
    narrow: bool,
) -> Result<Credentials, Failure> {
    let given = given(args, environment)?;
    let mut warnings = Vec::new();
    if let (Some(closed), false) = (environment.closed(), given.is_empty()) {
        warnings.push(closed.warning());
    }
    let is_closed = environment.closed().is_some() && foreign(args, environment).is_none();
    if !given.want_file(all, is_closed) {
        return Ok(Credentials {
            found: given.in_order(StoredCredentials::default()),
            warnings,
            ..Credentials::default()
        });
    }
    let sign_in_source = sign_in_source(args, environment)?;
    let stored = match &sign_in_source {
        Some(SignInSource { store, issuer }) => {
            if narrow {
                warnings.extend(narrowed(store));
            }
            if store.is_foreign() && !store.named().exists() {
                let path = store.named().display();
                warnings.push(format!("the credentials file {path} does not exist"));
            }
            let mut contents = store.read().map_err(Failure::from)?;
            let other = contents.others.pop().map(|other| FoundCredential {
                what: What::NotOurs(other),
                source: CredentialSource::File(store.named().to_owned()),
            });
            StoredCredentials {
                found: stored(contents, store, issuer, environment),
                other,
            }
        }
        None => StoredCredentials::default(),
    };
    Ok(Credentials {
        found: given.in_order(stored),
        read: sign_in_source
            .as_ref()
            .map(|source| source.store.named().to_owned()),
        sign_in_source,
        warnings,
    })
}

/// The credentials that flags and variables name, not validated.
fn given(args: &Args, environment: &Environment) -> Result<GivenCredentials, Failure> {
    let mut before = Vec::new();
    if let Some(path) = &args.api_key_file {
        before.push(FoundCredential {
            what: What::Key(Secret::new(named_files::text(args, "api-key-file", path)?)),
            source: CredentialSource::FlagFile("api-key-file"),
        });
    }
    if let Some(given) = environment.secret("CODEX_ACCESS_TOKEN") {
        let asked = is_personal(given.expose().trim());
        let issuer = environment.address("CODEX_RUN_ISSUER", ISSUER, asked)?;
        before.push(FoundCredential {
            what: token(given, &issuer, environment),
            source: CredentialSource::Variable("CODEX_ACCESS_TOKEN"),
        });
    }
    let key = |name| {
        environment.secret(name).map(|secret| FoundCredential {
            what: What::Key(secret),
            source: CredentialSource::Variable(name),
        })
    };
    before.extend(key("CODEX_API_KEY"));
    Ok(GivenCredentials {
        before,
        after: key("OPENAI_API_KEY"),
    })
}

/// The secrets in the credentials files (that of `--auth-file` and codex-run's own), except the file already read, for
/// comparison. The files are validated elsewhere.
pub(super) fn stored_secrets(
    args: &Args,
    environment: &Environment,
    read: Option<&Path>,
) -> Vec<Secret> {
    let home = environment.home();
    let named = foreign(args, environment).map(|file| (file, true));
    let own = home.as_ref().map(|home| (home.join("auth.json"), false));
    let mut secrets = Vec::new();
    for (file, foreign) in named.into_iter().chain(own) {
        let home = home.clone();
        let store = CredentialStore::new(&StorePath {
            file,
            home,
            foreign,
        });
        if Some(store.named()) == read {
            continue;
        }
        let Ok(contents) = store.read() else {
            continue;
        };
        // No request is sent to determine a token's account.
        let Ok(issuer) = environment.address("CODEX_RUN_ISSUER", ISSUER, false) else {
            continue;
        };
        for found in stored(contents, &store, &issuer, environment) {
            secrets.extend(found.secrets());
        }
    }
    secrets
}

/// Restricts the file's mode to its owner; returns the warnings.
pub(super) fn narrowed(store: &CredentialStore) -> Vec<String> {
    let warning = |(path, mode): (PathBuf, u32)| {
        let path = path.display();
        format!("{path} was readable by others (mode {mode:o}); it is now readable only by you")
    };
    store.narrow().into_iter().map(warning).collect()
}

/// An access token, or a workspace token with what is needed to determine its account.
fn token(token: Secret, issuer: &BaseUrl, environment: &Environment) -> What {
    if !is_personal(token.expose().trim()) {
        return What::Token(token);
    }
    let issuer = Issuer::new(issuer.clone(), &network::setup(environment));
    let personal = Personal::new(token, issuer, environment.home().as_deref());
    What::Personal(Arc::new(personal))
}

/// The credentials in the file, in order of precedence.
fn stored(
    contents: Contents,
    store: &CredentialStore,
    issuer: &BaseUrl,
    environment: &Environment,
) -> Vec<FoundCredential> {
    let file = || store.named().to_owned();
    let sign_in = contents.sign_in.map(|sign_in| FoundCredential {
        what: What::SignIn(sign_in.map(Box::new)),
        source: CredentialSource::File(file()),
    });
    let of_pi = store.is_foreign() && contents.format == StoreFormat::Entries;
    let key = contents.key.map(|key| FoundCredential {
        what: if of_pi {
            resolved(key, environment)
        } else {
            What::Key(key)
        },
        source: CredentialSource::KeyIn(file()),
    });
    let personal = contents.personal.map(|personal| FoundCredential {
        what: token(personal, issuer, environment),
        source: CredentialSource::PersonalIn(file()),
    });
    let mut stored = vec![
        (CredentialKind::SignIn, sign_in),
        (CredentialKind::Personal, personal),
        (CredentialKind::Key, key),
    ];
    stored.sort_by_key(|(kind, _)| *kind != contents.first);
    stored.into_iter().filter_map(|(_, found)| found).collect()
}

/// A key in pi's file may be the name of a variable, which is looked up as in pi, or a command, which only pi runs.
fn resolved(key: Secret, environment: &Environment) -> What {
    if key.expose().starts_with('!') {
        return What::NotUsable("a command, and codex-run runs no commands from this file");
    }
    let text = key.expose();
    let name = text.strip_prefix('$').unwrap_or(text);
    let name = name
        .strip_prefix('{')
        .and_then(|name| name.strip_suffix('}'))
        .unwrap_or(name);
    match environment.secret(name) {
        Some(found) => What::Key(found),
        None if text.starts_with('$') => What::NotUsable("a variable that is not set"),
        None => What::Key(key),
    }
}

/// Where the sign-in is stored, and its issuer.
pub(super) fn sign_in_source(
    args: &Args,
    environment: &Environment,
) -> Result<Option<SignInSource>, Failure> {
    let home = environment.home();
    let place = match (foreign(args, environment), &home) {
        (Some(file), _) => StorePath {
            file,
            home,
            foreign: true,
        },
        (None, Some(own)) => StorePath {
            file: own.join("auth.json"),
            home,
            foreign: false,
        },
        (None, None) => match environment.closed() {
            Some(closed) => return Err(closed.failure()),
            None => return Ok(None),
        },
    };
    Ok(Some(SignInSource {
        store: CredentialStore::new(&place),
        issuer: environment.address("CODEX_RUN_ISSUER", ISSUER, true)?,
    }))
}

/// The credentials file that a flag or variable names, if any.
pub(super) fn foreign(args: &Args, environment: &Environment) -> Option<PathBuf> {
    let named = args.auth_file.as_deref();
    let file = named.or_else(|| environment.get("CODEX_RUN_AUTH_FILE"))?;
    Some(environment.expand(file))
}

/// The existing credentials files of other programs.
pub(super) fn elsewhere(environment: &Environment) -> Vec<PathBuf> {
    let below_home = |rest: &str| {
        environment
            .get("HOME")
            .map(|home| Path::new(home).join(rest))
    };
    let directory = |variable: &str, rest: &str| {
        let named = environment.get(variable).map(PathBuf::from);
        named.or_else(|| below_home(rest))
    };
    [
        directory("CODEX_HOME", ".codex"),
        directory("PI_CODING_AGENT_DIR", ".pi/agent"),
    ]
    .into_iter()
    .flatten()
    .map(|directory| directory.join("auth.json"))
    .filter(|file| file.is_file())
    .collect()
}

/// The kind of environment the process runs in.
pub(super) fn surroundings(environment: &Environment) -> BrowserEnvironment {
    let set = |names: &[&str]| names.iter().any(|name| environment.get(name).is_some());
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    BrowserEnvironment {
        browser: environment.get("BROWSER").map(OsStr::to_owned),
        ssh: set(&["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"]),
        container: set(&["container", "KUBERNETES_SERVICE_HOST", "CODESPACES"])
            || ["/.dockerenv", "/run/.containerenv"]
                .iter()
                .any(|path| Path::new(path).exists()),
        ci: environment
            .get("CI")
            .is_some_and(|value| value != "false" && value != "0"),
        display: set(&["DISPLAY", "WAYLAND_DISPLAY"]),
        wsl: set(&["WSL_DISTRO_NAME", "WSL_INTEROP"])
            || kernel.to_lowercase().contains("microsoft"),
        mac: cfg!(target_os = "macos"),
    }
}
