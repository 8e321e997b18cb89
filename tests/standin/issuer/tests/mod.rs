//! Tests of the issuer: a minimal client sends requests and checks the responses.

mod sign_in;
mod tokens;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

use super::CLIENT_ID;
use crate::standin::{Scenarios, Script, Server};

/// Longer than anything here takes, unless it hangs.
const FOREVER: Duration = Duration::from_secs(20);

const FORM: &str = "content-type: application/x-www-form-urlencoded\r\n";

const JSON: &str = "content-type: application/json\r\n";

fn server() -> Server {
    Server::start(Script::prompts(Scenarios::default()))
}

/// One response, read to its end.
struct Got {
    status: u16,
    text: String,
}

impl Got {
    fn body(&self) -> &str {
        self.text.split_once("\r\n\r\n").map_or("", |(_, b)| b)
    }

    fn json(&self) -> Value {
        serde_json::from_str(self.body()).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    fn location(&self) -> String {
        let mut lines = self.text.lines();
        let location = lines.find_map(|line| line.strip_prefix("location: "));
        location.expect("a location").to_owned()
    }

    fn refused(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{}", self.text);
        let body = self.json();
        let said = body["error"]["code"].as_str().or(body["error"].as_str());
        assert_eq!(said, Some(code), "{}", self.text);
    }
}

fn ask(server: &Server, what: &str, headers: &str, body: &str) -> Got {
    let address = server.url().replace("http://", "");
    let mut socket = TcpStream::connect(address).expect("the server listens");
    socket.set_read_timeout(Some(FOREVER)).expect("a timeout");
    let request = format!(
        "{what} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n{body}",
        body.len()
    );
    socket.write_all(request.as_bytes()).expect("it reads");
    let mut text = String::new();
    socket.read_to_string(&mut text).expect("an answer");
    let status = text.split(' ').nth(1).and_then(|word| word.parse().ok());
    let status = status.unwrap_or_default();
    Got { status, text }
}

fn refresh(server: &Server, token: &str) -> Got {
    let body = json!({"client_id": CLIENT_ID, "grant_type": "refresh_token",
        "refresh_token": token});
    ask(server, "POST /oauth/token", JSON, &body.to_string())
}

fn usage(server: &Server, access: &str, account: &str) -> Got {
    let headers = format!("authorization: Bearer {access}\r\nchatgpt-account-id: {account}\r\n");
    ask(server, "GET /backend-api/wham/usage", &headers, "")
}

fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
}
