//! Every refusal of a renewal by the issuer: the message, the exit code, and that the file stays unchanged.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::home::Home;
use crate::needs::{Need, lacks};
use crate::standin::{Reply, Server};

/// Runs with an expired token and this response to the renewal. Only a temporary failure is retried, and a permanent refusal
/// never is.
fn check(status: u16, body: &str, exit: i32, reported: &str) {
    let server = Server::start([]);
    let (home, old) = Home::expired(&server);
    let before = home.auth_text();
    let replies = 20;
    server
        .issuer()
        .fail(replies, Reply::status(status, &[], body));
    let ran = home.codex(&server).args(["run", "--no-tools", "hi"]).run();
    ran.exits(exit)
        .stdout("")
        .says("cannot renew the sign-in: ")
        .says(reported);
    assert_eq!(home.auth_text(), before, "{status} {body}");
    let asked = server.issuer().refreshes();
    let permanent = exit == 4;
    let passes = matches!(status, 200 | 429 | 500..);
    assert_eq!(asked, if passes { 3 } else { 1 }, "{status} {body}");
    if permanent {
        for command in [&["run", "--no-tools", "hi"][..], &["token"], &["status"]] {
            let mut again = home.codex(&server);
            again.command.args(command);
            again
                .run()
                .exits(4)
                .says("cannot renew the sign-in: ")
                .says(reported);
        }
        assert_eq!(server.issuer().refreshes(), asked, "it is not asked again");
    }
    let memory = fs::read_to_string(home.own().join("auth.json.lock")).expect("it is there");
    assert!(
        !memory.contains("rt_") && !memory.contains("eyJ"),
        "{memory}"
    );
    assert!(server.issuer().is_live(&old.refresh), "nothing was spent");
    assert!(
        server
            .requests()
            .iter()
            .all(|request| request.path == "/oauth/token")
    );
}

#[test]
fn a_permanent_refusal_ends_the_sign_in() {
    let error = |code: &str, message: &str| {
        json!({"error": {"code": code, "message": message}}).to_string()
    };
    check(
        401,
        &error("refresh_token_expired", "Too old."),
        4,
        "Too old. (refresh_token_expired) [HTTP 401]",
    );
    check(
        401,
        &error("refresh_token_reused", "Used."),
        4,
        "the service refused the saved token: Used. (refresh_token_reused)",
    );
    check(
        400,
        &error("refresh_token_reused", "Used."),
        4,
        "Used. (refresh_token_reused) [HTTP 400]",
    );
    check(
        401,
        &error("refresh_token_invalidated", "Revoked."),
        4,
        "(refresh_token_invalidated)",
    );
    check(
        400,
        r#"{"error":"invalid_grant"}"#,
        4,
        "invalid_grant [HTTP 400]",
    );
    check(
        400,
        r#"{"error":"invalid_grant","error_description":"Gone."}"#,
        4,
        "Gone. (invalid_grant)",
    );
    check(
        403,
        r#"{"code":"refresh_token_expired"}"#,
        4,
        "refresh_token_expired [HTTP 403]",
    );
    check(401, "", 4, "no reason given [HTTP 401]");
    check(401, "who are you?", 4, "who are you? [HTTP 401]");
}

#[test]
fn a_temporary_failure_keeps_the_sign_in() {
    let error = |code: &str, message: &str| {
        json!({"error": {"code": code, "message": message}}).to_string()
    };
    std::thread::scope(|scope| {
        scope.spawn(|| check(500, "oops", 7, "oops [HTTP 500]"));
        scope.spawn(|| {
            check(
                503,
                "<html>busy</html>",
                7,
                "a web page instead of an answer [HTTP 503]",
            )
        });
        scope.spawn(|| check(429, r#"{"detail":"Slow down"}"#, 7, "Slow down [HTTP 429]"));
        scope.spawn(|| {
            check(
                200,
                "<html>sign in</html>",
                7,
                "the response cannot be parsed",
            )
        });
        scope.spawn(|| check(200, "{}", 7, "the response cannot be parsed"));
        scope.spawn(|| check(302, "", 7, "no reason given [HTTP 302]"));
        let country = error("unsupported_country_region_territory", "Not here.");
        scope.spawn(move || {
            check(
                403,
                &country,
                5,
                "Not here. (unsupported_country_region_territory) [HTTP 403]",
            )
        });
    });
}

#[test]
fn an_unreachable_issuer_keeps_the_sign_in() {
    let server = Server::start([]);
    let (home, _) = Home::expired(&server);
    let before = home.auth_text();
    let cmd = home
        .codex(&server)
        .env("CODEX_RUN_ISSUER", "http://127.0.0.1:9");
    let ran = cmd.args(["token"]).run();
    ran.exits(7)
        .stdout("")
        .says("cannot renew the sign-in: cannot connect");
    assert_eq!((home.auth_text(), server.connections()), (before, 0));
}

#[test]
fn a_token_that_the_issuer_echoes_is_not_printed() {
    let server = Server::start([]);
    let (home, old) = Home::expired(&server);
    let body =
        json!({"error": {"code": "invalid_grant", "message": format!("Bad {}.", old.refresh)}});
    server.issuer().fail(1, Reply::json(400, &body));
    home.codex(&server)
        .args(["token"])
        .run()
        .exits(4)
        .says("Bad ***. (invalid_grant)");
}

/// Recorded refusals, which are stored outside the repository on its developers' machines.
#[test]
fn recorded_refusals_are_reported_in_full() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/fixtures/errors");
    if lacks(&Need::RECORDED_REFUSALS) {
        return;
    }
    for (name, exit) in [("i01-", 5), ("i03-", 4), ("i04-", 4), ("i05-", 4)] {
        let path = fs::read_dir(&folder).ok().and_then(|entries| {
            let mut paths = entries.flatten().map(|entry| entry.path());
            paths.find(|path| {
                path.file_name()
                    .is_some_and(|file| file.to_string_lossy().starts_with(name))
            })
        });
        let path = path.expect("a recording");
        let recorded: Value =
            serde_json::from_slice(&fs::read(path).expect("a file")).expect("JSON");
        let status = recorded["status"]
            .as_u64()
            .and_then(|status| u16::try_from(status).ok())
            .expect("a status");
        let full = &recorded["body"]["error"]["message"];
        let message = full.as_str().or(recorded["body_message_only"].as_str());
        let message = message.expect("a message");
        let body = if full.is_null() {
            json!({"error": {"message": message}}).to_string()
        } else {
            recorded["body"].to_string()
        };
        check(status, &body, exit, message);
    }
}

#[test]
fn a_renewal_in_any_form_is_used_and_its_token_never_lost() {
    let check = |shape: &dyn Fn(&str, &str) -> Reply| {
        let server = Server::start([Reply::text("ok")]);
        let (home, _) = Home::expired(&server);
        let new = server.issuer().grant("acct-test");
        server.issuer().fail(1, shape(&new.access, &new.refresh));
        let ran = home.codex(&server).args(["run", "--no-tools", "hi"]).run();
        ran.exits(0).stdout("ok\n").stderr("");
        assert_eq!(home.refresh_token(), new.refresh);
        assert_eq!(server.issuer().refreshes(), 1);
    };
    let answer = |body: String| Reply::status(200, &[("content-type", "application/json")], body);
    check(&|access, refresh| {
        Reply::json(
            200,
            &json!({"access_token": access, "refresh_token": refresh, "id_token": {"raw": "x"}}),
        )
    });
    let both = |access: &str, refresh: &str| {
        format!(r#""access_token":"{access}","refresh_token":"{refresh}""#)
    };
    check(&|access, refresh| answer(format!("\u{feff}{{{}}}", both(access, refresh))));
    check(&|access, refresh| {
        answer(format!(
            r#"{{"access_token":"old",{}}}"#,
            both(access, refresh)
        ))
    });
    check(&|access, refresh| {
        answer(format!(
            r#"{{"access_token":" {access}","refresh_token":"{refresh}\n"}}"#
        ))
    });
    check(&|access, refresh| answer(format!("{{{},}} and more", both(access, refresh))));
    // The connection breaks after the tokens.
    check(&|access, refresh| {
        let whole = format!("{{{},\"scope\":\"a b c\"}}", both(access, refresh));
        let reply = answer(whole.clone());
        reply.cut_at(whole.len() - 8)
    });
}
