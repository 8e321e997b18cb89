//! Guesses whether a variable holds a credential, by its name or its value, so that what is passed on by default is
//! harmless. Variables named with `--env` are passed on regardless.

/// Parts of names that suggest a credential. A user name is often a token, where a server wants just one of the two.
const NAMES: &[&str] = &[
    "AUTH",
    "COOKIE",
    "CREDENTIAL",
    "KEY",
    "LOGIN",
    "PASS",
    "PRIVATE",
    "PWD",
    "SECRET",
    "SIGNATURE",
    "TOKEN",
    "USERNAME",
];

/// More such parts, which must stand between underscores.
const WHOLE_WORDS: &[&str] = &["JWT", "OTP", "PAT", "PW", "SAS"];

/// Prefixes of the tokens of well-known services, with their minimum length.
const PREFIXES: &[(&str, usize)] = &[
    ("AIza", 30),
    ("AKIA", 20),
    ("ASIA", 20),
    ("SG.", 30),
    ("dckr_pat_", 20),
    ("eyJ", 40),
    ("github_pat_", 20),
    ("glpat-", 20),
    ("gho_", 20),
    ("ghp_", 20),
    ("ghr_", 20),
    ("ghs_", 20),
    ("ghu_", 20),
    ("hf_", 20),
    ("npm_", 40),
    ("pypi-", 20),
    ("rk_live_", 20),
    ("rt_", 20),
    ("sk-", 20),
    ("sk_live_", 20),
    ("xapp-", 20),
    ("xoxa-", 20),
    ("xoxb-", 20),
    ("xoxp-", 20),
    ("xoxs-", 20),
    ("ya29.", 20),
];

/// Assignments to a credential inside a value, with its minimum length: a macro such as `-DMAX_TOKEN=5` does not
/// count.
const SETTINGS: &[(&str, usize)] = &[
    ("apikey", 8),
    ("api_key", 8),
    ("api-key", 8),
    ("authorization", 1),
    ("passphrase", 1),
    ("passwd", 1),
    ("password", 1),
    ("secret", 8),
    ("token", 8),
];

/// Whether the name suggests a credential.
#[must_use]
pub fn name(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let mut words = name.split(|c: char| !c.is_ascii_alphanumeric());
    NAMES.iter().any(|part| name.contains(part)) || words.any(|word| WHOLE_WORDS.contains(&word))
}

/// Whether the value is or contains something that looks like a credential, or a URL with a password.
#[must_use]
pub fn value(value: &str) -> bool {
    has_password(value) || has_token(value) || has_setting(value)
}

/// Whether the text contains a URL with a password, or with a user that can only be a token.
fn has_password(value: &str) -> bool {
    value.match_indices("://").any(|(at, mark)| {
        let before = &value[..at];
        let scheme = before
            .rfind(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c))
            .map_or(before, |end| &before[end + 1..]);
        let rest = &value[at + mark.len()..];
        let end = rest.find(|c: char| c.is_whitespace() || "/?#\"'\\,;|<>".contains(c));
        let authority = &rest[..end.unwrap_or(rest.len())];
        match authority.rsplit_once('@') {
            // `git` in ssh://git@host is a shared user name.
            Some((user, _)) => {
                user.contains(':') || scheme.to_ascii_lowercase().starts_with("http")
            }
            None if authority.starts_with('[') => false,
            // A password that contains a slash ends the authority early, and does not parse as a port.
            None => authority.rsplit_once(':').is_some_and(|(host, port)| {
                !host.ends_with(':') && !port.bytes().all(|b| b.is_ascii_digit() || b == b']')
            }),
        }
    })
}

/// Whether a word in the text looks like a token, or a private key begins in it.
fn has_token(value: &str) -> bool {
    let is_inside = |c: char| c.is_ascii_alphanumeric() || "-_.~/".contains(c);
    let mut words = value.split(|c: char| !is_inside(c));
    let looks = |word: &str| {
        PREFIXES.iter().any(|(beginning, least)| {
            word.len() >= *least
                && word
                    .strip_prefix(beginning)
                    .is_some_and(|rest| match *beginning {
                        "eyJ" => rest.matches('.').count() == 2,
                        "AKIA" | "ASIA" | "npm_" => rest.bytes().all(|b| b.is_ascii_alphanumeric()),
                        _ => !rest.contains('/'),
                    })
        })
    };
    words.any(looks) || (value.contains("-----BEGIN ") && value.contains("PRIVATE KEY"))
}

/// Whether the text assigns a password, a token or the like: `-Dhttp.proxyPassword=x`, `?token=x`, `_auth: x`.
fn has_setting(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    SETTINGS.iter().any(|(word, least)| {
        lower.match_indices(word).any(|(at, word)| {
            let rest = lower[at + word.len()..]
                .trim_start_matches(['"', '\''])
                .trim_start();
            let Some(set) = rest.strip_prefix(['=', ':']) else {
                return false;
            };
            let set = set.trim_start().trim_start_matches(['"', '\'']);
            let end = set.find(|c: char| c.is_whitespace() || "\"'&,;".contains(c));
            end.unwrap_or(set.len()) >= *least
        })
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_of_credentials_are_recognised() {
        let check = |name: &str, expected: bool| assert_eq!(super::name(name), expected, "{name}");
        for name in [
            "CARGO_REGISTRY_TOKEN",
            "CARGO_REGISTRIES_MINE_CREDENTIAL_PROVIDER",
            "npm_config_//host/:_authToken",
            "npm_config__auth",
            "npm_config__password",
            "npm_config_otp",
            "NPM_CONFIG_KEY",
            "POETRY_HTTP_BASIC_MINE_USERNAME",
            "GITHUB_PAT",
            "YARN_NPM_AUTH_IDENT",
        ] {
            check(name, true);
        }
        for name in [
            "CMAKE_PREFIX_PATH",
            "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER",
            "npm_config_registry",
            "PIP_INDEX_URL",
            "PYTEST_ADDOPTS",
        ] {
            check(name, false);
        }
    }

    #[test]
    fn values_with_credentials_are_recognised() {
        let check = |value: &str, expected: bool| {
            assert_eq!(super::value(value), expected, "{value}");
        };
        for value in [
            "http://me:secret@proxy:3128",
            "https://u:@host/simple",
            "https://a-token@host/simple",
            "https://pypi.org/simple https://u:p@host/simple",
            "https://u:p@proxy.example,direct",
            "https://u:p/w@host",
            "redis://:pw@host:6379",
            "ssh://u:p@host/x",
            "sk-invented-0123456789",
            "ghp_0123456789abcdefghij",
            "--header=Authorization: x",
            "-Xmx1g -Dhttp.proxyPassword=x",
            "-Djavax.net.ssl.trustStorePassword=changeit",
            "https://host/x?access_token=0123456789",
            "a -- TOKEN=0123456789",
            "eyJhbGciOiJub25lIn0.eyJzdWIiOiJpbnZlbnRlZCJ9.c2ln",
            "-----BEGIN RSA PRIVATE KEY-----\nx",
        ] {
            check(value, true);
        }
        for value in [
            "",
            "1",
            "production",
            "/usr/bin:/home/me/sk-learn-environment/bin:/opt/npm_global/bin",
            "https://host:8080/@scope/package",
            "https://[::1]:8080/x,direct",
            "https://[fe80::a:b]/x",
            "ssh://git@host/x",
            "git@host:x",
            "me@example.test",
            "-O2 -DMAX_TOKEN=5 -DNUM_TOKENS=100000000 -Wl,--wrap=token",
            "--ignore=tests/test_password.py -k token",
            " -j4 --jobserver-auth=3,4",
            "-Xmx1g -Duser.timezone=UTC --add-opens=java.base/java.lang=ALL-UNNAMED",
            "--max-old-space-size=4096 --experimental-vm-modules",
            "C:\\Program Files\\x",
        ] {
            check(value, false);
        }
    }
}
