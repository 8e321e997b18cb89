//! The environment of this process, and the home of codex-run that it names. Environment files may contain an unexpanded
//! `~` or `$HOME`, and the home may be a directory that this user cannot enter.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::http::{AddressError, BaseUrl};
use crate::secret::Secret;

/// The variables whose value is a path that codex-run reads or writes.
const PATHS: &[&str] = &[
    "CODEX_RUN_HOME",
    "CODEX_RUN_AUTH_FILE",
    "CODEX_CA_CERTIFICATE",
    "CODEX_HOME",
    "PI_CODING_AGENT_DIR",
];

/// The prefixes of a path that stand for the user's home.
const HOME_PREFIXES: &[&str] = &["~", "$HOME", "${HOME}"];

/// A home of codex-run that cannot be entered, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct InaccessibleHome {
    home: PathBuf,
    why: String,
}

impl InaccessibleHome {
    /// The warning for a run that continues without it.
    pub(super) fn warning(&self) -> String {
        let home = self.home.display();
        let why = &self.why;
        format!("cannot access {home}: {why}; nothing is read from it or stored in it")
    }

    /// The failure of a command that needs it.
    pub(super) fn failure(&self) -> Failure {
        let home = self.home.display();
        Failure::usage(format!("cannot access {home}: {}", self.why)).hint(
            "HOME or CODEX_RUN_HOME points there: set CODEX_RUN_HOME to a directory that you own; a key in \
             OPENAI_API_KEY works without it",
        )
    }
}

/// The environment of this process, in which an empty variable counts as unset, and the home of codex-run if it cannot be
/// entered.
#[derive(Clone)]
pub(super) struct Environment(
    pub(super) Vec<(OsString, OsString)>,
    pub(super) Option<InaccessibleHome>,
);

impl Environment {
    /// Expands the paths in these variables as a shell would.
    pub(super) fn new(variables: Vec<(OsString, OsString)>) -> Self {
        let mut environment = Self(variables, None);
        if let Some(user) = environment.get("HOME").map(OsStr::to_owned) {
            for (name, value) in &mut environment.0 {
                if PATHS.iter().any(|path| name == path)
                    && let Some(expanded) = expanded(value, HOME_PREFIXES, &user)
                {
                    *value = expanded;
                }
            }
        }
        environment.1 = environment.home().and_then(|home| closed(&home));
        environment
    }

    pub(super) fn get(&self, name: &str) -> Option<&OsStr> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found
            .map(|(_, value)| value.as_os_str())
            .filter(|value| !value.is_empty())
    }

    pub(super) fn secret(&self, name: &str) -> Option<Secret> {
        // A value that is not UTF-8 stays recognisably wrong; no valid secret is affected.
        let text = self.get(name)?.to_string_lossy().into_owned();
        Some(Secret::new(text))
    }

    /// The address in this variable. If it is not `used`, it may be meant for other programs and is not validated.
    pub(super) fn address(
        &self,
        name: &str,
        default: &str,
        used: bool,
    ) -> Result<BaseUrl, Failure> {
        let named = self.get(name).filter(|_| used);
        let text = named.map_or(default.into(), OsStr::to_string_lossy);
        BaseUrl::parse(&text).map_err(|error| {
            let failure = Failure::usage(format!("cannot use the address in {name}: {error}"));
            match error {
                AddressError::InTheClear => failure.hint("use an https:// address"),
                _ => failure.hint(format!("for example: {default}")),
            }
        })
    }

    /// The home of codex-run, if it is set and can be entered.
    pub(super) fn home(&self) -> Option<PathBuf> {
        if self.closed().is_some() {
            return None;
        }
        match (self.get("CODEX_RUN_HOME"), self.get("HOME")) {
            (Some(home), _) => Some(PathBuf::from(home)),
            (None, Some(home)) => Some(Path::new(home).join(".codex-run")),
            (None, None) => None,
        }
    }

    /// Expands a leading `~`, which shells do not expand in a variable or after `--auth-file=`.
    pub(super) fn expand(&self, path: &OsStr) -> PathBuf {
        let user = self.get("HOME");
        let path_in = |user| expanded(path, &["~"], user);
        user.and_then(path_in)
            .map_or_else(|| path.into(), PathBuf::from)
    }

    /// The home of codex-run if it cannot be entered.
    pub(super) fn closed(&self) -> Option<&InaccessibleHome> {
        self.1.as_ref()
    }

    /// Checks that the home of codex-run does not depend on the working directory.
    ///
    /// # Errors
    /// If it does, because credentials would be stored in whichever directory a command happens to run in.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let Some(value) = self.get("CODEX_RUN_HOME") else {
            return Ok(());
        };
        if Path::new(value).is_absolute() {
            return Ok(());
        }
        let shown = value.to_string_lossy();
        let what = format!("cannot use CODEX_RUN_HOME={shown}: it is a relative path");
        Err(Failure::usage(what).hint("use an absolute path, which begins with /"))
    }
}

/// The environment of this process.
pub(super) fn environment() -> Environment {
    Environment::new(std::env::vars_os().collect())
}

/// The environment of a command that uses codex-run's home.
pub(super) fn checked() -> Result<Environment, Failure> {
    let environment = environment();
    environment.check()?;
    Ok(environment)
}

/// The home of codex-run, for a command that needs it.
pub(super) fn own() -> Result<Option<PathBuf>, Failure> {
    let environment = checked()?;
    match environment.closed() {
        Some(closed) => Err(closed.failure()),
        None => Ok(environment.home()),
    }
}

/// The path with one of these prefixes replaced by the user's home, if it has one.
fn expanded(path: &OsStr, prefixes: &[&str], user: &OsStr) -> Option<OsString> {
    let bytes = path.as_bytes();
    prefixes.iter().find_map(|prefix| {
        let rest = bytes.strip_prefix(prefix.as_bytes())?;
        let ends = rest.is_empty() || rest.starts_with(b"/");
        let user = user.as_bytes();
        let user = user.strip_suffix(b"/").unwrap_or(user);
        ends.then(|| OsString::from_vec([user, rest].concat()))
    })
}

/// Returns why this home cannot be entered, or `None`. A missing one can still be created.
fn closed(home: &Path) -> Option<InaccessibleHome> {
    // A relative path would make the current directory a home.
    if home.is_relative() {
        return Some(InaccessibleHome {
            home: home.to_owned(),
            why: "it is a relative path".to_owned(),
        });
    }
    let error = fs::symlink_metadata(home.join("auth.json")).err()?;
    let is_closed = matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied | io::ErrorKind::NotADirectory
    );
    is_closed.then(|| InaccessibleHome {
        home: home.to_owned(),
        why: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home_of(variables: &[(&str, &str)]) -> Option<String> {
        let pairs = variables
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()));
        let environment = Environment::new(pairs.collect());
        environment.check().ok()?;
        Some(environment.home()?.display().to_string())
    }

    #[test]
    fn prefixes_for_the_home_are_expanded_only_at_the_beginning() {
        let check = |value: &str, expected: Option<&str>| {
            let found = home_of(&[("CODEX_RUN_HOME", value), ("HOME", "/home/ada")]);
            assert_eq!(found.as_deref(), expected, "{value}");
        };
        check("~", Some("/home/ada"));
        check("~/x", Some("/home/ada/x"));
        check("$HOME/x", Some("/home/ada/x"));
        check("${HOME}/x/~", Some("/home/ada/x/~"));
        check("/a/~/$HOME", Some("/a/~/$HOME"));
        for relative in ["x", "./x", "~ada/x", "$HOMER/x", "${HOME", "$OTHER/x"] {
            check(relative, None);
        }
        assert_eq!(home_of(&[("CODEX_RUN_HOME", "~/x")]), None);
        assert_eq!(home_of(&[("HOME", "ada")]), None, "it is closed");
        let root = home_of(&[("CODEX_RUN_HOME", "~/x"), ("HOME", "/")]);
        assert_eq!(root.as_deref(), Some("/x"));
    }

    #[test]
    fn a_home_below_a_file_is_closed() {
        let environment = |home: &str| Environment::new(vec![("HOME".into(), home.into())]);
        assert!(environment("/dev/null").closed().is_some());
        assert!(environment("/nonexistent").closed().is_none());
        let words = environment("/dev/null")
            .closed()
            .map(InaccessibleHome::warning);
        assert!(
            words.is_some_and(|words| words.starts_with("cannot access /dev/null/.codex-run: "))
        );
    }

    #[test]
    fn an_empty_variable_counts_as_unset() {
        let variables = vec![("A".into(), "".into()), ("B".into(), "b".into())];
        let environment = Environment::new(variables);
        assert!(environment.get("A").is_none() && environment.get("C").is_none());
        assert_eq!(environment.get("B"), Some(OsStr::new("b")));
    }
}
