//! Which secret goes where, and that none is shown.

use crate::home::{Home, KEY};
use crate::standin::{Reply, Server, jwt, now_unix};

const ASK: [&str; 3] = ["run", "--no-tools", "hi"];

#[test]
fn without_credentials_no_socket_is_opened() {
    let server = Server::start([Reply::text("x")]);
    let run = Home::new().codex(&server).args(ASK).run();
    run.exits(4)
        .stdout("")
        .says("you are not signed in")
        .says("hint: run `codex login`");
    assert_eq!(server.connections(), 0);
    // An empty variable counts as unset.
    Home::new()
        .env("OPENAI_API_KEY", "")
        .codex(&server)
        .args(ASK)
        .run()
        .exits(4);
}

#[test]
fn each_secret_is_sent_only_to_its_backend_in_order_of_precedence() {
    let token = jwt("acct-1", now_unix() + 864_000);
    let home = Home::new()
        .env("CODEX_ACCESS_TOKEN", &token)
        .env("CODEX_API_KEY", "sk-second")
        .env("OPENAI_API_KEY", "sk-third");
    home.file("key", "sk-first\n");
    let check = |cmd: crate::home::Cmd,
                 server: &Server,
                 path: &str,
                 bearer: &str,
                 account: Option<&str>| {
        cmd.run().exits(0);
        let request = server.requests().pop().expect("a request");
        assert_eq!(request.bare_path(), path);
        assert_eq!(
            request.header("authorization"),
            Some(&*format!("Bearer {bearer}"))
        );
        assert_eq!(request.header("chatgpt-account-id"), account);
    };
    let server = Server::start([1, 2, 3, 4].map(|_| Reply::text("ok")));
    let cmd = || home.codex(&server).args(ASK);
    check(
        cmd().args(["--api-key-file", "key"]),
        &server,
        "/v1/responses",
        "sk-first",
        None,
    );
    check(
        cmd(),
        &server,
        "/backend-api/codex/responses",
        &token,
        Some("acct-1"),
    );
    check(
        cmd().env("CODEX_ACCESS_TOKEN", ""),
        &server,
        "/v1/responses",
        "sk-second",
        None,
    );
    let last = cmd().env("CODEX_ACCESS_TOKEN", "").env("CODEX_API_KEY", "");
    check(last, &server, "/v1/responses", "sk-third", None);
}

#[test]
fn a_malformed_credential_is_an_error_and_not_skipped() {
    let server = Server::start([]);
    let home = Home::with_key();
    let key = home
        .codex(&server)
        .args(ASK)
        .env("CODEX_ACCESS_TOKEN", "sk-not-a-token")
        .run();
    key.exits(4)
        .says("CODEX_ACCESS_TOKEN does not contain a ChatGPT access token");
    home.codex(&server)
        .args(ASK)
        .env("CODEX_API_KEY", "two words")
        .run()
        .exits(2)
        .says("white space");
    home.file("empty", "\n");
    home.codex(&server)
        .args(ASK)
        .args(["--api-key-file", "empty"])
        .run()
        .exits(2)
        .says("is empty");
    home.codex(&server)
        .args(ASK)
        .args(["--api-key-file", "gone"])
        .run()
        .exits(2)
        .says("cannot read gone");
    assert_eq!(server.connections(), 0);
}

#[test]
fn secrets_are_not_sent_unencrypted() {
    for address in [
        "http://192.0.2.1/v1",
        "http://example.invalid/v1",
        "ftp://127.0.0.1/",
        "nonsense",
    ] {
        let run = Home::with_key()
            .offline()
            .args(ASK)
            .env("OPENAI_BASE_URL", address)
            .run();
        run.exits(2)
            .stdout("")
            .says("cannot use the address in OPENAI_BASE_URL");
    }
    let run = Home::with_token()
        .offline()
        .args(ASK)
        .env("CODEX_RUN_BASE_URL", "http://192.0.2.1")
        .run();
    run.exits(2).says("CODEX_RUN_BASE_URL").says("unencrypted");
}

#[test]
fn loopback_addresses_bypass_the_proxy() {
    let (server, proxy) = (Server::start([Reply::text("ok")]), Server::start([]));
    let mut cmd = Home::with_key().codex(&server).args(ASK);
    for (name, url) in crate::network::all(&proxy.url()) {
        cmd = cmd.env(name, url);
    }
    cmd.run().exits(0).stdout("ok\n");
    assert_eq!(proxy.connections(), 0);
}

#[test]
fn redirects_are_not_followed() {
    let elsewhere = Server::start([Reply::text("stolen")]);
    for status in [301, 302, 303, 307, 308] {
        let location = format!("{}/responses", elsewhere.api_url());
        let server = Server::start([Reply::status(status, &[("location", &location)], "")]);
        let run = Home::with_key().codex(&server).args(ASK).run();
        run.exits(7).stdout("").says(&format!("HTTP {status}"));
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[test]
fn a_secret_that_the_server_echoes_is_not_printed() {
    let body = format!(
        r#"{{"error":{{"message":"Incorrect API key provided: {KEY}.","code":"invalid_api_key"}}}}"#
    );
    let server = Server::start([Reply::status(
        401,
        &[("content-type", "application/json")],
        body,
    )]);
    let run = Home::with_key().codex(&server).args(ASK).run();
    run.exits(4)
        .says("Incorrect API key provided: ***. (invalid_api_key) [HTTP 401, request req_standin_");
    let event = format!("data: {{\"type\":\"error\",\"message\":\"bad {KEY}\"}}\n\n");
    let server = Server::start([Reply::sse(event)]);
    Home::with_key()
        .codex(&server)
        .args(ASK)
        .args(["--retries", "0"])
        .run()
        .exits(1)
        .says("bad ***");
}

#[test]
fn expired_or_misdirected_credentials_are_refused() {
    let server = Server::start([]);
    let expired = jwt("acct-1", 1_000_000_000);
    let run = Home::new()
        .env("CODEX_ACCESS_TOKEN", &expired)
        .codex(&server)
        .args(ASK)
        .run();
    run.exits(4)
        .says("the service refused the credential")
        .says("token_expired");
    assert_eq!(server.requests().len(), 1);
}
