//! The environment of tools: what it contains, what is added to it by name, and what never is.

use std::fs;

use serde_json::json;

use crate::command_output::CommandOutput;
use crate::home::{Cmd, Home, KEY};
use crate::standin::{Item, Reply, Server};
use crate::tools::{bash, called};

/// The environment that a tool prints with these flags, a line each.
fn environment(home: &Home, flags: &[&str]) -> (CommandOutput, Vec<String>) {
    let (ran, outputs) = called(home, flags, vec![bash("env")]);
    let lines = outputs[0].lines().map(str::to_owned).collect();
    (ran, lines)
}

/// The same for a tool run by hand.
fn by_hand(home: &Home, flags: &[&str]) -> CommandOutput {
    let Cmd { mut command, .. } = home.offline().args(["tool", "bash"]);
    let arguments = home.file("arguments", r#"{"command": "env"}"#);
    let arguments = fs::File::open(arguments).expect("a file");
    command.args(flags).stdin(arguments);
    let said = format!("{command:?}");
    command.stdout(std::process::Stdio::piped());
    command.stderr(std::process::Stdio::piped());
    crate::home::wait(&mut command.spawn().expect("it starts"), said)
}

#[test]
fn variables_for_builds_are_passed_and_certificates_only_with_the_network() {
    let certificates = "/etc/ssl/certs/ca-certificates.crt";
    let always = [
        ("GIT_AUTHOR_NAME", "ci"),
        ("GIT_AUTHOR_EMAIL", "ci@example.test"),
        ("GIT_COMMITTER_NAME", "ci"),
        ("GIT_COMMITTER_EMAIL", "ci@example.test"),
        ("CI", "true"),
        ("RUST_BACKTRACE", "1"),
        ("NODE_ENV", "test"),
        ("PYTHONUNBUFFERED", "1"),
        ("JAVA_TOOL_OPTIONS", "-Xmx1g"),
        ("CMAKE_PREFIX_PATH", "/opt/x"),
        ("npm_config_registry", "https://registry.example/"),
        ("npm_config_@scope:registry", "https://registry.example/"),
        ("PIP_INDEX_URL", "https://index.example/simple"),
        ("CARGO_NET_OFFLINE", "true"),
    ];
    let with_network = [
        ("SSL_CERT_FILE", certificates),
        ("SSL_CERT_DIR", "/etc/ssl/certs"),
        ("REQUESTS_CA_BUNDLE", certificates),
        ("CURL_CA_BUNDLE", certificates),
        ("NODE_EXTRA_CA_CERTS", certificates),
        ("PIP_CERT", certificates),
        ("GIT_SSL_CAINFO", certificates),
        ("CARGO_HTTP_CAINFO", certificates),
        ("NO_PROXY", "example.test"),
    ];
    let never = [
        ("npm_config_//registry.example/:_authToken", "invented"),
        ("CARGO_REGISTRY_TOKEN", "invented"),
        ("CARGO_REGISTRIES_MINE_TOKEN", "invented"),
        ("UV_INDEX_MINE_PASSWORD", "invented"),
        ("POETRY_HTTP_BASIC_MINE_USERNAME", "invented"),
        (
            "PIP_EXTRA_INDEX_URL",
            "https://me:invented@index.example/simple",
        ),
        ("MAVEN_OPTS", "-Dhttps.proxyPassword=invented"),
        ("https_proxy", "me:invented@proxy.example:1"),
        ("CARGO_TERM_COLOR", "always"),
        ("BASH_ENV", "/invented"),
    ];
    let mut home = Home::with_key();
    for (name, value) in always.iter().chain(&with_network).chain(&never) {
        home = home.env(name, value);
    }
    for (flags, network) in [
        (&["-s", "workspace-write"][..], false),
        (&["-s", "workspace-write", "--network"], true),
        (&["-s", "danger-full-access"], true),
    ] {
        let (ran, lines) = environment(&home, flags);
        let has = |(name, value): &(&str, &str)| lines.contains(&format!("{name}={value}"));
        let missing: Vec<_> = always.iter().filter(|variable| !has(variable)).collect();
        assert!(missing.is_empty(), "{flags:?}: {missing:?}");
        for variable in &with_network {
            assert_eq!(has(variable), network, "{flags:?} {variable:?}");
        }
        let found: Vec<_> = never.iter().filter(|variable| has(variable)).collect();
        assert!(found.is_empty(), "{flags:?}: {found:?}");
        let words = "not passed to tools, because the value looks like a credential: ";
        assert_eq!(ran.stderr.contains(words), network, "{}", ran.stderr);
        assert!(!ran.stderr.contains("invented"), "{}", ran.stderr);
    }
    let (ran, lines) = environment(&home, &["--network", "--env", "MAVEN_OPTS"]);
    assert!(lines.contains(&"MAVEN_OPTS=-Dhttps.proxyPassword=invented".to_owned()));
    for name in ["PIP_EXTRA_INDEX_URL", "https_proxy"] {
        ran.says(name);
    }
    assert!(!ran.stderr.contains("MAVEN_OPTS"), "{}", ran.stderr);
}

#[test]
fn a_commit_uses_the_author_from_the_environment() {
    let home = Home::with_key()
        .env("GIT_AUTHOR_NAME", "A U Thor")
        .env("GIT_AUTHOR_EMAIL", "author@example.test")
        .env("GIT_COMMITTER_NAME", "A U Thor")
        .env("GIT_COMMITTER_EMAIL", "author@example.test");
    let commit = "git init -q . && echo x > f && git add f && git commit -qm x && git log --format='%an <%ae>'";
    let (_, outputs) = called(&home, &["-s", "workspace-write"], vec![bash(commit)]);
    let expected = "A U Thor <author@example.test>\n[exit code 0]";
    assert!(outputs[0].starts_with(expected), "{}", outputs[0]);
}

#[test]
fn variables_are_passed_by_name_or_prefix() {
    let home = Home::with_key()
        .env("TICKETS_URL", "http://tickets")
        .env("TICKETS_TOKEN", "of-the-tickets")
        .env("TICKETS_COPY", KEY)
        .env("TICKETS_EMPTY", "")
        .env("TICKET", "x");
    let (ran, lines) = environment(
        &home,
        &["--env", "TICKETS_*", "--env", "UNSET", "--env", "NOTHING_*"],
    );
    let tickets: Vec<_> = lines.iter().filter(|l| l.starts_with("TICKET")).collect();
    assert_eq!(tickets.len(), 2, "{tickets:?}");
    assert!(lines.contains(&"TICKETS_URL=http://tickets".to_owned()));
    assert!(lines.contains(&"TICKETS_TOKEN=of-the-tickets".to_owned()));
    ran.says("codex: --env UNSET: the variable is not set\n")
        .says("codex: --env NOTHING_*: no such variable is set\n")
        .says("codex: --env TICKETS_* omits TICKETS_COPY: its value holds a credential of codex-run\n");

    let ran = by_hand(&home, &["--env", "TICKETS_*"]);
    ran.exits(0).says("omits TICKETS_COPY: ");
    assert!(ran.text().contains("TICKETS_URL=http://tickets\n"));

    for (name, words) in [
        (
            &*format!("A={KEY}"),
            "invalid value for --env: A=... is not a name",
        ),
        ("", "invalid value for --env: it is empty"),
        (
            "TI*",
            "invalid value for --env: TI*: a prefix needs at least three characters before the *",
        ),
        (
            "*_URL",
            "invalid value for --env: *_URL: a * is allowed only at the end of a name",
        ),
    ] {
        for command in ["run", "tool"] {
            let cmd = home.offline().args([command, "--env", name, "bash"]);
            cmd.run().exits(2).stdout("").says(words);
        }
    }
}

/// A home with every kind of credential: variables, a key file, a stored sign-in and key, and `models.json`.
fn full() -> Home {
    let home = Home::new()
        .env("CODEX_API_KEY", KEY)
        .env("BOX_KEY", "of-the-box-0123456789")
        .env("BOX_PORT", "8080");
    let own = home.root().join(".codex-run");
    fs::create_dir_all(&own).expect("a directory");
    let models = r#"{"providers": {
        "box": {"baseUrl": "http://127.0.0.1:9/v1", "apiKey": "$BOX_KEY", "models": [{"id": "m"}]},
        "literal": {"baseUrl": "http://127.0.0.1:9/v1", "apiKey": "literal-0123456789", "models": [{"id": "m"}]},
        "bare": {"baseUrl": "http://127.0.0.1:9/v1", "apiKey": "${UNSET_KEY}", "models": [{"id": "m"}]}}}"#;
    fs::write(own.join("models.json"), models).expect("a file");
    let stored = json!({
        "openai-codex": {"type": "oauth", "access": "stored-access-0123456789", "refresh": "stored-refresh-0123456789",
            "expires": 4_000_000_000_000_u64, "accountId": "acct-1"},
        "openai": {"type": "api_key", "key": "stored-key-0123456789"},
    });
    let file = own.join("auth.json");
    fs::write(&file, stored.to_string()).expect("a file");
    fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("ours");
    home
}

#[test]
fn variables_of_codex_run_are_never_passed() {
    let value = "its value holds a credential of codex-run";
    let reasons = [
        ("CODEX_API_KEY", KEY, "it is reserved for codex-run"),
        ("CODEX_RUN_HOME", "", "it is reserved for codex-run"),
        ("CODEX_MODEL", "", "it is reserved for codex-run"),
        (
            "BOX_KEY",
            "of-the-box-0123456789",
            "models.json uses it as a key",
        ),
        ("UNSET_KEY", "", "models.json uses it as a key"),
        ("APP_ENV", KEY, value),
        ("APP_BEARER", &format!("Bearer {KEY}"), value),
        ("APP_BOX", "of-the-box-0123456789", value),
        ("APP_LITERAL", "literal-0123456789", value),
        ("APP_ACCESS", "stored-access-0123456789", value),
        ("APP_REFRESH", "stored-refresh-0123456789", value),
        ("APP_STORED", "stored-key-0123456789", value),
        ("NODE_ENV", "stored-key-0123456789", value),
    ];
    for (name, content, why) in reasons {
        let mut home = full();
        if !content.is_empty() {
            home = home.env(name, content);
        }
        // By its name: exit 2, in both commands and from a manifest.
        let words = format!("codex: cannot pass {name} to tools: {why}\n");
        let hint = "codex: hint: if a tool needs a key, give it a separate one, in a variable with a different name";
        by_hand(&home, &["--env", name])
            .exits(2)
            .stdout("")
            .says(&words)
            .says(hint);
        let ran = home.offline().args(["run", "--env", name, "x"]).run();
        ran.exits(2).stdout("").says(&words).says(hint);
        let manifest = json!({"name": "own", "description": "d", "parameters": {"type": "object"},
            "command": ["true"], "env": [name]});
        let path = home.root().join("own.json");
        fs::write(&path, manifest.to_string()).expect("a file");
        let path = path.display().to_string();
        let ran = home.offline().args(["run", "--tool", &path, "x"]).run();
        ran.exits(2).stdout("");
        let of_manifest = format!("cannot pass {name} to the tool own: {why}\n");
        let in_manifest = format!("{name} is reserved for codex-run and never passed to tools");
        assert!(
            ran.stderr.contains(&of_manifest) || ran.stderr.contains(&in_manifest),
            "{}",
            ran.stderr
        );
        // By a prefix: skipped, with a note if it is set.
        let prefix = format!("{}*", &name[..4]);
        let (ran, lines) = environment(&home, &["--env", &prefix]);
        let left = lines.iter().find(|l| l.starts_with(&format!("{name}=")));
        assert_eq!(left, None);
        if !content.is_empty() {
            ran.says(&format!("--env {prefix} omits "))
                .says(&format!("{name}: {why}"));
        }
    }
    // Unrelated variables are passed on all the same.
    let (_, lines) = environment(&full(), &["--env", "BOX_*"]);
    assert!(lines.contains(&"BOX_PORT=8080".to_owned()), "{lines:?}");
}

#[test]
fn copies_of_a_key_read_from_a_pipe_are_not_passed() {
    let home = Home::new().env("APP_COPY", KEY).env("NODE_ENV", KEY);
    home.file("key", KEY);
    let run = |flags: &str| {
        let server = Server::start([
            Reply::items([Item::call("bash", json!({"command": "env"}))]),
            Reply::text("done"),
        ]);
        let words = format!(r#"exec "$0" run --api-key-file <(cat key) {flags} x"#);
        let ran = home.codex(&server).within("bash", ["-c", &words]).run();
        (ran, server)
    };
    let (ran, server) = run("--env APP_COPY");
    ran.exits(2)
        .says("cannot pass APP_COPY to tools: its value holds a credential of codex-run");
    assert_eq!(server.requests().len(), 0);
    let (ran, server) = run("--env 'APP_*'");
    ran.exits(0).says("--env APP_* omits APP_COPY");
    let output = &crate::tools::outputs(&server)[0];
    assert!(
        output.contains("PATH=") && !output.contains(KEY),
        "{output}"
    );
}

#[test]
fn variables_with_credentials_as_values_are_not_passed_to_tools() {
    let names = [
        "OPENAI_API_KEY",
        "CODEX_API_KEY",
        "GITHUB_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "MY_TOKEN",
    ];
    let mut home = Home::new().env("HTTPS_PROXY", &format!("http://me:{KEY}@proxy.invalid:1"));
    for name in names {
        home = home.env(name, KEY);
    }
    for flags in [
        &[][..],
        &["--network"],
        &["-s", "danger-full-access"],
        &["-s", "workspace-write"],
    ] {
        // The proxy is for tools only: this request goes to this machine.
        let (_, outputs) = called(&home, flags, vec![bash("env")]);
        assert!(
            !outputs[0].contains(KEY) && outputs[0].contains("PATH="),
            "{flags:?}: {}",
            outputs[0]
        );
    }
}
