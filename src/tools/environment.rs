//! What a tool finds in its environment: a list of what programs need, and a few words that nobody will answer it. A
//! credential has no place in it, whatever it is called; what is handed on by name is added elsewhere.

use std::ffi::OsString;

/// Variables that are handed on under these very names.
const NAMES: &[&str] = &[
    // who and where
    "HOME",
    "LOGNAME",
    "PATH",
    "SHELL",
    "TERM",
    "TZ",
    "USER",
    "LANG",
    "LANGUAGE",
    "COLORTERM",
    "NO_COLOR",
    "CI",
    // where things are kept
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "XDG_STATE_HOME",
    // compilers and linkers
    "AR",
    "CC",
    "CFLAGS",
    "CPATH",
    "CPPFLAGS",
    "CXX",
    "CXXFLAGS",
    "C_INCLUDE_PATH",
    "CPLUS_INCLUDE_PATH",
    "LD",
    "LDFLAGS",
    "LD_LIBRARY_PATH",
    "LIBRARY_PATH",
    "MAKEFLAGS",
    "PKG_CONFIG_PATH",
    "SDKROOT",
    // languages and their package managers
    "BUN_INSTALL",
    "CARGO_HOME",
    "CARGO_TARGET_DIR",
    "CONDA_PREFIX",
    "DENO_DIR",
    "DOTNET_ROOT",
    "GEM_HOME",
    "GEM_PATH",
    "GOBIN",
    "GOCACHE",
    "GOFLAGS",
    "GOMODCACHE",
    "GOPATH",
    "GOROOT",
    "GRADLE_USER_HOME",
    "JAVA_HOME",
    "M2_HOME",
    "MAVEN_OPTS",
    "NODE_OPTIONS",
    "NODE_PATH",
    "NVM_DIR",
    "PERL5LIB",
    "PNPM_HOME",
    "PYENV_ROOT",
    "PYTHONPATH",
    "RBENV_ROOT",
    "RUSTFLAGS",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "UV_CACHE_DIR",
    "VIRTUAL_ENV",
    "VOLTA_HOME",
];

/// The part of an environment that tools get.
#[must_use]
pub fn for_tools(all: &[(OsString, OsString)]) -> Vec<(OsString, OsString)> {
    let kept = |name: &str| NAMES.contains(&name) || name.starts_with("LC_");
    all.iter()
        .filter(|(name, _)| name.to_str().is_some_and(kept))
        .cloned()
        .collect()
}

/// What tells programs that nobody looks and nobody answers: a pager or an editor would only wait for the time limit.
const NOBODY: &[(&str, &str)] = &[
    ("GIT_EDITOR", "true"),
    ("GIT_PAGER", "cat"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("PAGER", "cat"),
];

/// These variables.
pub fn nobody() -> impl Iterator<Item = (OsString, OsString)> {
    NOBODY
        .iter()
        .map(|(name, value)| (name.into(), value.into()))
}

/// Where the network is reached through, for tools that may use it. A proxy that wants a password is left out: that is
/// a credential, and must be named.
#[must_use]
pub fn proxies(all: &[(OsString, OsString)]) -> Vec<(OsString, OsString)> {
    let kept = |name: &str| {
        ["http_proxy", "https_proxy", "all_proxy", "no_proxy"]
            .contains(&&*name.to_ascii_lowercase())
    };
    all.iter()
        .filter(|(name, value)| {
            name.to_str().is_some_and(kept) && !value.to_string_lossy().contains('@')
        })
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_looks_like_a_credential() {
        for name in NAMES {
            assert!(
                [
                    "KEY",
                    "TOKEN",
                    "SECRET",
                    "PASS",
                    "AUTH",
                    "CREDENTIAL",
                    "PROXY"
                ]
                .iter()
                .all(|w| !name.contains(w)),
                "{name}"
            );
        }
    }

    #[test]
    fn only_what_is_listed_is_handed_on() {
        let all: Vec<(OsString, OsString)> = [
            "PATH",
            "OPENAI_API_KEY",
            "CODEX_ACCESS_TOKEN",
            "MY_TOKEN",
            "LC_ALL",
            "PATHS",
            "SSH_AUTH_SOCK",
        ]
        .map(|name| (name.into(), "x".into()))
        .to_vec();
        let proxies = proxies(&[
            ("https_proxy".into(), "http://proxy:3128".into()),
            ("HTTP_PROXY".into(), "http://me:secret@proxy:3128".into()),
            ("MY_PROXY".into(), "x".into()),
        ]);
        assert_eq!(proxies.len(), 1);
        let names: Vec<OsString> = for_tools(&all).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["PATH", "LC_ALL"]);
    }
}
