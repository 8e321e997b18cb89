//! Text chosen by others, such as claims of a token or names of directories and models, is printed inside lines of the
//! output. Line ends and control characters in it must not look like further lines, on a terminal or not.

use std::fs;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::home::{CommandOutput, Home};
use crate::standin::{Reply, Script, Server, now_unix};

/// Ends a line, begins one that looks like ours, and then sends terminal controls.
const EVIL: &str = "x\r\nfrom      elsewhere\ncodex: hint: run something\u{1b}[2J\tend";

/// How it is printed.
const SHOWN: &str = "x^M^Jfrom      elsewhere^Jcodex: hint: run something^[[2J^Iend";

/// A token with arbitrary claims.
fn token() -> String {
    let claims = json!({
        "exp": now_unix() + 864_000,
        "https://api.openai.com/profile": {"email": format!("mail{EVIL}")},
        "https://api.openai.com/auth": {
            "chatgpt_account_id": "acct-test",
            "chatgpt_plan_type": format!("plan{EVIL}"),
        },
    });
    let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    format!(
        "{}.{}.{}",
        part(r#"{"alg":"none"}"#),
        part(&claims.to_string()),
        part("x")
    )
}

/// No line begins the way the text tries to begin one.
fn is_whole(ran: &CommandOutput) {
    for text in [&ran.text(), &ran.stderr] {
        for line in text.lines() {
            assert!(!line.starts_with("from      elsewhere"), "{text}");
            assert!(!line.starts_with("codex: hint: run"), "{text}");
        }
        assert!(!text.contains(['\r', '\u{1b}', '\t']), "{text:?}");
    }
}

#[test]
fn claims_cannot_forge_lines() {
    let server = Server::start([]);
    let home = Home::new();
    let own = home.root().join(format!("home{EVIL}"));
    let own = own.to_str().expect("UTF-8");
    let codex = || home.codex(&server).env("CODEX_RUN_HOME", own);
    let login = codex().args(["login", "--with-access-token"]);
    let ran = login.input(token()).run();
    ran.exits(0)
        .says(&format!("Signed in as mail{SHOWN} (plan{SHOWN})."))
        .says(&format!("home{SHOWN}/auth.json.\n"));
    is_whole(&ran);
    let ran = codex().args(["status"]).run();
    ran.exits(0);
    is_whole(&ran);
    let names: Vec<String> = ran
        .text()
        .lines()
        .map(|line| line.split(' ').next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(names, ["method", "account", "plan", "expires", "from"]);
    assert!(ran.text().contains(&format!("plan      plan{SHOWN}\n")));
    // Programs receive it unchanged.
    let ran = codex().args(["status", "--json"]).run();
    let status: Value = serde_json::from_str(&ran.exits(0).text()).expect("JSON");
    assert_eq!(status["plan"], format!("plan{EVIL}"));
    is_whole(codex().args(["logout", "--local"]).run().exits(0));
}

#[test]
fn directory_names_cannot_forge_lines() {
    let home = Home::with_key();
    let directory = home.work().join(format!("dir{EVIL}"));
    fs::create_dir(&directory).expect("a directory");
    fs::write(directory.join("AGENTS.md"), b"\xff").expect("a file");
    let server = Server::start([Reply::text("ok")]);
    let mut cmd = home.codex(&server).args(["run", "--no-tools", "hi", "-C"]);
    cmd.command.arg(&directory);
    let ran = cmd.run();
    ran.exits(0)
        .says(&format!("dir{SHOWN}/AGENTS.md is ignored: it is not UTF-8"));
    is_whole(&ran);
    let ran = home.offline().args(["sessions"]).run();
    assert_eq!(ran.exits(0).text().lines().count(), 1, "{}", ran.text());
    assert!(ran.text().contains(&format!("dir{SHOWN}  hi\n")));
    is_whole(&ran);
    let mut cmd = home.offline().args(["run", "--no-tools", "hi", "-f"]);
    cmd.command.arg(directory.join("gone"));
    is_whole(cmd.run().exits(2));
}

#[test]
fn model_names_cannot_forge_lines() {
    let list = json!([{"slug": "gpt-5.5", "display_name": EVIL, "visibility": "list",
        "supported_reasoning_levels": [{"effort": EVIL}], "default_reasoning_level": EVIL}]);
    let server = Server::start(Script::default().models(list));
    let ran = Home::with_token().codex(&server).args(["models"]).run();
    ran.exits(0);
    is_whole(&ran);
    assert_eq!(ran.text().lines().count(), 2, "{}", ran.text());
}
