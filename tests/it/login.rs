//! Signing in: by the browser, by paste, by a code, with a secret on standard input. The ports of the callback
//! are the same for everybody, so these tests take turns.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};
use std::process::ChildStderr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use serde_json::{Value, json};

use crate::ends::TERM;
use crate::home::{Cmd, Home, Ran, Running, finish, until};
use crate::standin::{Decision, Reply, Server, browse, jwt, now_unix};

/// Only one test at a time may use the ports of the callback.
fn ports() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    until("the ports of the callback are free", || {
        [1455, 1457]
            .iter()
            .all(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
    });
    turn
}

/// A sign-in that waits for its browser.
struct SignIn {
    running: Running,
    stderr: BufReader<ChildStderr>,
    said: String,
    address: String,
}

impl SignIn {
    /// Begins one and reads its address.
    fn begin(cmd: Cmd) -> Self {
        let mut running = cmd.start();
        let stderr = running.stderr.take().expect("a pipe");
        let mut sign_in = Self {
            running,
            stderr: BufReader::new(stderr),
            said: String::new(),
            address: String::new(),
        };
        sign_in.address = sign_in.line("/oauth/authorize?").trim().to_owned();
        sign_in.line("press Enter:");
        sign_in
    }

    /// Reads up to the line that holds this.
    fn line(&mut self, words: &str) -> String {
        loop {
            let mut line = String::new();
            let count = self.stderr.read_line(&mut line).expect("text");
            assert!(count > 0, "it ended without {words:?}: {}", self.said);
            self.said.push_str(&line);
            if line.contains(words) {
                return line;
            }
        }
    }

    fn type_in(&mut self, text: &str) {
        let stdin = self.running.stdin.as_mut().expect("a pipe");
        stdin.write_all(text.as_bytes()).expect("it reads");
    }

    fn state(&self) -> String {
        let (_, rest) = self.address.split_once("&state=").expect("a state");
        rest.split('&').next().unwrap_or_default().to_owned()
    }

    /// Its end. What it said before is part of what it said.
    fn end(mut self) -> Ran {
        drop(self.running.stdin.take());
        let rest = thread::spawn(move || {
            let mut rest = String::new();
            let _ = self.stderr.read_to_string(&mut rest);
            rest
        });
        let mut ran = finish(self.running, "codex login".to_owned());
        ran.stderr = self.said + &rest.join().expect("it does not panic");
        ran
    }
}

/// The answer to a request at the callback: the status, and all of it.
fn call(port: u16, target: &str) -> (u16, String) {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("somebody listens");
    let request = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("text");
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    (status.expect("a status"), answer)
}

#[test]
fn the_browser_comes_back_by_itself() {
    let _turn = ports();
    let (server, home) = (Server::start([Reply::text("ok")]), Home::new());
    let sign_in = SignIn::begin(home.codex(&server).piped().args(["login", "--no-browser"]));
    let page = browse(&sign_in.address);
    assert_eq!(page, Ok(200));
    let ran = sign_in.end();
    ran.exits(0)
        .stdout("")
        .says("Signed in as ada@example.com (plus). It is stored in ");
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
fn a_stray_page_is_told_so_and_the_waiting_goes_on() {
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
    // Somebody connects and says nothing: that holds up nobody.
    let _silent = TcpStream::connect((Ipv4Addr::LOCALHOST, 1455)).expect("it listens");
    assert_eq!(browse(&sign_in.address), Ok(200));
    sign_in.end().exits(0);
}

#[test]
fn a_no_is_told_on_the_page_and_in_the_terminal() {
    let _turn = ports();
    let (server, home) = (Server::start([]), Home::new());
    server.issuer().decide(Decision::Deny);
    let sign_in = SignIn::begin(home.codex(&server).piped().args(["login", "--no-browser"]));
    assert_eq!(browse(&sign_in.address), Ok(200));
    sign_in
        .end()
        .exits(4)
        .says("not signed in: The sign-in was refused: The person said no");
    assert!(home.auth_text().is_none());

    for (words, told) in [
        (
            "x_Missing_Codex_Entitlement",
            "its administrator can switch it on",
        ),
        ("%3Cb%3E%26", "refused: <b>&"),
    ] {
        let sign_in = SignIn::begin(home.codex(&server).piped().args(["login", "--no-browser"]));
        let query = format!(
            "error=access_denied&error_description={words}&state={}",
            sign_in.state()
        );
        let (status, page) = call(1455, &format!("/auth/callback?{query}"));
        assert!(status == 200 && !page.contains("<b>"), "{page}");
        sign_in.end().exits(4).says(told);
    }
    let sign_in = SignIn::begin(home.codex(&server).piped().args(["login", "--no-browser"]));
    call(1455, &format!("/auth/callback?state={}", sign_in.state()));
    sign_in.end().exits(4).says("came back without a code");
}

#[test]
fn the_page_tells_the_truth_about_the_exchange() {
    let _turn = ports();
    let (server, home) = (Server::start([]), Home::new());
    let refusal = json!({"error": "invalid_grant", "error_description": "That code is used."});
    for (reply, exit, told) in [
        (
            Reply::json(400, &refusal),
            4,
            "That code is used. (invalid_grant) [HTTP 400]",
        ),
        (Reply::status(503, &[], "busy"), 7, "busy [HTTP 503]"),
        (Reply::status(200, &[], "<html>"), 7, "cannot be read"),
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
        ran.exits(exit).says(told);
        assert!(!ran.stderr.contains("ac_made_up_1") && home.auth_text().is_none());
    }
}

#[test]
fn the_address_of_the_last_page_can_be_pasted() {
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

/// What the issuer gives to whoever asks for this address.
fn code(address: &str) -> String {
    let (port, target) = address
        .strip_prefix("http://127.0.0.1:")
        .and_then(|a| a.split_once('/'))
        .expect("an address");
    let (status, answer) = call(port.parse().expect("a port"), &format!("/{target}"));
    assert_eq!(status, 302, "{answer}");
    let (_, rest) = answer.split_once("code=").expect("a code");
    rest.split(['&', '\r'])
        .next()
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn what_is_pasted_wrongly_is_told_and_asked_for_again() {
    let _turn = ports();
    let (server, home) = (Server::start([]), Home::new());
    let mut sign_in = SignIn::begin(home.codex(&server).piped().args(["login", "--no-browser"]));
    sign_in.type_in("what?\n");
    sign_in.line("There is no code in that");
    sign_in.type_in("http://localhost:1455/auth/callback?code=ac_123456&state=other\n");
    sign_in.line("belongs to another sign-in");
    let text = format!(
        "http://localhost:1455/auth/callback?error=access_denied&state={}\n",
        sign_in.state()
    );
    sign_in.type_in(&text);
    sign_in.end().exits(4).says("The sign-in was not allowed");
    assert_eq!(server.issuer().exchanges(), 0);
}

#[test]
fn a_busy_port_is_asked_once_and_then_left() {
    let _turn = ports();
    let (server, home) = (Server::start([]), Home::new());
    // A server that answers `/cancel` and does not go away.
    let stubborn = TcpListener::bind((Ipv4Addr::LOCALHOST, 1455)).expect("it is free");
    let heard = thread::spawn(move || {
        let mut heard = Vec::new();
        stubborn.set_nonblocking(true).expect("a socket");
        until("somebody asks for the port", || match stubborn.accept() {
            Ok((mut stream, _)) => {
                stream.set_nonblocking(false).expect("a socket");
                let mut buffer = [0; 500];
                let count = stream.read(&mut buffer).unwrap_or_default();
                heard.push(String::from_utf8_lossy(&buffer[..count]).into_owned());
                let _ = stream.write_all(
                    b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                );
                true
            }
            Err(_) => false,
        });
        (stubborn, heard)
    });
    let sign_in = SignIn::begin(home.codex(&server).piped().args(["login", "--no-browser"]));
    assert!(
        sign_in.address.contains("localhost%3A1457%2F"),
        "{}",
        sign_in.address
    );
    assert_eq!(browse(&sign_in.address), Ok(200));
    sign_in.end().exits(0);
    let (stubborn, heard) = heard.join().expect("it does not panic");
    assert!(
        heard.len() == 1 && heard[0].starts_with("GET /cancel HTTP/1.1\r\n"),
        "{heard:?}"
    );
    assert!(stubborn.accept().is_err(), "it was asked once");
}

#[test]
fn with_both_ports_taken_only_paste_is_left() {
    let _turn = ports();
    let (server, home) = (Server::start([]), Home::new());
    let _taken =
        [1455, 1457].map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("free"));
    let mut sign_in = SignIn::begin(home.codex(&server).piped().args(["login", "--no-browser"]));
    assert!(
        sign_in.said.contains("Ports 1455 and 1457 are taken"),
        "{}",
        sign_in.said
    );
    assert!(sign_in.address.contains("localhost%3A1455%2F"));
    let code = code(&sign_in.address);
    sign_in.type_in(&format!("{code}\n"));
    sign_in.end().exits(0);
    // And without anything to paste from, that is said at once.
    let ran = home.codex(&server).args(["login", "--no-browser"]).run();
    ran.exits(74)
        .says("no standard input to paste into")
        .says("--device-auth");
}

#[test]
fn a_port_whose_other_address_is_taken_is_not_used() {
    let _turn = ports();
    let Ok(_taken) = TcpListener::bind((Ipv6Addr::LOCALHOST, 1455)) else {
        return; // this machine has no ::1
    };
    let (server, home) = (Server::start([]), Home::new());
    let sign_in = SignIn::begin(home.codex(&server).piped().args(["login", "--no-browser"]));
    assert!(
        sign_in.address.contains("localhost%3A1457%2F"),
        "{}",
        sign_in.address
    );
    assert_eq!(browse(&sign_in.address), Ok(200));
    sign_in.end().exits(0);
}

#[test]
fn a_second_sign_in_takes_the_port_over() {
    let _turn = ports();
    let (server, home) = (Server::start([]), Home::new());
    let first = SignIn::begin(home.codex(&server).piped().args(["login", "--no-browser"]));
    let second = SignIn::begin(home.codex(&server).piped().args(["login", "--no-browser"]));
    first
        .end()
        .exits(4)
        .says("another sign-in asked for the port");
    assert!(
        second.address.contains("localhost%3A1455%2F"),
        "{}",
        second.address
    );
    assert_eq!(browse(&second.address), Ok(200));
    second.end().exits(0);
}

#[test]
fn browser_names_the_command_and_gets_no_secret() {
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
    let cmd = cmd.env("CODEX_API_KEY", crate::home::KEY).args(["login"]);
    let mut sign_in = SignIn::begin(cmd);
    sign_in.line("the command in BROWSER: it failed (exit status: 3)");
    assert_eq!(home.read("address of mine").trim(), sign_in.address);
    let seen = home.read("seen");
    assert!(seen.contains("BROWSER=") && !seen.contains(crate::home::KEY) && !seen.contains("eyJ"));
    assert_eq!(browse(&sign_in.address), Ok(200));
    sign_in
        .end()
        .exits(0)
        .says("CODEX_API_KEY is set and comes first");
}

#[test]
fn a_code_signs_in_from_another_device() {
    let (server, home) = (Server::start([]), Home::new());
    server.issuer().interval(1);
    server.issuer().slow_down(0);
    let running = home.codex(&server).args(["login", "--device-auth"]).start();
    until("there is a code", || {
        !server.issuer().user_codes().is_empty()
    });
    let code = server.issuer().user_codes().remove(0);
    until("it waits", || server.requests().len() > 1);
    assert!(server.issuer().approve(&code));
    let ran = finish(running, "codex login --device-auth".to_owned());
    ran.exits(0)
        .stdout("")
        .says(&code)
        .says("/codex/device")
        .says("expires in 15 minutes");
    ran.says("whoever hands you one wants to sign in as you")
        .says("Signed in as ada@example.com");
    assert!(!ran.stderr.contains("No browser can open"));
    home.is_private();
}

#[test]
fn a_code_that_is_refused_expired_or_not_to_be_had_is_told() {
    let check = |prepare: fn(&Server), decide: fn(&Server, &str) -> bool, exit: i32, told: &str| {
        let (server, home) = (Server::start([]), Home::new());
        server.issuer().interval(1);
        prepare(&server);
        let running = home.codex(&server).args(["login", "--device-auth"]).start();
        until("it asks", || !server.requests().is_empty());
        if let Some(code) = server.issuer().user_codes().first() {
            assert!(decide(&server, code));
        }
        let ran = finish(running, "codex login --device-auth".to_owned());
        ran.exits(exit).says(told);
        assert!(home.auth_text().is_none());
    };
    check(
        |_| {},
        |server, code| server.issuer().deny(code),
        4,
        "access_denied",
    );
    check(
        |_| {},
        |server, code| server.issuer().expire(code),
        5,
        "has expired",
    );
    check(
        |server| server.issuer().device_disabled(),
        |_, _| true,
        4,
        "no sign-in with a code",
    );
}

#[test]
fn without_a_browser_the_code_is_chosen_and_it_says_why() {
    let check = |variable: &str, why: &str| {
        let (server, home) = (Server::start([]), Home::new());
        server.issuer().device_disabled();
        let ran = home.codex(&server).env(variable, "1").args(["login"]).run();
        ran.exits(4)
            .says(&format!("No browser can open here ({why})"));
    };
    check("SSH_CONNECTION", "this is an SSH session");
    check("CI", "CI is set");
    check("container", "this is a container");
}

#[test]
fn a_secret_is_read_from_standard_input_only() {
    let server = Server::start([Reply::text("ok")]);
    let home = Home::new();
    let key = home
        .codex(&server)
        .args(["login", "--with-api-key"])
        .input(" sk-invented-0123456789\n")
        .run();
    key.exits(0).says("The key is stored in");
    home.is_private();
    assert_eq!(
        home.auth_json(),
        json!({"openai": {"type": "api_key", "key": crate::home::KEY}})
    );
    home.codex(&server)
        .args(["run", "--no-tools", "hi"])
        .run()
        .exits(0)
        .stdout("ok\n");

    let token = jwt("acct-1", now_unix() + 5000);
    let cmd = || home.codex(&server).args(["login", "--with-access-token"]);
    cmd()
        .input(format!("{token}\n"))
        .run()
        .exits(0)
        .says("good until")
        .says("nothing renews it");
    let file = home.auth_json();
    assert_eq!(file["openai"]["key"], crate::home::KEY);
    assert_eq!(file["openai-codex"]["access"], Value::from(token));
    assert!(file["openai-codex"].get("refresh").is_none());

    let before = home.auth_text();
    cmd()
        .input("sk-not-a-token")
        .run()
        .exits(4)
        .says("holds no ChatGPT access token");
    cmd()
        .input(jwt("acct-1", 1000))
        .run()
        .exits(4)
        .says("it ended at 1970-01-01T00:16:40Z");
    cmd().run().exits(2).says("nothing on standard input");
    let key = || home.codex(&server).args(["login", "--with-api-key"]);
    key().input("two words").run().exits(2).says("white space");
    key()
        .args(["--device-auth"])
        .run()
        .exits(2)
        .says("exclude each other");
    assert_eq!(home.auth_text(), before);
}

#[test]
fn a_new_sign_in_revokes_the_one_before_it_once_it_is_stored() {
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

    // The same token once more is no other sign-in, so nothing is revoked.
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
fn a_sign_in_that_is_called_off_leaves_the_old_one() {
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
fn a_file_that_cannot_be_used_is_found_out_before_anybody_signs_in() {
    let server = Server::start([]);
    let home = Home::new();
    home.write_auth("{\n  \"openai-codex\": oops\n}");
    let ran = home.codex(&server).args(["login", "--no-browser"]).run();
    ran.exits(2)
        .says("auth.json is not JSON at line 2, column 19")
        .says("not overwritten");
    assert_eq!(
        home.auth_text().as_deref(),
        Some("{\n  \"openai-codex\": oops\n}")
    );
    let nowhere = home.codex(&server).args(["login"]).without("HOME").run();
    nowhere.exits(2).says("HOME is not set");
    assert_eq!(server.connections(), 0);
}
