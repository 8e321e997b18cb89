//! `config.json`: defaults for the flags of `run`. A default applies if neither a flag nor a variable is set, and
//! `--dry-run -v` shows where every value comes from. Errors in the file are tested in `broken_files`.

use std::fs;

use serde_json::{Value, json};

use crate::catalogue::PNG;
use crate::home::{CommandOutput, Home, KEY};
use crate::standin::{Reply, Server};
use crate::tools::bash;

impl Home {
    /// Writes these defaults to the home.
    pub(crate) fn configure(&self, text: &str) {
        fs::create_dir_all(self.own()).expect("a directory");
        fs::write(self.own().join("config.json"), text).expect("a file");
    }
}

fn dry(home: &Home, args: &[&str]) -> CommandOutput {
    let mut cmd = home.offline().args(["run", "--dry-run"]);
    cmd.command.args(args).arg("hi");
    cmd.run()
}

/// A home with files that defaults may name: in its own directory, in the user's, and in the working directory.
fn home_with_files() -> Home {
    let home = Home::with_key();
    fs::create_dir_all(home.own()).expect("a directory");
    for place in [home.own(), home.root().to_owned(), home.work()] {
        let name = place.file_name().expect("a name").to_string_lossy();
        fs::write(place.join("in.txt"), format!("text of {name}")).expect("a file");
        fs::write(place.join("a.png"), PNG).expect("a file");
        fs::write(place.join("key"), KEY).expect("a file");
    }
    fs::create_dir(home.root().join("further")).expect("a directory");
    let manifest = json!({"name": "lookup", "description": "d", "command": ["/bin/true"],
        "parameters": {"type": "object", "properties": {}}});
    fs::write(home.own().join("lookup.json"), manifest.to_string()).expect("a file");
    home
}

/// Each line: a flag, its value in the file, and the same on the command line, where `@` is our directory.
const SAME: &str = r#"
    model | "gpt-5.5" | -m gpt-5.5
    effort | "high" | -e high
    verbosity | "low" | --verbosity low
    summary | "auto" | --summary auto
    image | "a.png" | -i @/a.png
    image | ["a.png", "~/a.png"] | -i @/a.png -i @/../a.png
    file | ["in.txt"] | -f @/in.txt
    instructions | "in.txt" | --instructions @/in.txt
    append-instructions | ["one", "two"] | --append-instructions one --append-instructions two
    append-instructions | "one" | --append-instructions one
    sandbox | "workspace-write" | -s workspace-write
    tools | "read,ls" | --tools read,ls
    no-tools | true | --no-tools
    tool | "lookup.json" | --tool @/lookup.json
"#;

#[test]
fn a_default_does_what_its_flag_does() {
    let home = home_with_files();
    let plain = dry(&home, &[]).exits(0).text();
    for line in SAME.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let parts: Vec<&str> = line.split(" | ").collect();
        let flags = parts[2].replace('@', &home.own().display().to_string());
        home.configure("{}");
        let flags: Vec<&str> = flags.split(' ').collect();
        let by_flags = dry(&home, &flags).exits(0).text();
        assert_ne!(by_flags, plain, "{line}");
        home.configure(&format!("{{\"{}\": {}}}", parts[0], parts[1]));
        let by_file = dry(&home, &[]).exits(0).text();
        // A file is reported under its resolved path.
        let own = home.own().display().to_string();
        let root = home.root().display().to_string();
        let by_flags = by_flags.replace(&format!("{own}/.."), &root);
        assert_eq!(by_file, by_flags, "{line}");
    }
}

#[test]
fn each_kind_of_default_is_shown_with_its_origin() {
    let home = home_with_files();
    let (own, root) = (
        home.own().display().to_string(),
        home.root().display().to_string(),
    );
    let file = format!("{own}/config.json");
    for (name, value, reported) in [
        ("network", "true", "yes"),
        ("no-agents-md", "true", "yes"),
        ("no-stdin", "true", "yes"),
        ("buffer", "true", "yes"),
        ("sandbox", "\"workspace-write\"", "workspace-write"),
        ("max-turns", "7", "7"),
        ("max-tokens", "\"70\"", "70"),
        ("max-tool-calls", "0", "0"),
        ("retries", "0", "0"),
        ("timeout", "90", "90"),
        ("tool-timeout", "\"15m\"", "15m"),
        ("idle-timeout", "\"300ms\"", "300ms"),
        ("wait-for-reset", "\"2h\"", "2h"),
        ("fail-on", "\"tool-error\"", "tool-error"),
        ("env", "[\"PATH\"]", "PATH"),
        ("cd", "\"../work\"", &format!("{own}/../work")),
        ("add-dir", "\"~/further\"", &format!("{root}/further")),
        ("file", "\"in.txt\"", &format!("{own}/in.txt")),
        (
            "file",
            &format!("\"{root}/in.txt\""),
            &format!("{root}/in.txt"),
        ),
        ("color", "\"never\"", "never"),
    ] {
        home.configure(&format!("{{\n  \"{name}\": {value}}}"));
        let ran = dry(&home, &["-v"]);
        let place = format!("{file}:2:{}", name.len() + 7);
        ran.exits(0)
            .says(&format!("codex: {name} {reported}: from {place}\n"));
        assert_eq!(ran.stderr.matches(&place).count(), 1, "{}", ran.stderr);
    }
    // A default that is switched off counts as unset.
    home.configure(r#"{"network": false, "no-tools": false, "quiet": false}"#);
    let ran = dry(&home, &["-v"]);
    ran.exits(0)
        .says("codex: network no: the default\n")
        .says("codex: retries 5: the default\n");
    assert!(
        !ran.stderr.contains("config.json") && ran.text().contains("\"bash\""),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_flag_overrides_a_variable_and_a_variable_a_default() {
    let home = Home::with_key();
    home.configure(r#"{"model": "of-config", "effort": "high", "add-dir": ["/tmp"]}"#);
    let place = format!(
        "\"model\" in {}:1:11",
        home.own().join("config.json").display()
    );
    let asked = |args: &[&str], variable: &str| {
        let mut cmd = home
            .offline()
            .args(["run", "--dry-run", "-v", "hi"])
            .env("CODEX_MODEL", variable);
        cmd.command.args(args);
        let ran = cmd.run();
        let shown: Value = serde_json::from_str(&ran.exits(0).text()).expect("JSON");
        (
            shown["body"]["model"].as_str().expect("a model").to_owned(),
            ran,
        )
    };
    for (args, variable, model, from) in [
        (&["-m", "of-flag"][..], "of-variable", "of-flag", "--model"),
        (&["-m", "of-flag"], "", "of-flag", "--model"),
        (&[], "of-variable", "of-variable", "CODEX_MODEL"),
        (&[], "", "of-config", &place),
    ] {
        let (asked, ran) = asked(args, variable);
        assert_eq!(asked, model);
        ran.says(&format!("codex: model {model}: from {from}\n"))
            .says("codex: credential: from OPENAI_API_KEY\n");
    }
    let (_, ran) = asked(&["-e", "low", "--add-dir", "."], "");
    ran.says("codex: effort low: from --effort\n")
        .says("codex: add-dir .: from the command line\n");
    assert!(
        !ran.stderr.contains("add-dir /tmp"),
        "a list is not added to: {}",
        ran.stderr
    );
    home.configure("{}");
    let (model, ran) = asked(&[], "");
    assert_eq!(model, "gpt-6.2-sol");
    ran.says("codex: model gpt-6.2-sol: from the built-in list of models\n");
}

#[test]
fn a_flag_overrides_a_default_that_conflicts_with_it() {
    let home = home_with_files();
    let check = |file: &str, args: &[&str], tools: &[&str], reported: &str| {
        home.configure(file);
        let ran = dry(&home, args);
        let shown: Value = serde_json::from_str(&ran.exits(0).text()).expect("JSON");
        let offered = shown["body"]["tools"].as_array().into_iter().flatten();
        let offered: Vec<&str> = offered.filter_map(|tool| tool["name"].as_str()).collect();
        assert_eq!(offered, tools, "{file} {args:?}");
        assert_eq!(
            ran.stderr.contains("codex: model "),
            reported == "verbose",
            "{}",
            ran.stderr
        );
        assert_eq!(
            ran.stderr.is_empty(),
            reported != "verbose",
            "{}",
            ran.stderr
        );
    };
    let all = ["bash", "read", "edit", "write"];
    check(r#"{"tools": "read"}"#, &["--no-tools"], &[], "");
    check(r#"{"tool": "lookup.json"}"#, &["--no-tools"], &[], "");
    check(r#"{"no-tools": true}"#, &["--tools", "ls"], &["ls"], "");
    check(r#"{"no-tools": true, "verbose": true}"#, &["-q"], &[], "");
    check(r#"{"quiet": true}"#, &["-v"], &all, "verbose");
    check(r#"{"verbose": true}"#, &[], &all, "verbose");
}

#[test]
fn the_credentials_file_is_set_by_flag_then_variable_then_config() {
    let home = Home::new();
    let entry = json!({"openai": {"type": "api_key", "key": KEY}}).to_string();
    for place in [home.own(), home.root().join("below"), home.work()] {
        fs::create_dir_all(&place).expect("a directory");
        fs::write(place.join("own.json"), &entry).expect("a file");
    }
    let own = home.own().display().to_string();
    let root = home.root().display().to_string();
    let check = |named: &str, args: &[&str], variable: &str, file: &str| {
        home.configure(&json!({"auth-file": named}).to_string());
        let mut cmd = home
            .offline()
            .args(["status", "--json"])
            .env("CODEX_RUN_AUTH_FILE", variable);
        cmd.command.args(args);
        let shown: Value = serde_json::from_str(&cmd.run().exits(0).text()).expect("JSON");
        let source = shown["source"].as_str().expect("a source");
        assert!(
            source.ends_with(file),
            "{named} {args:?} {variable}: {source} is not {file}"
        );
    };
    check("own.json", &[], "", &format!("{own}/own.json"));
    check(
        "~/below/own.json",
        &[],
        "",
        &format!("{root}/below/own.json"),
    );
    check(
        &format!("{root}/work/own.json"),
        &[],
        "",
        &format!("{root}/work/own.json"),
    );
    check(
        "gone.json",
        &[],
        "~/below/own.json",
        &format!("{root}/below/own.json"),
    );
    check(
        "gone.json",
        &["--auth-file", "own.json"],
        "gone.json",
        "own.json",
    );
    home.configure("{}");
    home.offline().args(["status"]).run().exits(4);
}

#[test]
fn other_commands_use_the_credentials_file_of_the_configuration() {
    let server = Server::start([Reply::text("ok")]);
    let (home, tokens) = Home::signed_in(&server);
    let elsewhere = home.root().join("elsewhere.json");
    fs::rename(home.auth(), &elsewhere).expect("a file");
    home.codex(&server).args(["token"]).run().exits(4);
    home.configure(r#"{"auth-file": "~/elsewhere.json", "effort": "high"}"#);
    let token = home.codex(&server).args(["token"]).run();
    assert_eq!(token.text().trim_end(), tokens.access, "{}", token.stderr);
    home.codex(&server)
        .args(["run", "--no-tools", "hi"])
        .run()
        .exits(0)
        .stdout("ok\n");
    assert_eq!(home.models(&server)["source"], "service");
    home.codex(&server).args(["logout"]).run().exits(0);
    assert!(!fs::read_to_string(&elsewhere).is_ok_and(|text| text.contains("rt_")));
    assert_eq!(server.issuer().revocations().len(), 1);
    home.codex(&server).args(["status"]).run().exits(4);
}

#[test]
fn colours_are_set_by_flag_then_variable_then_config() {
    let server = Server::start(vec![Reply::text("ok"); 10]);
    let home = Home::with_token();
    // Exactly one note is reported here.
    let check = |file: &str, args: &[&str], variable: (&str, &str), coloured: bool| {
        home.configure(file);
        let cmd = home
            .codex(&server)
            .args(["run", "--no-tools", "-m", "brandnew", "hi"]);
        let mut cmd = cmd.env(variable.0, variable.1);
        cmd.command.args(args);
        let ran = cmd.run();
        ran.exits(0).says("it is sent unchanged");
        assert_eq!(
            ran.stderr.contains('\u{1b}'),
            coloured,
            "{file} {args:?} {variable:?}: {:?}",
            ran.stderr
        );
    };
    let (always, never) = (r#"{"color": "always"}"#, r#"{"color": "never"}"#);
    check("{}", &[], ("X", ""), false);
    check(always, &[], ("X", ""), true);
    check(always, &[], ("NO_COLOR", "1"), false);
    check(always, &[], ("NO_COLOR", ""), true);
    check(always, &["--color", "never"], ("X", ""), false);
    check(always, &["--color", "always"], ("NO_COLOR", "1"), true);
    check(never, &[], ("CLICOLOR_FORCE", "1"), true);
    check(never, &["--color", "always"], ("X", ""), true);
}

#[test]
fn error_messages_follow_the_configured_colours() {
    let home = Home::with_key();
    for (file, coloured) in [
        ("{}", false),
        (r#"{"color": "always"}"#, true),
        (r#"{"color": "never"}"#, false),
    ] {
        home.configure(file);
        let ran = home
            .offline()
            .args(["run", "--no-tools", "--retries", "0", "hi"])
            .run();
        ran.exits(7).says("cannot reach the service");
        assert_eq!(
            ran.stderr.contains('\u{1b}'),
            coloured,
            "{file}: {:?}",
            ran.stderr
        );
    }
}

#[test]
fn a_configured_budget_ends_a_run() {
    let server = Server::start([Reply::items([bash("true")])]);
    let home = Home::with_key();
    home.configure(r#"{"max-turns": 1, "sandbox": "danger-full-access"}"#);
    home.codex(&server)
        .args(["run", "hi"])
        .run()
        .exits(9)
        .says("the limit of 1 request has been reached");
    assert_eq!(server.requests().len(), 1);
}
