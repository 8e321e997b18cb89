//! Time limits: how long connecting, a response head and silence may take, each with its own message.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::Duration;

use crate::home::{CommandOutput, Home};
use crate::standin::{Reply, Server};

fn ask(reply: Reply) -> CommandOutput {
    let server = Server::start([reply]);
    Home::with_key()
        .codex(&server)
        .args([
            "run",
            "--no-tools",
            "--idle-timeout",
            "2s",
            "--retries",
            "0",
            "x",
        ])
        .run()
}

#[test]
fn a_silent_service_times_out_with_its_own_message() {
    let silent = Reply::text("x").pause_before_headers(Duration::from_secs(30));
    ask(silent).exits(7).says("did not answer within 2 s");
    ask(Reply::text("x").stall_at(0))
        .exits(8)
        .says("nothing arrived for 2 s");
    // Any byte counts as a sign of life: the whole answer takes longer than the limit.
    let slow = Reply::text("one two three four five").event_pause(Duration::from_millis(200));
    ask(slow).exits(0).stdout("one two three four five\n");
}

/// A server that accepts the connection and sends nothing does not speak TLS.
#[test]
fn connecting_times_out_with_its_own_message() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("https://{}/v1", listener.local_addr().expect("an address"));
    let ran = Home::with_key()
        .offline()
        .env("OPENAI_BASE_URL", &address)
        .args(["run", "--no-tools", "--retries", "0", "x"])
        .run();
    ran.exits(7).says(": no connection within 15 s");
}

/// A server that sends these bytes on every connection, and then others, one by one; none at all if there are none. It
/// continues for longer than the command waits.
fn trickle(bytes: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            thread::spawn(move || {
                let _ = stream.read(&mut [0; 4096]);
                for n in 0..600 {
                    let next = bytes.get(n).copied().unwrap_or(b'x');
                    if !bytes.is_empty() && stream.write_all(&[next]).is_err() {
                        return;
                    }
                    thread::sleep(Duration::from_millis(100));
                }
            });
        }
    });
    address
}

/// A proxy that answers the first steps in time does not get the whole time limit again for the next ones.
#[test]
fn connecting_through_a_proxy_has_the_same_time_limit() {
    let check = |scheme: &str, bytes: &'static [u8]| {
        let proxy = format!("{scheme}://{}", trickle(bytes));
        let ran = Home::with_key()
            .offline()
            .env("OPENAI_BASE_URL", "https://api.example/v1")
            .env("https_proxy", &proxy)
            .args(["run", "--no-tools", "--retries", "0", "x"])
            .run();
        ran.exits(7)
            .says("the proxy 127.0.0.1:")
            .says("no connection within 15 s");
    };
    thread::scope(|scope| {
        for (scheme, bytes) in [
            ("http", &b""[..]),
            ("http", b"HTTP/1.1 200 OK\r\nx-endless: "),
            ("socks5h", b""),
            ("socks5h", &[5, 0, 5, 0, 0, 3, 255]),
        ] {
            scope.spawn(move || check(scheme, bytes));
        }
    });
}

#[test]
fn a_response_head_that_trickles_in_times_out() {
    let ran = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = format!("http://{}/v1", listener.local_addr().expect("an address"));
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a client");
            // Longer than the command waits, however slow the machine.
            for _ in 0..600 {
                let informed = stream.write_all(b"HTTP/1.1 103 Early Hints\r\n\r\n");
                if informed.is_err() {
                    return;
                }
                thread::sleep(Duration::from_millis(100));
            }
        });
        Home::with_key()
            .offline()
            .env("OPENAI_BASE_URL", &address)
            .args([
                "run",
                "--no-tools",
                "--retries",
                "0",
                "--idle-timeout",
                "2s",
                "x",
            ])
            .run()
    };
    ran.exits(7).says("did not answer within 2 s");
}
