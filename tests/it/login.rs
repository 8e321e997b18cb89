//! Signing in with a browser: it completes by itself, or the final address is pasted.

use std::io::Write;
use std::net::{Ipv4Addr, TcpStream};
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::browser::{SignIn, call, code, ports};
use crate::home::{Home, KEY, until};
use crate::models::LIST;
use crate::standin::{Decision, Reply, Script, Server, browse, jwt, now_unix};
use crate::stops::TERM;

#[test]
fn a_browser_sign_in_completes() {
    let _turn = ports();
    let (server, home) = (Server::start([Reply::text("ok")]), Home::new());
    let sign_in = SignIn::begin(home.codex(&server).piped().args(["login", "--no-browser"]));
    let page = browse(&sign_in.address);
    assert_eq!(page, Ok(200));
    let ran = sign_in.end();
    ran.exits(0)
        .stdout("")
        .says("Signed in as ada@example.com (plus). The sign-in is stored in ");
    assert_eq!(server.lists().len(), 1, "the list of models comes with it");
    let exchange = server.requests().pop().expect("a request");
    let form = String::from_utf8_lossy(&exchange.body).into_owned();
    let field = |name: &str| {
        form.split('&')
            .find(|f| f.starts_with(name))
            .map(str::to_owned)
    };
    assert_eq!(
        field("redirect_uri=").as_deref(),
        Some("redirect_uri=http%3A%2F%2Flocalhost%3A1455%2Fauth%2Fcallback")
    );
    assert_eq!(
        field("code_verifier=").map(|verifier| verifier.len()),
        Some(14 + 86)
    );
    home.is_private();
    let file = home.auth_json();
    let entry = &file["openai-codex"];
    assert_eq!(
        (entry["type"].as_str(), entry["accountId"].as_str()),
        (Some("oauth"), Some("acct-standin"))
    );
    assert!(entry["expires"].as_u64().expect("a number") > now_unix() * 1000);
    home.codex(&server)
        .args(["run", "--no-tools", "hi"])
        .run()
        .exits(0)
        .stdout("ok\n");
}

#[test]
fn the_list_of_models_comes_with_the_sign_in() {
    let (server, home) = (Server::start([Reply::text("ok")]), Home::new());
    let sign_in = home.codex(&server).args(["login", "--with-access-token"]);
    let sign_in = sign_in.input(jwt("acct-1", now_unix() + 5000)).run();
    sign_in.exits(0).says("The sign-in is stored in ");
    let lists = server.lists();
    assert_eq!(lists.len(), 1);
    assert_eq!(lists[0].header("chatgpt-account-id"), Some("acct-1"));
    assert_eq!(home.models(&server)["source"], "cache");
    let cmd = home.codex(&server).args(["run", "--no-tools", "hi"]);
    cmd.run().exits(0).stderr("");
    assert_eq!(server.lists().len(), 1, "the run knows it");
}

#[test]
fn a_missing_model_list_does_not_fail_the_sign_in() {
    let replies = [
        Reply::status(500, &[], "oops"),
        Reply::status(401, &[], "{}"),
        Reply::status(200, &[], "<html>hello</html>"),
        Reply::json(200, &json!({"models": []})).cut_at(3),
    ];
    for reply in replies {
        let server = Server::start(Script::default().fix("GET", LIST, reply));
        let home = Home::new();
        let cmd = home.codex(&server).args(["login", "--with-access-token"]);
        let ran = cmd.input(jwt("acct-1", now_unix() + 5000)).run();
        ran.exits(0).says("The sign-in is stored in ");
        assert!(!ran.stderr.contains("models"), "{}", ran.stderr);
        assert_eq!(server.lists().len(), 1);
    }
    // Nor is an address that only runs need.
    let home = Home::new();
    let cmd = home
        .offline()
        .env("CODEX_RUN_BASE_URL", "http://far.example");
    let cmd = cmd.input(jwt("acct-1", now_unix() + 5000));
    let ran = cmd.args(["login", "--with-access-token"]).run();
    ran.exits(0).says("The sign-in is stored in ");
    assert!(!home.own().join("models_cache.json").exists());
}

#[test]
fn a_stray_callback_gets_an_error_page_and_the_wait_continues() {
    let _turn = ports();
    let (server, home) = (Server::start([]), Home::new());
    let sign_in = SignIn::begin(home.codex(&server).piped().args(["login", "--no-browser"]));
    for (target, status) in [
        ("/auth/callback?code=x&state=wrong", 400),
        ("/auth/callback?code=x", 400),
        ("/auth/callback?error=access_denied&state=wrong", 400),
        ("/auth/callback", 400),
        ("/favicon.ico", 404),
        ("/", 404),
    ] {
        let (found, answer) = call(1455, target);
        assert_eq!(found, status, "{target}: {answer}");
        assert!(
            answer.contains("no-store") && answer.contains("default-src 'none'"),
            "{answer}"
        );
    }
    // A client that connects and sends nothing does not block the callback.
    let _silent = TcpStream::connect((Ipv4Addr::LOCALHOST, 1455)).expect("it listens");
    assert_eq!(browse(&sign_in.address), Ok(200));
    sign_in.end().exits(0);
}

#[test]
fn a_denied_sign_in_is_reported_on_the_page_and_in_the_terminal() {
    let _turn = ports();
    let (server, home) = (Server::start([]), Home::new());
    server.issuer().decide(Decision::Deny);
    let sign_in = SignIn::begin(home.codex(&server).piped().args(["login", "--no-browser"]));
    assert_eq!(browse(&sign_in.address), Ok(200));
    sign_in
        .end()
        .exits(4)
        .says("the service refused: The person said no");
    assert!(home.auth_text().is_none());

    for (words, exit, reported) in [
        (
            "x_Missing_Codex_Entitlement",
            5,
            "ask the workspace's administrator",
        ),
        ("%3Cb%3E%26", 4, "the service refused: <b>&"),
    ] {
        let sign_in = SignIn::begin(home.codex(&server).piped().args(["login", "--no-browser"]));
        let query = format!(
            "error=access_denied&error_description={words}&state={}",
            sign_in.state()
        );
        let (status, page) = call(1455, &format!("/auth/callback?{query}"));
        assert!(status == 200 && !page.contains("<b>"), "{page}");
        sign_in.end().exits(exit).says(reported);
    }
    let sign_in = SignIn::begin(home.codex(&server).piped().args(["login", "--no-browser"]));
    call(1455, &format!("/auth/callback?state={}", sign_in.state()));
    sign_in.end().exits(4).says("the redirect contains no code");
}

#[test]
fn the_page_shows_the_result_of_the_exchange() {
    let _turn = ports();
    let (server, home) = (Server::start([]), Home::new());
    let refusal = json!({"error": "invalid_grant", "error_description": "That code is used."});
    for (reply, exit, reported) in [
        (
            Reply::json(400, &refusal),
            4,
            "That code is used. (invalid_grant) [HTTP 400]",
        ),
        // Longer than any command waits for it.
        (
            Reply::status(503, &[("retry-after", "31")], "busy"),
            7,
            "busy [HTTP 503]",
        ),
        (Reply::status(200, &[], "<html>"), 7, "cannot be parsed"),
        (
            Reply::json(
                403,
                &json!({"error": {"code": "unsupported_country_region_territory",
            "message": "Country, region, or territory not supported"}}),
            ),
            5,
            "territory not supported",
        ),
    ] {
        server.issuer().fail(1, reply);
        let sign_in = SignIn::begin(home.codex(&server).piped().args(["login", "--no-browser"]));
        let query = format!("code=ac_made_up_1&state={}", sign_in.state());
        let (status, page) = call(1455, &format!("/auth/callback?{query}"));
        assert!(status == 200 && page.contains("Not signed in"), "{page}");
        let ran = sign_in.end();
        ran.exits(exit).says(reported);
        assert!(!ran.stderr.contains("ac_made_up_1") && home.auth_text().is_none());
    }
}

#[test]
fn the_callback_url_can_be_pasted() {
    let _turn = ports();
    let server = Server::start([]);
    let paste = |form: fn(&str, &str) -> String| {
        let home = Home::new();
        let mut sign_in =
            SignIn::begin(home.codex(&server).piped().args(["login", "--no-browser"]));
        let code = code(&sign_in.address);
        let text = form(&code, &sign_in.state());
        sign_in.type_in(&format!("\n\n{text}\n"));
        let ran = sign_in.end();
        ran.exits(0).says("Signed in as ada@example.com");
        assert!(!ran.stderr.contains(&code) && home.auth_text().is_some());
    };
    paste(|code, state| format!("http://localhost:1455/auth/callback?code={code}&state={state}"));
    paste(|code, state| {
        format!(" <http://localhost:1455/auth/\ncallback?code={code}&state={state}> ")
    });
    paste(|code, state| format!("{code}#{state}"));
    paste(|code, state| format!("code={code}&state={state}"));
    paste(|code, _| code.to_owned());
}

#[test]
fn an_invalid_paste_is_reported_and_asked_for_again() {
    let _turn = ports();
    let (server, home) = (Server::start([]), Home::new());
    let mut sign_in = SignIn::begin(home.codex(&server).piped().args(["login", "--no-browser"]));
    sign_in.type_in("what?\n");
    sign_in.line("That contains no code");
    sign_in.type_in("http://localhost:1455/auth/callback?code=ac_123456&state=other\n");
    sign_in.line("is from a different sign-in");
    let text = format!(
        "http://localhost:1455/auth/callback?error=access_denied&state={}\n",
        sign_in.state()
    );
    sign_in.type_in(&text);
    sign_in.end().exits(4).says("access was denied");
    assert_eq!(server.issuer().exchanges(), 0);
}

#[test]
fn the_browser_command_gets_no_secret() {
    let _turn = ports();
    let (server, home) = (Server::start([]), Home::new());
    home.file(
        "opener",
        "printf '%s\\n' \"$1\" > \"address $2\"; env > seen; exit 3\n",
    );
    let cmd = home
        .codex(&server)
        .piped()
        .env("BROWSER", "sh opener %s 'of mine'");
    let cmd = cmd.env("CODEX_API_KEY", KEY).args(["login"]);
    let mut sign_in = SignIn::begin(cmd);
    sign_in.line("the command in BROWSER failed (exit status: 3)");
    assert_eq!(home.read("address of mine").trim(), sign_in.address);
    let seen = home.read("seen");
    assert!(seen.contains("BROWSER=") && !seen.contains(KEY) && !seen.contains("eyJ"));
    assert_eq!(browse(&sign_in.address), Ok(200));
    sign_in
        .end()
        .exits(0)
        .says("CODEX_API_KEY is set and takes precedence");
}

#[test]
fn a_new_sign_in_revokes_the_previous_one_once_it_is_stored() {
    let _turn = ports();
    let server = Server::start([]);
    let (home, old) = Home::signed_in(&server);
    let sign_in = SignIn::begin(home.codex(&server).piped().args(["login", "--no-browser"]));
    assert!(server.issuer().is_live(&old.refresh), "not before");
    assert_eq!(browse(&sign_in.address), Ok(200));
    sign_in.end().exits(0);
    assert_eq!(
        server.issuer().revocations(),
        [(old.refresh.clone(), "refresh_token".to_owned())]
    );
    let new = home.auth_json()["openai-codex"]["refresh"]
        .as_str()
        .expect("a token")
        .to_owned();
    assert!(server.issuer().is_live(&new) && !server.issuer().is_live(&old.refresh));

    // The same token again is not a different sign-in, so nothing is revoked.
    let access = home.auth_json()["openai-codex"]["access"]
        .as_str()
        .expect("a token")
        .to_owned();
    let again = home
        .codex(&server)
        .args(["login", "--with-access-token"])
        .input(access)
        .run();
    again.exits(0).says("already");
    assert!(server.issuer().is_live(&new) && server.issuer().revocations().len() == 1);
}

#[test]
fn a_cancelled_sign_in_keeps_the_old_one() {
    let _turn = ports();
    let server = Server::start([]);
    let (home, old) = Home::signed_in(&server);
    let before = home.auth_text();
    let sign_in = SignIn::begin(home.codex(&server).piped().args(["login", "--no-browser"]));
    sign_in.running.signal(TERM);
    let ran = sign_in.end();
    ran.ends_by(TERM);
    let mut sign_in = SignIn::begin(home.codex(&server).piped().args(["login", "--no-browser"]));
    assert_eq!(call(1455, "/cancel").0, 200);
    drop(sign_in.running.stdin.take());
    sign_in.end().exits(4);
    assert!(server.issuer().is_live(&old.refresh));
    assert_eq!(home.auth_text(), before);
    assert_eq!(home.left(), ["auth.json", "auth.json.lock"]);
}

#[test]
fn an_incomplete_request_does_not_block_the_callback() {
    let _turn = ports();
    let (server, home) = (Server::start([]), Home::new());
    let sign_in = SignIn::begin(home.codex(&server).piped().args(["login", "--no-browser"]));
    let half = |head: &str| {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, 1455)).expect("it listens");
        stream.write_all(head.as_bytes()).expect("it reads");
        stream
    };
    let _kept = [
        half("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nabc"),
        half("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"),
        half("GET /auth/callback?code=x HTTP/1.1\r\nHo"),
    ];
    assert_eq!(browse(&sign_in.address), Ok(200));
    sign_in.end().exits(0);
}

#[test]
fn a_repeated_callback_gets_the_same_page() {
    let _turn = ports();
    let (server, home) = (Server::start([]), Home::new());
    server.issuer().pause_before(Duration::from_secs(1));
    let sign_in = SignIn::begin(home.codex(&server).piped().args(["login", "--no-browser"]));
    let target = format!("/auth/callback?code=ac_made_up_1&state={}", sign_in.state());
    let both = [(); 2].map(|()| {
        let target = target.clone();
        thread::spawn(move || call(1455, &target))
    });
    for page in both {
        let (status, text) = page.join().expect("it does not panic");
        assert!(status == 200 && text.contains("Not signed in"), "{text}");
    }
    sign_in.end().exits(4);
    assert_eq!(server.issuer().exchanges(), 1);
}

#[test]
fn the_next_command_in_browser_is_tried_if_the_first_is_missing() {
    let _turn = ports();
    let (server, home) = (Server::start([]), Home::new());
    home.file("opener", "printf '%s\\n' \"$1\" > address\n");
    let cmd = home
        .codex(&server)
        .piped()
        .env("BROWSER", "no-such-program:sh opener");
    let sign_in = SignIn::begin(cmd.args(["login"]));
    until("it is opened", || home.work().join("address").exists());
    assert_eq!(browse(&sign_in.address), Ok(200));
    sign_in.end().exits(0);
    assert!(home.read("address").starts_with("http://127.0.0.1"));
}
