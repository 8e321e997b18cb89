//! Credentials are hidden in every home of the user, whatever `HOME` and `CODEX_RUN_HOME` are set to, and behind links in
//! those homes.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::home::{Cmd, Home, KEY};
use crate::needs::{Need, lacks};
use crate::standin::{Reply, Server};
use crate::tools::{bash, called, outputs};

const SECRET: &str = "rt-kept-at-home";

/// Credentials of all kinds below this home.
fn add_credentials(home: &Path) {
    for directory in [".codex-run", ".codex", ".pi/agent"] {
        let directory = home.join(directory);
        fs::create_dir_all(&directory).expect("a directory");
        // Not in the form of a sign-in: a run that uses this home must not fail on it.
        fs::write(directory.join("auth.json.kept"), SECRET).expect("a file");
    }
}

/// A command that reads all of them.
fn reading(home: &Path) -> String {
    let home = home.display();
    format!(
        "cat {home}/.codex-run/auth.json.kept; cat {home}/.codex/auth.json.kept; cat {home}/.pi/agent/auth.json.kept; \
         echo tried"
    )
}

#[test]
fn the_default_home_is_hidden_when_a_different_one_is_used() {
    let home = Home::with_key();
    add_credentials(home.root());
    let elsewhere = home.root().join("profile").display().to_string();
    let home = home.env("CODEX_RUN_HOME", &elsewhere);
    for flags in [&[][..], &["-s", "workspace-write"]] {
        let (_, outputs) = called(&home, flags, vec![bash(&reading(home.root()))]);
        assert!(
            outputs[0].contains("tried\n") && !outputs[0].contains(SECRET),
            "{flags:?}: {}",
            outputs[0]
        );
    }
    for other in [".codex", ".pi"] {
        fs::remove_dir_all(home.root().join(other)).expect("it is ours");
    }
    let root = home.root().display().to_string();
    let cmd = home.offline().args(["run", "-s", "workspace-write", "x"]);
    let cmd = cmd.env("CODEX_RUN_HOME", "/nowhere/profile");
    let cmd = cmd.within("sh", ["-c", "cd ..; exec \"$0\" \"$@\""]);
    cmd.run().exits(2).says(&format!(
        "cannot let tools write to {root}: {root}/.codex-run contains credentials"
    ));
    // A missing home could be created.
    let work = home.work().display().to_string();
    let server = Server::start([Reply::text("done")]);
    let cmd = home
        .codex(&server)
        .args(["run", "-s", "workspace-write", "x"]);
    cmd.env("HOME", &work).run().exits(0).says(&format!(
        "tools can create {work}/.codex-run, which a run without CODEX_RUN_HOME would use as its home"
    ));
}

/// Runs the command with these lines in `/etc/passwd`, in a separate namespace. Exit 99 if nothing can be mounted.
fn with_passwd(cmd: Cmd, home: &Home, lines: &str) -> Cmd {
    let file = home.root().join("passwd");
    fs::write(&file, lines).expect("a file");
    let file = file.display().to_string();
    let script = "mount --bind \"$1\" /etc/passwd || exit 99; shift; exec \"$@\"";
    cmd.within("unshare", ["-m", "sh", "-c", script, "sh", &file])
}

#[test]
fn the_home_in_etc_passwd_is_hidden_whatever_home_is_set_to() {
    if lacks(&Need::MOUNTS) {
        return;
    }
    let home = Home::with_key();
    let of_passwd = home.root().join("of-passwd");
    add_credentials(&of_passwd);
    let user = rustix::process::geteuid().as_raw();
    let lines = format!(
        "other:x:7:7::/:/bin/sh\nme:x:{user}:{user}:Me,,,:{}:/bin/sh\n",
        of_passwd.display()
    );
    for variable in [
        None,
        Some(""),
        Some("."),
        Some("no/where"),
        Some("/nowhere"),
    ] {
        let server = Server::start([
            Reply::items([bash(&reading(&of_passwd))]),
            Reply::text("done"),
        ]);
        let mut cmd = home.codex(&server).args(["run", "x"]).without("HOME");
        if let Some(value) = variable {
            cmd = cmd.env("HOME", value);
        }
        with_passwd(cmd, &home, &lines).run().exits(0);
        let outputs = &outputs(&server)[0];
        assert!(
            outputs.contains("tried\n") && !outputs.contains(SECRET),
            "{variable:?}: {outputs}"
        );
    }
}

#[test]
fn without_a_home_no_sandboxed_tools_are_offered() {
    if lacks(&Need::MOUNTS) {
        return;
    }
    let home = Home::with_key();
    let lines = "other:x:4000000:7::/home/other:/bin/sh\n";
    let run = |variable: Option<&str>, args: &[&str]| {
        let server = Server::start([Reply::text("done")]);
        let mut cmd = home.codex(&server).args(["run"]).without("HOME");
        cmd.command.args(args).arg("x");
        if let Some(value) = variable {
            cmd = cmd.env("HOME", value);
        }
        with_passwd(cmd, &home, lines).run()
    };
    for (variable, words) in [
        (None, "HOME is not set"),
        (Some(""), "HOME is not set"),
        (Some("."), "HOME is ."),
    ] {
        for args in [&[][..], &["--dry-run"], &["-s", "workspace-write"]] {
            run(variable, args)
                .exits(2)
                .stdout("")
                .says(&format!("cannot hide credentials from tools: {words}, and"))
                .says("hint: set HOME to an absolute path");
        }
        run(variable, &["--no-tools"]).exits(0);
        run(variable, &["-s", "danger-full-access"]).exits(0);
    }
    run(Some("/nowhere"), &[]).exits(0);
}

/// Puts a link into a directory, and its target elsewhere.
fn linked(home: &Home, link: &str, target: &str, is_directory: bool) {
    let (link, target) = (home.root().join(link), home.root().join(target));
    for path in [&link, &target] {
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
    }
    if is_directory {
        fs::create_dir_all(&target).expect("a directory");
        fs::write(target.join("f"), SECRET).expect("a file");
    } else {
        fs::write(&target, SECRET).expect("a file");
    }
    symlink(&target, &link).expect("a link");
}

#[test]
fn targets_of_links_in_a_home_are_hidden_too() {
    let home = Home::new().env("CODEX_API_KEY", KEY);
    let home = {
        let pi = home.root().join("pi").display().to_string();
        home.env("PI_CODING_AGENT_DIR", &pi)
    };
    for (link, target, is_directory) in [
        // Not where a run would read them: their contents would have to be valid.
        (".codex-run/auth.old.json", "dot/a/auth.old.json", false),
        (".codex-run/sessions", "dot/sessions", true),
        (".codex-run/history", "dot/history", true),
        (".codex/auth.json", "dot/b/auth.json", false),
        (".codex/config.toml", "dot/b/config.toml", false),
        (".pi/agent/models.json", "dot/c/models.json", false),
        ("pi/auth.json", "dot/d/auth.json", false),
    ] {
        linked(&home, link, target, is_directory);
    }
    // A chain of links, of which the middle one is the name of a secret too.
    fs::create_dir_all(home.root().join("chain")).expect("a directory");
    fs::write(home.root().join("chain/end"), SECRET).expect("a file");
    symlink("end", home.root().join("chain/middle")).expect("a link");
    symlink("../chain/middle", home.root().join(".codex-run/spare")).expect("a link");
    // What is meant for tools, and what contains everything.
    linked(&home, ".codex/AGENTS.md", "dot/AGENTS.md", false);
    linked(&home, ".codex/skills", "dot/skills", true);
    fs::write(home.root().join("dot/AGENTS.md"), "Be kind.").expect("a file");
    fs::write(home.root().join("dot/skills/f"), "skilled").expect("a file");
    symlink(home.root(), home.root().join(".codex/up")).expect("a link");
    let command = "cd ..; find dot chain -type f -exec cat {} +; ls -d dot; echo tried";
    let (_, outputs) = called(&home, &[], vec![bash(command)]);
    assert!(
        outputs[0].contains("tried\n") && !outputs[0].contains(SECRET),
        "{}",
        outputs[0]
    );
    for kept in ["Be kind.", "skilled", "dot\n"] {
        assert!(outputs[0].contains(kept), "{kept}: {}", outputs[0]);
    }
    // models.json of this very run, as people keep it with their other settings.
    let providers = format!(
        r#"{{"providers":{{"box":{{"baseUrl":"https://llm.example.com/v1","apiKey":"{SECRET}"}}}}}}"#
    );
    linked(&home, ".codex-run/models.json", "dot/models.json", false);
    fs::write(home.root().join("dot/models.json"), providers).expect("a file");
    let (_, outputs) = called(
        &home,
        &[],
        vec![bash("cat ../dot/models.json ../.codex-run/models.json")],
    );
    assert!(!outputs[0].contains(SECRET), "{}", outputs[0]);
}

#[test]
fn tools_cannot_write_to_targets_of_links_in_the_codex_run_home() {
    let home = Home::with_key();
    let own = home.root().join(".codex-run");
    fs::create_dir_all(&own).expect("a directory");
    let work = home.work().display().to_string();
    let refused = |name: &str, words: &str| {
        let ran = home
            .offline()
            .args(["run", "-s", "workspace-write", "x"])
            .run();
        ran.exits(2)
            .says(&format!("cannot let tools write to {work}: "))
            .says(words);
        fs::remove_file(own.join(name)).expect("it was made");
    };
    for (name, words) in [
        ("config.json", "contains credentials"),
        ("sessions", "contains credentials"),
        (
            "tools",
            "/.codex-run/tools, which is codex-run's tools folder",
        ),
    ] {
        // Nothing exists there yet: tools could create it.
        symlink(home.work().join("planted"), own.join(name)).expect("a link");
        refused(name, words);
    }
    fs::create_dir_all(own.join("tools")).expect("a directory");
    symlink(home.work().join("planted"), own.join("tools/x.json")).expect("a link");
    let ran = home
        .offline()
        .args(["run", "--tools", "bash", "-s", "workspace-write", "x"])
        .run();
    ran.exits(2);
}

#[test]
fn the_default_credentials_file_is_hidden_when_a_different_one_is_used() {
    let home = Home::new().env("CODEX_API_KEY", KEY);
    fs::create_dir_all(home.root().join(".codex-run")).expect("a directory");
    for name in ["of-config", "key-of-config", "of-variable"] {
        fs::write(home.root().join(name), SECRET).expect("a file");
    }
    let config = r#"{"auth-file": "../of-config", "api-key-file": "../key-of-config"}"#;
    fs::write(home.root().join(".codex-run/config.json"), config).expect("a file");
    let variable = home.root().join("of-variable").display().to_string();
    let home = home.env("CODEX_RUN_AUTH_FILE", &variable);
    let used = home.root().join("used.json").display().to_string();
    let command = "cat ../of-config ../key-of-config ../of-variable; echo tried";
    let (_, outputs) = called(&home, &["--auth-file", &used], vec![bash(command)]);
    assert!(
        outputs[0].contains("tried\n") && !outputs[0].contains(SECRET),
        "{}",
        outputs[0]
    );
}

#[test]
fn a_credentials_file_with_two_hard_links_is_reported() {
    let home = Home::with_key();
    let own = home.root().join(".codex-run");
    fs::create_dir_all(&own).expect("a directory");
    fs::write(own.join("auth.json"), "{}\n").expect("a file");
    let run = || {
        let (ran, _) = called(&home, &[], vec![bash("true")]);
        ran.stderr.contains("has 2 hard links")
    };
    assert!(!run());
    fs::hard_link(own.join("auth.json"), home.root().join("copy")).expect("a link");
    assert!(run());
}
